"""Simulated people: each is a SIPp process that speaks SIP and RTP for real."""

from __future__ import annotations

import itertools
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from calls.errors import SanshengError
from simulation.scenario_xml import agent_xml, caller_xml, register_xml
from simulation.script import AgentScript, AwaitHangUp, CallerScript, Step
from simulation.sipp import Line, Sipp, listening, require_sipp, start_sipp

_PORTS = itertools.count(0)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one SIPp process ended: ``ok`` if every call did what its script says."""

    ok: bool
    log: str


@dataclass(slots=True)
class People:
    """Callers from a trunk's address and agents' telephones, against one Asterisk.

    ``first_port`` on: two ports for each person (SIP, RTP). Use as a context manager: leaving ends everybody.
    """

    asterisk: tuple[str, int]
    caller_address: str
    agent_address: str
    passwords: Mapping[str, str]
    first_port: int
    _folder: Path = field(init=False)
    _running: set[Sipp] = field(default_factory=set)
    _next: int = 0
    _agent_ports: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        require_sipp()
        self._folder = Path(tempfile.mkdtemp(prefix="people-"))

    async def __aenter__(self) -> People:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.send_home()
        shutil.rmtree(self._folder, ignore_errors=True)

    async def send_home(self) -> None:
        """End every process, agents and callers."""
        for sipp in list(self._running):
            await sipp.kill()
        self._running.clear()

    async def register(self, *numbers: str) -> None:
        """Register agents' telephones. Raises SanshengError if Asterisk refuses one."""
        lines = ["SEQUENTIAL"]
        for number in numbers:
            port = self._agent_ports.setdefault(number, self._port())
            lines.append(f"{number};[authentication username={number} password={self.passwords[number]}];{port}")
        csv = self._folder / f"register-{self._next}.csv"
        csv.write_text("\n".join(lines) + "\n")
        registering = await self._start(
            register_xml(), self.agent_address, self._port(), "-inf", str(csv), "-m", str(len(numbers))
        )
        outcome = await self.outcome(registering)
        if not outcome.ok:
            raise SanshengError(f"telephones could not be registered: {outcome.log}")

    async def agent(self, number: str, script: AgentScript) -> Sipp:
        """Seat an agent, whose telephone must be registered; it treats every call as the script says."""
        port = self._agent_ports.setdefault(number, self._port())
        return await self._start(agent_xml(script), self.agent_address, port, remote=False)

    async def network(self, script: AgentScript, port: int) -> Sipp:
        """Let the callers' telephones be there, where a trunk's calls go to; each call is treated alike."""
        return await self._start(agent_xml(script), self.caller_address, port, remote=False)

    async def gone(self, sipp: Sipp) -> None:
        """End one of them."""
        await sipp.kill()
        self._running.discard(sipp)

    async def call(
        self, script: CallerScript, *, calls: int = 1, per_s: float = 1.0, address: str | None = None
    ) -> Sipp:
        """Place a call, or several alike; from the trunk's address, or from another one."""
        many = ["-m", str(calls), "-r", f"{per_s:g}", "-l", str(calls)]
        folder = Path(tempfile.mkdtemp(dir=self._folder))
        return await self._start(caller_xml(script, folder), address or self.caller_address, self._port(), *many)

    async def dial(self, number: str, dialled: str, *steps: Step) -> Outcome:
        """Call from an agent's telephone, and wait until the call is over; by default until Asterisk ends it."""
        script = CallerScript(
            steps or (AwaitHangUp(),), number=number, dialled=dialled, password=self.passwords[number]
        )
        return await self.outcome(await self.call(script, address=self.agent_address))

    async def outcome(self, sipp: Sipp) -> Outcome:
        """Wait until it ends."""
        status = await sipp.process.wait()
        self._running.discard(sipp)
        return Outcome(status == 0, sipp.said())

    async def _start(self, xml: str, address: str, port: int, *options: str, remote: bool = True) -> Sipp:
        self._next += 1
        line = Line(address, port, self.asterisk if remote else None)
        sipp = await start_sipp(self._folder / str(self._next), xml, line, *options)
        self._running.add(sipp)
        if not remote:
            await listening(sipp, line)
        return sipp

    def _port(self) -> int:
        self._next += 1
        return self.first_port + 10 * (next(_PORTS) % 1000)
