"""A served console with a real gate for tests: a database, people of every role, browsers and clients signed in.

    async with served(tmp_path) as console:
        answer = await console.get("monitor", "/samples")           # signed in as LOGINS' person of that name
        answer = await console.post("monitor", "/samples", {"plan": "1"})    # with the token, from our own origin
        page = await console.page(browser, "lead", "/samples", language="en")

`console.parts` is what the areas were made from, `console.engine` its database. Everything runs on the test's own
loop; in the service the same code runs in the back room.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import aiohttp
from aiohttp import web
from argon2 import PasswordHasher
from playwright.async_api import Browser, Page
from sqlalchemy.ext.asyncio import AsyncEngine

from calls.accounts import Account
from calls.custody import Access, AccessKind
from calls.ids import AgentNumber, Language, SectionId
from calls.live import LinkNow, Picture
from calls.people import Grant, Role
from calls.ports import Clock
from console.app import Health, Now, Render, make_app
from console.areas import areas as every_area
from console.assets import Assets
from console.doorkeeper import csrf_of
from console.feed import LiveSource
from console.gate import Gate
from console.limits import Limits
from console.parts import Parts
from console.passwords import Passwords
from console.refusals import Refusals
from console.routes import Area
from console.view import Board
from service.console import parts_of
from service.settings import Settings
from tests.support_chromium import context_of
from tests.support_prepared import copied, dropped, keep_copy, patient_engine, prepared
from tests.support_templates import compile_once

compile_once()

T = TypeVar("T")

PASSWORD = "three rings, then a person"
INQUIRY, COMPLAINT = SectionId("inquiry"), SectionId("complaint")
SECTION_NAMES = {
    SectionId(id): {Language("zh-CN"): chinese, Language("en"): english}
    for id, chinese, english in (
        ("inquiry", "咨询受理科", "Inquiries"),
        ("complaint", "投诉处理科", "Complaints"),
        ("ticketing", "票务服务科", "Ticketing"),
        ("coordination", "综合协调科", "Coordination"),
    )
}


@dataclass(frozen=True)
class Somebody:
    """One person of the tests."""

    login: str
    name: str
    grants: tuple[Grant, ...]
    agent: str | None = None


LOGINS = (
    Somebody("agent", "王晓梅", (Grant(Role.AGENT, INQUIRY),), "1001"),
    Somebody("agent2", "李建国", (Grant(Role.AGENT, COMPLAINT),), "2001"),
    Somebody("monitor", "张敏", (Grant(Role.MONITOR, INQUIRY),)),
    Somebody("monitor2", "刘洋", (Grant(Role.MONITOR),)),
    Somebody("lead", "陈静", (Grant(Role.LEAD),)),
    Somebody("supervisor", "赵磊", (Grant(Role.SUPERVISOR, INQUIRY),)),
    Somebody("ops", "孙浩", (Grant(Role.OPS),)),
    Somebody("admin", "周婷", (Grant(Role.ADMIN),)),
)
"""Each role, and a second agent and monitor of other sections."""


class TimeNow:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class SetTime:
    """A clock that a test sets."""

    def __init__(self, moment: datetime) -> None:
        self.moment = moment

    def now(self) -> datetime:
        return self.moment


class NothingLive:
    """A live source with nothing going on."""

    def picture(self) -> Picture:
        return Picture(at=datetime.now(UTC), link=LinkNow.DOWN)

    async def changes(self) -> AsyncIterator[Picture]:
        yield self.picture()


async def here(work: Coroutine[Any, Any, T]) -> T:
    """The room is the loop itself."""
    return await work


async def no_metrics() -> bytes:
    return b""


@dataclass
class ServedConsole:
    """It runs; ask it as somebody."""

    url: str
    parts: Parts
    app: web.Application
    _clients: dict[str, aiohttp.ClientSession] = field(default_factory=dict)

    @property
    def engine(self) -> AsyncEngine:
        return self.parts.engine

    async def client(self, login: str = "") -> aiohttp.ClientSession:
        """A client that signed in as this person, the same one each time; nobody for an empty name."""
        if login not in self._clients:
            jar = aiohttp.CookieJar(unsafe=True)
            timeout = aiohttp.ClientTimeout(300)
            self._clients[login] = aiohttp.ClientSession(cookie_jar=jar, timeout=timeout)
            if login:
                await self.sign_in(self._clients[login], login)
        return self._clients[login]

    async def sign_in(self, client: aiohttp.ClientSession, login: str, password: str = PASSWORD) -> None:
        """By the form, as a person would."""
        async with client.get(f"{self.url}/login"):
            pass
        async with self.form(client, "/login", {"login": login, "password": password}) as answer:
            assert answer.status == 303, f"{login} was not let in: {answer.status}"

    def form(self, client: aiohttp.ClientSession, path: str, fields: Mapping[str, str] | aiohttp.FormData) -> Any:
        """POST a form as a page of ours does; for ``async with``."""
        headers = {"Origin": self.url, "X-CSRF-Token": self.token(client)}
        data = fields if isinstance(fields, aiohttp.FormData) else dict(fields)
        return client.post(self.url + path, data=data, headers=headers, allow_redirects=False)

    def token(self, client: aiohttp.ClientSession) -> str:
        """The token of the client's forms."""
        cookies = {cookie.key: cookie.value for cookie in client.cookie_jar}
        return csrf_of(cookies.get("sansheng") or cookies.get("sansheng_visit", ""))

    async def get(self, login: str, path: str, **headers: str) -> tuple[int, str]:
        """Status and text of a page, redirections not followed."""
        client = await self.client(login)
        async with client.get(self.url + path, allow_redirects=False, headers=headers) as answer:
            return answer.status, await answer.text()

    async def post(self, login: str, path: str, fields: Mapping[str, str] | None = None) -> tuple[int, str]:
        """Status and, of a redirection, the address that it leads to, else the text."""
        client = await self.client(login)
        async with self.form(client, path, fields or {}) as answer:
            return answer.status, answer.headers.get("Location") or await answer.text()

    async def page(
        self,
        browser: Browser,
        login: str,
        path: str = "/",
        *,
        language: str = "zh-CN",
        dark: bool = False,
        java_script: bool = True,
    ) -> Page:
        """A browser's page, signed in as this person; close its ``context``. See ``complaints``."""
        context = await context_of(
            browser,
            viewport={"width": 1280, "height": 720},
            locale=language,
            color_scheme="dark" if dark else "light",
            java_script_enabled=java_script,
        )
        if login:
            client = await self.client(login)
            await context.add_cookies(
                [{"name": one.key, "value": one.value, "url": self.url} for one in client.cookie_jar]
            )
        page = await context.new_page()
        await page.goto(self.url + path)
        return page

    def keep(self, client: aiohttp.ClientSession) -> None:
        """Close it, too, at the end."""
        self._clients[f" {len(self._clients)}"] = client

    async def close(self) -> None:
        """Who is asked for again signs in again."""
        for client in self._clients.values():
            await client.close()
        self._clients.clear()


