"""``/api/v1/cases`` over real sockets: keys, versions, reach, bad input, and what its document says (C1, I3)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest_asyncio
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from calls.ids import SectionId
from calls.people import Grant, Role
from tests.support_cases import local
from tests.support_console import LOGINS, ServedConsole, SetTime, Somebody, served

PEOPLE = (*LOGINS, Somebody("chief", "王主任", (Grant(Role.SUPERVISOR, SectionId("complaint")),)))
CLOCK = SetTime(local("2026-11-23 10:00"))
NEW = {
    "arrived_at": "2026-11-23T09:55:00+08:00",
    "name": "张三",
    "contact": "13800138000",
    "place": "西站",
    "content": "自动扶梯停了三天",
    "type": "facilities",
    "cause": "equipment_fault",
}
KEY = "crm-000001"
BASE = "/api/v1/cases"


@pytest_asyncio.fixture
async def console(tmp_path: Path) -> AsyncIterator[ServedConsole]:
    CLOCK.moment = local("2026-11-23 10:00")
    async with served(tmp_path, people=PEOPLE, clock=CLOCK) as console:
        yield console


async def post(
    console: ServedConsole, path: str, body: Any, key: str = "", login: str = "chief"
) -> tuple[int, dict[str, Any]]:
    client = await console.client(login)
    headers = {"Origin": console.url, "X-CSRF-Token": console.token(client), "Content-Type": "application/json"}
    if key:
        headers["Idempotency-Key"] = key
    data = body if isinstance(body, bytes) else json.dumps(body)
    async with client.post(console.url + path, data=data, headers=headers) as answer:
        assert answer.content_type == "application/json", await answer.text()
        return answer.status, await answer.json()


async def get(console: ServedConsole, path: str, login: str = "chief") -> tuple[int, dict[str, Any]]:
    status, text = await console.get(login, path)
    return status, json.loads(text)


async def test_a_complaint_is_registered_once_however_often_it_is_sent(console: ServedConsole) -> None:
    status, made = await post(console, BASE, NEW, KEY)
    assert status == 201 and made["number"] == "TS2026-00001" and made["channel"] == "platform"
    assert (made["registered_late"], made["steps"][0]["step"], made["steps"][0]["clock"]) == (
        False,
        "forward",
        "due",
    )
    CLOCK.moment += timedelta(minutes=1)
    answers = await asyncio.gather(*(post(console, BASE, NEW, KEY) for _ in range(4)))
    assert {(status, told["number"]) for status, told in answers} == {(201, "TS2026-00001")}
    status, _told = await post(console, BASE, {**NEW, "place": "东站"}, KEY)
    assert status == 409
    assert (await post(console, BASE, NEW, "crm-000002"))[1]["number"] == "TS2026-00002"


async def test_a_line_is_written_once_and_a_race_says_where_it_stands(console: ServedConsole) -> None:
    await post(console, BASE, NEW, KEY)
    line = {"kind": "forwarded", "version": 1, "fields": {"department": "stations"}}
    status, made = await post(console, f"{BASE}/TS2026-00001/lines", line)
    assert status == 201 and (made["state"], made["version"], made["department"]) == ("forwarded", 2, "stations")
    status, told = await post(console, f"{BASE}/TS2026-00001/lines", {**line, "kind": "assessed", "fields": {}})
    assert status == 409 and told["version"] == 2
    status, told = await post(console, f"{BASE}/TS2026-00001/lines", {**line, "version": 2})
    assert status == 409, "not while it is forwarded"
    status, told = await get(console, f"{BASE}/TS2026-00001")
    assert [each["kind"] for each in told["history"]] == ["registered", "forwarded"]
    assert told["history"][1]["fields"] == {"department": "stations"}


async def test_lists_go_on_where_they_ended(console: ServedConsole) -> None:
    for n in range(3):
        await post(console, BASE, {**NEW, "place": f"{n} 号站"}, f"crm-00000{n}")
    status, first = await get(console, f"{BASE}?open=true&limit=2&text=扶梯")
    assert status == 200 and len(first["cases"]) == 2 and first["after"]
    status, second = await get(console, f"{BASE}?open=true&limit=2&after={first['after']}")
    assert len(second["cases"]) == 1 and second["after"] is None
    assert (await get(console, f"{BASE}?state=closed"))[1]["cases"] == []
    assert len((await get(console, f"{BASE}?since=2026-11-23T00:00:00Z&department=-"))[1]["cases"]) == 3


async def test_what_is_wrong_is_said(console: ServedConsole) -> None:
    for body, key, status in (
        (NEW, "", 400),
        (NEW, "short", 400),
        (b"{", KEY, 422),
        (b"\xff\xfe", KEY, 422),
        ({**NEW, "arrived_at": "2026-11-23T09:55:00"}, KEY, 422),
        ({**NEW, "more": 1}, KEY, 422),
        ({**NEW, "name": " "}, KEY, 422),
        ({**NEW, "arrived_at": "2027-01-01T00:00:00Z"}, KEY, 422),
        ({**NEW, "content": "nul \0"}, KEY, 422),
        ({**NEW, "content": "\ud800"}, KEY, 422),
        ({**NEW, "section": "ticketing"}, KEY, 403),
        ({**NEW, "call_id": "../etc"}, KEY, 422),
    ):
        found, told = await post(console, BASE, body, key)
        assert found == status and told["error"], (body, told)
    status, told = await post(console, BASE, {**NEW, "cause": "weather"}, KEY)
    assert told["faults"] == [{"field": "cause", "wrong": "unknown"}]
    for path, status in ((f"{BASE}?limit=0", 400), (f"{BASE}?since=gestern", 400), (f"{BASE}/TS2026-00009", 404)):
        assert (await get(console, path))[0] == status, path
    await post(console, BASE, NEW, KEY)
    status, told = await post(console, f"{BASE}/TS2026-00001/lines", {"kind": "burnt", "version": 1})
    assert status == 422 and told["faults"] == [{"field": "kind", "wrong": "unknown"}]


async def test_nobody_reaches_further_than_on_the_pages(console: ServedConsole) -> None:
    await post(console, BASE, NEW, KEY)
    assert (await get(console, f"{BASE}/TS2026-00001", "agent"))[0] == 404
    assert (await get(console, BASE, "agent"))[1]["cases"] == []
    assert (await console.get("monitor", BASE))[0] == 403
    assert (await console.get("", BASE))[0] == 401
    status, _ = await post(console, f"{BASE}/TS2026-00001/lines", {"kind": "closed", "version": 1}, login="agent2")
    assert status == 403


async def test_the_document_describes_what_is_answered(console: ServedConsole) -> None:
    status, document = await get(console, f"{BASE}/openapi.json")
    assert status == 200
    OpenAPIV31SpecValidator(document).validate()
    assert set(document["paths"]) == {BASE, f"{BASE}/{{number}}", f"{BASE}/{{number}}/lines"}
    assert document["paths"][BASE]["post"]["parameters"][0]["name"] == "Idempotency-Key"
    await post(console, BASE, NEW, KEY)
    for path, told in ((BASE, f"{BASE}?limit=1"), (f"{BASE}/{{number}}", f"{BASE}/TS2026-00001")):
        schema = document["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        OAS31Validator({**schema, "components": document["components"]}).validate((await get(console, told))[1])
