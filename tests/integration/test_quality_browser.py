"""The quality work in a real browser: from a form to a decision on an appeal, by the pages alone (Q1–Q5)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote_plus

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from calls.people import Grant, Role
from calls.verdicts import Outcome, Severity
from storage.forms import SqlForms
from storage.ledger import SqlLedger
from storage.scores import SqlScores
from tests.support_chromium import chromium
from tests.support_console import INQUIRY, LOGINS, ServedConsole, SetTime, Somebody, complaints, served
from tests.support_ledger import Ring, story
from tests.support_quality import put_recording, put_verdicts

pytestmark = pytest.mark.asyncio(loop_scope="module")  # one browser for all of them

NOW = datetime(2026, 11, 26, 8, tzinfo=UTC)
LAST_WEEK = NOW - timedelta(days=8)
PEOPLE = (*LOGINS, Somebody("lead1", "冯岚", (Grant(Role.LEAD, INQUIRY),)))


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="module")
async def console(tmp_path: Path) -> AsyncIterator[ServedConsole]:
    """A console over four calls of last week, all of agent 1001."""
    async with served(tmp_path, clock=SetTime(NOW), people=PEOPLE) as served_console:
        engine = served_console.engine
        for number in range(1, 5):
            call_id, ring = f"{number}.1", Ring("1001", 2, answered=5, connected=6, ended=126)
            start = LAST_WEEK + timedelta(hours=number)
            told = story(call_id, start=start, asked=1, rings=[ring], ended=126, section=INQUIRY)
            await SqlLedger(engine).record(told)
            await put_recording(engine, call_id, LAST_WEEK)
            await put_verdicts(engine, call_id, [("greeting", Outcome.BROKEN, Severity.MAJOR)], NOW)
        yield served_console


async def publish_standard_form(page: Page) -> None:
    await page.get_by_role("button", name="以标准评分表为模板新建").click()
    first = page.get_by_role("group", name="礼貌问候")
    await first.get_by_label("评分项 · 中文").fill("亲切问候")
    await page.get_by_role("button", name="发布").click()
    await expect(page.get_by_text("不可修改").first).to_be_visible()
    await expect(page.get_by_text("亲切问候")).to_be_visible()


async def make_plan(page: Page) -> None:
    await page.get_by_label("计划名称").fill("每周抽检")
    await page.get_by_label("抽样周期").select_option("week")
    await page.get_by_label("每名座席随机抽取").fill("2")
    await page.get_by_label("风险加抽比例").fill("50")
    await page.get_by_role("button", name="建立计划").click()
    await expect(page.get_by_role("heading", name="每周抽检")).to_be_visible()


async def answer_the_rest(page: Page) -> None:
    """Every criterion gets its best answer."""
    await page.wait_for_load_state()  # all of them are there
    for name in await page.eval_on_selector_all(
        "fieldset.criterion input[type=radio]", "all => [...new Set(all.map(one => one.name))]"
    ):
        await page.locator(f'input[name="{name}"]').first.check()


async def test_from_a_form_to_a_decision_on_an_appeal(browser: Browser, console: ServedConsole) -> None:
    lead = await console.page(browser, "lead", "/quality/forms")
    heard = complaints(lead)
    await publish_standard_form(lead)
    await lead.goto(console.url + "/quality/plans/new")
    await make_plan(lead)
    plan = lead.url.removeprefix(console.url)

    monitor = await console.page(browser, "monitor", plan)
    heard_too = complaints(monitor)
    await monitor.get_by_role("button", name="查询").click()
    await expect(monitor.get_by_text("本次将抽取 3 通")).to_be_visible()
    await monitor.get_by_role("button", name="抽取这 3 通来电").click()
    await monitor.get_by_role("link", name="重新抽样并核对").click()
    await expect(monitor.get_by_text("结果完全一致")).to_be_visible()
    await monitor.get_by_role("link", name="去评分").click()
    await monitor.get_by_role("link", name="评分", exact=True).first.click()

    greeting = monitor.get_by_role("group", name="亲切问候")
    await expect(greeting.get_by_text("系统预填")).to_be_visible()
    await expect(greeting.get_by_role("link", name="▶ 0:12")).to_be_visible()
    await answer_the_rest(monitor)
    words = quote_plus("整体良好")  # a draft of the answers alone may have been kept before
    async with monitor.expect_response(lambda answer: words in (answer.request.post_data or "")):
        await monitor.get_by_label("总评").fill("整体良好")
    await expect(monitor.locator("#kept")).to_contain_text("草稿已保存")
    await monitor.reload()
    await expect(monitor.get_by_label("总评")).to_have_value("整体良好")
    await monitor.get_by_role("button", name="提交评分").click()
    await expect(monitor.get_by_role("alert")).to_contain_text("评分与系统结论相反")
    await greeting.get_by_role("combobox").select_option("kept")
    await greeting.get_by_placeholder("改判时请填写理由").fill("方言问候，听得出")
    await monitor.get_by_role("button", name="提交评分").click()
    await expect(monitor.get_by_text("待确认").first).to_be_visible()
    score = monitor.url

    agent = await console.page(browser, "agent", "/quality/own")
    await agent.get_by_role("link", name=score.rsplit("/", 1)[1], exact=True).click()
    await agent.get_by_label("申诉理由").fill("已复述日期，应当加分")
    await agent.get_by_role("button", name="提出申诉").click()
    await expect(agent.get_by_text("申诉中").first).to_be_visible()

    await lead.goto(console.url + "/quality/appeals")
    await expect(lead.get_by_text("已复述日期，应当加分")).to_be_visible()
    await lead.goto(score)
    await lead.get_by_role("link", name="改分").click()
    await lead.get_by_label("分值（负数为扣分）").fill("5")
    await lead.get_by_label("理由", exact=True).fill("主动复述")
    await lead.get_by_label("再次提交的原因").fill("申诉成立")
    await lead.get_by_role("button", name="提交评分").click()
    await expect(lead.get_by_text("申诉后改分").first).to_be_visible()

    await agent.reload()
    await expect(agent.get_by_text("申诉后改分").first).to_be_visible()
    await expect(agent.get_by_text("申诉成立").first).to_be_visible()
    await expect(agent.get_by_text("105", exact=True)).to_be_visible()
    assert heard == []
    assert ["422" in said for said in heard_too] == [True], "the sheet that was refused, and nothing else"
    for page in (lead, monitor, agent):
        await page.context.close()


async def test_a_form_is_built_by_keyboard_and_without_scripts(browser: Browser, console: ServedConsole) -> None:
    page = await console.page(browser, "lead1", "/quality/forms", language="en", java_script=False)
    await page.get_by_role("button", name="New, blank").press("Enter")
    for label, text in (
        ("Name of the form · Chinese", "表"),
        ("Name of the form · English", "Short form"),
        ("Name of the section · Chinese", "开场"),
        ("Name of the section · English", "Opening"),
        ("Criterion · Chinese", "问候"),
        ("Criterion · English", "Greets"),
    ):
        await page.get_by_label(label).focus()
        await page.keyboard.type(text)
    await page.get_by_role("button", name="Add a criterion").press("Enter")
    await page.get_by_role("group", name="New criterion").get_by_label("Criterion · English").focus()
    await page.keyboard.type("Listens")
    await page.keyboard.press("Enter")  # saves, and nothing else
    criteria = page.locator("fieldset.criterion")
    await expect(criteria).to_have_count(2)
    listens = page.get_by_role("group", name="Listens")
    await listens.get_by_role("button", name="Move up").press("Enter")
    await expect(criteria.first).to_have_accessible_name("Listens")
    await page.get_by_role("button", name="Publish").press("Enter")
    await expect(page.get_by_role("alert")).to_contain_text("lacks its Chinese or English name")
    await page.get_by_role("group", name="Listens").get_by_label("Criterion · Chinese").fill("倾听")
    await page.get_by_role("button", name="Publish").press("Enter")
    await expect(page.get_by_text("it does not change any more")).to_be_visible()
    await page.context.close()


async def test_nothing_typed_is_lost_when_the_server_is_away_for_a_while(
    browser: Browser, console: ServedConsole
) -> None:
    form = await published(console)
    _, sheet = await console.post("monitor", "/quality/pick/1.1", {"form": form})
    page = await console.page(browser, "monitor", sheet)
    await page.route("**/draft", lambda route: route.abort())
    await page.get_by_label("总评").fill("一个想法")
    await expect(page.locator("#kept")).to_contain_text("正在重试")
    await page.unroute("**/draft")
    await expect(page.locator("#kept")).to_contain_text("草稿已保存")
    (number,) = [int(part) for part in sheet.split("/") if part.isdigit()]
    draft = await SqlScores(console.engine).draft(number, "monitor")
    assert draft and draft.sheet.summary == "一个想法"
    other = await console.page(browser, "monitor", sheet)
    await expect(other.get_by_label("总评")).to_have_value("一个想法")
    await other.get_by_label("总评").fill("在另一个窗口")
    await expect(other.locator("#kept")).to_contain_text("草稿已保存")
    await page.get_by_label("总评").fill("在第一个窗口")
    await expect(page.locator("#kept")).to_contain_text("另一个窗口")
    await expect(page.get_by_label("总评")).to_have_value("在第一个窗口")
    await page.context.close()
    await other.context.close()


async def published(console: ServedConsole) -> str:
    """The standard form's id, published."""
    _, draft = await console.post("lead", "/quality/forms", {"template": "default"})
    form = draft.split("/")[3]
    forms = SqlForms(console.engine)
    found = next(each for each in await forms.all() if each.form_id == form)
    await forms.publish(found, "lead", NOW)
    return form


async def test_an_immediate_finding_comes_up_by_itself(browser: Browser, console: ServedConsole) -> None:
    page = await console.page(browser, "monitor", "/quality/findings")
    await expect(page.get_by_text("没有即时告警")).to_be_visible()
    bad = [("no-insult", Outcome.BROKEN, Severity.IMMEDIATE)]
    await put_verdicts(console.engine, "2.1", bad, NOW)
    await expect(page.get_by_role("link", name="咨询受理科 ▶ 0:12")).to_be_visible()
    await page.get_by_role("button", name="受理").click()
    await expect(page.get_by_text("monitor 于")).to_be_visible()
    await page.context.close()
