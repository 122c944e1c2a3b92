"""A real call over an agent's desk: seen before it is answered, filed in the books after it (A7, C2)."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from calls.cases import CaseNumber
from calls.ids import CallId, SectionId
from calls.people import Grant, Role
from service.cases import CaseLedger
from simulation.script import CallerScript, Wait
from storage.desk_books import SqlDeskBooks
from storage.engine import open_engine
from tests.e2e.scenarios import PERSON
from tests.support_centre import PATIENCE_S, Centre, within
from tests.support_play import ledger_of
from tests.support_scenario import treats
from tests.support_signed_in import SignedIn, signed_in

pytestmark = pytest.mark.asyncio(loop_scope="session")

NUMBER = "13600000006"


async def test_a_call_is_seen_before_it_is_answered_and_filed_as_a_complaint(centre: Centre) -> None:
    await centre.home()
    async with (
        ledger_of(centre) as (ledger, ids),
        centre.people() as people,
        signed_in(centre, Grant(Role.AGENT, SectionId("inquiry")), agent="1002") as desk,
        asyncio.timeout(300),
    ):
        before = await ids()
        await people.register("1002")
        await people.agent("1002", treats(ring_s=12, talk_s=1))
        assert await desk.post("/desk/state", {"do": "login"}) == (303, "/desk")
        lines = desk.lines()
        await anext(lines)  # from here on the desk is told of every call
        dialled = await people.call(CallerScript((*PERSON, Wait(40)), number=NUMBER))
        async for told in lines:
            if told["calls"]:
                break
        (popped,) = told["calls"]
        assert (popped["stage"], popped["caller"]) == ("ringing", "136****0006")
        assert await within(lambda: _is_in(ledger, popped["key"]), PATIENCE_S)
        call = await ledger.call(CallId(popped["key"]))
        assert call and call.connected is None, "the agent has not answered yet"

        async for told in lines:
            if not told["calls"]:
                break
        await lines.aclose()  # type: ignore[attr-defined]
        await people.outcome(dialled)
        assert set(await ids()) - set(before) == {popped["key"]}
        await _filed(centre, desk, CallId(popped["key"]))


async def _is_in(ledger: Any, call_id: str) -> bool:
    return await ledger.call(CallId(call_id)) is not None


async def _filed(centre: Centre, desk: SignedIn, call_id: CallId) -> None:
    here = f"/desk/calls/{call_id}"
    status, answer = await desk.post(
        f"{here}/notes", {"base.content": "", "text.content": "the lift stands still"}
    )
    assert (status, json.loads(answer)["fields"]) == (200, {"content": "the lift stands still"})
    complaint = {
        "outcome": "complaint",
        "section": "inquiry",
        "type": "facilities",
        "urgency": "ordinary",
        "importance": "ordinary",
        "content": "the lift stands still",
        "name": "Zhang",
        "place": "west station",
        "key": "1",
        "version": "1",
    }
    status, location = await desk.post(f"{here}/file", complaint)
    assert status == 303, location
    number = CaseNumber(location.partition("filed=")[2])
    engine = open_engine(centre.settings.ledger_url)
    try:
        case = await CaseLedger.of(centre.settings, engine).cases.case(number)
        assert (case.call_id, case.contact, case.registered_late) == (call_id, NUMBER, False)
        books = SqlDeskBooks(engine)
        assert await books.filed_as(call_id) == [number]
        assert (await books.notes(call_id)).version == 0
    finally:
        await engine.dispose()
