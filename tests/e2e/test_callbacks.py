"""Calling back, on real telephones: a promise kept, busy, no answer, hours, an agent who takes the next (A5)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import pytest

from calls.callbacks import Attempt, AttemptOutcome, CallBack, CallbackState, NewCallback, Origin
from calls.custody import Access, AccessKind, Leg
from calls.ids import CallId, Language, SectionId
from service.custody import custody_of
from service.wiring import SystemClock
from simulation.people import People
from simulation.script import AgentScript, AwaitHangUp, CallerScript, HangUp, Press, Speak, Wait
from storage.callbacks import SqlCallbacks
from storage.engine import open_engine
from tests.e2e.conftest import NETWORK_PORT
from tests.e2e.scenarios import MIDST_OF_THE_OFFER, PERSON
from tests.support_centre import PATIENCE_S, TONE_G722, Centre, within
from tests.support_checks import loudness
from tests.support_play import Marks, ledger_of
from tests.support_scenario import treats

pytestmark = pytest.mark.asyncio(loop_scope="session")

CLOCK = SystemClock()


@asynccontextmanager
async def listed(centre: Centre) -> AsyncIterator[SqlCallbacks]:
    engine = open_engine(centre.settings.ledger_url)
    try:
        yield SqlCallbacks(engine)
    finally:
        await engine.dispose()


async def waits(centre: Centre, telephone: str) -> CallBack:
    """Somebody on the list."""
    now = CLOCK.now()
    async with listed(centre) as book:
        new = NewCallback(
            origin=Origin.FOLLOW_UP,
            about=f"test/{telephone}",
            telephone=telephone,
            language=Language("zh-CN"),
            due_at=now + timedelta(hours=1),
            place=now,
            section=SectionId("inquiry"),
        )
        return await book.enlist(new, now)


async def alone(centre: Centre) -> None:
    """Everybody home, and nobody on the list: other tests' callers would be called first."""
    await centre.home()
    async with listed(centre) as book:
        for callback in await book.waiting():
            if callback.state is CallbackState.WAITING:
                await book.move(callback, callback.given_up("a test is over", CLOCK.now()), "test", "")


async def settled(centre: Centre, number: int, attempts: int) -> tuple[CallBack, list[Attempt]]:
    """The call-back once so many attempts are over, and they."""
    async with listed(centre) as book:

        async def over() -> bool:
            made = await book.attempts(number)
            return len(made) == attempts and all(each.outcome for each in made)

        in_time = await within(over, PATIENCE_S)
        callback, made = await book.get(number), await book.attempts(number)
        assert in_time, (callback, made, centre.service.log_tail())
    assert callback
    return callback, made


async def asks(people: People, agent: str) -> None:
    """An agent dials ``*21`` and hears what comes of it."""
    outcome = await people.dial(agent, "*21")
    assert outcome.ok, outcome.log


AGENT = AgentScript(ring_s=0.5, steps=(Speak(TONE_G722, loops=-1), AwaitHangUp()))
CUSTOMER = AgentScript(ring_s=1, payload=8, steps=(Wait(4), HangUp()))


def here(centre: Centre, script: AgentScript) -> AgentScript:
    """The script with its sounds where they are."""
    steps = tuple(
        replace(step, file=centre.var_dir / step.file) if isinstance(step, Speak) else step
        for step in script.steps
    )
    return replace(script, steps=steps)


async def test_a_promise_is_kept_and_the_caller_hears_a_person_at_once(rating: Centre) -> None:
    await alone(rating)
    number = "13500000001"
    async with ledger_of(rating) as (ledger, ids), rating.people() as people, listed(rating) as book:
        before, marks = await ids(), Marks(rating)
        promised = CallerScript((*PERSON, MIDST_OF_THE_OFFER, Press("1"), AwaitHangUp()), number=number)
        outcome = await people.outcome(await people.call(promised))
        assert outcome.ok, outcome.log

        async def on_the_list() -> bool:
            return any(each.telephone == number for each in await book.waiting())

        assert await within(on_the_list, PATIENCE_S)
        (call_id,) = await ids() - before
        call = await ledger.call(CallId(call_id))
        waiting = next(each for each in await book.waiting() if each.telephone == number)
        assert call and (waiting.origin, waiting.call_id, waiting.place) == (
            Origin.PROMISE,
            call.call_id,
            call.asked_at,
        )
        await people.register("1001")
        await people.agent("1001", here(rating, AGENT))
        await people.network(here(rating, CUSTOMER), NETWORK_PORT)
        rating.secret, rating.told = number, []
        await asks(people, "1001")
        callback, (attempt,) = await settled(rating, waiting.number, 1)
        rating.secret = ""
        assert (callback.state, callback.agent, callback.tries) == (CallbackState.KEPT, "1001", 1)
        assert attempt.outcome is AttemptOutcome.REACHED
        assert attempt.silence_s is not None and attempt.silence_s < 4
        assert await ids() - before == {call_id}, "who is called back is no caller who arrived"
        await agent_is_heard(rating, attempt)
        assert not rating.told, "a number stands in an AMI event"
        logs = marks.new_text(rating.asterisk_log) + marks.new_text(rating.service.log_file)
        assert number not in logs


