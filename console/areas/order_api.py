"""``/api/v1/inquiries`` and ``/api/v1/orders``: for other systems, as ``/api/v1/cases`` (A7, C10, I3).

Whoever asks sees and may do what their person may on the pages, and every access is on record (P1). What makes
something takes an ``Idempotency-Key``; a line carries the version that was seen. ``/api/v1/orders/openapi.json``
describes both.
"""

from __future__ import annotations

from datetime import datetime

from aiohttp import web

from calls.case_book import InquiryQuery, OrderQuery
from calls.cases import CaseNumber, CategoryId, DepartmentId
from calls.custody import AccessKind
from calls.ids import SectionId
from calls.inquiries import Inquiry, OrderDispatched, WorkOrder
from calls.people import Right
from cases.flow import Fault, Wrong
from cases.office import Incomplete
from console.answers import KEY, NO_KEY, json_of, key_of
from console.areas.case_api import Handler, failed, safe
from console.ask import Ask
from console.cases.api_model import CaseFailure
from console.cases.books import CaseBooks, login_of
from console.cases.fields import Filled
from console.cases.order_acts import FORMS, event_of
from console.cases.order_model import (
    InquiriesOut,
    InquiriesQuery,
    InquiryOut,
    NewInquiry,
    NewOrder,
    NewOrderLine,
    OrderLineOut,
    OrderOut,
    OrdersOut,
    OrdersQuery,
    Promise,
)
from console.openapi import Operation, document
from console.parts import Parts
from console.routes import Route

_INQUIRIES, _ORDERS = "/api/v1/inquiries", "/api/v1/orders"
_RIGHT = {"401": "No session and no token.", "403": "The right is missing."}
_UNSEEN = {"404": "There is none within reach."}
_WRONG = {"422": "Something is missing or cannot be; `faults` says what."}
_TAKEN = {"409": "The key stands for something else, or somebody else was faster."}
_KEY = {KEY: "8 to 100 letters that stand for this request and no other."}

OPERATIONS = (
    Operation(_INQUIRIES, "Inquiries", "Within the asker's reach.", InquiriesOut, InquiriesQuery, refused=_RIGHT),
    Operation(
        _INQUIRIES,
        "File an inquiry",
        "Answered at once, or dispatched as a work order with the promise made to the caller (K4).",
        InquiryOut,
        method="post",
        body=NewInquiry,
        status=201,
        headers=_KEY,
        refused={**_RIGHT, **_WRONG, **_TAKEN},
    ),
    Operation(f"{_INQUIRIES}/{{number}}", "One inquiry", "As filed.", InquiryOut, refused={**_RIGHT, **_UNSEEN}),
    Operation(
        f"{_INQUIRIES}/{{number}}/dispatch",
        "Dispatch an inquiry after all",
        "Within two days of its filing; a second time is refused.",
        OrderOut,
        method="post",
        body=Promise,
        status=201,
        refused={**_RIGHT, **_UNSEEN, **_WRONG, "409": "It is a work order already, or final."},
    ),
    Operation(_ORDERS, "Work orders", "Within the asker's reach.", OrdersOut, OrdersQuery, refused=_RIGHT),
    Operation(
        _ORDERS,
        "Dispatch a work order",
        "One that comes from no inquiry.",
        OrderOut,
        method="post",
        body=NewOrder,
        status=201,
        headers=_KEY,
        refused={**_RIGHT, **_WRONG, **_TAKEN},
    ),
    Operation(
        f"{_ORDERS}/{{number}}", "One work order", "With its history.", OrderOut, refused={**_RIGHT, **_UNSEEN}
    ),
    Operation(
        f"{_ORDERS}/{{number}}/lines",
        "Write a line",
        "Moves the work order on, or adds to it, as the forms of its page do.",
        OrderOut,
        method="post",
        body=NewOrderLine,
        status=201,
        refused={**_RIGHT, **_UNSEEN, **_WRONG, **_TAKEN},
    ),
)


