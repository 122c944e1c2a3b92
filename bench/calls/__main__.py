"""``python -m bench.calls``: see bench/README.md. ``QUICK=1`` in the environment makes it short and coarse."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from bench.calls.ingest import measure_ingest
from bench.calls.memory import measure_memory
from bench.calls.rates import VARIANTS, Slope, ramp, search
from bench.calls.sipp import Crowds, crowds
from bench.calls.stand import Stand, stand
from bench.calls.steps import Load
from bench.calls.turns import MENUS, measure_turns
from calls.errors import SanshengError

PARTS = ("rates", "turns", "ingest", "memory")


@dataclass(frozen=True, slots=True)
class Scale:
    """How much is measured."""

    label: str
    slope: Slope
    step_s: float | None
    """Length of a step of load; ``None``: only the ramps."""
    resolution: float
    hold_s: float
    ingest_calls: int
    warm_up_calls: int
    memory_calls: int


LONG = Scale("long", Slope(3, 1.15), 25, 0.03, 60, 4000, 5000, 50_000)
QUICK = Scale("QUICK: short and coarse", Slope(9, 1.25), None, 0, 4, 500, 50, 200)

Figures = dict[str, str]


async def measure(scale: Scale, config: Path | None, parts: Iterable[str]) -> Figures:
    """Everything that was asked for, told as it comes. Raises SanshengError for what could not be measured."""
    found: Figures = {}
    async with stand(config) as made, crowds(made) as people:
        if "rates" in parts:
            found |= await _rates(scale, made, people)
        if "turns" in parts:
            found |= await _turns(scale, made, people)
    if "ingest" in parts:
        found |= await _ingest(scale)
    if "memory" in parts:
        found |= await _memory(scale, made)
    return found


async def _rates(scale: Scale, made: Stand, people: Crowds) -> Figures:
    load = Load(made, people, await people.agents())
    rates: dict[str, float] = {}
    for variant in reversed(VARIANTS):  # ours last: what comes next needs the service
        rates[variant] = await ramp(load, variant, scale.slope)
        _say(f"{variant:5} ramp broke at {rates[variant]:.1f} calls/s")
    if scale.step_s:
        rates = await search(load, rates, scale.step_s, scale.resolution, _say)
    ratio = rates["full"] / rates["bare"]
    what = "highest sustained" if scale.step_s else "ramps only"
    _say(f"{what}: full {rates['full']:.2f}, bare {rates['bare']:.2f} calls/s, ratio {ratio:.3f}\n")
    return {"full_vs_dialplan": f"{ratio:.3f}"}


async def _turns(scale: Scale, made: Stand, people: Crowds) -> Figures:
    turns = await measure_turns(made, people, scale.hold_s)
    _say(
        f"{MENUS} menus at once, {turns.count} turns ({turns.per_s:.0f}/s): "
        f"p50 {turns.p50_ms:.2f} ms, p99 {turns.p99_ms:.2f} ms, worst {turns.worst_ms:.1f} ms\n"
    )
    return {"agi_turn_p50_ms": f"{turns.p50_ms:.2f}", "agi_turn_p99_ms": f"{turns.p99_ms:.2f}"}


async def _ingest(scale: Scale) -> Figures:
    ingest = await measure_ingest(scale.ingest_calls)
    _say(
        f"ingest: {scale.ingest_calls} calls, {ingest.records} records, {ingest.events} events "
        f"in {ingest.seconds:.1f} s: {ingest.events_per_s:.0f} events/s\n"
    )
    return {"events_per_s": f"{ingest.events_per_s:.0f}"}


async def _memory(scale: Scale, made: Stand) -> Figures:
    memory = await measure_memory(made.settings, scale.warm_up_calls, scale.memory_calls)
    samples = " ".join(f"{sample:.1f}" for sample in memory.rss_mb)
    _say(
        f"memory: {samples} MB after {scale.warm_up_calls} calls and in five steps over {memory.calls} more "
        f"({memory.per_s:.0f} calls/s): grew by {memory.growth_mb:.1f} MB\n"
    )
    return {"rss_growth_mb": f"{memory.growth_mb:.1f}"}


def _say(line: str) -> None:
    print(line, flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench.calls", description="What our path adds to a call.")
    parser.add_argument("--config", type=Path, help="settings file: var_dir, asterisk_dir, sip, ports")
    parser.add_argument(
        "--only", choices=PARTS, nargs="+", default=PARTS, help="measure only these; no RESULT line"
    )
    options = parser.parse_args()
    logging.basicConfig(level=logging.CRITICAL)  # what fails is told below; links come and go as planned
    scale = QUICK if os.environ.get("QUICK") == "1" else LONG
    _say(f"bench/calls ({scale.label}), {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}\n")
    try:
        found = asyncio.run(measure(scale, options.config, options.only))
    except (SanshengError, OSError) as error:
        print(f"bench/calls could not measure: {error or type(error).__name__}", file=sys.stderr)
        return 1
    if set(options.only) == set(PARTS):
        _say("RESULT name=calls " + " ".join(f"{key}={value}" for key, value in found.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
