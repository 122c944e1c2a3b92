"""``python -m bench.desk``: see bench/README.md. ``QUICK=1`` in the environment makes it short."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles

from bench.desk.calls import BenchCall
from bench.desk.readers import Readers, Seen
from bench.desk.stand import DeskStand, desk_stand, number_of
from calls.errors import SanshengError
from service.priority import AHEAD, set_priority

DESKS = 200
CALLS_PER_S = 5.0
MENU_S = 1.5
"""From arriving to asking for a person: callers who know their way press two keys."""
RING_S = 4.0
TALK_S = 6.0
_SETTLE_S = 2.0
_LAST_S = 3.0


@dataclass(frozen=True, slots=True)
class Scale:
    """How much is measured."""

    label: str
    calls: int


LONG = Scale("long", 900)
QUICK = Scale("QUICK: short", 75)


async def measure(scale: Scale, config: Path | None) -> dict[str, str]:
    """Play the calls. Raises SanshengError if a desk was not told, or was told of another's call."""
    seen, rang = Seen(), dict[str, float]()
    async with desk_stand(config, DESKS) as stand, Readers(stand, seen):
        _say(
            f"{DESKS} desks open, {seen.messages} messages so far; {scale.calls} calls, {CALLS_PER_S:g} a second\n"
        )
        await asyncio.sleep(_SETTLE_S)
        await _play(stand, scale, seen, rang)
        await asyncio.sleep(_LAST_S)
        cut = seen.cut
    for what, told in (("a pop", seen.popped), ("the caller's history", seen.with_history)):
        if missing := rang.keys() - told.keys():
            raise SanshengError(f"{len(missing)} of {len(rang)} calls rang without {what}")
    if seen.strays or cut:
        raise SanshengError(f"{len(seen.strays)} calls were told to other desks, {cut} lines were cut")
    full = _delays(rang, seen.with_history)
    _say("told by Asterisk → at the desk      p50 ms   p99 ms  worst ms   calls")
    for label, delays in (
        ("that it rings", _delays(rang, seen.popped)),
        ("with the caller's history", full),
        ("for comparison: on the live board", _delays(rang, seen.on_board)),
    ):
        p50, p99, worst = _cut(delays, 50), _cut(delays, 99), max(delays, default=0.0)
        _say(f"{label:34}{p50:8.1f}{p99:9.1f}{worst:10.1f}{len(delays):8}")
    return {
        "pop_p99_ms": f"{_cut(full, 99):.1f}",
        "pop_p50_ms": f"{_cut(full, 50):.1f}",
        "ring_p99_ms": f"{_cut(_delays(rang, seen.popped), 99):.1f}",
        "desks": str(DESKS),
        "calls": str(len(rang)),
    }


async def _play(stand: DeskStand, scale: Scale, seen: Seen, rang: dict[str, float]) -> None:
    """Every call at its time; when Asterisk told that it rings is noted in ``rang``."""
    agents, began, wall = list(stand.cookies), time.perf_counter(), time.time()
    steps: list[tuple[float, str, str, bytes]] = []
    for number in range(scale.calls):
        start = number / CALLS_PER_S
        agent = agents[number % len(agents)]
        call = BenchCall(number, wall + start, agent, number_of(number))
        seen.agent_of[call.call_id] = agent
        steps += [
            (start + after, name, call.call_id, data) for after, name, data in call.told(MENU_S, RING_S, TALK_S)
        ]
    for at, name, call_id, data in sorted(steps, key=lambda step: step[0]):
        await asyncio.sleep(max(0.0, began + at - time.perf_counter()))
        if name == "rang":
            rang[call_id] = time.perf_counter()
        stand.ami.send(data)


def _delays(since: Mapping[str, float], until: Mapping[str, float]) -> list[float]:
    return [(until[key] - at) * 1000 for key, at in since.items() if key in until]


def _cut(delays: list[float], percent: int) -> float:
    return (
        quantiles(delays, n=100, method="inclusive")[percent - 1] if len(delays) > 1 else max(delays, default=0.0)
    )


def _say(line: str) -> None:
    print(line, flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench.desk", description="How soon a call is on its agent's desk.")
    parser.add_argument("--config", type=Path, help="settings file: var_dir")
    options = parser.parse_args()
    logging.basicConfig(level=logging.CRITICAL)  # what fails is told below
    scale = QUICK if os.environ.get("QUICK") == "1" else LONG
    if not set_priority(os.getpid(), AHEAD):
        _say("the machine's other programs cannot be kept back: not allowed")
    _say(f"bench/desk ({scale.label}), {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}\n")
    try:
        found = asyncio.run(measure(scale, options.config))
    except (SanshengError, OSError) as error:
        print(f"bench/desk could not measure: {error or type(error).__name__}", file=sys.stderr)
        return 1
    _say("\nRESULT name=desk " + " ".join(f"{key}={value}" for key, value in found.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
