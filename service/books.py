"""The books joined: sums, indicators, and the task that keeps roll-ups fresh."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncEngine

from calls.errors import StorageError
from calls.figures import Figure
from calls.measures import ALL_CALLS, Dimension, Measures, Slice
from calls.periods import Period
from calls.ports import Books, Clock
from calls.workdays import Workdays
from ivr.menu.hours import PublicHolidays
from metrics.kpi.catalogue import Catalogue
from metrics.kpi.figures import KpiFigures, Sources
from metrics.kpi.joined import JoinedSources
from service.back_room import BackRoom
from service.settings import Settings
from storage.books import SqlBooks
from storage.case_tallies import SqlCaseTallies
from storage.outages import SqlOutages
from storage.presence import SqlPresence
from storage.rollups import RollUps
from storage.survey_tallies import SqlSurveyTallies

log = logging.getLogger(__name__)

_EVERY_S = 60.0
_BREATH_S = 0.05
"""Between two roll-ups: SQLite has one writer, and calls come first."""


def workdays_of_china() -> Workdays:
    """The official calendar, as far as it is published."""
    calendar = PublicHolidays.of_china()
    return Workdays(calendar.days_off, calendar.makeup_workdays)


def books_of(settings: Settings, engine: AsyncEngine) -> SqlBooks:
    """The books in the operator's time zone and under the operator's limit (A1)."""
    return SqlBooks(engine, settings.zone, settings.rings.limit_s, workdays_of_china())


def kpi_figures_of(
    settings: Settings, engine: AsyncEngine, clock: Clock, room: BackRoom | None = None
) -> KpiFigures:
    """Where every page, gauge, report and the API gets its figures from; made in a room of their own, if given.

    Then the engine must be the room's, too.
    """
    sources = Sources(
        books=books_of(settings, engine),
        presence=SqlPresence(engine),
        outages=SqlOutages(engine),
        hours=settings.scheduled,
        workdays=workdays_of_china(),
        cases=JoinedSources(
            SqlSurveyTallies(engine, clock, workdays_of_china(), _links_live(settings)),
            SqlCaseTallies(engine, settings.zone, workdays_of_china(), clock),
        ),
    )
    catalogue = Catalogue(settings.rings.limit_s)
    return FiguresElsewhere(room, sources, clock, catalogue) if room else KpiFigures(sources, clock, catalogue)


def _links_live(settings: Settings) -> timedelta:
    """How long after a call its survey may still be answered on the web."""
    return timedelta(days=settings.survey.links_days) if settings.survey.links_share else timedelta()


class FiguresElsewhere(KpiFigures):
    """Figures that are made in a back room."""

    def __init__(self, room: BackRoom, sources: Sources, clock: Clock, catalogue: Catalogue) -> None:
        super().__init__(sources, clock, catalogue)
        self._room = room

    async def figures(
        self,
        kpis: Sequence[str],
        periods: Sequence[Period],
        slice: Slice = ALL_CALLS,
        by: Dimension | None = None,
        versions: Mapping[str, int] | None = None,
    ) -> list[Figure]:
        """See KpiFigures."""
        return await self._room.run(super().figures(kpis, periods, slice, by, versions))


class BooksElsewhere:
    """Books (``calls.ports.Books``) that are asked in a back room, whose engine they have."""

    def __init__(self, room: BackRoom, books: Books) -> None:
        self._room = room
        self._books = books

    async def measures(
        self, periods: Sequence[Period], slice: Slice = ALL_CALLS, by: Dimension | None = None
    ) -> list[dict[str | None, Measures]]:
        """See ``calls.ports.Books.measures``."""
        return await self._room.run(self._books.measures(periods, slice, by))


class RollUpKeeper:
    """Makes roll-ups of what is over and not rolled up, or has changed since."""

    def __init__(self, settings: Settings, engine: AsyncEngine, clock: Clock) -> None:
        self._rollups = RollUps(engine, settings.zone, settings.rings.limit_s, clock)

    async def run(self) -> None:
        """Keep at it until cancelled. Figures are right all the while; only slower where roll-ups are missing."""
        while True:
            try:
                await self.refresh()
            except StorageError as error:
                log.warning("rollups.unavailable", extra={"reason": str(error)})
            await asyncio.sleep(_EVERY_S)

    async def refresh(self) -> None:
        """Make everything that is stale now. Raises StorageError."""
        # Months can be made once their days are: a second look finds them.
        while stale := await self._rollups.stale():
            made = 0
            for period in stale:
                made += await self._rollups.make(period)
                await asyncio.sleep(_BREATH_S)
            log.info("rollups.made", extra={"number": made, "stale": len(stale)})
            if made < len(stale):
                return
