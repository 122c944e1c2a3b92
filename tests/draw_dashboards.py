"""Pictures of the dashboards for the documents: Grafana's own components draw what a real Prometheus answers.

``python -m tests.draw_dashboards`` runs a hotline with simulated callers for a while and draws what it gave; with
``--prometheus URL`` it draws what that one knows, and with ``--board quality`` only that board. npm fetches what
is needed of Grafana.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import re
import signal
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, Route, TimeoutError

from service.asterisk import Asterisk
from service.demo import Demo
from service.processes import ServiceProcess
from service.settings import ROOT, load_settings
from service.wiring import menu_of
from tests.support_centre import ASTERISK_DIR
from tests.support_chromium import chromium
from tests.support_dashboards import Asked, Json, answer, asked_by, dashboards, panels
from tests.support_npm import fetched
from tests.support_prometheus import Prometheus, PrometheusApi

PREVIEW = ROOT / "metrics" / "dashboards" / "preview"
PICTURES = ROOT / "docs" / "pictures"

PAGE = "http://127.0.0.1/"
"""Never asked for: the browser's requests are answered here."""

HTML = """<!doctype html><meta charset="utf-8"><title>Sansheng</title><link rel="stylesheet" href="draw.css">
<body style="margin:0"><div id="root"></div><script src="draw.js"></script>"""

WIDTH_PX = 1600
POINTS = 160
CALLS_PER_MINUTE = 6


@dataclass(frozen=True)
class Span:
    """The time that is drawn, in seconds since 1970."""

    since: float
    until: float

    @property
    def step_s(self) -> int:
        return max(5, round((self.until - self.since) / POINTS))


def bundled() -> Path:
    """The folder with ``draw.js`` and ``draw.css``, made from the preview's sources."""
    work = fetched(PREVIEW, "--legacy-peer-deps")
    subprocess.run(["npm", "run", "--silent", "bundle"], cwd=work, check=True)
    return work / "out"


async def answers(prometheus: PrometheusApi, dashboard: Json, span: Span) -> dict[str, dict[str, Any]]:
    """What Prometheus answers to every query, by panel and reference."""
    found: dict[str, dict[str, Any]] = {}
    for panel in panels(dashboard):
        found[str(panel["id"])] = {
            target["refId"]: await answer(
                prometheus,
                asked_by(panel, target, panel["title"]),
                span.since,
                span.until,
                span.step_s,
            )
            for target in panel["targets"]
        }
    return found


async def marks(prometheus: PrometheusApi, dashboard: Json, span: Span) -> list[Json]:
    """When something began that the dashboard marks."""
    found = []
    for mark in dashboard["annotations"]["list"]:
        for series in await answer(
            prometheus, Asked(mark["name"], mark["expr"], instant=False), span.since, span.until, span.step_s
        ):
            moments = [at for at, _ in series["values"]]
            began = [
                at
                for at, before in zip(moments, [span.since, *moments], strict=False)
                if at - before > span.step_s
            ]
            found += [{"at": at * 1000, "color": mark["iconColor"]} for at in began]
    return found


FONTS = {"Regular": 400, "Medium": 500}


async def serve(route: Route, bundle: Path) -> None:
    """The page and what belongs to it; nobody else is asked."""
    name = route.request.url.removeprefix(PAGE)
    packages = bundle.parent / "node_modules"
    font = re.fullmatch(r"public/fonts/inter/Inter-(\w+)\.woff2", name)
    if not name:
        await route.fulfill(body=HTML, content_type="text/html")
    elif name in ("draw.js", "draw.css"):
        await route.fulfill(path=bundle / name)
    elif font and font[1] in FONTS:
        weight = FONTS[font[1]]
        await route.fulfill(path=packages / f"@fontsource/inter/files/inter-latin-{weight}-normal.woff2")
    else:
        await route.fulfill(status=404)


