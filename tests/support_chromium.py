"""A real headless Chromium for tests of the console, Debian's own, with fonts that can write Chinese."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, BrowserContext, async_playwright, expect

_CHROMIUM = Path("/usr/bin/chromium")
_FONTS = Path("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc")
_LOCK = Path(__file__).parent.parent / "var" / "chromium.lock"

_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


PATIENCE_MS = 180_000
"""How long a page may take on a machine that runs other tests beside."""
expect.set_options(timeout=PATIENCE_MS)


def installed_chromium() -> Path:
    """The browser's program; it and the fonts are installed with apt-get first where they are missing."""
    _LOCK.parent.mkdir(exist_ok=True)
    with _LOCK.open("w") as lock:  # tests may run in several processes
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (_CHROMIUM.exists() and _FONTS.exists()):
            apt_get = shutil.which("apt-get")
            assert apt_get, "the console's tests need Debian's packages chromium and fonts-noto-cjk"
            subprocess.run([apt_get, "-q", "update"], check=True)
            subprocess.run(
                [apt_get, "-qy", "install", "--no-install-recommends", "chromium", "fonts-noto-cjk"],
                check=True,
                env={"DEBIAN_FRONTEND": "noninteractive", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
            )
    return _CHROMIUM


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """A browser of its own, with a profile and a home that are thrown away. Its pages are for ``context_of``."""
    program = installed_chromium()
    with tempfile.TemporaryDirectory(prefix="chromium-", ignore_cleanup_errors=True) as home:
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(
                executable_path=program,
                args=_ARGUMENTS,
                env={**os.environ, "HOME": home},
                timeout=PATIENCE_MS,
            )
            try:
                yield browser
            finally:
                await browser.close()


async def context_of(browser: Browser, **options: Any) -> BrowserContext:
    """A context whose pages are waited for as long as everything here."""
    context = await browser.new_context(**options)
    context.set_default_timeout(PATIENCE_MS)
    return context
