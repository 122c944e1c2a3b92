"""``/api/v1/inquiries`` and ``/api/v1/orders`` over sockets: keys, versions, reach, bad input (A7, C10, I3)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest_asyncio
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from calls.ids import SectionId
from calls.people import Grant, Role
from storage.access import SqlAccessLog
from tests.integration.test_case_api import get, post
from tests.support_cases import local
from tests.support_console import LOGINS, ServedConsole, SetTime, Somebody, served

INQUIRY = SectionId("inquiry")
PEOPLE = (
    *LOGINS,
    Somebody("chief", "王主任", (Grant(Role.SUPERVISOR, INQUIRY),)),
    Somebody("fares", "票务处", (Grant(Role.DEPARTMENT, SectionId("fares")),)),
    Somebody("trains", "客运处", (Grant(Role.DEPARTMENT, SectionId("trains")),)),
)
CLOCK = SetTime(local("2026-11-23 10:00"))
INQUIRIES, ORDERS = "/api/v1/inquiries", "/api/v1/orders"
ASKED = {
    "asked_at": "2026-11-23T09:55:00+08:00",
    "category": "ticketing/refund/fee",
    "content": "退票手续费怎么算",
    "answer": "开车前八天以上不收",
    "contact": "13900139000",
}
PROMISE = {"department": "fares", "promise": "明天下班前给您回电", "due_at": "2026-11-24T18:00:00+08:00"}
ORDER = {"category": "ticketing/refund/fee", "content": "退票款没有到账", "contact": "13900139000", **PROMISE}
KEY = "crm-000001"
ONE = "GD2026-00001"


@pytest_asyncio.fixture
async def console(tmp_path: Path) -> AsyncIterator[ServedConsole]:
    CLOCK.moment = local("2026-11-23 10:00")
    async with served(tmp_path, people=PEOPLE, clock=CLOCK) as console:
        yield console


async def test_an_inquiry_is_filed_once_and_dispatched_after_all(console: ServedConsole) -> None:
    await get(console, INQUIRIES)  # signs in
    answers = await asyncio.gather(*(post(console, INQUIRIES, ASKED, KEY) for _ in range(3)))
    assert {(status, told["number"]) for status, told in answers} == {(201, "ZX2026-00001")}
    assert (await post(console, INQUIRIES, {**ASKED, "content": "别的"}, KEY))[0] == 409
    path = f"{INQUIRIES}/ZX2026-00001"
    status, order = await post(console, f"{path}/dispatch", PROMISE)
    assert (status, order["number"], order["origin"], order["state"]) == (201, ONE, "ZX2026-00001", "open")
    assert (await get(console, path))[1]["work_order"] == ONE
    assert (await post(console, f"{path}/dispatch", PROMISE))[0] == 409


async def test_what_one_call_cannot_finish_is_dispatched_at_once(console: ServedConsole) -> None:
    told = {**ASKED, "answer": "", "dispatch": {"promise": PROMISE["promise"], "due_at": PROMISE["due_at"]}}
    status, made = await post(console, INQUIRIES, told, KEY)
    assert status == 201 and made["work_order"] == ONE
    _, order = await get(console, f"{ORDERS}/{ONE}")
    assert order["department"] == "fares", "the one that the category names"
    assert (await get(console, f"{INQUIRIES}?dispatched=true"))[1]["inquiries"][0]["number"] == made["number"]
    assert (await get(console, f"{INQUIRIES}?dispatched=false"))[1]["inquiries"] == []


async def test_a_work_order_from_its_dispatch_to_the_answer(console: ServedConsole) -> None:
    await get(console, ORDERS)  # signs in
    answers = await asyncio.gather(*(post(console, ORDERS, ORDER, KEY) for _ in range(3)))
    assert {(status, told["number"]) for status, told in answers} == {(201, ONE)}
    assert (await post(console, ORDERS, {**ORDER, "content": "别的"}, KEY))[0] == 409
    path: list[tuple[str, str, dict[str, str]]] = [
        ("fares", "accepted", {}),
        ("fares", "done", {"result": "已退"}),
        ("chief", "answered", {"told": "已电话告知"}),
    ]
    for version, (login, kind, fields) in enumerate(path, 1):
        line = {"kind": kind, "version": version, "fields": fields}
        status, made = await post(console, f"{ORDERS}/{ONE}/lines", line, login=login)
        assert status == 201, made
    assert (made["state"], made["version"], made["kept"]) == ("answered", 4, True)
    assert [each["kind"] for each in made["history"]] == ["dispatched", "accepted", "done", "answered"]
    status, told = await post(console, f"{ORDERS}/{ONE}/lines", {"kind": "done", "version": 2})
    assert status == 422, "what is missing is said before who was faster"
    late = {"kind": "promised", "version": 2, "fields": {"promise": "后天", "due_at": "2026-11-25T12:00"}}
    status, told = await post(console, f"{ORDERS}/{ONE}/lines", late)
    assert status == 409 and told["version"] == 4
    assert (await get(console, f"{ORDERS}?open=true"))[1]["orders"] == []
    assert (await get(console, f"{ORDERS}?state=answered&text=退票"))[1]["orders"][0]["number"] == ONE


async def test_what_is_wrong_is_said(console: ServedConsole) -> None:
    for path, body, key, status in (
        (INQUIRIES, ASKED, "", 400),
        (INQUIRIES, {**ASKED, "answer": " "}, KEY, 422),
        (INQUIRIES, {**ASKED, "category": "ticketing"}, KEY, 422),
        (INQUIRIES, {**ASKED, "asked_at": "2027-01-01T00:00:00Z"}, KEY, 422),
        (INQUIRIES, {**ASKED, "more": 1}, KEY, 422),
        (INQUIRIES, {**ASKED, "content": "nul \0"}, KEY, 422),
        (INQUIRIES, {**ASKED, "section": "complaint"}, KEY, 403),
        (INQUIRIES, {**ASKED, "dispatch": {**PROMISE, "due_at": "2026-11-22T18:00:00+08:00"}}, KEY, 422),
        (ORDERS, ORDER, "short", 400),
        (ORDERS, {**ORDER, "contact": " "}, KEY, 422),
        (ORDERS, {**ORDER, "department": "nobody"}, KEY, 422),
        (ORDERS, {**ORDER, "section": "complaint"}, KEY, 403),
        (ORDERS, b"{", KEY, 422),
    ):
        found, told = await post(console, path, body, key)
        assert found == status and told["error"], (body, told)
    await post(console, ORDERS, ORDER, KEY)
    for line, fault in (
        ({"kind": "burnt", "version": 1}, {"field": "kind", "wrong": "unknown"}),
        (
            {"kind": "passed_on", "version": 1, "fields": {"department": "x", "why": "y"}},
            {"field": "department", "wrong": "unknown"},
        ),
        ({"kind": "promised", "version": 1, "fields": {"promise": "x"}}, {"field": "due_at", "wrong": "missing"}),
    ):
        status, told = await post(console, f"{ORDERS}/{ONE}/lines", line)
        assert status == 422 and fault in told["faults"], told
    for path in (f"{ORDERS}?limit=0", f"{ORDERS}?state=gone", f"{INQUIRIES}?since=gestern"):
        assert (await get(console, path))[0] == 400, path
    for path in (f"{ORDERS}/GD2026-00009", f"{INQUIRIES}/ZX2026-00009"):
        assert (await get(console, path))[0] == 404, path


async def test_nobody_reaches_further_than_on_the_pages(console: ServedConsole) -> None:
    await post(console, ORDERS, ORDER, KEY)
    await post(console, INQUIRIES, ASKED, KEY + "x")
    for login, status in (("fares", 200), ("trains", 404), ("agent2", 404), ("monitor", 403), ("", 401)):
        assert (await console.get(login, f"{ORDERS}/{ONE}"))[0] == status, login
    assert (await get(console, f"{INQUIRIES}/ZX2026-00001", "fares"))[0] == 404
    assert (await get(console, ORDERS, "trains"))[1]["orders"] == []
    line: dict[str, Any] = {"kind": "cancelled", "version": 1, "fields": {"why": "重复"}}
    assert (await post(console, f"{ORDERS}/{ONE}/lines", line, login="fares"))[0] == 403
    assert (await post(console, f"{ORDERS}/{ONE}/lines", line, login="trains"))[0] == 404
    assert (await post(console, ORDERS, ORDER, KEY, "fares"))[0] == 403
    entries = await SqlAccessLog(console.engine, CLOCK).entries(actor="fares")
    assert {entry.access.kind.value for entry in entries} >= {"read_case"}


async def test_the_document_describes_what_is_answered(console: ServedConsole) -> None:
    status, document = await get(console, f"{ORDERS}/openapi.json")
    assert status == 200
    OpenAPIV31SpecValidator(document).validate()
    await post(console, ORDERS, ORDER, KEY)
    await post(console, INQUIRIES, ASKED, KEY + "x")
    CLOCK.moment += timedelta(minutes=1)
    for path, told in (
        (ORDERS, f"{ORDERS}?limit=1"),
        (f"{ORDERS}/{{number}}", f"{ORDERS}/{ONE}"),
        (INQUIRIES, INQUIRIES),
        (f"{INQUIRIES}/{{number}}", f"{INQUIRIES}/ZX2026-00001"),
    ):
        schema = document["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        OAS31Validator({**schema, "components": document["components"]}).validate((await get(console, told))[1])
