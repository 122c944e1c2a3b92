"""The catalogue's figures by period and section; every number opens to the calls behind it (K1 to K7, Q5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from calls.errors import FigureError
from calls.figures import Figure, Unit
from calls.ids import SectionId
from calls.measures import Dimension, Slice
from calls.people import Right, Scope
from calls.periods import Grain, Period
from console.ask import Ask
from console.call_filters import DENOMINATOR, NUMERATOR, behind_figure
from console.parts import Parts
from console.routes import Route, get
from console.shown import moment, value
from metrics.kpi.figures import why_undefined
from metrics.kpi.model import Kpi
from metrics.reports.words import number

_COURSE = 12
"""Periods that a course shows."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A figure as it is painted."""

    figure: Figure
    kpi: Kpi
    value: str
    numerator: str
    denominator: str
    numerator_calls: str | None
    """The address of the calls or cases behind it, for whoever may read them."""
    denominator_calls: str | None

    @property
    def is_count(self) -> bool:
        return self.figure.unit is Unit.CALLS


@dataclass(frozen=True, slots=True)
class Bar:
    """One period of a course, as a part of the highest."""

    label: str
    text: str
    height: float
    address: str


@dataclass(frozen=True, slots=True)
class _Wanted:
    period: Period
    section: SectionId | None
    kpi: str | None
    version: int | None
    """Of that indicator's definition; ``None``: the current one."""

    @property
    def versions(self) -> dict[str, int]:
        return {self.kpi: self.version} if self.kpi and self.version else {}


