"""A whole hotline for tests: a real Asterisk and a real service process, with ports and folders of their own."""

from __future__ import annotations

import asyncio
import contextlib
import math
import os
import shutil
import signal
import tempfile
import time
import wave
from array import array
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from calls.errors import AmiError
from calls.ids import AgentNumber
from calls.live import AgentNow
from ivr.ami.link import AmiLink, LinkState
from ivr.ami.sink import EventSink
from ivr.snapshot import AgentBoard
from service.agents import log_in, log_out, pause, unpause
from service.asterisk import AMI_USER, Asterisk
from service.processes import ServiceProcess, WorkerProcess
from service.settings import ROOT, Agent, Settings, load_settings
from service.wiring import SystemClock, menu_of
from simulation.people import People

ASTERISK_DIR = Path(os.environ.get("SANSHENG_TEST_ASTERISK", ROOT / "var" / "asterisk"))

PATIENCE_S = 120
"""For what must happen, on a machine that has much else to do."""

PRIORITY_NUMBER = "13900000001"
"""The one caller of the priority list."""

TONES = {
    Path("tone.g722"): ("wav16", 16_000, 6_000),
    Path("tone.alaw"): ("wav", 8_000, 1_000),
    Path("tone.ulaw"): ("wav", 8_000, 700),
}
"""What people can say, below the centre's folder: format and rate of the source, pitch in Hz."""

TONE_G722, TONE_ALAW, TONE_ULAW = TONES


_PROMPT_S = 0.3


async def within(look: Callable[[], Awaitable[bool]], timeout_s: float, every_s: float = 0.1) -> bool:
    """Look again and again until it is so; whether it was, in time."""
    ends = time.monotonic() + timeout_s
    while not await look():
        if time.monotonic() > ends:
            return False
        await asyncio.sleep(every_s)
    return True


def own_worker() -> int:
    """The number of this worker of pytest-xdist; 0 without."""
    return int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))


ASIDE = 8
"""Added to the worker's number for a second hotline beside its first; so there are at most eight workers."""


@dataclass(frozen=True)
class Place:
    """What the hotlines of parallel test workers must not share."""

    worker: int

    @property
    def var_dir(self) -> Path:
        """Short: a socket lies below it."""
        return Path(tempfile.gettempdir()) / f"sansheng-{os.getpid()}-{self.worker}"

    def address(self, who: int) -> str:
        """An address on loopback for Asterisk (0), callers (1), agents (2), strangers (3)."""
        return f"127.0.{20 + self.worker}.{10 + who}"

    def port(self, first: int) -> int:
        return first + 100 * self.worker


def settings_text(place: Place, menu_file: Path, rehearse_at: str) -> str:
    """A settings file: ordinary but for ports, folders and short pauses."""
    return f"""
var_dir = "{place.var_dir}"
asterisk_dir = "{ASTERISK_DIR}"
instance = "test{place.worker}"
menu_file = "{menu_file}"
rehearse_at = {rehearse_at}
priority_numbers_file = "{place.var_dir / "priority-numbers.txt"}"

[queueing]
wrap_up_s = 1

[sip]
address = "{place.address(0)}"
port = {place.port(21060)}
rtp_first_port = {40000 + 1000 * place.worker}
rtp_last_port = {40999 + 1000 * place.worker}

[reliability]
synthetic_every_s = 0

[transcription]
enabled = false

[survey]
enabled = false

[ports]
ami = {place.port(21038)}
agi = {place.port(21573)}
web = {place.port(21080)}

[[trunks]]
name = "city"
match = "{place.address(1)}"

[[agents]]
number = "1001"
sections = ["inquiry"]
[[agents]]
number = "1002"
sections = ["inquiry"]
[[agents]]
number = "2001"
sections = ["complaint"]
[[agents]]
number = "3001"
sections = ["ticketing"]
[[agents]]
number = "9001"
overflow = true
"""


def write_tone(path: Path, rate_hz: int, pitch_hz: int, seconds: float = 2.0) -> None:
    """A sine wave."""
    turns = (2 * math.pi * pitch_hz * step / rate_hz for step in range(round(seconds * rate_hz)))
    with wave.open(str(path), "wb") as audio:
        audio.setparams((1, 2, rate_hz, 0, "NONE", ""))
        audio.writeframes(array("h", (round(8000 * math.sin(turn)) for turn in turns)).tobytes())


