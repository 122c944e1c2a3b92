"""The wrap-up form: what an agent wrote about a call, read as what is to be filed, or as what is missing (A7, C2).

While the call goes on anything may be missing; it is asked for only when the call is filed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypeVar
from zoneinfo import ZoneInfo

from calls.case_events import CaseRegistered
from calls.cases import (
    CaseNumber,
    CategoryId,
    CauseId,
    Channel,
    ComplaintType,
    DepartmentId,
    Importance,
    Login,
    Urgency,
)
from calls.filing import DeskFiling, Kind, NothingReason, Outcome, UnfiledCall
from calls.ids import AgentNumber, SectionId
from calls.inquiries import Inquiry, OrderDispatched
from cases.catalogue import Catalogue

KINDS: Mapping[str, Kind] = {
    "content": Kind.TEXT,
    "answer": Kind.TEXT,
    "promise": Kind.TEXT,
    "name": Kind.LINE,
    "contact": Kind.LINE,
    "place": Kind.LINE,
    "remark": Kind.LINE,
    **dict.fromkeys(
        ("outcome", "section", "category", "department", "due_at", "type", "cause", "urgency", "importance"),
        Kind.CHOICE,
    ),
    **dict.fromkeys(("occurred_at", "callback_at", "reason", "key_customer"), Kind.CHOICE),
}
"""Every field of the form."""

LONGEST = 4000
LONGEST_LINE = 200
FARTHEST = timedelta(days=90)
"""Nobody is promised anything later than that."""


class Wrong(StrEnum):
    """What is wrong with a field."""

    MISSING = "missing"
    UNKNOWN = "unknown"
    TOO_LONG = "too_long"
    PAST = "past"
    """A time that must be still to come."""
    FUTURE = "future"
    """A time that must be over."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A field that stands in the way of filing."""

    field: str
    wrong: Wrong


@dataclass(frozen=True, slots=True)
class CallbackWanted:
    """The caller was promised to be called back."""

    due_at: datetime
    contact: str
    remark: str


@dataclass(frozen=True, slots=True)
class InquiryFiled:
    """An inquiry; with ``dispatch`` it becomes a work order (K4)."""

    inquiry: Inquiry
    dispatch: OrderDispatched | None = None


