"""The ledger's plane in Prometheus: each indicator's numerator and denominator as the reports have them.

Refreshed in the background and kept in memory: a scrape never waits for the database, and a database that is
away leaves the last figures standing with the time they were taken (K1–K5, I2).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime, tzinfo

from calls.errors import StorageError
from calls.measures import Dimension
from calls.periods import Grain, Period
from calls.ports import Clock
from metrics import catalogue
from metrics.catalogue import ALL_SECTIONS, LEDGER_KPIS, NO_SECTION
from metrics.exporter import Exporter
from metrics.kpi.catalogue import kpi
from metrics.kpi.figures import KpiFigures

log = logging.getLogger(__name__)

Values = dict[tuple[str, ...], tuple[float, float]]
"""Numerator and denominator, by kpi, section and period."""

_OF_SECTIONS = tuple(name for name in LEDGER_KPIS if Dimension.SECTION in kpi(name).dimensions)


class LedgerGauges:
    """Keeps ``hotline_kpi_numerator`` and ``hotline_kpi_denominator`` in step with the ledger."""

    def __init__(self, figures: KpiFigures, exporter: Exporter, clock: Clock, zone: tzinfo) -> None:
        self._figures = figures
        self._exporter = exporter
        self._clock = clock
        self._zone = zone

    async def refresh(self) -> None:
        """Ask the ledger once and set every gauge; without an answer all of them keep what they had."""
        periods = gauged_periods(self._clock.now(), self._zone)
        wanted = list(periods.values())
        try:
            whole = await self._figures.figures(LEDGER_KPIS, wanted)
            parts = await self._figures.figures(_OF_SECTIONS, wanted, by=Dimension.SECTION)
        except StorageError as error:
            log.warning("ledger_gauges.unavailable", extra={"reason": str(error)})
            return
        names = {period: name for name, period in periods.items()}
        # A section that nobody asked for in a period has no figure: 0 of 0.
        values = dict.fromkeys(self._exporter.series(catalogue.KPI_NUMERATOR), (0.0, 0.0))
        as_of: dict[str, datetime] = {}
        for figure in whole:
            period = names[figure.period]
            values[figure.kpi, ALL_SECTIONS, period] = (figure.numerator, figure.denominator)
            as_of[period] = min(as_of.get(period, figure.as_of), figure.as_of)
        for figure in parts:
            # Calls without a section are in the whole; a section that the centre no longer has is in the books.
            labels = (figure.kpi, figure.slice.section or NO_SECTION, names[figure.period])
            if labels in values:
                values[labels] = (figure.numerator, figure.denominator)
        self._show(values, as_of)

    def _show(self, values: Values, as_of: Mapping[str, datetime]) -> None:
        for labels, (numerator, denominator) in values.items():
            self._exporter.set(catalogue.KPI_NUMERATOR, numerator, *labels)
            self._exporter.set(catalogue.KPI_DENOMINATOR, denominator, *labels)
        for period, moment in as_of.items():
            self._exporter.set(catalogue.KPI_AS_OF, moment.timestamp(), period)


def gauged_periods(now: datetime, zone: tzinfo) -> dict[str, Period]:
    """The periods that have gauges, by the name of their label."""
    today = Period.containing(now, Grain.DAY, zone)
    periods = (
        today,
        today.previous(),
        Period.containing(now, Grain.MONTH, zone),
        Period.containing(now, Grain.YEAR, zone),
    )
    return dict(zip(catalogue.GAUGED_PERIODS, periods, strict=True))
