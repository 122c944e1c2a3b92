"""An agent's desk behind the real gate: its line over real sockets, an agent's path in a real browser."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, Route, expect
from sqlalchemy import func, select

from calls.callbacks import CallbackState
from calls.custody import AccessKind
from calls.errors import StorageUnavailable
from calls.ids import CallId
from calls.live import told_reason
from storage.access import SqlAccessLog
from storage.case_tables import cases, inquiries
from storage.desk_books import SqlDeskBooks
from storage.desk_tables import desk_filings, desk_notes
from tests.support_axe import turned_over, violations
from tests.support_centre import within
from tests.support_chromium import chromium
from tests.support_console import ServedConsole, TimeNow, complaints, served
from tests.support_desk import ANNE, CALLER, DeskStage
from tests.support_ports import free_port
from tests.support_prepared import prepared

pytestmark = pytest.mark.asyncio(loop_scope="module")  # one browser for all of them

MASKED = "139****1234"


class Scene:
    """A served desk, and what plays around it."""

    def __init__(self, console: ServedConsole, stage: DeskStage) -> None:
        self.console = console
        self.stage = stage
        self.happen = stage.happen
        self.call = stage.call
        self.books = SqlDeskBooks(console.engine)

    @contextlib.asynccontextmanager
    async def line(self, login: str = "agent") -> AsyncIterator[Callable[[], Any]]:
        """A desk's line; call what it gives for the next desk that is told."""
        client = await self.console.client(login)
        async with client.get(f"{self.console.url}/desk/events") as answer:
            assert answer.status == 200

            async def told() -> Any:
                async with asyncio.timeout(180):
                    while True:
                        text = (await answer.content.readline()).decode()
                        if text.startswith("data: "):
                            return json.loads(text.removeprefix("data: "))

            yield told

    async def page(self, browser: Browser, path: str = "/desk", login: str = "agent") -> tuple[Page, list[str]]:
        page = await self.console.page(browser, login, path)
        heard = complaints(page)
        await expect(page.locator("#state")).not_to_have_text("–")
        return page, heard

    async def count(self, table: Any) -> int:
        async with self.console.engine.connect() as connection:
            return int((await connection.execute(select(func.count()).select_from(table))).scalar_one())


@pytest_asyncio.fixture(loop_scope="module")
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    clock = TimeNow()
    stage = DeskStage(clock)
    async with served(tmp_path, clock=clock, areas=stage.areas) as console:
        running = asyncio.create_task(stage.pop.run())
        yield Scene(console, stage)
        stage.pop.close()
        running.cancel()
        await asyncio.wait({running})


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as browser:
        yield browser


# ── The line, over real sockets ──────────────────────────────────────────────────────────────────────────────────


async def test_a_call_pops_up_on_the_desk_of_the_telephone_that_rings_and_on_no_other(scene: Scene) -> None:
    async with scene.line("agent") as anne, scene.line("agent2") as bo:
        assert (await anne())["calls"] == (await bo())["calls"] == []
        await scene.happen(scene.call("1.1", talk=False))
        while not (calls := (await anne())["calls"]):  # a heartbeat from before
            pass
        (call,) = calls
        assert (call["key"], call["stage"], call["caller"]) == ("1.1", "ringing", MASKED)
        while not call["history_there"]:
            (call,) = (await anne())["calls"]
        assert call["first_time"]
        assert (await bo())["calls"] == [], "its own heartbeat tells it nothing of the call"


async def test_the_line_never_carries_a_whole_number(scene: Scene) -> None:
    await scene.happen(scene.call("1.0", ago_s=3600, over=True))
    await scene.happen(scene.call("1.1", talk=False))
    async with scene.line() as told:
        desk = await told()
        while not desk["calls"][0]["history_there"]:
            desk = await told()
        assert [each["key"] for each in desk["calls"][0]["earlier"]] == ["1.0"]
        assert CALLER not in json.dumps(desk)


async def test_what_the_desk_shows_of_a_caller_is_on_record_and_the_whole_number_apart(scene: Scene) -> None:
    await scene.happen(scene.call("1.1", talk=False))
    async with scene.line() as told:
        while not (await told())["calls"][0]["history_there"]:
            pass
    status, text = await scene.console.post("agent", "/desk/calls/1.1/number")
    assert (status, json.loads(text)) == (200, {"number": CALLER})
    entries = await SqlAccessLog(scene.console.engine, TimeNow()).entries(call_id=CallId("1.1"))
    assert [(each.access.actor, each.access.kind) for each in entries] == [("agent", AccessKind.CALLER)] * 2


