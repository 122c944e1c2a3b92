"""The live page in a real browser, and the web application over real sockets (I1, I2, P1)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import aiohttp
import pytest
import pytest_asyncio
from playwright.async_api import Browser, ConsoleMessage, Page, expect

from calls.call import Stage
from calls.ids import AgentNumber, CallId, Language, SectionId
from calls.live import AgentNow, AgentState, CallNow, LinkNow, Picture, QueueNow
from calls.people import Grant, Role
from calls.ports import DayFigures, Ratio
from console import feed as feed_module
from console.feed import Feed
from console.view import Board
from metrics.exporter import Exporter
from tests.support_chromium import chromium, context_of
from tests.support_console import Somebody, served
from tests.support_ports import free_port
from tests.support_prepared import prepared

pytestmark = pytest.mark.asyncio(loop_scope="module")  # one browser for all of them

T0 = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
INQUIRY, COMPLAINT = SectionId("inquiry"), SectionId("complaint")
ZH, EN = Language("zh-CN"), Language("en")
BOARD = Board(
    section_names={
        INQUIRY: {ZH: "咨询受理科", EN: "Inquiries"},
        COMPLAINT: {ZH: "投诉处理科", EN: "Complaints"},
    }
)


def ago(seconds: float) -> datetime:
    return T0 - timedelta(seconds=seconds)


CALL = CallNow(CallId("hotline-1772413200.7"), Stage.QUEUE, ago(4), INQUIRY, ZH, None, ago(4), priority=True)
QUIET = Picture(
    at=T0,
    link=LinkNow.UP,
    agents=(AgentNow(AgentNumber("1001"), AgentState.LOGGED_OUT, ago(60)),),
    queues=(QueueNow(INQUIRY, 0, 0), QueueNow(COMPLAINT, 0, 0)),
    figures=DayFigures(Ratio(0, 0), Ratio(0, 0), Ratio(0, 0), 0, 0, 0, 0),
)
BUSY = Picture(
    at=T0,
    link=LinkNow.STALE,
    calls=(
        CALL,
        CallNow(
            CallId("hotline-1772413200.5"),
            Stage.TALK,
            ago(61),
            COMPLAINT,
            EN,
            AgentNumber("1002"),
            ago(70),
            arrived_at=ago(75),
        ),
    ),
    agents=(
        AgentNow(AgentNumber("1001"), AgentState.PAUSED, ago(9), "王晓梅", "let-it-ring", (INQUIRY,)),
        AgentNow(AgentNumber("1002"), AgentState.TALKING, ago(61), "Li", None, (COMPLAINT,)),
    ),
    queues=(QueueNow(INQUIRY, 1, 0, ago(4)), QueueNow(COMPLAINT, 0, 1)),
    figures=DayFigures(Ratio(119, 123), Ratio(110, 123), Ratio(120, 131), 150, 3, 2, 1),
    callbacks_open=2,
)


class FakeLive:
    """A live source that shows what a test tells it to."""

    def __init__(self, picture: Picture) -> None:
        self._picture = picture
        self.news: asyncio.Queue[Picture] = asyncio.Queue()

    def picture(self) -> Picture:
        return self._picture

    async def changes(self) -> AsyncIterator[Picture]:
        while True:
            yield await self.news.get()
            self.news.task_done()

    def show(self, picture: Picture) -> None:
        self._picture = picture
        self.news.put_nowait(picture)


class Site:
    """A console that runs, and can be stopped and started again at its address."""

    def __init__(self, folder: Path, live: FakeLive, heartbeat_s: float = 5.0) -> None:
        self.live = live
        self.health = {"ledger": True, "ami": True, "agi": True}
        self.heartbeat_s = heartbeat_s
        self.port = free_port()  # it comes back there
        self._folder = folder
        self._books = ""
        self._stack = AsyncExitStack()
        self._cookies: list[Any] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def board(self) -> str:
        return f"{self.url}/board"

    async def start(self) -> None:
        exporter = Exporter(sections=(INQUIRY, COMPLAINT), limit_s=15, build={"version": "1"})
        self._books = self._books or await prepared("sqlite", self._folder)
        self.console = await self._stack.enter_async_context(
            served(
                self._folder,
                url=self._books,
                people=[Somebody("watcher", "孙浩", (Grant(Role.OPS),))],
                live=self.live,
                render=exporter.render,
                health=lambda: self.health,
                board=BOARD,
                heartbeat_s=self.heartbeat_s,
                port=self.port,
            )
        )
        self.client = await self.console.client("watcher")

    async def stop(self) -> None:
        await self._stack.aclose()

    async def cookies(self) -> list[Any]:
        """Of somebody who is signed in; sessions outlive the service."""
        if not self._cookies:
            self._cookies = [{"name": c.key, "value": c.value, "url": self.url} for c in self.client.cookie_jar]
        return self._cookies


@pytest_asyncio.fixture(loop_scope="module")
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    site = Site(tmp_path, FakeLive(QUIET))
    await site.start()
    yield site
    await site.stop()


@pytest_asyncio.fixture(loop_scope="module")
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(300)) as session:
        yield session


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as browser:
        yield browser


@asynccontextmanager
async def opened(
    browser: Browser,
    site: Site,
    path: str = "/board",
    *,
    java_script: bool = True,
    may_lose_line: bool = False,
) -> AsyncIterator[Page]:
    """The page at a desk; errors and breaches of the content security policy fail the test."""
    context = await context_of(
        browser, viewport={"width": 1280, "height": 720}, locale="zh-CN", java_script_enabled=java_script
    )
    await context.add_cookies(await site.cookies())
    page = await context.new_page()
    complaints: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        lost_line = may_lose_line and "net::ERR_" in message.text
        if message.type in ("error", "warning") and not lost_line:
            complaints.append(message.text)

    page.on("console", hear)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("dialog", lambda dialog: complaints.append(f"a dialog opened: {dialog.message}"))
    await page.goto(path if path.startswith("about:") else site.url + path)
    yield page
    await context.close()
    assert complaints == []


# ── In the browser ───────────────────────────────────────────────────────────────────────────────────────────


async def test_a_change_of_the_picture_reaches_the_page(site: Site, browser: Browser) -> None:
    async with opened(browser, site, "/board?lang=zh-CN") as page:
        await expect(page.locator("[data-key='1001'] .state")).to_contain_text("未登录")
        await expect(page.get_by_text("没有座席登录")).to_be_visible()
        await expect(page.get_by_text("现在没有通话")).to_be_visible()

        site.live.show(BUSY)

        await expect(page.locator(".agent[data-key='1001']")).to_have_attribute("data-state", "paused")
        await expect(page.locator(".agent[data-key='1001']")).to_contain_text("三声未接")
        await expect(page.get_by_text("没有座席登录")).to_be_hidden()
        await expect(page.locator(".share[data-figure='k1']")).to_contain_text("96.7%")
        await expect(page.locator(".share[data-figure='k1']")).to_contain_text("119 / 123")
        await expect(page.locator(".share[data-figure='k2']")).to_contain_text("110 / 123")
        await expect(page.locator(".share[data-figure='k2r']")).to_contain_text("120 / 131")
        await expect(page.locator("tbody tr")).to_have_count(2)
        await expect(page.locator("tbody tr").first).to_contain_text("#7")
        await expect(page.locator("tbody tr").first).to_contain_text("优先")
        talk, arrived = page.locator("tbody tr").nth(1), ago(75).astimezone(ZoneInfo("Asia/Shanghai"))
        await expect(talk.locator("th")).to_contain_text(f"{arrived:%H:%M:%S}")
        await expect(talk.locator("td").nth(3)).to_contain_text("1002 Li")
        await expect(page.locator(".queue[data-key='inquiry'] .waiting b")).to_have_text("1")
        await expect(page.get_by_text("刚与 Asterisk 重新连接")).to_be_visible()

        site.live.show(QUIET)

        await expect(page.locator("tbody tr")).to_have_count(0)
        await expect(page.get_by_text("刚与 Asterisk 重新连接")).to_be_hidden()


async def test_what_stays_keeps_its_element_and_its_place(site: Site, browser: Browser) -> None:
    """Rows are not made afresh four times a second: selection and screen readers stay where they are."""
    newcomer = replace(BUSY.agents[0], number=AgentNumber("1000"), name="新来的")
    site.live.show(BUSY)
    async with opened(browser, site) as page:
        element = await page.locator(".agent[data-key='1002']").element_handle()
        site.live.show(replace(BUSY, agents=(newcomer, *BUSY.agents)))
        await expect(page.locator(".agent b").first).to_have_text("1000")
        assert await element.evaluate("(e) => e === document.querySelector('.agent[data-key=\"1002\"]')")


class _Outline(HTMLParser):
    """What a page says, without its white space and without the clocks, which never stand still."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[object] = []
        self._clock_depth = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self._clock_depth or ("class", "clock") in attrs:
            self._clock_depth += tag not in ("i",)
        if not self._clock_depth:
            self.seen.append((tag, sorted((name, value or "") for name, value in attrs)))

    def handle_endtag(self, tag: str) -> None:
        if self._clock_depth and tag not in ("i",):
            self._clock_depth -= 1

    def handle_data(self, data: str) -> None:
        if not self._clock_depth and data.strip():
            self.seen.append(" ".join(data.split()))


