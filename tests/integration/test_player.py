"""The player in a real browser, by keyboard alone; sound, words and marks in step (Q1)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from calls.custody import AccessKind, Leg
from calls.verdicts import Outcome, Severity
from storage.access import SqlAccessLog
from tests.support_chromium import chromium, context_of
from tests.support_player import Stage, stage
from tests.support_prepared import prepared

pytestmark = pytest.mark.asyncio(loop_scope="module")  # one browser for all of them

SAID = [
    (Leg.AGENT, 0.5, "您好 这里是 铁路"),
    (Leg.CALLER, 5.0, "我 想 退票"),
    (Leg.AGENT, 30.0, "好的 请 稍等"),
    (Leg.CALLER, 40.0, "<b>谢谢</b> 再见"),
]
TURNS = [0.5, 5.0, 30.0, 40.0]
_NOTE_TIMES = """
  window.passed = [];
  window.lit = null;
  document.addEventListener("sansheng:time", (event) => {
    window.passed.push(event.detail.at_s);
    window.lit ??= [...document.querySelectorAll(".player-turns .now")].map((word) => word.textContent);
  });
"""
"""Keeps where the player said that it was, and the words that were lit as it said so first."""
AT = "document.querySelector('call-player').currentTime"


@pytest_asyncio.fixture(loop_scope="module")
async def player(tmp_path: Path, browser: Browser) -> AsyncIterator[Player]:
    async with stage(await prepared("sqlite", tmp_path), tmp_path) as made:
        call = await made.called(1)
        await made.recorded(call, 60)
        await made.transcribed(call, SAID, 60)
        await made.judged(
            call,
            ("greeting", Outcome.BROKEN, Severity.MAJOR, 0.5),
            ("courtesy", Outcome.BROKEN, Severity.MINOR, 30.0),
        )
        yield Player(made, browser)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as browser:
        yield browser


@dataclass(frozen=True)
class Player:
    """A console whose calls are listened to in a browser."""

    stage: Stage
    browser: Browser

    @asynccontextmanager
    async def opened(self, path: str = "/calls/1.1?lang=en") -> AsyncIterator[Page]:
        """A call's page; an error in its scripts, or against its content security policy, fails the test."""
        context = await context_of(self.browser, viewport={"width": 1280, "height": 720})
        await context.add_cookies([{"name": "who", "value": "monitor", "url": self.stage.url("/")}])
        page, wrong = await context.new_page(), list[str]()
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda line: wrong.append(line.text) if line.type == "error" else None)
        await page.goto(self.stage.url(path))
        await page.wait_for_selector("call-player[data-drawn]")
        yield page
        await context.close()
        assert wrong == []


async def tabbed_to(page: Page, selector: str) -> None:
    for _ in range(60):
        await page.keyboard.press("Tab")
        if await page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"{selector} cannot be reached by Tab")


async def until(page: Page, condition: str) -> None:
    """Wait for an expression to become true. Playwright's own way is ``eval``, which the page's policy refuses."""
    async with asyncio.timeout(180):
        look = f"const look = () => ({condition}) ? done() : requestAnimationFrame(look)"
        await page.evaluate(f"new Promise(done => {{ {look}; look() }})")


async def stands_at(page: Page, seconds: float) -> None:
    await until(page, f"Math.abs({AT} - {seconds}) < 0.02")


async def test_a_call_is_listened_to_by_keyboard_alone(player: Player) -> None:
    log = SqlAccessLog(player.stage.engine, player.stage.clock)
    async with player.opened() as page:
        await tabbed_to(page, ".player-play")
        assert AccessKind.LISTEN not in {entry.access.kind for entry in await log.entries()}, (
            "nothing is heard yet"
        )
        await page.keyboard.press("Space")
        await until(page, f"{AT} > 0.7")
        await expect(page.locator("call-player")).to_have_attribute("data-playing", "")
        await expect(page.locator(".player-turns .now")).not_to_have_count(0)
        await page.keyboard.press("Space")
        await expect(page.locator("call-player[data-playing]")).to_have_count(0)
        heard = [entry.access for entry in await log.entries() if entry.access.kind is AccessKind.LISTEN]
        assert [(each.actor, each.call_id, each.leg) for each in heard] == [("monitor", "1.1", Leg.MIXED)]

        await page.keyboard.press("Home")
        await stands_at(page, 0)
        for key, seconds in (
            *(("ArrowRight", 5), ("Shift+ArrowRight", 6), ("ArrowLeft", 1), ("]", 5), ("]", 30), ("[", 5)),
            *((".", 5.5), (".", 6), (",", 5.5), ("n", 30), ("p", 0.5), ("End", 60), ("ArrowRight", 60)),
        ):
            await page.keyboard.press(key)
            await stands_at(page, seconds)
        for key, chosen in (("2", "caller"), ("3", "agent"), ("1", "mixed")):
            await page.keyboard.press(key)
            await expect(page.locator('[data-do="leg"]')).to_have_value(chosen)
        for key, speed in (("+", "1.25"), ("+", "1.5"), ("-", "1.25"), ("-", "1"), ("-", "0.75"), ("-", "0.75")):
            await page.keyboard.press(key)
            await expect(page.locator('[data-do="speed"]')).to_have_value(speed)
        await page.keyboard.press("?")
        await expect(page.get_by_role("dialog")).to_be_visible()
        await page.keyboard.press("Escape")
        await expect(page.get_by_role("dialog")).to_be_hidden()


