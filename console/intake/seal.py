"""Marks in the public forms: when a form was given out, to whom, and that it is sent once (C1).

A mark is signed with a key that this process made at its start: nobody can make one, or make an old one young. It
holds the id under which what is sent with it is registered, so that a form sent twice is one matter.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

SOONEST = timedelta(seconds=4)
"""Nobody fills a form in faster."""
LATEST = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class Mark:
    """What a form's mark says."""

    made_at: datetime
    id: str

    def too_soon(self, now: datetime) -> bool:
        """Sent faster than a person writes."""
        return now - self.made_at < SOONEST


class Sealer:
    """Makes marks and reads them."""

    def __init__(self, key: bytes | None = None) -> None:
        self._key = key or secrets.token_bytes(32)

    def mark(self, purpose: str, now: datetime, id: str = "") -> str:
        """A new mark. ``purpose`` binds it to one form and one visitor."""
        told = f"{int(now.timestamp())}.{id or secrets.token_urlsafe(16)}"
        return f"{told}.{self._signed(purpose, told)}"

    def read(self, purpose: str, mark: str, now: datetime) -> Mark | None:
        """What it says; ``None`` if it is not ours, not for this, or over."""
        told, _, signed = mark[:300].rpartition(".")
        wanted = self._signed(purpose, told)
        if not hmac.compare_digest(signed.encode("utf-8", "replace"), wanted.encode()):
            return None
        seconds, _, id = told.partition(".")
        made_at = datetime.fromtimestamp(int(seconds), UTC)
        return Mark(made_at, id) if now - made_at <= LATEST else None

    def _signed(self, purpose: str, told: str) -> str:
        return hmac.new(self._key, f"{purpose}\0{told}".encode("utf-8", "replace"), hashlib.sha256).hexdigest()
