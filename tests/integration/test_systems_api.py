"""Events and call-backs for other systems, with a token: order, reach, keys, bad input (I3, A5, P1)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from openapi_spec_validator import OpenAPIV31SpecValidator

from calls.case_events import CaseForwarded
from calls.cases import CaseNumber, DepartmentId, Login
from calls.ids import SectionId
from calls.people import Grant, Right, Role
from storage.access import SqlAccessLog
from storage.callbacks import SqlCallbacks
from storage.cases import SqlCases
from tests.support_cases import local, registered
from tests.support_console import LOGINS, ServedConsole, SetTime, Somebody, served

CHIEF = Somebody("crm", "CRM", (Grant(Role.SUPERVISOR, SectionId("complaint")),))
CLOCK = SetTime(local("2026-11-23 10:00"))
NEW = {"telephone": "+8613800138000", "section": "complaint"}
RIGHTS = frozenset({Right.READ_CASES, Right.FILE_CASES})


@pytest_asyncio.fixture(params=["sqlite", "postgresql"])
async def console(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[ServedConsole]:
    CLOCK.moment = local("2026-11-23 10:00")
    async with served(tmp_path, people=(*LOGINS, CHIEF), clock=CLOCK, kind=request.param) as console:
        yield console


async def token_of(console: ServedConsole, login: str = "crm", rights: frozenset[Right] = RIGHTS) -> str:
    keeper = console.parts.doorkeeper
    owner = await keeper.people.find(login)
    assert owner is not None
    return (await keeper.make_token(owner, "test", rights, 30, "tests"))[1]


async def ask(
    console: ServedConsole, method: str, path: str, token: str, body: Any = None, key: str = ""
) -> tuple[int, Any]:
    headers = {"Authorization": f"Bearer {token}"} | ({"Idempotency-Key": key} if key else {})
    data = body if isinstance(body, bytes) or body is None else json.dumps(body)
    async with (
        aiohttp.ClientSession() as client,
        client.request(method, console.url + path, data=data, headers=headers) as answer,
    ):
        assert answer.content_type == "application/json", await answer.text()
        return answer.status, await answer.json()


async def test_events_are_read_from_where_one_stopped_and_within_reach(console: ServedConsole) -> None:
    cases = SqlCases(console.engine, console.parts.zone, console.parts.case_clocks)
    mine = await cases.register(registered(section=SectionId("complaint")), "a")
    await cases.register(registered(section=SectionId("ticketing")), "b")
    line = CaseForwarded(at=mine.registered_at, by=Login("li"), department=DepartmentId("stations"))
    await cases.append(mine.number, 1, line)
    token = await token_of(console)
    status, told = await ask(console, "GET", "/api/v1/events?limit=1", token)
    assert status == 200 and [event["type"] for event in told["events"]] == ["case.registered"]
    assert told["events"][0]["case"]["number"] == mine.number
    _, more = await ask(console, "GET", f"/api/v1/events?after={told['last']}", token)
    assert [event["type"] for event in more["events"]] == ["case.forwarded"], "not the other section's"
    _, none = await ask(console, "GET", f"/api/v1/events?after={more['last']}", token)
    assert none == {"events": [], "last": more["last"]}
    assert "13800138000" not in json.dumps([told, more]), "nothing personal"


async def test_a_call_back_is_promised_once_however_often_it_is_sent(console: ServedConsole) -> None:
    token = await token_of(console)
    answers = await asyncio.gather(
        *(ask(console, "POST", "/api/v1/callbacks", token, NEW, "crm-00001") for _ in range(4))
    )
    assert {status for status, _ in answers} == {201}
    (number,) = {told["number"] for _, told in answers}
    made = answers[0][1]
    assert (made["telephone"], made["state"], made["origin"]) == ("138****8000", "waiting", "promise")
    kept = await SqlCallbacks(console.engine).get(number)
    assert kept is not None and kept.telephone == "13800138000"
    other = {**NEW, "telephone": "13900001234"}
    assert (await ask(console, "POST", "/api/v1/callbacks", token, other, "crm-00001"))[0] == 409
    _, listed = await ask(console, "GET", "/api/v1/callbacks", token)
    assert [each["number"] for each in listed["callbacks"]] == [number]
    assert (await ask(console, "GET", f"/api/v1/callbacks/{number}", token))[1]["number"] == number
    reasons = [each.access.reason for each in await SqlAccessLog(console.engine, CLOCK).entries(actor="crm")]
    assert "a call back is promised, by the API" in reasons and f"call-back {number}, by the API" in reasons


async def test_a_call_back_about_a_case(console: ServedConsole) -> None:
    cases = SqlCases(console.engine, console.parts.zone, console.parts.case_clocks)
    mine = await cases.register(registered(section=SectionId("complaint")), "a")
    others = await cases.register(registered(section=SectionId("ticketing")), "b")
    token = await token_of(console)
    status, made = await ask(console, "POST", "/api/v1/callbacks", token, {**NEW, "case": mine.number}, "k" * 8)
    assert (status, made["case"], made["origin"]) == (201, mine.number, "follow_up")
    for number in (others.number, CaseNumber("TS2026-09999"), "../x", mine.number.lower()):
        status, told = await ask(console, "POST", "/api/v1/callbacks", token, {**NEW, "case": number}, "l" * 8)
        assert status == 422 and told["error"] == "`case`: there is no such complaint", "others' do not exist"


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"telephone": "0019005551234"}, 422),
        ({"telephone": "999"}, 422),
        ({"telephone": "13800138000;13900001234"}, 422),
        ({"section": "nothing"}, 422),
        ({"section": "inquiry"}, 403),
        ({"language": "tlh"}, 422),
        ({"due_at": "2026-11-23T09:00:00+08:00"}, 422),
        ({"due_at": "2027-11-23T09:00:00+08:00"}, 422),
        ({"due_at": "2026-11-24T09:00:00"}, 422),
        ({"origin": "dissatisfied"}, 422),
    ],
)
async def test_what_cannot_be_is_refused(console: ServedConsole, changed: dict[str, str], status: int) -> None:
    token = await token_of(console)
    got, told = await ask(console, "POST", "/api/v1/callbacks", token, {**NEW, **changed}, "crm-00001")
    assert got == status and told["error"]
    assert "13800138000" not in told["error"]
    assert await SqlCallbacks(console.engine).waiting() == []


async def test_keys_bodies_and_numbers_that_are_none(console: ServedConsole) -> None:
    token = await token_of(console)
    for key in ("", "short", "x" * 101):
        assert (await ask(console, "POST", "/api/v1/callbacks", token, NEW, key))[0] == 400
    for body in (b"", b"{", b"[]", b'"\xff"', b"null"):
        assert (await ask(console, "POST", "/api/v1/callbacks", token, body, "crm-00001"))[0] == 422
    for number in ("0", "9" * 9, "9" * 30, "x", "%00", "1.5"):
        assert (await ask(console, "GET", f"/api/v1/callbacks/{number}", token))[0] == 404
    for query in ("after=-1", "after=x", "limit=0", "limit=501", "nothing=1"):
        assert (await ask(console, "GET", f"/api/v1/events?{query}", token))[0] == 400


async def test_a_token_does_no_more_than_it_was_made_for(console: ServedConsole) -> None:
    only_read = await token_of(console, rights=frozenset({Right.READ_CASES}))
    assert (await ask(console, "GET", "/api/v1/events", only_read))[0] == 200
    assert (await ask(console, "POST", "/api/v1/callbacks", only_read, NEW, "crm-00001"))[0] == 403
    assert (await ask(console, "GET", "/api/v1/callbacks", only_read))[0] == 403
    for nobody in ("", "sansheng_nonsense", "x" * 500):
        assert (await ask(console, "GET", "/api/v1/events", nobody))[0] == 401


async def test_the_document_is_openapi(console: ServedConsole) -> None:
    status, document = await ask(console, "GET", "/api/v1/systems/openapi.json", await token_of(console))
    assert status == 200
    OpenAPIV31SpecValidator(document).validate()
    assert set(document["paths"]) == {
        "/api/v1/events",
        *("/api/v1/callbacks", "/api/v1/callbacks/{number}"),
        *("/api/v1/survey-links", "/api/v1/survey-links/{call_id}/sent"),
    }
