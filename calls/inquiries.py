"""Inquiries: answered at once, or dispatched as a work order with a promise to the caller (A5, A7, C10, K4)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar, TypeAlias

from calls.cases import CaseNumber, CategoryId, Channel, DepartmentId, Login
from calls.errors import CaseRefused
from calls.ids import AgentNumber, CallId, Language, SectionId

FINAL_AFTER = timedelta(days=2)
"""So long after it was filed an inquiry may still be dispatched as a work order. From then on K4 stands; whoever
asks again files a new inquiry."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inquiry:
    """One question, as it is filed. It became a work order or it did not: K4 follows from that alone."""

    number: CaseNumber
    asked_at: datetime
    """When the call, or the person, came."""
    filed_at: datetime
    filed_by: Login
    channel: Channel
    section: SectionId
    category: CategoryId
    content: str
    answer: str = ""
    """What was answered at once; empty if it was dispatched."""
    name: str = ""
    contact: str = ""
    agent: AgentNumber | None = None
    language: Language | None = None
    trunk: str | None = None
    call_id: CallId | None = None
    work_order: CaseNumber | None = None

    @property
    def counted_at(self) -> datetime:
        """The moment whose day it is counted in: of the question, unless it was filed when that day was final."""
        return self.asked_at if self.filed_at - self.asked_at <= FINAL_AFTER else self.filed_at


class OrderState(StrEnum):
    """Where a work order is."""

    OPEN = "open"
    ACCEPTED = "accepted"
    DONE = "done"
    """Settled; the caller has not been told yet."""
    ANSWERED = "answered"
    """The caller was told: the promise is kept or broken."""
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderEvent:
    """One line of a work order's history."""

    kind: ClassVar[str]
    at: datetime
    by: Login
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderDispatched(OrderEvent):
    """A work order was made (C10), and the caller was promised an answer (A5)."""

    kind: ClassVar[str] = "dispatched"
    section: SectionId
    department: DepartmentId
    category: CategoryId
    content: str
    promise: str
    """In the words that the caller heard."""
    due_at: datetime
    """Until when the caller was promised an answer."""
    name: str = ""
    contact: str = ""
    language: Language | None = None
    call_id: CallId | None = None
    origin: CaseNumber | None = None
    """The inquiry or complaint that it comes from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderAccepted(OrderEvent):
    """The department has taken it in hand."""

    kind: ClassVar[str] = "accepted"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderPassedOn(OrderEvent):
    """It is another department's; the promise stays."""

    kind: ClassVar[str] = "passed_on"
    department: DepartmentId


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderDone(OrderEvent):
    """The department has settled it."""

    kind: ClassVar[str] = "done"
    result: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallerAnswered(OrderEvent):
    """The caller was told the result, by a call back or otherwise."""

    kind: ClassVar[str] = "answered"
    told: str
    callback: str | None = None
    """The call-back's id, if there was one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderPromisedAnew(OrderEvent):
    """The caller agreed to a later time; told before the first was over, the promise is the new one."""

    kind: ClassVar[str] = "promised"
    due_at: datetime
    promise: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderNoted(OrderEvent):
    """Somebody wrote something down."""

    kind: ClassVar[str] = "note"
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderCancelled(OrderEvent):
    """It need not be done: made twice, or the caller took it back."""

    kind: ClassVar[str] = "cancelled"


AnyOrderEvent: TypeAlias = (
    OrderDispatched
    | OrderAccepted
    | OrderPassedOn
    | OrderDone
    | CallerAnswered
    | OrderPromisedAnew
    | OrderNoted
    | OrderCancelled
)

_O = OrderState
ORDER_MOVES: Mapping[tuple[OrderState, str], OrderState] = {
    (_O.OPEN, OrderAccepted.kind): _O.ACCEPTED,
    (_O.OPEN, OrderPassedOn.kind): _O.OPEN,
    (_O.ACCEPTED, OrderPassedOn.kind): _O.OPEN,
    (_O.ACCEPTED, OrderDone.kind): _O.DONE,
    (_O.DONE, CallerAnswered.kind): _O.ANSWERED,
    (_O.OPEN, OrderCancelled.kind): _O.CANCELLED,
    (_O.ACCEPTED, OrderCancelled.kind): _O.CANCELLED,
    **{(state, OrderPromisedAnew.kind): state for state in (_O.OPEN, _O.ACCEPTED, _O.DONE)},
    **{(state, OrderNoted.kind): state for state in _O},
}
"""The work order's state machine."""

ORDER_OVER = frozenset({_O.ANSWERED, _O.CANCELLED})


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkOrder:
    """All that the ledger knows of one work order."""

    number: CaseNumber
    version: int
    state: OrderState
    created_at: datetime
    created_by: Login
    last_at: datetime
    section: SectionId
    department: DepartmentId
    category: CategoryId
    content: str
    promise: str
    due_at: datetime
    name: str
    contact: str
    language: Language | None
    call_id: CallId | None
    origin: CaseNumber | None
    worker: Login | None = None
    result: str = ""
    told: str = ""
    callback: str | None = None
    answered_at: datetime | None = None
    broken: bool = False
    """A promise whose time was over before the caller was told, or agreed to a later one."""

    def kept(self, now: datetime) -> bool | None:
        """Whether the promise was kept; ``None`` while it may still be, and of what was cancelled."""
        if self.state is OrderState.CANCELLED:
            return None
        if self.broken or (self.answered_at or now) > self.due_at:
            return False
        return True if self.answered_at else None

    @classmethod
    def of(cls, number: CaseNumber, history: Iterable[AnyOrderEvent]) -> WorkOrder:
        """The work order that a whole history tells. Raises CaseRefused for a history that cannot be."""
        order: WorkOrder | None = None
        for event in history:
            order = _dispatched(number, event) if order is None else order.after(event)
        if order is None:
            raise CaseRefused("a work order begins with its dispatch")
        return order

    def after(self, event: AnyOrderEvent) -> WorkOrder:
        """The work order with one more line of history. Raises CaseRefused if that may not come now."""
        if event.at < self.last_at:
            raise CaseRefused("a history does not run backwards")
        if (self.state, event.kind) not in ORDER_MOVES:
            raise CaseRefused(f"{event.kind}: not while the work order is {self.state.value}")
        state = ORDER_MOVES[self.state, event.kind]
        return replace(_told(self, event), state=state, version=self.version + 1, last_at=event.at)


def _dispatched(number: CaseNumber, event: AnyOrderEvent) -> WorkOrder:
    if not isinstance(event, OrderDispatched):
        raise CaseRefused("a work order begins with its dispatch")
    return WorkOrder(
        number=number,
        version=1,
        state=OrderState.OPEN,
        created_at=event.at,
        created_by=event.by,
        last_at=event.at,
        section=event.section,
        department=event.department,
        category=event.category,
        content=event.content,
        promise=event.promise,
        due_at=event.due_at,
        name=event.name,
        contact=event.contact,
        language=event.language,
        call_id=event.call_id,
        origin=event.origin,
    )


def _told(order: WorkOrder, event: AnyOrderEvent) -> WorkOrder:
    match event:
        case OrderAccepted():
            return replace(order, worker=event.by)
        case OrderPassedOn():
            return replace(order, department=event.department, worker=None)
        case OrderDone():
            return replace(order, result=event.result)
        case CallerAnswered():
            return replace(order, told=event.told, callback=event.callback, answered_at=event.at)
        case OrderPromisedAnew():
            broken = order.broken or event.at > order.due_at
            return replace(order, due_at=event.due_at, promise=event.promise, broken=broken)
        case _:
            return order
