"""A filter of calls as a page's address carries it, and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import TypeVar
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from calls.call import Result
from calls.errors import FigureError
from calls.figures import Figure
from calls.ids import AgentNumber, CallId, Language, SectionId, is_unique_id
from calls.lists import CallFilter, Counted, Rating
from calls.measures import Slice
from calls.people import Person, Right
from calls.periods import Period
from calls.verdicts import Outcome
from metrics.kpi.behind import behind
from metrics.kpi.catalogue import Catalogue
from metrics.kpi.model import Kpi

_E = TypeVar("_E", bound=StrEnum)

FIELDS = (
    *("from", "to", "section", "agent", "language", "trunk", "result", "rule", "outcome", "talk_least"),
    *("talk_most", "waited_least", "recorded", "rating", "repeated", "same_caller_as"),
    *("kpi", "version", "side", "period"),
)
"""Names in the address; every other one is ignored."""
NUMERATOR, DENOMINATOR = "numerator", "denominator"
"""Sides of a figure."""
CASES_BEHIND = "/cases/counted"
"""Where the inquiries, complaints and steps behind a figure are listed."""
PROMISES_BEHIND = "/callbacks/counted"
"""Where the call-backs behind a figure are."""
_UNUSUAL = {"language", "trunk", "talk_least", "talk_most", "waited_least", "repeated"}
_LONGEST = 80
_YEARS = range(1970, 9000)


@dataclass(frozen=True, slots=True)
class Asked:
    """What an address asks for."""

    calls: CallFilter
    values: Mapping[str, str]
    """As they were given, without those that mean nothing: what forms show, and what is saved."""
    wrong: tuple[str, ...] = ()
    """Names whose values mean nothing."""
    kpi: Kpi | None = None
    """The indicator whose calls are listed."""
    period: Period | None = None

    def given(self, name: str) -> str:
        """What a field of the form holds."""
        return self.values.get(name, "")

    @property
    def unusual(self) -> bool:
        """Whether something is asked that the form shows only when asked to."""
        return bool(self.values.keys() & _UNUSUAL)

    @property
    def query(self) -> str:
        return urlencode(self.values)


def asked(query: Mapping[str, str], zone: ZoneInfo, catalogue: Catalogue) -> Asked:
    """Read an address. What cannot be read leaves nothing out, and is named in ``wrong``."""
    reader = _Reader({name: query.get(name, "").strip()[:_LONGEST] for name in FIELDS}, zone)
    calls = CallFilter(
        since=reader.day("from"),
        until=reader.day("to", days=1),
        section=reader.of("section", SectionId),
        agent=reader.of("agent", AgentNumber),
        language=reader.of("language", Language),
        trunk=reader.of("trunk", str),
        result=reader.choice("result", Result),
        rule=reader.of("rule", str),
        outcome=reader.choice("outcome", Outcome),
        talk_least_s=reader.number("talk_least"),
        talk_most_s=reader.number("talk_most"),
        waited_least_s=reader.number("waited_least"),
        recorded={"1": True, "0": False}.get(reader.given["recorded"]),
        rating=reader.choice("rating", Rating),
        repeated=reader.given["repeated"] == "1",
        same_caller_as=reader.of("same_caller_as", _call_id),
    )
    kpi, period = reader.indicator(catalogue)
    if period is not None:
        calls = replace(calls, since=period.span[0], until=period.span[1])
    if kpi is not None:
        calls = replace(calls, counted=_side(kpi, reader.given["side"]) or Counted("nothing"))
    values = {name: value for name, value in reader.given.items() if value and name not in reader.wrong}
    return Asked(calls, values, tuple(reader.wrong), kpi, period)


@dataclass(frozen=True, slots=True)
class FigureAsked:
    """One side of a figure, as the address of what is behind it names it."""

    kpi: Kpi
    side: str
    """``numerator`` or ``denominator``."""
    period: Period
    slice: Slice
    counted: Counted


def figure_asked(query: Mapping[str, str], zone: ZoneInfo, catalogue: Catalogue) -> FigureAsked | None:
    """Read the address that ``behind_figure`` writes; ``None`` if it names no figure, or one without a list."""
    reader = _Reader({name: query.get(name, "").strip()[:_LONGEST] for name in FIELDS}, zone)
    kpi, period = reader.indicator(catalogue)
    section, agent, language, trunk = (reader.of(name, str) for name in ("section", "agent", "language", "trunk"))
    if kpi is None or period is None or reader.wrong:
        return None
    side = DENOMINATOR if reader.given["side"] == DENOMINATOR else NUMERATOR
    counted = _side(kpi, side)
    part = Slice(section=section, agent=agent, language=language, trunk=trunk)
    return FigureAsked(kpi, side, period, part, counted) if counted else None


def behind_figure(figure: Figure, kpi: Kpi, side: str, person: Person) -> str | None:
    """The address of the calls or cases behind one side of a figure; ``None`` if it counts none, or if this person
    may not read them.
    """
    counted = _side(kpi, side)
    if counted is None:
        return None
    path, right = _place_of(counted)
    if not person.may(right):
        return None
    part = figure.slice
    values = {
        "kpi": kpi.id,
        "version": str(kpi.version),
        "side": side,
        "period": figure.period.label,
        "section": part.section,
        "agent": part.agent,
        "language": part.language,
        "trunk": part.trunk,
    }
    if kpi.id == "LW" and side == NUMERATOR:
        values["waited_least"] = f"{max(0.0, figure.numerator - 0.0005):.3f}"
    return f"{path}?" + urlencode({name: value for name, value in values.items() if value})


def _place_of(counted: Counted) -> tuple[str, Right]:
    """Where it is listed, and what a reader must be allowed."""
    if counted.of_promises:
        return PROMISES_BEHIND, Right.SEE_COUNTED
    return (CASES_BEHIND, Right.SEE_COUNTED) if counted.of_cases else ("/calls", Right.READ_CALLS)


def _side(kpi: Kpi, side: str) -> Counted | None:
    sides = behind(kpi)
    return sides.denominator if side == DENOMINATOR else sides.numerator


class _Reader:
    def __init__(self, given: dict[str, str], zone: ZoneInfo) -> None:
        self.given = given
        self.wrong: list[str] = []
        self._zone = zone

    def of(self, name: str, kind: Callable[[str], _T]) -> _T | None:
        text = self.given[name]
        try:
            if not text.isprintable():
                raise ValueError(text)
            return kind(text) if text else None
        except (ValueError, OverflowError):
            self.wrong.append(name)
            return None

    def choice(self, name: str, kind: type[_E]) -> _E | None:
        return self.of(name, kind)

    def number(self, name: str) -> float | None:
        return self.of(name, _seconds)

    def day(self, name: str, days: int = 0) -> datetime | None:
        """Midnight of a local day, or of one some days later."""

        def midnight(text: str) -> datetime:
            day = date.fromisoformat(text)
            if not _YEARS.start <= day.year < _YEARS.stop:
                raise ValueError(text)
            return datetime.combine(day + timedelta(days), time(), self._zone)

        return self.of(name, midnight)

    def indicator(self, catalogue: Catalogue) -> tuple[Kpi | None, Period | None]:
        try:
            version = self.of("version", int)
            kpi = catalogue.kpi(self.given["kpi"], version) if self.given["kpi"] else None
        except FigureError:
            self.wrong += ["kpi", "version"]
            kpi = None
        try:
            period = Period.parse(self.given["period"], self._zone) if self.given["period"] else None
        except FigureError:
            self.wrong.append("period")
            period = None
        return kpi, period


_T = TypeVar("_T")


def _call_id(text: str) -> CallId:
    if not is_unique_id(text):
        raise ValueError(text)
    return CallId(text)


def _seconds(text: str) -> float:
    found = float(text)
    if not 0 <= found <= 1e6:
        raise ValueError(text)
    return found
