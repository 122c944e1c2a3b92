"""How long a call of an hour takes to open: at the server, and in a browser until its waveform stands there."""

from __future__ import annotations

import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import aiohttp
from playwright.async_api import Browser

from bench.console.fill import hour_long_call
from storage.engine import upgrade
from tests.support_chromium import chromium
from tests.support_player import Stage, stage

_TIMES = 5


@dataclass(frozen=True, slots=True)
class HourOpened:
    """Seconds, medians of five."""

    page_s: float
    """The page, at the server and over the loopback."""
    sound_s: float
    """The first piece of the masked sound, unsealed and beeped over, in a session that had not opened it."""
    seek_s: float
    """A piece from its middle."""
    browser_s: float
    """In a browser, from asking for the page until both legs' outlines are drawn."""


async def open_an_hour() -> HourOpened:
    """Make such a call, and open it."""
    with tempfile.TemporaryDirectory(prefix="sansheng-console-") as folder:
        url = f"sqlite:///{folder}/ledger.db"
        await upgrade(url)
        async with stage(url, Path(folder)) as made:
            call = await hour_long_call(made)
            page, sound, seek = await _fetched(made, call)
            async with chromium() as browser:
                drawn = [await _drawn(browser, made, call) for _ in range(_TIMES)]
            return HourOpened(page, sound, seek, statistics.median(drawn))


async def _fetched(made: Stage, call: str) -> tuple[float, float, float]:
    pages, sounds, seeks = list[float](), list[float](), list[float]()
    for who in ("lead", "monitor", "supervisor", "agent", "lead"):
        async with aiohttp.ClientSession(cookies={"who": who}) as client:
            pages.append(await _timed(client, made.url(f"/calls/{call}")))
            address = made.url(f"/calls/{call}/sound/mixed")
            first = await _timed(client, address, "bytes=0-")
            seeks.append(await _timed(client, address, "bytes=28000000-"))
            if len(sounds) < 4:  # the last one had it open already
                sounds.append(first)
    return statistics.median(pages), statistics.median(sounds), statistics.median(seeks)


async def _timed(client: aiohttp.ClientSession, address: str, wanted: str = "") -> float:
    began = time.perf_counter()
    async with client.get(address, headers={"Range": wanted} if wanted else {}) as answer:
        answer.raise_for_status()
        await answer.read()
    return time.perf_counter() - began


async def _drawn(browser: Browser, made: Stage, call: str) -> float:
    context = await browser.new_context(viewport={"width": 1280, "height": 720})
    await context.add_cookies([{"name": "who", "value": "lead", "url": made.url("/")}])
    page = await context.new_page()
    began = time.perf_counter()
    await page.goto(made.url(f"/calls/{call}"), wait_until="commit")
    await page.wait_for_selector("call-player[data-drawn]")
    took = time.perf_counter() - began
    await context.close()
    return took
