"""Gathering a report: every figure from ``KpiFigures``, asked for in few questions however long the period."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from calls.figures import Figure, Unit
from calls.measures import Dimension, Measures
from calls.periods import Period
from calls.ports import AuditBook, Books, Ledger, OutageBook
from metrics.kpi.figures import KpiFigures
from metrics.kpi.model import Kpi
from metrics.reports.model import (
    COURSE_KPIS,
    Distribution,
    Group,
    Line,
    Outages,
    Quality,
    Report,
    ReportKind,
    Step,
)

SECTION_KPIS = ("N_ASKED", "K1", "K2", "K2r", "ASA", "ABR", "TRR")
AGENT_KPIS = ("K2r", "TRR", "AHT", "OCC")
UNRECORDED_SHOWN = 20
_SETTLES = timedelta(minutes=5)
"""A recording may come in this long after its call ended."""


@dataclass(frozen=True, slots=True)
class Sources:
    """Where a report's contents come from."""

    figures: KpiFigures
    books: Books
    outages: OutageBook
    audit: AuditBook
    ledger: Ledger


@dataclass(frozen=True, slots=True)
class Order:
    """What to report on."""

    kind: ReportKind
    period: Period
    hotline: str
    limit_s: float
    """A1's limit in seconds."""
    kpis: tuple[Kpi, ...]
    """The indicators, each in the version wanted, in the order in which they are shown."""
    sections: tuple[str, ...]
    """Sections that appear even without a call, in this order; others follow."""
    agents: tuple[str, ...]
    """Agents who appear even without an offer, in this order; others follow."""

    @property
    def compared(self) -> tuple[Period, Period, Period]:
        """The period, the one before, and the same one last year."""
        return self.period, self.period.previous(), self.period.year_before()


STEPS = ("figures", "sections", "agents", "course", "clocks", "outages", "quality")
"""What ``gather`` says to ``on_step``, in order."""


async def gather(
    order: Order, sources: Sources, now: datetime, on_step: Callable[[str], None] = lambda _: None
) -> Report:
    """Ask for everything that the report shows. ``on_step`` is told each step when it begins.

    Raises StorageUnavailable, or FigureError for an indicator that does not exist.
    """
    asker = _Asker(order, sources)
    told = iter(STEPS)
    on_step(next(told))
    lines = await asker.lines([kpi.id for kpi in order.kpis])
    on_step(next(told))
    sections = await asker.groups(SECTION_KPIS, Dimension.SECTION, order.sections)
    on_step(next(told))
    agents = await asker.groups(AGENT_KPIS, Dimension.AGENT, order.agents)
    on_step(next(told))
    course = await asker.course()
    on_step(next(told))
    counted, counted_before = [
        found.get(None, Measures()) for found in await sources.books.measures(order.compared[:2])
    ]
    on_step(next(told))
    outages = await asker.outages(now)
    on_step(next(told))
    quality = await asker.quality(counted, now)
    return Report(
        hotline=order.hotline,
        kind=order.kind,
        period=order.period,
        made_at=now,
        as_of=min((line.now.as_of for line in lines), default=now),
        limit_s=order.limit_s,
        lines=lines,
        sections=sections,
        agents=agents,
        course=course,
        waits=_waits(counted),
        waits_before=_waits(counted_before),
        rings=_rings(counted),
        rings_before=_rings(counted_before),
        outages=outages,
        quality=quality,
    )


class _Asker:
    def __init__(self, order: Order, sources: Sources) -> None:
        self._order = order
        self._sources = sources
        self._kpis = {kpi.id: kpi for kpi in order.kpis}
        self._versions = {kpi.id: kpi.version for kpi in order.kpis}

    async def _ask(
        self, ids: Iterable[str], periods: Sequence[Period], by: Dimension | None = None
    ) -> list[Figure]:
        known = [kpi_id for kpi_id in ids if kpi_id in self._kpis]
        return await self._sources.figures.figures(known, periods, by=by, versions=self._versions)

    async def lines(self, ids: Sequence[str]) -> tuple[Line, ...]:
        """The indicators of the whole centre."""
        return self._lines_of(ids, await self._ask(ids, self._order.compared))

    async def groups(self, ids: Sequence[str], by: Dimension, expected: Iterable[str]) -> tuple[Group, ...]:
        """The indicators of each section or agent: those expected first, then whoever else occurs."""
        by_name: dict[str, list[Figure]] = {name: [] for name in expected}
        for figure in await self._ask(ids, self._order.compared, by):
            by_name.setdefault(figure.slice.value(by) or "", []).append(figure)
        somebody = next((figures for figures in by_name.values() if figures), [])
        return tuple(
            Group(name, self._lines_of(ids, figures or [_idle(figure, by, name) for figure in somebody]))
            for name, figures in by_name.items()
            if somebody
        )

    def _lines_of(self, ids: Iterable[str], figures: Iterable[Figure]) -> tuple[Line, ...]:
        found = {(figure.kpi, figure.period): figure for figure in figures}
        return tuple(
            Line(self._kpis[kpi_id], *(found[kpi_id, period] for period in self._order.compared))
            for kpi_id in ids
            if kpi_id in self._kpis
        )

    async def course(self) -> tuple[Step, ...]:
        """The period's steps, one after the other."""
        periods = self._order.period.split(self._order.kind.course_grain)
        figures: dict[Period, dict[str, Figure]] = {period: {} for period in periods}
        for figure in await self._ask(COURSE_KPIS, periods):
            figures[figure.period][figure.kpi] = figure
        return tuple(Step(period, found) for period, found in figures.items())

    async def outages(self, now: datetime) -> Outages:
        since, until = self._span(now)
        book = self._sources.outages
        return Outages(
            since,
            until,
            await book.watched_since(),
            tuple(await book.outages(since, until)),
            tuple(await book.maintenance(since, until)),
        )

    async def quality(self, counted: Measures, now: datetime) -> Quality:
        since, until = self._span(now)
        ended_before = min(until, now - _SETTLES)
        missing = await self._sources.ledger.missing_recordings(ended_before, UNRECORDED_SHOWN)
        return Quality(
            answered=counted.answered,
            missing_recordings=counted.missing_recordings,
            unrecorded_calls=tuple(call.call_id for call in missing if call.arrived_at >= since),
            open_calls=counted.open_calls,
            tests=counted.tests,
            repairs=tuple(await self._sources.audit.repairs(since, until)),
            discrepancies=tuple(await self._sources.audit.discrepancies(since, until)),
        )

    def _span(self, now: datetime) -> tuple[datetime, datetime]:
        """The period as far as it is over, in UTC."""
        since, end = (moment.astimezone(UTC) for moment in (self._order.period.start, self._order.period.end))
        return since, max(since, min(end, now))


def _idle(figure: Figure, by: Dimension, name: str) -> Figure:
    """The same figure of somebody who does not occur in the books: nothing out of nothing."""
    held: dict[str, Any] = {by.value: name}
    return replace(
        figure,
        slice=replace(figure.slice, **held),
        numerator=0,
        denominator=1 if figure.unit is Unit.CALLS else 0,
        provisional=figure.period.end.astimezone(UTC) > figure.as_of,
    )


def _waits(counted: Measures) -> Distribution:
    return Distribution(counted.asked, counted.answered, tuple(sorted(counted.within.items())))


def _rings(counted: Measures) -> Distribution:
    return Distribution(counted.offers, None, tuple(sorted(counted.offers_kept.items())))
