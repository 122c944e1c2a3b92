"""Who may move a complaint, when, and what must be said with it (C4 to C9).

Where an event leads is the state machine's (``calls.case.MOVES``); this is the rest of the rule book.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

from calls.case import ALWAYS, MOVES, MOVING, Case
from calls.case_events import (
    AnyCaseEvent,
    CaseAssessed,
    CaseClosed,
    CaseCorrected,
    CaseFedBack,
    CaseForwarded,
    CaseLinked,
    CaseReassigned,
    CaseRegistered,
    CaseUnlinked,
    CaseWorkedAgain,
    ClockPaused,
    ClockResumed,
    ComplainantAsked,
    HandOverAccepted,
    HandOverDeclined,
    HandOverOffered,
    NoteAdded,
    OpinionApproved,
    OpinionGiven,
    OpinionReturned,
    ResultReported,
    WorkDone,
)
from calls.cases import Channel, State
from calls.ids import SectionId
from calls.people import Person, Right

LONGEST = 4000
"""Letters of one text."""
LONGEST_LINE = 200
"""Letters of a name, a place, a contact."""
LONGEST_PAUSE = timedelta(days=60)


class Actor(StrEnum):
    """In what part somebody acts on a case."""

    CENTRE = "centre"
    """The centre, or the owner whom it was given to."""
    DEPARTMENT = "department"
    """The department; or the centre, which writes down what the department said."""
    REVIEWER = "reviewer"
    OWNER = "owner"
    OFFERED = "offered"
    """Who was asked to take the case over."""
    ANYONE = "anyone"
    """Whoever may work on the case or file it."""


ACTORS: Mapping[str, Actor] = MappingProxyType(
    {
        CaseForwarded.kind: Actor.CENTRE,
        OpinionGiven.kind: Actor.DEPARTMENT,
        OpinionReturned.kind: Actor.REVIEWER,
        OpinionApproved.kind: Actor.REVIEWER,
        WorkDone.kind: Actor.DEPARTMENT,
        ResultReported.kind: Actor.DEPARTMENT,
        CaseFedBack.kind: Actor.CENTRE,
        ComplainantAsked.kind: Actor.CENTRE,
        CaseWorkedAgain.kind: Actor.CENTRE,
        CaseClosed.kind: Actor.REVIEWER,
        CaseCorrected.kind: Actor.CENTRE,
        CaseAssessed.kind: Actor.CENTRE,
        NoteAdded.kind: Actor.ANYONE,
        CaseLinked.kind: Actor.ANYONE,
        CaseUnlinked.kind: Actor.CENTRE,
        HandOverOffered.kind: Actor.OWNER,
        HandOverAccepted.kind: Actor.OFFERED,
        HandOverDeclined.kind: Actor.OFFERED,
        CaseReassigned.kind: Actor.REVIEWER,
        ClockPaused.kind: Actor.REVIEWER,
        ClockResumed.kind: Actor.REVIEWER,
    }
)
"""In what part each line of history is written."""

COMMUTING = frozenset({NoteAdded.kind, CaseLinked.kind})
"""Lines that say the same whatever came in between: they never conflict."""


def may_see(case: Case, person: Person) -> bool:
    """Whether a case is within somebody's reach: of their sections and departments, or their own (P1)."""
    if person.login in (case.owner, case.offered_to):
        return person.may(Right.READ_CASES)
    scope = person.scope(Right.READ_CASES)
    return scope.covers(case.section) or _of_department(case, person, Right.READ_CASES)


def may(case: Case, person: Person, kind: str) -> bool:
    """Whether somebody may write such a line, as far as it is about persons."""
    actor = ACTORS[kind]
    owner = person.login == case.owner
    centre = person.scope(Right.WORK_CASES).covers(case.section)
    files = person.scope(Right.FILE_CASES).covers(case.section)
    department = _of_department(case, person, Right.WORK_CASES)
    reviewer = person.scope(Right.REVIEW_CASES).covers(case.section)
    match actor:
        case Actor.CENTRE:
            return centre or (owner and person.may(Right.FILE_CASES))
        case Actor.DEPARTMENT:
            return department or centre
        case Actor.REVIEWER:
            return reviewer
        case Actor.OWNER:
            return owner
        case Actor.OFFERED:
            return person.login == case.offered_to or (kind == HandOverDeclined.kind and owner)
        case Actor.ANYONE:
            return centre or department or files or owner


