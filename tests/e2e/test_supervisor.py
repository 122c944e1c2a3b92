"""A supervisor steers a real agent in a real Asterisk, and operations see a real service at work (A1, K5)."""

from __future__ import annotations

import asyncio

import pytest

from calls.custody import AccessKind
from calls.ids import SectionId
from calls.live import AgentState
from calls.people import Grant, Role
from calls.presence import PresenceChange, PresenceStep
from ivr.queue_log import presence_of_record, record_of_line
from service.wiring import SystemClock
from storage.access import SqlAccessLog
from storage.engine import open_engine
from tests.support_centre import PATIENCE_S, Centre, within
from tests.support_signed_in import SignedIn, signed_in

pytestmark = pytest.mark.asyncio(loop_scope="session")

CLOCK = SystemClock()


async def page_of(person: SignedIn, path: str) -> str:
    """A page that is there for them."""
    status, page = await person.get(path)
    assert status == 200, path
    return page


async def steered(person: SignedIn, path: str, **fields: str) -> bool:
    """Whether a form was taken."""
    status, _ = await person.post(path, fields)
    return status == 303


async def test_a_forced_pause_is_asterisks_and_its_reason_comes_whole_into_the_books(centre: Centre) -> None:
    await centre.home()
    supervisor = Grant(Role.SUPERVISOR, SectionId("inquiry"))
    async with signed_in(centre, supervisor, name="赵磊") as browser, asyncio.timeout(300):
        await centre.log_in("1001")
        here = "/team/agents/1001"
        assert await steered(browser, f"{here}/state", do="pause", reason="training", why="消防演练|三号楼")
        agent = (await centre.agents())["1001"]
        assert (agent.state, agent.reason) == (AgentState.PAUSED, "培训: 消防演练 三号楼 (赵磊)")

        async def paused_on_the_page() -> bool:
            return "消防演练 三号楼 (赵磊)" in await page_of(browser, "/team")

        async def logged_out_on_the_page() -> bool:
            return "没有回应 (赵磊)" in await page_of(browser, "/team")

        assert await within(paused_on_the_page, PATIENCE_S), "and the agent's desk shows the same"
        lines = centre.queue_log.read_bytes().splitlines()
        told = [change for n, line in enumerate(lines) if (change := _presence(line, n))]
        paused = [change.reason for change in told if change.step is PresenceStep.PAUSED]
        assert paused[-1] == "培训: 消防演练 三号楼 (赵磊)", "whole in what the books of presence are made from"
        engine = open_engine(centre.settings.ledger_url)
        try:
            assert await steered(browser, f"{here}/state", do="logout", why="没有回应")
            assert (await centre.agents())["1001"].state is AgentState.LOGGED_OUT
            assert await within(logged_out_on_the_page, PATIENCE_S), "as on the agent's desk"
            noted = await SqlAccessLog(engine, CLOCK).entries(actor=browser.login)
            assert [each.access.kind for each in noted] == [AccessKind.STEER, AccessKind.STEER]
        finally:
            await engine.dispose()


def _presence(line: bytes, position: int) -> PresenceChange | None:
    record = record_of_line(line, position)
    return presence_of_record(record) if record else None


async def test_operations_see_a_service_at_work(centre: Centre) -> None:
    await centre.home()
    async with signed_in(centre, Grant(Role.OPS)) as browser, asyncio.timeout(300):

        async def all_work() -> bool:
            page = await page_of(browser, "/ops")
            return page.count('data-tone="good">正常') == 6  # trunk and transcription are not in service here

        assert await within(all_work, PATIENCE_S), await page_of(browser, "/ops")
        page = await page_of(browser, "/ops/backlog")
        assert "待入库事件" in page
        for path in ("/ops/books", "/ops/webhooks", "/ops?period=2026"):
            await page_of(browser, path)
