"""What everybody may rely on in a ledger: one suite over memory, SQLite and a real PostgreSQL (K1, K2, K2r)."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from itertools import count, permutations
from pathlib import Path
from typing import Protocol

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from calls.call import Call, Result
from calls.errors import StorageRefused, StorageUnavailable
from calls.events import AnyEvent, CallArrived, EndedBy, Source, prevailing
from calls.ids import CallId
from calls.ports import Change, DayFigures, Ledger, Ratio
from storage.engine import upgrade
from storage.ledger import SqlLedger
from tests.support_ledger import CALLER, NOON, MemoryLedger, Ring, events_of_call, story
from tests.support_postgres import PostgresServer, postgres
from tests.support_prepared import dropped, patient_engine, prepared

DAY = (NOON, NOON + timedelta(days=1))
LIMIT_S = 15.0
_fresh = count(1)
witnesses = st.tuples(st.sampled_from(Source), st.sampled_from([-999, 0, 1, 40]))
few_examples = settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


class Books(Protocol):
    """One ledger's storage, which any number of recorders may open."""

    def open(self) -> Ledger: ...

    async def take_away(self) -> None:
        """Make it fail as it does when its machine fails."""

    async def bring_back(self) -> None: ...


class MemoryBooks:
    def __init__(self) -> None:
        self._ledger = MemoryLedger()

    def open(self) -> Ledger:
        return self._ledger

    async def take_away(self) -> None:
        self._ledger.gone = True

    async def bring_back(self) -> None:
        self._ledger.gone = False


class SqlBooks:
    """Books in a database; every ``open`` has connections of its own, as another process would."""

    def __init__(self, url: str, cleanup: AsyncExitStack) -> None:
        self._url = url
        self._cleanup = cleanup
        self._engines = [patient_engine(url)]

    def open(self) -> Ledger:
        engine = patient_engine(self._url)
        self._cleanup.push_async_callback(engine.dispose)
        self._engines.append(engine)
        return SqlLedger(engine)

    async def forget_connections(self) -> None:
        for engine in self._engines:
            await engine.dispose()


class SqliteBooks(SqlBooks):
    def __init__(self, folder: Path, cleanup: AsyncExitStack) -> None:
        super().__init__(f"sqlite:///{folder}/ledger.db", cleanup)
        self._folder = folder

    async def take_away(self) -> None:
        await self.forget_connections()  # an open file stays readable after it was moved
        self._folder.rename(self._folder.with_suffix(".away"))

    async def bring_back(self) -> None:
        self._folder.with_suffix(".away").rename(self._folder)


class PostgresBooks(SqlBooks):
    def __init__(self, server: PostgresServer, url: str, cleanup: AsyncExitStack) -> None:
        super().__init__(url, cleanup)
        self._server = server

    async def take_away(self) -> None:
        self._server.stop()

    async def bring_back(self) -> None:
        self._server.start()


async def _books(kind: str, folder: Path, cleanup: AsyncExitStack, server: PostgresServer | None) -> Books:
    if kind == "memory":
        return MemoryBooks()
    if kind == "sqlite":
        folder.mkdir()
        await prepared(kind, folder)
        return SqliteBooks(folder, cleanup)
    assert server
    if server is postgres():
        url = await prepared(kind, folder)
        cleanup.callback(dropped, url)
    else:
        url = server.create_database()
        await upgrade(url)
    return PostgresBooks(server, url, cleanup)


@pytest_asyncio.fixture(params=["memory", "sqlite", "postgresql"])
async def books(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Books]:
    async with AsyncExitStack() as cleanup:
        server = postgres() if request.param == "postgresql" else None
        yield await _books(request.param, tmp_path / "books", cleanup, server)


