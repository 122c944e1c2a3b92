"""The list of call-backs, over SQLite and a real PostgreSQL (A5, C4)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import pytest_asyncio
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from calls.callbacks import AttemptOutcome, CallBack, CallbackState, NewCallback, Origin, Policy, PromisePlace
from calls.errors import CallbackError
from calls.events import CallArrived, CallbackStep, CallbackStepped, RecordingArrived, Source
from calls.ids import AgentNumber, CallId, Language, SectionId, attempt_id
from calls.lists import Counted
from calls.measures import Dimension, Slice
from calls.outages import DailyHours
from calls.people import Scope
from calls.periods import Grain, Period
from calls.ports import Tally
from calls.workdays import Workdays
from metrics.kpi.behind import behind
from metrics.kpi.catalogue import kpi as kpi_of
from storage.callbacks import SqlCallbacks
from storage.ledger import SqlLedger
from storage.promises_counted import SqlPromisesCounted
from storage.same_number import SqlSameNumber
from storage.survey_tallies import SqlSurveyTallies
from storage.tables import calls
from tests.support_books import SetClock
from tests.support_ledger import CALLER, NOON, Ring, story
from tests.support_prepared import dropped, patient_engine, prepared
from tests.support_surveys import surveyed

POLICY = Policy(DailyHours(UTC), 3, [timedelta(minutes=15)])
ONE, OTHER = AgentNumber("1001"), AgentNumber("1002")
INQUIRY, COMPLAINT = SectionId("inquiry"), SectionId("complaint")
AGES_AGO = NOON - timedelta(days=30)


@dataclass
class Books:
    engine: AsyncEngine
    callbacks: SqlCallbacks
    ledger: SqlLedger

    async def listed(
        self,
        about: str = "1.1",
        *,
        section: SectionId | None = INQUIRY,
        place: datetime = NOON,
        priority: bool = False,
        due_at: datetime = NOON + timedelta(hours=2),
        telephone: str = "",
    ) -> CallBack:
        """Each from another number, unless it is told."""
        new = NewCallback(
            origin=Origin.PROMISE,
            about=about,
            telephone=telephone or f"1390000{float(about) * 10:04.0f}",
            language=Language("zh-CN"),
            due_at=due_at,
            place=place,
            section=section,
            call_id=CallId(about),
            priority=priority,
        )
        return await self.callbacks.enlist(new, NOON)

    async def told(self, callback: int, attempt: int, *steps: tuple[CallbackStep, float, str]) -> None:
        """Asterisk's file tells what happened to an attempt, so many seconds after noon."""
        await self.ledger.record(
            [
                CallbackStepped(
                    call_id=attempt_id(callback, attempt),
                    at=NOON + timedelta(seconds=after),
                    source=Source.FILE,
                    step=step,
                    said=said,
                )
                for step, after, said in steps
            ]
        )


@pytest_asyncio.fixture(params=["sqlite", "postgresql"])
async def books(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Books]:
    url = await prepared(request.param, tmp_path)
    engine = patient_engine(url)
    yield Books(engine, SqlCallbacks(engine), SqlLedger(engine))
    await engine.dispose()
    dropped(url)


async def test_promises_and_the_dissatisfied_are_wanted_until_they_are_listed(books: Books) -> None:
    told = [
        *story("1.1", asked=5, promised=60, ended=62),
        *story("2.1", asked=5, promised=30, ended=32),
        *story("3.1", asked=5, promised=30, ended=32, trunk="1001"),
        *story("4.1", asked=5, promised=30, ended=32, trunk="synthetic"),
        *story("5.1", asked=5, ended=32),
        *surveyed("6.1", level=5),
        *surveyed("7.1", level=1),
        *surveyed("8.1", level=5, trunk="synthetic"),
    ]
    await books.ledger.record(told)
    wanted = await books.callbacks.wanted(AGES_AGO, dissatisfied=True)
    assert [(one.origin, one.call_id) for one in wanted] == [
        (Origin.PROMISE, "2.1"),
        (Origin.PROMISE, "1.1"),
        (Origin.DISSATISFIED, "6.1"),
    ]
    assert {one.telephone for one in wanted} == {CALLER}
    # The place in line is the caller's own, from when they asked; a rating has none before it was given.
    assert [(one.place - NOON).total_seconds() for one in wanted] == [5, 5, 45.01]
    assert [one.call_id for one in await books.callbacks.wanted(AGES_AGO, dissatisfied=False)] == ["2.1", "1.1"]
    await books.listed("1.1")
    assert [one.call_id for one in await books.callbacks.wanted(AGES_AGO, dissatisfied=False)] == ["2.1"]
    assert await books.callbacks.wanted(NOON + timedelta(hours=1), dissatisfied=True) == []