async def test_every_control_is_reached_by_keyboard(player: Player) -> None:
    async with player.opened() as page:
        await tabbed_to(page, "[data-do=skip]")
        await page.keyboard.press("Enter")
        await expect(page.locator("[data-do=skip]")).to_have_attribute("aria-pressed", "true")
        await tabbed_to(page, ".player-wave")
        await page.keyboard.press("End")
        await expect(page.locator(".player-wave")).to_have_attribute("aria-valuetext", "1:00 of 1:00")
        await tabbed_to(page, ".player-marks button")
        await page.keyboard.press("Enter")
        await until(page, f"{AT} >= 0.5 && {AT} < 20")


async def test_silence_is_skipped(player: Player) -> None:
    async with player.opened("/calls/1.1?at=8") as page:
        await page.evaluate(_NOTE_TIMES)
        await tabbed_to(page, ".player-play")
        await page.keyboard.press("s")
        await page.keyboard.press("Space")
        await until(page, f"{AT} > 29.6")
        passed = await page.evaluate("window.passed")
        assert [at_s for at_s in passed if 10 < at_s < 29.4] == []


async def test_a_word_is_heard_where_it_was_said_and_markup_in_words_is_text(player: Player) -> None:
    async with player.opened() as page:
        await page.evaluate(_NOTE_TIMES)
        await page.get_by_text("<b>谢谢</b>", exact=True).click()
        await until(page, f"{AT} > 40")
        assert 39.9 < (await page.evaluate("window.passed"))[0] < 40.5
        assert await page.evaluate("window.lit") == ["<b>谢谢</b>"]


async def test_a_long_call_is_whole_and_its_words_are_elements_where_they_are_in_sight(player: Player) -> None:
    """Of 200 turns the first come with the page, the others once it stands; the reader cannot tell."""
    call = await player.stage.called(2)
    await player.stage.recorded(call, 20)
    turns = [(Leg.AGENT if n % 2 else Leg.CALLER, 10.0 * n, f"第 {n} 句 好的") for n in range(200)]
    await player.stage.transcribed(call, turns, 2000)
    spelled = ".player-turns li:nth-child({}) [data-t]"
    async with player.opened("/calls/1.2?lang=en") as page:
        await expect(page.locator(".player-turns > li")).to_have_count(200)
        await expect(page.locator(spelled.format(1))).to_have_text(["第", "0", "句", "好的"])
        assert await page.locator(spelled.format(150)).count() == 0, "far from sight it is text"
        await expect(page.locator(".player-turns li:nth-child(150) p")).to_have_text("第 149 句好的")
        await page.locator(".player-turns li:nth-child(150)").scroll_into_view_if_needed()
        await page.locator(spelled.format(150)).nth(2).click()
        await until(page, f"{AT} > 1490.9")
    async with player.opened("/calls/1.2?lang=en&at=1500.6") as page:
        await expect(page.locator(".player-turns .now")).to_have_text("150")
        await page.locator(".player-play").focus()
        for key, seconds in (("]", 1510), (",", 1501.5), ("[", 1500)):
            await page.keyboard.press(key)
            await stands_at(page, seconds)


async def test_other_parts_of_a_page_send_the_player_somewhere_and_are_told_where_it_is(player: Player) -> None:
    async with player.opened("/calls/1.1?at=31") as page:
        await stands_at(page, 31)
        await page.evaluate("document.dispatchEvent(new CustomEvent('sansheng:seek', {detail: {at_s: 12.5}}))")
        await stands_at(page, 12.5)
        await page.evaluate(_NOTE_TIMES)
        await page.locator(".player-play").click()
        await until(page, "window.passed.length > 0")
        assert 12.4 < (await page.evaluate("window.passed"))[0] < 20


@pytest.mark.parametrize("lane, speaks", [("caller", 1.5), ("agent", 4.5)])
async def test_each_speaker_has_a_lane(player: Player, lane: str, speaks: float) -> None:
    """Whoever is silent has a line where the other one has a shape."""
    async with player.opened() as page:
        heights = await page.evaluate(
            """([lane, second]) => {
              const canvas = document.querySelector("call-player canvas");
              const [top, tall] = [lane === "caller" ? 0 : canvas.height / 2, canvas.height / 2];
              const pen = canvas.getContext("2d");
              const inked = (at) => {
                const x = Math.round(canvas.width * at / 60);
                const column = pen.getImageData(x - 3, top, 6, tall).data;
                return column.filter((alpha, index) => index % 4 === 3 && alpha > 0).length;
              };
              return [inked(second), inked(second + 3)];
            }""",
            [lane, speaks],
        )
        assert heights[0] > 3 * heights[1]
