"""Pages of complaints, inquiries and work orders over real sockets: the whole path, nothing typed is lost."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest_asyncio

from calls.callbacks import NewCallback, Origin
from calls.cases import CaseNumber, Login
from calls.ids import CallId, Language, SectionId
from calls.people import Grant, Role
from storage.access import SqlAccessLog
from storage.callbacks import SqlCallbacks
from storage.case_drafts import SqlDrafts
from storage.cases import SqlCases
from tests.support_cases import CLOCKS, SHANGHAI, local
from tests.support_cases import registered as by_telephone
from tests.support_console import LOGINS, ServedConsole, SetTime, Somebody, served

COMPLAINT = SectionId("complaint")
ZH = Language("zh-CN")
PEOPLE = (
    *LOGINS,
    Somebody("chief", "王主任", (Grant(Role.SUPERVISOR, COMPLAINT),)),
    Somebody("deputy", "孙副主任", (Grant(Role.SUPERVISOR, COMPLAINT),)),
    Somebody("worker", "赵师傅", (Grant(Role.DEPARTMENT, SectionId("stations")),)),
)
CLOCK = SetTime(local("2026-11-23 10:00"))
FORM = {
    "draft": "d1",
    "form": "complaint",
    "channel": "counter",
    "arrived_at": "2026-11-23T09:58",
    "section": "complaint",
    "name": "张三",
    "contact": "138 0013 8000",
    "place": "西站",
    "content": "自动扶梯停了三天\r\n没人修",
    "type": "facilities",
    "cause": "equipment_fault",
    "urgency": "urgent",
    "importance": "ordinary",
}
ONE = CaseNumber("TS2026-00001")


_TOLD: list[tuple[str, str, dict[str, str]]] = [
    ("chief", "forwarded", {"department": "stations"}),
    ("worker", "opinion", {"opinion": "三日内更换"}),
    ("chief", "approved", {}),
    ("worker", "done", {}),
    ("worker", "reported", {"result": "已更换"}),
    ("agent2", "fed_back", {"told": "微信告知"}),
]
"""Up to the complainant's being told."""


@pytest_asyncio.fixture
async def console(tmp_path: Path) -> AsyncIterator[ServedConsole]:
    CLOCK.moment = local("2026-11-23 10:00")
    async with served(tmp_path, people=PEOPLE, clock=CLOCK) as console:
        yield console


async def registered(console: ServedConsole) -> None:
    assert await console.post("agent2", "/cases/new", FORM) == (303, f"/cases/{ONE}")


async def write(console: ServedConsole, login: str, kind: str, version: int, **fields: str) -> tuple[int, str]:
    CLOCK.moment += timedelta(minutes=1)
    return await console.post(login, f"/cases/{ONE}/{kind}", {"version": str(version), **fields})


async def test_a_complaint_from_the_counter_to_its_summary_and_worked_again_in_between(
    console: ServedConsole,
) -> None:
    await registered(console)
    status, page = await console.get("chief", f"/cases/{ONE}")
    assert status == 200 and "已登记，待转办" in page and "自动扶梯停了三天" in page and "设备故障" in page
    assert "2026-11-24 24:00" in page, "when the step is due, as people say it"
    assert "李建国 <small>agent2</small>" in page, "who registered it, by name"
    again = [("chief", "forwarded", {"department": "stations"})]
    path = []
    for n in range(2):
        path += again
        path += [
            ("worker", "opinion", {"opinion": "知道了"}),
            ("chief", "returned", {"why": "没有措施"}),
            ("worker", "opinion", {"opinion": "三日内更换", "done_by": "2026-11-26T12:00"}),
            ("chief", "approved", {}),
            ("worker", "done", {}),
            ("worker", "reported", {"result": "已更换"}),
            ("agent2", "fed_back", {"told": "电话告知"}),
            ("agent2", "asked", {"answer": "satisfied" if n else "dissatisfied", "words": "又坏了"}),
        ]
        again = [("agent2", "again", {"department": "stations", "why": "又坏了"})]
    path.append(("chief", "closed", {"measures": "更换电机", "prevention": "每月巡检"}))
    for version, (login, kind, fields) in enumerate(path, 1):
        assert await write(console, login, kind, version, **fields) == (303, f"/cases/{ONE}"), kind
        if kind == "fed_back":
            _, page = await console.get("agent2", f"/cases/{ONE}")
            assert "正在列入回拨列表" in page
    status, page = await console.get("chief", f"/cases/{ONE}")
    assert status == 200 and "已结案" in page and "每月巡检" in page and page.count("按期完成") >= 10
    status, page = await console.get("worker", f"/cases/{ONE}?lang=en")
    assert status == 200 and "closed" in page and "done in time" not in page and "opinion returned" in page


