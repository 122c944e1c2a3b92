"""What is owed, on both databases: every leg is done once, and who kills workers is found out."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy.ext.asyncio import AsyncEngine

from calls.custody import Bandwidth, Leg, Recording
from calls.errors import AudioGone
from calls.explanations import Explanation, Reason
from calls.ids import CallId
from calls.transcript import LegTranscript, Span, Transcript, Turn, Word
from calls.verdicts import Evidence, Outcome, RuleSetId, Severity, Verdict
from storage.custody import Kept, SqlRecordings
from storage.engine import open_engine
from storage.retention import SqlRetention
from storage.search import MaskedLeg, Query, Said, SqlSearch
from storage.transcripts import SqlTranscripts
from storage.verdicts import SqlVerdicts
from storage.work import JUDGEMENT, OWED_LEGS, SqlWork, Tally
from storage.work_states import State
from tests.support_prepared import dropped, prepared

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


RULES = RuleSetId("zh-CN", "1")
VERDICT = Verdict(
    CALL,
    "greeting",
    "A3",
    RULES,
    Outcome.KEPT,
    Severity.MINOR,
    1.0,
    0.9,
    (Evidence(Leg.AGENT, 0.5, 1.0, "您好"),),
    Explanation(Reason.HEARD, {"phrases": ("您好",), "alike": 1.0}),
    NOW,
)


class Books:
    """The tables that a call's words are in."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine
        self.work = SqlWork(engine)
        self.transcripts = SqlTranscripts(engine)
        self.retention = SqlRetention(engine)

    async def keep(self, call_id: CallId, seconds: float = 3.0) -> None:
        """Put its three legs into custody."""
        await SqlRecordings(self.engine).store(
            [
                Kept(
                    Recording(
                        call_id, leg, "wav", 16_000, seconds, 96_044, "00", NOW, NOW, f"{call_id}/{leg}", "key"
                    ),
                    b"wrapped",
                )
                for leg in OWED_LEGS
            ]
        )


@pytest_asyncio.fixture(params=["sqlite", "postgresql"])
async def books(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Books]:
    url = await prepared(request.param, tmp_path)
    engine = open_engine(url)
    yield Books(engine)
    await engine.dispose()
    dropped(url)


LATER = NOW + timedelta(seconds=61)
PATIENCE = timedelta(seconds=60)


async def test_a_leg_is_taken_once_and_done_once(books: Books) -> None:
    work = books.work
    for _ in range(2):
        await work.owe(CALL, NOW)
    assert [each.leg for each in await work.unsent(NOW, PATIENCE, 10, 5)] == [Leg.AGENT, Leg.CALLER]
    await work.sent(CALL, Leg.AGENT, NOW)
    assert [each.leg for each in await work.unsent(NOW, PATIENCE, 10, 5)] == [Leg.CALLER]
    assert len(await work.unsent(LATER, PATIENCE, 10, 5)) == 2
    assert await work.claim(CALL, Leg.AGENT, "one") and await work.claim(CALL, Leg.AGENT, "two") is None
    assert not await work.finish(CALL, Leg.AGENT, State.DONE)
    assert await work.claim(CALL, Leg.AGENT, "two") is None
    await work.owe(CALL, NOW)
    assert await work.tally(NOW) == Tally(2, 0, NOW, 0, 0, 1)
    assert (await work.tally(LATER)).done == 0


async def test_the_judgement_is_owed_once_the_legs_are_over_however_they_ended(books: Books) -> None:
    work = books.work
    await work.owe(CALL, NOW)
    for leg, state in ((Leg.AGENT, State.DONE), (Leg.CALLER, State.FAILED)):
        assert JUDGEMENT not in [each.leg for each in await work.unsent(NOW, PATIENCE, 10, 5)]
        assert await work.claim(CALL, leg, "one")
        over = await work.finish(CALL, leg, state, "no WAV file" if state is State.FAILED else None)
    assert over
    assert [each.leg for each in await work.unsent(NOW, PATIENCE, 10, 5)] == [JUDGEMENT]
    assert await work.claim(CALL, JUDGEMENT, "one") and await work.finish(CALL, JUDGEMENT, State.DONE)
    assert await work.unsent(LATER, PATIENCE, 10, 5) == []
    assert await work.retry(CALL) == 1
    assert [(each.leg, each.state) for each in await work.of_call(CALL)] == [
        (Leg.AGENT, State.DONE),
        (Leg.CALLER, State.OWED),
        (JUDGEMENT, State.OWED),
    ]


