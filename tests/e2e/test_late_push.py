"""The service pushes the menu's time-out ahead; a push that comes late costs the caller nothing (I1, A1)."""

from __future__ import annotations

import asyncio

import pytest

from calls.call import Result
from tests.e2e.scenarios import BRIEF, EMPTY_QUEUE, IGNORES, TO_THE_END, answered
from tests.support_centre import PATIENCE_S, Centre, within
from tests.support_play import play
from tests.support_scenario import Caller, Offered, Scenario, Seat

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_push_while_a_telephone_rings_keeps_the_caller_on_the_way_to_the_overflow_group(
    centre: Centre,
) -> None:
    scenario = Scenario(
        "a late push",
        "A1 I1",
        (Seat("1001", IGNORES), Seat("9001", BRIEF)),
        (Caller(TO_THE_END, answered(Offered("9001"), in_three_rings=False)),),
        log_may_say=EMPTY_QUEUE,
    )

    async def push() -> None:
        async def rings() -> bool:
            names = await centre.channels()
            callers.extend(name for name in names if name.startswith("PJSIP/city"))
            return any(name.startswith("PJSIP/1001") for name in names)

        callers: list[str] = []
        assert await within(rings, PATIENCE_S)
        told = {"Channel": callers[-1], "Variable": "TIMEOUT(absolute)", "Value": "1"}
        await centre.link.call("Setvar", told)

    pushing = asyncio.create_task(push())
    evidence = await play(centre, scenario)
    await pushing
    (call,) = evidence.calls
    assert (call.result, call.connected and call.connected.agent) == (Result.ANSWERED, "9001")
    assert call.overflowed_at and len(call.offers) == 3, "rung anew, the full three rings, and after that overflow"