async def test_the_page_says_who_is_called_back_and_who_cannot_be(console: ServedConsole) -> None:
    assert (await console.post("agent2", "/cases/new", FORM | {"contact": "微信 zhang3"}))[0] == 303
    for version, (login, kind, fields) in enumerate(_TOLD, 1):
        assert (await write(console, login, kind, version, **fields))[0] == 303, kind
    _, page = await console.get("agent2", f"/cases/{ONE}")
    assert "没有列入回拨列表" in page
    listed = SqlCallbacks(console.engine)
    moment = CLOCK.now() + timedelta(days=1)
    new = NewCallback(
        origin=Origin.FOLLOW_UP,
        about=f"{ONE}/7",
        telephone="13800138000",
        language=Language("zh-CN"),
        due_at=moment,
        place=moment,
        case_id=ONE,
    )
    made = await listed.enlist(new, CLOCK.now())
    _, page = await console.get("agent2", f"/cases/{ONE}")
    assert "没有列入回拨列表" not in page and f"/callbacks/{made.number}" in page and "待回拨" in page
    await listed.move(made, made.withdrawn("case:followed_up", CLOCK.now()), "service", "")
    _, page = await console.get("agent2", f"/cases/{ONE}?lang=en")
    assert "withdrawn: the case is now" in page


async def test_what_is_missing_is_said_and_what_was_typed_comes_back(console: ServedConsole) -> None:
    wrong = {**FORM, "name": "", "place": " ", "arrived_at": "2026-11-24T09:00", "content": "写了很多" * 20}
    status, page = await console.post("agent2", "/cases/new", wrong)
    assert status == 422 and page.count("请填写") == 2 and "时间不能晚于现在" in page
    assert "写了很多" * 20 in page and 'value="138 0013 8000"' in page and 'value="2026-11-24T09:00"' in page
    status, page = await console.post(
        "agent2", "/cases/new", {**FORM, "type": "nonsense", "arrived_at": "gestern"}
    )
    assert status == 422 and page.count("没有这个选项或无法识别") == 2 and 'value="张三"' in page
    await registered(console)
    status, page = await write(console, "chief", "closed", 1, measures="想得太早", prevention="")
    assert status == 422 and "想得太早" in page, "the form is not offered now: the words are shown to be kept"
    status, page = await write(console, "chief", "forwarded", 1, department="", why="请尽快")
    assert status == 422 and "请尽快" in page and "请填写" in page


async def test_two_who_write_at_once_lose_nothing(console: ServedConsole) -> None:
    await registered(console)
    assert (await write(console, "chief", "forwarded", 1, department="stations"))[0] == 303
    status, page = await write(
        console, "agent2", "corrected", 1, name="张三", place="东站三号口", content="听错了", contact="1"
    )
    assert status == 409 and "东站三号口" in page and "其他人更新了" in page and "history" in page
    assert re.search(r'class="new".*?转办', page, re.DOTALL), "the other's line is marked"
    assert (await write(console, "agent2", "note", 1, text="两边的备注"))[0] == 303, "notes exclude nobody"
    status, page = await write(console, "chief", "forwarded", 3, department="trains", why="我也要转")
    assert status == 409 and "我也要转" in page


async def test_who_sees_and_does_what(console: ServedConsole) -> None:
    await registered(console)
    for login, status in (
        ("agent", 404),
        ("supervisor", 404),
        ("worker", 404),
        ("chief", 200),
        ("monitor", 403),
        ("ops", 403),
    ):
        assert (await console.get(login, f"/cases/{ONE}"))[0] == status, login
    for path in ("/cases/TS2026-99999", "/cases/TS-1", "/orders/GD2026-00001", "/inquiries/ZX2026-00001"):
        assert (await console.get("chief", path))[0] == 404, path
    assert (await write(console, "agent2", "approved", 1))[0] == 403
    assert (await write(console, "chief", "nonsense", 1))[0] == 404
    assert (await console.post("agent", "/cases/new", {**FORM, "draft": "x"}))[0] == 403
    entries = await SqlAccessLog(console.engine, CLOCK).entries(actor="chief")
    assert [entry.access.kind for entry in entries][-1] == "read_case" and str(ONE) in entries[-1].access.reason


