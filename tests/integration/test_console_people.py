"""People, rights and the access log, as administrators keep them (P1, P4)."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import pytest_asyncio

from calls.accounts import Account
from calls.custody import Access, AccessKind, Leg
from calls.ids import CallId, SectionId
from calls.people import Grant, Person, Role
from console.refusals import Refusals
from storage.access import SqlAccessLog
from storage.ledger import SqlLedger
from tests.support_console import PASSWORD, ServedConsole, SetTime, served
from tests.support_ledger import CALLER, story

T0 = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
CALL = CallId("1.1")
REFUSED = AccessKind.REFUSED


@pytest_asyncio.fixture(params=["sqlite", "postgresql"])
async def console(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[ServedConsole]:
    async with served(tmp_path, kind=request.param, clock=SetTime(T0)) as console:
        yield console


async def noted(console: ServedConsole, kind: AccessKind = AccessKind.PEOPLE) -> list[str]:
    """What is on record of the administrator's doings."""
    log = SqlAccessLog(console.engine, console.parts.clock)
    return [entry.access.reason for entry in await log.entries(actor="admin") if entry.access.kind is kind]


def secret_in(text: str) -> str:
    found = re.search(r'<code class="secret">([^<]+)</code>', text)
    assert found, text
    return found[1]


async def test_somebody_new_is_added_and_chooses_a_password(console: ServedConsole) -> None:
    form = {"login": "Chen.Yu", "name": "陈宇 <b>", "agent": "3001", "grant": "monitor:inquiry"}
    status, text = await console.post("admin", "/people/new", form)
    assert status == 200
    assert "陈宇 &lt;b&gt;" in text
    password = secret_in(text)
    assert password not in (await console.get("admin", "/people/chen.yu"))[1], "shown once"
    assert "chen.yu" in (await console.get("admin", "/people?role=monitor"))[1]
    assert "chen.yu" not in (await console.get("admin", "/people?role=ops"))[1]

    client = await console.client()
    await console.sign_in(client, "chen.yu", password)
    async with client.get(f"{console.url}/board") as answer:
        assert answer.url.path == "/account/password"
    assert await noted(console) == ["chen.yu added: monitor:inquiry"]


@pytest.mark.parametrize(
    ("form", "says"),
    [
        ({"login": "monitor", "name": "x"}, "已被使用"),
        ({"login": "new", "name": "x", "agent": "1001"}, "已被使用"),
        ({"login": "new", "name": "x", "agent": "7777"}, "没有这个工号"),
        ({"login": "new", "name": ""}, "请填写姓名"),
        ({"login": "x" * 41, "name": "x"}, "用户名须为"),
        ({"login": "../x", "name": "x"}, "用户名须为"),
    ],
)
async def test_what_cannot_be_added_says_why(console: ServedConsole, form: dict[str, str], says: str) -> None:
    status, text = await console.post("admin", "/people/new", form)
    assert status == 400
    assert says in text
    assert await noted(console) == []


async def test_roles_are_given_for_sections_and_end_the_session(console: ServedConsole) -> None:
    assert (await console.get("monitor", "/account"))[0] == 200
    for told, kept in (
        ("lead", Grant(Role.LEAD)),
        ("supervisor:complaint", Grant(Role.SUPERVISOR, SectionId("complaint"))),
    ):
        assert await console.post("admin", "/people/monitor/roles", {"grant": told}) == (303, "/people/monitor")
        account = await console.parts.doorkeeper.people.find("monitor")
        assert account
        assert account.grants == (kept,)
    assert (await console.get("monitor", "/account"))[0] == 303
    for nonsense in ("king", "lead:nowhere", "department", "department:nowhere", "\u0000"):
        await console.post("admin", "/people/monitor/roles", {"grant": nonsense})
        account = await console.parts.doorkeeper.people.find("monitor")
        assert account
        assert account.grants == ()
    assert (await noted(console))[:2] == ["monitor: lead", "monitor: supervisor:complaint"]


async def test_nobody_changes_their_own_roles(console: ServedConsole) -> None:
    for act in ("roles", "password", "code/off", "disable", "enable", "sessions/end"):
        assert (await console.post("admin", f"/people/admin/{act}", {"grant": "lead"}))[0] == 409, act
    assert await noted(console) == []


