"""Anchors of the access log: its last entry's hash, noted outside the database (P4).

A chain shows whether an entry was changed, but not whether the newest were cut off: for that, somebody else must
have noted what the newest was. A line is added each time that the log was followed and found whole; it is in the
service's log, too, which is kept elsewhere.
"""

from __future__ import annotations

import logging
from datetime import datetime
from pathlib import Path

from storage.access import Chain

log = logging.getLogger(__name__)

FILE = "audit-anchors"


class Anchors:
    """The file of anchors in var_dir: time, number of the entry, hash."""

    def __init__(self, var_dir: Path) -> None:
        self._path = var_dir / FILE

    def last(self) -> str | None:
        """The hash that was noted last; ``None`` if none was."""
        try:
            lines = self._path.read_text(encoding="ascii").split("\n")[:-1]  # the last may be half a line
        except FileNotFoundError:
            return None
        return lines[-1].split()[-1] if lines else None

    def note(self, at: datetime, chain: Chain) -> None:
        """The log is whole up to here."""
        if chain.last_hash == self.last():
            return
        with self._path.open("a", encoding="ascii") as file:
            file.write(f"{at.isoformat()} {chain.entries} {chain.last_hash}\n")
        log.info("audit.anchor", extra={"entries": chain.entries, "hash": chain.last_hash})
