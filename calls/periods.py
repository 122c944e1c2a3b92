"""Periods for which figures are made: hour, day, week, month, quarter, year, in the operator's time zone (C7).

A period is half-open and made of real instants, so a day has 23 or 25 hours where clocks are changed, and an
hour that the clock shows twice is two periods. Beginnings and ends are compared as instants, never by what
the clock shows.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum
from functools import lru_cache
from itertools import product

from calls.errors import PeriodError

_YEARS = range(1970, 9998)
"""Years that labels may name."""


class Grain(StrEnum):
    """How long a period is."""

    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    """Monday to Sunday (ISO 8601)."""
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


_FINER: dict[Grain, tuple[Grain, ...]] = {
    Grain.HOUR: (Grain.HOUR,),
    Grain.DAY: (Grain.HOUR, Grain.DAY),
    Grain.WEEK: (Grain.HOUR, Grain.DAY, Grain.WEEK),
    Grain.MONTH: (Grain.HOUR, Grain.DAY, Grain.MONTH),
    Grain.QUARTER: (Grain.HOUR, Grain.DAY, Grain.MONTH, Grain.QUARTER),
    Grain.YEAR: (Grain.HOUR, Grain.DAY, Grain.MONTH, Grain.QUARTER, Grain.YEAR),
}
"""What each grain is made of without a rest: weeks do not fill months or years."""


@dataclass(frozen=True, slots=True, eq=False)
class Period:
    """All instants from ``start`` up to, not including, ``end``; both aware, in the operator's zone."""

    grain: Grain
    start: datetime
    end: datetime
    span: tuple[datetime, datetime] = field(init=False, repr=False)
    """Beginning and end in UTC."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "span", (self.start.astimezone(UTC), self.end.astimezone(UTC)))

    # Within one zone Python compares datetimes by the clock's face, which shows an hour twice in autumn.
    def __eq__(self, other: object) -> bool:
        return isinstance(other, Period) and (self.grain, self.span) == (other.grain, other.span)

    def __hash__(self) -> int:
        return hash((self.grain, self.span))

    @classmethod
    def containing(cls, moment: datetime, grain: Grain, zone: tzinfo) -> Period:
        """The period of this grain that an aware ``moment`` lies in."""
        if moment.utcoffset() is None:
            raise PeriodError("a period is found for an aware time")
        local = moment.astimezone(zone)
        return _hour(local) if grain is Grain.HOUR else _of_days(grain, local.date(), zone)

    @property
    def zone(self) -> tzinfo:
        """The operator's time zone."""
        assert self.start.tzinfo
        return self.start.tzinfo

    @property
    def day(self) -> date:
        """The first local day."""
        return self.start.date()

    def previous(self) -> Period:
        """The period just before."""
        return Period.containing(self.span[0] - timedelta(microseconds=1), self.grain, self.zone)

    def following(self) -> Period:
        """The period just after."""
        return Period.containing(self.end, self.grain, self.zone)

    def year_before(self) -> Period:
        """The same period of the year before: 29 February and week 53 take the one before them."""
        if self.grain is Grain.WEEK:
            year, week, _ = self.day.isocalendar()
            return _of_days(Grain.WEEK, _monday(year - 1, min(week, _weeks_in(year - 1))), self.zone)
        day = self.day
        last = 28 if (day.month, day.day) == (2, 29) else day.day
        earlier = day.replace(year=day.year - 1, day=last)
        if self.grain is not Grain.HOUR:
            return _of_days(self.grain, earlier, self.zone)
        at = datetime.combine(earlier, time(self.start.hour), self.zone)
        return Period.containing(at.astimezone(UTC), Grain.HOUR, self.zone)

    def split(self, grain: Grain) -> tuple[Period, ...]:
        """The periods of a finer grain that it is made of, in order.

        Raises PeriodError for a grain that does not fill it: weeks do not fill months, quarters or years.
        """
        if grain not in _FINER[self.grain]:
            raise PeriodError(f"a {self.grain} is not made of whole {grain}s")
        return tuple(self._parts(grain))

    def _parts(self, grain: Grain) -> Iterator[Period]:
        end = self.span[1]
        part = Period.containing(self.start, grain, self.zone)
        while part.span[0] < end:
            yield part
            part = part.following()

    @property
    def label(self) -> str:
        """``2026-11-22T14``, ``2026-11-22``, ``2026-W47``, ``2026-11``, ``2026-Q4``, ``2026``.

        Of an hour that the clock shows twice, the second is followed by its distance from UTC:
        ``2026-11-01T01-05:00``.
        """
        day = self.day
        match self.grain:
            case Grain.HOUR:
                again = f"{self.start:%z}" if self.start.fold else ""
                return f"{day}T{self.start.hour:02}" + (f"{again[:3]}:{again[3:5]}" if again else "")
            case Grain.DAY:
                return f"{day}"
            case Grain.WEEK:
                year, week, _ = day.isocalendar()
                return f"{year}-W{week:02}"
            case Grain.MONTH:
                return f"{day.year}-{day.month:02}"
            case Grain.QUARTER:
                return f"{day.year}-Q{(day.month + 2) // 3}"
            case Grain.YEAR:
                return f"{day.year}"

    @classmethod
    def parse(cls, label: str, zone: tzinfo) -> Period:
        """The period that a label names. Raises PeriodError, which says how labels are written."""
        for grain, pattern in _LABELS.items():
            found = pattern.fullmatch(label)
            if found:
                try:
                    return _read(grain, found, zone)
                except ValueError as error:
                    raise PeriodError(f"there is no {grain} {label}") from error
        raise PeriodError(
            f"{label[:40]!r} is not a period: write 2026-11-22T14, 2026-11-22, 2026-W47, 2026-11, 2026-Q4 or 2026"
        )