@pytest_asyncio.fixture(params=["memory", "sqlite", "postgresql"])
async def fragile_books(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Books]:
    """Books that may be taken away: a PostgreSQL that no other test shares."""
    async with AsyncExitStack() as cleanup:
        server = None
        if request.param == "postgresql":
            server = PostgresServer()
            cleanup.callback(server.remove)
        yield await _books(request.param, tmp_path / "books", cleanup, server)


@pytest.fixture
def ledger(books: Books) -> Ledger:
    return books.open()


def new_id() -> CallId:
    return CallId(f"1795000000.{next(_fresh)}")


def answered(call_id: str, *, wait_s: float, recorded: bool = True) -> list[AnyEvent]:
    """An agent picks up half a second before the caller hears the agent, and rings from the start."""
    heard = 10 + wait_s
    ring = Ring("1001", rang=10, answered=heard - 0.5, connected=heard, ended=60, cause=16)
    return story(call_id, asked=10, rings=[ring], ended=60, recorded=recorded)


# --- storing ---


async def test_a_call_is_the_fold_of_what_was_recorded(ledger: Ledger) -> None:
    told = answered("1.1", wait_s=12)
    assert await ledger.record(told) == [Change(None, Call.of(told), tuple(told))]
    assert await ledger.call(CallId("1.1")) == Call.of(told)
    assert await ledger.events(CallId("1.1")) == sorted(told, key=lambda event: (event.at, event.key))


async def test_an_unknown_call_is_none_and_has_no_events(ledger: Ledger) -> None:
    assert await ledger.call(CallId("9.9")) is None
    assert await ledger.events(CallId("9.9")) == []


async def test_recording_nothing_changes_nothing(ledger: Ledger) -> None:
    assert await ledger.record([]) == []


async def test_an_event_is_stored_once_however_often_it_is_told(ledger: Ledger) -> None:
    told = answered("1.1", wait_s=12)
    [change] = await ledger.record([*told, *told])
    assert change.events == tuple(told)
    assert await ledger.record(told) == []
    assert len(await ledger.events(CallId("1.1"))) == len(told)


async def test_a_change_shows_the_call_before_and_after_and_only_the_new_events(ledger: Ledger) -> None:
    told = answered("1.1", wait_s=12)
    await ledger.record(told[:4])
    await ledger.record(answered("2.1", wait_s=3))
    assert await ledger.record([told[5], *told[:5]]) == [
        Change(Call.of(told[:4]), Call.of(told[:6]), (told[5], told[4]))
    ]


async def test_one_batch_may_hold_many_calls_mixed(ledger: Ledger) -> None:
    stories = [answered(new_id(), wait_s=12) for _ in range(1200)]
    mixed = [event for step in zip(*stories, strict=True) for event in step]
    changes = await ledger.record(mixed)
    assert [change.after for change in changes] == [Call.of(told) for told in stories]
    again = await ledger.record([*mixed, CallArrived(call_id=CallId("9.9"), at=NOON, trunk="t", caller=None)])
    assert [change.after.call_id for change in again] == ["9.9"]


@pytest.mark.parametrize("order", list(permutations(range(4))), ids=str)
async def test_of_several_witnesses_of_a_fact_the_best_is_believed_whoever_spoke_first(
    ledger: Ledger, order: tuple[int, ...]
) -> None:
    def arrived(after_s: float, source: Source) -> CallArrived:
        at = NOON + timedelta(seconds=after_s)
        return CallArrived(call_id=CallId("1.1"), at=at, trunk="t", caller=None, source=source)

    told = [
        arrived(0.5, Source.FILE),
        arrived(0.6, Source.FILE),
        arrived(0.4, Source.AMI),
        arrived(0, Source.QUEUE_LOG),
    ]
    changes = [change for i in order for change in await ledger.record([told[i]])]
    [stored] = await ledger.events(CallId("1.1"))
    assert (stored.at, stored.source) == (told[0].at, Source.FILE)
    assert changes[-1].after == Call.of(told[:1]) == await ledger.call(CallId("1.1"))
    # New once; after that only better.
    assert [len(change.events) for change in changes] == [1] + [0] * (len(changes) - 1)
    assert [len(change.corrected) for change in changes] == [0] + [1] * (len(changes) - 1)
    assert await ledger.record(told) == []
    assert [call.arrived_at for call in await ledger.open_calls()] == [told[0].at]


