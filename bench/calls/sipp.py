"""SIPp processes for load: many calls from one process, and its own statistics of them.

The scenarios are those of ``simulation``; here one process plays all callers or all agents.
"""

from __future__ import annotations

import asyncio
import contextlib
import csv
import itertools
import socket
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from bench.calls.stand import TRUNK, Stand
from calls.errors import SanshengError
from simulation.scenario_xml import agent_xml, caller_xml, register_xml
from simulation.script import AgentScript, CallerScript
from simulation.sipp import Line, Sipp, require_sipp, start_sipp

_AGENTS = "127.0.0.1"
_FIRST_PORT = 5200
_PORTS = itertools.count(_FIRST_PORT, 10)
_MOST_CALLS = 5000
"""At once, in one process; by default SIPp would slow down to fewer."""


@dataclass(frozen=True, slots=True)
class Tally:
    """What one SIPp process counted since it began. ``repeats`` are messages that it had to send again."""

    created: int = 0
    succeeded: int = 0
    failed: int = 0
    repeats: int = 0

    def since(self, before: Tally) -> Tally:
        return Tally(
            self.created - before.created,
            self.succeeded - before.succeeded,
            self.failed - before.failed,
            self.repeats - before.repeats,
        )


@dataclass(frozen=True, slots=True)
class Crowd:
    """A SIPp process that plays many people."""

    sipp: Sipp
    line: Line
    statistics: Path

    @property
    def process(self) -> asyncio.subprocess.Process:
        return self.sipp.process

    def tally(self) -> Tally:
        """The counts that it last wrote; it writes once a second and when it ends."""
        return _last_tally(self.statistics)

    def pace(self, per_s: float) -> None:
        """From now on so many new calls a second."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as remote:
            remote.sendto(f"cset rate {per_s:.2f}\n".encode(), (self.line.address, self.line.control))

    async def end(self) -> Tally:
        """Wait until its calls are over. Raises SanshengError if it could not work at all."""
        status = await self.process.wait()
        if status not in (0, 1):  # 1: at least one call failed, which the tally tells
            raise SanshengError(f"SIPp ended with status {status}: {self.sipp.said()}")
        return self.tally()


class Crowds:
    """Callers and agents of one stand. Make it with ``crowds()``."""

    def __init__(self, stand: Stand, folder: Path) -> None:
        self._stand = stand
        self._folder = folder
        self._count = itertools.count()
        self._running: list[Sipp] = []

    async def agents(self) -> Crowd:
        """Register every agent's telephone at one address, where one process answers each call at once."""
        port = next(_PORTS)
        passwords = self._stand.asterisk.secrets().phones
        numbers = [agent.number for agent in self._stand.settings.agents]
        lines = [f"{n};[authentication username={n} password={passwords[n]}];{port}" for n in numbers]
        injected = self._folder / "register.csv"
        injected.write_text("\n".join(["SEQUENTIAL", *lines, ""]))
        registering = await self._start(
            register_xml(), _AGENTS, next(_PORTS), "-inf", str(injected), "-m", str(len(numbers)), "-r", "50"
        )
        if (await registering.end()).failed:
            raise SanshengError("the agents' telephones could not be registered")
        return await self._start(agent_xml(AgentScript(ring_s=0)), _AGENTS, port, remote=False)

    async def callers(self, script: CallerScript, *pacing: str) -> Crowd:
        """Place calls; ``pacing`` are SIPp's options for how many and how fast."""
        return await self._start(caller_xml(script, self._folder), TRUNK, next(_PORTS), *pacing)

    async def send_home(self) -> None:
        """End every process."""
        for sipp in self._running:
            await sipp.kill()

    async def _start(self, xml: str, address: str, port: int, *options: str, remote: bool = True) -> Crowd:
        files = self._folder / str(next(self._count))
        statistics = files.with_suffix(".csv")
        sip = self._stand.settings.sip
        line = Line(address, port, (sip.address, sip.port) if remote else None)
        counting = ("-l", str(_MOST_CALLS), "-trace_stat", "-stf", str(statistics), "-fd", "1")
        sipp = await start_sipp(files, xml, line, *counting, *options)
        self._running.append(sipp)
        return Crowd(sipp, line, statistics)


@contextlib.asynccontextmanager
async def crowds(stand: Stand) -> AsyncIterator[Crowds]:
    """SIPp for this stand; everybody is sent home at the end. Raises SanshengError without SIPp."""
    require_sipp()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        made = Crowds(stand, Path(folder))
        try:
            yield made
        finally:
            await made.send_home()


def _last_tally(path: Path) -> Tally:
    text = path.read_text(errors="replace") if path.exists() else ""
    whole = text[: text.rfind("\n") + 1].splitlines()
    rows = list(csv.DictReader(whole, delimiter=";"))
    if not rows:
        return Tally()
    columns = ("TotalCallCreated", "SuccessfulCall(C)", "FailedCall(C)", "Retransmissions(C)")
    return Tally(*(int(rows[-1][column]) for column in columns))
