"""The pages of every role against WCAG 2.2 AA, by axe-core in a real browser (P6).

Each page is looked at in both languages: in Chinese on light and in English on dark
ground by all rules; then those of the menus, the scheme turned over while they are open, by the rules that colours
can break.
"""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

from playwright.async_api import Browser, Page

from service.settings import ROOT
from tests.support_axe import turned_over
from tests.support_chromium import chromium
from tests.support_console import ServedConsole
from tests.support_furnished import CASE, CHIEF, HEARD, WORKER, furnished
from tests.support_npm import fetched
from tests.support_operations import NOW

DEEPER = {
    "": ("/login", "/form", "/form/complaint", "/form/question", "/form/status"),
    "agent": ("/account", "/account/code", "/quality/scores/1", "/inquiries/new", "/orders/GD2026-00001"),
    "monitor": (f"/calls/{HEARD}", "/quality/scores/4/sheet", "/quality/calibration/1", "/calls?rating=none"),
    "lead": (
        *("/search?text=退票", "/quality/plans/new", "/quality/plans/1", "/quality/draws/1"),
        *("/quality/forms/form-1/draft", "/quality/forms/form-1/versions/1", "/figures?kpi=K1"),
        *("/quality/calibration/new", "/quality/results?plan=1"),
    ),
    "supervisor": ("/team/rings", "/team/agents/1001"),
    "ops": ("/ops/backlog", "/ops/books", "/ops/webhooks"),
    "admin": ("/people/new", "/people/agent", "/admin/menu/try", "/access-log/failed"),
    CHIEF: (
        *(f"/cases/{CASE}", "/cases/new", "/orders/new"),
        f"/cases/counted?kpi=K7t&side=denominator&period={NOW.year}&section=complaint",
    ),
    WORKER: (),
}
"""Pages beside those that the menu of each role leads to."""

_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
_LOOK = """async tags => (await axe.run(document, {runOnly: tags, resultTypes: ["violations"]})).violations
    .flatMap(found => found.nodes.map(node => `${found.id}: ${node.target} ${node.failureSummary}`))"""
_UNPINNED = """for (const each of document.querySelectorAll("main *"))
    if (getComputedStyle(each).position === "sticky") each.style.position = "static";"""
"""What a bar that stays in place covers can be scrolled out from under it."""
_MENU = "[...document.querySelectorAll('nav.side a')].map(link => link.getAttribute('href'))"


async def test_no_page_of_any_role_breaks_wcag_2_2_aa(tmp_path: Path) -> None:
    axe = (fetched(ROOT / "console" / "npm") / "node_modules" / "axe-core" / "axe.min.js").read_text()
    found: list[str] = []
    async with furnished(tmp_path) as console, chromium() as browser:
        seen: set[str] = set()
        for login in DEEPER:
            chinese, english = [await opened(console, browser, login, axe, dark=dark) for dark in (False, True)]
            menu = await chinese.evaluate(_MENU)
            for path in [*menu, *DEEPER[login]]:
                if path not in seen:
                    seen.add(path)
                    over = path in menu
                    looks = (looked_at(page, console.url + path, over=over) for page in (chinese, english))
                    found += [f"{login} {path} {each}" for wrong in await asyncio.gather(*looks) for each in wrong]
            await chinese.context.close()
            await english.context.close()
    assert len(seen) > 50
    assert not found, "\n".join(found)


async def opened(console: ServedConsole, browser: Browser, login: str, axe: str, *, dark: bool) -> Page:
    """A page of this person's, with axe-core in whatever it opens."""
    start, language = "/account" if login else "/login", "en" if dark else "zh-CN"
    page = await console.page(browser, login, start, language=language, dark=dark)
    await page.context.add_init_script(axe)
    return page


async def looked_at(page: Page, url: str, *, over: bool) -> list[str]:
    """What is wrong with a page; ``over``: in the other colour scheme, too."""
    answer = await page.goto(url)
    if answer is None or answer.status != 200:
        return [f"answered {answer and answer.status}"]
    if "/calls/" in url:
        await page.wait_for_selector("call-player[data-drawn]")
    await page.evaluate(_UNPINNED)
    found: list[str] = await page.evaluate(_LOOK, _TAGS)
    if over:
        found += [f"with the scheme turned over: {each}" for each in await turned_over(page, _LOOK)]
    if await page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
        found.append("sticks out at 1280 pixels")
    return [re.sub(r"\s+", " ", each) for each in found]
