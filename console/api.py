"""``/api/v1/kpi``: the same figures that reports and pages show, with everything that a figure carries (I3, Q5).

``/api/v1/openapi.json`` describes it, generated from ``console/api_model.py``. Nothing here is personal data (P1).
"""

from __future__ import annotations

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from aiohttp import web
from pydantic import ValidationError

from calls.errors import FigureError, StorageError
from calls.people import Right
from calls.periods import Grain, Period
from calls.ports import Clock
from console.answers import first_fault, json_of
from console.api_model import Failure, FigureOut, FiguresOut, KpiOut, KpiQuery, KpisOut, periods_of
from console.ask import Ask
from console.openapi import Operation, document
from console.routes import Route
from metrics.kpi.catalogue import KPIS
from metrics.kpi.figures import KpiFigures, why_undefined
from metrics.kpi.model import Kpi

MOST_PERIODS = 1_000
MOST_FIGURES = 20_000
"""More in one answer would hold up the others."""

_VERSION = "1"
"""Of the interface, as in its address."""
_MANY = ("kpi", "period", "version")
_OPERATIONS = (
    Operation(
        "/api/v1/kpi",
        "Figures of indicators",
        "Each figure with its numerator, denominator, version, the time it was made, and whether it may change.",
        FiguresOut,
        KpiQuery,
    ),
    Operation(
        "/api/v1/kpi/catalogue",
        "Definitions of indicators",
        "Every indicator in every version, and which version is current here.",
        KpisOut,
    ),
)


class KpiApi:
    """The handlers, for an operator in one time zone."""

    def __init__(self, figures: KpiFigures, clock: Clock, zone: ZoneInfo) -> None:
        self._figures = figures
        self._clock = clock
        self._zone = zone
        self._document = document("Sansheng: figures", _VERSION, _OPERATIONS, Failure)

    def routes(self) -> list[Route]:
        """What is answered; everything is read-only."""
        return [
            Route(method="GET", path=path, needs=Right.SEE_FIGURES, handler=handler, api=True)
            for path, handler in (
                ("/api/v1/kpi", self.figures),
                ("/api/v1/kpi/catalogue", self.catalogue),
                ("/api/v1/openapi.json", self.openapi),
            )
        ]

    async def figures(self, ask: Ask) -> web.Response:
        """Figures. 400 for a question without an answer, 503 while the books cannot be read."""
        try:
            return json_of(await self._answer(_question(ask)))
        except FigureError as error:
            return json_of(Failure(error=str(error)), status=400)
        except StorageError:
            return json_of(Failure(error="the books cannot be read at the moment"), status=503)

    async def catalogue(self, ask: Ask) -> web.Response:
        """Every definition."""
        current = self._figures.catalogue.current()
        known = {(kpi.id, kpi.version): kpi for kpi in (*KPIS, *current)}
        return json_of(
            KpisOut(
                current={kpi.id: kpi.version for kpi in current},
                definitions=[KpiOut.of(kpi) for kpi in known.values()],
            )
        )

    async def openapi(self, ask: Ask) -> web.Response:
        """The description of all this."""
        return web.json_response(self._document)

    async def _answer(self, query: KpiQuery) -> FiguresOut:
        today = Period.containing(self._clock.now(), Grain.DAY, self._zone)
        periods = periods_of(query, today, MOST_PERIODS)
        kpis = self._wanted(query)
        _bounded(len(periods) * len(kpis))
        asked = [kpi.id for kpi in kpis]
        found = await self._figures.figures(asked, periods, query.slice, query.dimension, query.versions)
        _bounded(len(found))
        by_id = {kpi.id: kpi for kpi in kpis}
        return FiguresOut(
            time_zone=self._zone.key,
            definitions=[KpiOut.of(kpi) for kpi in kpis],
            figures=[FigureOut.of(figure, by_id[figure.kpi]) for figure in found],
        )

    def _wanted(self, query: KpiQuery) -> Sequence[Kpi]:
        """The definitions asked for; without any, all that mean something for the slice."""
        catalogue, versions = self._figures.catalogue, query.versions
        unknown = sorted(set(versions) - set(query.kpi or catalogue.ids))
        if unknown:
            raise FigureError(f"a version is given for {', '.join(unknown)}, which is not asked for")
        if query.kpi:
            return [catalogue.kpi(name, versions.get(name)) for name in dict.fromkeys(query.kpi)]
        every = [catalogue.kpi(name, versions.get(name)) for name in catalogue.ids]
        return [kpi for kpi in every if why_undefined(kpi, query.slice, query.dimension) is None]


def _bounded(number: int) -> None:
    if number > MOST_FIGURES:
        raise FigureError(f"more than {MOST_FIGURES} figures: ask for fewer indicators or periods")


def _question(ask: Ask) -> KpiQuery:
    """The query string as the question. Raises FigureError with what is wrong, in words."""
    told: dict[str, str | list[str]] = {}
    for name in ask.query:
        values = ask.query.getall(name)
        if name not in _MANY and len(values) > 1:
            raise FigureError(f"`{name[:20]}` is given more than once")
        told[name] = values if name in _MANY else values[0]
    try:
        return KpiQuery.model_validate(told)
    except ValidationError as error:
        raise FigureError(first_fault(error, longest=20)) from error
