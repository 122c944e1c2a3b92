"""Drift between the two planes: what the counters counted against what the ledger gained meanwhile (K1, K2).

Both sides count facts that, once known, stay known: a call heard a person; its fate is settled. (That it was
answered within the limit may be corrected by a better witness: such corrections are counted, too.) The counters
count each fact when it becomes known; the ledger is asked for its totals over all calls that can still change.
Ledger less counters is then one number for as long as the service runs, whatever it was at the start: a back-fill
from Asterisk's files, however late, raises both sides, and a restart begins anew.

The two are never read at one instant, so each comparison only bounds that number: the counters before and after
the ledger's answer, and the events that are being stored, which the ledger may know a moment earlier. As long as
the planes agree all these bounds have a number in common. When one plane loses a call, or has one too many, they
have none, and the gap between them is the drift. One call is enough.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import Protocol

from calls.errors import StorageError
from calls.periods import Grain, Period
from calls.ports import Books, Clock
from metrics import catalogue
from metrics.exporter import Exporter

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Totals:
    """Numbers of calls."""

    settled: float = 0
    """Heard a person, or ended after asking for one."""
    answered: float = 0
    within: float = 0
    """Answered within A1's limit."""


class LedgerTotals(Protocol):
    """Where the ledger's totals come from."""

    async def totals(self) -> Totals:
        """All calls that can still change. Raises StorageError."""


class BooksTotals:
    """The ledger's totals from its roll-ups: the calls of last year, this year and those that follow."""

    def __init__(self, books: Books, clock: Clock, zone: tzinfo, limit_s: float) -> None:
        self._books = books
        self._clock = clock
        self._zone = zone
        self._limit_s = limit_s
        # From a fixed year on: new calls are added to the sum, no old ones fall out of it at New Year.
        self._first = Period.containing(clock.now(), Grain.YEAR, zone).previous()

    async def totals(self) -> Totals:
        """See LedgerTotals."""
        years = [whole[None] for whole in await self._books.measures(self._years())]
        return Totals(
            settled=sum(year.asked for year in years),
            answered=sum(year.answered for year in years),
            within=sum(year.within.get(self._limit_s, 0) for year in years),
        )

    def _years(self) -> Sequence[Period]:
        years = [self._first]
        now = self._clock.now()
        while years[-1].end <= now:
            years.append(Period.containing(years[-1].end, Grain.YEAR, self._zone))
        return years


@dataclass(frozen=True, slots=True)
class Bounds:
    """Where a number lies, both ends included."""

    low: float
    high: float

    def gap(self, other: Bounds) -> float:
        """How far two bounds are from having a number in common; 0 if they have."""
        return max(self.low - other.high, other.low - self.high, 0.0)

    def both(self, other: Bounds) -> Bounds:
        """What lies in both."""
        return Bounds(max(self.low, other.low), min(self.high, other.high))


class DriftWatch:
    """Sets ``hotline_kpi_drift_ratio``: the calls by which the planes have come apart ÷ the calls counted.

    ``in_flight`` tells how many events wait to be stored or are being stored.
    """

    def __init__(self, ledger: LedgerTotals, exporter: Exporter, in_flight: Callable[[], int]) -> None:
        self._ledger = ledger
        self._exporter = exporter
        self._in_flight = in_flight
        self._agreed: dict[str, Bounds] = {}

    async def compare(self) -> None:
        """Compare once. Without an answer from the ledger the gauges keep what they had."""
        before = self._counted()
        try:
            ledger = await self._ledger.totals()
        except StorageError as error:
            log.warning("drift.unavailable", extra={"reason": str(error)})
            return
        after, in_flight = self._counted(), self._in_flight()
        settled = self._apart("settled", ledger.settled, before.settled, after.settled + in_flight)
        answered = self._apart("answered", ledger.answered, before.answered, after.answered + in_flight)
        within = self._apart("within", ledger.within, before.within, after.within + in_flight)
        for kpi, apart in (("K1", max(settled, answered)), ("K2", max(settled, within))):
            self._exporter.set(catalogue.DRIFT, apart / max(after.settled, 1), kpi)

    def _counted(self) -> Totals:
        total = self._exporter.total
        within = total(catalogue.WITHIN_LIMIT) - total(catalogue.WITHIN_LIMIT_CORRECTED)
        return Totals(total(catalogue.SETTLED), total(catalogue.ANSWERED), within)

    def _apart(self, fact: str, ledger: float, least: float, most: float) -> float:
        """How far the planes are apart in a fact of which the counters know between ``least`` and ``most``."""
        now = Bounds(ledger - most, ledger - least)
        agreed = self._agreed.get(fact, now)
        gap = agreed.gap(now)
        if gap == 0:
            self._agreed[fact] = agreed.both(now)
        return gap
