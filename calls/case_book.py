"""What the parts ask of the ledger of cases (C3): the siblings meet here, as in ``calls/ports.py``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol, Self

from calls.case import Case
from calls.case_events import AnyCaseEvent, CaseRegistered
from calls.cases import Answer, CaseNumber, DepartmentId, Link, Login, Standing, State, Step, parse_number
from calls.ids import AgentNumber, CallId, SectionId
from calls.inquiries import AnyOrderEvent, Inquiry, OrderDispatched, OrderState, WorkOrder
from calls.people import Scope


class CaseBook(Protocol):
    """Complaints and their history. Raises StorageUnavailable or StorageRefused, and what is said below."""

    async def register(self, event: CaseRegistered, key: str) -> Case:
        """Take a complaint in under the next number. The same key again gives the same case back.

        Raises CaseConflict if the key stands for something else.
        """

    async def case(self, number: CaseNumber) -> Case:
        """The case. Raises CaseUnknown."""

    async def history(self, number: CaseNumber) -> list[AnyCaseEvent]:
        """All that happened to it, in order; empty if there is no such case."""

    async def append(self, number: CaseNumber, version: int, event: AnyCaseEvent) -> Case:
        """Write one line of history if the case is still at this version.

        Raises CaseConflict if it is not, CaseRefused if the flow does not allow it, CaseUnknown.
        """


class OrderBook(Protocol):
    """Inquiries and work orders. Raises StorageUnavailable or StorageRefused, and what is said below."""

    async def file(self, inquiry: Inquiry, key: str, dispatch: OrderDispatched | None = None) -> Inquiry:
        """File an inquiry under the next number, and dispatch its work order, if any, in the same transaction.

        ``inquiry.number`` is given out here. The same key again gives the same inquiry back.
        """

    async def inquiry(self, number: CaseNumber) -> Inquiry:
        """The inquiry. Raises CaseUnknown."""

    async def dispatch_later(self, number: CaseNumber, event: OrderDispatched) -> WorkOrder:
        """An inquiry that was thought answered becomes a work order after all.

        Raises CaseRefused when it is one already, or is final (``calls.inquiries.FINAL_AFTER``); CaseUnknown.
        """

    async def dispatch(self, event: OrderDispatched, key: str) -> WorkOrder:
        """A work order that comes from no inquiry: from a complaint, or ticketing work (C10)."""

    async def order(self, number: CaseNumber) -> WorkOrder:
        """The work order. Raises CaseUnknown."""

    async def order_history(self, number: CaseNumber) -> list[AnyOrderEvent]:
        """All that happened to it, in order."""

    async def append_order(self, number: CaseNumber, version: int, event: AnyOrderEvent) -> WorkOrder:
        """Write one line of history if the work order is still at this version. Raises as ``CaseBook.append``."""


UNKNOWN = "-"
"""A filter's value for cases that have none: no cause found yet, no department."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseQuery:
    """Which complaints to list; what is ``None`` or empty is not asked about."""

    scope: Scope
    """Never more than this."""
    login: Login
    """Whose own cases are within reach as well."""
    states: frozenset[State] = frozenset()
    open_only: bool = False
    section: str | None = None
    department: DepartmentId | None = None
    owner: Login | None = None
    offered_to: Login | None = None
    type: str | None = None
    cause: str | None = None
    place: str | None = None
    answer: str | None = None
    channel: str | None = None
    text: str = ""
    """A number, a contact, or words of name, place and content; all of them must be there."""
    since: datetime | None = None
    """Of registration."""
    until: datetime | None = None
    late_at: datetime | None = None
    """Only what is late at this moment."""
    due_before: datetime | None = None
    registered_late: bool | None = None
    again: bool = False
    """Only what was worked more than once (C5)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseRow:
    """One line of the ledger (C3)."""

    number: CaseNumber
    state: State
    round: int
    channel: str
    arrived_at: datetime
    registered_at: datetime
    registered_late: bool
    name: str
    contact: str
    place: str
    content: str
    section: str
    type: str
    cause: str | None
    urgency: str
    importance: str
    key_customer: bool
    owner: Login
    offered_to: Login | None
    department: DepartmentId | None
    answer: str | None
    step: str | None
    due_at: datetime | None
    due_known: str
    paused_until: datetime | None
    closed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Page:
    """Some lines of the ledger."""

    rows: tuple[CaseRow, ...]
    after: str | None
    """Where the next page goes on; ``None``: this is the last."""


@dataclass(frozen=True, slots=True)
class CountedPlace:
    """Behind which line the next page of what a figure counts begins."""

    at: datetime
    number: CaseNumber
    nth: int = 0
    """Of steps."""

    def __str__(self) -> str:
        at = self.at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds")
        return f"{at}~{self.number}~{self.nth}"

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """What ``str`` wrote; ``None`` for anything else."""
        try:
            at, number, nth = text.split("~")
            moment, position = datetime.fromisoformat(at), int(nth)
        except ValueError:
            return None
        if moment.tzinfo is not None or parse_number(CaseNumber(number)) is None or not 0 <= position < 1000:
            return None
        return cls(moment.replace(tzinfo=UTC), CaseNumber(number), position)


@dataclass(frozen=True, slots=True, kw_only=True)
class StepLine:
    """One step of a complaint, as K7 counts it."""

    nth: int
    step: Step
    department: DepartmentId | None
    began_at: datetime
    due_at: datetime
    ended_at: datetime | None

    @property
    def in_time(self) -> bool:
        return self.ended_at is not None and self.ended_at <= self.due_at


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedLine:
    """One inquiry, complaint or step that a figure counts (K4, K7)."""

    number: CaseNumber
    at: datetime
    """Which decides in which period it counts."""
    section: SectionId
    agent: AgentNumber | None = None
    """Of an inquiry: whoever answered it."""
    call_id: CallId | None = None
    """Of an inquiry: the call in which it was asked."""
    work_order: CaseNumber | None = None
    """Of an inquiry: what it became."""
    answer: Answer | None = None
    """Of a complaint: what the complainant said."""
    step: StepLine | None = None

    @property
    def place(self) -> CountedPlace:
        return CountedPlace(self.at, self.number, self.step.nth if self.step else 0)


@dataclass(frozen=True, slots=True)
class CountedPage:
    """Some lines, the newest first."""

    lines: tuple[CountedLine, ...]
    behind: CountedPlace | None
    """Where the next page goes on; ``None``: this is the last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderQuery:
    """Which work orders to list."""

    scope: Scope
    states: frozenset[OrderState] = frozenset()
    open_only: bool = False
    department: DepartmentId | None = None
    text: str = ""
    late_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InquiryQuery:
    """Which inquiries to list; ``since`` and ``until`` are of the day that they are counted in."""

    scope: Scope
    category: str | None = None
    """The category or one above it."""
    since: datetime | None = None
    until: datetime | None = None
    dispatched: bool | None = None
    contact: str | None = None
    call_id: CallId | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class Draft:
    """What somebody has typed and not sent yet."""

    draft: str
    """Its id, made by whoever opened the form; becomes the key of what is sent."""
    login: Login
    form: str
    fields: Mapping[str, str]
    saved_at: datetime
    call_id: str | None = None


@dataclass(frozen=True, slots=True)
class Notice:
    """Somebody should know that a step is about to be late, or is (C4)."""

    number: CaseNumber
    nth: int
    """Of the step; 0: a work order's promise."""
    level: int
    """0: it is due soon; from 1 on: it is late, and for how many escalations."""
    at: datetime
    due_at: datetime
    step: str
    role: str
    unit: str | None
    login: Login | None = None
    seen_at: datetime | None = None
    seen_by: Login | None = None


@dataclass(frozen=True, slots=True)
class Contact:
    """What is known of who is calling (the desk's screen pop)."""

    cases: Sequence[CaseRow] = ()
    inquiries: Sequence[Inquiry] = ()
    orders: Sequence[WorkOrder] = ()
    links: Mapping[CaseNumber, frozenset[Link]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Running:
    """A step that runs, as the keeper of clocks sees it."""

    number: CaseNumber
    standing: Standing
    section: str
    owner: Login
