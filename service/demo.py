"""``sansheng demo``: simulated callers ring simulated agents, over real SIP and RTP, until told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import shutil
from pathlib import Path
from types import TracebackType

from calls.errors import SanshengError
from service.agents import ami, log_in
from service.asterisk import Asterisk
from service.settings import Agent, Settings
from simulation.people import People
from simulation.script import AgentScript, AwaitHangUp, CallerScript, HangUp, Press, Speak, Step, Wait

log = logging.getLogger(__name__)

SPEECH = Path(__file__).resolve().parent.parent / "simulation" / "speech"
"""What the simulated people say, 16 kHz: one file for each side of a conversation."""

CALLER_ADDRESS = "127.0.0.2"
_TOPICS = {"1": "ticket", "2": "complaint", "3": "ticket", "4": "ticket", "0": "complaint"}
_WEIGHTS = {"1": 5, "2": 2, "3": 3, "4": 1, "0": 2}


class Demo:
    """A small hotline's day: everybody on the roster is at work, and callers come at random."""

    def __init__(self, settings: Settings, asterisk: Asterisk, calls_per_minute: float) -> None:
        if not any(trunk.match.split(":")[0] == CALLER_ADDRESS for trunk in settings.trunks):
            raise SanshengError(
                f"the simulated callers come from {CALLER_ADDRESS}, which is none of your trunks: use `run`"
            )
        self._settings = settings
        self._asterisk = asterisk
        self._pause_s = 60 / calls_per_minute
        self._chance = random.Random()  # noqa: S311 - people's whims, not secrets
        self._stack = contextlib.AsyncExitStack()
        self._people: People | None = None

    async def __aenter__(self) -> Demo:
        print("simulated people take their seats …", flush=True)  # noqa: T201
        folder = self._settings.var_dir / "demo"
        await self._convert_speech(folder)
        settings = self._settings
        self._people = await self._stack.enter_async_context(
            People(
                asterisk=(settings.sip.address, settings.sip.port),
                caller_address=CALLER_ADDRESS,
                agent_address="127.0.0.1",
                passwords=self._asterisk.secrets().phones,
                first_port=settings.sip.rtp_last_port + 1,
            )
        )
        await self._people.register(*(agent.number for agent in settings.agents))
        async with ami(settings) as link:
            for agent in settings.agents:
                await self._people.agent(agent.number, self._agent_script(agent, folder))
                await log_in(link, agent)
        life = asyncio.create_task(self._callers(folder), name="simulated callers")
        self._stack.push_async_callback(_end, life)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    def _agent_script(self, agent: Agent, folder: Path) -> AgentScript:
        topic = "complaint" if "complaint" in agent.sections or agent.overflow else "ticket"
        return AgentScript(
            ring_s=self._chance.uniform(1.5, 8),
            steps=(Speak(folder / f"agent-{topic}.g722"), AwaitHangUp()),
        )

    def _caller_script(self, folder: Path) -> CallerScript:
        choice = self._chance.choices(list(_WEIGHTS), list(_WEIGHTS.values()))[0]
        english = self._chance.random() < 0.2
        steps: list[Step] = [Wait(self._chance.uniform(6, 11)), Press("2" if english else "1")]
        steps += [Wait(self._chance.uniform(2, 6)), Press(choice)]
        if self._chance.random() < 0.1:  # some give up while it rings
            steps += [Wait(self._chance.uniform(1, 4)), HangUp()]
        else:
            talk = Speak(folder / f"caller-{_TOPICS[choice]}.ul")
            steps += [Wait(4), talk, Wait(self._chance.uniform(20, 45)), HangUp()]
        return CallerScript(tuple(steps), number=f"13{self._chance.randrange(10**9):09d}")

    async def _callers(self, folder: Path) -> None:
        assert self._people is not None, "not entered"
        async with asyncio.TaskGroup() as group:
            while True:
                caller = await self._people.call(self._caller_script(folder))
                # Waited for, so that the process is cleared away; how it went is in the ledger.
                group.create_task(self._people.outcome(caller))
                await asyncio.sleep(self._chance.expovariate(1 / self._pause_s))

    async def _convert_speech(self, folder: Path) -> None:
        """Into what SIPp can send: µ-law for callers, G.722 for agents. Asterisk's own codecs do it."""
        folder.mkdir(parents=True, exist_ok=True)
        for source in sorted(SPEECH.glob("*.wav")):
            who = source.stem.partition("-")[0]
            wide = folder / f"{source.stem}.wav16"
            shutil.copyfile(source, wide)
            target = wide.with_suffix(".g722" if who == "agent" else ".ul")
            if not target.exists():
                await self._asterisk.command(f"file convert {wide} {target}")
            if not target.exists():
                raise SanshengError(f"Asterisk could not convert {source.name}")


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
