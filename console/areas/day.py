"""An agent's own day: calls, rings kept, talk time, ratings, what is not filed, tasks and scores (K, Q3)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from aiohttp import web

from calls.figures import Figure, Unit
from calls.ids import AgentNumber
from calls.measures import Slice
from calls.people import Right
from calls.periods import Grain, Period
from calls.quality import ScoreState
from console.ask import Ask
from console.call_filters import DENOMINATOR, NUMERATOR, behind_figure
from console.desk.ports import DeskParts
from console.desk.view import View
from console.parts import Parts
from console.routes import Route, get
from metrics.kpi.figures import why_undefined
from storage.coaching import SqlCoaching
from storage.scores import ScoreFilter, SqlScores

FIGURES = ("K2r", "AHT", "OCC", "K3", "K3p", "K4")
"""Indicators of an agent, in the order in which they are shown."""

_UNFILED_SINCE = timedelta(days=7)
_BACK = timedelta(days=62)
"""How far back days can be looked at here."""
_SHOWN = 5
_TOLD = frozenset(ScoreState) - {ScoreState.OPEN}
"""Scores that the agent has been told."""


@dataclass(frozen=True, slots=True)
class _Day:
    period: Period
    agent: AgentNumber


class DayArea:
    """``/day``: figures by the catalogue, each open to the calls behind it; nobody sees another's day here."""

    def __init__(self, parts: Parts, desk: DeskParts) -> None:
        self._parts = parts
        self._desk = desk
        self._coaching = SqlCoaching(parts.engine)
        self._scores = SqlScores(parts.engine)

    def routes(self) -> list[Route]:
        """What it answers."""
        return [get("/day", Right.OWN_SCORES, self.page)]

    async def page(self, ask: Ask) -> web.Response:
        """Today, or ``?day=2026-11-24``."""
        agent = ask.who.agent
        if agent is None:
            return self._parts.painter.page(ask, "desk/nobody.html.j2", status=403)
        now, zone = self._parts.clock.now(), self._parts.zone
        today = Period.containing(now, Grain.DAY, zone)
        period = _asked(ask.query.get("day", ""), today)
        since, until = period.span
        books, scope = self._desk.books, ask.scope(Right.OWN_SCORES)
        earlier, later = period.day - timedelta(days=1), period.day + timedelta(days=1)
        return self._parts.painter.page(
            ask,
            "desk/day.html.j2",
            day=period.day,
            earlier=earlier if today.day - earlier <= _BACK else None,
            later=later if later <= today.day else None,
            figures=await self._figures(ask, _Day(period, agent)),
            counts=await books.own_counts(agent, since, until),
            unfiled=len(await books.unfiled(agent, now - _UNFILED_SINCE)),
            tasks=await self._coaching.tasks(scope, is_open=True, limit=_SHOWN),
            scores=await self._scores.page(ScoreFilter(scope=scope, states=_TOLD), limit=_SHOWN),
            calls_href=f"/calls?agent={agent}&from={period.day}&to={period.day}",
        )

    async def _figures(self, ask: Ask, day: _Day) -> list[View]:
        own = Slice(agent=day.agent)
        catalogue = self._parts.figures.catalogue
        kpis = [kpi for name in FIGURES if why_undefined(kpi := catalogue.kpi(name), own, None) is None]
        found = await self._parts.figures.figures([kpi.id for kpi in kpis], [day.period], own)
        by_id = {kpi.id: kpi for kpi in kpis}
        return [
            {
                "name": by_id[figure.kpi].names[ask.texts.language],
                "id": figure.kpi,
                "version": figure.version,
                "value": _value(figure),
                "numerator": _part(figure.numerator),
                "denominator": _part(figure.denominator),
                "numerator_href": behind_figure(figure, by_id[figure.kpi], NUMERATOR, ask.who),
                "denominator_href": behind_figure(figure, by_id[figure.kpi], DENOMINATOR, ask.who),
                "provisional": figure.provisional,
            }
            for figure in found
        ]


def _asked(text: str, today: Period) -> Period:
    """The day asked for; today if it is none, or out of reach."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return today
    if not timedelta(0) <= today.day - day <= _BACK:
        return today
    return Period.containing(datetime.combine(day, time(12), today.zone), Grain.DAY, today.zone)


def _value(figure: Figure) -> str:
    if figure.value is None:
        return "–"
    if figure.unit is Unit.SECONDS:
        minutes, seconds = divmod(round(figure.value), 60)
        return f"{minutes}:{seconds:02}"
    return f"{100 * figure.value:.1f}%"


def _part(number: float) -> str:
    return f"{number:,.0f}" if abs(number - round(number)) < 0.005 else f"{number:,.1f}"
