"""``/api/v1/events`` and ``/api/v1/callbacks``: for the operator's CRM or the 12345 platform (C1, I3).

A system that cannot be posted to reads the events from where it stopped; one that promises its customers a call
puts them on the list. ``/api/v1/systems/openapi.json`` describes it. Every access to a person's data is on record.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta

from aiohttp import web

from calls.callbacks import CallBack, NewCallback, Origin
from calls.cases import CaseNumber, parse_number
from calls.custody import Access, AccessKind
from calls.errors import AccessDenied, CaseUnknown, NumberRefused
from calls.ids import Language, SectionId
from calls.people import Right, Scope
from console.answers import COMMON, KEY, NO_KEY, json_of, key_of, refusal
from console.api_model import Failure
from console.ask import Ask
from console.cases.books import CaseBooks
from console.openapi import Operation, document
from console.parts import Parts
from console.routes import Route
from console.systems.api_model import (
    CallbackOut,
    CallbacksOut,
    EventOut,
    EventsOut,
    EventsQuery,
    NewCallbackIn,
    SurveyLinksOut,
)
from storage.callbacks import SqlCallbacks
from storage.outbox import SqlOutbox

_EVENTS, _CALLBACKS = "/api/v1/events", "/api/v1/callbacks"
SURVEY_LINKS = "/api/v1/survey-links"
"""Answered by ``console.areas.survey``."""
_LATEST = timedelta(days=60)
_RIGHT = {"401": "No session and no token.", "403": "The right is missing."}

OPERATIONS = (
    Operation(
        _EVENTS,
        "Events of cases",
        "Every line of every complaint's history within reach, in order: what webhooks post.",
        EventsOut,
        EventsQuery,
        refused=_RIGHT,
    ),
    Operation(
        _CALLBACKS,
        "Call-backs",
        "The open ones, in the order in which they are called.",
        CallbacksOut,
        refused=_RIGHT,
    ),
    Operation(
        _CALLBACKS,
        "Promise a call back",
        "Puts somebody on the list. The same key again gives the same call-back.",
        CallbackOut,
        method="post",
        body=NewCallbackIn,
        status=201,
        headers={KEY: "8 to 100 letters that stand for this call-back and no other."},
        refused={
            **_RIGHT,
            "409": "The key stands for another call-back.",
            "422": "It cannot be: the number is not called, the section unknown, the time past.",
        },
    ),
    Operation(
        f"{_CALLBACKS}/{{number}}",
        "One call-back",
        "How far it is, open or not.",
        CallbackOut,
        refused={**_RIGHT, "404": "There is none within reach."},
    ),
    Operation(
        SURVEY_LINKS,
        "Survey links to be sent",
        "One-time links, each with the number that it is for (Q2); only for who may see all sections.",
        SurveyLinksOut,
        refused=_RIGHT,
    ),
    Operation(
        f"{SURVEY_LINKS}/{{call_id}}/sent",
        "A survey link was sent",
        "It leaves the outbox, and its number and token are forgotten.",
        None,
        method="post",
        status=204,
        refused={**_RIGHT, "404": "It is not in the outbox."},
    ),
)

Handler = Callable[[Ask], Awaitable[web.Response]]


class SystemsApi:
    """The handlers."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._outbox = SqlOutbox(parts.engine)
        self._callbacks = SqlCallbacks(parts.engine)
        self._cases = CaseBooks.of(parts)
        self._document = document("Sansheng: events, call-backs, survey links", "1", OPERATIONS, Failure)

    def routes(self) -> list[Route]:
        """What is answered."""
        read, file = Right.READ_CASES, Right.FILE_CASES
        table: tuple[tuple[str, str, Right, Handler], ...] = (
            ("GET", "/api/v1/systems/openapi.json", read, self.openapi),
            ("GET", _EVENTS, read, self.events),
            ("GET", _CALLBACKS, file, self.open),
            ("POST", _CALLBACKS, file, self.promise),
            ("GET", f"{_CALLBACKS}/{{number}}", file, self.one),
        )
        return [
            Route(method=method, path=path, needs=needs, handler=safe(handler), api=True)
            for method, path, needs, handler in table
        ]

    async def openapi(self, ask: Ask) -> web.Response:
        """The description of all this."""
        return web.json_response(self._document)

    async def events(self, ask: Ask) -> web.Response:
        """What came after the event that was read last."""
        asked = EventsQuery.model_validate(dict(ask.query))
        news = await self._outbox.after(asked.after, asked.limit, _sections(ask.scope(Right.READ_CASES)))
        last = news[-1].id if news else asked.after
        return json_of(EventsOut(events=[EventOut.of(each) for each in news], last=last))

    async def open(self, ask: Ask) -> web.Response:
        """The open ones within reach."""
        _nothing_else(ask)
        await self._note(ask, AccessKind.LIST_CASES, "call-backs, by the API")
        sections = _sections(ask.scope(Right.FILE_CASES))
        found = await self._callbacks.waiting(None if sections is None else [SectionId(each) for each in sections])
        now = self._parts.clock.now()
        return json_of(CallbacksOut(callbacks=[CallbackOut.of(each, now) for each in found]))

    async def one(self, ask: Ask) -> web.Response:
        """One of them."""
        _nothing_else(ask)
        number = ask.params["number"]
        is_one = number.isascii() and number.isdigit() and len(number) < 10
        found = await self._callbacks.get(int(number)) if is_one else None
        if found is None or not ask.scope(Right.FILE_CASES).covers(found.section):
            return failed(404, "there is no such call-back")
        await self._note(ask, AccessKind.READ_CASE, f"call-back {found.number}, by the API")
        return json_of(CallbackOut.of(found, self._parts.clock.now()))

    async def promise(self, ask: Ask) -> web.Response:
        """Put somebody on the list."""
        key = key_of(ask)
        if key is None:
            return failed(400, NO_KEY)
        new = await self._new(ask, NewCallbackIn.model_validate_json(ask.body), key)
        await self._note(ask, AccessKind.CHANGE_CASE, "a call back is promised, by the API")
        now = self._parts.clock.now()
        listed = await self._callbacks.enlist(new, now)
        if not _is_same(listed, new):
            return failed(409, "the key stands for another call-back")
        return json_of(CallbackOut.of(listed, now), 201)

    async def _new(self, ask: Ask, told: NewCallbackIn, key: str) -> NewCallback:
        """Raises _Wrong, NumberRefused, CaseUnknown, AccessDenied."""
        now, terms = self._parts.clock.now(), self._parts.calling
        section = SectionId(told.section)
        if section not in self._parts.sections:
            raise _Wrong("`section`: there is no such section")
        if not ask.scope(Right.FILE_CASES).covers(section):
            raise AccessDenied("no right to call-backs of this section")
        if told.due_at is not None and not now < told.due_at <= now + _LATEST:
            raise _Wrong("`due_at`: expected a time to come, within 60 days")
        if told.language not in {tag for names in self._parts.sections.values() for tag in names}:
            raise _Wrong("`language`: the hotline does not speak it")
        if told.case is not None:
            await self._known_case(ask, told.case)
        return NewCallback(
            origin=Origin.FOLLOW_UP if told.case else Origin.PROMISE,
            about=f"api {ask.who.login} {key}",
            telephone=terms.numbers.checked(told.telephone),
            language=Language(told.language),
            due_at=told.due_at or terms.policy.due(now, terms.within),
            place=now,
            section=section,
            case_id=told.case,
            priority=told.priority,
        )

    async def _known_case(self, ask: Ask, number: str) -> None:
        """Raises _Wrong for a case that is not within reach, as if there were none."""
        try:
            if parse_number(number) is None or number != number.upper():
                raise CaseUnknown(number)
            await self._cases.office.seen(CaseNumber(number), ask.who)
        except CaseUnknown:
            raise _Wrong("`case`: there is no such complaint") from None

    async def _note(self, ask: Ask, kind: AccessKind, what: str) -> None:
        await self._parts.accesses.note(Access(ask.who.login, kind, what))


class _Wrong(ValueError):
    """What was sent cannot be, in words for the caller."""


def _is_same(listed: CallBack, new: NewCallback) -> bool:
    """Whether the list has what was asked for now. When it falls due by itself was settled the first time."""
    return (listed.telephone, listed.section, listed.case_id, listed.language, listed.priority) == (
        new.telephone,
        new.section,
        new.case_id,
        new.language,
        new.priority,
    )


def _sections(scope: Scope) -> list[str] | None:
    """Those within reach; ``None``: all of them."""
    return None if scope.everything else sorted(scope.sections)


def _nothing_else(ask: Ask) -> None:
    """A question with parameters that mean nothing was meant otherwise. Raises _Wrong."""
    if ask.query:
        raise _Wrong("this address takes no parameters")


def safe(handler: Handler) -> Handler:
    """The handler, with errors answered as what they are."""

    async def answered(ask: Ask) -> web.Response:
        try:
            return await handler(ask)
        except COMMON as error:
            return failed(*refusal(error, ask.method))
        except (_Wrong, NumberRefused) as error:
            return failed(422 if ask.method == "POST" else 400, str(error))

    return answered


def failed(status: int, error: str) -> web.Response:
    """Why there is no other answer."""
    return json_of(Failure(error=error), status)