async def test_lists_inbox_and_search(console: ServedConsole) -> None:
    await registered(console)
    for path, found in (
        ("/cases", True),
        ("/cases?text=扶梯", True),
        ("/cases?text=13800138000", True),
        ("/cases?state=closed", False),
        ("/cases?department=-", True),
        ("/cases?late=1", False),
        ("/cases?type=safety", False),
        ("/cases?since=2026-11-01&until=2026-12-01&state=all&cause=equipment_fault", True),
    ):
        status, page = await console.get("chief", path)
        assert status == 200 and (str(ONE) in page) is found, path
    assert (await console.get("chief", f"/cases?text={'长' * 300}"))[0] == 400
    status, page = await console.get("agent2", "/inbox")
    assert status == 200 and str(ONE) in page
    await write(console, "chief", "forwarded", 1, department="stations")
    status, page = await console.get("worker", "/inbox")
    assert status == 200 and str(ONE) in page and "客运服务部" in page
    CLOCK.moment = local("2026-11-30 10:00")
    status, page = await console.get("deputy", "/cases")
    assert "已超期 3 天 10 小时" in page


ORDER = {
    "draft": "o1",
    "form": "order",
    "section": "complaint",
    "category": "ticketing/refund/fee",
    "contact": "13900139000",
    "content": "退票款没有到账",
    "promise": "明天下班前给您回电",
}


async def test_a_work_order_without_an_inquiry(console: ServedConsole) -> None:
    await registered(console)
    _, page = await console.get("agent2", f"/cases/{ONE}")
    assert f"/orders/new?origin={ONE}" in page
    _, page = await console.get("agent2", f"/orders/new?origin={ONE}&section=complaint")
    assert f'value="{ONE}"' in page and "向来电人的承诺" in page
    status, page = await console.post("agent2", "/orders/new", ORDER | {"promise": "", "origin": "TS2026-00009"})
    assert status == 422 and "请填写" in page and "退票款没有到账" in page and "没有这个选项" in page
    assert (await console.post("agent", "/orders/new", ORDER))[0] == 403
    for _ in range(2):  # sent twice, it is one
        status, location = await console.post("agent2", "/orders/new", ORDER | {"origin": ONE})
        assert (status, location) == (303, "/orders/GD2026-00001")
    status, page = await console.post("agent2", "/orders/new", ORDER | {"content": "别的"})
    assert status == 409 and "已经提交过" in page and "别的" in page
    _, page = await console.get("agent2", "/orders/GD2026-00001")
    assert f'href="/cases/{ONE}"' in page and "票务" in page and 'action="/files/of/GD2026-00001"' in page
    assert await SqlDrafts(console.engine).mine(Login("agent2")) == []


async def test_hand_over_is_offered_and_accepted(console: ServedConsole) -> None:
    await registered(console)
    _, page = await console.get("agent2", f"/cases/{ONE}")
    offered = re.findall(r'<option value="(\w+)"[^>]*>[^<]*\(\1\)</option>', page)
    assert {"chief", "deputy"} <= set(offered), "who works on complaints, by name"
    assert "王主任 (chief)" in page and not {"agent2", "worker", "agent", "monitor"} & set(offered)
    for somebody in ("nobody", "worker", "agent"):
        status, page = await write(console, "agent2", "offered", 1, to=somebody, why="下班")
        assert status == 422 and "此人不能承接" in page and "下班" in page, somebody
    assert (await write(console, "agent2", "offered", 1, to="chief", why="下班"))[0] == 303
    assert str(ONE) in (await console.get("chief", "/inbox"))[1]
    assert (await write(console, "chief", "accepted", 2))[0] == 303
    cases = SqlCases(console.engine, SHANGHAI, CLOCKS)
    assert (await cases.case(ONE)).owner == "chief"


