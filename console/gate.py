"""The gate: every request goes through it, and nothing that it does not let in reaches a page (P1).

In this order: who asks (a session's cookie, or a token), whether the route's rule lets them, whether a form was
sent by a page of ours, how large it is. Only then is the page's handler called, in the back room.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import secrets
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from dataclasses import dataclass, replace
from math import ceil
from typing import Any, Protocol, TypeVar
from urllib.parse import quote, urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from multidict import CIMultiDict, MultiDict, MultiDictProxy

from calls.errors import AccessDenied, StorageUnavailable
from calls.people import Person
from console.ask import Ask
from console.body import BadForm, Form, parse_form, read_body
from console.doorkeeper import Doorkeeper, csrf_of, hashed
from console.doors import Doors, safe_next
from console.limits import Limits
from console.painter import Painter
from console.refusals import Refusals
from console.routes import Open, Route
from console.texts import LANGUAGES, Texts, choose_language, load_texts

log = logging.getLogger(__name__)

T = TypeVar("T")

CHANGE_PASSWORD = "/account/password"  # noqa: S105 - an address
SET_CODE = "/account/code"
_WITH_A_BORROWED_PASSWORD = frozenset({CHANGE_PASSWORD, "/logout"})
_BEFORE_THE_SECOND_FACTOR = frozenset({SET_CODE, CHANGE_PASSWORD, "/logout"})
_FOR_PROGRAMS = "/api/"
_SAFE = frozenset({"GET", "HEAD"})
_KEPT_BACK = ("Cookie", "Authorization", "Proxy-Authorization")
_LOOK_AGAIN_S = 30.0
"""How often, at least, it is looked whether who reads an answer without an end may still do so."""
_FORBIDDEN, _AWAY = 403, 503
_CHANCE = secrets.SystemRandom()


class Runner(Protocol):
    """Carries work to the back room."""

    async def __call__(self, work: Coroutine[Any, Any, T]) -> T:
        """Its result, or its error."""


class Refused(Exception):
    """Not let in, or not carried out."""

    def __init__(self, status: int, why: str, wait_s: float = 0) -> None:
        super().__init__(why)
        self.status = status
        self.wait_s = wait_s
        self.why = why
        """For programs; people get the page of the status."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks."""

    person: Person | None = None
    session: str = ""
    secret: str = ""
    """What their forms' token is made from."""
    by_token: bool = False
    must_change: bool = False
    must_set_code: bool = False
    """A role of theirs asks for a second factor, and they have none."""


NOBODY = Caller()


