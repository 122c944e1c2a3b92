"""Opening hours, public holidays and make-up workdays (A8, C4)."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from ivr.menu.hours import DayKind, OpeningHours, PublicHolidays, State
from ivr.menu.model import Schedule, Span, Spans

SHANGHAI = ZoneInfo("Asia/Shanghai")
OFFICE: Spans = (Span(510, 720), Span(810, 1050))  # 08:30-12:00, 13:30-17:30
SHORT: Spans = (Span(540, 720),)  # 09:00-12:00
CLOSED: Spans = ()

office = Schedule(
    (OFFICE, OFFICE, OFFICE, OFFICE, OFFICE, CLOSED, CLOSED), holidays=CLOSED, makeup_workdays=OFFICE
)
railway = Schedule((OFFICE,) * 7, holidays=SHORT, makeup_workdays=None)
usual = Schedule((OFFICE, OFFICE, OFFICE, OFFICE, OFFICE, CLOSED, CLOSED))
special = Schedule(
    (OFFICE,) * 7,
    holidays=CLOSED,
    special_days={date(2026, 10, 1): SHORT, date(2026, 11, 18): CLOSED},
)


@pytest.fixture
def hours() -> OpeningHours:
    return OpeningHours(SHANGHAI)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    ("schedule", "moment", "state"),
    [
        # an ordinary Wednesday, to the minute
        (office, "2026-11-18 08:29:59", State.CLOSED),
        (office, "2026-11-18 08:30", State.OPEN),
        (office, "2026-11-18 11:59:59", State.OPEN),
        (office, "2026-11-18 12:00", State.CLOSED),
        (office, "2026-11-18 13:30", State.OPEN),
        (office, "2026-11-18 17:30", State.CLOSED),
        # an ordinary Saturday
        (office, "2026-11-21 10:00", State.CLOSED),
        (railway, "2026-11-21 10:00", State.OPEN),
        # National Day
        (office, "2026-10-01 10:00", State.HOLIDAY),
        (office, "2026-10-01 03:00", State.HOLIDAY),
        (railway, "2026-10-01 10:00", State.HOLIDAY),
        (railway, "2026-10-01 14:00", State.CLOSED),
        (usual, "2026-10-01 10:00", State.OPEN),
        (special, "2026-10-01 10:00", State.OPEN),
        (special, "2026-10-01 14:00", State.CLOSED),
        (special, "2026-10-02 10:00", State.HOLIDAY),
        # a Saturday that is worked for it (调休)
        (office, "2026-10-10 10:00", State.OPEN),
        (usual, "2026-10-10 10:00", State.CLOSED),
        # the operator's own day off
        (special, "2026-11-18 10:00", State.CLOSED),
        # a year that nobody has published: by the weekday
        (office, "2040-10-01 10:00", State.OPEN),
    ],
)
def test_state(hours: OpeningHours, schedule: Schedule, moment: str, state: State) -> None:
    assert hours.state_at(schedule, at(moment)) is state


def test_the_operators_time_zone_decides_the_day(hours: OpeningHours) -> None:
    assert hours.state_at(office, datetime(2026, 9, 30, 16, 0, tzinfo=UTC)) is State.HOLIDAY
    assert hours.state_at(office, datetime(2026, 9, 30, 15, 59, tzinfo=UTC)) is State.CLOSED


def test_a_naive_moment_is_refused(hours: OpeningHours) -> None:
    with pytest.raises(ValueError, match="aware"):
        hours.is_open(office, datetime(2026, 10, 1, 10))


def test_kinds_of_days() -> None:
    calendar = PublicHolidays.of_china()
    assert calendar.kind(date(2026, 10, 1)) is DayKind.HOLIDAY
    assert calendar.kind(date(2026, 10, 10)) is DayKind.MAKEUP_WORKDAY
    assert calendar.kind(date(2026, 11, 21)) is DayKind.ORDINARY


@pytest.mark.parametrize(
    ("schedule", "moment", "announced"),
    [
        (office, "2026-11-18 23:00", OFFICE),
        (office, "2026-11-21 10:00", OFFICE),  # closed on Saturday: Monday's
        (railway, "2026-10-01 20:00", SHORT),
        (Schedule((CLOSED,) * 7), "2026-11-18 10:00", CLOSED),
    ],
)
def test_hours_to_announce(hours: OpeningHours, schedule: Schedule, moment: str, announced: Spans) -> None:
    assert hours.hours_to_announce(schedule, at(moment)) == announced


@pytest.mark.parametrize(
    ("moment", "gaps"),
    [
        ("2026-11-18 10:00", ()),
        ("2026-12-10 10:00", (2027,)),
        ("2027-01-02 10:00", (2027,)),
        ("2027-12-10 10:00", (2027, 2028)),
    ],
)
def test_calendar_gaps(moment: str, gaps: tuple[int, ...]) -> None:
    days_off = frozenset({date(2026, 10, 1), date(2027, 1, 1)})  # a New Year published with the year before
    hours = OpeningHours(SHANGHAI, PublicHolidays(days_off, frozenset()))
    assert hours.calendar_gaps(at(moment)) == gaps


@pytest.mark.parametrize(("opens", "closes"), [(600, 600), (700, 600), (-1, 10), (0, 1441)])
def test_impossible_spans_are_refused(opens: int, closes: int) -> None:
    with pytest.raises(ValueError, match="open before it closes"):
        Span(opens, closes)
