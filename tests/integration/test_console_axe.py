"""Every role's pages under axe-core (WCAG 2.2 AA), in both languages, each light and dark, at a small desk.

To have a page looked at, add its address to ``PAGES``; a test of its own that has data on its pages may call
``tests.support_axe.violations`` in the same way.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from tests.support_axe import turned_over, violations
from tests.support_chromium import chromium
from tests.support_console import ServedConsole, complaints, served

pytestmark = pytest.mark.asyncio(loop_scope="module")

PAGES: dict[str, tuple[str, ...]] = {
    "": ("/login", "/nonsense"),
    "agent": ("/account", "/account/password", "/account/code", "/people"),
    "ops": ("/board",),
    "admin": ("/people", "/people/new", "/people/monitor", "/people/admin", "/access-log"),
}
"""Addresses by who opens them; nobody for an empty name."""


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as browser:
        yield browser


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def console(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ServedConsole]:
    async with served(tmp_path_factory.mktemp("axe")) as console:
        yield console


@pytest.mark.parametrize(("language", "dark"), [("zh-CN", False), ("en", True)], ids=["zh light", "en dark"])
@pytest.mark.parametrize("login", PAGES)
async def test_nobody_is_shut_out(
    console: ServedConsole, browser: Browser, login: str, language: str, dark: bool
) -> None:
    page = await console.page(browser, login, PAGES[login][0], language=language, dark=dark)
    heard = complaints(page)
    try:
        for path in PAGES[login]:
            await page.goto(console.url + path)
            assert await violations(page) == [], path
            assert await turned_over(page) == [], f"{path} with the colour scheme turned over"
            root = page.locator("html")
            assert await root.evaluate("(e) => e.scrollWidth") <= 1280, f"{path} sticks out"
        assert [line for line in heard if "status of 40" not in line] == []
    finally:
        await page.context.close()


async def test_the_keyboard_alone_signs_in_and_out(console: ServedConsole, browser: Browser) -> None:
    page = await console.page(browser, "", "/people", language="en")
    try:
        await page.keyboard.type("admin")
        await page.keyboard.press("Tab")
        await page.keyboard.type("three rings, then a person")
        await page.keyboard.press("Enter")
        await page.wait_for_url(f"{console.url}/people")
        await page.keyboard.press("Tab")
        assert await page.locator(":focus").inner_text() == "Skip to the content"
        await page.keyboard.press("Enter")
        assert await page.evaluate("document.activeElement.id") == "main"
        await page.get_by_role("button", name="Sign out").focus()
        await page.keyboard.press("Enter")
        await page.wait_for_url(f"{console.url}/login")
        assert await page.get_by_text("You are signed out.").is_visible()
    finally:
        await page.context.close()
