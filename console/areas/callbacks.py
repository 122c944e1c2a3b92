"""Calling back from the desk: the list in its order, the one in hand, and what came of it (A5, C4)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from aiohttp import web

from calls.callbacks import CASE_IS, SERVED_IN, Attempt, CallBack, CallbackState
from calls.custody import Access, AccessKind
from calls.desk import masked
from calls.errors import CallbackError, NumberRefused
from calls.filing import CallbackResult, DeskFiling, Outcome
from calls.ids import AgentNumber
from calls.people import Right
from console.ask import Ask
from console.desk.ports import DeskParts
from console.desk.view import View, Wording
from console.painter import seen_elsewhere
from console.parts import Parts
from console.routes import Route, get, post

_OVER = (CallbackState.KEPT, CallbackState.BROKEN)
_LONGEST = 500


class CallbackArea:
    """``/callbacks``: agents take the next or choose one; the service rings them first, then the caller."""

    def __init__(self, parts: Parts, desk: DeskParts) -> None:
        self._parts = parts
        self._desk = desk

    def routes(self) -> list[Route]:
        """What it answers."""
        needs, here = Right.FILE_CASES, "/callbacks/{number}"
        return [
            get("/callbacks", needs, self.page),
            get(here, needs, self.one),
            post("/callbacks/next", needs, self.take_next),
            post(f"{here}/take", needs, self.take),
            post(f"{here}/dial", needs, self.dial),
            post(f"{here}/let-go", needs, self.let_go),
            post(f"{here}/result", needs, self.result),
            post(f"{here}/number", needs, self.number),
        ]

    async def page(self, ask: Ask) -> web.Response:
        """The list, and what is in hand."""
        return await self._paint(ask)

    async def one(self, ask: Ask) -> web.Response:
        """One call-back with its attempts."""
        return await self._paint(ask, await self._reachable(ask))

    async def take_next(self, ask: Ask) -> web.Response:
        """The first in line whose time has come."""
        try:
            taken = await self._desk.callbacks.take_next(_agent(ask))
        except CallbackError as error:
            return await self._refused(ask, error)
        return seen_elsewhere(f"/callbacks/{taken.number}" if taken else "/callbacks?none=1")

    async def take(self, ask: Ask) -> web.Response:
        """This one, out of turn."""
        callback = await self._reachable(ask)
        try:
            await self._desk.callbacks.take(callback.number, _agent(ask))
        except CallbackError as error:
            return await self._refused(ask, error)
        return seen_elsewhere(f"/callbacks/{callback.number}")

    async def dial(self, ask: Ask) -> web.Response:
        """Ring the agent, then the caller."""
        callback = await self._in_hand(ask)
        try:
            await self._desk.callbacks.dial(callback.number, _agent(ask))
        except (CallbackError, NumberRefused) as error:
            return await self._refused(ask, error, callback)
        return seen_elsewhere(f"/callbacks/{callback.number}")

    async def let_go(self, ask: Ask) -> web.Response:
        """Back into the list."""
        callback = await self._in_hand(ask)
        try:
            await self._desk.callbacks.let_go(callback.number, ask.who.login)
        except CallbackError as error:
            return await self._refused(ask, error, callback)
        return seen_elsewhere("/callbacks")

    async def result(self, ask: Ask) -> web.Response:
        """What came of it, by the agent's word; whether the caller was reached Asterisk tells by itself."""
        callback = await self._in_hand(ask)
        said, remark = ask.form.get("result", ""), ask.form.get("remark", "").strip()
        if said not in set(CallbackResult) or len(remark) > _LONGEST:
            trouble = ask.texts("callbacks.choose_result")
            return await self._paint(ask, callback, trouble=trouble, remark=remark, status=422)
        others = await self._desk.callbacks.together(callback)
        try:
            await self._settle(ask, callback, CallbackResult(said))
        except CallbackError as error:
            return await self._refused(ask, error, callback, remark)
        attempts = await self._desk.callbacks.attempts(callback.number)
        if attempts:
            numbers = sorted({callback.number, *(each.number for each in others)})
            await self._desk.books.file(
                DeskFiling(
                    call_id=attempts[-1].id,
                    outcome=Outcome.CALLBACK,
                    at=self._parts.clock.now(),
                    by=ask.who.login,
                    agent=_agent(ask),
                    ref=", ".join(map(str, numbers)),
                    reason=said,
                    remark=remark,
                )
            )
        return seen_elsewhere("/callbacks")

    async def _settle(self, ask: Ask, callback: CallBack, said: CallbackResult) -> None:
        over, callbacks = callback.state in _OVER, self._desk.callbacks
        if said is CallbackResult.SETTLED and not over:
            raise CallbackError(ask.texts("callbacks.not_reached_yet"))
        if said is CallbackResult.NOT_THE_CALLER and over:
            await callbacks.again(callback.number, ask.who.login)
        elif said in (CallbackResult.WRONG_NUMBER, CallbackResult.DECLINED) and not over:
            await callbacks.give_up(callback.number, ask.who.login, said)

    async def number(self, ask: Ask) -> web.Response:
        """The whole number, for the agent who has the call-back in hand: noted first (P1)."""
        callback = await self._in_hand(ask)
        reason = f"the whole number of call-back {callback.number}"
        await self._parts.accesses.note(Access(ask.who.login, AccessKind.CALLER, reason, callback.call_id))
        return web.json_response({"number": callback.telephone})

    # ── Painting ─────────────────────────────────────────────────────────────────────────────────────────────

    async def _paint(
        self,
        ask: Ask,
        shown: CallBack | None = None,
        *,
        trouble: str = "",
        remark: str = "",
        status: int = 200,
    ) -> web.Response:
        scope, now = ask.scope(Right.FILE_CASES), self._parts.clock.now()
        sections = None if scope.everything else scope.sections
        waiting = await self._desk.callbacks.waiting(sections)
        mine = next((each for each in waiting if each.agent and each.agent == ask.who.agent), None)
        chosen = shown or mine
        again = await self._desk.callbacks.called_again([*waiting, *([chosen] if chosen else [])])
        words = Wording(ask.texts, self._parts.zone, self._parts.sections, self._desk.catalogue.category_name)
        attempts = await self._desk.callbacks.attempts(chosen.number) if chosen else []
        return self._parts.painter.page(
            ask,
            "desk/callbacks.html.j2",
            status=status,
            chosen=_view(chosen, words, now, ask.who.agent, again) if chosen else None,
            along=[_view(each, words, now, ask.who.agent, again) for each in await self._along(chosen, waiting)],
            attempts=[
                _attempt(each, words, now) | {"href": f"/calls/{each.id}" if _hears(ask, chosen, each) else ""}
                for each in attempts
            ],
            waiting=[
                _view(each, words, now, ask.who.agent, again) | {"along": n > 0}
                for group in _by_number(waiting)
                for n, each in enumerate(group)
            ],
            results=[(each.value, ask.texts(f"callback_result.{each}")) for each in CallbackResult],
            trouble=trouble,
            remark=remark,
            none="none" in ask.query,
        )

    async def _along(self, chosen: CallBack | None, waiting: Sequence[CallBack]) -> list[CallBack]:
        """The others of its number: what is served with it, or would be."""
        if chosen is None:
            return []
        if chosen.state is not CallbackState.WAITING:
            return await self._desk.callbacks.together(chosen)
        return [each for each in waiting if each.telephone == chosen.telephone and each.number != chosen.number]

    async def _refused(
        self, ask: Ask, error: Exception, callback: CallBack | None = None, remark: str = ""
    ) -> web.Response:
        """Somebody was faster, or it is not the hour for it: in words, nothing lost."""
        trouble = ask.texts("callbacks.refused", why=str(error))
        return await self._paint(ask, callback, trouble=trouble, remark=remark, status=409)

    async def _reachable(self, ask: Ask) -> CallBack:
        """The call-back, if it is of a section of theirs or in their hands; else 404."""
        asked = ask.params["number"]
        number = int(asked) if asked.isdecimal() and len(asked) < 10 else 0
        callback = await self._desk.callbacks.get(number)
        scope = ask.scope(Right.FILE_CASES)
        if callback is None or not (
            callback.section is None
            or scope.covers(callback.section)
            or (callback.agent is not None and callback.agent == ask.who.agent)
        ):
            raise web.HTTPNotFound
        return callback

    async def _in_hand(self, ask: Ask) -> CallBack:
        """The call-back, if this agent has it, or reached its caller; else 404."""
        callback = await self._reachable(ask)
        if callback.agent is None or callback.agent != ask.who.agent:
            raise web.HTTPNotFound
        return callback


