"""What is owed, on both databases: every leg is done once, and who kills workers is found out."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from calls.custody import SPOKEN_LEGS, Bandwidth, Leg
from calls.ids import CallId
from calls.transcript import LegTranscript, Span, Transcript, Word
from storage.engine import open_engine, upgrade
from storage.transcripts import SqlTranscripts, SqlWork, State
from tests.support_postgres import postgres

CALL, OTHER = CallId("hotline-1.1"), CallId("hotline-1.2")
NOW = datetime(2026, 11, 23, tzinfo=UTC)
LEG = LegTranscript(
    Leg.AGENT,
    "zh-CN",
    "vosk",
    "small",
    3.0,
    Bandwidth.NARROW,
    (Span(0.5, 1.5),),
    (Word("您好", 0.5, 1.0, 0.9),),
    Span(0.0, 0.4),
)


@pytest_asyncio.fixture(params=["sqlite", "postgresql"])
async def books(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[tuple[SqlWork, SqlTranscripts]]:
    url = f"sqlite:///{tmp_path}/ledger.db" if request.param == "sqlite" else postgres().create_database()
    await upgrade(url)
    engine = open_engine(url)
    yield SqlWork(engine), SqlTranscripts(engine)
    await engine.dispose()
    if request.param == "postgresql":
        postgres().drop_database(url)


async def test_a_leg_is_taken_once_and_done_once(books: tuple[SqlWork, SqlTranscripts]) -> None:
    work, _ = books
    for _ in range(2):
        await work.owe(CALL, SPOKEN_LEGS, NOW)
    assert len(await work.unsent(NOW, 10)) == 2
    await work.sent(CALL, Leg.AGENT, NOW)
    assert [each.leg for each in await work.unsent(NOW, 10)] == [Leg.CALLER]
    assert len(await work.unsent(NOW + timedelta(seconds=1), 10)) == 2
    assert await work.claim(CALL, Leg.AGENT, "one") and await work.claim(CALL, Leg.AGENT, "two") is None
    await work.finish(CALL, Leg.AGENT, State.DONE)
    assert await work.claim(CALL, Leg.AGENT, "two") is None
    await work.owe(CALL, SPOKEN_LEGS, NOW)
    tally, oldest = await work.tally()
    assert tally == {State.DONE: 1, State.OWED: 1} and oldest == NOW


async def test_who_kills_two_workers_is_put_into_quarantine_alone(books: tuple[SqlWork, SqlTranscripts]) -> None:
    work, _ = books
    for call in (CALL, OTHER):
        await work.owe(call, [Leg.AGENT], NOW)
        assert await work.claim(call, Leg.AGENT, "one")
    assert await work.died("one") == 2 and await work.died("one") == 0
    suspects = await work.unsent(NOW, 10)
    assert [each.is_suspect for each in suspects] == [True, True]
    assert await work.claim(OTHER, Leg.AGENT, "two")
    await work.finish(OTHER, Leg.AGENT, State.DONE)
    assert await work.claim(CALL, Leg.AGENT, "two")
    assert await work.died("two") == 1
    (guilty,) = await work.in_state(State.QUARANTINED)
    assert (guilty.call_id, guilty.deaths) == (CALL, 2) and guilty.error
    assert await work.claim(CALL, Leg.AGENT, "three") is None
    assert await work.retry(CALL) == 1
    assert await work.claim(CALL, Leg.AGENT, "three")


async def test_a_beat_goes_up_while_a_worker_has_something_in_hand(books: tuple[SqlWork, SqlTranscripts]) -> None:
    work, _ = books
    await work.owe(CALL, SPOKEN_LEGS, NOW)
    await work.claim(CALL, Leg.AGENT, "one")
    await work.beat("one")
    await work.beat("somebody else")
    assert [each.beat for each in await work.started()] == [1]


async def test_a_transcript_comes_back_as_it_was_stored(books: tuple[SqlWork, SqlTranscripts]) -> None:
    _, transcripts = books
    assert await transcripts.transcript(CALL) is None
    for _ in range(2):
        await transcripts.store(CALL, LEG)
    assert await transcripts.transcript(CALL) == Transcript(CALL, (LEG,))
    assert await transcripts.narrow_agents() == 1
