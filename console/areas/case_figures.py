"""Statistics of complaints: the report's figures on the screen, each opening to its cases; and as files (C7)."""

from __future__ import annotations

import asyncio
from urllib.parse import urlencode

from aiohttp import web

from calls.case_figures import Facet
from calls.custody import AccessKind
from calls.errors import FigureError
from calls.people import Right
from calls.periods import Grain, Period
from cases.cross import crossed
from cases.forecast import TooLittle
from cases.report.charts import pareto_chart, trend_chart
from cases.report.html import to_html
from cases.report.model import Report, gather
from cases.report.words import Words, load_words
from cases.report.xlsx import to_xlsx
from console.ask import Ask
from console.cases.books import CaseBooks
from console.parts import Parts
from console.routes import Route, get

_GRAINS = (Grain.MONTH, Grain.QUARTER, Grain.YEAR)
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class CaseFiguresArea:
    """``/cases/figures``."""

    def __init__(self, parts: Parts) -> None:
        self._books = CaseBooks.of(parts)
        self._parts = parts

    def routes(self) -> list[Route]:
        """What it answers."""
        return [
            get("/cases/figures", Right.READ_CASES, self.page),
            get("/cases/figures/file", Right.EXPORT, self.file),
        ]

    async def page(self, ask: Ask) -> web.Response:
        """The figures of a month, quarter or year, of the cases within reach."""
        trouble, period = "", self._last(Grain.MONTH)
        try:
            period = self._period(ask)
        except FigureError:
            trouble = "case_figures.no_period"
        report, words = await self._made(ask, period)
        days = _days(period)

        def cases(**filters: str | None) -> str:
            return f"/cases?{urlencode({**{name: value or '-' for name, value in filters.items()}, **days})}"

        def of_month(label: str) -> str:
            return f"/cases?{urlencode(_days(Period.parse(label, self._parts.zone)))}"

        return self._parts.painter.page(
            ask,
            "cases/figures.html.j2",
            status=400 if trouble else 200,
            trouble=trouble,
            report=report,
            w=words,
            period=period,
            earlier=period.previous().label,
            later=self._later(period),
            periods=[(grain.value, self._last(grain).label) for grain in _GRAINS],
            cases=cases,
            of_month=of_month,
            cross=crossed(report.cross, words.value, Facet.DEPARTMENT, Facet.TYPE),
            Facet=Facet,
            too_little=isinstance(report.expected, TooLittle),
            pareto_chart=_on_screen(pareto_chart(report.pareto, lambda value: words.value(Facet.CAUSE, value))),
            trend_chart=_on_screen(trend_chart(report.trend, report.expected)),
            may_export=ask.who.may(Right.EXPORT),
        )

    async def file(self, ask: Ask) -> web.Response:
        """The report as a file; on record. It holds no personal data (P3)."""
        try:
            period = self._period(ask)
        except FigureError:
            return self._parts.painter.refusal(ask, 400)
        kind = ask.query.get("format", "html")
        await self._books.note(ask, AccessKind.EXPORT, f"complaint report {period.label} {kind}")
        report, words = await self._made(ask, period)
        name, hotline = f"complaints-{period.label}-{words.language}", ask.texts("frame.name")
        if kind == "xlsx":
            body = await asyncio.to_thread(to_xlsx, report, words, hotline)
            return _file(body, f"{name}.xlsx", _XLSX)
        printed = kind == "print"
        body = await asyncio.to_thread(to_html, report, words, hotline, printed=printed)
        return _file(body, f"{name}{'-print' if printed else ''}.html", "text/html")

    async def _made(self, ask: Ask, period: Period) -> tuple[Report, Words]:
        scope = ask.scope(Right.READ_CASES)
        words = load_words(ask.texts.language, self._books.catalogue)
        return await gather(self._books.statistics, period, self._parts.clock.now(), scope=scope), words

    def _period(self, ask: Ask) -> Period:
        """The period of the address. Raises FigureError for one that is none, or that has not begun."""
        label = ask.query.get("period", "")
        if not label:
            return self._last(Grain.MONTH)
        period = Period.parse(label, self._parts.zone)
        if period.grain not in _GRAINS or period.start > self._parts.clock.now():
            raise FigureError("no such period")
        return period

    def _last(self, grain: Grain) -> Period:
        return Period.containing(self._parts.clock.now(), grain, self._parts.zone)

    def _later(self, period: Period) -> str:
        following = Period.containing(period.end, period.grain, self._parts.zone)
        return following.label if following.start <= self._parts.clock.now() else ""


def _days(period: Period) -> dict[str, str]:
    """The filters that list what was registered in a period."""
    return {"since": f"{period.start:%Y-%m-%d}", "until": f"{period.end:%Y-%m-%d}", "state": "all"}


def _on_screen(chart: str) -> str:
    return chart.replace("<svg ", '<svg class="figures-chart" ', 1)


def _file(body: bytes, name: str, content_type: str) -> web.Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return web.Response(body=body, content_type=content_type, headers=headers)
