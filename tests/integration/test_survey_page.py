"""The survey behind a one-time link, in a browser without JavaScript, through the gate (Q2, K6)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from service.settings import Settings
from service.survey_links import LinkMaker
from storage.ledger import SqlLedger
from storage.survey_links import SqlSurveyLinks
from tests.support_chromium import chromium, expect
from tests.support_console import ServedConsole, TimeNow, complaints, served
from tests.support_surveys import surveyed

pytestmark = pytest.mark.asyncio(loop_scope="module")  # one browser for all of them


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as browser:
        yield browser


@pytest_asyncio.fixture(loop_scope="module")
async def console(tmp_path: Path) -> AsyncIterator[ServedConsole]:
    async with served(tmp_path) as console:
        yield console


async def link(console: ServedConsole, call_id: str) -> str:
    """The address of a caller's link."""
    told = surveyed(call_id, start=datetime.now(UTC) - timedelta(minutes=2))
    await SqlLedger(console.engine).record(told)
    settings = Settings.model_validate({"survey": {"links_share": 1.0}})
    await LinkMaker(settings, console.engine, TimeNow()).look()
    waiting = await SqlSurveyLinks(console.engine).outbox(datetime.now(UTC))
    return next(f"/s/{one.token}" for one in waiting if one.call_id == call_id)


@pytest.mark.parametrize(
    ("language", "best", "send"), [("zh-CN", "非常满意", "提交"), ("en", "Very satisfied", "Send")]
)
async def test_answered_by_a_caller_without_javascript(
    console: ServedConsole, browser: Browser, language: str, best: str, send: str
) -> None:
    address = await link(console, "1.1")
    page = await console.page(browser, "", f"{address}?lang={language}", language=language, java_script=False)
    heard = complaints(page)
    await expect(page.locator("fieldset")).to_have_count(4)
    groups = page.locator("fieldset")
    await groups.nth(0).get_by_label(best, exact=True).check()
    await page.get_by_role("button", name=send).click()
    await expect(page.locator(".error")).to_have_count(3)  # what is missing is said
    await expect(groups.nth(0).get_by_label(best, exact=True)).to_be_checked()  # what was chosen is not lost
    for number in range(1, 4):
        await groups.nth(number).get_by_label(best, exact=True).check()
    await page.get_by_role("button", name=send).click()
    await expect(page.locator("fieldset")).to_have_count(0)
    assert [said for said in heard if "422" not in said] == []  # the status of the incomplete form
    await page.context.close()
    call = await SqlLedger(console.engine).call(surveyed("1.1")[0].call_id)
    assert call and call.survey and call.survey.points == 100
    status, _ = await console.get("", address)
    assert status == 410


async def test_the_outbox_through_the_gate(console: ServedConsole) -> None:
    """Nobody without the right, nobody of one section only; told as sent, it is empty."""
    await link(console, "1.1")
    path = "/api/v1/survey-links"
    assert [(await console.get(login, path))[0] for login in ("", "agent", "supervisor", "ops")] == [
        401,
        403,
        403,
        403,
    ]
