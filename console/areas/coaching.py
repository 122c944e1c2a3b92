"""Coaching: a finding becomes a task with a due date, and is done (Q1)."""

from __future__ import annotations

from datetime import date

from aiohttp import web

from calls.call import Call
from calls.errors import NotNow
from calls.ids import AgentNumber
from calls.people import Right
from calls.quality import Coaching as Task
from calls.quality import Score
from console.ask import Ask
from console.painter import seen_elsewhere
from console.parts import Parts
from console.quality.desk import PAGE, Desk, before_in, number_in, reach
from console.quality.sheets import read_second
from console.routes import Route, get, post

_EITHER = (Right.COACH, Right.OWN_SCORES)
_LONGEST = 2000


class Coaching:
    """``/quality/coaching``."""

    def __init__(self, parts: Parts) -> None:
        self._desk = Desk(parts)

    def routes(self) -> list[Route]:
        """What it answers."""
        return [
            get("/quality/coaching", _EITHER, self.tasks),
            get("/quality/coaching/new", Right.COACH, self.new),
            post("/quality/coaching", Right.COACH, self.add),
            post("/quality/coaching/{task_id}/done", _EITHER, self.done),
        ]

    async def tasks(self, ask: Ask) -> web.Response:
        """Open tasks within reach, or those that are done; an agent's own."""
        is_open = ask.query.get("done") != "1"
        found = await self._desk.coaching.tasks(
            reach(ask, *_EITHER), is_open=is_open, before=before_in(ask), limit=PAGE
        )
        return await self._desk.page(
            ask,
            "coaching",
            naming=[task.call_id for task in found],
            tasks=found,
            last=found[-1].task_id if len(found) == PAGE else None,
            is_open=is_open,
            today=self._today(),
        )

    async def new(self, ask: Ask) -> web.Response:
        """The form of a task, about a call or a score."""
        call, score = await self._about(ask, ask.query.get("call", ""), ask.query.get("score", ""))
        return await self._new(ask, call, score, [])

    async def add(self, ask: Ask) -> web.Response:
        """Make a task."""
        call, score = await self._about(ask, ask.form.get("call", ""), ask.form.get("score", ""))
        text = ask.form.get("text", "").strip()
        due = _date(ask.form.get("due", ""))
        faults = []
        if not 0 < len(text) <= _LONGEST:
            faults.append("text")
        if due is None or due < self._today():
            faults.append("due")
        if faults or due is None:
            return await self._new(ask, call, score, faults)
        assert call.connected is not None, "call_within lets no other through"
        await self._desk.coaching.add(
            Task(
                task_id=0,
                agent=call.connected.agent,
                section=call.section,
                text=text,
                due=due,
                made_by=ask.who.login,
                made_at=self._desk.now(),
                call_id=call.call_id,
                at_s=read_second(ask.form.get("at", "")),
                score_id=score.score_id if score else None,
            )
        )
        return seen_elsewhere("/quality/coaching", "quality_flash.done")

    async def done(self, ask: Ask) -> web.Response:
        """The coach, or the agent, says that it is done."""
        task = await self._desk.coaching.task(number_in(ask, "task_id"))
        if task is None or not reach(ask, *_EITHER).covers(task.section, task.agent):
            raise web.HTTPNotFound
        note = ask.form.get("note", "").strip()[:_LONGEST]
        try:
            await self._desk.coaching.done(task.task_id, ask.who.login, self._desk.now(), note)
        except NotNow:
            return seen_elsewhere("/quality/coaching", "quality_flash.overtaken_short")
        return seen_elsewhere("/quality/coaching", "quality_flash.done")

    async def _about(self, ask: Ask, call_id: str, score_id: str) -> tuple[Call, Score | None]:
        """What the task is about. Raises HTTPNotFound for what the coach may not reach."""
        score = None
        if score_id.isascii() and score_id.isdigit() and len(score_id) < 10:
            score = await self._desk.scores.score(int(score_id))
            if score is None or not ask.scope(Right.COACH).covers(score.section, score.agent):
                raise web.HTTPNotFound
            call_id = score.call_id
        return await self._desk.call_within(ask, call_id, Right.COACH), score

    async def _new(self, ask: Ask, call: Call, score: Score | None, faults: list[str]) -> web.Response:
        assert call.connected is not None, "call_within lets no other through"
        agent: AgentNumber = call.connected.agent
        return await self._desk.page(
            ask,
            "coaching_new",
            status=422 if faults else 200,
            naming=[call.call_id],
            call=call,
            agent=agent,
            score=score,
            faults=faults,
            at=ask.form.get("at", ask.query.get("at", "")),
            text=ask.form.get("text", ""),
            due=ask.form.get("due", ""),
            today=self._today().isoformat(),
        )

    def _today(self) -> date:
        return self._desk.now().astimezone(self._desk.parts.zone).date()


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
