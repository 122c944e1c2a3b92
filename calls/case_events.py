"""What happened to a complaint: frozen facts in the past tense, each with who, when and why.

A case's history is these in the order in which they were written down; the case is a fold over it
(``calls/case.py``).
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime
from typing import ClassVar, TypeAlias

from calls.cases import (
    Answer,
    CategoryId,
    CauseId,
    Channel,
    ComplaintType,
    DepartmentId,
    Importance,
    LinkKind,
    Login,
    PauseReason,
    Urgency,
)
from calls.ids import CallId, Language, SectionId


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseEvent:
    """One line of a case's history."""

    kind: ClassVar[str]
    at: datetime
    by: Login
    why: str = ""
    """In the person's own words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseRegistered(CaseEvent):
    """A complaint was taken into the ledger (C3). Who registers it was asked first, and owns it (C8)."""

    kind: ClassVar[str] = "registered"
    channel: Channel
    arrived_at: datetime
    """When the call, the form or the person came: the clock of C2 runs from here, not from typing."""
    name: str
    contact: str
    occurred_at: datetime | None = None
    place: str = ""
    content: str
    section: SectionId
    language: Language | None = None
    type: ComplaintType
    cause: CauseId | None = None
    category: CategoryId | None = None
    urgency: Urgency = Urgency.ORDINARY
    importance: Importance = Importance.ORDINARY
    key_customer: bool = False
    call_id: CallId | None = None
    owner: Login | None = None
    """Whose it is when nobody here was asked: what came over the web is somebody's from its first moment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseCorrected(CaseEvent):
    """What the complainant said was written down better; empty fields stay as they were."""

    kind: ClassVar[str] = "corrected"
    name: str | None = None
    contact: str | None = None
    occurred_at: datetime | None = None
    place: str | None = None
    content: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseAssessed(CaseEvent):
    """What it is about and how it weighs was assessed anew (C6)."""

    kind: ClassVar[str] = "assessed"
    type: ComplaintType
    cause: CauseId | None
    category: CategoryId | None
    urgency: Urgency
    importance: Importance
    key_customer: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteAdded(CaseEvent):
    """Somebody wrote something down. Notes of two people never exclude each other."""

    kind: ClassVar[str] = "note"
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseForwarded(CaseEvent):
    """To the department that is to settle it."""

    kind: ClassVar[str] = "forwarded"
    department: DepartmentId


@dataclass(frozen=True, slots=True, kw_only=True)
class OpinionGiven(CaseEvent):
    """The department said what it will do."""

    kind: ClassVar[str] = "opinion"
    opinion: str
    done_by: datetime | None = None
    """Until when, as the department says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpinionReturned(CaseEvent):
    """The centre found the opinion unreasonable; ``why`` says what is wrong with it."""

    kind: ClassVar[str] = "returned"


@dataclass(frozen=True, slots=True, kw_only=True)
class OpinionApproved(CaseEvent):
    """The centre agreed: the department may begin."""

    kind: ClassVar[str] = "approved"


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkDone(CaseEvent):
    """The department has settled the matter."""

    kind: ClassVar[str] = "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultReported(CaseEvent):
    """The department told the centre what came of it."""

    kind: ClassVar[str] = "reported"
    result: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFedBack(CaseEvent):
    """The complainant was told."""

    kind: ClassVar[str] = "fed_back"
    told: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ComplainantAsked(CaseEvent):
    """The follow-up call: whether the complainant is satisfied (C4)."""

    kind: ClassVar[str] = "asked"
    answer: Answer
    words: str = ""
    """What the complainant said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseWorkedAgain(CaseEvent):
    """Not satisfied: to a department again (C5)."""

    kind: ClassVar[str] = "again"
    department: DepartmentId


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseClosed(CaseEvent):
    """With a summary (C9)."""

    kind: ClassVar[str] = "closed"
    measures: str
    """What was done."""
    prevention: str
    """How the next one is prevented."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HandOverOffered(CaseEvent):
    """The owner asks somebody to take the case over; it stays the owner's until that one accepts (C8)."""

    kind: ClassVar[str] = "offered"
    to: Login


@dataclass(frozen=True, slots=True, kw_only=True)
class HandOverAccepted(CaseEvent):
    """Whoever was asked owns the case from now on."""

    kind: ClassVar[str] = "accepted"


@dataclass(frozen=True, slots=True, kw_only=True)
class HandOverDeclined(CaseEvent):
    """Whoever was asked said no, or the owner took it back."""

    kind: ClassVar[str] = "declined"


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseReassigned(CaseEvent):
    """Given to somebody else by who answers for the section: the owner has left, or is ill."""

    kind: ClassVar[str] = "reassigned"
    to: Login


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockPaused(CaseEvent):
    """Clocks stand still from now until the announced end, or until somebody resumes (C4)."""

    kind: ClassVar[str] = "paused"
    reason: PauseReason
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockResumed(CaseEvent):
    """Clocks run again."""

    kind: ClassVar[str] = "resumed"


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseLinked(CaseEvent):
    """A call, recording, earlier case, call-back or attachment belongs to it."""

    kind: ClassVar[str] = "linked"
    link: LinkKind
    ref: str
    label: str = ""
    """What people call it, such as an attachment's file name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseUnlinked(CaseEvent):
    """It does not belong to it after all."""

    kind: ClassVar[str] = "unlinked"
    link: LinkKind
    ref: str


AnyCaseEvent: TypeAlias = (
    CaseRegistered
    | CaseCorrected
    | CaseAssessed
    | NoteAdded
    | CaseForwarded
    | OpinionGiven
    | OpinionReturned
    | OpinionApproved
    | WorkDone
    | ResultReported
    | CaseFedBack
    | ComplainantAsked
    | CaseWorkedAgain
    | CaseClosed
    | HandOverOffered
    | HandOverAccepted
    | HandOverDeclined
    | CaseReassigned
    | ClockPaused
    | ClockResumed
    | CaseLinked
    | CaseUnlinked
)

COMMON = frozenset(each.name for each in fields(CaseEvent))
"""Fields that every line of history has."""