async def outline(page: Page) -> list[object]:
    parser = _Outline()
    parser.feed(await page.locator("main").inner_html())
    return parser.seen


async def test_the_first_paint_and_the_update_say_the_same(site: Site, browser: Browser) -> None:
    async with opened(browser, site) as updated:
        await expect(updated.locator("tbody tr")).to_have_count(0)
        site.live.show(BUSY)
        await expect(updated.locator("tbody tr")).to_have_count(2)
        by_update = await outline(updated)
    async with opened(browser, site, java_script=False) as painted:
        by_server = await outline(painted)
    assert len(by_server) > 100
    assert by_update == by_server


async def test_a_crowded_page_is_painted_in_part_and_filled_at_once(site: Site, browser: Browser) -> None:
    """Painting hundreds of calls would hold the callers in the menu up; the feed brings what was left out."""
    many = tuple(replace(CALL, call_id=CallId(f"hotline-1772413200.{n}")) for n in range(200))
    site.live.show(replace(BUSY, calls=many))
    async with opened(browser, site, java_script=False) as painted:
        assert 0 < await painted.locator("tbody tr").count() < 200
        await expect(painted.locator(".calls h2 small")).to_have_text("200")
    async with opened(browser, site) as filled:
        await expect(filled.locator("tbody tr")).to_have_count(200)


