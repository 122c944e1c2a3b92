"""The hotline under test: Asterisk and service, kept running as ``sansheng run`` does, and all that fails."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

from bench.faults.ground import Ground
from bench.faults.plan import FaultPlan, Kind, Plan
from bench.faults.proxy import Wire, wire
from bench.faults.truth import Death
from calls.errors import AmiError, SanshengError
from ivr.ami.link import AmiLink, LinkState
from ivr.ami.sink import EventSink
from ivr.ami.wire import AmiMessage
from service.agents import log_in, unpause
from service.asterisk import AMI_USER, Asterisk
from service.priority import AHEAD, BEHIND, set_priority
from service.processes import ServiceProcess, keep_running
from service.settings import Settings
from service.wiring import menu_of
from tests.support_postgres import PostgresServer

_AGENTS_BACK_EVERY_S = 1.0
_LOGGED_IN_WITHIN_S = 20.0
_EXEC_WITHIN_S = 10.0


class Stage:
    """Make it with ``stage()``. ``done``: the faults as they came to pass; ``deaths``: those of Asterisk."""

    def __init__(
        self, asterisk: Asterisk, service: ServiceProcess, database: PostgresServer, link: Wire, settings: Settings
    ) -> None:
        self.asterisk = asterisk
        self.service = service
        self.settings = settings
        self._database = database
        self._wire = link
        self.done: list[tuple[datetime, FaultPlan]] = []
        self.deaths: list[Death] = []

    async def suffer(self, fault: FaultPlan) -> None:
        """Let it happen, and heal what does not heal by itself."""
        began = datetime.now(UTC)
        match fault.kind:
            case Kind.SERVICE_KILLED:
                self.service.send(signal.SIGKILL)
            case Kind.LINK_CUT:
                self._wire.cut()
                await asyncio.sleep(fault.lasts_s)
                self._wire.mend()
            case Kind.DATABASE_STOPPED:
                await asyncio.to_thread(self._database.stop, signal.SIGQUIT)
                await asyncio.sleep(fault.lasts_s)
                await asyncio.to_thread(self._database.start)
            case Kind.ASTERISK_KILLED:
                self.asterisk.kill()
                self.deaths.append(Death(began, datetime.now(UTC)))
            case Kind.ASTERISK_RESTARTED:
                await self._restart_asterisk(began)
        self.done.append((began, fault))

    async def _restart_asterisk(self, began: datetime) -> None:
        """Asterisk replaces itself by a fresh one in the same process."""
        before = _program(self.asterisk.pid)
        if await self.asterisk.command("core restart now") is None:
            return  # it is down anyway
        ends = time.monotonic() + _EXEC_WITHIN_S
        while _program(self.asterisk.pid) == before:
            if time.monotonic() > ends:
                raise SanshengError("Asterisk was told to restart and did not")
            await asyncio.sleep(0.002)
        self.deaths.append(Death(began, datetime.now(UTC)))

    async def keep_agents(self) -> None:
        """Whoever let it ring is paused (A1); like a good supervisor, bring them back."""
        agents = {agent.number: agent for agent in self.settings.agents}
        async with self._ami() as link:
            while True:
                with contextlib.suppress(AmiError):  # Asterisk is away
                    members = await link.query("QueueStatus", complete_event="QueueStatusComplete")
                    for number in {m.get("MemberName") or m.get("Name", "") for m in members if _is_paused(m)}:
                        await unpause(link, agents[number])
                await asyncio.sleep(_AGENTS_BACK_EVERY_S)

    async def log_agents_in(self) -> None:
        """Everybody begins work."""
        async with self._ami() as link:
            async with asyncio.timeout(_LOGGED_IN_WITHIN_S):
                while link.state is not LinkState.UP:
                    await asyncio.sleep(0.05)
            for agent in self.settings.agents:
                await log_in(link, agent)

    @contextlib.asynccontextmanager
    async def _ami(self) -> AsyncIterator[AmiLink]:
        """A link past the wire, which is kept up."""
        secret = self.asterisk.secrets().ami
        events = EventSink()
        link = AmiLink("127.0.0.1", self.asterisk.settings.ports.ami, AMI_USER, secret, events=events)
        tasks = [asyncio.create_task(link.run()), asyncio.create_task(_let_pass(events))]
        try:
            yield link
        finally:
            await link.close()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


class _AsteriskAhead(Asterisk):
    """Asterisk before the machine's other programs."""

    async def start(self) -> None:
        await super().start()
        if self.pid:
            set_priority(self.pid, AHEAD)


class _ServiceAhead(ServiceProcess):
    """The service before the machine's other programs, behind Asterisk and SIPp."""

    async def start(self) -> None:
        await super().start()
        if self.pid:
            set_priority(self.pid, BEHIND)


@contextlib.asynccontextmanager
async def stage(ground: Ground, plan: Plan, *, ahead: bool) -> AsyncIterator[Stage]:
    """Everything started and ready for calls, on an empty PostgreSQL; stopped at the end.

    ``ahead``: before the machine's other programs.
    """
    async with contextlib.AsyncExitStack() as stack:
        database = await asyncio.to_thread(PostgresServer, durable=True)
        stack.callback(database.remove)
        url = await asyncio.to_thread(database.create_database)
        of_asterisk, of_service, config = ground.settings(url, plan.priority_numbers)
        asterisk = (_AsteriskAhead if ahead else Asterisk)(of_asterisk, menu_of(of_asterisk))
        await asterisk.start()
        stack.push_async_callback(asterisk.stop)
        link = await stack.enter_async_context(wire(ground.wire_port, ground.ami_port))
        service = (_ServiceAhead if ahead else ServiceProcess)(of_service, ("--config", str(config)))
        await service.start()
        stack.push_async_callback(service.stop)
        await service.ready()
        made = Stage(asterisk, service, database, link, of_service)
        await made.log_agents_in()
        enough = asyncio.Event()
        keeper = asyncio.create_task(keep_running(asterisk, service, enough))
        try:
            yield made
        finally:
            enough.set()
            await keeper


async def _let_pass(events: EventSink) -> None:
    while True:
        await events.get()


def _is_paused(member: AmiMessage) -> bool:
    return member.event == "QueueMember" and member.get("Paused") == "1"


def _program(pid: int | None) -> bytes:
    """What changes when a process replaces its program: where the kernel put things. Empty if there is none."""
    try:
        return Path(f"/proc/{pid}/auxv").read_bytes()
    except OSError:
        return b""