async def test_nobody_reaches_the_call_of_another_agent(scene: Scene) -> None:
    await scene.happen(scene.call("1.1", over=True))
    for path in ("notes", "file", "number", "discard"):
        assert (await scene.console.post("agent2", f"/desk/calls/1.1/{path}"))[0] == 404
    assert (await scene.console.get("agent2", "/desk?call=1.1"))[0] == 404
    for login in ("monitor", "ops", "admin", "lead"):
        for path in ("/desk", "/desk/events", "/desk/now", "/callbacks"):
            assert (await scene.console.get(login, path))[0] == 403
    assert (await scene.console.get("supervisor", "/desk"))[0] == 403, "nobody without an agent number"


async def test_the_same_is_told_to_who_asks_again_and_again(scene: Scene) -> None:
    await scene.happen(scene.call("1.1"))
    status, text = await scene.console.get("agent", "/desk/now")
    (call,) = json.loads(text)["calls"]
    assert (status, call["key"], call["stage"]) == (200, "1.1", "talking")


async def test_a_pause_and_a_log_out_by_somebody_else_say_why_on_the_agents_own_desk(scene: Scene) -> None:
    phones, told = scene.stage.telephones, []
    await phones.log_in(ANNE)
    for kind in ("培训", "强制签出"):
        await phones.pause(ANNE, told_reason(kind, "消防演练", "赵磊"))
        told.append(json.loads((await scene.console.get("agent", "/desk/now"))[1])["told"])
    await phones.log_out(ANNE)
    told.append(json.loads((await scene.console.get("agent", "/desk/now"))[1])["told"])
    assert told == [f"由他人为您设置：{kind}: 消防演练 (赵磊)" for kind in ("培训", "强制签出", "强制签出")]
    await phones.log_in(ANNE)
    now = json.loads((await scene.console.get("agent", "/desk/now"))[1])
    assert (now["told"], now["nothing_told"], now["state"]) == ("", True, "ready")


# ── Filing, without a browser ────────────────────────────────────────────────────────────────────────────────────

INQUIRY_FORM = {
    "outcome": "answered",
    "section": "inquiry",
    "category": "ticketing/refund/fee",
    "content": "退票要多少钱",
    "answer": "开车前八天以上不收",
    "key": "1",
    "version": "0",
}


async def test_every_page_is_painted_with_and_without_a_call(scene: Scene) -> None:
    await scene.happen(scene.call("1.1", over=True))
    for path in ("/desk", "/desk?call=1.1", "/callbacks", "/callbacks?none=1", "/day", "/day?day=2020-01-01"):
        for language in ("zh-CN", "en"):
            status, text = await scene.console.get("agent", path, **{"Accept-Language": language})
            assert status == 200, text
            assert CALLER not in text, path
    assert "咨询受理科" in (await scene.console.get("agent", "/desk"))[1]


async def test_a_form_that_is_sent_twice_files_once_and_the_call_leaves_the_list(scene: Scene) -> None:
    await scene.happen(scene.call("1.1", over=True))
    for _ in range(2):
        status, location = await scene.console.post("agent", "/desk/calls/1.1/file", INQUIRY_FORM)
        assert (status, location[:15]) == (303, "/desk?filed=ZX2")
    assert await scene.count(inquiries) == 1
    status, _ = await scene.console.post("agent", "/desk/calls/1.1/file", INQUIRY_FORM | {"answer": "other words"})
    assert status == 409
    status, text = await scene.console.get("agent", "/desk?call=1.1")
    assert (status, "这通来电已登记为" in text, "都已登记" in text) == (200, True, True)


async def test_a_work_order_is_an_inquiry_that_was_dispatched(scene: Scene) -> None:
    await scene.happen(scene.call("1.1", over=True))
    form = INQUIRY_FORM | {"outcome": "work_order", "promise": "明天下班前给您回电"}
    status, location = await scene.console.post("agent", "/desk/calls/1.1/file", form)
    assert (status, location[:15]) == (303, "/desk?filed=GD2")
    async with scene.console.engine.connect() as connection:
        (row,) = (await connection.execute(select(inquiries.c.answer, inquiries.c.work_order))).all()
    assert (row.answer, row.work_order) == ("", location.removeprefix("/desk?filed="))


