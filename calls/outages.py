"""When parts of the hotline did not work, and what that is of the time they should have worked (K5).

An outage is an interval of one component, half-open. The manual divides outage time by scheduled working time
and does not say what two parts that fail together count: both readings are kept, under their own names. The
**union** counts a moment once, however many components were out (K5); the **sum** counts it once for each (K5sum).

Maintenance that was announced beforehand is kept apart. What a component is out inside a window that names it is
no outage time. A window that names every component is no scheduled time either; one that names only some leaves
the scheduled time as it is, because the hotline as a whole was to work.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum

from calls.errors import SettingsError

Span = tuple[datetime, datetime]
"""A half-open stretch of time, aware; empty if its end is not after its beginning."""


class Component(StrEnum):
    """What can fail by itself. The names are also the ones in metrics and on the command line."""

    ASTERISK = "asterisk"
    AMI = "ami"
    AGI = "agi"
    DATABASE = "database"
    TRUNK = "trunk"
    TRANSCRIPTION = "transcription"
    DISK = "disk"
    CONSOLE = "console"


EVERYTHING = frozenset(Component)


class SyntheticResult(StrEnum):
    """How a synthetic call came out; also a metric's label."""

    SUCCESS = "success"
    NO_ANSWER = "no_answer"
    """Nobody answered, or nothing was heard."""
    WRONG_PROMPT = "wrong_prompt"
    """A prompt was not heard, not in its place, or not to its end."""
    WRONG_SECTION = "wrong_section"
    """All prompts of the menu were heard, but the call came to another section, or to none that has a queue."""
    NOT_IN_BOOKS = "not_in_books"
    """All was heard, but the ledger does not have the call: no fault of the trunk."""


@dataclass(frozen=True, slots=True)
class Outage:
    """One component did not work from ``began_at`` until ``ended_at``; still so if that is ``None``.

    ``planned``: inside announced maintenance. An outage that reaches over the edge of a window is told as two.
    """

    component: Component
    began_at: datetime
    ended_at: datetime | None
    planned: bool = False
    reason: str = ""

    def span(self, now: datetime) -> Span:
        """From its beginning to its end, or to ``now`` while it lasts."""
        return self.began_at, self.ended_at or max(now, self.began_at)


@dataclass(frozen=True, slots=True)
class Maintenance:
    """Work announced beforehand, during which the components may be out."""

    starts_at: datetime
    ends_at: datetime
    components: frozenset[Component]
    reason: str
    number: int = 0
    """Given by the book; 0 before."""

    @property
    def span(self) -> Span:
        return self.starts_at, self.ends_at


@dataclass(frozen=True, slots=True)
class Reliability:
    """A stretch of time, in seconds. All of it is additive over adjoining stretches."""

    scheduled_s: float
    """Scheduled working time: the denominator of K5 and of K5sum."""
    union_s: float
    """Scheduled time during which at least one component was out, unplanned (K5)."""
    sum_s: float
    """The same, a moment counted once for each component that was out (K5sum)."""
    planned_s: float
    """Time during which at least one component was out inside announced maintenance."""
    ongoing: bool
    """Whether an unplanned outage has no end yet."""


