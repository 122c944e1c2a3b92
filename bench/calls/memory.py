"""``rss_growth_mb``: how much the service's memory grows over many calls.

The service is the real one, in a process of its own; Asterisk is played by a fake manager interface and by
FastAGI clients. Every call walks the menu, is answered, is recorded and ends, and must be in the ledger.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import socket
import time
import wave
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench.calls.probe import rss_mb
from bench.calls.stand import forget_calls, settings_text
from bench.calls.synthetic import call_id, call_lines, call_messages, menu_request
from calls.errors import SanshengError
from recordings.intake import LEGS
from service.asterisk import AMI_USER, Dirs
from service.processes import ServiceProcess
from service.prompts import install_prompts
from service.secrets import load_secrets
from service.settings import Ports, Settings, load_settings
from storage.engine import open_engine
from storage.ledger import SqlLedger
from tests.support_ami import FakeAmi

_AT_ONCE = 32
_SAMPLES = 5
_STORED_WITHIN_S = 60.0
_PRESSED_1 = b"200 result=49 endpos=8000\n"
_DONE = b"200 result=1\n"


@dataclass(frozen=True, slots=True)
class Memory:
    """Resident memory in MB after warming up and five times after that; calls in between, and per second."""

    rss_mb: tuple[float, ...]
    calls: int
    per_s: float

    @property
    def growth_mb(self) -> float:
        return self.rss_mb[-1] - self.rss_mb[0]


async def measure_memory(base: Settings, warm_up: int, calls: int) -> Memory:
    """Feed ``warm_up`` and then ``calls`` calls. Raises SanshengError if the ledger does not get them all."""
    agi, web = _free_ports(2)
    var_dir = base.var_dir / "memory"
    var_dir.mkdir(parents=True, exist_ok=True)
    async with FakeAmi(username=AMI_USER, secret=load_secrets(var_dir / "secrets.json", []).ami) as ami:
        ami.replies["Setvar"] = lambda action: action.reply("Success", "Variable Set")
        config = var_dir / "bench.toml"
        ports = Ports(ami=ami.port, agi=agi, web=web)
        config.write_text(settings_text(base, var_dir=var_dir, ports=ports, agents=1), encoding="utf-8")
        settings = load_settings(config)
        feeder = _Feeder(settings, ami)
        service = ServiceProcess(settings, ("--config", str(config)))
        await service.start()
        try:
            await service.ready()
            await feeder.feed(warm_up)
            assert service.pid
            samples, began = [rss_mb(service.pid)], time.monotonic()
            for part in range(_SAMPLES):
                await feeder.feed(calls * (part + 1) // _SAMPLES - calls * part // _SAMPLES)
                samples.append(rss_mb(service.pid))
            seconds = time.monotonic() - began
        finally:
            await service.stop()
            forget_calls(settings)
    return Memory(tuple(samples), calls, calls / seconds)


class _Feeder:
    """Plays Asterisk for a service."""

    def __init__(self, settings: Settings, ami: FakeAmi) -> None:
        forget_calls(settings)
        self._settings = settings
        self._ami = ami
        self._dirs = Dirs(settings.var_dir / "pbx", settings.recordings_dir)
        self._dirs.make()
        install_prompts(settings, self._dirs)
        self._log = self._dirs.log / "cel-custom" / "Master.csv"
        self._recorded = settings.var_dir / "recorded"
        _record_silence(self._recorded)
        self._numbers = itertools.count()
        self._since = datetime.now(UTC) - timedelta(minutes=1)
        self._fed = 0

    async def feed(self, calls: int) -> None:
        """So many calls, several at once; returns when the ledger has them."""
        numbers = itertools.islice(self._numbers, calls)
        await asyncio.gather(*(self._work(numbers) for _ in range(_AT_ONCE)))
        self._fed += calls
        self._ami.actions.clear()
        await self._stored()

    async def _work(self, numbers: Iterator[int]) -> None:
        for number in numbers:
            began = float(int(time.time()))
            await self._menu(number, began)
            with self._log.open("ab") as log:
                log.write(call_lines(number, began))
            self._ami.send(b"".join(message for _, message in call_messages(number, began)))
            self._leave_recording(call_id(number, began))

    async def _menu(self, number: int, began: float) -> None:
        """Asterisk's side of one menu: key 1 whenever something is said."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self._settings.ports.agi)
        writer.write(menu_request(self._settings.ports.agi, number, began))
        while line := await reader.readline():
            writer.write(_PRESSED_1 if line.startswith(b"STREAM FILE") else _DONE)
        writer.close()
        await writer.wait_closed()

    def _leave_recording(self, name: str) -> None:
        """As Asterisk does: complete, in one step."""
        folder = self._dirs.recording / name
        folder.mkdir()
        for leg in LEGS:
            os.link(self._recorded / f"{leg}.wav", folder / f"{leg}.wav")
        folder.rename(self._dirs.intake / name)

    async def _stored(self) -> None:
        engine = open_engine(self._settings.ledger_url)
        ledger = SqlLedger(engine)
        try:
            async with asyncio.timeout(_STORED_WITHIN_S):
                while True:
                    figures = await ledger.figures(self._since, self._since + timedelta(days=1), 15.0)
                    if figures.answered.numerator - figures.missing_recordings >= self._fed:
                        return
                    await asyncio.sleep(0.2)
        except TimeoutError as error:
            raise SanshengError(
                f"after {self._fed} calls the ledger has {figures.answered.numerator} answered ones, "
                f"{figures.missing_recordings} of them without a recording"
            ) from error
        finally:
            await engine.dispose()


def _record_silence(folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    for leg in LEGS:
        with wave.open(str(folder / f"{leg}.wav"), "wb") as audio:
            audio.setnchannels(1)
            audio.setsampwidth(2)
            audio.setframerate(16000)
            audio.writeframes(bytes(1600))


def _free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [made.getsockname()[1] for made in sockets]