async def agent_is_heard(centre: Centre, attempt: Attempt) -> None:
    """The conversation is in the vault, under the attempt's own id, and the agent speaks from its beginning."""
    engine = open_engine(centre.settings.ledger_url)
    try:
        custody = custody_of(centre.settings, engine, CLOCK)

        async def kept() -> bool:
            return bool(await custody.recordings(attempt.id))

        assert await within(kept, PATIENCE_S)
        for leg in (Leg.AGENT, Leg.MIXED):
            access = Access("os:test", AccessKind.EXPORT, "a test", attempt.id, leg)
            file = centre.var_dir / f"{leg}.wav"
            with await custody.open(attempt.id, leg, access) as sound:
                file.write_bytes(sound.read())
            assert loudness(file, 0.2, 1.5) > 300, leg
    finally:
        await engine.dispose()


async def test_busy_no_answer_and_the_last_try(rating: Centre) -> None:
    """Two agents ask at once, and one gets it; tried three times, given up, each attempt on record."""
    await alone(rating)
    waiting = await waits(rating, "13500000002")
    async with rating.people() as people, listed(rating) as book:
        await people.register("1001", "1002")
        for agent in ("1001", "1002"):
            await people.agent(agent, here(rating, AGENT))
        busy = await people.network(treats(refuse="486 Busy Here", ring_s=0.2), NETWORK_PORT)
        await asyncio.gather(asks(people, "1001"), asks(people, "1002"))
        callback, (first,) = await settled(rating, waiting.number, 1)
        assert (callback.state, callback.tries, first.outcome) == (CallbackState.WAITING, 1, AttemptOutcome.BUSY)
        await people.gone(busy)
        await people.network(treats(ring_s=60), NETWORK_PORT)
        for attempts in (2, 3):
            await asks(people, "1001")
            callback, made = await settled(rating, waiting.number, attempts)
        assert [each.outcome for each in made] == [AttemptOutcome.BUSY, *[AttemptOutcome.NO_ANSWER] * 2]
        assert (callback.state, callback.note) == (CallbackState.GIVEN_UP, "no_answer")
        history = [change.why for change in await book.history(waiting.number)]
        assert history == ["follow_up", *("next", "dialled", "busy"), *("next", "dialled", "no_answer") * 2]


async def test_a_service_that_is_killed_dials_nobody_twice(rating: Centre) -> None:
    """Killed while the agent's telephone rings: nobody is called without it, and the call-back stays."""
    await alone(rating)
    waiting = await waits(rating, "13500000003")
    async with rating.people() as people, listed(rating) as book:
        await people.register("1001")
        await people.agent("1001", here(rating, replace(AGENT, ring_s=8.0)))
        await people.network(here(rating, CUSTOMER), NETWORK_PORT)
        await asks(people, "1001")

        async def rings() -> bool:
            return any(each.agent_rang_at for each in await book.attempts(waiting.number))

        assert await within(rings, PATIENCE_S)
        await rating.kill_service()
        assert await within(rating.is_quiet, PATIENCE_S)
        await rating.start_service()
        callback, (attempt,) = await settled(rating, waiting.number, 1)
        assert (callback.state, callback.tries) == (CallbackState.WAITING, 0)
        assert attempt.outcome is AttemptOutcome.NOT_DIALLED and attempt.dialled_at is None
        await rating.asterisk.command("channel request hangup all")


@asynccontextmanager
async def changed(centre: Centre, usual: str, other: str) -> AsyncIterator[None]:
    """The service with another setting."""
    text = centre.config.read_text(encoding="utf-8")
    assert usual in text
    centre.config.write_text(text.replace(usual, other), encoding="utf-8")
    try:
        await centre.restart_service()
        yield
    finally:
        centre.config.write_text(text, encoding="utf-8")
        await centre.restart_service()


async def test_an_agent_who_has_nothing_to_do_is_given_the_next(rating: Centre) -> None:
    """Nobody asks for it: while enough agents are ready, the telephone of who was ready first rings."""
    await alone(rating)
    first, second = await waits(rating, "13500000005"), await waits(rating, "13500000006")
    async with rating.people() as people, listed(rating) as book:
        await people.register("1001", "1002")
        for agent in ("1001", "1002"):
            await people.agent(agent, here(rating, AGENT))
        await people.network(here(rating, CUSTOMER), NETWORK_PORT)
        async with changed(rating, "give_when_ready = 0", "give_when_ready = 2"):
            await rating.log_in("1001")
            assert not await book.attempts(first.number), "one alone is there for callers"
            await rating.log_in("1002")
            callback, (attempt,) = await settled(rating, first.number, 1)
            assert (callback.state, attempt.outcome) == (CallbackState.KEPT, AttemptOutcome.REACHED)
            assert attempt.agent in ("1001", "1002")
            await settled(rating, second.number, 1)


async def test_outside_the_hours_nobody_is_called(rating: Centre) -> None:
    await alone(rating)
    waiting = await waits(rating, "13500000004")
    hour = CLOCK.now().astimezone(rating.settings.zone).hour
    closed = "00:00-01:00" if hour >= 12 else "22:00-23:00"
    async with (
        changed(rating, 'hours = "00:00-24:00"', f'hours = "{closed}"'),
        rating.people() as people,
        listed(rating) as book,
    ):
        await people.register("1001")
        await people.agent("1001", here(rating, AGENT))
        await asks(people, "1001")
        still = await book.get(waiting.number)
        assert still and (still.state, await book.attempts(waiting.number)) == (CallbackState.WAITING, [])
