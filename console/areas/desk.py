"""The agent's desk: the call at their telephone, notes on it, and the form that files it (A5, A7, C2)."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Mapping
from datetime import timedelta

from aiohttp import web

from calls.custody import Access, AccessKind
from calls.desk import DeskNow
from calls.errors import AmiError, CaseConflict
from calls.filing import Edit, Notes, UnfiledCall
from calls.ids import AgentNumber, CallId, SectionId, is_unique_id
from calls.people import Right
from console.ask import Ask
from console.binding import bind
from console.desk import form as form_view
from console.desk.ports import DeskParts, NotFiled
from console.desk.view import Wording, desk_view, instant
from console.desk.wrap_up import KINDS, LONGEST, Problem, Situation, read
from console.page import Blank
from console.painter import seen_elsewhere
from console.parts import Parts
from console.routes import Route, post

SEND_TIMEOUT_S = 30.0
"""A reader who takes nothing for so long is let go; its browser comes back by itself."""
RECONNECT_MS = 1000
PAUSES = ("break", "meal", "training", "paperwork")
"""Reasons for a pause that a desk offers."""

_UNFILED_SINCE = timedelta(days=7)
_NOT_YET_S = 2.0
"""The books have a call a moment after it was answered; a page that asks earlier waits for so long."""
_LOOK_S = 0.1
_LARGEST = 2 * 1024 * 1024
"""Bytes of notes with what they were before; a letter may take nine."""


class DeskArea:
    """Pages of the desk. An agent reaches the calls that came to their own telephone, and no others (P1)."""

    def __init__(self, parts: Parts, desk: DeskParts) -> None:
        self._parts = parts
        self._desk = desk
        parts.painter.environment.globals |= {"bind": bind, "blank": Blank()}

    def routes(self) -> list[Route]:
        """What it answers."""
        needs = Right.FILE_CASES
        here = "/desk/calls/{call_id}"
        return [
            Route(method="GET", path="/desk", needs=needs, handler=self.page, while_away="desk/away.html.j2"),
            Route(method="GET", path="/desk/events", needs=needs, stream=self.events, api=True),
            Route(method="GET", path="/desk/now", needs=needs, stream=self.now, api=True),
            post("/desk/state", needs, self.set_state),
            Route(method="POST", path=f"{here}/notes", needs=needs, handler=self.save, largest_body=_LARGEST),
            Route(method="POST", path=f"{here}/file", needs=needs, handler=self.file, largest_body=_LARGEST),
            post(f"{here}/number", needs, self.number),
            post(f"{here}/discard", needs, self.discard),
        ]

    # ── The line ─────────────────────────────────────────────────────────────────────────────────────────────

    async def events(self, ask: Ask, request: web.Request) -> web.StreamResponse:
        """Server-sent desks: one at once, then the present one whenever something changed, and as a heartbeat."""
        agent = _agent(ask)
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "X-Accel-Buffering": "no"})
        await response.prepare(request)
        await response.write(f"retry: {RECONNECT_MS}\n\n".encode())
        changes = self._desk.desks.changes(agent, ask.who.login)
        with contextlib.suppress(ConnectionResetError, TimeoutError):  # the reader left, or takes nothing
            async with contextlib.aclosing(changes):
                async for now in changes:
                    async with asyncio.timeout(SEND_TIMEOUT_S):
                        await response.write(f"event: desk\ndata: {self._told(ask, now)}\n\n".encode())
        return response

    async def now(self, ask: Ask, request: web.Request) -> web.StreamResponse:
        """The same once, for pages whose line does not get through."""
        now = await self._desk.desks.read(_agent(ask), ask.who.login)
        return web.Response(text=self._told(ask, now), content_type="application/json")

    def _told(self, ask: Ask, now: DeskNow) -> str:
        # Who signed in again in another window has a new token; what this page keeps is saved with it.
        return json.dumps(desk_view(now, self._words(ask)) | {"csrf": ask.csrf}, ensure_ascii=False)

    # ── The page ─────────────────────────────────────────────────────────────────────────────────────────────

    async def page(self, ask: Ask) -> web.Response:
        """The desk; ``?call=`` chooses the call whose form is open."""
        agent = ask.who.agent
        if agent is None:
            return self._parts.painter.page(ask, "desk/nobody.html.j2", status=403)
        asked = ask.query.get("call", "")
        call = await self._mine(agent, asked) if asked else None
        notes = await self._desk.books.notes(call.call_id) if call else None
        filed = await self._desk.books.filed_as(call.call_id) if call else []
        return await self._paint(ask, agent, call, notes, filed=filed)

    async def _paint(
        self,
        ask: Ask,
        agent: AgentNumber,
        call: UnfiledCall | None,
        notes: Notes | None,
        *,
        filed: list[str] | None = None,
        problems: tuple[Problem, ...] = (),
        trouble: str = "",
        status: int = 200,
    ) -> web.Response:
        now, words = self._parts.clock.now(), self._words(ask)
        unfiled = await self._desk.books.unfiled(agent, now - _UNFILED_SINCE)
        if call and call.caller:
            reason = "the desk's form of a call of theirs"
            await self._parts.accesses.note(Access(ask.who.login, AccessKind.CALLER, reason, call.call_id))
        shown = form_view.Shown(
            call=call,
            notes=notes or Notes(CallId("")),
            sections=self._sections(ask),
            catalogue=self._desk.catalogue,
            problems=problems,
            filed=tuple(filed or ()),
        )
        return self._parts.painter.page(
            ask,
            "desk/desk.html.j2",
            status=status,
            agent=agent,
            form=form_view.form(shown, words, now),
            unfiled=[form_view.line(each, words, now) for each in unfiled],
            pauses=PAUSES,
            trouble=trouble,
            just_filed=ask.query.get("filed", "")[:40],
            just_filed_at=form_view.where(ask.query.get("filed", "")[:40]),
            time_zone=self._parts.zone.key,
            now=instant(now),
        )

    # ── The agent's state ────────────────────────────────────────────────────────────────────────────────────

    async def set_state(self, ask: Ask) -> web.Response:
        """Log in or out, pause or go on, by the same actions as ``sansheng agent``."""
        agent, phones = _agent(ask), self._desk.telephones
        reason = ask.form.get("reason", "")
        try:
            match ask.form.get("do"):
                case "login":
                    await phones.log_in(agent)
                case "logout":
                    await phones.log_out(agent)
                case "pause" if reason in PAUSES:
                    await phones.pause(agent, reason)
                case "unpause":
                    await phones.unpause(agent)
                case _:
                    raise web.HTTPBadRequest
        except AmiError as error:
            if ask.headers.get("Accept") == "application/json":
                return web.json_response({"done": False}, status=503)
            trouble = ask.texts("desk.no_asterisk", error=str(error))
            return await self._paint(ask, agent, None, None, trouble=trouble, status=503)
        if ask.headers.get("Accept") == "application/json":
            return web.json_response({"done": True})
        return seen_elsewhere("/desk")

    # ── Notes and filing ─────────────────────────────────────────────────────────────────────────────────────

    async def save(self, ask: Ask) -> web.Response:
        """Keep what a window wrote; answers with the notes as they are then, others' words included."""
        agent = _agent(ask)
        call = await self._mine(agent, ask.params["call_id"])
        edits = _edits(ask.form)
        if edits is None:
            return web.json_response({"refused": ask.texts("desk.too_long")}, status=422)
        books = self._desk.books
        if edits:
            notes = await books.save(call.call_id, edits, KINDS, ask.who.login, self._parts.clock.now())
        else:
            notes = await books.notes(call.call_id)
        filed = await books.filed_as(call.call_id)
        return web.json_response(
            {
                "version": notes.version,
                "fields": dict(notes.fields),
                "filed": [ask.texts.named("desk_outcome", each) for each in filed],
                "call": form_view.line(call, self._words(ask), self._parts.clock.now()),
            }
        )

    async def file(self, ask: Ask) -> web.Response:
        """File the call, or say what is missing with everything that was typed still there."""
        agent = _agent(ask)
        call = await self._mine(agent, ask.params["call_id"])
        fields = {name: ask.form[name] for name in KINDS if name in ask.form}
        version = _count(ask.form.get("version", ""))
        situation = Situation(
            call=call,
            agent=agent,
            login=ask.who.login,
            sections=self._sections(ask),
            catalogue=self._desk.catalogue,
            now=self._parts.clock.now(),
            zone=self._parts.zone,
        )
        read_as = read(fields, situation)
        typed = Notes(call.call_id, version, fields)
        if isinstance(read_as, tuple):
            return await self._paint(ask, agent, call, typed, problems=read_as, status=422)
        try:
            number = await self._desk.filing.file(read_as, call, agent, ask.form.get("key", ""), ask.who)
        except NotFiled as error:
            return await self._paint(ask, agent, call, typed, problems=error.problems, status=422)
        except CaseConflict:
            trouble = ask.texts("desk.filed_twice")
            return await self._paint(ask, agent, call, typed, trouble=trouble, status=409)
        await self._desk.books.forget(call.call_id, version)
        return seen_elsewhere(f"/desk?filed={number}")

    async def discard(self, ask: Ask) -> web.Response:
        """Notes that were left over after the call was filed are not wanted."""
        call = await self._mine(_agent(ask), ask.params["call_id"])
        if await self._desk.books.filed_as(call.call_id):
            await self._desk.books.forget(call.call_id, _count(ask.form.get("version", "")))
        return seen_elsewhere("/desk")

    async def number(self, ask: Ask) -> web.Response:
        """The caller's whole number, for the agent who serves the call: noted first, then shown (P1)."""
        agent, call_id = _agent(ask), _call_id(ask.params["call_id"])
        caller = await self._desk.books.caller_at(agent, call_id)
        if caller is None:
            raise web.HTTPNotFound
        reason = "the whole number, asked for at the desk"
        await self._parts.accesses.note(Access(ask.who.login, AccessKind.CALLER, reason, call_id))
        return web.json_response({"number": caller})

    async def _mine(self, agent: AgentNumber, asked: str) -> UnfiledCall:
        """The call, if this agent answered it; else 404. The books may be a moment behind the telephone."""
        call_id = _call_id(asked)
        ends = asyncio.get_running_loop().time() + _NOT_YET_S
        while (call := await self._desk.books.answered(agent, call_id)) is None:
            if asyncio.get_running_loop().time() > ends:
                raise web.HTTPNotFound
            await asyncio.sleep(_LOOK_S)
        return call

    def _sections(self, ask: Ask) -> tuple[SectionId, ...]:
        scope = ask.scope(Right.FILE_CASES)
        return tuple(section for section in self._parts.sections if scope.covers(section))

    def _words(self, ask: Ask) -> Wording:
        return Wording(ask.texts, self._parts.zone, self._parts.sections, self._desk.catalogue.category_name)


def _agent(ask: Ask) -> AgentNumber:
    if ask.who.agent is None:
        raise web.HTTPForbidden
    return ask.who.agent


def _call_id(asked: str) -> CallId:
    if not is_unique_id(asked):
        raise web.HTTPNotFound
    return CallId(asked)


def _edits(form: Mapping[str, str]) -> dict[str, Edit] | None:
    """What a window changed: ``text.NAME`` from ``base.NAME``; ``None`` if it is too much to keep."""
    found = {
        name: Edit(form.get(f"base.{name}", ""), form[f"text.{name}"]) for name in KINDS if f"text.{name}" in form
    }
    too_long = any(len(edit.text) > 5 * LONGEST or len(edit.base) > 5 * LONGEST for edit in found.values())
    return None if too_long else found


def _count(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 10 else 0