@few_examples
@given(data=st.data())
async def test_witnesses_who_differ_give_one_call_in_any_order(ledger: Ledger, data: st.DataObject) -> None:
    call_id = new_id()
    told = [
        replace(event, at=event.at + timedelta(milliseconds=later), source=source)
        for event in data.draw(events_of_call(call_id))
        for source, later in data.draw(st.lists(witnesses, min_size=1, max_size=3))
    ]
    shuffled = data.draw(st.permutations([*told, *data.draw(st.lists(st.sampled_from(told)))]))
    cut = data.draw(st.integers(0, len(shuffled)))
    for part in (shuffled[:cut], shuffled[cut:]):
        await ledger.record(part)
    assert await ledger.call(call_id) == Call.of(told)
    best = sorted(prevailing(told).values(), key=lambda event: (event.at, event.key))
    assert [(e.key, e.at, e.source) for e in await ledger.events(call_id)] == [
        (e.key, e.at, e.source) for e in best
    ]


async def test_microseconds_and_any_text_survive(ledger: Ledger) -> None:
    at = NOON.replace(microsecond=123_457)
    event = CallArrived(call_id=CallId("1.1"), at=at, trunk="t", caller="世界 'Ω'\n${x} \x1f" + "9" * 4096)
    await ledger.record([event])
    assert await ledger.events(CallId("1.1")) == [event]
    assert (await ledger.open_calls()) == [Call.of([event])]


@few_examples
@given(data=st.data())
async def test_any_order_split_and_repetition_gives_the_same_call(ledger: Ledger, data: st.DataObject) -> None:
    call_id = new_id()
    told = data.draw(events_of_call(call_id))
    shuffled = data.draw(st.permutations([*told, *data.draw(st.lists(st.sampled_from(told)))]))
    cut = data.draw(st.integers(0, len(shuffled)))
    changes = [change for part in (shuffled[:cut], shuffled[cut:]) for change in await ledger.record(part)]
    assert await ledger.call(call_id) == Call.of(told) == changes[-1].after
    assert sorted(event.key for change in changes for event in change.events) == sorted(e.key for e in told)


@pytest.mark.parametrize("caller", ["139\0", "\ud800"])
async def test_what_no_database_can_hold_is_refused_and_nothing_of_it_stored(ledger: Ledger, caller: str) -> None:
    good = story("1.1")
    bad = CallArrived(call_id=CallId("2.1"), at=NOON, trunk="t", caller=caller)
    with pytest.raises(StorageRefused):
        await ledger.record([*good, bad])
    assert await ledger.call(CallId("1.1")) is None


# --- two at once ---


async def test_two_recorders_at_once_lose_nothing(books: Books) -> None:
    stories = {call_id: answered(call_id, wait_s=12) for call_id in (new_id() for _ in range(12))}
    told = [event for events in stories.values() for event in events]
    shuffle = random.Random(3)

    async def recorder() -> list[Change]:
        own = shuffle.sample(told, len(told))
        ledger = books.open()
        return [
            change for start in range(0, len(own), 4) for change in await ledger.record(own[start : start + 4])
        ]

    changes = [change for part in await asyncio.gather(recorder(), recorder(), recorder()) for change in part]
    assert sorted(event.key for change in changes for event in change.events) == sorted(e.key for e in told)
    ledger = books.open()
    assert {call_id: await ledger.call(call_id) for call_id in stories} == {
        call_id: Call.of(events) for call_id, events in stories.items()
    }
    # The read model has not fallen behind the events either.
    assert await ledger.open_calls() == []
    figures = await ledger.figures(*DAY, LIMIT_S)
    assert (figures.answered, figures.rings_kept, figures.missing_recordings) == (Ratio(12, 12), Ratio(12, 12), 0)