@pytest.mark.parametrize(
    ("waited_s", "alert", "words"), [(4, "calm", "第 1 声"), (12, "amber", "第 3 声"), (15, "red", "超 3 声")]
)
async def test_the_three_ring_clock(site: Site, browser: Browser, waited_s: float, alert: str, words: str) -> None:
    """A1: amber in the third ring, red when it is over, and never by colour alone."""
    site.live.show(replace(BUSY, calls=(replace(CALL, asked_at=ago(waited_s)),)))
    async with opened(browser, site, "about:blank") as page:
        await page.clock.set_fixed_time(T0)
        await page.goto(site.board)
        clock = page.locator("tbody .clock")
        await expect(clock).to_have_attribute("data-alert", alert)
        await expect(clock).to_contain_text(words)
        await expect(clock.locator("time")).to_have_text(f"0:{waited_s:02}")


async def test_the_readers_clock_does_not_matter(site: Site, browser: Browser) -> None:
    site.live.show(BUSY)
    async with opened(browser, site, "about:blank") as page:
        await page.clock.set_fixed_time(T0 + timedelta(hours=5))
        await page.goto(site.board)
        await expect(page.locator("tbody time").first).to_have_text("0:04")
        await expect(page.locator("#time")).to_have_text("09:00:00")


async def test_both_languages(site: Site, browser: Browser) -> None:
    site.live.show(BUSY)
    async with opened(browser, site) as page:
        await expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
        await expect(page.locator("h1")).to_contain_text("三声热线")
        await expect(page.locator("tbody")).to_contain_text("投诉处理科")

        await page.get_by_role("link", name="English").click()

        await expect(page.locator("html")).to_have_attribute("lang", "en")
        await expect(page.get_by_role("heading", name="Calls in progress")).to_be_visible()
        await expect(page.locator("tbody")).to_contain_text("Complaints")
        site.live.show(replace(BUSY, agents=(replace(BUSY.agents[1], state=AgentState.WRAP_UP),)))
        await expect(page.locator(".agent .state")).to_contain_text(["Wrap-up"])


HOSTILE = "<img src=x onerror=alert(1)>\"'><script>alert(2)</script>{{7*7}}"


@pytest.mark.parametrize("java_script", [True, False], ids=["updated", "first paint"])
async def test_a_hostile_name_is_only_text(site: Site, browser: Browser, java_script: bool) -> None:
    hostile = replace(
        BUSY, agents=(AgentNow(AgentNumber("1001"), AgentState.PAUSED, T0, HOSTILE, HOSTILE, (INQUIRY,)),)
    )
    if not java_script:
        site.live.show(hostile)
    async with opened(browser, site, java_script=java_script) as page:
        if java_script:
            site.live.show(hostile)
        await expect(page.locator(".agent .name")).to_have_text(HOSTILE)
        await expect(page.locator(".agent .detail")).to_have_attribute("title", HOSTILE)
        assert await page.locator("main img, main script").count() == 0


