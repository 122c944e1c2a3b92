"""A telephone hands a caller on with SIP REFER: to a section, to a colleague, and nowhere else (TRR)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import pytest

from calls.call import Call, Result
from calls.events import EndedBy
from calls.ids import CallId, SectionId
from calls.measures import Slice
from calls.periods import Grain, Period
from service.agents import pause
from service.books import kpi_figures_of
from service.wiring import SystemClock
from simulation.script import AgentScript, AwaitHangUp, CallerScript, HangUp, Refer, Wait
from storage.engine import open_engine
from storage.ledger import SqlLedger
from tests.e2e.scenarios import PERSON
from tests.support_centre import PATIENCE_S, Centre, within
from tests.support_play import ledger_of
from tests.support_scenario import treats

pytestmark = pytest.mark.asyncio(loop_scope="session")

TICKETING = "*33"
LISTENS = CallerScript((*PERSON, AwaitHangUp()))


NUMBER_SPOKEN_S = 9
"""After the answer; it takes three or four, and before that nobody is handed on."""
LONG_S = 240
NO_SUCH_CALL = "no%40where%3Bto-tag%3D1%3Bfrom-tag%3D2"


def hands_on(to: str, talk_s: float = NUMBER_SPOKEN_S) -> AgentScript:
    """Talks until the agent's number has been spoken and a little longer, then hands the caller on."""
    return AgentScript(ring_s=1, steps=(Wait(talk_s), Refer(to)))


async def transfers(centre: Centre, agent: str) -> tuple[float, float]:
    """TRR of today's calls whose first agent this one was: handed on, answered."""
    engine = open_engine(centre.settings.ledger_url)
    try:
        figures = kpi_figures_of(centre.settings, engine, SystemClock())
        today = Period.containing(datetime.now(UTC), Grain.DAY, centre.settings.zone)
        [figure] = await figures.figures(["TRR"], [today], Slice(agent=agent))
    finally:
        await engine.dispose()
    return figure.numerator, figure.denominator


async def settled(ledger: SqlLedger, ids: Callable[[], Awaitable[set[str]]], known: set[str]) -> Call:
    """The one call that is new on the books, once it is over and its recording is there."""
    found: list[Call] = []

    async def is_there() -> bool:
        calls = [await ledger.call(CallId(call_id)) for call_id in await ids() - known]
        found[:] = [call for call in calls if call]
        return bool(found) and all(call.ended_at and call.recording for call in found)

    assert await within(is_there, PATIENCE_S), found
    assert len(found) == 1, "one caller is one call"
    return found[0]


@pytest.mark.parametrize(("to", "second"), [(TICKETING, "3001"), ("1002", "1002")], ids=["section", "colleague"])
async def test_a_caller_who_is_handed_on_is_one_call_with_both_agents(
    centre: Centre, to: str, second: str
) -> None:
    await centre.home()
    async with ledger_of(centre) as (ledger, ids), centre.people() as people, asyncio.timeout(LONG_S):
        known, before = await ids(), await transfers(centre, "1001")
        await people.register("1001", second)
        await people.agent("1001", hands_on(to))
        await people.agent(second, treats(ring_s=2, talk_s=2))
        await centre.log_in("1001")
        if to == TICKETING:
            await centre.log_in(second)  # a colleague need not be: the telephone is free
        outcome = await people.outcome(await people.call(LISTENS))
        assert outcome.ok, outcome.log
        call = await settled(ledger, ids, known)
        after = await transfers(centre, "1001")

    first, other = call.offers
    assert (first.agent, other.agent, call.connected) == ("1001", second, first)
    assert (call.result, call.section, call.ended_by) == (Result.ANSWERED, SectionId("inquiry"), EndedBy.AGENT)
    times = [call.asked_at, first.rang_at, first.connected_at, call.transferred_at, other.rang_at,
             other.answered_at, other.connected_at, call.ended_at]  # fmt: skip
    assert all(times)
    assert times == sorted(times, key=lambda at: at or datetime.max)
    assert first.ended_at and other.rang_at and first.ended_at <= (other.answered_at or first.ended_at)
    assert first.ring_s == pytest.approx(1, abs=2)
    assert other.ring_s == pytest.approx(2, abs=2)
    assert call.wait_s is not None and first.connected_at and call.asked_at
    assert call.wait_s == (first.connected_at - call.asked_at).total_seconds()
    assert call.talk_s and other.connected_at and call.ended_at
    assert call.talk_s == (call.ended_at - first.connected_at).total_seconds()
    assert after == (before[0] + 1, before[1] + 1)