async def test_a_call_back_that_was_promised_stands_on_the_list(scene: Scene) -> None:
    await scene.happen(scene.call("1.1", over=True))
    due = (TimeNow().now() + timedelta(hours=2)).astimezone(scene.console.parts.zone)
    form = {"outcome": "callback", "callback_at": due.strftime("%Y-%m-%dT%H:%M")}
    assert await scene.console.post("agent", "/desk/calls/1.1/file", form) == (303, "/desk?filed=callback")
    (waiting,) = await scene.stage.callbacks.waiting()
    assert (waiting.telephone, waiting.about) == (CALLER, "1.1")
    assert await scene.books.filed_as(CallId("1.1")) == ["callback"]


async def test_call_backs_of_one_number_are_shown_and_settled_together(scene: Scene) -> None:
    callbacks, soon = scene.stage.callbacks, TimeNow().now() + timedelta(hours=2)
    first = await callbacks.enlist("9.9", CALLER, soon)
    other = await callbacks.enlist("8.8", "13900009999", soon)
    second = await callbacks.enlist("7.7", CALLER, soon + timedelta(hours=1))
    await scene.happen(scene.call("1.1", ago_s=-60, over=True))
    _, text = await scene.console.get("agent", "/callbacks")
    rows = [int(number) for number in re.findall(r'<th scope="row">.*?/callbacks/(\d+)', text)]
    assert rows == [first.number, second.number, other.number]
    assert text.count("又来电") == 2 and text.count("/take") == 2
    assert (await scene.console.post("agent", f"/callbacks/{first.number}/take", {}))[0] == 303
    _, text = await scene.console.get("agent", f"/callbacks/{first.number}")
    assert "一次拨打一并办理" in text and f'href="/callbacks/{second.number}"' in text
    await callbacks.dial(first.number, ANNE)
    form = {"result": "settled"}
    assert (await scene.console.post("agent", f"/callbacks/{second.number}/result", form))[0] == 409
    for each in (first, second):
        told = await callbacks.get(each.number)
        assert told
        reached = replace(told, state=CallbackState.KEPT, reached_at=soon)
        await callbacks.book.move(told, reached, "service", "reached")
    assert (await scene.console.post("agent", f"/callbacks/{first.number}/result", form))[0] == 303
    async with scene.console.engine.connect() as connection:
        assert await connection.scalar(select(desk_filings.c.ref)) == f"{first.number}, {second.number}"


async def test_why_a_call_back_is_not_owed_any_more(scene: Scene) -> None:
    callbacks, soon = scene.stage.callbacks, TimeNow().now() + timedelta(hours=2)
    for about, note, said in (("9.9", "served:1.1", "不再需要"), ("8.8", "case:closed", "已结案")):
        listed = await callbacks.enlist(about, CALLER, soon)
        await callbacks.book.move(listed, listed.withdrawn(note, TimeNow().now()), "service", note)
        _, text = await scene.console.get("agent", f"/callbacks/{listed.number}")
        assert said in text and "已撤销" in text


async def test_what_was_typed_comes_back_with_what_is_missing_and_is_never_html(scene: Scene) -> None:
    await scene.happen(scene.call("1.1", over=True))
    hostile = "<script>alert(1)</script>"
    form = INQUIRY_FORM | {"answer": "", "content": hostile, "name": '"><img src=x onerror=alert(1)>'}
    status, text = await scene.console.post("agent", "/desk/calls/1.1/file", form)
    assert (status, hostile in text, "<img src=x" in text) == (422, False, False)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text


async def test_words_written_after_the_call_was_filed_are_kept_and_shown(scene: Scene) -> None:
    await scene.happen(scene.call("1.1", over=True))
    await scene.console.post("agent", "/desk/calls/1.1/file", INQUIRY_FORM)
    late = {"base.content": "", "text.content": "one more thing"}
    status, text = await scene.console.post("agent", "/desk/calls/1.1/notes", late)
    assert (status, json.loads(text)["version"]) == (200, 1)
    assert "one more thing" in (await scene.console.get("agent", "/desk?call=1.1"))[1]
    assert await scene.console.post("agent", "/desk/calls/1.1/discard", {"version": "1"}) == (303, "/desk")
    assert (await scene.books.notes(CallId("1.1"))).version == 0