class OrderApi:
    """The handlers."""

    def __init__(self, parts: Parts) -> None:
        self._books = CaseBooks.of(parts)
        self._office = self._books.order_office
        self._parts = parts
        self._document = document("Sansheng: inquiries and work orders", "1", OPERATIONS, CaseFailure)

    def routes(self) -> list[Route]:
        """What is answered."""
        read, file = Right.READ_CASES, Right.FILE_CASES
        inquiry, order = f"{_INQUIRIES}/{{number:ZX[0-9-]+}}", f"{_ORDERS}/{{number:GD[0-9-]+}}"
        table: tuple[tuple[str, str, Right, Handler], ...] = (
            ("GET", f"{_ORDERS}/openapi.json", read, self.openapi),
            ("GET", _INQUIRIES, read, self.inquiries),
            ("POST", _INQUIRIES, file, self.file),
            ("GET", inquiry, read, self.inquiry),
            ("POST", f"{inquiry}/dispatch", file, self.dispatch_later),
            ("GET", _ORDERS, read, self.orders),
            ("POST", _ORDERS, file, self.dispatch),
            ("GET", order, read, self.order),
            ("POST", f"{order}/lines", read, self.write),
        )
        return [
            Route(method=method, path=path, needs=needs, handler=safe(handler), api=True)
            for method, path, needs, handler in table
        ]

    async def openapi(self, ask: Ask) -> web.Response:
        """The description of all this."""
        return web.json_response(self._document)

    # ── Inquiries ────────────────────────────────────────────────────────────────────────────────────────────

    async def inquiries(self, ask: Ask) -> web.Response:
        """A page of inquiries."""
        asked = InquiriesQuery.model_validate(dict(ask.query))
        query = InquiryQuery(
            scope=ask.scope(Right.READ_CASES),
            category=asked.category,
            dispatched=asked.dispatched,
            since=asked.since,
            until=asked.until,
            contact=asked.contact,
            text=asked.text.replace("\0", ""),
        )
        await self._books.note(ask, AccessKind.LIST_CASES, "inquiries, by the API")
        found, before = await self._books.orders.inquiries(query, before=asked.before, limit=asked.limit)
        return json_of(InquiriesOut(inquiries=[InquiryOut.of(each) for each in found], before=before))

    async def file(self, ask: Ask) -> web.Response:
        """File an inquiry."""
        key = key_of(ask)
        if key is None:
            return failed(400, NO_KEY)
        told, now = NewInquiry.model_validate_json(ask.body), self._parts.clock.now()
        inquiry = Inquiry(
            number=CaseNumber(""),
            asked_at=told.asked_at,
            filed_at=now,
            filed_by=login_of(ask),
            channel=told.channel,
            section=SectionId(told.section),
            category=CategoryId(told.category),
            content=told.content.strip(),
            answer="" if told.dispatch else told.answer.strip(),
            name=told.name.strip(),
            contact=told.contact.strip(),
        )
        dispatch = self._dispatched(ask, told.dispatch, inquiry) if told.dispatch else None
        await self._books.note(ask, AccessKind.CHANGE_CASE, "an inquiry is filed, by the API")
        filed = await self._office.file(inquiry, _key(ask, key), ask.who, dispatch)
        return json_of(InquiryOut.of(filed), 201)

    async def inquiry(self, ask: Ask) -> web.Response:
        """One inquiry."""
        return json_of(InquiryOut.of(await self._books.inquiry(ask)))

    async def dispatch_later(self, ask: Ask) -> web.Response:
        """It was not answered after all."""
        told = Promise.model_validate_json(ask.body)
        inquiry = await self._books.inquiry(ask)
        await self._books.note(ask, AccessKind.CHANGE_CASE, f"{inquiry.number} is dispatched, by the API")
        event = self._dispatched(ask, told, inquiry)
        return await self._told(await self._office.dispatch_later(inquiry, event, ask.who), 201)

    def _dispatched(self, ask: Ask, told: Promise, inquiry: Inquiry) -> OrderDispatched:
        """The work order that an inquiry becomes; the office says what is missing."""
        return OrderDispatched(
            at=self._parts.clock.now(),
            by=login_of(ask),
            section=inquiry.section,
            department=self._department(told.department, inquiry.category),
            category=inquiry.category,
            content=inquiry.content,
            promise=told.promise.strip(),
            due_at=told.due_at,
            name=inquiry.name,
            contact=inquiry.contact,
            call_id=inquiry.call_id,
        )

    def _department(self, told: str | None, category: CategoryId) -> DepartmentId:
        usual = self._books.catalogue.categories.get(category)
        return DepartmentId(told or (usual.department if usual and usual.department else ""))

    # ── Work orders ──────────────────────────────────────────────────────────────────────────────────────────

    async def orders(self, ask: Ask) -> web.Response:
        """A page of work orders."""
        asked = OrdersQuery.model_validate(dict(ask.query))
        now = self._parts.clock.now()
        query = OrderQuery(
            scope=ask.scope(Right.READ_CASES),
            open_only=asked.open,
            states=frozenset({asked.state}) if asked.state else frozenset(),
            department=DepartmentId(asked.department) if asked.department else None,
            text=asked.text.replace("\0", ""),
            late_at=now if asked.late else None,
        )
        await self._books.note(ask, AccessKind.LIST_CASES, "work orders, by the API")
        numbers, after = await self._books.lists.orders(query, after=asked.after, limit=asked.limit)
        found = await self._books.orders.orders(numbers)
        return json_of(OrdersOut(orders=[OrderLineOut.of(each, now) for each in found], after=after))

    async def dispatch(self, ask: Ask) -> web.Response:
        """A work order that comes from no inquiry."""
        key = key_of(ask)
        if key is None:
            return failed(400, NO_KEY)
        told = NewOrder.model_validate_json(ask.body)
        event = OrderDispatched(
            at=self._parts.clock.now(),
            by=login_of(ask),
            section=SectionId(told.section),
            department=self._department(told.department, CategoryId(told.category)),
            category=CategoryId(told.category),
            content=told.content.strip(),
            promise=told.promise.strip(),
            due_at=told.due_at,
            name=told.name.strip(),
            contact=told.contact.strip(),
        )
        await self._books.note(ask, AccessKind.CHANGE_CASE, "a work order is dispatched, by the API")
        return await self._told(await self._office.dispatch(event, _key(ask, key), ask.who), 201)

    async def order(self, ask: Ask) -> web.Response:
        """One work order."""
        return await self._told(await self._books.order(ask))

    async def write(self, ask: Ask) -> web.Response:
        """One line for its history."""
        told = NewOrderLine.model_validate_json(ask.body)
        order = await self._books.order(ask)
        if told.kind not in FORMS:
            raise Incomplete((Fault("kind", Wrong.UNKNOWN),))
        filled = Filled.of(told.fields, self._parts.zone)
        event = event_of(told.kind, filled, self._parts.clock.now(), login_of(ask))
        if filled.faults:
            raise Incomplete(tuple(filled.faults))
        await self._books.note(ask, AccessKind.CHANGE_CASE, f"{order.number} {told.kind}, by the API")
        return await self._told(await self._office.write(order.number, told.version, event, ask.who), 201)

    async def _told(self, order: WorkOrder, status: int = 200) -> web.Response:
        history, now = await self._books.orders.order_history(order.number), self._now()
        return json_of(OrderOut.whole(order, history, now), status)

    def _now(self) -> datetime:
        return self._parts.clock.now()


def _key(ask: Ask, key: str) -> str:
    """Keys are each account's own."""
    return f"api {ask.who.login} {key}"
