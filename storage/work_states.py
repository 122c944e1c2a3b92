"""How far work is that is owed on a recording."""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    """How far a leg is."""

    OWED = "owed"
    STARTED = "started"
    DONE = "done"
    FAILED = "failed"
    """It cannot be done; trying again would change nothing."""
    QUARANTINED = "quarantined"
    """It killed its worker twice; a person must look."""
