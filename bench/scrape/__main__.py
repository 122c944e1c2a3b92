"""``python -m bench.scrape``: see bench/README.md. ``QUICK=1`` in the environment makes it short and coarse."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import os
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles

import aiohttp

from bench.calls.stand import bench_settings, forget_calls, settings_text
from bench.calls.tap import Tap, tap
from bench.scrape.callers import Callers
from calls.errors import SanshengError
from service.asterisk import AMI_USER, Dirs
from service.priority import AHEAD, set_priority
from service.processes import ServiceProcess
from service.prompts import install_prompts
from service.secrets import load_secrets
from service.settings import Ports, Settings, load_settings
from tests.support_ami import FakeAmi

MENUS = 200
_SCRAPE_EVERY_S = 0.25
"""Sixty times as often as Prometheus does, so that many turns meet one."""
_LEAST_TURNS = 200
_SETTLE_S = 3.0


@dataclass(frozen=True, slots=True)
class Scale:
    """How much is measured: pairs of phases, one without scrapes and one with."""

    label: str
    pairs: int
    phase_s: float


LONG = Scale("long", 6, 20)
QUICK = Scale("QUICK: short and coarse", 2, 6)


@dataclass(frozen=True, slots=True)
class Phase:
    """Our turns in the menu in ms, and the scrapes meanwhile."""

    times_ms: tuple[float, ...]
    scrapes_ms: tuple[float, ...]
    samples: int

    @property
    def p99_ms(self) -> float:
        return quantiles(self.times_ms, n=100)[98]

    @property
    def worst_ms(self) -> float:
        return max(self.times_ms)


@contextlib.asynccontextmanager
async def stand(config: Path | None) -> AsyncIterator[Settings]:
    """The real service in a process of its own, before a manager interface that only says yes."""
    base, _ = bench_settings(config)
    var_dir = base.var_dir / "scrape"
    var_dir.mkdir(parents=True, exist_ok=True)
    async with FakeAmi(username=AMI_USER, secret=load_secrets(var_dir / "secrets.json", []).ami) as ami:
        ami.replies["Setvar"] = lambda action: action.reply("Success", "Variable Set")
        file = var_dir / "bench.toml"
        ports = Ports(ami=ami.port, agi=base.ports.agi, web=base.ports.web)
        file.write_text(settings_text(base, var_dir=var_dir, ports=ports, agents=20), encoding="utf-8")
        settings = load_settings(file)
        forget_calls(settings)
        dirs = Dirs(settings.var_dir / "pbx", settings.recordings_dir)
        dirs.make()
        install_prompts(settings, dirs)
        service = ServiceProcess(settings, ("--config", str(file)))
        await service.start()
        if service.pid:
            set_priority(service.pid, AHEAD)
        try:
            await service.ready()
            yield settings
        finally:
            await service.stop()
            forget_calls(settings)


async def measure(scale: Scale, config: Path | None) -> dict[str, str]:
    """Phases without and with scrapes in turns. Raises SanshengError for what could not be measured."""
    pairs: list[tuple[Phase, Phase]] = []
    async with (
        stand(config) as settings,
        tap(settings.ports.agi) as listening,
        Callers(settings, MENUS) as callers,
    ):
        await asyncio.sleep(_SETTLE_S)
        for number in range(scale.pairs):
            without = await _phase(settings, listening, scale.phase_s, scrape=False)
            with_scrapes = await _phase(settings, listening, scale.phase_s, scrape=True)
            pairs.append((without, with_scrapes))
            for what, phase in (("without", without), ("with", with_scrapes)):
                _say(
                    f"{number + 1:3} {what:8}{len(phase.times_ms):7} turns   p99 {phase.p99_ms:6.2f} ms   "
                    f"worst {phase.worst_ms:6.1f} ms   {len(phase.scrapes_ms):4} scrapes"
                )
        if callers.open < MENUS:
            raise SanshengError(f"only {callers.open} of {MENUS} callers stayed in the menu")
    scrapes = [time_ms for _, phase in pairs for time_ms in phase.scrapes_ms]
    return {
        "agi_turn_worst_without_ms": f"{max(phase.worst_ms for phase, _ in pairs):.1f}",
        "agi_turn_worst_with_scrape_ms": f"{max(phase.worst_ms for _, phase in pairs):.1f}",
        "scrape_delay_ms": f"{median(after.worst_ms - before.worst_ms for before, after in pairs):.1f}",
        "scrape_p50_ms": f"{median(scrapes):.1f}",
        "samples": f"{max(phase.samples for _, phase in pairs)}",
    }


async def _phase(settings: Settings, listening: Tap, seconds: float, *, scrape: bool) -> Phase:
    began, first = time.time(), len(listening.turns)
    scrapes: list[float] = []
    samples = 0
    url = f"http://127.0.0.1:{settings.ports.web}/metrics"
    async with aiohttp.ClientSession() as session:
        while time.time() - began < seconds:
            if scrape:
                asked = time.perf_counter()
                async with session.get(url) as answer:
                    body = await answer.read()
                scrapes.append((time.perf_counter() - asked) * 1000)
                samples = sum(not line.startswith(b"#") for line in body.splitlines())
            await asyncio.sleep(_SCRAPE_EVERY_S)
    times = tuple(took_s * 1000 for _, took_s in listening.turns[first:])
    if len(times) < _LEAST_TURNS:
        raise SanshengError(f"only {len(times)} turns were seen in the menu")
    return Phase(times, tuple(scrapes), samples)


def _say(line: str) -> None:
    print(line, flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench.scrape", description="What a scrape costs a caller in the menu.")
    parser.add_argument("--config", type=Path, help="settings file: var_dir, ports")
    options = parser.parse_args()
    logging.basicConfig(level=logging.CRITICAL)  # what fails is told below
    scale = QUICK if os.environ.get("QUICK") == "1" else LONG
    if not set_priority(os.getpid(), AHEAD):
        _say("the machine's other programs cannot be kept back: not allowed")
    _say(f"bench/scrape ({scale.label}), {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}\n")
    try:
        found = asyncio.run(measure(scale, options.config))
    except (SanshengError, OSError) as error:
        print(f"bench/scrape could not measure: {error or type(error).__name__}", file=sys.stderr)
        return 1
    _say("\nRESULT name=scrape " + " ".join(f"{key}={value}" for key, value in found.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