async def test_notes_of_a_call_that_is_not_filed_cannot_be_discarded(scene: Scene) -> None:
    await scene.happen(scene.call("1.1", over=True))
    await scene.console.post("agent", "/desk/calls/1.1/notes", {"base.content": "", "text.content": "kept"})
    await scene.console.post("agent", "/desk/calls/1.1/discard", {"version": "9"})
    assert (await scene.books.notes(CallId("1.1"))).fields["content"] == "kept"


async def test_more_than_can_be_kept_is_refused_in_words(scene: Scene) -> None:
    await scene.happen(scene.call("1.1", over=True))
    much = {"base.content": "", "text.content": "a" * 20_001}
    status, text = await scene.console.post("agent", "/desk/calls/1.1/notes", much)
    assert (status, "内容过长" in json.loads(text)["refused"]) == (422, True)


# ── An agent's path, in the browser ──────────────────────────────────────────────────────────────────────────────


async def test_from_the_ring_to_the_books(scene: Scene, browser: Browser) -> None:
    """Pop, notes while talking, what is missing is asked for after the call, a complaint is registered."""
    page, heard = await scene.page(browser)
    await expect(page.get_by_text("现在没有来电")).to_be_visible()
    await scene.happen(scene.call("1.1", talk=False))
    pop = page.locator(".pop[data-stage=ringing]")
    await expect(pop).to_contain_text("咨询受理科")
    await expect(pop).to_contain_text(MASKED)
    await expect(pop).to_contain_text("首次来电")
    await expect(page.locator("#announce")).to_contain_text("振铃")
    await pop.get_by_role("button", name="显示全号").click()
    await expect(pop).to_contain_text(CALLER)

    await scene.happen(scene.call("1.1"))
    await expect(page.locator("#f-content")).to_be_focused()
    await page.keyboard.type("电梯停了三天")
    await expect(page.locator("#save-state")).to_have_text("已保存")
    await page.keyboard.press("Alt+3")
    await page.keyboard.press("Control+Enter")
    await expect(page.locator("#problems")).to_contain_text("姓名")
    await expect(page.locator("#f-content")).to_have_value("电梯停了三天")

    await scene.happen(scene.call("1.1", over=True))
    await expect(page.locator(".pop")).to_have_count(0)
    await page.locator("#f-type").select_option("facilities")
    await page.locator("#f-name").fill("张三")
    await page.locator("#f-place").fill("西站")
    await page.locator("#file").click()
    await expect(page.locator("#filed")).to_contain_text("TS")
    await expect(page.get_by_text("都已登记")).to_be_visible()
    assert (await scene.count(cases), await scene.count(desk_notes)) == (1, 0)
    assert heard == ["Failed to load resource: the server responded with a status of 422 (Unprocessable Entity)"]
    await page.context.close()


async def test_an_inquiry_by_the_keyboard_alone(scene: Scene, browser: Browser) -> None:
    await scene.happen(scene.call("1.1", over=True))
    page, heard = await scene.page(browser)
    await page.keyboard.press("Alt+u")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/desk?call=1.1")
    await expect(page.locator("#state")).not_to_have_text("–")
    await page.keyboard.press("Alt+n")
    await page.keyboard.type("refund fee?")
    await page.keyboard.press("Alt+1")
    await page.locator("#f-category").focus()
    for _ in range(3):
        await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Tab")
    await page.keyboard.type("none before Tuesday")
    await page.keyboard.press("Control+Enter")
    await expect(page.locator("#filed")).to_contain_text("ZX")
    assert await scene.count(inquiries) == 1
    assert heard == []
    await page.context.close()


async def test_two_tabs_with_one_call_lose_nobodys_words(scene: Scene, browser: Browser) -> None:
    await scene.happen(scene.call("1.1", over=True))
    left, _ = await scene.page(browser, "/desk?call=1.1")
    right, _ = await scene.page(browser, "/desk?call=1.1")
    await left.locator("#f-content").fill("from the left")
    await expect(left.locator("#save-state")).to_have_text("已保存")
    await right.locator("#f-content").fill("from the right")
    await expect(right.locator("#f-content")).to_have_value("from the left\nfrom the right")
    await expect(right.locator("#save-state")).to_have_text("已保存")
    await left.locator("#f-name").fill("Wang")
    await expect(left.locator("#f-content")).to_have_value("from the left\nfrom the right")
    await expect(left.locator("#save-state")).to_have_text("已保存")
    notes = await scene.books.notes(CallId("1.1"))
    assert notes.fields["content"] == "from the left\nfrom the right"
    assert notes.fields["name"] == "Wang"
    await left.context.close()
    await right.context.close()


