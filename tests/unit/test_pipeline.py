"""Event → ledger → watchers: in order, once, whatever the database does meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calls.errors import StorageRefused, StorageUnavailable
from calls.events import AnyEvent
from calls.ports import Change
from service.pipeline import Observer, Pipeline
from tests.support_ledger import MemoryLedger, story
from tests.support_virtual_time import run_virtual


class Database(MemoryLedger):
    """A ledger that fails on request: ``gone``, or refuses the events whose keys are in ``bad``."""

    def __init__(self) -> None:
        super().__init__()
        self.bad: set[str] = set()
        self.attempts: list[float] = []
        self.batches: list[list[AnyEvent]] = []
        """What was stored, transaction by transaction."""

    async def record(self, events: Sequence[AnyEvent]) -> list[Change]:
        self.attempts.append(asyncio.get_running_loop().time())
        await asyncio.sleep(0.01)  # others have their turn meanwhile
        if not self.gone and self.bad & {event.key for event in events}:
            raise StorageRefused("never")
        changes = await super().record(events)
        self.batches.append(list(events))
        return changes

    @property
    def taken(self) -> list[AnyEvent]:
        return [event for batch in self.batches for event in batch]


@contextlib.asynccontextmanager
async def running(
    database: Database, observers: Sequence[Observer] = (), capacity: int = 100_000
) -> AsyncIterator[Pipeline]:
    pipeline = Pipeline(database, observers, capacity)
    task = asyncio.create_task(pipeline.run())
    try:
        yield pipeline
    finally:
        task.cancel()
        await asyncio.wait({task})


def calls(count: int) -> list[AnyEvent]:
    """Three events of each of so many calls, mixed."""
    stories = [story(f"1.{number}", asked=5, ended=9) for number in range(count)]
    return [told[step] for step in range(3) for told in stories]


async def hand_over(pipeline: Pipeline, events: Sequence[AnyEvent]) -> None:
    for event in events:
        await pipeline.put(event)


def test_everything_is_stored_in_order_and_in_batches() -> None:
    async def scenario() -> None:
        database, events = Database(), calls(300)
        async with running(database) as pipeline:
            await hand_over(pipeline, events)
            assert pipeline.pending == 900
            await pipeline.drained()
            assert (pipeline.pending, pipeline.stored, pipeline.refused) == (0, 900, 0)
        assert database.taken == events
        assert [len(batch) for batch in database.batches] == [256, 256, 256, 132]

    run_virtual(scenario())


def test_watchers_are_told_once_of_each_change_and_never_of_a_repeat() -> None:
    async def scenario() -> None:
        first: list[Change] = []
        second: list[Change] = []
        events = calls(2)
        async with running(Database(), [first.append, second.append]) as pipeline:
            await hand_over(pipeline, events)
            await pipeline.drained()
            assert [len(change.events) for change in first] == [3, 3]  # one change a call and a transaction
            assert all(change.before is None and change.after.ended_at for change in first)
            await hand_over(pipeline, events)
            await pipeline.drained()
            assert len(first) == 2
            assert pipeline.stored == 6
        assert second == first

    run_virtual(scenario())


def test_while_the_database_is_away_events_wait(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        database, seen = Database(), list[Change]()
        database.gone = True
        async with running(database, [seen.append]) as pipeline:
            assert pipeline.available
            await hand_over(pipeline, calls(10))
            await asyncio.sleep(600)
            assert (pipeline.available, pipeline.pending, pipeline.stored, seen) == (False, 30, 0, [])
            waits = [round(later - earlier, 6) for earlier, later in pairwise(database.attempts)]
            assert waits == sorted(waits)  # ever slower …
            assert waits[-1] <= 5.02  # … but soon there when it is back
            database.gone = False
            await pipeline.drained()
            assert (pipeline.available, pipeline.pending, pipeline.stored) == (True, 0, 30)
        assert database.taken == calls(10)
        assert len(seen) == 10

    run_virtual(scenario())
    assert [entry.message for entry in caplog.records if entry.levelname == "ERROR"] == ["ledger.unavailable"]


def test_one_bad_event_does_not_take_its_neighbours_with_it(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        database, events = Database(), calls(5)
        database.bad = {events[7].key}
        async with running(database) as pipeline:
            await hand_over(pipeline, events)
            await pipeline.drained()
            assert (pipeline.refused, pipeline.stored, pipeline.pending) == (1, 14, 0)
            assert pipeline.available
        assert database.taken == [event for event in events if event is not events[7]]

    run_virtual(scenario())
    (entry,) = [entry for entry in caplog.records if entry.message == "ledger.refused"]
    assert vars(entry)["event_key"] == calls(5)[7].key


def test_a_database_that_comes_back_with_a_refusal_is_back() -> None:
    async def scenario() -> None:
        database, (event, *_) = Database(), calls(1)
        database.gone, database.bad = True, {event.key}
        async with running(database) as pipeline:
            await pipeline.put(event)
            await asyncio.sleep(10)
            assert not pipeline.available
            database.gone = False
            await pipeline.drained()
            assert (pipeline.available, pipeline.refused) == (True, 1)

    run_virtual(scenario())


def test_too_many_waiting_slow_the_source_down_and_lose_nothing() -> None:
    async def scenario() -> None:
        database, events = Database(), calls(300)
        database.gone = True
        async with running(database, capacity=10) as pipeline:
            source = asyncio.create_task(hand_over(pipeline, events))
            await asyncio.sleep(60)
            assert not source.done()
            with pytest.raises(asyncio.QueueFull):
                pipeline.put_nowait(events[0])
            database.gone = False
            await source
            await pipeline.drained()
        assert database.taken == events

    run_virtual(scenario())


def test_an_event_may_come_from_where_nothing_can_be_awaited() -> None:
    async def scenario() -> None:
        database, events = Database(), calls(1)
        async with running(database) as pipeline:
            for event in events:
                pipeline.put_nowait(event)
            await pipeline.drained()
        assert database.taken == events

    run_virtual(scenario())


@settings(max_examples=40)
@given(
    told=st.lists(st.sampled_from(calls(6)), max_size=40),
    bad=st.sets(st.sampled_from([event.key for event in calls(6)]), max_size=4),
    outages=st.lists(st.floats(0.001, 20), max_size=6),
)
def test_whatever_fails_in_between_each_event_is_stored_once(
    told: list[AnyEvent], bad: set[str], outages: list[float]
) -> None:
    async def scenario() -> None:
        database, seen = Database(), list[Change]()
        database.bad = bad
        watch: Callable[[Change], None] = seen.append
        async with running(database, [watch], capacity=7) as pipeline:
            source = asyncio.create_task(hand_over(pipeline, told))
            for length in outages:
                database.gone = not database.gone
                await asyncio.sleep(length)
            database.gone = False
            await source
            await pipeline.drained()
            assert pipeline.pending == 0
            assert pipeline.refused == sum(event.key in bad for event in told)
        good = list(dict.fromkeys(event.key for event in told if event.key not in bad))
        assert list(dict.fromkeys(event.key for event in database.taken)) == good
        assert sorted(event.key for change in seen for event in change.events) == sorted(good)

    run_virtual(scenario())


def test_unavailable_in_the_middle_of_sorting_out_a_bad_event() -> None:
    async def scenario() -> None:
        database, events = Database(), calls(3)
        database.bad = {events[4].key}
        async with running(database) as pipeline:
            await hand_over(pipeline, events)
            while not database.batches:  # the batch was refused, single events are being stored
                await asyncio.sleep(0.001)
            database.gone = True
            await asyncio.sleep(10)
            assert not pipeline.available
            database.gone = False
            await pipeline.drained()
        assert database.taken == [event for event in events if event is not events[4]]
        assert pipeline.refused == 1

    run_virtual(scenario())


async def test_the_memory_ledger_is_gone_as_a_database_is() -> None:
    """What these tests stand on."""
    database = Database()
    database.gone = True
    with pytest.raises(StorageUnavailable):
        await database.record(calls(1))
