"""The lines that may be written into a complaint's history, as forms (C4 to C9)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

from calls.case import Case
from calls.case_events import (
    AnyCaseEvent,
    CaseAssessed,
    CaseClosed,
    CaseCorrected,
    CaseFedBack,
    CaseForwarded,
    CaseLinked,
    CaseReassigned,
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
from calls.cases import (
    Answer,
    CategoryId,
    CauseId,
    ComplaintType,
    DepartmentId,
    Importance,
    LinkKind,
    Login,
    PauseReason,
    Urgency,
)
from console.cases.fields import Field, Filled, Widget, local_input

_WHY = Field("why", Widget.AREA, required=True)
_REMARK = Field("why", Widget.AREA, label="remark")
_DEPARTMENT = Field("department", Widget.CHOICE, required=True, choices="departments")

FORMS: Mapping[str, tuple[Field, ...]] = MappingProxyType(
    {
        CaseForwarded.kind: (_DEPARTMENT, _REMARK),
        OpinionGiven.kind: (Field("opinion", Widget.AREA, required=True), Field("done_by", Widget.MOMENT)),
        OpinionReturned.kind: (_WHY,),
        OpinionApproved.kind: (_REMARK,),
        WorkDone.kind: (_REMARK,),
        ResultReported.kind: (Field("result", Widget.AREA, required=True),),
        CaseFedBack.kind: (Field("told", Widget.AREA, required=True),),
        ComplainantAsked.kind: (
            Field("answer", Widget.CHOICE, required=True, choices="answers"),
            Field("words", Widget.AREA),
        ),
        CaseWorkedAgain.kind: (_DEPARTMENT, _WHY),
        CaseClosed.kind: (
            Field("measures", Widget.AREA, required=True),
            Field("prevention", Widget.AREA, required=True),
        ),
        NoteAdded.kind: (Field("text", Widget.AREA, required=True),),
        CaseAssessed.kind: (
            Field("type", Widget.CHOICE, required=True, choices="types"),
            Field("cause", Widget.CHOICE, choices="causes"),
            Field("category", Widget.CHOICE, choices="categories"),
            Field("urgency", Widget.CHOICE, choices="urgencies"),
            Field("importance", Widget.CHOICE, choices="importances"),
            Field("key_customer", Widget.CHECK),
        ),
        CaseCorrected.kind: (
            Field("name", Widget.LINE, required=True),
            Field("contact", Widget.LINE),
            Field("occurred_at", Widget.MOMENT),
            Field("place", Widget.LINE, required=True),
            Field("content", Widget.AREA, required=True),
        ),
        HandOverOffered.kind: (Field("to", Widget.CHOICE, required=True, choices="takers"), _WHY),
        HandOverAccepted.kind: (),
        HandOverDeclined.kind: (_WHY,),
        CaseReassigned.kind: (Field("to", Widget.CHOICE, required=True, choices="takers"), _WHY),
        ClockPaused.kind: (
            Field("reason", Widget.CHOICE, required=True, choices="reasons"),
            Field("until", Widget.MOMENT, required=True),
            _WHY,
        ),
        ClockResumed.kind: (_REMARK,),
        CaseLinked.kind: (
            Field("link", Widget.CHOICE, required=True, choices="link_kinds"),
            Field("ref", Widget.LINE, required=True),
        ),
        CaseUnlinked.kind: (Field("linked", Widget.CHOICE, required=True, choices="links"), _REMARK),
    }
)
"""The fields of each line's form, in the order in which the lines are offered."""


def event_of(kind: str, filled: Filled, at: datetime, by: Login) -> AnyCaseEvent:
    """The line that a filled form tells; what cannot be read is in ``filled.faults``."""
    said: dict[str, Any] = {"at": at, "by": by, "why": filled.text("why")}
    text = filled.text
    match kind:
        case CaseForwarded.kind:
            return CaseForwarded(**said, department=DepartmentId(text("department")))
        case CaseWorkedAgain.kind:
            return CaseWorkedAgain(**said, department=DepartmentId(text("department")))
        case OpinionGiven.kind:
            return OpinionGiven(**said, opinion=text("opinion"), done_by=filled.moment("done_by"))
        case ResultReported.kind:
            return ResultReported(**said, result=text("result"))
        case CaseFedBack.kind:
            return CaseFedBack(**said, told=text("told"))
        case ComplainantAsked.kind:
            answer = filled.choice("answer", Answer, Answer.UNREACHED)
            return ComplainantAsked(**said, answer=answer, words=text("words"))
        case CaseClosed.kind:
            return CaseClosed(**said, measures=text("measures"), prevention=text("prevention"))
        case NoteAdded.kind:
            return NoteAdded(**said, text=text("text"))
        case HandOverOffered.kind:
            return HandOverOffered(**said, to=Login(text("to")))
        case CaseReassigned.kind:
            return CaseReassigned(**said, to=Login(text("to")))
        case ClockPaused.kind:
            reason = filled.choice("reason", PauseReason, PauseReason.COMPLAINANT)
            return ClockPaused(**said, reason=reason, until=filled.needed("until", at))
        case CaseLinked.kind:
            return CaseLinked(**said, link=filled.choice("link", LinkKind, LinkKind.CALL), ref=text("ref"))
        case CaseUnlinked.kind:
            link, _, ref = text("linked").partition(":")
            known = link in list(LinkKind)
            return CaseUnlinked(**said, link=LinkKind(link) if known else LinkKind.CALL, ref=ref if known else "")
        case _:
            return _longer(kind, filled, said)


def _longer(kind: str, filled: Filled, said: dict[str, Any]) -> AnyCaseEvent:
    text = filled.text
    if kind == CaseAssessed.kind:
        cause, category = filled.optional("cause"), filled.optional("category")
        return CaseAssessed(
            **said,
            type=filled.choice("type", ComplaintType, ComplaintType.OTHER),
            cause=CauseId(cause) if cause else None,
            category=CategoryId(category) if category else None,
            urgency=filled.choice("urgency", Urgency, Urgency.ORDINARY),
            importance=filled.choice("importance", Importance, Importance.ORDINARY),
            key_customer=filled.checked("key_customer"),
        )
    if kind == CaseCorrected.kind:
        return CaseCorrected(
            **said,
            name=text("name"),
            contact=text("contact"),
            occurred_at=filled.moment("occurred_at"),
            place=text("place"),
            content=text("content"),
        )
    plain: dict[str, type[Any]] = {
        each.kind: each for each in (OpinionReturned, OpinionApproved, WorkDone, ClockResumed)
    } | {each.kind: each for each in (HandOverAccepted, HandOverDeclined)}
    made: AnyCaseEvent = plain[kind](**said)
    return made


def as_it_is(case: Case, kind: str, filled: Filled) -> None:
    """Begin a form with what the case says already, where that helps."""
    if kind == CaseAssessed.kind:
        filled.values |= {
            "type": case.type.value,
            "cause": case.cause or "",
            "category": case.category or "",
            "urgency": case.urgency.value,
            "importance": case.importance.value,
            "key_customer": "1" if case.key_customer else "",
        }
    elif kind == CaseCorrected.kind:
        filled.values |= {
            "name": case.name,
            "contact": case.contact,
            "occurred_at": local_input(case.occurred_at, filled.zone),
            "place": case.place,
            "content": case.content,
        }
    elif kind in (CaseForwarded.kind, CaseWorkedAgain.kind):
        filled.values["department"] = case.department or ""
