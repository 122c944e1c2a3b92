"""Wrapping up: what an agent writes about a call until it is filed, and which calls are not filed yet (A7).

Notes belong to a call, not to a window: whoever writes sends what changed in a field and from what, and what two
windows wrote into the same field is put together so that nobody's words are lost.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from calls.ids import AgentNumber, CallId, Language, SectionId

LONGEST_FIELD = 20_000
"""Letters of one field; more is cut off nowhere, it is refused."""
MOST_FIELDS = 60


class Outcome(StrEnum):
    """What a call is filed as."""

    ANSWERED = "answered"
    """An inquiry, answered at once (K4)."""
    WORK_ORDER = "work_order"
    """An inquiry or ticketing work that goes to a department, with a promise to the caller (A5, C10)."""
    COMPLAINT = "complaint"
    """Registered within ten minutes of the call's arrival (C2)."""
    CALLBACK = "callback"
    """The caller was promised a call back (A5)."""
    NOTHING = "nothing"
    """There is nothing to file, for a reason that is kept."""


class NothingReason(StrEnum):
    """Why there is nothing to file."""

    WRONG_NUMBER = "wrong_number"
    SILENT = "silent"
    """Nobody spoke, or the line was too bad to understand anything."""
    CALLER_GONE = "caller_gone"
    """The caller hung up before saying what it was about."""
    NUISANCE = "nuisance"
    HANDED_ON = "handed_on"
    """Another agent took the call over and files it."""
    TEST = "test"


class CallbackResult(StrEnum):
    """What an agent says of a call-back; whether the caller was reached is Asterisk's word."""

    SETTLED = "settled"
    NOT_THE_CALLER = "not_the_caller"
    """Somebody else answered, or a machine: it is tried again."""
    WRONG_NUMBER = "wrong_number"
    DECLINED = "declined"
    """The caller does not want it any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskFiling:
    """A call that is filed as something that is no case."""

    call_id: CallId
    outcome: Outcome
    at: datetime
    by: str
    """A login."""
    agent: AgentNumber
    ref: str = ""
    """The call-back's number."""
    reason: str = ""
    """A ``NothingReason``."""
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Notes:
    """What was written about a call so far."""

    call_id: CallId
    version: int = 0
    """How often they were saved; 0: never."""
    fields: Mapping[str, str] = field(default_factory=dict)
    saved_at: datetime | None = None
    saved_by: str = ""


@dataclass(frozen=True, slots=True)
class OwnCounts:
    """What an agent did in a period, beside the indicators."""

    callback_attempts: int = 0
    """Call-backs dialled."""
    callbacks_reached: int = 0
    invited: int = 0
    """Callers who were asked to rate after this agent's calls (Q2)."""
    not_invited: int = 0
    """Callers who stayed on the line and were not asked: nobody skips the invitation unseen."""


@dataclass(frozen=True, slots=True)
class Edit:
    """What one window did to one field."""

    base: str
    """The text that it began with."""
    text: str


@dataclass(frozen=True, slots=True)
class UnfiledCall:
    """A call that the agent answered, and that nobody has filed."""

    call_id: CallId
    arrived_at: datetime
    connected_at: datetime
    ended_at: datetime | None
    caller: str | None
    """Personal data (P1)."""
    section: SectionId | None
    language: Language | None
    trunk: str
    priority: bool
    has_notes: bool = False


class Kind(StrEnum):
    """What a field holds; it decides what becomes of it when two windows wrote different things."""

    TEXT = "text"
    """Lines: put together."""
    LINE = "line"
    """One line: put together, set apart by a stroke."""
    CHOICE = "choice"
    """The last one stands."""


_JOINTS = {Kind.TEXT: "\n", Kind.LINE: " / "}


def edited(fields: Mapping[str, str], edits: Mapping[str, Edit], kinds: Mapping[str, Kind]) -> dict[str, str]:
    """The fields with a window's edits in them, what others have written meanwhile kept."""
    return {
        **fields,
        **{name: merged(edit, fields.get(name, ""), kinds[name]) for name, edit in edits.items()},
    }


def merged(mine: Edit, theirs: str, kind: Kind = Kind.TEXT) -> str:
    """One text of two that were made from the same base.

    A side that changed nothing gives way to the other. If both did, mine follows theirs, less the parts that are
    there already.
    """
    if kind is Kind.CHOICE or theirs == mine.base or mine.text.startswith(theirs):
        return mine.text
    if mine.text == mine.base or theirs.startswith(mine.text):
        return theirs
    joint = _JOINTS[kind]
    there = theirs.split(joint)
    return joint.join([*there, *(part for part in mine.text.split(joint) if part not in there)])