async def test_who_kills_two_workers_is_put_into_quarantine_alone(books: Books) -> None:
    work = books.work
    for call in (CALL, OTHER):
        await work.owe(call, NOW)
        assert await work.claim(call, Leg.AGENT, "one")
    assert await work.died("one") == 2 and await work.died("one") == 0
    suspects = [each for each in await work.unsent(NOW, PATIENCE, 10, 5) if each.is_suspect]
    assert [each.call_id for each in suspects] == [CALL, OTHER]
    assert (await work.tally(NOW)).blocked == 0
    assert await work.claim(OTHER, Leg.AGENT, "two")
    await work.finish(OTHER, Leg.AGENT, State.DONE)
    assert await work.claim(CALL, Leg.AGENT, "two")
    assert await work.died("two") == 1
    (guilty,) = await work.in_state(State.QUARANTINED)
    assert (guilty.call_id, guilty.deaths) == (CALL, 2) and guilty.error
    assert await work.claim(CALL, Leg.AGENT, "three") is None
    assert await work.retry(CALL) == 1
    assert await work.claim(CALL, Leg.AGENT, "three")


async def test_who_is_told_to_stop_gives_back_what_he_had_and_nothing_is_held_against_it(books: Books) -> None:
    work = books.work
    await work.owe(CALL, NOW)
    await work.beat("one")
    await work.claim(CALL, Leg.AGENT, "one")
    assert await work.left("one") == 1
    (agent, _) = await work.unsent(NOW, PATIENCE, 10, 5)
    assert (agent.state, agent.deaths, agent.is_suspect) == (State.OWED, 0, False)
    assert await work.beats() == {}


async def test_every_worker_beats_and_one_that_never_did_is_known_by_what_it_holds(books: Books) -> None:
    work = books.work
    await work.owe(CALL, NOW)
    await work.claim(CALL, Leg.AGENT, "silent")
    for _ in range(2):
        await work.beat("idle")
    assert await work.beats() == {"idle": 2, "silent": -1}
    await work.died("idle")
    assert await work.beats() == {"silent": -1}


async def test_workers_are_told_of_so_many_and_of_what_was_put_off_of_few(books: Books) -> None:
    work = books.work
    for number in range(6):
        await work.owe(CallId(f"hotline-2.{number}"), NOW - timedelta(hours=1, seconds=-number))
    first = await work.unsent(NOW, PATIENCE, 8, 2)
    assert len(first) == 8 and {each.call_id for each in first[:2]} == {CallId("hotline-2.5")}, "the newest"
    for each in first[:5]:
        await work.sent(each.call_id, each.leg, NOW)
    assert len(await work.unsent(NOW, PATIENCE, 8, 2)) == 3  # five wait in the queue already
    for each in first[:5]:
        await work.claim(each.call_id, each.leg, "one")
        await work.finish(each.call_id, each.leg, State.OWED, "the model is not there")
    assert len(await work.unsent(NOW, PATIENCE, 8, 2)) == 7  # none waits; those put off wait
    again = await work.unsent(LATER, PATIENCE, 8, 2)
    assert len(again) == 9 and [bool(each.error) for each in again] == [False] * 7 + [True] * 2
    assert (await work.tally(NOW)).blocked == 5


async def test_of_a_call_that_has_just_ended_workers_are_told_however_much_is_waiting(books: Books) -> None:
    work = books.work
    for number in range(6):
        await work.owe(CallId(f"hotline-2.{number}"), NOW - timedelta(hours=1))
    for each in await work.unsent(NOW, PATIENCE, 8, 2):
        await work.sent(each.call_id, each.leg, NOW)
    assert await work.unsent(NOW, PATIENCE, 8, 2) == [], "the queue is full"
    await work.owe(CALL, NOW)
    assert [each.call_id for each in await work.unsent(NOW, PATIENCE, 8, 2)] == [CALL, CALL]


