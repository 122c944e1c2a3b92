"""The complaint report as values, whatever it is written in (C7)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from calls.case_figures import CaseStatistics, CaseSums, Facet, Group, Span
from calls.people import Scope
from calls.periods import Grain, Period
from cases.forecast import Forecast, TooLittle, forecast
from cases.hot_words import HotWord, hot_words
from cases.statistics import Compared, ParetoLine, compared, pareto, ranked

TREND_MONTHS = 60
"""How far back a trend is looked at."""
SHOWN_MONTHS = 24
AHEAD = 3
"""Months that are forecast."""
_WEEK = timedelta(days=7)
_EVERYTHING = Scope(everything=True)


@dataclass(frozen=True, slots=True)
class Month:
    """One month of the trend."""

    label: str
    cases: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All figures of one period, those of the period before, and of the same one a year ago."""

    period: Period
    before: Period
    year_ago: Period
    as_of: datetime
    whole: CaseSums
    whole_before: CaseSums
    whole_year_ago: CaseSums
    types: Sequence[Compared]
    channels: Sequence[Compared]
    places: Sequence[Compared]
    causes: Sequence[Compared]
    pareto: Sequence[ParetoLine]
    departments: Sequence[Compared]
    """The least timely first."""
    cross: Mapping[tuple[str, str], int]
    """By department and type."""
    trend: Sequence[Month]
    """Whole months up to the end of the period, the oldest first."""
    expected: Forecast | TooLittle
    hot: Sequence[HotWord]
    """Of the last seven days of the period against the seven before."""

    @property
    def provisional(self) -> bool:
        """Whether figures may still change: the period is not over, or cases are open."""
        return self.period.span[1] > self.as_of or self.whole.closed < self.whole.cases


STEPS = ("counts", "departments", "trend", "words")
"""What gathering consists of, for a progress bar."""


async def gather(
    statistics: CaseStatistics,
    period: Period,
    now: datetime,
    on_step: Callable[[str], None] = lambda _: None,
    scope: Scope = _EVERYTHING,
) -> Report:
    """Everything that a report over a month, quarter or year holds, of the cases within a scope.

    Raises StorageUnavailable. Forecast and words take a second of computing: they are made in a thread.
    """
    before, year_ago = period.previous(), _year_ago(period)
    spans = {each: Span(*each.span) for each in (period, before, year_ago)}

    async def both(facet: Facet) -> tuple[list[Group], list[Group]]:
        now_ = await statistics.groups(spans[period], facet, scope)
        return now_, await statistics.groups(spans[before], facet, scope)

    on_step("counts")
    whole, whole_before, whole_year_ago = [
        await statistics.whole(spans[each], scope) for each in (period, before, year_ago)
    ]
    facets = {facet: await both(facet) for facet in (Facet.TYPE, Facet.CHANNEL, Facet.PLACE, Facet.CAUSE)}
    on_step("departments")
    departments, departments_before = await both(Facet.DEPARTMENT)
    cross = await statistics.cross(spans[period], Facet.DEPARTMENT, Facet.TYPE, scope)
    on_step("trend")
    trend = await trend_until(statistics, period, now, scope)
    on_step("words")
    return Report(
        period=period,
        before=before,
        year_ago=year_ago,
        as_of=now,
        whole=whole,
        whole_before=whole_before,
        whole_year_ago=whole_year_ago,
        types=compared(*facets[Facet.TYPE]),
        channels=compared(*facets[Facet.CHANNEL]),
        places=compared(*facets[Facet.PLACE])[:10],
        causes=compared(*facets[Facet.CAUSE]),
        pareto=pareto(facets[Facet.CAUSE][0]),
        departments=compared(ranked(departments), departments_before),
        cross=cross,
        trend=_since_the_first(trend)[-SHOWN_MONTHS:],
        expected=await asyncio.to_thread(forecast_of, tuple(month.cases for month in trend)),
        hot=await hot_until(statistics, min(period.span[1], now)),
    )


async def trend_until(statistics: CaseStatistics, period: Period, now: datetime, scope: Scope) -> list[Month]:
    """Whole months that were over by the end of the period, and by now, the oldest first."""
    last = Period.containing(min(period.span[1], now), Grain.MONTH, period.zone).previous()
    months = [last]
    while len(months) < TREND_MONTHS:
        months.insert(0, months[0].previous())
    counts = await statistics.series([Span(*month.span) for month in months], scope)
    return [Month(month.label, count) for month, count in zip(months, counts, strict=True)]


async def hot_until(statistics: CaseStatistics, until: datetime) -> list[HotWord]:
    """Words of the seven days before a moment against the seven days before those."""
    middle = until - _WEEK
    now = await statistics.wordings(Span(middle, until))
    before = await statistics.wordings(Span(middle - _WEEK, middle))
    return await asyncio.to_thread(hot_words, now, before)


def _since_the_first(months: list[Month]) -> list[Month]:
    """Months before the first complaint are no months without complaints."""
    first = next((place for place, month in enumerate(months) if month.cases), len(months))
    return months[first:]


@lru_cache(maxsize=64)
def forecast_of(history: tuple[int, ...]) -> Forecast | TooLittle:
    """The months ahead; whole months do not change, so neither does this."""
    return forecast(history, AHEAD)


def _year_ago(period: Period) -> Period:
    """The same month, quarter or year, a year earlier."""
    back = {Grain.MONTH: 12, Grain.QUARTER: 4}.get(period.grain, 1)
    for _ in range(back):
        period = period.previous()
    return period
