"""Secrets of this installation: made once, readable by us alone, never in a log or in the repository."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from asterisk_conf.render import write_private
from calls.errors import SettingsError

_PLAIN = re.compile(r"[A-Za-z0-9]{8,128}")


@dataclass(frozen=True, slots=True)
class Secrets:
    """Passwords between our own parts, and of the agents' telephones."""

    ami: str = field(repr=False)
    phones: dict[str, str] = field(repr=False)
    callers: str = field(repr=False)
    """What callers' numbers are hashed with where only the same caller must be known again (P1)."""


def load_secrets(path: Path, phone_numbers: Iterable[str]) -> Secrets:
    """Read the secrets and make those that are missing. Raises SettingsError if the file is damaged."""
    known = _read(path) if path.exists() else Secrets(ami=secrets.token_hex(24), phones={}, callers="")
    # Letters and digits only, long enough to be random, short enough to type into a telephone.
    new = {number: secrets.token_hex(6) for number in phone_numbers if number not in known.phones}
    made = Secrets(known.ami, known.phones | new, known.callers or secrets.token_hex(24))
    changed = made != known or not path.exists()
    if changed or path.stat().st_mode & 0o077:  # a copy or an editor may have opened it to others
        write_private(path, json.dumps(asdict(made), indent=1))
    return made


def _read(path: Path) -> Secrets:
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        read = Secrets(stored["ami"], dict(stored["phones"]), stored.get("callers", ""))  # which older files lack
        for name, secret in {"ami": read.ami, "callers": read.callers or read.ami, **read.phones}.items():
            if not _PLAIN.fullmatch(secret):  # it goes into Asterisk's files as it stands
                raise ValueError(f"{name}: a secret is 8 or more letters and digits")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SettingsError(
            f"{path} is damaged ({error!r}); remove it to make new secrets; telephones must then be set up again"
        ) from error
    return read