async def test_the_newest_is_done_next_and_in_the_place_for_fresh_calls_nothing_long(books: Books) -> None:
    work = books.work
    await work.owe(CALL, NOW - timedelta(hours=1))
    await work.owe(OTHER, NOW - timedelta(minutes=10))
    found = await work.next(NOW, only_fresh=False)
    assert found and found.call_id == OTHER
    assert await work.next(NOW, only_fresh=True) is None, "both have waited for long"

    fresh, hour_long = CallId("hotline-1.3"), CallId("hotline-1.4")
    for call_id, seconds in ((fresh, 60.0), (hour_long, 3600.0)):
        await books.keep(call_id, seconds)
        await work.owe(call_id, NOW + timedelta(seconds=seconds / 3600))
    found = await work.next(NOW, only_fresh=False)
    assert found and found.call_id == hour_long
    for leg in (Leg.AGENT, Leg.CALLER, JUDGEMENT):
        found = await work.next(NOW, only_fresh=True)
        assert found and (found.call_id, found.leg) == (fresh, leg)
        assert await work.claim(fresh, leg, "one")
        await work.finish(fresh, leg, State.DONE)
    assert await work.next(NOW, only_fresh=True) is None


async def test_what_was_put_off_or_killed_a_worker_is_not_what_is_done_next(books: Books) -> None:
    work = books.work
    await work.owe(CALL, NOW)
    assert await work.claim(CALL, Leg.AGENT, "one")
    assert await work.died("one") == 1
    assert await work.claim(CALL, Leg.CALLER, "two")
    await work.finish(CALL, Leg.CALLER, State.OWED, "the model is not there")
    assert await work.next(NOW, only_fresh=False) is None


async def test_what_was_told_before_the_clock_was_set_back_is_told_again(books: Books) -> None:
    work = books.work
    await work.owe(CALL, NOW)
    await work.sent(CALL, Leg.AGENT, NOW)
    assert [each.leg for each in await work.unsent(NOW, PATIENCE, 10, 5)] == [Leg.CALLER]
    set_back = NOW - timedelta(days=3)
    assert [each.leg for each in await work.unsent(set_back, PATIENCE, 10, 5)] == [Leg.CALLER, Leg.AGENT]


async def test_calls_in_custody_that_nobody_owed_are_found_page_by_page(books: Books) -> None:
    ids = [CallId(f"hotline-3.{number}") for number in range(5)]
    for call_id in ids:
        await books.keep(call_id)
    await books.work.owe(ids[1], NOW)
    await books.retention.bury(ids[3], NOW, "service:retention", "retention: test")
    found, after = await books.work.unknown("", 3)
    assert found == [ids[0], ids[2]] and after == ids[2]
    assert await books.work.unknown(after, 3) == ([ids[4]], None)


async def test_a_transcript_comes_back_as_it_was_stored(books: Books) -> None:
    assert await books.transcripts.transcript(CALL) is None
    for _ in range(2):
        await books.transcripts.store(CALL, LEG)
    assert await books.transcripts.transcript(CALL) == Transcript(CALL, (LEG,))


async def test_agents_legs_are_counted_by_bandwidth(books: Books) -> None:
    await books.transcripts.store(CALL, LEG)
    await books.work.owe(CALL, NOW)
    assert (await books.work.agent_legs(NOW))[Bandwidth.NARROW] == 0
    await books.work.finish(CALL, Leg.AGENT, State.DONE)
    assert await books.work.agent_legs(NOW) == {Bandwidth.WIDE: 0, Bandwidth.NARROW: 1, Bandwidth.UNKNOWN: 0}
    assert (await books.work.agent_legs(LATER))[Bandwidth.NARROW] == 0


async def test_words_of_a_deleted_recording_do_not_come_back(books: Books) -> None:
    """P2: a transcription that ends after the burial."""
    await books.keep(CALL)
    await books.retention.bury(CALL, NOW, "service:retention", "retention: test")
    with pytest.raises(AudioGone):
        await books.transcripts.store(CALL, LEG)
    said = Said(CALL, NOW, None, None)
    search, verdicts = SqlSearch(books.engine), SqlVerdicts(books.engine)
    await search.index(said, {Leg.AGENT: MaskedLeg((Turn(Leg.AGENT, LEG.words),), ())}, NOW)
    await verdicts.judged(CALL, RULES, [VERDICT])
    assert await books.transcripts.transcript(CALL) is None
    assert await search.spans(CALL, Leg.AGENT) is None and not (await search.search(Query("您好"))).hits
    assert await verdicts.verdicts(CALL) == []