async def test_drafts_are_kept_by_themselves_and_come_back(console: ServedConsole) -> None:
    half = {"draft": "d7", "form": "complaint", "content": "写到一半", "name": "李"}
    client = await console.client("agent2")
    headers = {"Origin": console.url, "X-CSRF-Token": console.token(client), "HX-Request": "true"}
    async with client.post(f"{console.url}/drafts", data=half, headers=headers) as answer:
        assert answer.status == 200 and "草稿已于" in await answer.text()
    status, page = await console.get("agent2", "/cases/new")
    assert status == 200 and "写到一半" in page and "draft=d7" in page
    status, page = await console.get("agent2", "/cases/new?draft=d7")
    assert "写到一半</textarea>" in page
    assert "写到一半" not in (await console.get("chief", "/cases/new?draft=d7"))[1]
    assert await console.post("agent2", "/cases/new", {**FORM, "draft": "d7"}) == (303, f"/cases/{ONE}")
    assert await SqlDrafts(console.engine).mine(Login("agent2")) == []
    assert await console.post("agent2", "/cases/new", {**FORM, "draft": "d7"}) == (303, f"/cases/{ONE}"), (
        "sent twice"
    )


async def test_an_inquiry_is_answered_or_dispatched_and_the_promise_is_kept(console: ServedConsole) -> None:
    form = {
        "draft": "i1",
        "form": "inquiry",
        "channel": "counter",
        "arrived_at": "2026-11-23T09:55",
        "section": "inquiry",
    }
    form |= {"category": "ticketing/refund/fee", "content": "退票费", "contact": "13900139000", "name": "王"}
    status, page = await console.post("agent", "/inquiries/new", form)
    assert status == 422 and "请填写" in page and "退票费" in page
    done = {**form, "answer": "不收"}
    assert await console.post("agent", "/inquiries/new", done) == (303, "/inquiries/ZX2026-00001")
    later = {"dispatch": "1", "promise": "明天回电"}
    assert await console.post("agent", "/inquiries/ZX2026-00001/dispatch", later) == (303, "/orders/GD2026-00001")
    status, page = await console.get("agent", "/orders/GD2026-00001")
    assert status == 200 and "明天回电" in page and "票务部" in page and "2026-11-26 10:00" in page
    for version, (kind, fields) in enumerate(
        (("accepted", {}), ("done", {"result": "已退"}), ("answered", {"told": "已电话告知"})), 1
    ):
        answer = await console.post(
            "supervisor", f"/orders/GD2026-00001/{kind}", {"version": str(version), **fields}
        )
        assert answer == (303, "/orders/GD2026-00001"), kind
    assert "承诺已兑现" in (await console.get("agent", "/orders/GD2026-00001"))[1]
    assert (await console.post("supervisor", "/orders/GD2026-00001/done", {"version": "4", "result": "再来"}))[
        0
    ] == 409
    straight = {**form, "draft": "i2", "dispatch": "1", "promise": "三天内", "due_at": "2026-11-20T10:00"}
    status, page = await console.post("agent", "/inquiries/new", straight)
    assert status == 422 and "时间必须晚于现在" in page and "三天内" in page
    for path in ("/inquiries", "/inquiries?dispatched=yes&text=退票", "/orders?state=all", "/inquiries/new"):
        assert (await console.get("agent", path))[0] == 200, path


async def test_numbers_of_k4_and_k7_open_to_the_cases_behind_them(console: ServedConsole) -> None:
    await registered(console)
    await write(console, "chief", "forwarded", 1, department="stations")
    filed = {**FORM, "form": "inquiry", "draft": "i1", "category": "travel/lost", "answer": "在失物招领处"}
    status, inquiry = await console.post("chief", "/inquiries/new", filed)
    assert status == 303
    _, page = await console.get("chief", "/figures?period=2026-11&section=complaint")
    links = {
        re.search(r"kpi=(\w+)", link)[1]: link.replace("&amp;", "&")  # type: ignore[index]
        for link in re.findall(r'href="(/cases/counted\?[^"]+side=denominator[^"]+)"', page)
    }
    assert set(links) == {"K4", "K7t"}
    for kpi, behind in (("K4", inquiry), ("K7t", f"/cases/{ONE}")):
        status, listed = await console.get("chief", links[kpi])
        assert status == 200 and f'href="{behind}"' in listed, kpi
        assert behind not in (await console.get("agent", links[kpi]))[1], "nothing of another section"
    _, page = await console.get("lead", "/figures?period=2026-11&section=complaint")
    assert links["K4"].replace("&", "&amp;") in page, "who must trust the figure sees what it counts"
    for kpi, behind in (("K4", inquiry), ("K7t", f"/cases/{ONE}")):
        status, listed = await console.get("lead", links[kpi])
        assert status == 200 and behind.rpartition("/")[2] in listed and "不含姓名和内容" in listed, kpi
        assert f'href="{behind}"' not in listed and (await console.get("lead", behind))[0] == 403
        assert not re.search("13800138000|138\\*{4}|自动扶梯|失物招领", listed)
        status, listed = await console.get("monitor", links[kpi])
        assert status == 200 and behind.rpartition("/")[2] not in listed, "of another section"
    _, page = await console.get("ops", "/figures?period=2026-11")
    assert "您的角色只能查看数值" in page and "/counted?" not in page
    for strange in ("", "?kpi=K1&period=2026-11", "?kpi=K7t", "?kpi=K7t&period=x", "?kpi=K5&period=2026-11"):
        assert (await console.get("chief", f"/cases/counted{strange}"))[0] == 404, strange


