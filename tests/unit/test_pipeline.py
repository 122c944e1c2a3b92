"""Event → ledger → watchers: in order, once, whatever the database does meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calls.errors import StorageRefused, StorageUnavailable
from calls.events import AnyEvent
from calls.ports import Change
from service.pipeline import Observer, Pipeline
from service.spool import Spool
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


# --- with a spool on disk ---


@contextlib.asynccontextmanager
async def spooling(
    database: Database, folder: Path, *, capacity: int = 100_000, limit: int = 1 << 24, **more: Any
) -> AsyncIterator[Pipeline]:
    spool, journal = Spool(folder / "waiting", limit), Spool(folder / "journal", limit)
    pipeline = Pipeline(database, [], capacity, spool=spool, journal=journal, **more)
    threads = ThreadPoolExecutor()
    asyncio.get_running_loop().set_default_executor(threads)
    task = asyncio.create_task(pipeline.run())
    try:
        yield pipeline
    finally:
        task.cancel()  # as sudden as SIGKILL: nothing is written at the end
        await asyncio.wait({task})
        threads.shutdown()  # SIGKILL ends them, too: the next process must not find one that still writes


async def test_while_the_database_is_away_events_are_safe_on_disk(tmp_path: Path) -> None:
    database, events = Database(), calls(100)
    database.gone = True
    async with spooling(database, tmp_path) as pipeline:
        await hand_over(pipeline, events)
        await pipeline.kept()
        assert (pipeline.pending, pipeline.stored, pipeline.available) == (300, 0, False)
    database.gone = False
    async with spooling(database, tmp_path) as pipeline:  # the next process
        assert pipeline.pending == 300
        await pipeline.drained()
        assert (pipeline.pending, pipeline.stored) == (0, 300)
    assert database.taken == events
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


async def test_they_are_stored_in_order_when_it_is_back(tmp_path: Path) -> None:
    database, events = Database(), calls(400)
    async with spooling(database, tmp_path) as pipeline:
        await hand_over(pipeline, events[:100])
        await pipeline.drained()
        database.gone = True
        await hand_over(pipeline, events[100:900])
        await pipeline.kept()
        database.gone = False
        await hand_over(pipeline, events[900:])
        await pipeline.drained()
    assert database.taken == events


async def test_what_nobody_else_has_written_down_survives_sigkill_at_once(tmp_path: Path) -> None:
    database, events = Database(), calls(3)
    async with spooling(database, tmp_path) as pipeline:
        for event in events:
            pipeline.put_nowait(event)
    assert database.taken == []  # killed before anything was stored
    async with spooling(database, tmp_path) as pipeline:
        await pipeline.put(calls(4)[3])
        await pipeline.drained()
    assert {event.key for event in database.taken} >= {event.key for event in events}
    assert database.taken[: len(events)] == events


async def test_the_journal_is_empty_when_everything_is_stored(tmp_path: Path) -> None:
    database, events = Database(), calls(50)
    async with spooling(database, tmp_path) as pipeline:
        for number, event in enumerate(events):
            if number % 3:
                await pipeline.put(event)
            else:
                pipeline.put_nowait(event)
        await pipeline.drained()
        while list((tmp_path / "journal").iterdir()):
            await asyncio.sleep(0.001)
    assert database.taken == events


async def test_before_the_database_is_made_ready_nothing_is_tried(tmp_path: Path) -> None:
    database, opened = Database(), asyncio.Event()
    async with spooling(database, tmp_path, opened=opened) as pipeline:
        await hand_over(pipeline, calls(2))
        await pipeline.kept()
        assert database.attempts == []
        opened.set()
        await pipeline.drained()
    assert database.taken == calls(2)


async def test_a_spool_that_is_full_slows_the_source_down_and_loses_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    database, events = Database(), calls(200)
    database.gone = True
    async with spooling(database, tmp_path, capacity=20, limit=5000) as pipeline:
        source = asyncio.create_task(hand_over(pipeline, events))
        while pipeline.disk_ok:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.3)
        assert not source.done()
        assert pipeline.pending < 100
        database.gone = False
        await source
        await pipeline.drained()
        assert pipeline.pending == 0
    assert list(dict.fromkeys(database.taken)) == events
    assert [entry.message for entry in caplog.records].count("spool.full") >= 1


async def test_a_disk_that_fails_is_told_once_and_crashes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(_file: int, _data: bytes) -> int:
        raise OSError(28, "No space left on device")

    database, events = Database(), calls(5)
    database.gone = True
    with monkeypatch.context() as disk:
        disk.setattr(os, "write", full)
        async with spooling(database, tmp_path) as pipeline:
            for event in events[:5]:
                pipeline.put_nowait(event)
            await hand_over(pipeline, events[5:])
            while len(database.attempts) < 4:
                await asyncio.sleep(0.01)
            assert not pipeline.disk_ok
            database.gone = False
            await pipeline.drained()
    assert database.taken == events
    assert [e.message for e in caplog.records if e.levelname == "ERROR"].count("journal.full") == 1


async def test_who_is_told_of_an_event_that_was_refused(tmp_path: Path) -> None:
    database, events, told = Database(), calls(2), list[str]()
    database.bad = {events[1].key}
    async with spooling(database, tmp_path, on_refused=lambda event, _why: told.append(event.key)) as pipeline:
        await hand_over(pipeline, events)
        await pipeline.drained()
    assert told == [events[1].key]


@settings(max_examples=25)
@given(data=st.data())
def test_killed_again_and_again_it_stores_everything_once(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """Whoever hands over goes on from what was kept, as the reader of a file does from its checkpoint."""
    folder, database, events = tmp_path_factory.mktemp("killed"), Database(), calls(12)

    async def life(start: int) -> int:
        kept = start
        database.gone = data.draw(st.booleans())
        async with spooling(database, folder) as pipeline:
            some = events[start : start + data.draw(st.integers(0, 12))]
            await hand_over(pipeline, some)
            if data.draw(st.booleans()):
                await pipeline.kept()
                kept += len(some)
            await asyncio.sleep(data.draw(st.sampled_from([0, 0.001, 0.12])))
        return kept

    async def scenario() -> None:
        place = 0
        for _ in range(data.draw(st.integers(1, 4))):
            place = await life(place)
        database.gone = False
        async with spooling(database, folder) as pipeline:
            await hand_over(pipeline, events[place:])
            await pipeline.drained()

    asyncio.run(scenario())
    assert {event.key for event in database.taken} == {event.key for event in events}


async def test_the_memory_ledger_is_gone_as_a_database_is() -> None:
    """What these tests stand on."""
    database = Database()
    database.gone = True
    with pytest.raises(StorageUnavailable):
        await database.record(calls(1))
