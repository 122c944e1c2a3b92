"""Which roll-ups answer for a period, and which of its instants must be counted from the calls themselves.

A roll-up answers for an hour, a local day or a month. It is used if it was made under the present basis and
nothing in its time has changed since (``rollup_marks``). Days are made, with their hours, from calls; months from
days. Agents' roll-ups have no hours: there would be nearly as many rows as calls.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from calls.periods import Grain, Period

QUARTER = timedelta(minutes=15)
"""What marks stand for: every zone's hours and days begin at one of these in UTC."""

Span = tuple[datetime, datetime]
"""Half-open, in UTC."""

KEPT = (Grain.MONTH, Grain.DAY)
"""Grains of roll-ups that are made, and go stale, as a whole; hours go with their day."""


def quarter_of(moment: datetime) -> datetime:
    """The beginning of the quarter of an hour, by UTC, that a moment lies in."""
    at = moment.astimezone(UTC)
    return at.replace(minute=at.minute // 15 * 15, second=0, microsecond=0)


@dataclass(frozen=True, slots=True)
class Fresh:
    """The roll-ups that may be used, at one instant."""

    built: Mapping[Grain, Mapping[datetime, datetime]]
    """Ends by beginnings of the days and months made under the present basis."""
    marks: Sequence[datetime]
    """Quarters in which something changed since, in order."""

    first: datetime
    """Before it there is none."""
    last: datetime
    """From it on there is none."""

    def has(self, period: Period) -> bool:
        """Whether the roll-up of a day or month may be used."""
        start, end = period.span
        return self.built[period.grain].get(start) == end and not self.marked(start, end)

    def marked(self, start: datetime, end: datetime) -> bool:
        """Whether something that arrived in between changed."""
        first = bisect_left(self.marks, start - QUARTER + timedelta(microseconds=1))
        return first < len(self.marks) and self.marks[first] < end


@dataclass(slots=True)
class Plan:
    """What to read, and to which of the periods it belongs."""

    buckets: dict[Grain, dict[datetime, list[int]]] = field(
        default_factory=lambda: {Grain.HOUR: {}, Grain.DAY: {}, Grain.MONTH: {}}
    )
    """Roll-ups by their beginning, each with the numbers of the periods that it is part of."""
    spans: dict[Span, list[int]] = field(default_factory=dict)
    """Time to be counted from the calls, likewise."""
    _last: dict[int, Span] = field(default_factory=dict)

    def count(self, start: datetime, end: datetime, number: int) -> None:
        """Count the calls of a span for one period; right after another of the same, it makes that one longer."""
        last = self._last.get(number)
        if last and last[1] == start:
            self.spans[last].remove(number)
            if not self.spans[last]:
                del self.spans[last]
            start = last[0]
        self.spans.setdefault((start, end), []).append(number)
        self._last[number] = start, end

    def intervals(self) -> tuple[list[list[datetime]], dict[datetime, list[int]]]:
        """The spans cut where any of them begins or ends.

        Gives runs of cuts without a gap, and the periods of each interval by its beginning.
        """
        cuts = sorted({cut for span in self.spans for cut in span})
        periods: dict[datetime, list[int]] = {}
        for (start, end), numbers in self.spans.items():
            for cut in cuts[bisect_left(cuts, start) : bisect_left(cuts, end)]:
                periods.setdefault(cut, []).extend(numbers)
        runs: list[list[datetime]] = []
        for cut, following in pairwise(cuts):
            if cut in periods:
                if not runs or runs[-1][-1] != cut or len(runs[-1]) > _MOST_CUTS:
                    runs.append([cut])
                runs[-1].append(following)
        return runs, periods


_MOST_CUTS = 48
"""A row's interval is found by comparing it with one cut after the other."""


class Planner:
    """Plans reading for one operator's time zone."""

    def __init__(
        self, zone: ZoneInfo, fresh: Fresh, *, hours: bool, is_wanted: Callable[[date], bool] | None
    ) -> None:
        """``hours``: whether roll-ups of hours may be used; ``is_wanted``: the days to read, ``None`` for all."""
        self._zone = zone
        self._fresh = fresh
        self._hours = hours
        self._is_wanted = is_wanted
        self._days: dict[date, tuple[Period, bool]] = {}
        self._months: dict[date, tuple[Period, bool]] = {}

    def plan(self, periods: Iterable[Period]) -> Plan:
        """What to read for periods, which may overlap."""
        made = Plan()
        for number, period in enumerate(periods):
            self._add(made, number, period)
        return made

    def _add(self, plan: Plan, number: int, period: Period) -> None:
        cursor, end = period.span
        while cursor < end:
            if self._is_wanted is None and not self._fresh.first <= cursor < self._fresh.last:
                until = min(end, self._fresh.first) if cursor < self._fresh.first else end
                plan.count(cursor, until, number)
                cursor = until
                continue
            local = cursor.astimezone(self._zone)
            month, has_month = self._known(self._months, Grain.MONTH, local)
            if self._is_wanted is None and has_month and _fills(month, cursor, end):
                bucket, until = Grain.MONTH, month.span[1]
            else:
                day, has_day = self._known(self._days, Grain.DAY, local)
                until = min(day.span[1], end)
                if self._is_wanted and not self._is_wanted(local.date()):
                    cursor = until
                    continue
                found = self._within_day(day, cursor, end) if has_day else None
                if found is None:
                    plan.count(cursor, until, number)
                    cursor = until
                    continue
                bucket, until = found
            plan.buckets[bucket].setdefault(cursor, []).append(number)
            cursor = until

    def _within_day(self, day: Period, cursor: datetime, end: datetime) -> tuple[Grain, datetime] | None:
        """The roll-up that begins at ``cursor`` in a day that has roll-ups, and where it ends."""
        if _fills(day, cursor, end):
            return Grain.DAY, day.span[1]
        if self._hours:
            hour = Period.containing(cursor, Grain.HOUR, self._zone)
            if _fills(hour, cursor, end):
                return Grain.HOUR, hour.span[1]
        return None

    def _known(self, known: dict[date, tuple[Period, bool]], grain: Grain, local: datetime) -> tuple[Period, bool]:
        day = local.date() if grain is Grain.DAY else local.date().replace(day=1)
        if day not in known:
            period = Period.containing(local, grain, self._zone)
            known[day] = period, self._fresh.has(period)
        return known[day]


def _fills(period: Period, cursor: datetime, end: datetime) -> bool:
    """Whether the period begins at ``cursor`` and is over by ``end``."""
    return period.span[0] == cursor and period.span[1] <= end
