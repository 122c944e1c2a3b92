"""A form's own proof: when it was given out and that it was, so that nobody posts what they never opened."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import datetime, timedelta
from enum import Enum

from calls.ports import Clock

_LONGEST = timedelta(hours=12)


class Proof(Enum):
    """What a proof shows."""

    GOOD = "good"
    EARLY = "early"
    """Nobody types so fast."""
    STALE = "stale"
    """Too old, or not one of ours."""


class Proofs:
    """Of one kind of form. The key lasts as long as the process: after a restart a form is shown once more."""

    def __init__(self, clock: Clock, soonest_s: float) -> None:
        self._clock = clock
        self._soonest = timedelta(seconds=soonest_s)
        self._key = secrets.token_bytes(32)

    def make(self) -> str:
        """For a hidden field."""
        told = f"{int(self._clock.now().timestamp() * 1000)}.{secrets.token_hex(12)}"
        return f"{told}.{self._seal(told)}"

    def look(self, proof: str) -> Proof:
        """What it shows."""
        told, _, seal = proof.rpartition(".")
        if not hmac.compare_digest(seal.encode("utf-8", "replace"), self._seal(told).encode()):
            return Proof.STALE
        given = datetime.fromtimestamp(int(told.partition(".")[0]) / 1000, self._clock.now().tzinfo)
        age = self._clock.now() - given
        if age > _LONGEST:
            return Proof.STALE
        return Proof.EARLY if age < self._soonest else Proof.GOOD

    def _seal(self, told: str) -> str:
        return hmac.new(self._key, told.encode("utf-8", "replace"), hashlib.sha256).hexdigest()