async def draw(browser: Browser, bundle: Path, job: Json, picture: Path) -> None:
    """Draw one dashboard. Whatever the browser complains of ends the script."""
    page = await browser.new_page(viewport={"width": job["width"], "height": 1080})
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    await page.route("**/*", lambda route: serve(route, bundle))
    await page.goto(PAGE)
    await page.evaluate("job => window.draw(job)", job)
    with contextlib.suppress(TimeoutError):  # then the page has said why
        await page.wait_for_selector("#dashboard canvas, #dashboard [role=grid]")
    await page.wait_for_timeout(1500)  # charts measure themselves and draw again
    if complaints:
        raise SystemExit(f"{picture.name}: {complaints}")
    await page.locator("#dashboard").screenshot(path=picture)
    await page.close()


async def draw_all(
    prometheus: PrometheusApi, span: Span, folder: Path, languages: list[str], boards: list[str]
) -> None:
    """The boards, or every dashboard if none is named, in each language, into a folder."""
    bundle = await asyncio.to_thread(bundled)
    folder.mkdir(parents=True, exist_ok=True)
    async with chromium() as browser:
        for language in languages:
            for slug, dashboard in dashboards(language).items():
                if boards and slug not in boards:
                    continue
                job = {
                    "dashboard": dashboard,
                    "answers": await answers(prometheus, dashboard, span),
                    "marks": await marks(prometheus, dashboard, span),
                    "from": span.since * 1000,
                    "to": span.until * 1000,
                    "width": WIDTH_PX,
                }
                ending = "" if language == "zh-CN" else f"-{language}"
                picture = folder / f"dashboards-{slug}{ending}.png"
                await draw(browser, bundle, json.loads(json.dumps(job)), picture)
                print(picture)


SETTINGS = """
var_dir = "{var_dir}"
asterisk_dir = "{asterisk_dir}"
instance = "pictures"
[queueing]
wrap_up_s = 5
[sip]
port = 35060
rtp_first_port = 36000
rtp_last_port = 37999
[ports]
ami = 35038
agi = 35573
web = 35080
[reliability]
synthetic_every_s = 120
"""


@contextlib.asynccontextmanager
async def busy_hotline(minutes: float) -> AsyncIterator[Prometheus]:
    """A hotline that took simulated calls for so long and once lost its Asterisk, watched by a Prometheus."""
    async with contextlib.AsyncExitStack() as stack:
        temporary = tempfile.TemporaryDirectory(prefix="sansheng-", ignore_cleanup_errors=True)
        folder = Path(stack.enter_context(temporary))
        config = folder / "settings.toml"
        config.write_text(SETTINGS.format(var_dir=folder, asterisk_dir=ASTERISK_DIR))
        settings = load_settings(config)
        asterisk = Asterisk(settings, menu_of(settings))
        service = ServiceProcess(settings, ("--config", str(config)))
        prometheus = Prometheus(settings, 35090, every_s=5)
        for part in (asterisk, service, prometheus):
            stack.push_async_callback(part.stop)
            await part.start()
        await service.ready()
        await stack.enter_async_context(Demo(settings, asterisk, CALLS_PER_MINUTE))
        print(f"taking calls for {minutes:g} minutes …", flush=True)
        await asyncio.sleep(minutes * 60 * 0.6)
        asterisk.kill()
        await asterisk.wait()
        await asyncio.sleep(20)
        await asterisk.start()
        await asyncio.sleep(minutes * 60 * 0.4)
        yield prometheus


async def main() -> None:
    """See the module."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--minutes", type=float, default=20, help="how long calls are taken, and what is drawn")
    options.add_argument("--prometheus", help="draw what this Prometheus knows instead")
    options.add_argument("--folder", type=Path, default=PICTURES)
    options.add_argument(
        "--board", action="append", choices=sorted(dashboards("zh-CN")), help="draw only this one (or these)"
    )
    options.add_argument("--language", action="append", choices=["zh-CN", "en"])
    chosen = options.parse_args()
    languages = chosen.language or ["zh-CN"]

    async def picture(prometheus: PrometheusApi) -> None:
        until = time.time()
        await draw_all(
            prometheus, Span(until - chosen.minutes * 60, until), chosen.folder, languages, chosen.board or []
        )

    if chosen.prometheus:
        await picture(PrometheusApi(chosen.prometheus))
    else:
        async with busy_hotline(chosen.minutes) as prometheus:
            await picture(prometheus)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    asyncio.run(main())
