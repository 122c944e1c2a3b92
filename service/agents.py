"""Agents by command line: who is logged in, log in, log out, pause, unpause. Speaks to Asterisk directly."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

from calls.errors import AmiLinkDown, AmiRefused, SettingsError
from calls.ids import AgentNumber
from ivr.ami.link import AmiLink, LinkState
from ivr.ami.sink import EventSink
from ivr.snapshot import AgentBoard
from service.asterisk import AMI_USER, queue_penalty
from service.clock import SystemClock
from service.secrets import load_secrets
from service.settings import Agent, Settings


async def run_agent_command(settings: Settings, action: str, number: str | None, reason: str) -> list[str]:
    """Carry out one command; the lines to print. Raises SettingsError or AmiError in the user's terms."""
    agent = next((a for a in settings.agents if a.number == number), None)
    if agent is None and action != "list":
        known = ", ".join(a.number for a in settings.agents)
        raise SettingsError(f"there is no agent {number or '(give a number)'}; the roster has {known}")
    async with ami(settings) as link:
        if agent is None or action == "list":
            return await _list(settings, link)
        act: Callable[[], Awaitable[None]] = {
            "login": lambda: log_in(link, agent),
            "logout": lambda: log_out(link, agent),
            "pause": lambda: pause(link, agent, reason),
            "unpause": lambda: unpause(link, agent),
        }[action]
        try:
            await act()
        except AmiRefused as error:
            raise AmiRefused(f"agent {agent.number}: Asterisk refused {action}: {error}") from error
        return [f"agent {agent.number}: {action} done"]


@contextlib.asynccontextmanager
async def ami(settings: Settings) -> AsyncIterator[AmiLink]:
    """A link to our Asterisk for a few actions. Raises AmiLinkDown if there is none within 5 s."""
    up = asyncio.Event()

    def on_state(state: LinkState) -> None:
        if state is LinkState.UP:
            up.set()

    secret = load_secrets(settings.var_dir / "secrets.json", []).ami
    link = AmiLink("127.0.0.1", settings.ports.ami, AMI_USER, secret, events=EventSink(), on_state=on_state)
    keeper = asyncio.create_task(link.run())
    try:
        await asyncio.wait_for(up.wait(), 5)
        await link.call("Events", {"EventMask": "off"})
        yield link
    except TimeoutError as error:
        raise AmiLinkDown(f"no Asterisk of ours answers on port {settings.ports.ami}: is it running?") from error
    finally:
        await link.close()
        await keeper


async def log_in(link: AmiLink, agent: Agent) -> None:
    """Make the agent a member of every queue of theirs, ready for calls. Again changes nothing."""
    for section in agent.queues:
        try:
            await link.call(
                "QueueAdd",
                {
                    "Queue": section,
                    "Interface": f"PJSIP/{agent.number}",
                    "MemberName": agent.number,
                    "Penalty": str(queue_penalty(agent)),
                },
            )
        except AmiRefused as error:
            if "already there" not in str(error).lower():
                raise
    await unpause(link, agent)


async def log_out(link: AmiLink, agent: Agent) -> None:
    """Take the agent out of every queue."""
    for section in agent.queues:
        try:
            await link.call("QueueRemove", {"Queue": section, "Interface": f"PJSIP/{agent.number}"})
        except AmiRefused as error:
            if "not there" not in str(error).lower():
                raise


async def pause(link: AmiLink, agent: Agent, reason: str) -> None:
    """Pause the agent in every queue, with a reason."""
    await link.call("QueuePause", {"Interface": f"PJSIP/{agent.number}", "Paused": "true", "Reason": reason})


async def unpause(link: AmiLink, agent: Agent) -> None:
    """Give the agent calls again."""
    await link.call("QueuePause", {"Interface": f"PJSIP/{agent.number}", "Paused": "false"})


async def _list(settings: Settings, link: AmiLink) -> list[str]:
    now = SystemClock().now()
    board = AgentBoard((AgentNumber(a.number) for a in settings.agents), settings.queueing.wrap_up_s, now)
    members = await link.query("QueueStatus", complete_event="QueueStatusComplete")
    board.reset((m for m in members if m.event == "QueueMember"), now)
    return [
        f"{agent.number}  {agent.state.value:12} {agent.reason or '':16} {', '.join(agent.sections)}".rstrip()
        for agent in board.agents(now)
    ]