async def test_a_colleague_who_lets_it_ring_leaves_the_caller_to_the_section(centre: Centre) -> None:
    """1002 is not registered, so the section's queue has the caller, and the next agent of it answers."""
    await centre.home()
    async with ledger_of(centre) as (ledger, ids), centre.people() as people, asyncio.timeout(LONG_S):
        known = await ids()
        await people.register("1001", "9001")
        await people.agent("1001", hands_on("1002"))
        await people.agent("9001", treats(ring_s=1, talk_s=2))
        await centre.log_in("1001")
        dialled = await people.call(LISTENS)

        async def talks() -> bool:
            return any(call.offers and call.offers[0].connected_at for call in await ledger.open_calls())

        assert await within(talks, PATIENCE_S)
        await centre.log_in("9001")  # of the overflow group
        await pause(centre.link, centre.agent("1001"), "break")
        outcome = await people.outcome(dialled)
        assert outcome.ok, outcome.log
        call = await settled(ledger, ids, known)
    assert [offer.agent for offer in call.offers if offer.connected_at] == ["1001", "9001"]
    assert call.transferred_at and call.result is Result.ANSWERED


REFUSED = {
    "a number outside": (NUMBER_SPOKEN_S, Refer("13800138000", refused="404")),
    "a code of ours that is none of these": (NUMBER_SPOKEN_S, Refer("*11", refused="404")),
    "joined with a call that there is not": (NUMBER_SPOKEN_S, Refer("1002", refused="404", replaces=NO_SUCH_CALL)),
    "while the agent's number is being spoken": (0.5, Refer(TICKETING, refused="404")),
}


@pytest.mark.parametrize(("after_s", "refer"), REFUSED.values(), ids=REFUSED)
async def test_what_is_refused_leaves_the_talk_as_it_is(centre: Centre, after_s: float, refer: Refer) -> None:
    await centre.home()
    async with ledger_of(centre) as (ledger, ids), centre.people() as people, asyncio.timeout(LONG_S):
        known, before = await ids(), await transfers(centre, "1001")
        await people.register("1001")
        await people.agent("1001", AgentScript(ring_s=1, steps=(Wait(after_s), refer, Wait(2), HangUp())))
        await centre.log_in("1001")
        outcome = await people.outcome(await people.call(LISTENS))
        assert outcome.ok, outcome.log
        call = await settled(ledger, ids, known)
        after = await transfers(centre, "1001")
    (offer,) = call.offers
    assert (offer.agent, call.transferred_at, call.ended_by) == ("1001", None, EndedBy.AGENT)
    assert call.talk_s is not None and call.talk_s >= after_s + 0.5, "the talk went on after it"
    assert after == (before[0], before[1] + 1)


async def test_a_caller_transfers_nobody(centre: Centre) -> None:
    await centre.home()
    async with ledger_of(centre) as (ledger, ids), centre.people() as people, asyncio.timeout(LONG_S):
        known = await ids()
        await people.register("1001")
        await people.agent("1001", treats(ring_s=1, talk_s=8))
        await centre.log_in("1001")
        script = CallerScript((*PERSON, Wait(4), Refer("3001", declined="603"), AwaitHangUp()))
        outcome = await people.outcome(await people.call(script))
        assert outcome.ok, outcome.log
        call = await settled(ledger, ids, known)
    assert ([offer.agent for offer in call.offers], call.transferred_at) == (["1001"], None)