@dataclass(frozen=True, slots=True)
class DailyHours:
    """Scheduled working hours of every day, in the operator's zone; 24 × 7 unless it says otherwise (A8)."""

    zone: tzinfo
    opens_min: int = 0
    closes_min: int = 24 * 60
    """Minutes since midnight."""

    @classmethod
    def parse(cls, text: str, zone: tzinfo) -> DailyHours:
        """Read ``07:00-22:00``. Raises SettingsError."""
        found = re.fullmatch(r"([01]\d|2[0-4]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d)", text)
        if not found:
            raise SettingsError(f"hours {text!r}: expected a span such as 07:00-22:00")
        opens_h, opens, closes_h, closes = map(int, found.groups())
        begin, end = opens_h * 60 + opens, closes_h * 60 + closes
        if not begin < end <= 24 * 60:
            raise SettingsError(f"hours {text!r} do not end after they begin, on the same day")
        return cls(zone, begin, end)

    def spans(self, since: datetime, until: datetime) -> list[Span]:
        """The working time within ``[since, until)``, in UTC."""
        if (self.opens_min, self.closes_min) == (0, 24 * 60):
            return merged([(since, until)])
        day, last = since.astimezone(self.zone).date(), until.astimezone(self.zone).date()
        days: list[Span] = []
        while day <= last:
            days.append((self._at(day, self.opens_min), self._at(day, self.closes_min)))
            day += timedelta(days=1)
        return overlap(days, [(since, until)])

    def _at(self, day: date, minutes: int) -> datetime:
        if minutes == 24 * 60:
            return datetime.combine(day + timedelta(days=1), time(), self.zone)
        return datetime.combine(day, time(minutes // 60, minutes % 60), self.zone)


def reliability(
    outages: Iterable[Outage],
    windows: Iterable[Maintenance],
    since: datetime,
    until: datetime,
    hours: DailyHours,
) -> Reliability:
    """What K5 and K5sum of ``[since, until)`` are made of.

    ``until`` lies not after now: an outage without an end lasts until then. ``outages`` are told apart already
    (``apart``, or ``calls.ports.OutageBook.outages``).
    """
    told = list(outages)
    whole = [window.span for window in windows if window.components == EVERYTHING]
    scheduled = minus(hours.spans(since, until), whole)
    by_component: dict[Component, list[Span]] = {}
    planned: list[Span] = []
    for outage in told:
        (planned if outage.planned else by_component.setdefault(outage.component, [])).append(outage.span(until))
    everywhere = [span for spans in by_component.values() for span in spans]
    return Reliability(
        scheduled_s=length_s(scheduled),
        union_s=length_s(overlap(everywhere, scheduled)),
        sum_s=sum(length_s(overlap(spans, scheduled)) for spans in by_component.values()),
        planned_s=length_s(overlap(planned, [(since, until)])),
        ongoing=any(not outage.planned and outage.ended_at is None for outage in told),
    )


def apart(outage: Outage, windows: Iterable[Maintenance], now: datetime) -> list[Outage]:
    """An outage cut at the edges of maintenance of its component, each piece planned or not.

    The last piece of an outage that has no end has none either.
    """
    begin, end = outage.span(now)
    if begin == end:
        inside = any(outage.component in w.components and w.starts_at <= begin < w.ends_at for w in windows)
        return [replace(outage, planned=inside)]
    named = [window.span for window in windows if outage.component in window.components]
    pieces = [(span, True) for span in overlap([(begin, end)], named)]
    pieces += [(span, False) for span in minus([(begin, end)], named)]
    pieces.sort()
    cut = [replace(outage, began_at=a, ended_at=b, planned=planned) for (a, b), planned in pieces]
    return [*cut[:-1], replace(cut[-1], ended_at=outage.ended_at)]


# ── Spans ────────────────────────────────────────────────────────────────────────────────────────────────────────


def merged(spans: Iterable[Span]) -> list[Span]:
    """The same time as spans in order that neither overlap nor touch, in UTC."""
    found: list[Span] = []
    # In UTC: two times of one zone are subtracted as the clock shows them, without its change in between.
    for begin, end in sorted((a.astimezone(UTC), b.astimezone(UTC)) for a, b in spans if a < b):
        if found and begin <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((begin, end))
    return found


def overlap(some: Iterable[Span], others: Iterable[Span]) -> list[Span]:
    """The time that lies in both."""
    return merged(_common(merged(some), merged(others)))


def _common(some: Sequence[Span], others: Sequence[Span]) -> Iterator[Span]:
    left, right = 0, 0
    while left < len(some) and right < len(others):
        yield max(some[left][0], others[right][0]), min(some[left][1], others[right][1])
        if some[left][1] < others[right][1]:
            left += 1
        else:
            right += 1


def minus(spans: Iterable[Span], holes: Iterable[Span]) -> list[Span]:
    """The time that lies in ``spans`` and in no hole."""
    rest: list[Span] = []
    missing = merged(holes)
    for begin, end in merged(spans):
        for hole_begin, hole_end in missing:
            if hole_end <= begin:
                continue
            if hole_begin >= end:
                break
            rest.append((begin, hole_begin))
            begin = hole_end
        rest.append((begin, end))
    return merged(rest)


def length_s(spans: Iterable[Span]) -> float:
    """Seconds in spans that do not overlap."""
    return sum(((end - begin) / timedelta(seconds=1) for begin, end in spans), 0.0)
