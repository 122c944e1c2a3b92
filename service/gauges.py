"""What is measured beside the calls, in tasks of its own: the ledger's figures, drift, surroundings."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping

from calls.ports import Books, Clock
from metrics.drift import BooksTotals, DriftWatch
from metrics.exporter import Exporter
from metrics.kpi.figures import KpiFigures
from metrics.ledger_gauges import LedgerGauges
from service.settings import Settings
from service.surroundings import Surroundings

_FIGURES_S = 15.0
_DRIFT_S = 30.0
_SURROUNDINGS_S = 60.0
_FINISH_S = 3.0


class Gauges:
    """Keeps gauges that nobody tells: each asks for itself, and no scrape waits for it.

    ``in_flight``: how many events wait to be stored or are being stored.
    """

    def __init__(
        self,
        settings: Settings,
        figures: KpiFigures,
        books: Books,
        exporter: Exporter,
        clock: Clock,
        in_flight: Callable[[], int],
    ) -> None:
        totals = BooksTotals(books, clock, settings.zone, settings.rings.limit_s)
        self._ledger = LedgerGauges(figures, exporter, clock, settings.zone)
        self._drift = DriftWatch(totals, exporter, in_flight)
        self._surroundings = Surroundings(settings, exporter, clock)

    def tasks(self) -> Mapping[str, Coroutine[None, None, None]]:
        """What runs for as long as the service does."""
        return {
            "ledger gauges": every(_FIGURES_S, self._ledger.refresh),
            "drift": every(_DRIFT_S, self._drift.compare),
            "surroundings": every(_SURROUNDINGS_S, self._surroundings.refresh),
        }


async def every(seconds: float, look: Callable[[], Coroutine[None, None, None]]) -> None:
    """Look until cancelled. A question to the database is not cut off: its driver would complain."""
    while True:
        looking = asyncio.create_task(look())
        try:
            await asyncio.shield(looking)
        except asyncio.CancelledError:
            await asyncio.wait({looking}, timeout=_FINISH_S)
            looking.cancel()
            raise
        await asyncio.sleep(seconds)


async def patiently(
    seconds: float,
    look: Callable[[], Coroutine[None, None, None]],
    troubles: tuple[type[Exception], ...],
    tell: Callable[[str], None],
) -> None:
    """Look until cancelled, whatever of these troubles comes; of some in a row the first is told."""
    failed = False
    while True:
        try:
            await look()
            failed = False
        except troubles as error:
            if not failed:
                tell(str(error))
            failed = True
        await asyncio.sleep(seconds)