_YEAR = "(?P<year>[0-9]{4})"
_LABELS = {
    Grain.HOUR: re.compile(
        f"{_YEAR}-(?P<month>[0-9]{{2}})-(?P<day>[0-9]{{2}})T(?P<hour>[0-9]{{2}})"
        r"(?P<offset>[+-][0-9]{2}:[0-9]{2})?"
    ),
    Grain.DAY: re.compile(f"{_YEAR}-(?P<month>[0-9]{{2}})-(?P<day>[0-9]{{2}})"),
    Grain.WEEK: re.compile(f"{_YEAR}-W(?P<week>[0-9]{{2}})"),
    Grain.MONTH: re.compile(f"{_YEAR}-(?P<month>[0-9]{{2}})"),
    Grain.QUARTER: re.compile(f"{_YEAR}-Q(?P<quarter>[1-4])"),
    Grain.YEAR: re.compile(_YEAR),
}


@lru_cache(maxsize=8192)
def _of_days(grain: Grain, day: date, zone: tzinfo) -> Period:
    """The period that a local day lies in; a report asks for the same few again and again."""
    first = _first_day(grain, day)
    return Period(grain, midnight(first, zone), midnight(_next_first_day(grain, first), zone))


def midnight(day: date, zone: tzinfo) -> datetime:
    """The first instant of a local day, which is not 00:00 where clocks go forward at midnight."""
    return datetime.combine(day, time(), zone).astimezone(UTC).astimezone(zone)


def _first_day(grain: Grain, day: date) -> date:
    match grain:
        case Grain.WEEK:
            return day - timedelta(days=day.weekday())
        case Grain.MONTH:
            return day.replace(day=1)
        case Grain.QUARTER:
            return day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1)
        case Grain.YEAR:
            return day.replace(month=1, day=1)
        case _:
            return day


_LONGER_THAN = {Grain.DAY: 0, Grain.WEEK: 6, Grain.MONTH: 31, Grain.QUARTER: 92, Grain.YEAR: 366}
"""Days after the first one that surely reach the last one or the next period's beginning."""


def _next_first_day(grain: Grain, first: date) -> date:
    if grain in (Grain.DAY, Grain.WEEK):
        return first + timedelta(days=_LONGER_THAN[grain] + 1)
    return _first_day(grain, first + timedelta(days=_LONGER_THAN[grain]))


def _hour(local: datetime) -> Period:
    """The instants around ``local`` at which the clock shows the same hour at the same distance from UTC."""
    zone = local.tzinfo
    assert zone
    at = local.astimezone(UTC).replace(microsecond=0)
    start = at - timedelta(minutes=local.minute, seconds=local.second)
    end = start + timedelta(hours=1)
    # Clocks may be changed within the hour by the clock's face: then the change is its beginning or end.
    if _offset(start, zone) != local.utcoffset():
        start = _change(start, at, zone)
    if _offset(end - timedelta(seconds=1), zone) != local.utcoffset():
        end = _change(at, end, zone)
    return Period(Grain.HOUR, start.astimezone(zone), end.astimezone(zone))


def _offset(at: datetime, zone: tzinfo) -> timedelta | None:
    return at.astimezone(zone).utcoffset()


def _change(before: datetime, after: datetime, zone: tzinfo) -> datetime:
    """When clocks were changed between two instants, to the second."""
    offset = _offset(before, zone)
    seconds = range(int((after - before).total_seconds()) + 1)
    changed = bisect_left(
        seconds, True, key=lambda second: _offset(before + timedelta(seconds=second), zone) != offset
    )
    return before + timedelta(seconds=changed)


def _monday(year: int, week: int) -> date:
    return date.fromisocalendar(year, week, 1)


def _weeks_in(year: int) -> int:
    return date(year, 12, 28).isocalendar().week


def _read(grain: Grain, found: re.Match[str], zone: tzinfo) -> Period:
    """Raises ValueError for a date or an hour that does not exist."""
    parts = {name: int(value) for name, value in found.groupdict().items() if value and name != "offset"}
    year = parts["year"]
    if year not in _YEARS:
        raise ValueError(f"year {year}")
    if grain is Grain.WEEK:
        return _of_days(grain, _monday(year, parts["week"]), zone)
    month = parts.get("month", parts.get("quarter", 1) * 3 - 2 if "quarter" in parts else 1)
    day = date(year, month, parts.get("day", 1))
    if grain is not Grain.HOUR:
        return _of_days(grain, day, zone)
    wanted = f"{day}T{parts['hour']:02}"
    # An hour may begin or end late, and be shown twice, where clocks are changed.
    for fold, minute in product((0, 1), (0, 59)):
        at = datetime.combine(day, time(parts["hour"], minute, fold=fold), zone)
        hour = Period.containing(at.astimezone(UTC), grain, zone)
        if hour.label == wanted + (found["offset"] or ""):
            return hour
    raise ValueError("the clock does not show it")