async def test_listed_twice_is_listed_once(books: Books) -> None:
    first, second = await asyncio.gather(books.listed(), books.listed())
    assert first == second and await books.callbacks.waiting() == [first]
    assert [step.why for step in await books.callbacks.history(first.number)] == ["promise"]


async def test_a_number_that_is_not_called_is_given_up_at_once_and_seen(books: Books) -> None:
    new = NewCallback(
        origin=Origin.PROMISE,
        about="1.1",
        telephone="16812345",
        language=Language("zh-CN"),
        due_at=NOON,
        place=NOON,
    )
    listed = await books.callbacks.enlist(new, NOON, refused="number_refused")
    assert (listed.state, listed.note) == (CallbackState.GIVEN_UP, "number_refused")
    assert (await books.callbacks.tally(AGES_AGO, NOON)).given_up == 1
    assert "16812345" not in repr(listed)


async def test_in_line_by_priority_and_place_and_in_their_sections(books: Books) -> None:
    late = await books.listed("1.1", place=NOON + timedelta(minutes=1))
    early = await books.listed("2.1", place=NOON - timedelta(minutes=1))
    first = await books.listed("3.1", place=NOON + timedelta(minutes=2), priority=True)
    other = await books.listed("4.1", section=COMPLAINT)
    anybody = await books.listed("5.1", section=None, place=NOON)
    assert [one.number for one in await books.callbacks.waiting([INQUIRY])] == [
        each.number for each in (first, early, anybody, late)
    ]
    assert len(await books.callbacks.waiting()) == 5
    given = [await books.callbacks.take_next(ONE, [INQUIRY], NOON) for _ in range(5)]
    assert [each and each.number for each in given] == [
        *(each.number for each in (first, early, anybody, late)),
        None,
    ]
    taken = await books.callbacks.take_next(OTHER, None, NOON)
    assert taken and (taken.number, taken.agent, taken.state) == (other.number, OTHER, CallbackState.TAKEN)
    assert (await books.callbacks.in_hand(OTHER)) == taken


async def test_of_many_who_take_the_same_one_gets_it(books: Books) -> None:
    listed = await books.listed()
    agents = [AgentNumber(str(1001 + number)) for number in range(8)]
    taken = await asyncio.gather(*(books.callbacks.take_next(agent, [INQUIRY], NOON) for agent in agents))
    assert len([each for each in taken if each]) == 1
    after = await books.callbacks.get(listed.number)
    assert after

    async def let_go() -> bool:
        try:
            await books.callbacks.move(after, after.let_go(NOON), "somebody", "let_go")
        except CallbackError:
            return False
        return True

    assert sorted(await asyncio.gather(*(let_go() for _ in range(4)))) == [False, False, False, True]


async def test_an_attempt_from_its_trace_to_its_end(books: Books) -> None:
    listed = await books.listed()
    taken = await books.callbacks.take_next(ONE, None, NOON)
    assert taken
    attempt = await books.callbacks.begin(taken, "hotline", NOON)
    with pytest.raises(CallbackError):
        await books.callbacks.begin(taken, "hotline", NOON)  # it is dialled already
    ((dialling, seen),) = await books.callbacks.unsettled()
    assert (dialling.state, seen.ended_at, seen.id) == (CallbackState.DIALLING, None, attempt.id)
    await books.told(
        listed.number,
        1,
        (CallbackStep.AGENT_RANG, 1, ""),
        (CallbackStep.AGENT_ANSWERED, 3, ""),
        (CallbackStep.DIALLED, 6, ""),
        (CallbackStep.ANSWERED, 8, ""),
        (CallbackStep.CONNECTED, 8.01, ""),
        (CallbackStep.RESULT, 60, "ANSWER"),
        (CallbackStep.ENDED, 60, ""),
    )
    await books.ledger.record(
        [RecordingArrived(call_id=attempt.id, at=NOON, duration_s=52, sample_rate_hz=16_000, complete=True)]
    )
    ((dialling, seen),) = await books.callbacks.unsettled()
    assert seen.seen() is AttemptOutcome.REACHED and seen.has_recording
    assert seen.silence_s == pytest.approx(0.01)
    kept = dialling.after(seen, seen.seen(), POLICY, NOON)
    await books.callbacks.settle(seen, seen.seen(), dialling, kept)
    with pytest.raises(CallbackError):
        await books.callbacks.settle(seen, seen.seen(), dialling, kept)
    assert await books.callbacks.unsettled() == []
    (stored,) = await books.callbacks.attempts(listed.number)
    assert stored.outcome is AttemptOutcome.REACHED
    assert await books.callbacks.get(listed.number) == kept
    assert [step.why for step in await books.callbacks.history(listed.number)] == [
        *("promise", "next", "dialled", "reached")
    ]