async def test_words_that_cannot_be_saved_stay_and_are_saved_when_it_works_again(
    scene: Scene, browser: Browser
) -> None:
    await scene.happen(scene.call("1.1", over=True))
    page, _ = await scene.page(browser, "/desk?call=1.1")
    tried = 0

    async def abort(route: Route) -> None:
        nonlocal tried
        tried += 1
        await route.abort()

    await page.route("**/notes", abort)
    await page.locator("#f-content").fill("kept in the page")
    await expect(page.locator("#save-state")).to_contain_text("保存失败")
    before = tried
    await page.locator("#file").click()

    async def both() -> bool:  # what was under way, and what the button has asked for
        return tried >= before + 2

    assert await within(both, 180)
    await expect(page.locator("#f-content")).to_have_value("kept in the page")
    await page.unroute("**/notes")
    await expect(page.locator("#save-state")).to_have_text("已保存")
    assert (await scene.books.notes(CallId("1.1"))).fields["content"] == "kept in the page"
    await page.context.close()


async def test_what_is_written_while_no_line_can_be_opened_is_kept_and_put_into_the_call(
    scene: Scene, browser: Browser
) -> None:
    """As with the database away: neither the line nor the question is answered, and no call pops up."""
    page, _ = await scene.page(browser)
    pad = page.locator("#scratch-words")
    await expect(pad).to_be_hidden()
    for address in ("**/desk/events", "**/desk/now"):
        await page.context.route(address, lambda route: route.fulfill(status=503, body="{}"))
    await page.reload()
    await expect(page.locator("#scratch")).to_contain_text("尚未存入系统")
    await pad.fill("the lift at West Station")
    await expect(page.locator("#scratch [data-put]")).to_be_disabled()
    again = await page.context.new_page()
    await page.close(run_before_unload=False)
    await again.goto(f"{scene.console.url}/desk")
    pad = again.locator("#scratch-words")
    await expect(pad).to_have_value("the lift at West Station")
    await again.context.unroute_all()
    await scene.happen(scene.call("1.1"))
    await expect(again.locator("#wrap-up")).to_be_visible()
    await again.locator("#f-content").fill("calls again")
    await again.locator("#scratch [data-put]").click()
    await expect(again.locator("#f-content")).to_have_value("calls again\nthe lift at West Station")
    await expect(again.locator("#save-state")).to_have_text("已保存")
    await expect(pad).to_be_hidden()
    assert (await scene.books.notes(CallId("1.1"))).fields["content"] == "calls again\nthe lift at West Station"
    await again.reload()
    await expect(again.locator("#f-content")).to_have_value("calls again\nthe lift at West Station")
    await expect(again.locator("#scratch")).to_be_hidden()
    await again.context.close()


