"""Opening hours: what a schedule says at a given moment, Chinese public holidays and make-up workdays
(调休) included.

Nothing here reads a clock: the moment is passed in, aware, and turned into the operator's time zone.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo

import chinese_calendar

from ivr.menu.model import Schedule, ScheduleId, Section, Spans

CALENDAR_WARNING = timedelta(days=30)
"""How long before a year begins its holidays should be known: the State Council publishes them in November.
"""

_SEARCH_DAYS = 366


class State(enum.Enum):
    """What an `Hours` node forks on."""

    OPEN = "open"
    CLOSED = "closed"
    HOLIDAY = "holiday"


class DayKind(enum.Enum):
    """What the State Council's calendar says of a day."""

    ORDINARY = "ordinary"
    HOLIDAY = "holiday"
    MAKEUP_WORKDAY = "make-up workday"


@dataclass(frozen=True)
class PublicHolidays:
    """The official calendar: public holidays, and the weekend days that are worked for them."""

    days_off: frozenset[date]
    makeup_workdays: frozenset[date]

    @classmethod
    def of_china(cls) -> PublicHolidays:
        """The calendar in the installed `chinesecalendar` package; a new release brings each new year."""
        return cls(frozenset(chinese_calendar.holidays), frozenset(chinese_calendar.workdays))

    def kind(self, day: date) -> DayKind:
        """The kind of a day; every day of an unknown year is ordinary."""
        if day in self.days_off:
            return DayKind.HOLIDAY
        return DayKind.MAKEUP_WORKDAY if day in self.makeup_workdays else DayKind.ORDINARY

    def covers(self, year: int) -> bool:
        """Whether this year's holidays are known."""
        # January and December prove nothing: a break around New Year may be
        # published with the other year.
        return any(day.year == year and 2 <= day.month <= 11 for day in self.days_off)


class OpeningHours:
    """Answers questions about schedules in one time zone."""

    def __init__(self, zone: tzinfo, holidays: PublicHolidays | None = None) -> None:
        self._zone = zone
        self._holidays = holidays or PublicHolidays.of_china()

    def state_at(self, schedule: Schedule, now: datetime) -> State:
        """Open, closed, or a public holiday.

        A public holiday on which the schedule has hours is `HOLIDAY` within them and `CLOSED`
        outside; one without hours is `HOLIDAY` all day. A schedule that keeps its usual hours on
        holidays, and a special day, are never `HOLIDAY`.
        """
        day = self._local(now).date()
        open_now = self.is_open(schedule, now)
        observed = schedule.holidays is not None and day not in schedule.special_days
        if observed and self._holidays.kind(day) is DayKind.HOLIDAY and (open_now or not schedule.holidays):
            return State.HOLIDAY
        return State.OPEN if open_now else State.CLOSED

    def is_open(self, schedule: Schedule, now: datetime) -> bool:
        """Whether people are there at this moment, holiday or not."""
        local = self._local(now)
        minute = local.hour * 60 + local.minute
        return any(span.holds(minute) for span in self.hours_on(schedule, local.date()))

    def section_is_open(self, section: Section, schedules: Mapping[ScheduleId, Schedule], now: datetime) -> bool:
        """Whether a section's people are there at this moment (A8: complaints always)."""
        return section.schedule is None or self.is_open(schedules[section.schedule], now)

    def hours_on(self, schedule: Schedule, day: date) -> Spans:
        """The hours of one local day; empty if it is closed."""
        if day in schedule.special_days:
            return schedule.special_days[day]
        usual = schedule.weekdays[day.weekday()]
        kind = self._holidays.kind(day)
        if kind is DayKind.HOLIDAY:
            return usual if schedule.holidays is None else schedule.holidays
        if kind is DayKind.MAKEUP_WORKDAY:
            return usual if schedule.makeup_workdays is None else schedule.makeup_workdays
        return usual

    def hours_to_announce(self, schedule: Schedule, now: datetime) -> Spans:
        """The hours to tell a caller: today's, or those of the next day that has any; empty if there is
        none in a year.
        """
        today = self._local(now).date()
        days = (today + timedelta(days=ahead) for ahead in range(_SEARCH_DAYS))
        return next(filter(None, (self.hours_on(schedule, day) for day in days)), ())

    def calendar_gaps(self, now: datetime) -> tuple[int, ...]:
        """Years, current or about to begin, whose public holidays are unknown: their days go by the
        weekday. Alarm on any.
        """
        local = self._local(now)
        years = sorted({local.year, (local + CALENDAR_WARNING).year})
        return tuple(year for year in years if not self._holidays.covers(year))

    def _local(self, now: datetime) -> datetime:
        if now.tzinfo is None:
            raise ValueError("opening hours need an aware datetime")
        return now.astimezone(self._zone)
