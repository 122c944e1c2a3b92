"""Figures from the books: the one way in which a page, a gauge, a report or the API gets one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from calls.errors import FigureError
from calls.figures import Figure
from calls.measures import ALL_CALLS, Dimension, Slice
from calls.outages import DailyHours, Reliability, reliability
from calls.periods import Period
from calls.ports import Books, Clock, OtherSources, OutageBook, PresenceBook, Tallies
from calls.presence import Presence
from calls.workdays import Days, Workdays
from metrics.kpi.catalogue import Catalogue
from metrics.kpi.model import NOT_WATCHED, Basis, Facts, Kpi

_T = TypeVar("_T")
_Cell = tuple[int, str | None]
"""Which period, and which value of the dimension."""


_ALWAYS = DailyHours(UTC)
_NOT_PUBLISHED = Workdays(frozenset(), frozenset())


class NoOtherSources:
    """No surveys, no cases: K3, K4, K6 and K7 are 0 ÷ 0 and provisional, never a made-up value."""

    async def tallies(
        self, periods: Sequence[Period], slice: Slice = ALL_CALLS, by: Dimension | None = None
    ) -> list[dict[str | None, Tallies]]:
        """See ``calls.ports.OtherSources``."""
        return [{None: Tallies()} if by is None else {} for _ in periods]


@dataclass(frozen=True, slots=True)
class Sources:
    """Where indicators get their parts from."""

    books: Books
    presence: PresenceBook | None = None
    outages: OutageBook | None = None
    hours: DailyHours = _ALWAYS
    """Scheduled working hours (K5)."""
    workdays: Workdays = _NOT_PUBLISHED
    cases: OtherSources = field(default_factory=NoOtherSources)


class KpiFigures:
    """Makes figures for one operator."""

    def __init__(self, sources: Sources, clock: Clock, catalogue: Catalogue) -> None:
        self._sources = sources
        self._clock = clock
        self.catalogue = catalogue

    async def figures(
        self,
        kpis: Sequence[str],
        periods: Sequence[Period],
        slice: Slice = ALL_CALLS,
        by: Dimension | None = None,
        versions: Mapping[str, int] | None = None,
    ) -> list[Figure]:
        """Figures in the order of ``kpis``, then of ``periods``, then by the dimension's value.

        With ``by``, there is one for each value that occurs in any of the periods, its slice held at the value;
        calls that have no value there (no section asked for, no agent) are in none of them. ``versions`` names
        versions other than the current ones. Raises FigureError for an unknown indicator or version, or one that
        is not defined for the slice, and StorageUnavailable.
        """
        wanted = [self.catalogue.kpi(name, (versions or {}).get(name)) for name in kpis]
        for kpi in wanted:
            if reason := why_undefined(kpi, slice, by):
                raise FigureError(reason)
        as_of = self._clock.now()
        unsure = [self._calendar_open(period, slice) for period in periods]
        facts = await self._facts({kpi.basis for kpi in wanted}, periods, slice, by, as_of)
        values = sorted({value for _, value in facts if value is not None}) if by else [None]
        return [
            _figure(kpi, period, _held(slice, by, value), facts.get((index, value), Facts()), as_of, unsure[index])
            for kpi in wanted
            for index, period in enumerate(periods)
            for value in values
        ]

    def _calendar_open(self, period: Period, slice: Slice) -> bool:
        """Whether days of the period may still turn out to be of the kind that is asked for."""
        if slice.days is None or slice.days is Days.UNKNOWN:
            return slice.days is Days.UNKNOWN
        years = range(
            period.day.year, (period.end.astimezone(UTC) - timedelta(seconds=1)).astimezone(period.zone).year + 1
        )
        return not all(self._sources.workdays.covers(year) for year in years)

    async def _facts(
        self, bases: set[Basis], periods: Sequence[Period], slice: Slice, by: Dimension | None, now: datetime
    ) -> dict[_Cell, Facts]:
        """Everything that the indicators need, by period and value."""
        found: dict[_Cell, Facts] = {}
        if bases & {Basis.CALLS, Basis.PRESENCE}:
            for cell, calls in _cells(await self._sources.books.measures(periods, slice, by)):
                found[cell] = replace(found.get(cell, Facts()), calls=calls)
        if Basis.CASES in bases:
            for cell, tallies in _cells(await self._sources.cases.tallies(periods, slice, by)):
                found[cell] = replace(found.get(cell, Facts()), tallies=tallies)
        if Basis.PRESENCE in bases:
            for cell, presence in _cells([await self._presence(each, slice, by, now) for each in periods]):
                found[cell] = replace(found.get(cell, Facts()), presence=presence)
        if Basis.OUTAGES in bases:
            for cell, reliable in _cells([{None: await self._reliability(each, now)} for each in periods]):
                found[cell] = replace(found.get(cell, Facts()), reliability=reliable)
        return found

    async def _presence(
        self, period: Period, slice: Slice, by: Dimension | None, now: datetime
    ) -> dict[str | None, Presence]:
        """Agents' time: of each, of one, or of all together."""
        since, until = _passed(period, now)
        book = self._sources.presence
        if book is None or since >= until:
            return {}
        agents = await book.presence_s(since, until)
        if by:
            return {str(agent): each for agent, each in agents.items()}
        mine = [each for agent, each in agents.items() if slice.agent in (None, agent)]
        return {None: Presence(sum(each.logged_in_s for each in mine), sum(each.paused_s for each in mine))}

    async def _reliability(self, period: Period, now: datetime) -> Reliability:
        since, until = _passed(period, now)
        book = self._sources.outages
        watched = await book.watched_since() if book else None
        if book is None or watched is None or max(since, watched) >= until:
            return NOT_WATCHED
        since = max(since, watched)
        outages, windows = await book.outages(since, until), await book.maintenance(since, until)
        return reliability(outages, windows, since, until, self._sources.hours)


def _cells(told: Iterable[Mapping[str | None, _T]]) -> Iterable[tuple[_Cell, _T]]:
    return (((index, value), each) for index, by_value in enumerate(told) for value, each in by_value.items())


def why_undefined(kpi: Kpi, slice: Slice, by: Dimension | None) -> str | None:
    """Why the indicator means nothing for the slice; ``None`` if it does mean something."""
    asked = slice.held() | ({by} if by else set())
    wrong = sorted(asked - kpi.dimensions)
    if wrong:
        return f"indicator {kpi.id} is not defined by {', '.join(wrong)}"
    if slice.days and kpi.basis in (Basis.PRESENCE, Basis.OUTAGES):
        return f"indicator {kpi.id} is not defined by kinds of days"
    return None


def _held(slice: Slice, by: Dimension | None, value: str | None) -> Slice:
    held: dict[str, Any] = {by.value: value} if by else {}
    return replace(slice, **held)


def _passed(period: Period, now: datetime) -> tuple[datetime, datetime]:
    """The part of a period that is over, in UTC."""
    return period.start.astimezone(UTC), min(period.end.astimezone(UTC), now)


def _figure(kpi: Kpi, period: Period, slice: Slice, facts: Facts, as_of: datetime, unsure: bool) -> Figure:
    numerator, denominator = kpi.parts(facts)
    return Figure(
        kpi=kpi.id,
        version=kpi.version,
        period=period,
        slice=slice,
        numerator=numerator,
        denominator=denominator,
        unit=kpi.unit,
        as_of=as_of,
        provisional=unsure or period.end.astimezone(UTC) > as_of or kpi.unsettled(facts),
    )