ORDINARY_DAY = "2026-11-24T10:00:00"
"""A Tuesday morning."""


class Centre:
    """The hotline. ``start`` and ``stop`` it; between two scenarios send everybody ``home``."""

    def __init__(self, worker: int) -> None:
        self.place = Place(worker)
        self.var_dir = self.place.var_dir
        self.var_dir.mkdir(mode=0o700)
        (self.var_dir / "priority-numbers.txt").write_text(f"{PRIORITY_NUMBER}\n")
        self.config = self.var_dir / "settings.toml"
        self.heard = self.var_dir / "heard"
        """Recordings that tests took out of the vault."""
        self.settings = self.configure()
        self.asterisk = Asterisk(self.settings, menu_of(self.settings))
        self.service = ServiceProcess(self.settings, ("--config", str(self.config)))
        self.worker: WorkerProcess | None = None
        """Where a test has one."""
        self.events: set[str] = set()
        """Names of the AMI events seen since they were last cleared."""
        self.secret = ""
        """What no AMI event may hold, while it is set."""
        self.told: list[str] = []
        """Names of the events that held it."""
        self._link: AmiLink | None = None
        self._tasks: list[asyncio.Task[None]] = []

    def configure(self, *, rehearse_at: str = ORDINARY_DAY, opening: str = "00:00-24:00") -> Settings:
        """Write the settings file. ``opening`` are the hours of all sections but complaints (A8)."""
        menu = self.var_dir / "menu.toml"
        usual = (ROOT / "ivr" / "menu" / "hotline.toml").read_text(encoding="utf-8")
        menu.write_text(
            usual.replace('every_day = ["00:00-24:00"]', f'every_day = ["{opening}"]'), encoding="utf-8"
        )
        self.config.write_text(settings_text(self.place, menu, rehearse_at), encoding="utf-8")
        return load_settings(self.config)

    def reload(self) -> None:
        """Take over a settings file that a test has changed, before the start."""
        self.settings = load_settings(self.config)
        self.asterisk = Asterisk(self.settings, menu_of(self.settings))
        self.service = ServiceProcess(self.settings, ("--config", str(self.config)))

    # ── Asterisk and the service ─────────────────────────────────────────────────────────────────────────────

    async def start(self) -> None:
        """Start both, and an observer's link to Asterisk."""
        await self.asterisk.start()
        for file, (kind, rate_hz, pitch_hz) in TONES.items():
            source = self.var_dir / f"{pitch_hz}.{kind}"
            write_tone(source, rate_hz, pitch_hz)
            await self.asterisk.command(f"file convert {source} {self.var_dir / file}")
        await self.start_service()
        sink = EventSink()
        up = asyncio.Event()
        secret = self.asterisk.secrets().ami
        self._link = AmiLink(
            "127.0.0.1",
            self.settings.ports.ami,
            AMI_USER,
            secret,
            events=sink,
            on_state=lambda state: up.set() if state is LinkState.UP else None,
        )
        self._tasks = [asyncio.create_task(self._link.run()), asyncio.create_task(self._note_events(sink))]
        async with asyncio.timeout(PATIENCE_S):
            await up.wait()

    async def _note_events(self, sink: EventSink) -> None:
        while True:
            message = await sink.get()
            self.events.add(message.event or "")
            if self.secret and self.secret in repr(message):
                self.told.append(repr(message))

    async def stop(self) -> None:
        """Stop both and clear up; the folder stays if SANSHENG_TEST_KEEP is set."""
        if self._link:
            await self._link.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.service.send(signal.SIGCONT)
        await self.service.stop()
        await self.asterisk.stop()
        if not os.environ.get("SANSHENG_TEST_KEEP"):
            shutil.rmtree(self.var_dir)

    async def start_service(self) -> None:
        await self.service.start()
        await self._ready()

    async def _ready(self) -> None:
        """Its tables made, too: in service it may begin without its database, here nothing could be looked at."""
        assert await self.service.ready(PATIENCE_S, ledger_s=PATIENCE_S)

    async def restart_service(self) -> None:
        await self.service.stop()
        await self.start_service()

    async def kill_service(self) -> None:
        """End it without warning, as a crash would."""
        self.service.send(signal.SIGKILL)
        await self.service.wait()

    def freeze_service(self) -> None:
        """Let it hang: it keeps its sockets and does nothing."""
        self.service.send(signal.SIGSTOP)

    async def thaw_service(self) -> None:
        self.service.send(signal.SIGCONT)
        await self._ready()

    async def restart_asterisk(self) -> None:
        """Kill it without warning, start it again, and wait until the service has found it."""
        self.asterisk.kill()
        await self.asterisk.wait()
        await self.asterisk.start()
        await self._ready()

    @property
    def link(self) -> AmiLink:
        """The observer's link."""
        assert self._link is not None, "not started"
        return self._link

    # ── People ───────────────────────────────────────────────────────────────────────────────────────────────

    def people(self) -> People:
        return People(
            asterisk=(self.settings.sip.address, self.settings.sip.port),
            caller_address=self.place.address(1),
            agent_address=self.place.address(2),
            passwords=self.asterisk.secrets().phones,
            first_port=22000,
        )

    def agent(self, number: str) -> Agent:
        return next(agent for agent in self.settings.agents if agent.number == number)

    async def log_in(self, number: str, pause_reason: str | None = None) -> None:
        await log_in(self.link, self.agent(number))
        if pause_reason:
            await pause(self.link, self.agent(number), pause_reason)

    async def agents(self) -> dict[str, AgentNow]:
        """The agents, as Asterisk has them now."""
        now = SystemClock().now()
        board = AgentBoard((AgentNumber(agent.number) for agent in self.settings.agents), 0, now)
        members = await self.link.query("QueueStatus", complete_event="QueueStatusComplete")
        board.reset((member for member in members if member.event == "QueueMember"), now)
        return {agent.number: agent for agent in board.agents(now)}

    async def home(self) -> None:
        """Between two scenarios: both run, everybody is logged out and unpaused, no channel is left."""
        if not self.asterisk.running:
            await self.asterisk.start()
        if self.service.running:
            await self.thaw_service()
        else:
            await self.start_service()
        await within(self._is_quick, PATIENCE_S)
        assert await within(self.is_linked, PATIENCE_S), "the observer's link to Asterisk is down"
        for agent in self.settings.agents:
            with contextlib.suppress(AmiError):  # not in any queue
                await unpause(self.link, agent)
            await log_out(self.link, agent)
        await self.asterisk.command("channel request hangup all")
        assert await within(self.is_quiet, PATIENCE_S), f"channels are left: {await self.channels()}"

    async def _is_quick(self) -> bool:
        """Whether the service answers as promptly as callers need it to, a few times over.

        A machine that stands still for seconds gives callers a person without a menu, as it should.
        """
        url = f"http://127.0.0.1:{self.settings.ports.web}/healthz"
        async with aiohttp.ClientSession() as web:
            for _ in range(3):
                asked = time.monotonic()
                async with web.get(url) as answer:
                    await answer.read()
                if time.monotonic() - asked > _PROMPT_S:
                    return False
        return True

    async def channels(self) -> list[str]:
        """The names of the channels that Asterisk has."""
        shown = await self.link.query("CoreShowChannels", complete_event="CoreShowChannelsComplete")
        return [channel.get("Channel", "") for channel in shown]

    async def is_linked(self) -> bool:
        return self.link.state is LinkState.UP

    async def is_quiet(self) -> bool:
        return not await self.channels()

    # ── What it says of itself ───────────────────────────────────────────────────────────────────────────────

    async def counters(self) -> dict[str, float]:
        """``/metrics``, each sample under its name and labels as Prometheus writes them."""
        url = f"http://127.0.0.1:{self.settings.ports.web}/metrics"
        async with aiohttp.ClientSession() as web, web.get(url) as answer:
            text = await answer.text()
        return {
            sample.name + "".join(f" {key}={value}" for key, value in sorted(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    @property
    def asterisk_log(self) -> Path:
        return self.asterisk.dirs.log / "messages"

    @property
    def queue_log(self) -> Path:
        return self.asterisk.dirs.log / "queue_log"

    @property
    def cel_file(self) -> Path:
        return self.asterisk.dirs.log / "cel-custom" / "Master.csv"