class FiguresArea:
    """``/figures``."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def routes(self) -> list[Route]:
        """What it answers."""
        return [get("/figures", Right.SEE_FIGURES, self.figures)]

    async def figures(self, ask: Ask) -> web.Response:
        """Every indicator of one period and section; one of them by section and over time.

        404 out of reach; what has not begun has no figures, and is no link: it leads to the present period.
        """
        scope = ask.scope(Right.SEE_FIGURES)
        wanted = self._wanted(ask, scope)
        lines = await self._lines(ask, wanted)
        chosen = next((line.kpi for line in lines if line.kpi.id == wanted.kpi), None)
        return self._parts.painter.page(
            ask,
            "calls/figures.html.j2",
            wanted=wanted,
            lines=lines,
            chosen=chosen,
            versions=self._parts.figures.catalogue.versions(chosen.id) if chosen else (),
            by_section=await self._by_section(ask, wanted, chosen, scope) if chosen else [],
            course=await self._course(ask, wanted, chosen) if chosen else [],
            following=self._following(wanted.period),
            as_of=moment(self._parts.clock.now(), self._parts.zone),
            grains=[(grain, ask.texts(f"grain.{grain}")) for grain in Grain],
            sections=[(each, self._name(each, ask)) for each in self._reachable(scope)],
            everything=scope.everything,
            opens=ask.who.may(Right.READ_CALLS) or ask.who.may(Right.SEE_COUNTED),
            section_name=lambda section: self._name(section, ask),
            at=lambda period, **other: _address(wanted, period=period.label, **other),
        )

    def _wanted(self, ask: Ask, scope: Scope) -> _Wanted:
        zone = self._parts.zone
        now = self._parts.clock.now()
        try:
            period = Period.parse(ask.query.get("period", ""), zone)
        except FigureError:
            grain = ask.query.get("grain", "")
            period = Period.containing(now, Grain(grain) if grain in set(Grain) else Grain.DAY, zone)
        if period.start > now:
            period = Period.containing(now, period.grain, zone)
        given = ask.query.get("section", "")
        section = SectionId(given) if given else None
        if section is None and not scope.everything:
            section = next(iter(self._reachable(scope)), None)
        if (section is None and not scope.everything) or (section and section not in self._reachable(scope)):
            raise web.HTTPNotFound
        kpi = ask.query.get("kpi")
        return _Wanted(period, section, kpi, self._version(kpi or "", ask.query.get("version", "")))

    def _version(self, kpi: str, asked: str) -> int | None:
        """The version asked for; ``None`` if there is no such one."""
        try:
            return self._parts.figures.catalogue.kpi(kpi, int(asked)).version
        except (FigureError, ValueError):
            return None

    def _following(self, period: Period) -> Period | None:
        """The period after it, if that has begun."""
        following = period.following()
        return following if following.start <= self._parts.clock.now() else None

    def _reachable(self, scope: Scope) -> list[SectionId]:
        return [each for each in self._parts.sections if scope.everything or each in scope.sections]

    async def _lines(self, ask: Ask, wanted: _Wanted) -> list[Shown]:
        part = Slice(section=wanted.section)
        catalogue = self._parts.figures.catalogue
        current = (catalogue.kpi(kpi_id, wanted.versions.get(kpi_id)) for kpi_id in catalogue.ids)
        kpis = [kpi for kpi in current if why_undefined(kpi, part, None) is None]
        names, versions = [kpi.id for kpi in kpis], wanted.versions
        figures = await self._parts.figures.figures(names, [wanted.period], part, versions=versions)
        return [self._shown(figure, kpi, ask) for figure, kpi in zip(figures, kpis, strict=True)]

    async def _by_section(self, ask: Ask, wanted: _Wanted, kpi: Kpi, scope: Scope) -> list[Shown]:
        if why_undefined(kpi, Slice(), Dimension.SECTION) is not None:
            return []
        found = await self._parts.figures.figures(
            [kpi.id], [wanted.period], by=Dimension.SECTION, versions=wanted.versions
        )
        seen = [each for each in found if scope.covers(SectionId(each.slice.section or ""))]
        return [self._shown(figure, kpi, ask) for figure in seen]

    async def _course(self, ask: Ask, wanted: _Wanted, kpi: Kpi) -> list[Bar]:
        periods = [wanted.period]
        try:
            while len(periods) < _COURSE:
                periods.insert(0, periods[0].previous())
        except FigureError:
            pass
        part = Slice(section=wanted.section)
        found = await self._parts.figures.figures([kpi.id], periods, part, versions=wanted.versions)
        return _bars(found, wanted)

    def _shown(self, figure: Figure, kpi: Kpi, ask: Ask) -> Shown:
        whole = 0 if figure.numerator == int(figure.numerator) else 1
        return Shown(
            figure,
            kpi,
            value(figure),
            number(figure.numerator, whole),
            number(figure.denominator, 0 if figure.denominator == int(figure.denominator) else 1),
            behind_figure(figure, kpi, NUMERATOR, ask.who) if figure.numerator else None,
            behind_figure(figure, kpi, DENOMINATOR, ask.who) if figure.denominator else None,
        )

    def _name(self, section: str | None, ask: Ask) -> str:
        names: dict[str, str] = {
            str(tag): name for tag, name in self._parts.sections.get(SectionId(section or ""), {}).items()
        }
        return names.get(ask.texts.language, section or "")


def _bars(figures: Sequence[Figure], wanted: _Wanted) -> list[Bar]:
    highest = max((each.value or 0 for each in figures), default=0) or 1
    if figures and figures[0].unit is Unit.RATIO:
        highest = max(highest, 1.0)
    return [
        Bar(
            each.period.label,
            value(each),
            round(100 * max(0.0, each.value or 0) / highest, 1),
            _address(wanted, period=each.period.label, kpi=each.kpi),
        )
        for each in figures
    ]


def _address(wanted: _Wanted, **changed: Any) -> str:
    """Of the same figure, but for what is changed; a version is one indicator's and goes with it."""
    values = {"period": wanted.period.label, "section": wanted.section, "kpi": wanted.kpi, **changed}
    if "version" not in values and values["kpi"] == wanted.kpi:
        values["version"] = wanted.version
    return "/figures?" + urlencode({name: each for name, each in values.items() if each})