def allowed(case: Case, person: Person, now: datetime) -> tuple[str, ...]:
    """Kinds of lines that somebody may write now, the moves first."""
    return tuple(kind for kind in ACTORS if _comes_now(case, kind, now) and may(case, person, kind))


def _comes_now(case: Case, kind: str, now: datetime) -> bool:
    if kind in MOVING:
        return (case.state, kind) in MOVES
    if case.state is State.CLOSED and kind not in ALWAYS:
        return False
    needs = {
        HandOverAccepted.kind: case.offered_to is not None,
        HandOverDeclined.kind: case.offered_to is not None,
        ClockPaused.kind: not case.paused(now),
        ClockResumed.kind: case.paused(now),
        CaseUnlinked.kind: bool(case.links),
    }
    return needs.get(kind, True)


def _of_department(case: Case, person: Person, right: Right) -> bool:
    scope = person.scope(right)
    return case.department is not None and scope.covers(SectionId(case.department))


# ── What must be said ────────────────────────────────────────────────────────────────────────────────────────


class Wrong(StrEnum):
    """What is wrong with a field."""

    MISSING = "missing"
    TOO_LONG = "too_long"
    IN_FUTURE = "in_future"
    IN_PAST = "in_past"
    TOO_LATE = "too_late"
    """A pause longer than may be."""
    UNKNOWN = "unknown"
    """No such department, cause, category or person."""
    MAY_NOT = "may_not"
    """Nobody whom it may be handed to."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One field and what is wrong with it."""

    field: str
    wrong: Wrong


_REQUIRED: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        CaseRegistered.kind: ("name", "content", "place"),
        NoteAdded.kind: ("text",),
        CaseForwarded.kind: ("department",),
        CaseWorkedAgain.kind: ("department", "why"),
        OpinionGiven.kind: ("opinion",),
        OpinionReturned.kind: ("why",),
        ResultReported.kind: ("result",),
        CaseFedBack.kind: ("told",),
        CaseClosed.kind: ("measures", "prevention"),
        HandOverOffered.kind: ("to", "why"),
        HandOverDeclined.kind: ("why",),
        CaseReassigned.kind: ("to", "why"),
        ClockPaused.kind: ("why",),
        CaseLinked.kind: ("ref",),
    }
)
_LINES = frozenset({"name", "contact", "place", "department", "to", "ref", "label", "cause", "category"})
_PAST = ("arrived_at", "occurred_at")
_FUTURE = ("done_by", "until")
_WITH_CONTACT = frozenset({Channel.HOTLINE, Channel.WEB, Channel.WECHAT})
"""Whoever comes this way can be reached; who writes or comes in person need not say how."""


def faults(event: AnyCaseEvent, now: datetime) -> tuple[Fault, ...]:
    """What is missing or cannot be, field by field; empty: nothing."""
    found = [
        Fault(name, Wrong.MISSING) for name in _required(event) if not str(getattr(event, name) or "").strip()
    ]
    for name in (each.name for each in fields(event)):
        value = getattr(event, name)
        if isinstance(value, str) and len(value) > (LONGEST_LINE if name in _LINES else LONGEST):
            found.append(Fault(name, Wrong.TOO_LONG))
        if isinstance(value, datetime):
            found += _time_faults(name, value, now)
    return tuple(found)


def _required(event: AnyCaseEvent) -> tuple[str, ...]:
    required = _REQUIRED.get(event.kind, ())
    if isinstance(event, CaseRegistered) and event.channel in _WITH_CONTACT:
        return (*required, "contact")
    if isinstance(event, CaseCorrected):
        return tuple(name for name in ("name", "content", "place") if getattr(event, name) is not None)
    return required


def _time_faults(name: str, value: datetime, now: datetime) -> list[Fault]:
    if name in _PAST and value > now:
        return [Fault(name, Wrong.IN_FUTURE)]
    if name in _FUTURE and value <= now:
        return [Fault(name, Wrong.IN_PAST)]
    if name == "until" and value > now + LONGEST_PAUSE:
        return [Fault(name, Wrong.TOO_LATE)]
    return []


def diagram(name_of: Callable[[str], str] = str) -> str:
    """The state machine as a Mermaid diagram."""
    lines = ["stateDiagram-v2", f"    [*] --> {State.REGISTERED.value}: {name_of(CaseRegistered.kind)}"]
    for (state, kind), ends in MOVES.items():
        lines += [f"    {state.value} --> {end.value}: {name_of(kind)}" for end in State if end in ends]
    return "\n".join(lines)
