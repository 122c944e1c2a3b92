"""``full_vs_dialplan``: the highest rate that our path sustains against the same call in bare dialplan.

A ramp for each variant finds roughly where it breaks. Then both are narrowed down in turns, step by step, so
that a noisy minute of the machine hits both alike; a rate counts as too high only when it has failed twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from math import inf, sqrt
from statistics import median

from bench.calls.steps import DRIFT_S, Connection, Load, Step
from calls.errors import SanshengError

VARIANTS = ("full", "bare")
_MOST = 300.0
_FEW = 6
"""Calls whose median is compared with that of the first ones."""

Say = Callable[[str], None]


@dataclass(slots=True)
class Bracket:
    """The highest rate known to be sustained, the lowest known not to be; calls a second."""

    sustained: float
    broken: float

    def next(self, resolution: float) -> float | None:
        """The rate to try next; ``None`` when the two are as close as ``resolution``."""
        if self.broken <= self.sustained * (1 + resolution):
            return None
        return round(sqrt(self.sustained * self.broken), 2)


@dataclass(frozen=True, slots=True)
class Slope:
    """How a ramp rises: calls a second at its foot, and by what they are multiplied every second."""

    foot: float
    growth: float


async def ramp(load: Load, variant: str, slope: Slope) -> float:
    """Raise the rate step by step until calls take longer or messages are sent again; the rate just then.

    Raises SanshengError if nothing breaks.
    """
    await load.ready(variant)
    rate = slope.foot
    callers = await load.place(variant, rate)
    try:
        while rate < _MOST:
            await asyncio.sleep(1)
            tally = callers.tally()
            calls = load.log.calls()
            if (broke := _first_slow(calls)) is not None:
                return _rate_at(calls, broke)
            if tally.repeats or tally.failed:
                return _rate_at(calls, len(calls) - 1)
            rate *= slope.growth
            callers.pace(rate)
        raise SanshengError(f"the ramp reached {_MOST:.0f} calls/s and nothing broke")
    finally:
        # What is still going on tells nothing any more: hundreds of calls need not come to their ends.
        callers.process.kill()
        await callers.process.wait()
        await load.cleared()


def _first_slow(calls: Sequence[Connection]) -> int | None:
    """The first of a few calls in a row of which most took longer to connect than the first few."""
    times = [call.setup_s for call in calls if call.setup_s is not None]
    limit = median(times[:_FEW]) + DRIFT_S if len(times) > 2 * _FEW else inf
    starts = range(_FEW, len(times) - _FEW + 1)
    return next((at for at in starts if median(times[at : at + _FEW]) > limit), None)


def _rate_at(calls: Sequence[Connection], number: int) -> float:
    """How many calls a second arrived just before that one."""
    until = calls[number].arrived_at
    window = timedelta(seconds=2)
    return sum(until - window < call.arrived_at <= until for call in calls) / window.total_seconds()


async def search(
    load: Load, around: dict[str, float], step_s: float, resolution: float, say: Say
) -> dict[str, float]:
    """The highest sustained rate of each variant, near those that the ramps gave."""
    brackets = {variant: Bracket(0.0, 0.0) for variant in VARIANTS}
    for variant in VARIANTS:
        brackets[variant] = await _bracket(load, variant, around[variant], step_s, say)
    while any(bracket.next(resolution) for bracket in brackets.values()):
        for variant, bracket in brackets.items():
            rate = bracket.next(resolution)
            if rate is None:
                continue
            if await _sustains(load, variant, rate, step_s, say):
                bracket.sustained = rate
            else:
                bracket.broken = rate
    return {variant: bracket.sustained for variant, bracket in brackets.items()}


async def _bracket(load: Load, variant: str, around: float, step_s: float, say: Say) -> Bracket:
    """Rates around a guess of which the lower is sustained and the upper is not."""
    low = around * 0.7
    while not await _sustains(load, variant, low, step_s, say):
        low *= 0.7
        if low < 0.5:
            raise SanshengError(f"{variant}: not even {low:.1f} calls/s are sustained on this machine")
    high = low * 1.4
    while await _sustains(load, variant, high, step_s, say):
        low, high = high, high * 1.4
    return Bracket(low, high)


async def _sustains(load: Load, variant: str, rate: float, step_s: float, say: Say) -> bool:
    for _attempt in range(2):
        step = await load.step(variant, rate, step_s)
        say(describe(step))
        if not step.why:
            return True
    return False


def describe(step: Step) -> str:
    """One line of the table."""
    cpu = " ".join(f"{name} {ms:5.1f}" for name, ms in step.cpu_ms.items())
    verdict = f"no: {step.why}" if step.why else "sustained"
    pace = f"{step.variant:5} {step.per_s:6.2f} calls/s"
    return f"{pace}  set-up {step.setup_ms:6.0f} ms  CPU ms/call {cpu:30}  {verdict}"
