"""Work orders: what a department was asked to settle, until when the caller was promised an answer (A5, C10)."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from calls.case_book import OrderQuery
from calls.cases import DepartmentId
from calls.custody import AccessKind
from calls.errors import AccessDenied, CaseConflict, CaseRefused, CaseUnknown, SearchError
from calls.inquiries import (
    ORDER_MOVES,
    OrderState,
    WorkOrder,
)
from calls.people import Right
from cases.office import Incomplete
from cases.orders import may_write
from console.ask import Ask
from console.cases.attached import attached
from console.cases.books import CaseBooks, login_of
from console.cases.fields import Filled
from console.cases.order_acts import FORMS, event_of
from console.cases.view import ClockShown, Naming, Tone, lasting, running
from console.painter import seen_elsewhere
from console.parts import Parts
from console.routes import Route, get, post

_LINES = 50


class OrdersArea:
    """``/orders`` and below."""

    def __init__(self, parts: Parts) -> None:
        self._books = CaseBooks.of(parts)
        self._parts = parts

    def routes(self) -> list[Route]:
        """What it answers."""
        one = "/orders/{number:GD[0-9-]+}"
        return [
            get("/orders", Right.READ_CASES, self.ledger),
            get(one, Right.READ_CASES, self.order),
            post(f"{one}/{{kind}}", Right.READ_CASES, self.write),
        ]

    async def ledger(self, ask: Ask) -> web.Response:
        """Work orders, the first promise first."""
        await self._books.note(ask, AccessKind.LIST_CASES, "work orders")
        state, department = ask.query.get("state", "open"), ask.query.get("department")
        query = OrderQuery(
            scope=ask.scope(Right.READ_CASES),
            open_only=state == "open",
            states=frozenset({OrderState(state)})
            if state in list(OrderState) and state != "open"
            else frozenset(),
            department=DepartmentId(department) if department else None,
            text=ask.query.get("text", "").replace("\0", ""),
            late_at=self._parts.clock.now() if ask.query.get("late") else None,
        )
        trouble = ""
        try:
            numbers, after = await self._books.lists.orders(
                query, after=ask.query.get("after") or None, limit=_LINES
            )
        except SearchError:
            numbers, after, trouble = [], None, "case_list.cannot_search"
        orders = await self._books.orders.orders(numbers)
        return self._parts.painter.page(
            ask,
            "cases/orders.html.j2",
            status=400 if trouble else 200,
            orders=[(order, self._clock(ask, order)) for order in orders],
            after=after,
            trouble=trouble,
            state=state,
            may_file=ask.who.may(Right.FILE_CASES),
            **self._words(ask),
        )

    async def order(self, ask: Ask) -> web.Response:
        """One work order."""
        try:
            order = await self._books.order(ask)
        except CaseUnknown:
            return self._parts.painter.refusal(ask, 404)
        await self._books.notices.seen(order.number, self._parts.clock.now(), login_of(ask))
        return await self._page(ask, order)

    async def write(self, ask: Ask) -> web.Response:
        """One line for its history. Whatever goes wrong, what was typed comes back."""
        try:
            order = await self._books.order(ask)
        except CaseUnknown:
            return self._parts.painter.refusal(ask, 404)
        kind, filled = ask.params["kind"], Filled.of(ask.form, self._parts.zone)
        if kind not in FORMS:
            return self._parts.painter.refusal(ask, 404)
        now = max(self._parts.clock.now(), order.last_at)
        event = event_of(kind, filled, now, login_of(ask))
        told = filled.text("version")
        version = int(told) if told.isascii() and told.isdigit() and len(told) < 8 else 0
        try:
            if not may_write(order, ask.who, kind):
                raise AccessDenied(f"no right to this ({kind})")
            if filled.faults:
                raise Incomplete(tuple(filled.faults))
            await self._books.note(ask, AccessKind.CHANGE_CASE, f"{order.number} {kind}")
            await self._books.order_office.write(order.number, version, event, ask.who)
        except AccessDenied:
            return self._parts.painter.refusal(ask, 403)
        except Incomplete as error:
            filled.faults = list(error.faults)
            return await self._page(ask, order, kind, filled, status=422)
        except (CaseConflict, CaseRefused):
            fresh = await self._books.orders.order(order.number)
            return await self._page(
                ask, fresh, kind, filled, status=409, trouble="case_page.conflict", seen=version
            )
        return seen_elsewhere(f"/orders/{order.number}", "case_page.written")

    async def _page(
        self,
        ask: Ask,
        order: WorkOrder,
        open_kind: str = "",
        filled: Filled | None = None,
        *,
        status: int = 200,
        trouble: str = "",
        seen: int | None = None,
    ) -> web.Response:
        words = self._words(ask)
        kinds = [kind for kind in FORMS if (order.state, kind) in ORDER_MOVES and may_write(order, ask.who, kind)]
        empty = Filled({}, self._parts.zone)
        return self._parts.painter.page(
            ask,
            "cases/order.html.j2",
            status=status,
            order=order,
            clock=self._clock(ask, order),
            history=words["naming"].lines(await self._books.orders.order_history(order.number), seen),
            forms=[(kind, FORMS[kind], filled if kind == open_kind and filled else empty) for kind in kinds],
            open_kind=open_kind,
            trouble=trouble,
            **await attached(self._parts, ask, order.number),
            **words,
        )

    def _clock(self, ask: Ask, order: WorkOrder) -> ClockShown:
        now, texts, kept = self._parts.clock.now(), ask.texts, order.kept(self._parts.clock.now())
        if order.state is OrderState.CANCELLED:
            return ClockShown(texts("case_clock.no_limit"), Tone.QUIET)
        if order.answered_at is None:
            return running(order.due_at, None, now, None, self._parts.zone, texts)
        if kept:
            return ClockShown(texts("case_clock.kept"), Tone.GOOD)
        by = lasting(order.answered_at - order.due_at, texts)
        return ClockShown(texts("case_clock.broken", by=by), Tone.BAD)

    def _words(self, ask: Ask) -> dict[str, Any]:
        sections = self._books.section_names(ask.texts.language)
        naming = Naming(ask.texts, self._books.catalogue, sections, self._parts.zone)
        return {"naming": naming, "query": ask.query, "sections": list(sections.items())}
