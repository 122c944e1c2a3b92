"""What an agent does on the telephone itself: log in and out, pause and come back, call the hotline."""

from __future__ import annotations

import pytest

from calls.call import Call, Result
from calls.ids import CallId
from calls.live import AgentState
from simulation.script import AwaitHangUp, Press, Wait
from tests.support_centre import PATIENCE_S, Centre, within
from tests.support_play import ledger_of
from tests.support_scenario import treats

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_an_agent_logs_in_pauses_comes_back_and_logs_out(centre: Centre) -> None:
    """By dialling; a pause has its reason, and a telephone that is not logged in cannot pause (A1)."""
    await centre.home()
    async with centre.people() as people:
        await people.register("9001")
        seen = []
        for dialled in ("*131", "*11", "*131", "*132", "*14", "*12"):
            outcome = await people.dial("9001", dialled)
            assert outcome.ok, outcome.log
            assert await within(lambda: _hung_up(centre, "9001"), PATIENCE_S)
            agent = (await centre.agents())["9001"]
            seen.append((agent.state, agent.reason, len(agent.sections)))
    assert seen == [
        (AgentState.LOGGED_OUT, None, 0),
        (AgentState.READY, None, 4),
        (AgentState.PAUSED, "break", 4),
        (AgentState.PAUSED, "meal", 4),
        (AgentState.READY, None, 4),
        (AgentState.LOGGED_OUT, None, 0),
    ]


async def test_an_agent_calls_the_hotline(centre: Centre) -> None:
    """The first thing that a newcomer tries with a softphone: it is a call like any other."""
    await centre.home()
    async with ledger_of(centre) as (ledger, ids), centre.people() as people:
        before = await ids()
        await people.register("1001", "1002")
        await people.agent("1001", treats(ring_s=0.5, talk_s=2))
        await centre.log_in("1001")
        outcome = await people.dial("1002", "95000", Wait(1), Press("0"), AwaitHangUp())
        assert outcome.ok, outcome.log

        async def answered() -> bool:
            new = [await ledger.call(CallId(call_id)) for call_id in await ids() - before]
            return [_essence(call) for call in new if call] == [("1002", "1002", Result.ANSWERED, True)]

        assert await within(answered, PATIENCE_S), "one answered call of 1002 is in the books, and recorded"


async def _hung_up(centre: Centre, number: str) -> bool:
    return (await centre.agents())[number].state is not AgentState.TALKING


def _essence(call: Call) -> tuple[object, ...]:
    return call.caller, call.trunk, call.result, call.recording is not None
