"""Roll-ups always say what counting every call says, on SQLite and a real PostgreSQL (K1 to K2r)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import count
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from calls.call import Call
from calls.events import AnyEvent
from calls.measures import ALL_CALLS, Dimension, Measures, Slice, total
from calls.periods import Grain, Period
from calls.ports import Change
from calls.workdays import Days, Workdays
from storage.access_tables import access_log
from storage.books import SqlBooks
from storage.case_tables import case_events, order_events
from storage.ledger import SqlLedger
from storage.rollups import RollUps, mark
from storage.tables import metadata
from tests.support_books import AGENTS, LANGUAGES, SECTIONS, TRUNKS, SetClock, calls_between, counted_by_hand
from tests.support_ledger import Ring, story
from tests.support_prepared import dropped, patient_engine, prepared

NEW_YORK, KATHMANDU = ZoneInfo("America/New_York"), ZoneInfo("Asia/Kathmandu")
FIRST = datetime(2026, 10, 29, 4, tzinfo=UTC)
"""Midnight in New York; three days later clocks go back, and a month begins on that very day."""
DAYS = 6
LATER = FIRST + timedelta(days=8)
LIMIT_S = 21.0
"""A limit that no standard sets."""
WORKDAYS = Workdays(frozenset({date(2026, 10, 30), date(2026, 3, 4)}), frozenset({date(2026, 10, 31)}))
_fresh = count(1)
some_examples = settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
slices = st.builds(
    Slice,
    section=st.none() | st.sampled_from(SECTIONS),
    agent=st.none() | st.sampled_from(AGENTS),
    language=st.none() | st.sampled_from(LANGUAGES),
    trunk=st.none() | st.sampled_from(TRUNKS),
    days=st.none() | st.sampled_from(Days),
)
dimensions = st.none() | st.sampled_from(Dimension)


@pytest_asyncio.fixture(params=["sqlite", "postgresql"])
async def engine(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    url = await prepared(request.param, tmp_path)
    made = patient_engine(url)
    yield made
    await made.dispose()
    dropped(url)


KEPT = (access_log, case_events, order_events)
"""Nobody here writes to them, and the database deletes nothing of them."""


async def emptied(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        for table in reversed(metadata.sorted_tables):
            if table not in KEPT:
                await connection.execute(delete(table))


async def make_all(rollups: RollUps, most: int = 1000) -> int:
    """Make what is stale, at most so many; how many were made."""
    made = 0
    while made < most and (stale := await rollups.stale()):
        assert await rollups.make(stale[0])
        made += 1
    return made


def some_periods(zone: ZoneInfo) -> list[Period]:
    """Periods of every grain, which overlap, begin within days of another zone, and lie side by side."""
    whole = [Period.containing(FIRST + timedelta(days=3), grain, zone) for grain in Grain]
    month = Period.containing(FIRST + timedelta(days=3), Grain.MONTH, zone)
    change = Period.containing(FIRST + timedelta(days=3, hours=2), Grain.DAY, zone)
    return [*whole, month, month.previous(), *change.split(Grain.HOUR), change.previous(), change]


async def assert_equal(
    engine: AsyncEngine, calls: Sequence[Call], zone: ZoneInfo, part: Slice, by: Dimension | None
) -> None:
    periods = some_periods(zone)
    told = await SqlBooks(engine, zone, LIMIT_S, WORKDAYS).measures(periods, part, by)
    raw = await SqlBooks(engine, zone, LIMIT_S, WORKDAYS, rolled_up=False).measures(periods, part, by)
    by_hand = [counted_by_hand(calls, period, part, by, LIMIT_S, WORKDAYS) for period in periods]
    assert raw == by_hand
    assert told == by_hand


@some_examples
@given(data=st.data())
async def test_any_slice_at_any_moment_equals_counting_by_hand(engine: AsyncEngine, data: st.DataObject) -> None:
    """Calls in any order, roll-ups made or half made at any moment in between, asked in two time zones."""
    await emptied(engine)
    zone = data.draw(st.sampled_from([NEW_YORK, KATHMANDU]))
    ledger, clock = SqlLedger(engine), SetClock(LATER)
    rollups = RollUps(engine, zone, LIMIT_S, clock)
    told: list[AnyEvent] = []
    for number in range(data.draw(st.integers(1, 8))):
        told += data.draw(calls_between(f"{next(_fresh)}.{number}", FIRST, DAYS))
    shuffled = data.draw(st.permutations(told))
    while shuffled:
        cut = data.draw(st.integers(1, len(shuffled)))
        await ledger.record(shuffled[:cut])
        shuffled = shuffled[cut:]
        clock.moment = data.draw(st.sampled_from([FIRST + timedelta(days=4, hours=13), LATER]))
        await make_all(rollups, data.draw(st.sampled_from([0, 1, 3, 3, 40])))
    calls = [Call.of([event for event in told if event.call_id == one]) for one in {e.call_id for e in told}]
    await assert_equal(engine, calls, zone, data.draw(slices), data.draw(dimensions))
    await assert_equal(engine, calls, KATHMANDU, data.draw(slices), data.draw(dimensions))


def answered(call_id: str, start: datetime, wait_s: float = 10.0) -> list[AnyEvent]:
    ring = Ring("1001", rang=2, answered=1 + wait_s, connected=1 + wait_s, ended=60, cause=16)
    return story(call_id, start=start, asked=1, rings=[ring], ended=60, recorded=True)


async def test_what_is_made_is_used(engine: AsyncEngine) -> None:
    """Else everything above would hold without any roll-up."""
    rollups = RollUps(engine, NEW_YORK, LIMIT_S, SetClock(LATER))
    await SqlLedger(engine).record(answered("1.1", FIRST))
    assert await make_all(rollups) == 31 + 1 + 4  # October, its month, and the days of November that are over
    async with engine.begin() as connection:
        await connection.execute(delete(metadata.tables["offers"]))
    books = SqlBooks(engine, NEW_YORK, LIMIT_S, WORKDAYS)
    [year] = await books.measures([Period.parse("2026", NEW_YORK)])
    assert (year[None].arrived, year[None].offers) == (1, 1)


async def test_a_change_of_an_old_call_counts_at_once_and_is_rolled_up_again(engine: AsyncEngine) -> None:
    ledger, rollups = SqlLedger(engine), RollUps(engine, NEW_YORK, LIMIT_S, SetClock(LATER))
    told = answered("1.1", FIRST)
    await ledger.record(told[:2])
    await make_all(rollups)
    await ledger.record(told)
    assert [period.label for period in await rollups.stale()] == ["2026-10-29"]
    calls = [Call.of(told)]
    await assert_equal(engine, calls, NEW_YORK, ALL_CALLS, None)
    await make_all(rollups)
    await assert_equal(engine, calls, NEW_YORK, ALL_CALLS, Dimension.AGENT)


async def test_a_call_that_turns_out_to_have_arrived_earlier_leaves_its_old_day(engine: AsyncEngine) -> None:
    ledger, rollups = SqlLedger(engine), RollUps(engine, NEW_YORK, LIMIT_S, SetClock(LATER))
    told = answered("1.1", FIRST - timedelta(seconds=30))  # asked after midnight
    late = [event for event in told if event.at >= FIRST]
    await ledger.record(late)
    await make_all(rollups)
    await ledger.record(told)
    await assert_equal(engine, [Call.of(told)], NEW_YORK, ALL_CALLS, None)
    await make_all(rollups)
    await assert_equal(engine, [Call.of(told)], NEW_YORK, ALL_CALLS, None)


async def test_another_limit_or_zone_makes_everything_anew(engine: AsyncEngine) -> None:
    told = answered("1.1", FIRST, wait_s=20)
    await SqlLedger(engine).record(told)
    await make_all(RollUps(engine, NEW_YORK, LIMIT_S, SetClock(LATER)))
    other = RollUps(engine, KATHMANDU, 19.0, SetClock(LATER))
    period = Period.parse("2026-10", KATHMANDU)
    books = SqlBooks(engine, KATHMANDU, 19.0, WORKDAYS)
    for _ in range(3):
        [found] = await books.measures([period])
        assert found[None].within[19.0] == 0
        await make_all(other, 20)
    assert await make_all(other) == 0
    # Whose roll-ups were replaced is not wrong, only slow.
    await assert_equal(engine, [Call.of(told)], NEW_YORK, ALL_CALLS, None)


async def test_writers_readers_and_two_makers_at_once_never_see_a_wrong_sum(engine: AsyncEngine) -> None:
    """Every batch holds as many calls that arrive in October as in November: no reader may see one without
    the other.
    """
    ledger = SqlLedger(engine)
    november = FIRST + timedelta(days=5)
    await ledger.record(answered("0.1", FIRST) + answered("0.2", november))
    periods = [Period.parse(label, NEW_YORK) for label in ("2026-10", "2026-11")]
    done = asyncio.Event()

    async def write(who: int) -> None:
        for number in range(25):
            await ledger.record(
                answered(f"{who}.{2 * number}", FIRST + timedelta(minutes=number))
                + answered(f"{who}.{2 * number + 1}", november + timedelta(minutes=number))
            )

    async def make() -> None:
        rollups = RollUps(engine, NEW_YORK, LIMIT_S, SetClock(LATER))
        while not done.is_set():
            for period in await rollups.stale():
                await rollups.make(period)
                await asyncio.sleep(0.02)  # as the service does: SQLite's writers do not queue
            await asyncio.sleep(0)

    async def read() -> None:
        books = SqlBooks(engine, NEW_YORK, LIMIT_S, WORKDAYS)
        while not done.is_set():
            for by in (None, Dimension.AGENT):
                october, later = await books.measures(periods, by=by)
                assert total(october.values()) == total(later.values())
            await asyncio.sleep(0)

    async with asyncio.TaskGroup() as group:
        for _ in range(2):
            group.create_task(make())
            group.create_task(read())
        writers = [group.create_task(write(who)) for who in (1, 2)]
        await asyncio.gather(*writers)
        done.set()
    rollups = RollUps(engine, NEW_YORK, LIMIT_S, SetClock(LATER))
    await make_all(rollups)
    [october, _] = await SqlBooks(engine, NEW_YORK, LIMIT_S, WORKDAYS).measures(periods)
    assert october[None].arrived == 51


async def test_who_makes_a_roll_up_waits_for_who_is_changing_its_calls(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The change is not visible yet, and its mark is one that was there before."""
    told, written, go_on = answered("1.1", FIRST), asyncio.Event(), asyncio.Event()
    ledger, rollups = SqlLedger(engine), RollUps(engine, NEW_YORK, LIMIT_S, SetClock(LATER))
    await ledger.record(told[:2])

    async def mark_and_wait(connection: AsyncConnection, changes: Sequence[Change]) -> None:
        await mark(connection, changes)
        written.set()
        await go_on.wait()

    monkeypatch.setattr("storage.ledger.mark", mark_and_wait)
    recorder = asyncio.create_task(ledger.record(told))
    await written.wait()
    maker = asyncio.create_task(rollups.make(Period.parse("2026-10-29", NEW_YORK)))
    await asyncio.wait({maker}, timeout=0.5)  # time for it to do wrong
    go_on.set()
    await asyncio.gather(recorder, maker)
    await assert_equal(engine, [Call.of(told)], NEW_YORK, ALL_CALLS, None)