def _by_number(waiting: Sequence[CallBack]) -> Iterable[list[CallBack]]:
    """In line as they are, those of one telephone number at the place of its first."""
    groups: dict[str, list[CallBack]] = {}
    for each in waiting:
        groups.setdefault(each.telephone, []).append(each)
    return groups.values()


def _why(note: str, words: Wording) -> str:
    """Why nobody calls any more, of one that was withdrawn."""
    if note.startswith(CASE_IS):
        state = words.texts(f"case_state.{note.removeprefix(CASE_IS)}")
        return words.texts("case_page.calling_withdrawn", state=state)
    return words.texts("callbacks.served_meanwhile") if note.startswith(SERVED_IN) else ""


def _view(
    callback: CallBack, words: Wording, now: datetime, agent: AgentNumber | None, again: Mapping[int, datetime]
) -> View:
    texts, mine = words.texts, callback.agent is not None and callback.agent == agent
    return {
        "number": callback.number,
        "href": f"/callbacks/{callback.number}",
        "telephone": masked(callback.telephone),
        "origin": texts(f"desk_origin.{callback.origin}"),
        "section": words.section(callback.section) or "–",
        "language": texts.named("language", callback.language),
        "priority": callback.priority,
        "due": words.moment(callback.due_at, now),
        "late": callback.open and callback.broken_at(now),
        "not_yet": words.moment(callback.not_before, now) if callback.not_before > now else "",
        "state": texts(f"desk_promise.{callback.state}"),
        "why": _why(callback.note, words),
        "again": words.moment(again[callback.number], now) if callback.number in again else "",
        "served_in": f"/calls/{call}" if (call := callback.note.partition(SERVED_IN)[2]) else "",
        "attempts": callback.attempts,
        "agent": callback.agent or "",
        "mine": mine,
        "waiting": callback.state is CallbackState.WAITING,
        "taken": callback.state is CallbackState.TAKEN,
        "dialling": callback.state is CallbackState.DIALLING,
        "over": callback.state in _OVER,
        "call": f"/calls/{callback.call_id}" if callback.call_id else "",
        "case": f"/cases/{callback.case_id}" if callback.case_id else "",
        "case_id": callback.case_id or "",
    }


def _hears(ask: Ask, callback: CallBack | None, attempt: Attempt) -> bool:
    """Whether the asker may open the recording."""
    section = callback.section if callback else None
    return attempt.has_recording and ask.scope(Right.READ_CALLS).covers(section, attempt.agent)


def _attempt(attempt: Attempt, words: Wording, now: datetime) -> View:
    return {
        "number": attempt.attempt,
        "at": words.moment(attempt.began_at, now),
        "agent": attempt.agent,
        "outcome": words.texts(f"callback_outcome.{attempt.outcome}") if attempt.outcome else "…",
    }


def _agent(ask: Ask) -> AgentNumber:
    if ask.who.agent is None:
        raise web.HTTPForbidden
    return ask.who.agent