async def test_one_administrator_remains(console: ServedConsole) -> None:
    await console.post("admin", "/people/ops/roles", {"grant": "admin"})
    assert (await console.post("ops", "/people/admin/disable"))[0] == 303
    people = console.parts.doorkeeper.people
    with pytest.raises(Exception, match="last administrator"):
        await people.regrant("ops", [], Access("x", AccessKind.PEOPLE, "x"))
    with pytest.raises(Exception, match="last administrator"):
        await people.disable("ops", Access("x", AccessKind.PEOPLE, "x"))


async def test_disable_enable_password_sessions(console: ServedConsole) -> None:
    await console.client("monitor")
    assert (await console.post("admin", "/people/monitor/sessions/end"))[0] == 303
    assert (await console.get("monitor", "/account"))[0] == 303
    assert (await console.post("admin", "/people/monitor/disable"))[0] == 303
    assert "已停用" in (await console.get("admin", "/people/monitor"))[1]
    assert (await console.post("admin", "/people/monitor/enable"))[0] == 303
    status, text = await console.post("admin", "/people/monitor/password")
    assert status == 200
    client = await console.client()
    async with console.form(client, "/login", {"login": "monitor", "password": PASSWORD}) as answer:
        assert answer.status in (401, 403)
    await console.sign_in(client, "monitor", secret_in(text))
    assert (await console.post("admin", "/people/monitor/name", {"name": "张敏敏", "agent": ""}))[0] == 303
    assert (await console.post("admin", "/people/monitor/name", {"name": "张", "agent": "1001"}))[0] == 400
    assert "张敏敏" in (await console.get("admin", "/people"))[1]


async def test_a_token_is_made_and_revoked(console: ServedConsole) -> None:
    wrong = {"token_name": "报表", "days": "30", "right": "keep_people"}
    assert (await console.post("admin", "/people/monitor/tokens", wrong))[0] == 400, "more than its owner may"
    form = {"token_name": "报表", "days": "30", "right": "see_figures"}
    status, text = await console.post("admin", "/people/monitor/tokens", form)
    assert status == 200
    headers = {"Authorization": f"Bearer {secret_in(text)}"}
    client = await console.client()
    async with client.get(f"{console.url}/api/v1/kpi/catalogue", headers=headers) as answer:
        assert answer.status == 200
    assert (await console.post("admin", "/people/lead/tokens/1/revoke"))[0] == 404, "not hers"
    assert (await console.post("admin", "/people/monitor/tokens/1/revoke"))[0] == 303
    async with client.get(f"{console.url}/api/v1/kpi/catalogue", headers=headers) as answer:
        assert answer.status == 401


async def test_who_saw_what_of_this_caller(console: ServedConsole) -> None:
    """P4, one question: every call of a number, whoever looked at it; and the question is on record."""
    await SqlLedger(console.engine).record(story("1.1", start=T0, asked=1, ended=30))
    log = SqlAccessLog(console.engine, console.parts.clock)
    await log.note(Access("monitor", AccessKind.LISTEN, "console", CALL, Leg.MIXED))
    await log.note(Access("lead", AccessKind.READ, "<script>alert(1)</script>", CallId("9.9")))
    await log.note(Access("supervisor", AccessKind.READ_CASE, "TS2026-00007"))
    await log.note(Access("supervisor", AccessKind.READ_CASE, "TS2026-000071"))

    status, text = await console.post("admin", "/access-log", {"caller": CALLER})
    assert status == 200
    table = text.split("<tbody>")[1]
    assert "听取脱敏录音" in table
    assert "1.1" in table
    assert "9.9" not in table
    assert CALLER not in table
    assert await noted(console, AccessKind.SEE_LOG) == [f"caller …{CALLER[-4:]}"]

    assert await console.post("admin", "/access-log", {"actor": "lead"}) == (303, "/access-log?actor=lead")
    text = (await console.get("admin", "/access-log?actor=lead&kind=read"))[1]
    assert "陈静 <small>lead</small>" in text, "who it was, by name"
    assert "9.9" in text
    assert "<script>alert" not in text
    table = (await console.get("admin", "/access-log?case=ts2026-00007"))[1].split("<tbody>")[1]
    assert "TS2026-00007<" in table
    assert "TS2026-000071" not in table
    assert "1.1" in (await console.get("admin", "/access-log?since=2026-11-24&until=2026-11-24&call=1.1"))[1]
    assert "没有符合条件" in (await console.get("admin", "/access-log?until=2026-11-23"))[1]
    assert (await console.get("admin", "/access-log?since=yesterday"))[0] == 400
    for hostile in ("%00", "'%22%3B--", "%25_", "x" * 5000):
        for name in ("call", "case", "actor", "kind", "before"):
            assert (await console.get("admin", f"/access-log?{name}={hostile}"))[0] == 200


