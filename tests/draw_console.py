"""Pictures of the console for the documents, drawn by Debian's Chromium.

``python -m tests.draw_console`` fills a database with a hotline's work (``tests/support_furnished.py``), serves it
and writes ``docs/pictures/console-*.png``; names as arguments draw only those.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from dataclasses import dataclass
from pathlib import Path

from playwright.async_api import Browser

from service.settings import ROOT
from tests.support_chromium import chromium
from tests.support_console import ServedConsole, complaints
from tests.support_furnished import CASE, HEARD, furnished

PICTURES = ROOT / "docs" / "pictures"
_SETTLED_MS = 700


@dataclass(frozen=True)
class Picture:
    """A page as somebody sees it, at 1280 × 720."""

    name: str
    login: str
    path: str
    language: str = "zh-CN"
    dark: bool = False
    wait_for: str = "main"


_DRAWN = "call-player[data-drawn]"
_AT = f"/calls/{HEARD}?at=36.2"

ALL = (
    Picture("call", "monitor", _AT, wait_for=_DRAWN),
    Picture("call-dark-en", "monitor", _AT, language="en", dark=True, wait_for=_DRAWN),
    Picture("calls", "monitor2", "/calls"),
    Picture("scoring", "monitor", "/quality/scores/4/sheet"),
    Picture("sampling", "lead", "/quality/plans/1"),
    Picture("form", "lead", "/quality/forms/form-1/draft"),
    Picture("desk-pop", "agent", "/desk", wait_for=".pop"),
    Picture("complaint", "chief", f"/cases/{CASE}"),
    Picture("cases", "chief", "/cases"),
    Picture("team", "supervisor", "/team"),
    Picture("figures-en", "lead", "/figures?period=2026-11-20", language="en"),
    Picture("figures-dark", "lead", "/figures?period=2026-11-20", dark=True),
    Picture("public-form", "", "/form/complaint"),
)


async def draw(browser: Browser, console: ServedConsole, picture: Picture, folder: Path) -> None:
    """Draw one page. Whatever the browser complains of ends the script."""
    start = "/account" if picture.login else "/login"
    page = await console.page(browser, picture.login, start, language=picture.language, dark=picture.dark)
    heard = complaints(page)
    answer = await page.goto(console.url + picture.path)
    await page.wait_for_selector(picture.wait_for)
    await page.wait_for_timeout(_SETTLED_MS)
    if answer is None or answer.status != 200 or heard:
        raise SystemExit(f"{picture.name}: {answer and answer.status} {heard}")
    file = folder / f"console-{picture.name}.png"
    await page.screenshot(path=file)
    await page.context.close()
    print(file, flush=True)


async def main() -> None:
    """See the module."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("names", nargs="*", help="pictures to draw; all without")
    options.add_argument("--folder", type=Path, default=PICTURES)
    chosen = options.parse_args()
    chosen.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="sansheng-") as made:
        async with furnished(Path(made)) as console, chromium() as browser:
            for picture in ALL:
                if not chosen.names or picture.name in chosen.names:
                    await draw(browser, console, picture, chosen.folder)


if __name__ == "__main__":
    asyncio.run(main())