async def test_a_maker_that_dies_half_way_leaves_nothing_wrong(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = answered("1.1", FIRST)
    ledger, rollups = SqlLedger(engine), RollUps(engine, NEW_YORK, LIMIT_S, SetClock(LATER))
    await ledger.record(told)
    day = Period.parse("2026-10-29", NEW_YORK)

    async def dies(*_: object) -> None:
        raise RuntimeError("killed")

    for step in ("_take_marks", "_drop", "_add_up"):
        with monkeypatch.context() as patch:
            patch.setattr(f"storage.rollups.{step}", dies)
            with pytest.raises(RuntimeError):
                await rollups.make(day)
        assert day in await rollups.stale()
        await assert_equal(engine, [Call.of(told)], NEW_YORK, ALL_CALLS, None)
    await make_all(rollups)
    await assert_equal(engine, [Call.of(told)], NEW_YORK, ALL_CALLS, None)


async def test_the_live_pages_figures_are_the_same_sums(engine: AsyncEngine) -> None:
    ledger = SqlLedger(engine)
    await ledger.record(answered("1.1", FIRST) + answered("2.1", FIRST, wait_s=30) + story("3.1", start=FIRST))
    await ledger.record(story("4.1", start=FIRST, asked=1, ended=9, trunk="synthetic"))
    day = Period.parse("2026-10-29", NEW_YORK)
    [found] = await SqlBooks(engine, NEW_YORK, LIMIT_S, WORKDAYS).measures([day])
    sums, shown = found[None], await ledger.figures(day.start, day.end, LIMIT_S)
    assert (sums.arrived, sums.asked, sums.answered, sums.tests) == (3, 2, 2, 1)
    assert (shown.answered.numerator, shown.answered.denominator) == (sums.answered, sums.asked)
    assert shown.within_limit.numerator == sums.within[LIMIT_S] == 1
    assert (shown.rings_kept.numerator, shown.rings_kept.denominator) == (sums.offers_kept[LIMIT_S], sums.offers)
    assert (shown.arrived, shown.missing_recordings) == (sums.arrived, sums.missing_recordings)


async def test_no_periods_no_calls(engine: AsyncEngine) -> None:
    books = SqlBooks(engine, NEW_YORK, LIMIT_S, WORKDAYS)
    assert await books.measures([]) == []
    [nothing] = await books.measures([Period.parse("2026", NEW_YORK)])
    assert nothing[None] == total([nothing[None]]) and nothing[None].arrived == 0
    assert await books.measures([Period.parse("2026", NEW_YORK)], by=Dimension.AGENT) == [{}]
    assert await RollUps(engine, NEW_YORK, LIMIT_S, SetClock(LATER)).stale() == []
    assert isinstance(nothing[None], Measures)
