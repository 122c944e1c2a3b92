"""Periods in any time zone: beginnings, ends, labels, neighbours, and days of 23, 24.5 and 25 hours."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calls.errors import PeriodError
from calls.periods import Grain, Period
from calls.workdays import Days, Workdays

SHANGHAI, NEW_YORK = ZoneInfo("Asia/Shanghai"), ZoneInfo("America/New_York")
KOLKATA, KATHMANDU = ZoneInfo("Asia/Kolkata"), ZoneInfo("Asia/Kathmandu")
LORD_HOWE, HAVANA = ZoneInfo("Australia/Lord_Howe"), ZoneInfo("America/Havana")
zones = st.sampled_from(
    [
        UTC,
        SHANGHAI,
        NEW_YORK,
        KOLKATA,
        KATHMANDU,
        LORD_HOWE,
        HAVANA,
        ZoneInfo("Pacific/Chatham"),
        ZoneInfo("America/Sao_Paulo"),
        ZoneInfo("Africa/Casablanca"),
        ZoneInfo("Pacific/Apia"),
    ]
)
moments = st.datetimes(datetime(1985, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC))
grains = st.sampled_from(Grain)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("grain", "label", "start", "end"),
    [
        (Grain.HOUR, "2026-11-22T14", "2026-11-22T06:00", "2026-11-22T07:00"),
        (Grain.DAY, "2026-11-22", "2026-11-21T16:00", "2026-11-22T16:00"),
        (Grain.WEEK, "2026-W47", "2026-11-15T16:00", "2026-11-22T16:00"),
        (Grain.MONTH, "2026-11", "2026-10-31T16:00", "2026-11-30T16:00"),
        (Grain.QUARTER, "2026-Q4", "2026-09-30T16:00", "2026-12-31T16:00"),
        (Grain.YEAR, "2026", "2025-12-31T16:00", "2026-12-31T16:00"),
    ],
)
def test_periods_of_a_moment_in_shanghai(grain: Grain, label: str, start: str, end: str) -> None:
    period = Period.containing(utc("2026-11-22T06:30"), grain, SHANGHAI)
    assert (period.label, period.start, period.end) == (label, utc(start), utc(end))
    assert period.start.tzinfo is SHANGHAI
    assert Period.parse(label, SHANGHAI) == period


@pytest.mark.parametrize(
    ("zone", "day", "hours", "labels"),
    [
        (NEW_YORK, "2026-03-08", [1] * 23, {1: "2026-03-08T01", 2: "2026-03-08T03"}),
        (NEW_YORK, "2026-11-01", [1] * 25, {1: "2026-11-01T01", 2: "2026-11-01T01-05:00", 3: "2026-11-01T02"}),
        (LORD_HOWE, "2026-04-05", [1, 1, 0.5] + [1] * 22, {1: "2026-04-05T01", 2: "2026-04-05T01+10:30"}),
        (LORD_HOWE, "2026-10-04", [1, 1, 0.5] + [1] * 21, {2: "2026-10-04T02"}),
        (KATHMANDU, "2026-11-22", [1] * 24, {0: "2026-11-22T00"}),
        (HAVANA, "2026-03-08", [1] * 23, {0: "2026-03-08T01"}),
    ],
)
def test_hours_of_days_on_which_clocks_change(
    zone: ZoneInfo, day: str, hours: list[float], labels: dict[int, str]
) -> None:
    parts = Period.parse(day, zone).split(Grain.HOUR)
    lengths = [(part.end.astimezone(UTC) - part.start.astimezone(UTC)) / timedelta(hours=1) for part in parts]
    # Lord Howe's clocks go back at 2:00 to 1:30, so the second "1" is half an hour.
    assert lengths == hours
    assert {index: parts[index].label for index in labels} == labels
    assert len(set(parts)) == len(parts)


def test_an_hour_that_the_clock_shows_twice_is_two_periods() -> None:
    first, second = (Period.parse(label, NEW_YORK) for label in ("2026-11-01T01", "2026-11-01T01-05:00"))
    assert first != second and len({first, second}) == 2
    assert first.following() == second and second.previous() == first


@given(moments, grains, zones)
def test_a_period_holds_its_moment_and_touches_its_neighbours(
    moment: datetime, grain: Grain, zone: ZoneInfo
) -> None:
    period = Period.containing(moment, grain, zone)
    start, end = period.start.astimezone(UTC), period.end.astimezone(UTC)
    assert start <= moment < end
    assert period.previous().end.astimezone(UTC) == start
    assert period.following().start.astimezone(UTC) == end
    assert period.following().previous() == period
    assert Period.containing(end - timedelta(microseconds=1), grain, zone) == period


@given(moments, grains, zones)
def test_a_label_names_one_period(moment: datetime, grain: Grain, zone: ZoneInfo) -> None:
    period = Period.containing(moment, grain, zone)
    assert Period.parse(period.label, zone) == period


@given(moments, grains, grains, zones)
def test_parts_fill_the_whole(moment: datetime, whole: Grain, part: Grain, zone: ZoneInfo) -> None:
    period = Period.containing(moment, whole, zone)
    if whole is Grain.YEAR and part is Grain.HOUR:
        return  # nine thousand, a month's are the same
    try:
        parts = period.split(part)
    except PeriodError:
        assert part is Grain.WEEK or list(Grain).index(part) > list(Grain).index(whole) or whole is Grain.WEEK
        return
    edges = [period.start.astimezone(UTC), *(each.end.astimezone(UTC) for each in parts)]
    assert [each.start.astimezone(UTC) for each in parts] == edges[:-1]
    assert edges[-1] == period.end.astimezone(UTC)


@pytest.mark.parametrize(
    ("label", "before"),
    [
        ("2026-11-22T14", "2025-11-22T14"),
        ("2028-02-29", "2027-02-28"),
        ("2028-02-29T07", "2027-02-28T07"),
        ("2026-W53", "2025-W52"),
        ("2026-W47", "2025-W47"),
        ("2026-02", "2025-02"),
        ("2026-Q1", "2025-Q1"),
        ("2026", "2025"),
    ],
)
def test_the_same_period_of_the_year_before(label: str, before: str) -> None:
    assert Period.parse(label, SHANGHAI).year_before().label == before


@pytest.mark.parametrize(
    "label",
    [
        "",
        "heute",
        "2026-13",
        "2026-02-30",
        "2026-W54",
        "0001",
        "9999",
        "2026-11-22T24",
        "2026-11-22T14+08:00",
        "2026-11-22T14:00",
        " 2026",
        "２０２６",
    ],
)
def test_what_is_no_label_is_refused(label: str) -> None:
    with pytest.raises(PeriodError):
        Period.parse(label, SHANGHAI)


def test_an_hour_that_clocks_skip_is_refused() -> None:
    with pytest.raises(PeriodError):
        Period.parse("2026-03-08T02", NEW_YORK)


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(PeriodError):
        Period.containing(datetime(2026, 1, 1), Grain.DAY, SHANGHAI)


# --- working days ---

CALENDAR = Workdays(frozenset({date(2026, 10, 1)}), frozenset({date(2026, 10, 10)}))


@pytest.mark.parametrize(
    ("day", "kind"),
    [
        (date(2026, 10, 1), Days.OFF),  # a Thursday, public holiday
        (date(2026, 10, 10), Days.WORKING),  # a Saturday, worked for it
        (date(2026, 10, 11), Days.OFF),  # a Sunday
        (date(2026, 10, 12), Days.WORKING),
        (date(2027, 10, 11), Days.UNKNOWN),  # a Monday: nobody knows yet
        (date(2027, 10, 10), Days.UNKNOWN),  # a Sunday: it may be worked
    ],
)
def test_working_days(day: date, kind: Days) -> None:
    assert CALENDAR.kind(day) is kind
