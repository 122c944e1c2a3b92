"""A work order that comes from no inquiry: ticketing work, or what a complaint asks of a department (C10)."""

from __future__ import annotations

import secrets

from aiohttp import web

from calls.cases import CaseNumber, Series, parse_number
from calls.custody import AccessKind
from calls.errors import AccessDenied, CaseConflict, CaseUnknown
from calls.ids import SectionId
from calls.people import Right
from cases.flow import Fault, Wrong
from cases.office import Incomplete
from console.ask import Ask
from console.cases.books import login_of
from console.cases.fields import Filled
from console.cases.forms import ORDER, FilingForms, dispatched
from console.painter import seen_elsewhere
from console.routes import Route, get, post


class OrderFilingArea(FilingForms):
    """``/orders/new``."""

    def routes(self) -> list[Route]:
        """What it answers."""
        return [
            get("/orders/new", Right.FILE_CASES, self.new),
            post("/orders/new", Right.FILE_CASES, self.dispatch),
        ]

    async def new(self, ask: Ask) -> web.Response:
        """The form, empty or as a draft left it; ``?origin=TS…`` begins it with that complaint."""
        return await self.begin(ask, ORDER)

    async def dispatch(self, ask: Ask) -> web.Response:
        """Dispatch it. What is missing is said field by field, and nothing that was typed is lost."""
        filled, draft = Filled.of(ask.form, self._parts.zone), ask.form.get("draft", "")[:60]
        filled.values["dispatch"] = "1"
        event = dispatched(filled, SectionId(filled.text("section")), self._parts.clock.now(), self._books, ask)
        assert event is not None, "it is to be dispatched"
        origin = await self._origin(ask, filled)
        try:
            if filled.faults or not draft:
                raise Incomplete(tuple(filled.faults))
            await self._books.note(ask, AccessKind.CHANGE_CASE, "a work order is dispatched")
            order = await self._books.order_office.dispatch(event, f"{ask.who.login} {draft}", ask.who, origin)
        except Incomplete as error:
            filled.faults = list(dict.fromkeys([*filled.faults, *error.faults]))
            key = draft or secrets.token_urlsafe(12)
            return await self.form(ask, ORDER, filled, key, status=422, trouble="case_form.incomplete")
        except CaseConflict:
            key = secrets.token_urlsafe(12)
            return await self.form(ask, ORDER, filled, key, status=409, trouble="case_form.sent_before")
        except AccessDenied:
            return self._parts.painter.refusal(ask, 403)
        await self._books.drafts.drop(draft, login_of(ask))
        return seen_elsewhere(f"/orders/{order.number}", "case_form.dispatched_order")

    async def _origin(self, ask: Ask, filled: Filled) -> CaseNumber | None:
        """The complaint that it comes from, if it is one within reach; else a fault."""
        told = filled.text("origin").upper()
        if not told:
            return None
        parsed = parse_number(told)
        try:
            if parsed is None or parsed[0] is not Series.COMPLAINT:
                raise CaseUnknown(told)
            return (await self._books.office.seen(CaseNumber(told), ask.who)).number
        except CaseUnknown:
            filled.faults.append(Fault("origin", Wrong.UNKNOWN))
            return None
