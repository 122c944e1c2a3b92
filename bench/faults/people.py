"""The plan's people on real telephones: a SIPp process for each caller and each agent, every message logged."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import Mapping

from bench.faults.ears import Ears
from bench.faults.ground import Ground
from bench.faults.plan import CallPlan, Plan
from bench.faults.sip_log import read_dialogs
from bench.faults.truth import Attempt, Ring, rings_of
from calls.errors import SanshengError
from simulation.scenario_xml import caller_xml, register_xml, varied_agent_xml
from simulation.script import CallerScript, Press, Speak, Step, Wait
from simulation.sipp import Line, Sipp, require_sipp, start_sipp

_ATTEMPTS = 10
_REDIAL_S = 1.0
_FINISH_S = 90.0
"""Beyond the caller's own time: sending again and giving up, when Asterisk is away."""
_AGENTS_FINISH_S = 5.0
_SILENT_S = 0.3
_PATIENT = ("-recv_timeout", "12000", "-max_non_invite_retrans", "4")
"""Nobody waits for ever for an answer of an Asterisk that died."""


class People:
    """Agents who sit down once, callers who dial, redial if Asterisk does not take the call, and are over."""

    def __init__(self, ground: Ground, ears: Ears, passwords: Mapping[str, str]) -> None:
        require_sipp()
        self._ground = ground
        self._folder = ground.var_dir / "sipp"
        self._folder.mkdir(parents=True)
        self._silence = self._folder / "silence.ulaw"
        self._silence.write_bytes(b"\xff" * 8000)
        self._ears = ears
        self._passwords = passwords
        self._ports = itertools.cycle(ground.caller_ports)
        self._agents: dict[str, Sipp] = {}
        self._callers: set[Sipp] = set()
        self.attempts: list[Attempt] = []

    @property
    def present(self) -> int:
        """Callers on the telephone."""
        return len(self._callers)

    @property
    def over(self) -> int:
        """Calls that are over."""
        return len(self.attempts)

    async def seat(self, plan: Plan) -> None:
        """Register every agent's telephone and let it take calls. Raises SanshengError if Asterisk refuses one."""
        ports = dict(zip(plan.treatments, self._ground.agent_ports, strict=False))
        lines = [
            f"{n};[authentication username={n} password={self._passwords[n]}];{port}" for n, port in ports.items()
        ]
        injected = self._folder / "register.csv"
        injected.write_text("\n".join(["SEQUENTIAL", *lines, ""]))
        line = Line(self._ground.agents, self._ground.register_port, self._ground.asterisk)
        options = ("-inf", str(injected), "-m", str(len(lines)))
        registering = await start_sipp(self._folder / "register", register_xml(), line, *options)
        if await registering.process.wait():
            raise SanshengError("the agents' telephones could not be registered")
        for number, treatments in plan.treatments.items():
            days = self._folder / f"agent-{number}.csv"
            rows = [f"{t.ring_s * 1000:.0f};{t.talk_s * 1000:.0f}" for t in treatments]
            days.write_text("\n".join(["SEQUENTIAL", *rows, ""]))
            self._agents[number] = await start_sipp(
                self._folder / f"agent-{number}", varied_agent_xml(),
                Line(self._ground.agents, ports[number]),
                "-inf", str(days), *_PATIENT, traced=True,
            )  # fmt: skip

    async def call(self, plan: CallPlan) -> None:
        """Call until Asterisk takes it. Raises SanshengError if it never does."""
        for number in range(_ATTEMPTS):
            attempt = await self._attempt(plan, plan.number(number))
            self.attempts.append(attempt)
            if attempt.taken:
                return
            await asyncio.sleep(_REDIAL_S)
        raise SanshengError(f"Asterisk took call {plan.index} at none of {_ATTEMPTS} attempts")

    async def _attempt(self, plan: CallPlan, number: str) -> Attempt:
        port = next(self._ports)
        ear = self._ears.listen(port + 2)
        files = self._folder / f"call-{number}"
        keys = self._folder / f"keys-{number}"
        keys.mkdir()
        xml = caller_xml(CallerScript(self._spoken(plan.steps), number=number), keys)
        line = Line(self._ground.callers, port, self._ground.asterisk)
        caller = await start_sipp(files, xml, line, "-m", "1", *_PATIENT, traced=True)
        self._callers.add(caller)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(caller.process.wait(), plan.longest_s + _FINISH_S)
        await caller.kill()
        self._callers.discard(caller)
        dialogs = await asyncio.to_thread(read_dialogs, caller.messages)
        if not dialogs:
            raise SanshengError(f"SIPp placed no call: {caller.said()}")
        return Attempt(plan, number, next(iter(dialogs.values()), []), ear)

    def _spoken(self, steps: tuple[Step, ...]) -> tuple[Step, ...]:
        """With what every telephone sends, silence, some time after the last key.

        SIPp's keys and sound are two streams, which Asterisk would have to tell apart; and its ringing tone keeps
        time with the caller's sound once there is some, so it begins better without.
        """
        last = max((place for place, step in enumerate(steps) if isinstance(step, Press)), default=-1)
        stay = steps[last + 1]
        if not isinstance(stay, Wait) or stay.seconds <= _SILENT_S:
            return steps
        spoken = (Wait(_SILENT_S), Speak(self._silence, loops=-1), Wait(stay.seconds - _SILENT_S))
        return (*steps[: last + 1], *spoken, *steps[last + 2 :])

    async def rings(self) -> list[tuple[str, Ring]]:
        """Send the agents home and say how they were rung, each time with the caller's number.

        Raises SanshengError if one left early: then rings are missing.
        """
        for number, agent in self._agents.items():
            if agent.process.returncode is not None:
                raise SanshengError(f"agent {number}'s telephone broke: {agent.said()}")
        await asyncio.gather(*(agent.finish(_AGENTS_FINISH_S) for agent in self._agents.values()))
        return [
            ring
            for number, agent in self._agents.items()
            for ring in rings_of(number, read_dialogs(agent.messages).values())
        ]

    async def send_home(self) -> None:
        """End everybody at once."""
        for sipp in [*self._agents.values(), *self._callers]:
            await sipp.kill()