async def test_a_lost_line_shows_and_comes_back_by_itself(site: Site, browser: Browser) -> None:
    site.live.show(BUSY)
    async with opened(browser, site, "/board?lang=en", may_lose_line=True) as page:
        await expect(page.locator("#lost")).to_be_hidden()
        await expect(page.locator("tbody tr")).to_have_count(2)
        await page.wait_for_function("document.querySelector('#age').textContent !== ''")

        await site.stop()

        await expect(page.locator("#lost")).to_be_visible()
        await expect(page.locator("#lost")).to_contain_text("09:00:0")
        await expect(page.get_by_text("Disconnected")).to_be_visible()
        assert "grayscale" in await page.locator("main").evaluate("(e) => getComputedStyle(e).filter")

        site.live.show(QUIET)
        await site.start()

        await expect(page.locator("#lost")).to_be_hidden()
        await expect(page.locator("tbody tr")).to_have_count(0)
        assert await page.locator("main").evaluate("(e) => getComputedStyle(e).filter") == "none"


async def test_a_line_that_is_silent_counts_as_lost(site: Site, browser: Browser) -> None:
    async with opened(browser, site, "about:blank") as page:
        await page.clock.install(time=T0 - timedelta(hours=1))
        await page.clock.pause_at(T0)  # or the time that the page takes to open would count
        await page.route("**/live*", lambda route: None)
        await page.goto(site.board)
        await expect(page.locator("#lost")).to_be_hidden()
        await page.clock.run_for(int(4000 * site.heartbeat_s))
        await expect(page.locator("#lost")).to_be_visible()


async def test_a_page_of_an_older_version_reloads_itself(site: Site, browser: Browser) -> None:
    async with opened(browser, site) as page:
        async with page.expect_navigation():  # at the next picture, which may come before ours
            await page.evaluate("document.body.dataset.assets = 'old'")
            site.live.show(BUSY)
        assert await page.evaluate("document.body.dataset.assets") != "old"


async def test_the_keyboard_reaches_everything(site: Site, browser: Browser) -> None:
    site.live.show(BUSY)
    async with opened(browser, site, "/board?lang=en") as page:
        reached = []
        for _ in range(5):
            await page.keyboard.press("Tab")
            focus = page.locator(":focus")
            reached.append(await focus.get_attribute("aria-labelledby") or await focus.inner_text())
        assert reached == ["Skip to the board", "Console", "中文", "h-agents", "h-calls"]


@pytest.mark.parametrize("language", ["zh-CN", "en"])
@pytest.mark.parametrize(("width", "height"), [(1280, 720), (1920, 1080), (420, 900)])
async def test_nothing_sticks_out(site: Site, browser: Browser, language: str, width: int, height: int) -> None:
    site.live.show(BUSY)
    async with opened(browser, site, f"/board?lang={language}") as page:
        await page.set_viewport_size({"width": width, "height": height})
        await expect(page.locator("tbody tr")).to_have_count(2)
        root = page.locator("html")
        assert await root.evaluate("(e) => e.scrollWidth") <= width
        if width > 1100:
            assert await root.evaluate("(e) => e.scrollHeight") <= height


# ── Over HTTP ────────────────────────────────────────────────────────────────────────────────────────────────

PATHS = ["/", "/board", "/live", "/metrics", "/healthz", "/readyz", "/static/old/board.js", "/nonsense"]


@pytest.mark.parametrize("path", PATHS)
async def test_every_answer_is_strict_and_shares_nothing(
    site: Site, http: aiohttp.ClientSession, path: str
) -> None:
    async with http.get(site.url + path, headers={"Origin": "http://evil.example"}) as answer:
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "no-store"
        assert "Access-Control-Allow-Origin" not in answer.headers
        assert "Python" not in answer.headers["Server"]


@pytest.mark.parametrize("path", PATHS)
async def test_other_names_are_refused_while_bound_to_loopback(
    site: Site, http: aiohttp.ClientSession, path: str
) -> None:
    async with http.get(site.url + path, headers={"Host": "rebound.example"}) as answer:
        assert answer.status == 421
    async with http.get(f"{site.url}/healthz", headers={"Host": f"localhost:{site.port}"}) as answer:
        assert answer.status == 200


async def test_static_files_are_kept_for_ever_under_their_version(site: Site, http: aiohttp.ClientSession) -> None:
    async with site.client.get(site.board) as answer:
        html = await answer.text()
    path = html.split('src="')[1].split('"')[0]
    async with http.get(site.url + path) as answer:
        assert answer.status == 200
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert answer.content_type == "text/javascript"
    async with http.get(f"{site.url}/static/0000000000000000/board.js") as answer:
        assert answer.status == 404


