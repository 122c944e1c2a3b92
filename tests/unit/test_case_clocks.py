"""Clocks in working days: make-up workdays, special days, cut-off hour, pauses, unpublished years (C4, K7)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calls.case import Case
from calls.case_events import ClockPaused, ClockResumed
from calls.cases import CaseNumber, Known, Login, PauseReason, Step, StepRun
from calls.errors import SettingsError
from calls.workdays import Days
from cases.clocks import Calendar, Clocks
from cases.special_days import read_special_days
from tests.support_cases import CALENDAR, CHINA, CLOCKS, SHANGHAI, local, midnight_after, registered, steps

NUMBER = CaseNumber("TS2026-00001")


def due(begin: str, days: int, calendar: Calendar = CALENDAR) -> datetime | None:
    return Clocks(calendar).due(StepRun(Step.OPINION, 1, local(begin), None, None), days)


@pytest.mark.parametrize(
    ("begin", "days", "last"),
    [
        ("2026-11-23 09:00", 1, "2026-11-24"),  # Monday
        ("2026-11-23 16:59", 1, "2026-11-24"),
        ("2026-11-23 17:00", 1, "2026-11-25"),  # after the cut-off hour: as if on Tuesday
        ("2026-11-20 09:00", 1, "2026-11-23"),  # Friday: Saturday and Sunday do not count
        ("2026-11-21 09:00", 1, "2026-11-24"),  # Saturday: as if on Monday
        ("2026-11-20 18:00", 3, "2026-11-26"),
        # Spring Festival 2025: 28 January to 4 February off, 26 January (Sunday) and 8 February (Saturday) worked
        ("2025-01-24 09:00", 1, "2025-01-26"),
        ("2025-01-26 09:00", 1, "2025-01-27"),
        ("2025-01-27 09:00", 1, "2025-02-05"),
        ("2025-01-27 18:00", 1, "2025-02-06"),
        ("2025-02-07 09:00", 1, "2025-02-08"),
        ("2025-02-06 09:00", 3, "2025-02-10"),
        # National Day 2025: 1 to 8 October off, 28 September (Sunday) and 11 October (Saturday) worked
        ("2025-09-26 09:00", 1, "2025-09-28"),
        ("2025-09-30 09:00", 1, "2025-10-09"),
        ("2025-10-03 12:00", 1, "2025-10-10"),
        ("2025-10-09 09:00", 3, "2025-10-13"),
        # Spring Festival 2026: 15 to 23 February off, 14 February and 28 February (Saturdays) worked
        ("2026-02-13 09:00", 1, "2026-02-14"),
        ("2026-02-14 09:00", 1, "2026-02-24"),
        ("2026-02-27 09:00", 1, "2026-02-28"),
        ("2026-02-26 09:00", 3, "2026-03-02"),
        # National Day 2026: 1 to 7 October off, 20 September (Sunday) and 10 October (Saturday) worked
        ("2026-09-18 09:00", 1, "2026-09-20"),
        ("2026-09-30 09:00", 1, "2026-10-08"),
        ("2026-10-09 09:00", 1, "2026-10-10"),
        ("2026-10-08 09:00", 3, "2026-10-12"),
    ],
)
def test_when_a_step_is_due(begin: str, days: int, last: str) -> None:
    assert due(begin, days) == midnight_after(last)


def test_a_year_that_is_not_published_is_not_guessed() -> None:
    assert due("2026-12-29 09:00", 1) == midnight_after("2026-12-30")
    assert due("2026-12-30 09:00", 3) is None
    assert due("2027-03-01 09:00", 1) is None
    case = Case.of(NUMBER, [registered(local("2026-12-31 10:00"))])
    (standing,) = CLOCKS(case)
    assert standing.known is Known.NOT_YET and standing.due_at is None and standing.in_time is None
    assert not standing.late(local("2027-06-01 00:00"))


def test_once_the_year_is_published_the_same_history_has_its_clock() -> None:
    published = replace(
        CHINA,
        days_off={*CHINA.days_off, date(2027, 1, 1), date(2027, 2, 8)},
    )
    clocks = Clocks(replace(CALENDAR, workdays=published))
    case = Case.of(NUMBER, [registered(local("2026-12-31 10:00"))])
    assert clocks(case)[0].due_at == midnight_after("2027-01-04")


def test_local_special_days_stand_above_the_calendar() -> None:
    special = {date(2026, 11, 24): Days.OFF, date(2026, 11, 28): Days.WORKING}
    calendar = replace(CALENDAR, special=special)
    assert due("2026-11-23 09:00", 1, calendar) == midnight_after("2026-11-25")
    assert due("2026-11-27 09:00", 1, calendar) == midnight_after("2026-11-28")


def test_a_special_day_does_not_make_a_year_known() -> None:
    calendar = replace(CALENDAR, special={date(2027, 5, 4): Days.OFF, date(2027, 5, 8): Days.WORKING})
    assert due("2027-05-03 09:00", 1, calendar) is None
    assert due("2027-05-08 09:00", 1, calendar) is None


def test_special_days_come_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "days.toml"
    file.write_text("off = [2026-11-24]\nworking = [2026-11-28]\n")
    assert read_special_days(file) == {date(2026, 11, 24): Days.OFF, date(2026, 11, 28): Days.WORKING}


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("off = [2026-11-24]\nworking = [2026-11-24]", "both off and working"),
        ("off = ['2026-11-24']", "is not a day"),
        ("off = [2026-11-24T10:00:00]", "is not a day"),
        ("closed = [2026-11-24]", "'closed'"),
        ("off = 2026-11-24", "'off'"),
        ("off = [", "cannot be read"),
    ],
)
def test_a_file_that_cannot_be_meant_is_refused(tmp_path: Path, text: str, what: str) -> None:
    file = tmp_path / "days.toml"
    file.write_text(text)
    with pytest.raises(SettingsError, match=what):
        read_special_days(file)
    with pytest.raises(SettingsError, match="cannot be read"):
        read_special_days(tmp_path / "none.toml")


def test_a_clock_that_stands_still_at_midnight_does_not_count_that_day() -> None:
    def paused(begin: str, end: str) -> datetime | None:
        run = StepRun(Step.OPINION, 1, local("2026-11-23 09:00"), None, None, ((local(begin), local(end)),))
        return CLOCKS.due(run, 2)

    assert paused("2026-11-24 09:00", "2026-11-24 15:00") == midnight_after("2026-11-25"), "within a day"
    assert paused("2026-11-24 09:00", "2026-11-25 09:00") == midnight_after("2026-11-26")
    assert paused("2026-11-24 09:00", "2026-11-30 09:00") == midnight_after("2026-12-01")
    assert paused("2026-11-27 09:00", "2026-12-30 09:00") == midnight_after("2026-11-25"), "due before the pause"


def test_whoever_resumes_early_lets_the_clock_run_from_there() -> None:
    at = local("2026-11-23 09:00")
    pause = ClockPaused(
        at=at, by=Login("wang"), why="鉴定", reason=PauseReason.THIRD_PARTY, until=at + timedelta(days=10)
    )
    case = Case.of(NUMBER, [registered(at), pause])
    assert CLOCKS(case)[0].due_at == midnight_after("2026-12-03")
    case = case.after(ClockResumed(at=at + timedelta(days=2), by=Login("wang")))
    assert CLOCKS(case)[0].due_at == midnight_after("2026-11-25") and not case.paused(case.last_at)


def test_a_pause_goes_on_into_the_next_step_and_ends_by_itself() -> None:
    at = local("2026-11-23 09:00")
    until = local("2026-11-26 12:00")
    pause = ClockPaused(at=at, by=Login("wang"), why="停运", reason=PauseReason.FORCE_MAJEURE, until=until)
    forwarded, *_ = steps([at + timedelta(hours=1)])
    case = Case.of(NUMBER, [registered(at), pause, forwarded])
    assert CLOCKS(case)[1].due_at == midnight_after("2026-11-30")
    assert case.paused(until - timedelta(seconds=1)) and not case.paused(until)


def test_work_is_due_when_the_department_promised_and_else_has_no_clock() -> None:
    at = local("2026-11-23 09:00")
    told = steps([at])[:3]
    assert CLOCKS(Case.of(NUMBER, [registered(at), *told]))[-1].known is Known.NO_LIMIT
    promised = replace(told[1], done_by=local("2026-12-01 12:00"))
    standing = CLOCKS(Case.of(NUMBER, [registered(at), told[0], promised, told[2]]))[-1]
    assert standing.due_at == local("2026-12-01 12:00") and not standing.counted


def test_timeliness_is_computed_from_the_history_alone() -> None:
    """Forwarded in time, opinion late by a day, the rest on the day: four of five."""
    at = [local(f"2026-11-{day} 10:00") for day in (24, 30)]
    case = Case.of(NUMBER, [registered(local("2026-11-23 09:00")), *steps(at)])
    standings = CLOCKS(case)
    assert [standing.run.step for standing in standings] == list(Step)
    assert [standing.in_time for standing in standings if standing.counted] == [True, False, True, True, True]
    assert CLOCKS(case) == standings


moments = st.datetimes(datetime(2025, 1, 1), datetime(2026, 11, 1)).map(
    lambda naive: naive.replace(tzinfo=SHANGHAI)
)
pauses = st.lists(st.tuples(st.integers(0, 500), st.integers(1, 300)), max_size=3)


@given(moments, st.integers(1, 5), pauses)
def test_a_pause_never_brings_a_step_forward(begin: datetime, days: int, told: list[tuple[int, int]]) -> None:
    spans = tuple(
        (begin + timedelta(hours=since), begin + timedelta(hours=since + length)) for since, length in told
    )
    plain = CLOCKS.due(StepRun(Step.OPINION, 1, begin, None, None), days)
    paused = CLOCKS.due(StepRun(Step.OPINION, 1, begin, None, None, spans), days)
    assert plain is not None and plain > begin
    assert paused is None or paused >= plain


@given(moments, moments, st.integers(1, 5))
def test_what_begins_later_is_not_due_earlier(one: datetime, other: datetime, days: int) -> None:
    first, second = sorted((one, other))
    early, late = (CLOCKS.due(StepRun(Step.OPINION, 1, each, None, None), days) for each in (first, second))
    assert early is not None and late is not None and early <= late


@given(moments, st.integers(1, 5), st.times())
def test_a_step_is_due_at_the_end_of_a_working_day_and_after_so_many(
    begin: datetime, days: int, cutoff: time
) -> None:
    calendar = replace(CALENDAR, cutoff=cutoff)
    found = Clocks(calendar).due(StepRun(Step.OPINION, 1, begin, None, None), days)
    assert found is not None
    last = (found - timedelta(seconds=1)).astimezone(SHANGHAI).date()
    assert calendar.kind(last) is Days.WORKING and found == calendar.end_of(last)
    first = calendar.first_day(begin)
    assert first is not None and first >= begin.date()
    between = (first + timedelta(days=n) for n in range(1, (last - first).days + 1))
    assert sum(calendar.kind(day) is Days.WORKING for day in between) == days