# --- figures ---

A_DAY: list[tuple[str, list[AnyEvent]]] = [
    ("answered in 14.9 s", answered("10.1", wait_s=14.9)),
    ("answered in 15.0 s, the limit itself", answered("11.1", wait_s=15.0)),
    ("answered in 15.1 s by the caller's clock, 14.6 s by the agent's", answered("12.1", wait_s=15.1)),
    ("answered, but not recorded", answered("13.1", wait_s=5, recorded=False)),
    (
        "let ring, then answered by the next agent",
        story(
            "14.1",
            asked=1,
            rings=[Ring("1001", 2, ended=17), Ring("1002", 18, answered=20, connected=20.5, ended=60, cause=16)],
            ended=60,
            recorded=True,
        ),
    ),
    ("hung up in the queue", story("15.1", asked=1, ended=30)),
    ("hung up while it rang", story("16.1", asked=1, rings=[Ring("1001", 2, ended=7)], ended=7.01)),
    (
        "let ring by two, promised a call back",
        story(
            "17.1", asked=1, rings=[Ring("1001", 2, ended=17), Ring("1002", 18, ended=33)], promised=50, ended=55
        ),
    ),
    ("lost by us", story("18.1", asked=1, ended=9, by=EndedBy.SYSTEM)),
    ("self-served", story("19.1", ended=40)),
    ("still in the menu", story("20.1")),
    ("still ringing: its fate is not known", story("21.1", asked=1, rings=[Ring("1001", 2, ended=17)])),
    ("talking: answered", story("22.1", asked=1, rings=[Ring("1001", 2, answered=4, connected=4.5)])),
    (
        "talking, and a second agent's telephone rings",
        story("23.1", asked=1, rings=[Ring("1001", 2, answered=4, connected=4.5), Ring("1002", 20)]),
    ),
    ("the day before", story("24.1", start=NOON - timedelta(microseconds=1), asked=1, ended=5)),
    ("the next day", story("25.1", start=NOON + timedelta(days=1), asked=1, ended=5)),
]


async def test_the_figures_of_a_day_made_by_hand(ledger: Ledger) -> None:
    await ledger.record([event for _, told in A_DAY for event in told])
    assert await ledger.figures(*DAY, LIMIT_S) == DayFigures(
        # heard: 10 to 14, 22, 23; asked and ended: 15 to 18
        answered=Ratio(7, 11),
        # in time: 10, 11, 13, 22, 23; 14 waited 19.5 s
        within_limit=Ratio(5, 11),
        # answered: 10 to 13, 14's second, 22, 23; not: 14's first, 16, both of 17; open: 23's second
        rings_kept=Ratio(7, 11),
        arrived=14,
        abandoned=2,
        callbacks=1,
        missing_recordings=1,
    )


async def test_the_limit_is_the_callers_choice(ledger: Ledger) -> None:
    await ledger.record([event for _, told in A_DAY for event in told])
    assert (await ledger.figures(*DAY, 14.95)).within_limit == Ratio(4, 11)
    assert (await ledger.figures(*DAY, 15.1)).within_limit == Ratio(6, 11)
    assert (await ledger.figures(*DAY, 14.5)).rings_kept == Ratio(6, 11)


@pytest.mark.parametrize("trunk", ["synthetic", "1001"])
async def test_calls_of_the_synthetic_caller_and_of_agents_telephones_count_nowhere(
    ledger: Ledger, trunk: str
) -> None:
    ring = Ring("1001", 2, answered=4, connected=4.5, ended=60)
    await ledger.record(story("1.1", asked=1, rings=[ring], ended=60, trunk=trunk))
    await ledger.record(story("2.1", asked=1, ended=60, trunk=trunk))
    assert await ledger.figures(*DAY, LIMIT_S) == DayFigures(Ratio(0, 0), Ratio(0, 0), Ratio(0, 0), 0, 0, 0, 0)
    assert await ledger.call(CallId("1.1")) is not None