async def test_metrics_are_prometheus_text(site: Site, http: aiohttp.ClientSession) -> None:
    async with http.get(f"{site.url}/metrics") as answer:
        assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        assert 'hotline_calls_offered_total{section="inquiry"} 0.0' in await answer.text()


async def test_ready_says_what_is_not(site: Site, http: aiohttp.ClientSession) -> None:
    async with http.get(f"{site.url}/readyz") as answer:
        assert (answer.status, (await answer.json())["ready"]) == (200, True)
    site.health["ami"] = False
    async with http.get(f"{site.url}/readyz") as answer:
        assert answer.status == 503
        assert await answer.json() == {"ready": False, "ledger": True, "ami": False, "agi": True}
    async with http.get(f"{site.url}/healthz") as answer:
        assert answer.status == 200, "the process is alive whatever it waits for"


async def test_only_reading(site: Site, http: aiohttp.ClientSession) -> None:
    async with site.client.post(site.board) as answer:
        assert answer.status == 405


async def next_view(answer: aiohttp.ClientResponse) -> dict[str, object]:
    async for line in answer.content:
        if line.startswith(b"data: "):
            view: dict[str, object] = json.loads(line.removeprefix(b"data: "))
            return view
    raise AssertionError("the feed ended")


async def test_the_feed_begins_with_the_picture_of_the_moment(site: Site, http: aiohttp.ClientSession) -> None:
    site.live.show(BUSY)
    async with site.client.get(f"{site.url}/live?lang=en") as answer:
        assert answer.content_type == "text/event-stream"
        view = await next_view(answer)
    assert view["callbacks_open"] == "2"
    assert view["link_text"] == "Asterisk: comparing"


async def test_with_no_news_the_feed_beats(tmp_path: Path) -> None:
    """Nobody tells the page that a wrap-up is over: it is, by the clock."""
    site = Site(tmp_path, FakeLive(BUSY), heartbeat_s=0.05)
    await site.start()
    try:
        async with site.client.get(f"{site.url}/live") as answer:
            assert (await next_view(answer))["callbacks_open"] == "2"
            site.live._picture = replace(BUSY, callbacks_open=1)
            while (await next_view(answer))["callbacks_open"] != "1":
                pass
    finally:
        await site.stop()


async def test_a_reader_who_takes_nothing_holds_up_nobody(site: Site, http: aiohttp.ClientSession) -> None:
    _, idle = await asyncio.open_connection("127.0.0.1", site.port, limit=1)
    session = next(c.value for c in site.client.cookie_jar if c.key == "sansheng")
    idle.write(f"GET /live HTTP/1.1\r\nHost: localhost\r\nCookie: sansheng={session}\r\n\r\n".encode())
    await idle.drain()
    many = tuple(replace(BUSY.agents[0], number=AgentNumber(str(n))) for n in range(1000, 3000))
    async with site.client.get(f"{site.url}/live", read_bufsize=2**22) as answer:
        await next_view(answer)
        for count in range(1, 31):
            site.live.show(replace(BUSY, agents=many, callbacks_open=count))
            while (await next_view(answer))["callbacks_open"] != str(count):
                pass
    idle.close()


# ── The feed by itself ───────────────────────────────────────────────────────────────────────────────────────


@asynccontextmanager
async def followed(feed: Feed) -> AsyncIterator[None]:
    task = asyncio.create_task(feed.run())
    yield
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_slow_reader_gets_the_latest_only() -> None:
    live = FakeLive(QUIET)
    feed = Feed(live, heartbeat_s=60)
    async with followed(feed):
        reader = feed.read()
        assert (await anext(reader)).callbacks_open == 0
        for count in (1, 2, 3):
            live.show(replace(QUIET, callbacks_open=count))
        await live.news.join()
        assert (await anext(reader)).callbacks_open == 3
        await feed.close()
        assert [picture async for picture in reader] == []


async def test_a_source_that_fails_is_asked_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Failing(FakeLive):
        failed = False

        async def changes(self) -> AsyncIterator[Picture]:
            if not self.failed:
                self.failed = True
                raise RuntimeError("once")
            async for picture in super().changes():
                yield picture

    monkeypatch.setattr(feed_module, "_AGAIN_S", 0)
    live = Failing(QUIET)
    feed = Feed(live, heartbeat_s=60)
    async with followed(feed):
        reader = feed.read()
        await anext(reader)
        live.show(BUSY)
        assert await anext(reader) == BUSY
    assert "live.source_failed" in caplog.text