def complaints(page: Page) -> list[str]:
    """What the browser complains of from now on: errors of scripts, breaches of the content security policy."""
    heard: list[str] = []
    page.on("console", lambda said: heard.append(said.text) if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: heard.append(str(error)))
    return heard


@asynccontextmanager
async def served(
    folder: Path,
    *,
    kind: str = "sqlite",
    url: str | None = None,
    people: Iterable[Somebody] = LOGINS,
    clock: Clock | None = None,
    settings: Settings | None = None,
    live: LiveSource | None = None,
    render: Render = no_metrics,
    health: Health = dict,
    board: Board | None = None,
    heartbeat_s: float = 5.0,
    port: int = 0,
    limits: Limits | None = None,
    areas: Callable[[Parts], Iterable[Area]] = every_area,
    change: Callable[[Parts], Parts] = lambda parts: parts,
) -> AsyncIterator[ServedConsole]:
    """A console on a free port, with a fresh database, or that of ``url``.

    ``change`` may put other parts in; ``areas`` decides what is served.
    """
    people = tuple(people)
    # At the same moment the same people were added before: then they are copied, too.
    moment = clock.moment if isinstance(clock, SetTime) and kind == "sqlite" and url is None else None
    known = copied((people, moment), folder) if moment else None
    database = known or url or await prepared(kind, folder)
    engine = patient_engine(database)
    assets = Assets()
    settings = settings or Settings(var_dir=folder, database_url=database)
    parts = change(parts_of(settings, engine, clock or TimeNow(), SECTION_NAMES, assets))
    cheap = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    parts.doorkeeper.passwords = Passwords(cheap)
    if not known:
        await add_people(parts, people, cheap.hash(PASSWORD))
        if moment:
            await asyncio.to_thread(keep_copy, (people, moment), folder)
    gate = Gate(parts.doorkeeper, here, parts.painter, parts.doors, limits, Refusals(parts.accesses))
    now = Now(live or NothingLive(), render, health, board, heartbeat_s, assets)
    app = make_app(gate, now, areas(parts))
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port, reuse_address=True).start()
    console = ServedConsole(f"http://127.0.0.1:{runner.addresses[0][1]}", parts, app)
    try:
        yield console
    finally:
        await console.close()
        await runner.cleanup()
        await engine.dispose()
        if url is None:
            dropped(database)


async def add_people(parts: Parts, people: Iterable[Somebody], password_hash: str) -> None:
    """Those who are not there yet."""
    for each in people:
        if await parts.doorkeeper.people.find(each.login):
            continue
        account = Account(
            login=each.login,
            name=each.name,
            agent=AgentNumber(each.agent) if each.agent else None,
            grants=each.grants,
            created_at=parts.clock.now(),
            password_hash=password_hash,
        )
        noted = Access("service:tests", AccessKind.PEOPLE, f"{each.login} added")
        await parts.doorkeeper.people.add(account, noted)
