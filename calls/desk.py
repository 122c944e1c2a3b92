"""What an agent's desk shows: the call at their telephone, and what is known of who is calling (screen pop, A7).

It belongs to the agent who is offered the call, and to nobody else (P1).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from calls.call import Result
from calls.ids import AgentNumber, CallId, Language, SectionId
from calls.live import AgentNow, LinkNow


class DeskStage(StrEnum):
    """Where a call is, as its agent sees it."""

    RINGING = "ringing"
    TALKING = "talking"


@dataclass(frozen=True, slots=True)
class EarlierCall:
    """A call that the same number made before."""

    call_id: CallId
    arrived_at: datetime
    result: Result
    section: SectionId | None = None
    agent: AgentNumber | None = None
    """Who was heard first."""


class MatterKind(StrEnum):
    """What can be open for a caller."""

    COMPLAINT = "complaint"
    WORK_ORDER = "work_order"
    PROMISE = "promise"
    """A call back that was promised (A5)."""


@dataclass(frozen=True, slots=True)
class Matter:
    """Something of the caller's that is not settled yet."""

    kind: MatterKind
    number: str
    """Of the case or the work order; of a promise, the call it was made in."""
    title: str
    state: str = ""
    """A state's name in the books of its kind."""
    due_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Dossier:
    """What the books know of a number."""

    looked_up_at: datetime
    earlier: tuple[EarlierCall, ...] = ()
    """The newest first."""
    matters: tuple[Matter, ...] = ()
    """The most urgent first."""
    key_customer: bool = False
    """Their complaints go first (C8)."""


@dataclass(frozen=True, slots=True)
class DeskCall:
    """A call at an agent's telephone."""

    call_id: CallId
    stage: DeskStage
    since: datetime
    """When the stage began."""
    arrived_at: datetime
    caller: str
    """Their number, masked (``masked``); empty if it was withheld. The desk asks for the whole one, on record."""
    section: SectionId | None = None
    language: Language | None = None
    priority: bool = False
    dossier: Dossier | None = None
    """``None`` while it is looked up, and if the books cannot be read."""


@dataclass(frozen=True, slots=True)
class DeskNow:
    """One agent's desk at one moment."""

    at: datetime
    link: LinkNow
    agent: AgentNow
    calls: tuple[DeskCall, ...] = ()
    """In talk before ringing."""


def masked(number: str | None) -> str:
    """A telephone number of which beginning and end are left: ``138****8000``; of a short one its last two."""
    if not number:
        return ""
    if len(number) < 7:
        return "****" + number[-2:]
    return f"{number[:3]}****{number[-4:] if len(number) > 8 else number[-2:]}"