async def test_promises_kept_open_to_the_call_backs_behind_them(console: ServedConsole) -> None:
    due = CLOCK.moment + timedelta(hours=1)
    owed = await SqlCallbacks(console.engine).enlist(
        NewCallback(
            origin=Origin.PROMISE,
            about="1.1",
            telephone="13800138000",
            language=ZH,
            due_at=due,
            place=CLOCK.moment,
            section=COMPLAINT,
            call_id=CallId("1.1"),
        ),
        CLOCK.moment,
    )
    _, page = await console.get("chief", "/figures?period=2026-11&section=complaint")
    (link,) = re.findall(r'href="(/callbacks/counted\?[^"]+)"', page)
    status, listed = await console.get("chief", link.replace("&amp;", "&"))
    assert status == 200 and f'href="/callbacks/{owed.number}"' in listed and "138****8000" in listed
    status, listed = await console.get("agent", link.replace("&amp;", "&"))
    assert status == 200 and f'href="/callbacks/{owed.number}"' not in listed, "of another section"
    status, listed = await console.get("lead", link.replace("&amp;", "&"))
    assert status == 200 and "138****8000" in listed and f'href="/callbacks/{owed.number}"' not in listed
    assert f'<th scope="row">{owed.number}</th>' in listed
    for strange in ("", "?kpi=K7t&period=2026-11", "?kpi=PK"):
        assert (await console.get("chief", f"/callbacks/counted{strange}"))[0] == 404, strange


async def test_months_of_the_trend_open_to_their_cases(console: ServedConsole) -> None:
    cases = SqlCases(console.engine, SHANGHAI, CLOCKS)
    await cases.register(by_telephone(local("2026-11-30 23:30")), "k1")
    await cases.register(by_telephone(local("2026-12-01 00:30")), "k2")
    CLOCK.moment = local("2027-01-02 10:00")
    _, page = await console.get("chief", "/cases/figures?period=2026-12")
    link = "/cases?since=2026-11-01&until=2026-12-01&state=all"
    assert f'<a href="{link.replace("&", "&amp;")}">1</a>' in page
    _, listed = await console.get("chief", link)
    assert str(ONE) in listed and "TS2026-00002" not in listed


async def test_figures_open_to_their_cases_and_leave_as_files(console: ServedConsole) -> None:
    await registered(console)
    for path in ("/cases/figures", "/cases/figures?period=2026-Q4", "/cases/figures?period=2026"):
        status, page = await console.get("chief", path)
        assert status == 200 and "投诉" in page, path
    status, page = await console.get("chief", "/cases/figures?period=2026-11")
    links = re.findall(r'href="(/cases\?[^"]+)"', page)
    assert any("type=facilities" in link for link in links) and any(
        "cause=equipment_fault" in link for link in links
    )
    for link in links[:6]:
        status, listed = await console.get("chief", link.replace("&amp;", "&"))
        assert status == 200 and (str(ONE) in listed or "again=1" in link or "late=1" in link), link
    assert (await console.get("chief", "/cases/figures?period=2030-01"))[0] == 400
    assert (await console.get("chief", "/cases/figures/file?period=2026-11&format=html"))[0] == 200
    client = await console.client("chief")
    async with client.get(f"{console.url}/cases/figures/file?period=2026-11&format=xlsx") as answer:
        assert answer.status == 200 and (await answer.read())[:2] == b"PK"
    assert (await console.get("agent2", "/cases/figures/file"))[0] == 403
