"""Secrets of this installation: made once, readable by us alone, never in a log or in the repository."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from asterisk_conf.render import write_private
from calls.errors import SettingsError


@dataclass(frozen=True, slots=True)
class Secrets:
    """Passwords between our own parts, and of the agents' telephones."""

    ami: str
    phones: dict[str, str]


def load_secrets(path: Path, phone_numbers: Iterable[str]) -> Secrets:
    """Read the secrets and make those that are missing. Raises SettingsError if the file is damaged."""
    known: dict[str, object] = {}
    if path.exists():
        try:
            known = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise SettingsError(
                f"{path} is damaged ({error}); remove it to make new secrets; telephones must then be set up again"
            ) from error
    phones = known.get("phones")
    phones = dict(phones) if isinstance(phones, dict) else {}
    # Letters and digits only, long enough to be random, short enough to type into a telephone.
    made = Secrets(
        ami=str(known.get("ami") or secrets.token_hex(24)),
        phones=phones | {n: secrets.token_hex(6) for n in phone_numbers if n not in phones},
    )
    text = json.dumps({"ami": made.ami, "phones": made.phones}, indent=1)
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        write_private(path, text)
    return made