async def test_figures_of_no_calls_have_no_value(ledger: Ledger) -> None:
    figures = await ledger.figures(*DAY, LIMIT_S)
    assert figures == DayFigures(Ratio(0, 0), Ratio(0, 0), Ratio(0, 0), 0, 0, 0, 0)
    assert figures.answered.value is None


@few_examples
@given(data=st.data())
async def test_figures_agree_with_the_calls_themselves(ledger: Ledger, data: st.DataObject) -> None:
    start = NOON + timedelta(days=next(_fresh))
    stories = [data.draw(events_of_call(new_id(), start)) for _ in range(data.draw(st.integers(1, 5)))]
    told = [event for events in stories for event in events]
    simple = MemoryLedger()
    await simple.record(told)
    for event in data.draw(st.permutations(told)):
        await ledger.record([event])
    day = (start, start + timedelta(hours=1))
    assert await ledger.figures(*day, LIMIT_S) == await simple.figures(*day, LIMIT_S)


# --- lists ---


async def test_open_calls_are_those_that_have_not_ended_the_oldest_first(ledger: Ledger) -> None:
    young, old = story("3.1", start=NOON + timedelta(seconds=9), asked=1), story("1.1")
    await ledger.record([*young, *old, *story("2.1", ended=5)])
    assert await ledger.open_calls() == [Call.of(old), Call.of(young)]
    await ledger.record(story("1.1", ended=8))
    assert await ledger.open_calls() == [Call.of(young)]


async def test_missing_recordings_are_answered_ended_and_not_recorded_the_newest_first(ledger: Ledger) -> None:
    async def missing(before_s: float, limit: int = 9) -> list[str]:
        found = await ledger.missing_recordings(NOON + timedelta(seconds=before_s), limit)
        assert all(call.result is Result.ANSWERED for call in found)
        return [call.call_id for call in found]

    ring = Ring("1001", 1, answered=2, connected=2.5)
    await ledger.record(story("1.1", asked=1, rings=[ring], ended=60))
    await ledger.record(story("2.1", asked=1, rings=[ring], ended=61))
    await ledger.record(story("3.1", asked=1, rings=[ring], ended=62))
    await ledger.record(story("4.1", asked=1, rings=[ring], ended=60, recorded=True))
    await ledger.record(story("5.1", asked=1, rings=[ring]))
    await ledger.record(story("6.1", asked=1, ended=60))
    assert await missing(100) == ["3.1", "2.1", "1.1"]
    assert await missing(100, limit=2) == ["3.1", "2.1"]
    assert await missing(62) == ["2.1", "1.1"]
    await ledger.record(story("2.1", asked=1, rings=[ring], ended=61, recorded=True))
    assert await missing(100) == ["3.1", "1.1"]


# --- without a database ---


async def test_when_the_database_is_gone_every_question_says_so_until_it_is_back(fragile_books: Books) -> None:
    ledger = fragile_books.open()
    told = answered("1.1", wait_s=12)
    await ledger.record(told[:3])
    await fragile_books.take_away()
    for question in (
        lambda: ledger.record(told),
        lambda: ledger.call(CallId("1.1")),
        lambda: ledger.events(CallId("1.1")),
        lambda: ledger.open_calls(),
        lambda: ledger.figures(*DAY, LIMIT_S),
        lambda: ledger.missing_recordings(NOON, 9),
    ):
        with pytest.raises(StorageUnavailable) as failure:
            await question()
        assert CALLER not in str(failure.value)
    await fragile_books.bring_back()
    await ledger.record(told)
    assert await ledger.call(CallId("1.1")) == Call.of(told)