async def test_what_asterisk_tells_of_attempts_makes_no_call(books: Books) -> None:
    """No arrival, no K1, no K2: neither of an attempt that is known nor of one that is not."""
    listed = await books.listed()
    await books.told(listed.number, 1, (CallbackStep.ENDED, 60, ""))
    await books.told(99, 1, (CallbackStep.ENDED, 60, ""))
    reason = CallId("reason_hotline-1.1")
    changes = await books.ledger.record(
        [RecordingArrived(call_id=reason, at=NOON, duration_s=5, sample_rate_hz=16_000, complete=True)]
    )
    assert changes == []
    async with books.engine.connect() as connection:
        assert (await connection.execute(select(calls))).all() == []


async def test_the_file_tells_better_than_the_link_in_whatever_order(books: Books) -> None:
    listed = await books.listed()
    taken = await books.callbacks.take_next(ONE, None, NOON)
    assert taken
    await books.callbacks.begin(taken, "hotline", NOON)

    def ended(source: Source, after_s: float) -> CallbackStepped:
        return CallbackStepped(
            call_id=attempt_id(listed.number, 1),
            at=NOON + timedelta(seconds=after_s),
            source=source,
            step=CallbackStep.ENDED,
        )

    await books.ledger.record([ended(Source.AMI, 60.2)])
    await books.ledger.record([ended(Source.FILE, 60)])
    await books.ledger.record([ended(Source.AMI, 60.2)])
    (attempt,) = await books.callbacks.attempts(listed.number)
    assert attempt.ended_at == NOON + timedelta(seconds=60)


async def test_promises_are_figures(books: Books) -> None:
    hour = timedelta(hours=1)
    for number, due in enumerate((NOON - hour, NOON - hour, NOON + hour)):
        await books.listed(f"{number}.1", due_at=due)
    taken = await books.callbacks.take_next(ONE, None, NOON)
    assert taken
    await books.callbacks.begin(taken, "hotline", NOON)
    reached = NOON - timedelta(hours=1, minutes=5) - NOON
    await books.told(taken.number, 1, (CallbackStep.CONNECTED, reached.total_seconds(), ""))
    ((dialling, seen),) = await books.callbacks.unsettled()
    after = dialling.after(seen, AttemptOutcome.REACHED, POLICY, NOON)
    await books.callbacks.settle(seen, AttemptOutcome.REACHED, dialling, after)
    tally = await books.callbacks.tally(NOON - 3 * hour, NOON)
    assert (tally.kept, tally.broken, tally.overdue) == (1, 1, 1)
    assert tally.open == {Origin.PROMISE: 2, Origin.FOLLOW_UP: 0, Origin.DISSATISFIED: 0}
    day = Period.containing(NOON, Grain.DAY, ZoneInfo("Asia/Shanghai"))
    tallies = SqlSurveyTallies(books.engine, SetClock(NOON), Workdays(frozenset(), frozenset()))
    (found,) = await tallies.tallies([day], by=Dimension.SECTION)
    assert {
        section: (each.of(Tally.PROMISES_DUE), each.of(Tally.PROMISES_KEPT)) for section, each in found.items()
    } == {"inquiry": (3, 1)}
    sides = behind(kpi_of("PK"))
    for counted, count in ((sides.denominator, 3), (sides.numerator, 1)):
        assert counted is not None
        assert len(await counted_promises(books, counted, day, Scope(everything=True))) == count
        assert len(await counted_promises(books, counted, day, Scope(sections=frozenset({INQUIRY})))) == count
        assert await counted_promises(books, counted, day, Scope(sections=frozenset({COMPLAINT}))) == []


async def counted_promises(books: Books, counted: Counted, day: Period, scope: Scope) -> list[int]:
    """The numbers of all that stands behind one side of a figure, two at a time."""
    found: list[int] = []
    place: PromisePlace | None = None
    for _ in range(9):
        page = await SqlPromisesCounted(books.engine).page(counted, day, Slice(), scope, behind=place, limit=2)
        found += [each.number for each in page.promises]
        place = page.behind
        if place is None:
            assert len(set(found)) == len(found)
            return found
        assert PromisePlace.parse(str(place)) == place
    raise AssertionError("the pages have no end")


async def test_who_has_taken_one_and_forgets_it_is_found(books: Books) -> None:
    await books.listed()
    taken = await books.callbacks.take_next(ONE, None, NOON)
    assert taken and await books.callbacks.forgotten(NOON) == []
    assert await books.callbacks.forgotten(NOON + timedelta(seconds=1)) == [taken]


