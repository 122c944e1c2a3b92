"""Cases in a real browser: drafts that survive a closed tab, forms by keyboard, no breach of policy."""

from __future__ import annotations

import asyncio
from pathlib import Path

from playwright.async_api import Route

from calls.cases import Login
from calls.ids import SectionId
from calls.people import Grant, Role
from storage.case_drafts import SqlDrafts
from tests.support_cases import local
from tests.support_chromium import chromium
from tests.support_console import LOGINS, SetTime, Somebody, complaints, served

PEOPLE = (*LOGINS, Somebody("chief", "王主任", (Grant(Role.SUPERVISOR, SectionId("complaint")),)))


async def test_a_complaint_begun_in_a_tab_that_is_closed_is_finished_in_another(tmp_path: Path) -> None:
    clock = SetTime(local("2026-11-23 10:00"))
    async with served(tmp_path, people=PEOPLE, clock=clock) as console, chromium() as browser:
        drafts = SqlDrafts(console.engine)
        page = await console.page(browser, "chief", "/cases/new")
        heard = complaints(page)
        await page.fill("#f-content", "自动扶梯停了三天")
        await page.wait_for_selector("[data-draft-status][data-saved]")
        await page.fill("#f-place", "西站")
        await page.goto("about:blank")  # before the pause after the last key is over
        async with asyncio.timeout(180):
            while (await drafts.mine(Login("chief")))[0].fields["place"] != "西站":
                await asyncio.sleep(0.05)
        assert heard == []
        await page.context.close()

        page = await console.page(browser, "chief", "/cases/new")
        heard = complaints(page)
        await page.click("a[href*='draft=']")
        await page.wait_for_url("**/cases/new?draft=*")
        assert await page.input_value("#f-content") == "自动扶梯停了三天"
        assert await page.input_value("#f-place") == "西站"
        await page.fill("#f-name", "张三")
        await page.press("#f-name", "Enter")
        await page.wait_for_url("**/cases/TS2026-00001")
        await page.focus("summary >> nth=0")
        await page.keyboard.press("Enter")
        await page.select_option("#f-department >> nth=0", "stations")
        await page.keyboard.press("Tab")
        await page.click("#do button[type=submit] >> nth=0")
        await page.wait_for_selector("text=已转办，待部门意见")
        assert heard == []
        await page.context.close()


async def test_a_draft_on_its_way_when_the_form_is_sent_does_not_come_back(tmp_path: Path) -> None:
    clock = SetTime(local("2026-11-23 10:00"))
    async with served(tmp_path, people=PEOPLE, clock=clock) as console, chromium() as browser:
        page = await console.page(browser, "chief", "/cases/new")
        under_way, go_on = asyncio.Event(), asyncio.Event()

        async def held(route: Route) -> None:
            under_way.set()
            await go_on.wait()
            await route.continue_()

        await page.route("**/drafts", held)
        for name, text in (("content", "自动扶梯停了三天"), ("place", "西站"), ("name", "张三")):
            await page.fill(f"#f-{name}", text)
        async with asyncio.timeout(180):
            await under_way.wait()
        await page.press("#f-name", "Enter")
        await page.press("#f-name", "Enter")  # somebody who does not like to wait
        assert page.url.endswith("/cases/new")
        go_on.set()
        await page.wait_for_url("**/cases/TS2026-00001")
        assert await SqlDrafts(console.engine).mine(Login("chief")) == []
        await page.context.close()