async def test_a_reload_while_the_database_is_away_leaves_the_pad_in_the_readers_language(
    scene: Scene, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    page, _ = await scene.page(browser)
    await expect(page.locator("#scratch")).to_be_hidden()

    async def away(secret: str) -> None:
        raise StorageUnavailable("the database cannot be reached")

    with monkeypatch.context() as books:
        books.setattr(scene.console.parts.doorkeeper, "visitor", away)
        answer = await page.reload()
        assert answer and answer.status == 503
        await expect(page.locator("h1")).to_have_text("座席工作台暂时打不开")
        await expect(page.locator("#scratch")).to_contain_text("尚未存入系统")
        assert await violations(page) == [] == await turned_over(page)
        await page.locator("#scratch-words").fill("the lift at West Station")
        await page.goto(f"{scene.console.url}/desk?lang=en")
        await expect(page.locator("h1")).to_have_text("The desk cannot be opened at the moment")
        await expect(page.locator("#scratch-words")).to_have_value("the lift at West Station")
        await expect(page.locator("#back a")).to_be_hidden()
        stranger = await scene.console.page(browser, "", "/desk")
        assert await stranger.locator("#scratch").count() == 0, "nobody signed in here"
        await stranger.context.close()
    await page.locator("#back a").click()
    await expect(page.locator("#scratch-words")).to_have_value("the lift at West Station")
    await expect(page.locator("#scratch [data-put]")).to_be_visible()
    await page.context.close()


async def test_words_that_were_never_saved_survive_the_death_of_the_page(scene: Scene, browser: Browser) -> None:
    await scene.happen(scene.call("1.1", over=True))
    page, _ = await scene.page(browser, "/desk?call=1.1")
    await page.context.route("**/notes", lambda route: route.abort())
    await page.locator("#f-content").fill("before the crash")
    await expect(page.locator("#save-state")).to_contain_text("保存失败")
    again = await page.context.new_page()
    await page.close(run_before_unload=False)
    await again.context.unroute("**/notes")
    await again.goto(f"{scene.console.url}/desk?call=1.1")
    await expect(again.locator("#f-content")).to_have_value("before the crash")

    async def saved() -> bool:  # by the new page, or by what the dying one sent at the last instant
        return (await scene.books.notes(CallId("1.1"))).fields.get("content") == "before the crash"

    assert await within(saved, 180)
    await again.context.close()


async def test_a_restart_of_the_service_loses_nothing_that_is_on_a_desk(tmp_path: Path, browser: Browser) -> None:
    clock, database = TimeNow(), await prepared("sqlite", tmp_path)
    before, after, port = DeskStage(clock), DeskStage(clock), free_port()
    async with served(tmp_path, clock=clock, url=database, port=port, areas=before.areas) as console:
        scene = Scene(console, before)
        await scene.happen(scene.call("1.1", over=True))
        page, _ = await scene.page(browser, "/desk?call=1.1")
        await page.locator("#f-content").fill("before")
        await expect(page.locator("#save-state")).to_have_text("已保存")
        before.pop.close()
    await page.locator("#f-content").fill("before\nand while it was down")
    await expect(page.locator("#save-state")).to_contain_text("保存失败")
    await expect(page.locator("#desk[data-line=lost]")).to_be_visible()
    async with served(tmp_path, clock=clock, url=database, port=port, areas=after.areas) as console:
        await expect(page.locator("#save-state")).to_have_text("已保存")
        await expect(page.locator("#desk[data-line=open]")).to_be_visible()
        notes = await SqlDeskBooks(console.engine).notes(CallId("1.1"))
        assert notes.fields["content"] == "before\nand while it was down"
        await page.context.close()
        after.pop.close()


async def test_the_agents_state_is_set_from_the_desk(scene: Scene, browser: Browser) -> None:
    page, _ = await scene.page(browser)
    await page.get_by_role("button", name="签入").click()
    await expect(page.locator("#state")).to_have_text("空闲")
    await page.locator("#reason").select_option("meal")
    await page.keyboard.press("Alt+p")
    await expect(page.locator(".desk-state")).to_contain_text("用餐")
    await page.keyboard.press("Alt+p")
    await expect(page.locator("#state")).to_have_text("空闲")
    scene.stage.telephones.silent = True
    await page.get_by_role("button", name="签出").click()
    await expect(page.get_by_text("状态没有改成")).to_be_visible()
    await page.context.close()


async def test_a_line_that_is_cut_is_replaced_by_asking_and_says_so(scene: Scene, browser: Browser) -> None:
    page = await scene.console.page(browser, "agent", "/account")
    await page.route("**/desk/events", lambda route: route.abort())
    await page.goto(f"{scene.console.url}/desk")
    await expect(page.get_by_text("轮询更新")).to_be_visible()
    await scene.happen(scene.call("1.1", talk=False))
    await expect(page.locator(".pop[data-stage=ringing]")).to_be_visible()
    await page.unroute("**/desk/events")
    await expect(page.locator("#desk[data-line=open]")).to_be_visible()
    await page.context.close()


async def test_a_call_back_is_taken_dialled_and_settled(scene: Scene, browser: Browser) -> None:
    soon = TimeNow().now() + timedelta(minutes=5)
    await scene.stage.callbacks.enlist("9.9", CALLER, soon)
    page = await scene.console.page(browser, "agent", "/callbacks")
    await page.get_by_role("button", name="领取下一个").click()
    await expect(page.locator("#chosen")).to_contain_text(MASKED)
    await page.get_by_role("button", name="显示全号").click()
    await expect(page.locator("#chosen")).to_contain_text(CALLER)
    await page.get_by_role("button", name="拨打").click()
    await expect(page.get_by_text("正在拨打")).to_be_visible()
    assert scene.stage.callbacks.dialled == [1]
    await page.get_by_label("已接通并办妥").check()
    await page.get_by_role("button", name="记录结果").click()
    await expect(page.get_by_text("还没有接通")).to_be_visible()
    await page.context.close()
