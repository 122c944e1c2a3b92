"""Each step's clock, in working days of the operator's calendar (C4).

How a limit of N working days is counted:

- A step that begins on a working day before the cut-off hour begins on that day; any other begins on the next
  working day. The day it begins on is not counted.
- A working day is counted when it ends, at midnight, unless the clock stands still at that moment.
- The step is due at the end of the N-th counted day.

A year whose public holidays are not published has no working days that anybody knows: a clock that needs one is
not known yet, and is read again when they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from types import MappingProxyType
from zoneinfo import ZoneInfo

from calls.case import Case
from calls.cases import COUNTED_STEPS, Known, Standing, Step, StepRun
from calls.workdays import Days, Workdays

C4_DAYS: Mapping[Step, int] = MappingProxyType(
    {Step.FORWARD: 1, Step.OPINION: 3, Step.REVIEW: 1, Step.REPORT: 1, Step.FEED_BACK: 1}
)
"""The rule book's limits in working days."""

_NONE: Mapping[date, Days] = MappingProxyType({})
_FAR = 3660
"""Days ahead after which a clock is not known: nobody pauses a case for ten years."""


@dataclass(frozen=True, slots=True)
class Calendar:
    """The operator's working days: the State Council's, and local special days above them."""

    zone: ZoneInfo
    workdays: Workdays
    special: Mapping[date, Days] = field(default_factory=lambda: _NONE)
    cutoff: time = time(17, 0)
    """What begins later begins on the next working day."""

    def kind(self, day: date) -> Days:
        """What a local day is. A special day is known even if its year is not."""
        return self.special.get(day) or self.workdays.kind(day)

    def end_of(self, day: date) -> datetime:
        """The midnight that ends a local day, in UTC."""
        return datetime.combine(day + timedelta(days=1), time(), self.zone).astimezone(UTC)

    def first_day(self, moment: datetime) -> date | None:
        """The working day on which something begins that came at a moment; ``None``: not known yet."""
        local = moment.astimezone(self.zone)
        day = local.date()
        kind = self.kind(day)
        if kind is Days.WORKING and local.time() < self.cutoff:
            return day
        return None if kind is Days.UNKNOWN else next(self.after(day), None)

    def after(self, day: date) -> Iterator[date]:
        """The working days behind a day, in order, as far as they are known."""
        for _ in range(_FAR):
            day += timedelta(days=1)
            kind = self.kind(day)
            if kind is Days.UNKNOWN:
                return
            if kind is Days.WORKING:
                yield day


@dataclass(frozen=True, slots=True)
class Clocks:
    """Reads the clocks of cases."""

    calendar: Calendar
    days: Mapping[Step, int] = field(default_factory=lambda: C4_DAYS)
    """Limits in working days; a step without one has no clock but what the department promised."""
    warn_before: timedelta = timedelta(hours=8)

    def __call__(self, case: Case) -> tuple[Standing, ...]:
        """All steps of a case with their clocks: a function of its history and of the calendar alone."""
        return tuple(self.standing(run) for run in case.runs)

    def standing(self, run: StepRun) -> Standing:
        """One step with its clock."""
        counted = run.step in COUNTED_STEPS
        limit = self.days.get(run.step)
        if limit is None:
            if run.promised_at is None:
                return Standing(run, Known.NO_LIMIT, counted=counted)
            return self._due(run, run.promised_at, counted)
        due = self.due(run, limit)
        return Standing(run, Known.NOT_YET, counted=counted) if due is None else self._due(run, due, counted)

    def due(self, run: StepRun, limit: int) -> datetime | None:
        """The end of the last counted day; ``None``: not known yet."""
        first = self.calendar.first_day(run.began_at)
        if first is None:
            return None
        left = limit
        for day in self.calendar.after(first):
            end = self.calendar.end_of(day)
            if not any(since <= end < until for since, until in run.pauses):
                left -= 1
                if left == 0:
                    return end
        return None

    def _due(self, run: StepRun, due: datetime, counted: bool) -> Standing:
        warn_at = max(run.began_at, due - self.warn_before)
        return Standing(run, Known.DUE, due, warn_at, counted)
