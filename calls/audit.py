"""What an audit of the books found: facts that were mended from another witness, and differences that stand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from calls.events import Source
from calls.ids import CallId


@dataclass(frozen=True, slots=True)
class Repair:
    """One fact that Asterisk's event log on disk did not tell and that the books have from another witness."""

    key: str
    """Of the event."""
    call_id: CallId
    at: datetime
    """When the fact happened, as far as known."""
    what: str
    """The kind of event."""
    source: Source
    """The witness that told it instead."""


class Difference(StrEnum):
    """Ways in which books and Asterisk's files can differ where nothing could be mended."""

    SOURCE_LOST = "source_lost"
    """A file vanished or was emptied, and with it what had not been read."""
    LINE_UNREADABLE = "line_unreadable"
    """A line of a file is no record (half written on a full disk, damaged)."""
    REFUSED = "refused"
    """The database will not take an event."""
    MENU_LOST = "menu_lost"
    """Neither database, disk nor memory had room for a caller's step in the menu."""
    DIFFERS = "differs"
    """The queue log and the books tell a call's fate differently."""
    NOT_IN_BOOKS = "not_in_books"
    """Asterisk has a call, or told of one, that the books do not know."""


@dataclass(frozen=True, slots=True)
class Discrepancy:
    """One difference that a person should know of. It stands until ``settled_at``."""

    key: str
    """The same difference found again has the same key."""
    kind: Difference
    seen_at: datetime
    detail: str
    """What differs; never a caller's number or words (P1)."""
    call_id: CallId | None = None
    event_key: str | None = None
    """The event whose arrival in the books would settle it by itself."""
    settled_at: datetime | None = None
