"""What the console does at Asterisk from another thread, over the service's own link."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from calls.errors import AmiLinkDown, AmiRefused
from calls.ids import AgentNumber
from service.back_room import BackRoom
from service.main_loop import MainLoop
from service.settings import Agent
from service.telephones import LinkTelephones
from tests.support_ami import FakeAmi, up

ANNE = AgentNumber("1001")
ROSTER = [Agent(number="1001", sections=("inquiry", "ticketing"))]


@pytest_asyncio.fixture
async def asterisk() -> AsyncIterator[FakeAmi]:
    async with FakeAmi() as ami:
        for name in ("QueueAdd", "QueueRemove", "QueuePause"):
            ami.replies[name] = lambda action: action.reply("Success", "done")
        yield ami


async def test_work_is_done_on_the_loop_that_began_and_its_result_and_error_come_back() -> None:
    async def where() -> int:
        return threading.get_ident()

    async def fail() -> None:
        raise LookupError("not there")

    loop = MainLoop()
    loop.begin()
    async with BackRoom() as room:
        assert await room.run(loop.run(where())) == threading.get_ident()
        with pytest.raises(LookupError, match="not there"):
            await room.run(loop.run(fail()))


async def test_states_are_set_by_the_actions_of_the_command_line(asterisk: FakeAmi) -> None:
    loop = MainLoop()
    loop.begin()
    async with up(asterisk) as (link, _), BackRoom() as room:
        phones = LinkTelephones(link, ROSTER, loop)
        await room.run(phones.log_in(ANNE))
        assert [each.get("Queue") for each in asterisk.named("QueueAdd")] == ["inquiry", "ticketing"]
        await room.run(phones.pause(ANNE, "meal"))
        await room.run(phones.unpause(ANNE))
        told = [(each.get("Paused"), each.get("Reason")) for each in asterisk.named("QueuePause")]
        assert told[-2:] == [("true", "meal"), ("false", "")]
        await room.run(phones.log_out(ANNE))
        assert [each.get("Interface") for each in asterisk.named("QueueRemove")] == ["PJSIP/1001"] * 2


async def test_what_asterisk_refuses_and_who_is_not_on_the_roster(asterisk: FakeAmi) -> None:
    loop = MainLoop()
    loop.begin()
    asterisk.replies["QueuePause"] = lambda action: action.reply("Error", "Interface not found")
    async with up(asterisk) as (link, _), BackRoom() as room:
        phones = LinkTelephones(link, ROSTER, loop)
        with pytest.raises(AmiRefused):
            await room.run(phones.pause(ANNE, "meal"))
        with pytest.raises(AmiLinkDown, match="roster"):
            await room.run(phones.log_in(AgentNumber("7777")))
