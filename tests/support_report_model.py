"""Reports without a database: sums that a test gives, and what goes beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from zoneinfo import ZoneInfo

from calls.audit import Difference, Discrepancy, Repair
from calls.call import Call
from calls.events import Source
from calls.ids import CallId
from calls.measures import ALL_CALLS, LIMITS_S, Dimension, Measures, Slice, total
from calls.outages import EVERYTHING, Component, Maintenance, Outage
from calls.periods import Period
from metrics.kpi.catalogue import Catalogue
from metrics.kpi.figures import KpiFigures
from metrics.kpi.figures import Sources as KpiSources
from metrics.reports.gather import Order, Sources, gather
from metrics.reports.model import Report, ReportKind
from tests.support_books import SetClock
from tests.support_ledger import story

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 11, 22, 4, tzinfo=UTC)
LIMIT_S = 15.0

BY_SECTION = {
    "inquiry": Measures(
        arrived=120,
        asked=100,
        answered=95,
        within={limit: min(95, int(5 * limit)) for limit in LIMITS_S},
        abandoned=4,
        abandoned_short=1,
        callbacks=1,
        wait_us=500_000_000,
        talk_us=9_500_000_000,
        longest_wait_us=61_500_000,
        missing_recordings=2,
        tests=3,
        offers=104,
        offers_kept={limit: min(95, int(6 * limit)) for limit in LIMITS_S},
    ),
    "complaint": Measures(arrived=20, asked=20, answered=20, within=dict.fromkeys(LIMITS_S, 20), offers=20),
}
BY_AGENT = {"1001": BY_SECTION["inquiry"], "1002": BY_SECTION["complaint"]}


@dataclass
class GivenBooks:
    """``calls.ports.Books``: the same sums in every period that is named, nothing in any other."""

    labels: Sequence[str]
    by_section: Mapping[str, Measures] = field(default_factory=lambda: BY_SECTION)
    asked: list[tuple[int, Dimension | None]] = field(default_factory=list)
    """Every question: of how many periods, and by what."""

    async def measures(
        self, periods: Sequence[Period], slice: Slice = ALL_CALLS, by: Dimension | None = None
    ) -> list[dict[str | None, Measures]]:
        self.asked.append((len(periods), by))
        return [self._of(period, by) for period in periods]

    def _of(self, period: Period, by: Dimension | None) -> dict[str | None, Measures]:
        if not any(period.label.startswith(label) for label in self.labels):
            return {} if by else {None: Measures()}
        if by is None:
            return {None: total(self.by_section.values())}
        return dict((self.by_section if by is Dimension.SECTION else BY_AGENT).items())


@dataclass
class GivenTroubles:
    """Outages, audit and ledger at once, as far as a report asks them."""

    start: datetime | None = None
    """When the troubles began; ``None``: there were none."""

    async def watched_since(self) -> datetime | None:
        return datetime(2024, 1, 1, tzinfo=UTC)

    async def outages(self, since: datetime, until: datetime) -> list[Outage]:
        if self.start is None or not since <= self.start < until:
            return []
        hour = timedelta(hours=1)
        return [
            Outage(Component.TRUNK, self.start, self.start + hour, reason="=cmd|' /C calc'!A1"),
            Outage(Component.AMI, self.start + hour / 2, self.start + hour, reason="<script>alert(1)</script>"),
            Outage(Component.DISK, self.start, None, planned=True, reason="new disk"),
        ]

    async def maintenance(self, since: datetime, until: datetime) -> list[Maintenance]:
        if self.start is None or not since <= self.start < until:
            return []
        return [Maintenance(self.start, self.start + timedelta(hours=2), EVERYTHING, "new disk")]

    async def repairs(self, since: datetime, until: datetime) -> list[Repair]:
        if self.start is None:
            return []
        told = [("a", "ended"), ("b", "ended"), ("b", "connected")]
        return [Repair(f"{call}/{what}", CallId(call), self.start, what, Source.AMI) for call, what in told]

    async def discrepancies(self, since: datetime, until: datetime) -> list[Discrepancy]:
        if self.start is None:
            return []
        return [Discrepancy("d", Difference.DIFFERS, self.start, "+queue_log: ABANDON", CallId("a"))]

    async def missing_recordings(self, ended_before: datetime, limit: int) -> list[Call]:
        if self.start is None:
            return []
        return [Call.of(story("hotline-1.2", start=self.start, asked=1, ended=2))]


async def made_up_report(
    kind: ReportKind = ReportKind.DAILY,
    label: str = "2026-11-21",
    *,
    books: GivenBooks | None = None,
    troubles: bool = True,
    now: datetime = NOW,
    versions: Mapping[str, int] | None = None,
) -> Report:
    """A report over what the fakes tell."""
    period = Period.parse(label, SHANGHAI)
    books = books or GivenBooks([period.label, period.previous().label])
    beside = cast(Any, GivenTroubles(period.start + timedelta(hours=9) if troubles else None))
    catalogue = Catalogue(LIMIT_S)
    order = Order(
        kind=kind,
        period=period,
        hotline="95000",
        limit_s=LIMIT_S,
        kpis=tuple(catalogue.kpi(kpi_id, (versions or {}).get(kpi_id)) for kpi_id in catalogue.ids),
        sections=("inquiry", "ticketing"),
        agents=("1002", "1003"),
    )
    figures = KpiFigures(KpiSources(books, outages=beside), SetClock(now), catalogue)
    return await gather(order, Sources(figures, books, beside, beside, beside), now)