Filing = InquiryFiled | CaseRegistered | CallbackWanted | DeskFiling


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What a form is read by."""

    call: UnfiledCall
    agent: AgentNumber
    login: str
    sections: Sequence[SectionId]
    """For which this person may file."""
    catalogue: Catalogue
    now: datetime
    zone: ZoneInfo


def read(fields: Mapping[str, str], situation: Situation) -> Filing | tuple[Problem, ...]:
    """What the form says, or everything that is wrong with it."""
    form = _Form(fields, situation)
    made: Filing | None = None
    match form.choice("outcome", Outcome):
        case Outcome.ANSWERED:
            made = _inquiry(form)
        case Outcome.WORK_ORDER:
            made = _work_order(form)
        case Outcome.COMPLAINT:
            made = _complaint(form)
        case Outcome.CALLBACK:
            contact, remark = form.contact(required=True), form.line("remark")
            if due_at := form.time("callback_at", ahead=True):
                made = CallbackWanted(due_at, contact, remark)
        case Outcome.NOTHING:
            made = _nothing(form)
    return tuple(form.problems) if form.problems or made is None else made


def _inquiry(form: _Form) -> InquiryFiled | None:
    inquiry = form.inquiry(answer=form.text("answer", required=True))
    return InquiryFiled(inquiry) if inquiry else None


def _work_order(form: _Form) -> InquiryFiled | None:
    inquiry = form.inquiry(answer="")
    department = form.department()
    promise, due_at = form.text("promise", required=True), form.due_at()
    contact = form.contact(required=True)
    if inquiry is None or department is None or due_at is None:
        return None
    dispatch = OrderDispatched(
        at=inquiry.filed_at,
        by=inquiry.filed_by,
        section=inquiry.section,
        department=department,
        category=inquiry.category,
        content=inquiry.content,
        promise=promise,
        due_at=due_at,
        name=inquiry.name,
        contact=contact,
        language=inquiry.language,
        call_id=inquiry.call_id,
    )
    return InquiryFiled(inquiry, dispatch)


def _complaint(form: _Form) -> CaseRegistered | None:
    situation, call = form.situation, form.situation.call
    section, type_ = form.section(), form.choice("type", ComplaintType)
    urgency, importance = form.choice("urgency", Urgency), form.choice("importance", Importance)
    content, name = form.text("content", required=True), form.line("name", required=True)
    place = form.line("place", required=True)
    contact, cause, category = form.contact(required=True), form.cause(), form.category(required=False)
    occurred_at = form.time("occurred_at", ahead=False, required=False)
    if section is None or type_ is None or urgency is None or importance is None:
        return None
    return CaseRegistered(
        at=situation.now,
        by=Login(situation.login),
        channel=Channel.HOTLINE,
        arrived_at=call.arrived_at,
        name=name,
        contact=contact,
        occurred_at=occurred_at,
        place=place,
        content=content,
        section=section,
        language=call.language,
        type=type_,
        cause=cause,
        category=category,
        urgency=urgency,
        importance=importance,
        key_customer=bool(form.line("key_customer")),
        call_id=call.call_id,
    )


def _nothing(form: _Form) -> DeskFiling | None:
    situation = form.situation
    reason, remark = form.choice("reason", NothingReason), form.line("remark")
    if reason is None:
        return None
    return DeskFiling(
        call_id=situation.call.call_id,
        outcome=Outcome.NOTHING,
        at=situation.now,
        by=situation.login,
        agent=situation.agent,
        reason=reason,
        remark=remark,
    )


_Choice = TypeVar("_Choice", bound=StrEnum)


class _Form:
    """The fields, read one by one; what is wrong is collected."""

    def __init__(self, fields: Mapping[str, str], situation: Situation) -> None:
        self._fields = fields
        self.situation = situation
        self.problems: list[Problem] = []

    def _said(self, name: str) -> str:
        return self._fields.get(name, "").replace("\r\n", "\n").strip()

    def _wrong(self, name: str, wrong: Wrong) -> None:
        self.problems.append(Problem(name, wrong))

    def text(self, name: str, *, required: bool = False, longest: int = LONGEST) -> str:
        said = self._said(name)
        if required and not said:
            self._wrong(name, Wrong.MISSING)
        if len(said) > longest:
            self._wrong(name, Wrong.TOO_LONG)
        return said

    def line(self, name: str, *, required: bool = False) -> str:
        return self.text(name, required=required, longest=LONGEST_LINE)

    def contact(self, *, required: bool) -> str:
        """What was typed; else the number that the call came from."""
        said = self.line("contact") or self.situation.call.caller or ""
        if required and not said:
            self._wrong("contact", Wrong.MISSING)
        return said

    def choice(self, name: str, kind: type[_Choice]) -> _Choice | None:
        said = self._said(name)
        if said in set(kind):
            return kind(said)
        self._wrong(name, Wrong.UNKNOWN if said else Wrong.MISSING)
        return None

    def section(self) -> SectionId | None:
        said = SectionId(self._said("section"))
        if said in self.situation.sections:
            return said
        self._wrong("section", Wrong.UNKNOWN if said else Wrong.MISSING)
        return None

    def category(self, *, required: bool) -> CategoryId | None:
        said = self._said("category")
        if not said and not required:
            return None
        if self.situation.catalogue.has_category(said):
            return CategoryId(said)
        self._wrong("category", Wrong.UNKNOWN if said else Wrong.MISSING)
        return None

    def cause(self) -> CauseId | None:
        said = self._said("cause")
        if said and not self.situation.catalogue.has_cause(said):
            self._wrong("cause", Wrong.UNKNOWN)
        return CauseId(said) if said else None

    def department(self) -> DepartmentId | None:
        """As chosen; else who usually settles such matters."""
        catalogue = self.situation.catalogue
        category = catalogue.categories.get(CategoryId(self._said("category")))
        said = self._said("department") or (category.department if category and category.department else "")
        if catalogue.has_department(said):
            return DepartmentId(said)
        self._wrong("department", Wrong.UNKNOWN if said else Wrong.MISSING)
        return None

    def due_at(self) -> datetime | None:
        """As chosen; else in the time that is usually promised for such matters."""
        category = self.situation.catalogue.categories.get(CategoryId(self._said("category")))
        if not self._said("due_at") and category and category.due_hours:
            return self.situation.now + timedelta(hours=category.due_hours)
        return self.time("due_at", ahead=True)

    def time(self, name: str, *, ahead: bool, required: bool = True) -> datetime | None:
        """A time by the operator's clock; ``ahead``: still to come, else over."""
        said, now = self._said(name), self.situation.now
        if not said:
            if required:
                self._wrong(name, Wrong.MISSING)
            return None
        try:
            at = datetime.fromisoformat(said)
        except ValueError:
            self._wrong(name, Wrong.UNKNOWN)
            return None
        if at.tzinfo is None:
            at = at.replace(tzinfo=self.situation.zone)
        if ahead and at <= now:
            self._wrong(name, Wrong.PAST)
        elif ahead and at - now > FARTHEST:
            self._wrong(name, Wrong.UNKNOWN)
        elif not ahead and at > now:
            self._wrong(name, Wrong.FUTURE)
        return at

    def inquiry(self, *, answer: str) -> Inquiry | None:
        situation, call = self.situation, self.situation.call
        section, category = self.section(), self.category(required=True)
        content, name, contact = (
            self.text("content", required=True),
            self.line("name"),
            self.contact(required=False),
        )
        if section is None or category is None:
            return None
        return Inquiry(
            number=CaseNumber(""),  # given out by the books
            asked_at=call.arrived_at,
            filed_at=situation.now,
            filed_by=Login(situation.login),
            channel=Channel.HOTLINE,
            section=section,
            category=category,
            content=content,
            answer=answer,
            name=name,
            contact=contact,
            agent=situation.agent,
            language=call.language,
            trunk=call.trunk,
            call_id=call.call_id,
        )