class Gate:
    """Makes aiohttp's handlers from routes."""

    def __init__(
        self,
        keeper: Doorkeeper,
        run: Runner,
        painter: Painter,
        doors: Doors,
        limits: Limits | None = None,
        refusals: Refusals | None = None,
    ) -> None:
        self._keeper = keeper
        self._run = run
        self._painter = painter
        self._doors = doors
        self._limits = limits
        self._refusals = refusals
        self._texts = {language: load_texts(language) for language in LANGUAGES}

    @property
    def over_tls(self) -> bool:
        """Whether people come by https."""
        return self._doors.secure

    def bind(self, routes: Iterable[Route]) -> list[web.RouteDef]:
        """The handlers. HEAD is answered wherever GET is."""
        return [
            web.get(route.path, self._handler(route))
            if route.method == "GET"
            else web.route(route.method, route.path, self._handler(route))
            for route in routes
        ]

    def _handler(self, route: Route) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def handle(request: web.Request) -> web.StreamResponse:
            if route.needs is Open.SCRAPERS:
                return await self._for_programs(route, request)
            if route.needs is Open.STATIC:
                return await self._unasked(route, request)
            return await _Visit(self, route, request).answer()

        return handle

    async def _for_programs(self, route: Route, request: web.Request) -> web.StreamResponse:
        """Health and metrics: without the database, which may be what is out."""
        if not self._doors.is_from_this_machine(request):
            raise web.HTTPForbidden(text="for programs on this machine\n")
        return await self._unasked(route, request)

    async def _unasked(self, route: Route, request: web.Request) -> web.StreamResponse:
        """Answer without looking at who asks."""
        assert route.stream is not None, f"{route.path} answers on the service's own loop"
        ask = Ask(method="GET", path=request.path, texts=self._texts[LANGUAGES[0]], person=None)
        return await route.stream(ask, request)

    @property
    def only_own_names(self) -> Middleware:
        """Refuses requests that call us by a name that is not ours: 421.

        A page of another site can point its own name at this address and read what is served there (DNS
        rebinding). The browser still sends that name.
        """

        @web.middleware
        async def answer(request: web.Request, handler: Handler) -> web.StreamResponse:
            if not self._doors.answers_to(request.headers.get("Host", "")):
                raise web.HTTPMisdirectedRequest(text="this server has another name\n")
            return await handler(request)

        return answer

    @property
    def strayed(self) -> Middleware:
        """Paints the page for an address that is none of ours; programs are told in JSON."""

        @web.middleware
        async def answer(request: web.Request, handler: Handler) -> web.StreamResponse:
            if request.match_info.http_exception is None:
                return await handler(request)
            error = request.match_info.http_exception
            page: web.Response
            if request.path.startswith(_FOR_PROGRAMS):
                page = web.json_response({"error": error.reason}, status=error.status)
            else:
                page = await self._run(self._refusal(self.ask_of(request, NOBODY), error.status))
            if "Allow" in error.headers:
                page.headers["Allow"] = error.headers["Allow"]
            return page

        return answer

    async def _refusal(self, ask: Ask, status: int) -> web.Response:
        return self._painter.refusal(ask, status)

    # ── Used by each visit ───────────────────────────────────────────────────────────────────────────────────

    async def who(self, request: web.Request, *, tokens: bool) -> Caller:
        """Who asks; in the back room."""
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if tokens and scheme.lower() == "bearer":
            person = await self._keeper.bearer(token.strip())
            if person is None:
                raise Refused(401, "the token is not known, or over")
            return Caller(person, by_token=True)
        secret = self._doors.session_of(request)
        visitor = await self._keeper.visitor(secret) if secret else None
        if visitor is None:
            return Caller(secret=self._doors.visit_of(request))
        account = visitor.account
        return Caller(
            visitor.person,
            visitor.session.id,
            secret,
            must_change=account.must_change,
            must_set_code=self._keeper.needs_second_factor(account) and not account.second_factor,
        )

    def texts_for(self, request: web.Request, person: Person | None) -> Texts:
        """The language asked for just now, or before, or chosen by the person, or by the browser."""
        asked = request.query.get("lang") or self._doors.language_of(request) or (person and person.language)
        return self._texts[choose_language(asked or None, request.headers.get("Accept-Language", ""))]

    def ask_of(self, request: web.Request, caller: Caller) -> Ask:
        """The request without its body."""
        headers = CIMultiDict(request.headers)
        for name in _KEPT_BACK:
            headers.popall(name, None)
        return Ask(
            method=request.method,
            path=request.path,
            texts=self.texts_for(request, caller.person),
            person=caller.person,
            csrf=csrf_of(caller.secret),
            params=dict(request.match_info),
            query=MultiDictProxy(MultiDict(request.query)),
            headers=headers,
            remote=self._doors.address(request),
            session=caller.session,
            flash=self._doors.flash_of(request),
        )