async def test_one_agent_has_all_of_a_number_in_hand(books: Books) -> None:
    """In whatever order many ask for it: nobody is called by two at once."""
    both = [await books.listed(about, telephone=CALLER) for about in ("1.1", "2.1")]
    other = await books.listed("3.1", section=COMPLAINT, telephone=CALLER)
    alone = await books.listed("4.1")
    agents = [AgentNumber(str(1001 + number)) for number in range(6)]
    taken = await asyncio.gather(*(books.callbacks.take_next(agent, [INQUIRY], NOON) for agent in agents))
    got = {each.number: each.agent for each in taken if each}
    assert got.keys() == {both[0].number, alone.number} and len(set(got.values())) == 2
    first, second, elsewhere = [await books.callbacks.get(each.number) for each in (*both, other)]
    assert first and second and elsewhere
    assert (second.state, second.agent) == (CallbackState.TAKEN, first.agent)
    assert elsewhere.state is CallbackState.WAITING, "of a section that the agent does not serve"
    assert await books.callbacks.take_next(AgentNumber("2001"), None, NOON) is None, "the number is in hand"
    with pytest.raises(CallbackError):
        await books.callbacks.take(other.number, AgentNumber("2001"), None, NOON, "chosen")
    alike = SqlSameNumber(books.engine)
    assert await alike.together(first) == [second] and await alike.together(second) == [first]
    assert await alike.together(elsewhere) == []


async def test_changed_together_or_not_at_all(books: Books) -> None:
    for about in ("1.1", "2.1"):
        await books.listed(about, telephone=CALLER)
    first = await books.callbacks.take_next(ONE, None, NOON)
    assert first
    (second,) = await SqlSameNumber(books.engine).together(first)
    await books.callbacks.move(second, second.let_go(NOON), ONE, "let_go")
    with pytest.raises(CallbackError):
        changes = [(each, each.given_up("no", NOON)) for each in (first, second)]
        await books.callbacks.move_all(changes, ONE, "given_up")
    assert await books.callbacks.get(first.number) == first


async def test_who_was_served_meanwhile(books: Books) -> None:
    """A promise of the queue is not owed any more once its caller heard a person of the same section."""
    ring = Ring("1001", 6, 8, 8.5, 60)
    later = NOON + timedelta(minutes=10)
    await books.ledger.record(story("1.1", asked=5, promised=30, ended=32, section=INQUIRY))
    queue = await books.listed("1.1", telephone=CALLER)
    matter = await books.listed("0.5", telephone=CALLER)  # an agent's promise: no call of the queue has it
    alike = SqlSameNumber(books.engine)
    assert await alike.called_again([queue, matter]) == {}
    await books.ledger.record(story("2.1", start=later, asked=5, ended=40, section=INQUIRY))
    other = story("3.1", start=later, asked=5, rings=[ring], ended=60, section=COMPLAINT)
    await books.ledger.record(other)
    assert await alike.served_meanwhile() == [], "nobody answered, or of another section"
    assert await alike.called_again([queue, matter]) == {queue.number: later, matter.number: later}
    again = story("4.1", start=later, asked=5, rings=[ring], ended=60, section=INQUIRY)
    arrived = again[0]
    assert isinstance(arrived, CallArrived)
    await books.ledger.record([replace(arrived, caller=f"+86{CALLER}"), *again[1:]])
    assert await alike.served_meanwhile() == [(queue, "4.1")]
    taken = await books.callbacks.take(queue.number, ONE, None, NOON, "chosen")
    await books.callbacks.begin(taken, "hotline", NOON)
    assert await alike.served_meanwhile() == [], "what is dialled is left to end"


async def test_what_is_not_owed_any_more_is_no_figure(books: Books) -> None:
    listed = await books.listed(due_at=NOON - timedelta(hours=1))
    await books.callbacks.move(listed, listed.withdrawn("served:2.1", NOON), "service", "served_meanwhile")
    tally = await books.callbacks.tally(NOON - timedelta(hours=3), NOON)
    assert (tally.kept, tally.broken, tally.overdue, tally.given_up) == (0, 0, 0, 0)
    day = Period.containing(NOON, Grain.DAY, ZoneInfo("Asia/Shanghai"))
    tallies = SqlSurveyTallies(books.engine, SetClock(NOON), Workdays(frozenset(), frozenset()))
    (found,) = await tallies.tallies([day], by=Dimension.SECTION)
    assert not any(each.of(Tally.PROMISES_DUE) for each in found.values())