async def test_the_log_is_read_page_by_page(console: ServedConsole) -> None:
    log = SqlAccessLog(console.engine, console.parts.clock)
    for number in range(120):
        await log.note(Access("monitor", AccessKind.READ, f"line {number}.", CALL))
    seen: list[str] = []
    path = "/access-log?actor=monitor"
    for _ in range(5):
        text = (await console.get("admin", path))[1]
        seen += re.findall(r"line (\d+)\.", text)
        following = re.search(r'href="(/access-log[^"]*before=[^"]*)"[^>]*rel="next"', text)
        if not following:
            break
        path = following[1].replace("&amp;", "&")
    assert seen == [str(number) for number in reversed(range(120))]


async def test_a_long_list_of_people_is_read_page_by_page(console: ServedConsole) -> None:
    for number in range(60):
        account = Account(login=f"p{number:03}", name="x", created_at=T0)
        await console.parts.doorkeeper.people.add(account, Access("x", AccessKind.PEOPLE, "x"))
    text = (await console.get("admin", "/people"))[1]
    following = re.search(r'href="(/people\?after=[^"]*)"', text)
    assert following
    first = set(re.findall(r'href="/people/([\w.]+)">', text))
    second = set(re.findall(r'href="/people/([\w.]+)">', (await console.get("admin", following[1]))[1]))
    assert not first & second - {"new"}
    assert len(first | second - {"new"}) >= 68


# ── Refusals ─────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_refusals_are_on_record_and_found_and_tell_nothing_of_callers(console: ServedConsole) -> None:
    for login, path in (
        ("monitor", "/people?text=13800138000"),
        ("monitor", "/cases/TS2026-00001?name=13800138000"),
        ("ops", f"/calls/{CALL}"),
        ("agent", "/access-log?caller=13800138000"),
    ):
        assert (await console.get(login, path))[0] == 403
    assert (await console.post("monitor", "/people/new", {"name": "13800138000"}))[0] == 403
    assert (await console.get("agent2", "/calls/1.404"))[0] == 404
    log = SqlAccessLog(console.engine, console.parts.clock)
    refused = [entry.access for entry in await log.entries() if entry.access.kind is AccessKind.REFUSED]
    assert [(each.actor, each.reason, each.call_id) for each in refused] == [
        ("monitor", "GET /people", None),
        ("monitor", "TS2026-00001 GET /cases/{number}", None),
        ("ops", "GET /calls/{call_id}", CALL),
        ("agent", "GET /access-log", None),
        ("monitor", "POST /people/new", None),
    ]
    assert (await log.verify()).whole
    _, page = await console.get("admin", "/access-log?kind=refused")
    assert page.count("<td>被拒绝访问</td>") == 5 and "13800138000" not in page
    _, page = await console.get("admin", "/access-log?case=TS2026-00001")
    assert "GET /cases/{number}" in page and "POST /people/new" not in page


async def test_who_asks_over_and_over_fills_no_log(console: ServedConsole) -> None:
    seconds = 0.0
    refusals = Refusals(console.parts.accesses, lambda: seconds)
    one, other = Person("monitor", "M", ()), Person("agent", "A", ())
    for _ in range(100):
        await refusals.note(one, "GET", "/people", {})
    await refusals.note(other, "GET", "/people", {})
    seconds = 61.0
    await refusals.note(one, "GET", "/people", {})
    log = SqlAccessLog(console.engine, console.parts.clock)
    told = [(each.access.actor, each.access.reason) for each in await log.entries() if each.access.kind is REFUSED]
    assert told[:20] == [("monitor", "GET /people")] * 20
    assert told[20:] == [("agent", "GET /people"), ("monitor", "GET /people (80 more not listed)")]
