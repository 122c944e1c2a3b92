"""The work after talks, from the queue log into the books and the figures, on both databases (AHT)."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy.ext.asyncio import AsyncEngine

from calls.call import Call
from calls.callbacks import NewCallback, Origin
from calls.events import AnyEvent, CallTransferred
from calls.ids import AgentNumber, CallId, Language, LegId, SectionId
from calls.presence import PresenceChange, PresenceStep
from calls.wrap_up import AFTER_CALL_WORK, WrapUpTime
from service.pipeline import Pipeline
from service.wrap_ups import WrapUps
from storage.callbacks import SqlCallbacks
from storage.engine import open_engine
from storage.ledger import SqlLedger
from storage.presence import SqlPresence
from storage.wrap_ups import SqlWrapUps
from tests.support_ledger import NOON, Ring, story
from tests.support_prepared import dropped, prepared

GIVEN_S = 10


def at(after_s: float) -> datetime:
    return NOON + timedelta(seconds=after_s)


def paused(after_s: int, reason: str, agent: str = "1001") -> PresenceChange:
    step = PresenceStep.PAUSED if reason else PresenceStep.UNPAUSED
    return PresenceChange(at(after_s), after_s, AgentNumber(agent), SectionId("q"), step, reason)


def joined(agent: str) -> PresenceChange:
    return PresenceChange(at(-900), 1, AgentNumber(agent), SectionId("q"), PresenceStep.JOINED)


@dataclass
class Stand:
    """Books, and one Asterisk whose queue log has been read up to some moment."""

    engine: AsyncEngine
    pipeline: Pipeline

    def __post_init__(self) -> None:
        self.ledger, self.presence = SqlLedger(self.engine), SqlPresence(self.engine)
        self.restart()

    def restart(self, given_s: float = GIVEN_S) -> None:
        self.wrap_ups = WrapUps(SqlWrapUps(self.engine, "hotline"), self.presence, given_s)

    async def wrap_up_s(self, call_id: str, read_until_s: float) -> float | None:
        await self.wrap_ups.settle(at(read_until_s), self.pipeline)
        await self.pipeline.drained()
        call = await self.ledger.call(CallId(call_id))
        assert call
        return call.wrap_up_s


@pytest_asyncio.fixture(params=["sqlite", "postgresql"])
async def stand(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Stand]:
    address = await prepared(request.param, tmp_path)
    engine = open_engine(address)
    pipeline = Pipeline(SqlLedger(engine), [])
    running = asyncio.create_task(pipeline.run())
    made = Stand(engine, pipeline)
    await made.wrap_ups.begin(at(-3600))
    await made.presence.note([joined("1001"), joined("1002")])
    yield made
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running
    await engine.dispose()
    dropped(address)


def talk(call_id: str, start_s: float = 0, agent: str = "1001", ended: float = 60.25) -> list[AnyEvent]:
    ring = Ring(agent, rang=2, answered=8, connected=9, ended=ended, cause=16)
    return story(call_id, start=at(start_s), asked=1, rings=[ring], ended=ended)


async def test_it_is_known_once_the_log_has_been_read_beyond_it_and_told_once(stand: Stand) -> None:
    await stand.ledger.record(talk("hotline-1.1"))
    assert await stand.wrap_up_s("hotline-1.1", 65) is None
    assert await stand.wrap_up_s("hotline-1.1", 75) == GIVEN_S
    stored = await stand.ledger.events(CallId("hotline-1.1"))
    stand.restart()
    assert await stand.wrap_up_s("hotline-1.1", 7000) == GIVEN_S
    assert await stand.ledger.events(CallId("hotline-1.1")) == stored


async def test_a_pause_for_it_is_waited_for_also_over_a_restart(stand: Stand) -> None:
    await stand.ledger.record(talk("hotline-1.1"))
    await stand.presence.note([paused(65, AFTER_CALL_WORK)])
    assert await stand.wrap_up_s("hotline-1.1", 3000) is None
    stand.restart()
    assert await stand.wrap_up_s("hotline-1.1", 6000) is None
    await stand.presence.note([paused(9060, "")])
    assert await stand.wrap_up_s("hotline-1.1", 9100) == 9060 - 60.25


async def test_the_next_call_and_a_call_back_end_it(stand: Stand) -> None:
    await stand.presence.note([paused(65, AFTER_CALL_WORK), paused(65, AFTER_CALL_WORK, "1002")])
    await stand.ledger.record([*talk("hotline-1.1"), *talk("hotline-2.1", 91)])
    assert await stand.wrap_up_s("hotline-1.1", 200) == 91 + 9 - 60.25
    await stand.ledger.record(talk("hotline-3.1", agent="1002"))
    book, agent = SqlCallbacks(stand.engine), AgentNumber("1002")
    owed = NewCallback(
        origin=Origin.PROMISE,
        about="9.1",
        telephone="13900009010",
        language=Language("zh-CN"),
        due_at=at(7200),
        place=at(0),
        section=SectionId("q"),
        call_id=CallId("9.1"),
    )
    await book.enlist(owed, at(70))
    taken = await book.take_next(agent, None, at(80))
    assert taken
    await book.begin(taken, "hotline", at(95.25))
    assert await stand.wrap_up_s("hotline-3.1", 200) == 35


async def test_a_call_that_was_handed_on_has_the_work_of_both(stand: Stand) -> None:
    rings = [
        Ring("1001", rang=2, answered=8, connected=9, ended=30, cause=16),
        Ring("1002", rang=31, answered=33, connected=34, ended=90, cause=16),
    ]
    call = CallId("hotline-1.1")
    told = story(call, asked=1, rings=rings, ended=90)
    told.append(CallTransferred(call_id=call, at=at(30), leg_id=LegId(f"{call}0"), agent=AgentNumber("1001")))
    await stand.presence.note([paused(92, AFTER_CALL_WORK, "1002"), paused(130, "", "1002")])
    await stand.ledger.record(told)
    assert await stand.wrap_up_s(call, 200) == GIVEN_S + 40
    after = await stand.ledger.call(call)
    assert after and [offer.wrap_up_s for offer in after.offers] == [GIVEN_S, 40]
    assert (after.talk_s, after.stage, after.result) == (81, Call.of(told).stage, Call.of(told).result)


async def test_what_queues_give_is_that_of_the_time_of_the_talk(stand: Stand) -> None:
    stand.restart(30)
    await stand.wrap_ups.begin(at(100))
    await stand.ledger.record(talk("hotline-1.1"))
    await stand.ledger.record(talk("hotline-2.1", 100))
    assert await stand.wrap_up_s("hotline-1.1", 500) == GIVEN_S
    assert await stand.wrap_up_s("hotline-2.1", 500) == 30
    await stand.wrap_ups.begin(at(400))
    assert await SqlWrapUps(stand.engine, "hotline").times() == [
        WrapUpTime(at(-3600), GIVEN_S),
        WrapUpTime(at(100), 30),
    ]


async def test_of_talks_before_it_was_kept_and_of_other_asterisks_it_stays_unknown(stand: Stand) -> None:
    await stand.ledger.record(talk("hotline-1.1", -7200))
    await stand.ledger.record(talk("elsewhere-1.1"))
    await stand.ledger.record(story("hotline-2.1", asked=1, ended=20))
    for call_id in ("hotline-1.1", "elsewhere-1.1", "hotline-2.1"):
        assert await stand.wrap_up_s(call_id, 9000) is None
