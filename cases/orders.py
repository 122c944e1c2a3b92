"""The one door to inquiries and work orders for other systems, and who may do what to them (A5, A7, C10).

It asks in the order in which ``cases.office`` does: is it within reach, may they, is it said completely, has
somebody else been faster.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType

from calls.case_book import OrderBook
from calls.cases import CaseNumber, Login
from calls.errors import AccessDenied, CaseUnknown
from calls.ids import SectionId
from calls.inquiries import (
    AnyOrderEvent,
    CallerAnswered,
    Inquiry,
    OrderCancelled,
    OrderDispatched,
    OrderDone,
    OrderNoted,
    OrderPassedOn,
    OrderPromisedAnew,
    WorkOrder,
)
from calls.people import Person, Right
from calls.ports import Clock
from cases.catalogue import Catalogue
from cases.flow import LONGEST, LONGEST_LINE, Fault, Wrong
from cases.office import Incomplete

OF_CENTRE = frozenset({CallerAnswered.kind, OrderPromisedAnew.kind, OrderCancelled.kind})
"""What the centre does, not the department: whoever promised answers."""

_REQUIRED: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        OrderDispatched.kind: ("department", "category", "content", "promise", "contact"),
        OrderDone.kind: ("result",),
        CallerAnswered.kind: ("told",),
        OrderPassedOn.kind: ("department", "why"),
        OrderPromisedAnew.kind: ("promise",),
        OrderNoted.kind: ("text",),
        OrderCancelled.kind: ("why",),
    }
)
_TEXTS = ("content", "promise", "result", "told", "text", "why", "answer")
_LINES = ("name", "contact", "department", "category", "callback")


def may_see(order: WorkOrder, person: Person) -> bool:
    """Whether a work order is within somebody's reach: of their sections and departments (P1)."""
    scope = person.scope(Right.READ_CASES)
    return scope.covers(order.section) or scope.covers(SectionId(order.department))


def may_write(order: WorkOrder, person: Person, kind: str) -> bool:
    """The department settles it, the centre answers the caller; whoever files may write notes and answer, too."""
    working, filing = person.scope(Right.WORK_CASES), person.scope(Right.FILE_CASES)
    centre = working.covers(order.section) or filing.covers(order.section)
    if kind in OF_CENTRE:
        return centre
    return centre or working.covers(SectionId(order.department))


class OrderOffice:
    """Files inquiries, dispatches work orders and moves them on.

    Raises AccessDenied, Incomplete, CaseUnknown (also for what is not within reach), CaseRefused, CaseConflict,
    StorageError.
    """

    def __init__(self, book: OrderBook, catalogue: Catalogue, clock: Clock) -> None:
        self._book = book
        self._catalogue = catalogue
        self._clock = clock

    async def file(
        self, inquiry: Inquiry, key: str, person: Person, dispatch: OrderDispatched | None = None
    ) -> Inquiry:
        """File an inquiry, answered at once or dispatched; the same key again gives the same one."""
        self._may_file(person, inquiry.section)
        now = self._clock.now()
        inquiry = replace(inquiry, filed_at=now, filed_by=Login(person.login), agent=person.agent)
        found = self._inquiry_faults(inquiry, now)
        if dispatch is not None:
            dispatch = replace(dispatch, at=now, by=Login(person.login))
            found += self.faults(dispatch, now)
        elif not inquiry.answer:
            found.append(Fault("answer", Wrong.MISSING))
        _refuse(found)
        return await self._book.file(inquiry, key, dispatch)

    async def dispatch(
        self, event: OrderDispatched, key: str, person: Person, origin: CaseNumber | None = None
    ) -> WorkOrder:
        """A work order that comes from no inquiry; the same key again gives the same one.

        ``origin`` is a complaint that it comes from, which the person has seen.
        """
        self._may_file(person, event.section)
        event = replace(event, at=self._clock.now(), by=Login(person.login), origin=origin)
        _refuse(self.faults(event, event.at))
        return await self._book.dispatch(event, key)

    async def dispatch_later(self, inquiry: Inquiry, event: OrderDispatched, person: Person) -> WorkOrder:
        """An inquiry becomes a work order after all."""
        self._may_file(person, inquiry.section)
        event = replace(event, at=self._clock.now(), by=Login(person.login))
        _refuse(self.faults(event, event.at))
        return await self._book.dispatch_later(inquiry.number, event)

    async def write(self, number: CaseNumber, version: int, event: AnyOrderEvent, person: Person) -> WorkOrder:
        """One line of a work order's history, told by this person now; ``version`` is the one they have seen."""
        order = await self.order(number, person)
        if not may_write(order, person, event.kind):
            raise AccessDenied(f"no right to this ({event.kind})")
        event = replace(event, at=max(self._clock.now(), order.last_at), by=Login(person.login))
        _refuse(self.faults(event, event.at))
        seen = order.version if event.kind == OrderNoted.kind else version
        return await self._book.append_order(number, seen, event)

    async def order(self, number: CaseNumber, person: Person) -> WorkOrder:
        """The work order, if it is within reach."""
        order = await self._book.order(number)
        if not may_see(order, person):
            raise CaseUnknown(number)
        return order

    async def inquiry(self, number: CaseNumber, person: Person) -> Inquiry:
        """The inquiry, if it is within reach."""
        inquiry = await self._book.inquiry(number)
        if not person.scope(Right.READ_CASES).covers(inquiry.section, inquiry.agent):
            raise CaseUnknown(number)
        return inquiry

    def faults(self, event: AnyOrderEvent, now: datetime) -> list[Fault]:
        """What is missing or cannot be, field by field."""
        found = _texts(event, _REQUIRED.get(event.kind, ()))
        if isinstance(event, OrderDispatched | OrderPassedOn):
            found += self._known("department", event.department, self._catalogue.has_department(event.department))
        if isinstance(event, OrderDispatched):
            found += self._known("category", event.category, self._catalogue.has_category(event.category))
        if isinstance(event, OrderDispatched | OrderPromisedAnew) and event.due_at <= now:
            found.append(Fault("due_at", Wrong.IN_PAST))
        return found

    def _inquiry_faults(self, inquiry: Inquiry, now: datetime) -> list[Fault]:
        found = _texts(inquiry, ("content", "category"))
        found += self._known("category", inquiry.category, self._catalogue.has_category(inquiry.category))
        if inquiry.asked_at > now:
            found.append(Fault("asked_at", Wrong.IN_FUTURE))
        return found

    def _known(self, field: str, told: str, known: bool) -> list[Fault]:
        return [Fault(field, Wrong.UNKNOWN)] if told and not known else []

    def _may_file(self, person: Person, section: SectionId) -> None:
        if not person.scope(Right.FILE_CASES).covers(section):
            raise AccessDenied("no right to file for this section")


def _texts(told: object, required: tuple[str, ...]) -> list[Fault]:
    found = []
    for name, longest in (*((each, LONGEST) for each in _TEXTS), *((each, LONGEST_LINE) for each in _LINES)):
        text = str(getattr(told, name, None) or "")
        if name in required and not text.strip():
            found.append(Fault(name, Wrong.MISSING))
        elif len(text) > longest:
            found.append(Fault(name, Wrong.TOO_LONG))
    return found


def _refuse(found: list[Fault]) -> None:
    if found:
        raise Incomplete(tuple(dict.fromkeys(found)))