class _Visit:
    """One request on its way through."""

    def __init__(self, gate: Gate, route: Route, request: web.Request) -> None:
        self._gate = gate
        self._route = route
        self._request = request
        self._caller = NOBODY
        self._new_visit = ""
        self._ask = gate.ask_of(request, NOBODY)

    async def answer(self) -> web.StreamResponse:
        """The page, or why there is none."""
        try:
            answer = await self._let_through()
        except (Refused, StorageUnavailable, web.HTTPRequestEntityTooLarge) as error:
            answer = await self._gate._run(self._refusal(_refused(error)))
        await self._note_refusal(answer.status)
        self._remember(answer)
        return answer

    async def _note_refusal(self, status: int) -> None:
        person, refusals, request = self._caller.person, self._gate._refusals, self._request
        if status == _FORBIDDEN and person is not None and refusals is not None:
            resource = request.match_info.route.resource
            page = resource.canonical if resource else self._route.path
            await self._gate._run(refusals.note(person, request.method, page, request.match_info))

    async def _let_through(self) -> web.StreamResponse:
        route, request, run = self._route, self._request, self._gate._run
        self._not_too_often()
        self._known(await run(self._gate.who(request, tokens=route.api)))
        elsewhere = self._let_in()
        if elsewhere is not None:
            return elsewhere
        body = b""
        if request.method not in _SAFE:
            self._from_our_page()
            body = await read_body(request, route.largest_body)
        if route.stream is not None:
            self._has_token(Form())
            return await self._followed()
        return await run(self._carried_out(body))

    def _known(self, caller: Caller) -> None:
        if not caller.secret and not caller.by_token:
            self._new_visit = secrets.token_urlsafe(24)
            caller = replace(caller, secret=self._new_visit)
        self._caller = caller
        self._ask = self._gate.ask_of(self._request, caller)

    def _not_too_often(self) -> None:
        if self._gate._limits is None:
            return
        secret = self._request.headers.get("Authorization") or self._gate._doors.session_of(self._request)
        wait_s = self._gate._limits.wait_s(self._ask.remote, hashed(secret) if secret else "")
        if wait_s:
            raise Refused(429, "too many requests", wait_s)

    # ── Rules ────────────────────────────────────────────────────────────────────────────────────────────────

    def _let_in(self) -> web.Response | None:
        """``None`` for who may go on; where to go instead. Raises Refused."""
        needs, person = self._route.needs, self._caller.person
        if needs is Open.ANYONE:
            return None
        if person is None:
            return self._to_login()
        if self._caller.must_change and self._route.path not in _WITH_A_BORROWED_PASSWORD:
            if self._route.api:
                raise Refused(403, "the password must be changed first")
            return web.Response(status=303, headers={"Location": CHANGE_PASSWORD})
        if self._caller.must_set_code and self._route.path not in _BEFORE_THE_SECOND_FACTOR:
            if self._route.api:
                raise Refused(403, "a second factor must be set up first")
            return web.Response(status=303, headers={"Location": SET_CODE})
        if needs is Open.SIGNED_IN:
            return None
        assert not isinstance(needs, Open)
        if not any(person.may(right) for right in (needs if isinstance(needs, tuple) else (needs,))):
            raise Refused(403, "the right is missing")
        return None

    def _to_login(self) -> web.Response:
        if self._ask.partial:  # htmx would put the page for signing in where the part was to be
            here = urlsplit(self._request.headers.get("HX-Current-URL", ""))
            return web.Response(status=401, headers={"HX-Redirect": _login(here.path, here.query)})
        if self._route.api or not self._is_navigation():
            raise Refused(401, "sign in, or send a token")
        own = self._request.rel_url if self._request.method in _SAFE else None
        location = _login(own.path, own.query_string) if own else "/login"
        return web.Response(status=303, headers={"Location": location})

    def _is_navigation(self) -> bool:
        """Whether a person would see the page for signing in, rather than a script that expects something else."""
        mode = self._request.headers.get("Sec-Fetch-Mode")
        if mode is not None:
            return mode == "navigate"
        return self._route.stream is None or "text/html" in self._request.headers.get("Accept", "")

    def _from_our_page(self) -> None:
        """Raises Refused for a form that a page of others sent, or that may be."""
        if self._caller.by_token:
            return
        site = self._request.headers.get("Sec-Fetch-Site")
        origin = self._request.headers.get("Origin")
        own = self._gate._doors.is_own_origin(origin, self._request.headers.get("Host", "")) if origin else None
        if own is False or site not in (None, "same-origin") or (own is None and site is None):
            raise Refused(403, "this was not sent by a page of ours")

    def _has_token(self, form: Form) -> None:
        if self._request.method in _SAFE or self._caller.by_token:
            return
        told = self._request.headers.get("X-CSRF-Token") or form.fields.get("csrf") or ""
        if not hmac.compare_digest(told.encode("utf-8", "replace"), csrf_of(self._caller.secret).encode()):
            raise Refused(403, "the form's token is missing or another session's")

    # ── Carrying out ─────────────────────────────────────────────────────────────────────────────────────────

    async def _carried_out(self, body: bytes) -> web.Response:
        """Call the page's handler; in the back room."""
        try:
            form = await parse_form(self._request.headers.get("Content-Type", ""), body) if body else None
        except BadForm:
            return await self._refusal(Refused(400, "the form cannot be read"))
        try:
            self._has_token(form or Form())
            ask = self._ask
            if form is not None:
                ask = replace(ask, form=form.fields, uploads=form.uploads)
            elif body:
                ask = replace(ask, body=body)
            assert self._route.handler is not None
            if ask.person is not None and not self._route.api:
                await self._gate._painter.names.refresh()
            return await self._route.handler(ask)
        except Refused as refused:
            return await self._refusal(refused)
        except AccessDenied as error:
            return await self._refusal(Refused(403, str(error)))
        except web.HTTPException as error:
            return error if error.status < 400 else await self._refusal(Refused(error.status, error.reason))
        except StorageUnavailable as error:
            log.warning("console.books_away", extra={"path": self._route.path, "reason": str(error)})
            return await self._refusal(_refused(error))
        except Exception:
            log.exception("console.page_failed", extra={"path": self._route.path})
            return await self._refusal(Refused(500, "it failed here"))

    async def _followed(self) -> web.StreamResponse:
        """An answer without an end, which ends when its reader may not have it any more."""
        assert self._route.stream is not None
        stream = asyncio.ensure_future(self._route.stream(self._ask, self._request))
        try:
            while not stream.done():
                # Not in step: the lines of a whole shift were opened within the same seconds.
                await asyncio.wait({stream}, timeout=_LOOK_AGAIN_S * _CHANCE.uniform(0.2, 1.0))
                if not stream.done() and not await self._still_let_in():
                    break
            if stream.done():
                return stream.result()
            if self._request.transport:
                self._request.transport.close()
            raise web.HTTPUnauthorized
        finally:
            stream.cancel()

    async def _still_let_in(self) -> bool:
        try:
            self._caller = await self._gate._run(self._gate.who(self._request, tokens=self._route.api))
            return self._let_in() is None
        except StorageUnavailable:
            return True  # the board on the wall stays while the database is away
        except Refused:
            return False

    # ── Answering ────────────────────────────────────────────────────────────────────────────────────────────

    async def _refusal(self, refused: Refused) -> web.Response:
        """In JSON for programs, as a page for people."""
        if self._route.api:
            answer = web.json_response({"error": refused.why}, status=refused.status)
        elif refused.status == _AWAY and self._route.while_away and self._gate._doors.session_of(self._request):
            answer = self._gate._painter.page(self._ask, self._route.while_away, status=_AWAY)
        else:
            answer = self._gate._painter.refusal(self._ask, refused.status)
        if refused.wait_s:
            answer.headers["Retry-After"] = str(ceil(refused.wait_s))
        return answer

    def _remember(self, answer: web.StreamResponse) -> None:
        """What the browser is to keep. An answer without an end has sent its headers long ago."""
        if answer.prepared or self._caller.by_token:
            return
        doors, asked = self._gate._doors, self._request.query.get("lang")
        if self._new_visit and self._route.needs is Open.ANYONE:
            doors.keep_visit(answer, self._new_visit)
        if asked in LANGUAGES:
            doors.keep_language(answer, asked)


def _refused(error: Refused | StorageUnavailable | web.HTTPRequestEntityTooLarge) -> Refused:
    if isinstance(error, Refused):
        return error
    if isinstance(error, StorageUnavailable):
        return Refused(_AWAY, "the books cannot be read at the moment")
    return Refused(413, "too large")


def _login(path: str, query: str) -> str:
    here = safe_next(path + (f"?{query}" if query else ""))
    return "/login" if here == "/" else f"/login?next={quote(here, safe='/')}"
