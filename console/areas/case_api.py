"""``/api/v1/cases``: complaints for the operator's other systems, such as a CRM or the 12345 platform (C1, I3).

Whoever asks sees and may do what their person may on the pages, and every access is on record (P1). Registering
takes an ``Idempotency-Key``: sent again, it gives the same complaint back. A line carries the version that was
seen, so that it is written once at most. ``/api/v1/cases/openapi.json`` describes it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TypeVar

from aiohttp import web
from pydantic import BaseModel

from calls.case import Case
from calls.case_book import CaseQuery
from calls.case_events import CaseRegistered
from calls.cases import CategoryId, CauseId, DepartmentId
from calls.custody import AccessKind
from calls.errors import (
    CaseConflict,
    CaseRefused,
    CaseUnknown,
    SearchError,
)
from calls.ids import CallId, SectionId, is_unique_id
from calls.people import Right
from cases.flow import ACTORS, Fault, Wrong
from cases.office import Incomplete
from console.answers import COMMON, KEY, NO_KEY, json_of, key_of, refusal
from console.ask import Ask
from console.cases.acts import event_of
from console.cases.api_model import (
    CaseFailure,
    CaseLineOut,
    CaseOut,
    CasesOut,
    CasesQuery,
    FaultOut,
    NewCase,
    NewLine,
)
from console.cases.books import CaseBooks, login_of
from console.cases.fields import Filled
from console.openapi import Operation, document
from console.parts import Parts
from console.routes import Route

_M = TypeVar("_M", bound=BaseModel)
_BASE = "/api/v1/cases"
_UNSEEN = {"404": "There is no such complaint within reach."}
_WRONG = {"422": "Something is missing or cannot be; `faults` says what.", "403": "The right is missing."}
_TAKEN = {"409": "The key stands for another complaint, or somebody else was faster."}

OPERATIONS = (
    Operation(_BASE, "Complaints", "A page of the ledger, within the asker's reach.", CasesOut, CasesQuery),
    Operation(
        _BASE,
        "Register a complaint",
        "Numbered without gaps. The same key again gives the same complaint back.",
        CaseOut,
        method="post",
        body=NewCase,
        status=201,
        headers={KEY: "8 to 100 letters that stand for this complaint and no other."},
        refused={**_WRONG, **_TAKEN},
    ),
    Operation(
        f"{_BASE}/{{number}}", "One complaint", "With its clocks and its history.", CaseOut, refused=_UNSEEN
    ),
    Operation(
        f"{_BASE}/{{number}}/lines",
        "Write a line",
        "Moves the complaint on, or adds to it, as the forms of its page do.",
        CaseOut,
        method="post",
        body=NewLine,
        status=201,
        refused={**_UNSEEN, **_WRONG, **_TAKEN},
    ),
)

Handler = Callable[[Ask], Awaitable[web.Response]]


class CaseApi:
    """The handlers."""

    def __init__(self, parts: Parts) -> None:
        self._books = CaseBooks.of(parts)
        self._parts = parts
        self._document = document("Sansheng: complaints", "1", OPERATIONS, CaseFailure)

    def routes(self) -> list[Route]:
        """What is answered."""
        read, file = Right.READ_CASES, Right.FILE_CASES
        one = f"{_BASE}/{{number:TS[0-9-]+}}"
        table: tuple[tuple[str, str, Right, Handler], ...] = (
            ("GET", f"{_BASE}/openapi.json", read, self.openapi),
            ("GET", _BASE, read, self.ledger),
            ("POST", _BASE, file, self.register),
            ("GET", one, read, self.case),
            ("POST", f"{one}/lines", read, self.write),
        )
        return [
            Route(method=method, path=path, needs=needs, handler=safe(handler), api=True)
            for method, path, needs, handler in table
        ]

    async def openapi(self, ask: Ask) -> web.Response:
        """The description of all this."""
        return web.json_response(self._document)

    async def ledger(self, ask: Ask) -> web.Response:
        """A page of the ledger."""
        asked = CasesQuery.model_validate(dict(ask.query))
        query = CaseQuery(
            scope=ask.scope(Right.READ_CASES),
            login=login_of(ask),
            states=frozenset({asked.state}) if asked.state else frozenset(),
            open_only=asked.open,
            since=asked.since,
            until=asked.until,
            type=asked.type.value if asked.type else None,
            cause=asked.cause,
            department=DepartmentId(asked.department) if asked.department else None,
            text=asked.text.replace("\0", ""),
        )
        await self._books.note(ask, AccessKind.LIST_CASES, "complaints, by the API")
        page = await self._books.lists.page(query, after=asked.after, limit=asked.limit)
        return json_of(CasesOut(cases=[CaseLineOut.of(row) for row in page.rows], after=page.after))

    async def register(self, ask: Ask) -> web.Response:
        """Take a complaint in."""
        key = key_of(ask)
        if key is None:
            return failed(400, NO_KEY)
        told = _read(NewCase, ask.body)
        event = CaseRegistered(
            at=self._parts.clock.now(),
            by=login_of(ask),
            channel=told.channel,
            arrived_at=await self._arrival(told),
            name=told.name.strip(),
            contact=told.contact.strip(),
            occurred_at=told.occurred_at,
            place=told.place.strip(),
            content=told.content.strip(),
            section=SectionId(told.section),
            type=told.type,
            cause=CauseId(told.cause) if told.cause else None,
            category=CategoryId(told.category) if told.category else None,
            urgency=told.urgency,
            importance=told.importance,
            key_customer=told.key_customer,
            call_id=CallId(told.call_id) if told.call_id else None,
        )
        await self._books.note(ask, AccessKind.CHANGE_CASE, "a complaint is registered, by the API")
        case = await self._books.office.register(event, f"api {ask.who.login} {key}", ask.who)
        return await self._told(case, 201)

    async def case(self, ask: Ask) -> web.Response:
        """One complaint."""
        return await self._told(await self._books.case(ask))

    async def write(self, ask: Ask) -> web.Response:
        """One line for its history."""
        told = _read(NewLine, ask.body)
        case = await self._books.case(ask)
        if told.kind not in ACTORS:
            raise Incomplete((Fault("kind", Wrong.UNKNOWN),))
        filled = Filled.of(told.fields, self._parts.zone)
        event = event_of(told.kind, filled, self._parts.clock.now(), login_of(ask))
        filled.faults += await self._books.taker_fault(case, event)
        if filled.faults:
            raise Incomplete(tuple(filled.faults))
        await self._books.note(ask, AccessKind.CHANGE_CASE, f"{case.number} {told.kind}, by the API")
        return await self._told(await self._books.office.write(case.number, told.version, event, ask.who), 201)

    async def _arrival(self, told: NewCase) -> datetime:
        if told.call_id is None:
            return told.arrived_at
        if not is_unique_id(told.call_id):
            raise Incomplete((Fault("call_id", Wrong.UNKNOWN),))
        call = await self._books.ledger.call(CallId(told.call_id))
        return call.arrived_at if call else told.arrived_at

    async def _told(self, case: Case, status: int = 200) -> web.Response:
        history = await self._books.cases.history(case.number)
        return json_of(CaseOut.of(case, self._parts.case_clocks(case), history), status)


def safe(handler: Handler) -> Handler:
    """The handler, with errors answered as what they are."""

    async def answered(ask: Ask) -> web.Response:
        try:
            return await handler(ask)
        except COMMON as error:
            return failed(*refusal(error, ask.method))
        except SearchError as error:
            return failed(400, str(error))
        except Incomplete as error:
            faults = [FaultOut(field=fault.field, wrong=fault.wrong.value) for fault in error.faults]
            return json_of(CaseFailure(error="something is missing or cannot be", faults=faults), 422)
        except CaseUnknown:
            return failed(404, "there is none of this number")
        except CaseConflict as error:
            return json_of(CaseFailure(error=str(error), version=error.version or None), 409)
        except CaseRefused as error:
            return failed(409, str(error))

    return answered


def _read(model: type[_M], body: bytes) -> _M:
    """What was sent. Raises ValidationError."""
    return model.model_validate_json(body)


def failed(status: int, error: str) -> web.Response:
    """Why there is no other answer."""
    return json_of(CaseFailure(error=error), status)
