"""How long a call takes to open: at the server, and in a browser until it can be listened to."""

from __future__ import annotations

import gc
import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import aiohttp
from playwright.async_api import Browser

from bench.console.fill import long_call
from calls.ids import CallId
from storage.engine import upgrade
from tests.support_chromium import chromium
from tests.support_player import Stage, stage

HOUR_S, MINUTE_S = 3600.0, 60.0
_LISTENERS = ("lead", "monitor", "supervisor", "agent")
_OPEN = """
addEventListener("DOMContentLoaded", () => {
  const look = () => {
    const ready = document.querySelector("call-player[data-drawn]:not([data-silent]) .player-turns [data-t]");
    if (!ready) requestAnimationFrame(look);
    else requestAnimationFrame(() => setTimeout(() => {
      document.documentElement.dataset.openedMs = performance.now();
    }));
  };
  look();
});
"""
"""Notes when both outlines are drawn, the first turns are there word by word, and play may be pressed: painted."""


@dataclass(frozen=True, slots=True)
class Opened:
    """Seconds, medians."""

    page_s: float
    """The page, at the server and over the loopback."""
    sound_s: float
    """The first piece of the masked sound, unsealed and beeped over, in a session that had not opened it."""
    seek_s: float
    """A piece from its middle."""
    browser_s: float
    """In a browser, from going there until it can be listened to."""
    browser_worst_s: float


async def open_calls(times: int) -> tuple[Opened, Opened]:
    """Make a call of an hour and one of a minute, and open each so often in turns."""
    with tempfile.TemporaryDirectory(prefix="sansheng-listening-") as folder:
        url = f"sqlite:///{folder}/ledger.db"
        await upgrade(url)
        async with stage(url, Path(folder)) as made:
            calls = [await long_call(made, number, seconds) for number, seconds in ((1, HOUR_S), (2, MINUTE_S))]
            gc.collect()
            gc.freeze()  # as the service does once it stands
            took: dict[CallId, list[float]] = {call: [] for call in calls}
            async with chromium() as browser:
                for _ in range(times + 1):
                    for call in calls:
                        took[call].append(await _opened(browser, made, call))
            hour, minute = [await _told(made, call, took[call][1:]) for call in calls]  # the first: templates
            return hour, minute


async def _told(made: Stage, call: CallId, browser: list[float]) -> Opened:
    pages, sounds, seeks = list[float](), list[float](), list[float]()
    for who in _LISTENERS:
        async with aiohttp.ClientSession(cookies={"who": who}) as client:
            pages.append(await _timed(client, made.url(f"/calls/{call}")))
            address = made.url(f"/calls/{call}/sound/mixed")
            sounds.append(await _timed(client, address, "bytes=0-"))
            size = await _size(client, address)
            seeks.append(await _timed(client, address, f"bytes={size // 2}-"))
    median = statistics.median
    return Opened(median(pages), median(sounds), median(seeks), median(browser), max(browser))


async def _size(client: aiohttp.ClientSession, address: str) -> int:
    async with client.get(address, headers={"Range": "bytes=0-0"}) as answer:
        return int(answer.headers["Content-Range"].rpartition("/")[2])


async def _timed(client: aiohttp.ClientSession, address: str, wanted: str = "") -> float:
    began = time.perf_counter()
    async with client.get(address, headers={"Range": wanted} if wanted else {}) as answer:
        answer.raise_for_status()
        await answer.read()
    return time.perf_counter() - began


async def _opened(browser: Browser, made: Stage, call: CallId) -> float:
    context = await browser.new_context(viewport={"width": 1280, "height": 720})
    await context.add_cookies([{"name": "who", "value": "lead", "url": made.url("/")}])
    page = await context.new_page()
    await page.add_init_script(_OPEN)
    await page.goto(made.url(f"/calls/{call}"), wait_until="commit")
    opened = await page.wait_for_selector("html[data-opened-ms]")
    took = float((opened and await opened.get_attribute("data-opened-ms")) or "nan") / 1000
    await context.close()
    return took
