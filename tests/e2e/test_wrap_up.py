"""Real calls and the work after them: what queues give, and a pause for paperwork, end up in AHT."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from calls.call import Call
from calls.ids import CallId, SectionId
from calls.people import Grant, Role
from simulation.script import CallerScript, Wait
from tests.e2e.scenarios import PERSON
from tests.support_centre import Centre, within
from tests.support_play import ledger_of
from tests.support_scenario import treats
from tests.support_signed_in import signed_in

pytestmark = pytest.mark.asyncio(loop_scope="session")

_KNOWN_S = 180
"""Books and logs are compared every half minute, the queue log ten seconds behind."""


async def test_paperwork_after_a_call_is_part_of_it_and_the_time_that_queues_give_is_else(centre: Centre) -> None:
    await centre.home()
    async with (
        ledger_of(centre) as (ledger, ids),
        centre.people() as people,
        signed_in(centre, Grant(Role.AGENT, SectionId("inquiry")), agent="1002") as desk,
        asyncio.timeout(600),
    ):
        known = await ids()
        await people.register("1002")
        brief = await people.agent("1002", treats(ring_s=1, talk_s=2))
        assert await desk.post("/desk/state", {"do": "login"}) == (303, "/desk")

        async def next_call() -> CallId:
            await people.outcome(await people.call(CallerScript((*PERSON, Wait(15)))))
            (call_id,) = await ids() - known
            known.add(call_id)
            return CallId(call_id)

        async def call_with_wrap_up(call_id: CallId) -> Call:
            async def is_known() -> bool:
                call = await ledger.call(call_id)
                return call is not None and call.wrap_up_s is not None

            assert await within(is_known, _KNOWN_S)
            return Call.of(await ledger.events(call_id))

        plain = await next_call()
        await call_with_wrap_up(plain)
        await people.gone(brief)
        await people.agent("1002", treats(ring_s=1, talk_s=8))  # long enough to press a button
        lines = desk.lines()
        await anext(lines)  # from here on the desk is told of every call
        dialled = await people.call(CallerScript((*PERSON, Wait(30))))
        async for told in lines:
            if any(call["stage"] == "talking" for call in told["calls"]):
                break
        await lines.aclose()  # type: ignore[attr-defined]
        assert (await desk.post("/desk/state", {"do": "pause", "reason": "paperwork"}))[0] == 303
        await people.outcome(dialled)
        (paperwork,) = {CallId(call_id) for call_id in await ids() - known}
        assert (await desk.post("/desk/state", {"do": "unpause"}))[0] == 303
        done_at = datetime.now(UTC)

        first, second = await call_with_wrap_up(plain), await call_with_wrap_up(paperwork)
    assert first.wrap_up_s == centre.settings.queueing.wrap_up_s
    (offer,) = second.offers
    given_s = centre.settings.queueing.wrap_up_s
    assert offer.ended_at and offer.wrapped_up_at and offer.wrap_up_s is not None
    # Asterisk tells pauses in whole seconds, cut off.
    last_s = (done_at - offer.ended_at).total_seconds()
    assert given_s <= offer.wrap_up_s <= max(given_s, last_s)
    assert offer.wrapped_up_at <= done_at or offer.wrap_up_s == given_s
