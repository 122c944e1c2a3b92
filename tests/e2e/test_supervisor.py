"""A supervisor steers a real agent in a real Asterisk, and operations see a real service at work (A1, K5)."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

import aiohttp
import pytest

from calls.accounts import Account, Session
from calls.custody import Access, AccessKind
from calls.ids import SectionId
from calls.live import AgentState
from calls.people import Grant, Role
from calls.presence import PresenceChange, PresenceStep
from console.doorkeeper import csrf_of, hashed
from ivr.queue_log import presence_of_record, record_of_line
from service.wiring import SystemClock
from storage.access import SqlAccessLog
from storage.engine import open_engine
from storage.people import SqlPeople
from storage.sessions import SqlSessions
from tests.support_centre import Centre, within

pytestmark = pytest.mark.asyncio(loop_scope="session")

CLOCK = SystemClock()


@dataclass
class Browser:
    """Somebody's browser, without the browser."""

    url: str
    web: aiohttp.ClientSession
    secret: str
    login: str

    async def get(self, path: str) -> str:
        async with self.web.get(self.url + path, headers={"Accept-Language": "zh-CN"}) as answer:
            assert answer.status == 200, path
            return await answer.text()

    async def post(self, path: str, **fields: str) -> int:
        told = {**fields, "csrf": csrf_of(self.secret)}
        headers = {"Origin": self.url, "Accept-Language": "zh-CN"}
        async with self.web.post(self.url + path, data=told, headers=headers, allow_redirects=False) as answer:
            return answer.status


@asynccontextmanager
async def signed_in(centre: Centre, *grants: Grant) -> AsyncIterator[Browser]:
    """Somebody with these roles."""
    engine, now, secret = open_engine(centre.settings.ledger_url), CLOCK.now(), secrets.token_urlsafe(32)
    login = f"e2e{secrets.token_hex(4)}"
    account = Account(login=login, name="赵磊", created_at=now, grants=grants)
    session = Session(
        id=hashed(secret),
        login=login,
        began_at=now,
        seen_at=now,
        ends_at=now + timedelta(hours=1),
        address="127.0.0.1",
        browser="a test",
    )
    try:
        await SqlPeople(engine, CLOCK).add(account, Access("service:tests", AccessKind.PEOPLE, "a test"))
        await SqlSessions(engine, CLOCK).begin(session)
        async with aiohttp.ClientSession(headers={"Cookie": f"sansheng={secret}"}) as web:
            yield Browser(f"http://127.0.0.1:{centre.settings.ports.web}", web, secret, login)
    finally:
        await engine.dispose()


async def test_a_forced_pause_is_asterisks_and_its_reason_comes_whole_into_the_books(centre: Centre) -> None:
    await centre.home()
    supervisor = Grant(Role.SUPERVISOR, SectionId("inquiry"))
    async with signed_in(centre, supervisor) as browser, asyncio.timeout(60):
        await centre.log_in("1001")
        here = "/team/agents/1001"
        assert await browser.post(f"{here}/state", do="pause", reason="training", why="消防演练|三号楼") == 303
        agent = (await centre.agents())["1001"]
        assert (agent.state, agent.reason) == (AgentState.PAUSED, "培训: 消防演练 三号楼 (赵磊)")

        async def paused_on_the_page() -> bool:
            return "消防演练 三号楼 (赵磊)" in await browser.get("/team")

        async def logged_out_on_the_page() -> bool:
            return "没有回应 (赵磊)" in await browser.get("/team")

        assert await within(paused_on_the_page, 5), "and the agent's desk shows the same"
        lines = centre.queue_log.read_bytes().splitlines()
        told = [change for n, line in enumerate(lines) if (change := _presence(line, n))]
        paused = [change.reason for change in told if change.step is PresenceStep.PAUSED]
        assert paused[-1] == "培训: 消防演练 三号楼 (赵磊)", "whole in what the books of presence are made from"
        engine = open_engine(centre.settings.ledger_url)
        try:
            assert await browser.post(f"{here}/state", do="logout", why="没有回应") == 303
            assert (await centre.agents())["1001"].state is AgentState.LOGGED_OUT
            assert await within(logged_out_on_the_page, 5), "as on the agent's desk"
            noted = await SqlAccessLog(engine, CLOCK).entries(actor=browser.login)
            assert [each.access.kind for each in noted] == [AccessKind.STEER, AccessKind.STEER]
        finally:
            await engine.dispose()


def _presence(line: bytes, position: int) -> PresenceChange | None:
    record = record_of_line(line, position)
    return presence_of_record(record) if record else None


async def test_operations_see_a_service_at_work(centre: Centre) -> None:
    await centre.home()
    async with signed_in(centre, Grant(Role.OPS)) as browser, asyncio.timeout(60):

        async def all_work() -> bool:
            page = await browser.get("/ops")
            return page.count('data-tone="good">正常') == 6  # trunk and transcription are not in service here

        assert await within(all_work, 30), await browser.get("/ops")
        page = await browser.get("/ops/backlog")
        assert "待入库事件" in page
        for path in ("/ops/books", "/ops/webhooks", "/ops?period=2026"):
            await browser.get(path)
