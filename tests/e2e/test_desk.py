"""A real call over an agent's desk: seen before it is answered, filed in the books after it (A7, C2)."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import aiohttp
import pytest

from calls.accounts import Account, Session
from calls.cases import CaseNumber
from calls.custody import Access, AccessKind
from calls.ids import AgentNumber, CallId, SectionId
from calls.people import Grant, Role
from console.doorkeeper import csrf_of, hashed
from service.cases import CaseLedger
from service.wiring import SystemClock
from simulation.script import CallerScript, Wait
from storage.desk_books import SqlDeskBooks
from storage.engine import open_engine
from storage.people import SqlPeople
from storage.sessions import SqlSessions
from tests.e2e.scenarios import PERSON
from tests.support_centre import Centre, within
from tests.support_play import ledger_of
from tests.support_scenario import treats

pytestmark = pytest.mark.asyncio(loop_scope="session")

CLOCK = SystemClock()
NUMBER = "13600000006"


class DeskOf:
    """An agent's browser, without the browser."""

    def __init__(self, centre: Centre, web: aiohttp.ClientSession, secret: str) -> None:
        self._url = f"http://127.0.0.1:{centre.settings.ports.web}"
        self._web = web
        self._secret = secret

    async def post(self, path: str, fields: dict[str, str]) -> tuple[int, str]:
        """A form of ours: its status, and where it leads."""
        told = {**fields, "csrf": csrf_of(self._secret)}
        headers = {"Origin": self._url}
        async with self._web.post(self._url + path, data=told, headers=headers, allow_redirects=False) as answer:
            return answer.status, answer.headers.get("Location", await answer.text())

    async def lines(self) -> AsyncIterator[Any]:
        """What the desk is told, as it comes."""
        async with self._web.get(f"{self._url}/desk/events") as answer:
            assert answer.status == 200
            async for line in answer.content:
                if line.startswith(b"data: "):
                    yield json.loads(line[6:])


@asynccontextmanager
async def desk_of(centre: Centre, agent: str) -> AsyncIterator[DeskOf]:
    """Signed in as the agent of this number."""
    engine, now, secret = open_engine(centre.settings.ledger_url), CLOCK.now(), secrets.token_urlsafe(32)
    login = f"desk{secrets.token_hex(4)}"
    account = Account(
        login=login,
        name=login,
        created_at=now,
        agent=AgentNumber(agent),
        grants=(Grant(Role.AGENT, SectionId("inquiry")),),
    )
    session = Session(
        id=hashed(secret),
        login=login,
        began_at=now,
        seen_at=now,
        ends_at=now + timedelta(hours=1),
        address="127.0.0.1",
        browser="a test",
    )
    try:
        await SqlPeople(engine, CLOCK).add(account, Access("service:tests", AccessKind.PEOPLE, "a test"))
        await SqlSessions(engine, CLOCK).begin(session)
        async with aiohttp.ClientSession(headers={"Cookie": f"sansheng={secret}"}) as web:
            yield DeskOf(centre, web, secret)
    finally:
        await engine.dispose()


async def test_a_call_is_seen_before_it_is_answered_and_filed_as_a_complaint(centre: Centre) -> None:
    await centre.home()
    async with (
        ledger_of(centre) as (ledger, ids),
        centre.people() as people,
        desk_of(centre, "1002") as desk,
        asyncio.timeout(90),
    ):
        before = await ids()
        await people.register("1002")
        await people.agent("1002", treats(ring_s=5, talk_s=1))
        assert await desk.post("/desk/state", {"do": "login"}) == (303, "/desk")
        dialled = await people.call(CallerScript((*PERSON, Wait(15)), number=NUMBER))

        lines = desk.lines()
        async for told in lines:
            if told["calls"]:
                break
        (popped,) = told["calls"]
        assert (popped["stage"], popped["caller"]) == ("ringing", "136****0006")
        assert await within(lambda: _is_in(ledger, popped["key"]), 5)
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


async def _filed(centre: Centre, desk: DeskOf, call_id: CallId) -> None:
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
