"""Immediate findings: broken rules that somebody must know of within a minute of the call's end (Q1)."""

from __future__ import annotations

from datetime import datetime, timedelta

from aiohttp import web

from calls.ids import CallId
from calls.people import Right
from console.ask import Ask
from console.painter import seen_elsewhere
from console.parts import Parts
from console.quality.desk import PAGE, Desk, reach
from console.routes import Route, get, post
from storage.quality_codec import rule_set_of
from storage.subjects import SqlSubjects

_READERS = (Right.SCORE, Right.LEAD_QUALITY, Right.COACH)
_BACK = timedelta(days=7)


class Findings:
    """``/quality/findings``; the list asks for itself every few seconds."""

    def __init__(self, parts: Parts) -> None:
        self._desk = Desk(parts)
        self._subjects = SqlSubjects(parts.engine)

    def routes(self) -> list[Route]:
        """What it answers."""
        return [
            get("/quality/findings", _READERS, self.findings),
            post("/quality/findings", _READERS, self.take_on),
        ]

    async def findings(self, ask: Ask) -> web.Response:
        """Findings of the last seven days, the newest first; for htmx the list alone."""
        found = await self._desk.figures.urgent(
            reach(ask, *_READERS), self._desk.now() - _BACK, before=_place(ask), limit=PAGE
        )
        last = found[-1] if len(found) == PAGE else None
        return await self._desk.page(
            ask,
            "findings_list" if ask.partial else "findings",
            naming=[each.call_id for each in found],
            findings=found,
            open=sum(each.seen_by is None for each in found),
            more=f"{last.judged_at.isoformat()}_{last.call_id}" if last else "",
            first=_place(ask) is None,
            now=self._desk.now(),
        )

    async def take_on(self, ask: Ask) -> web.Response:
        """Somebody has seen to a finding: by whom and when stays on record."""
        scope = reach(ask, *_READERS)
        call_id, rule = CallId(ask.form.get("call", "")), ask.form.get("rule", "")
        rule_set = rule_set_of(ask.form.get("rule_set", ""))
        found = [each for each in await self._desk.verdicts.verdicts(call_id, rule_set) if each.rule == rule]
        subject = await self._subjects.of(call_id) if found else None
        if subject is None or not scope.covers(subject.section, subject.agent):
            raise web.HTTPNotFound
        await self._desk.figures.seen(call_id, rule_set, rule, ask.who.login, self._desk.now())
        return seen_elsewhere("/quality/findings")


def _place(ask: Ask) -> tuple[datetime, str] | None:
    """Where the next page begins: ``?before=TIME_CALL``."""
    text, _, call_id = ask.query.get("before", "").partition("_")
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (at, call_id) if at.tzinfo and call_id else None
