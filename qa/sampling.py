"""Drawing the calls that are scored (Q1): at random, stratified, repeatable by anybody, for ever.

No library's random numbers are used, which change with its versions. Every call has a rank, the HMAC-SHA256 of its
id under the plan's seed. An agent's calls are laid in a row, stratum after stratum, by rank within; from a start
that is drawn the same way every N/n-th is taken. So each call has the same chance n/N, and each stratum of N_h
calls gets its share n·N_h/N, rounded down or up (systematic sampling of a randomised list).
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from itertools import groupby

from calls.ids import AgentNumber, CallId, SectionId
from calls.people import Scope
from calls.sampling import Drawn, FrameCall, Part, Picked, SamplingPlan, Shortfall, Stratum

ALGORITHM = "sansheng-draw-1"
"""Recorded with every draw; another way of drawing gets another name, and this one stays."""

_WHOLE = 1 << 64


def draw(
    plan: SamplingPlan,
    period: str,
    frame: Iterable[FrameCall],
    *,
    scope: Scope,
    earlier: Sequence[Picked] = (),
    not_agent: AgentNumber | None = None,
) -> Drawn:
    """Draw what the plan still lacks for every agent in ``frame``, the calls of one period.

    ``scope``: what the drawer may see; nothing else is drawn. ``earlier``: calls that this plan drew before, in
    this period or another; none is drawn twice. ``not_agent``: the drawer's own number, whose calls others score.
    """
    seen = sorted(
        (
            call
            for call in frame
            if call.agent != not_agent and scope.covers(SectionId(call.section) if call.section else None)
        ),
        key=lambda call: (call.agent, call.call_id),
    )
    taken = {pick.call_id: pick.part for pick in earlier}
    dice = _Dice(plan.seed, f"{plan.plan_id}|{period}")
    picked: list[Picked] = []
    short: list[Shortfall] = []
    population: dict[AgentNumber, int] = {}
    for agent, group in groupby(seen, key=lambda call: call.agent):
        own = list(group)
        population[agent] = len(own)
        had = [taken[call.call_id] for call in own if call.call_id in taken]
        lot = _Lot(plan, dice, [call for call in own if call.call_id not in taken])
        for part, wanted in wishes(plan).items():
            found = lot.take(part, max(0, wanted - had.count(part)))
            picked += [_picked(plan, call, part) for call in found]
            got = len(found) + had.count(part)
            if got < wanted:
                short.append(Shortfall(agent, part, wanted, got))
    return Drawn(
        algorithm=ALGORITHM,
        seed=plan.seed,
        frame_digest=digest(seen),
        frame_size=len(seen),
        picked=tuple(picked),
        short=tuple(short),
        population=population,
    )


def wishes(plan: SamplingPlan) -> dict[Part, int]:
    """How many calls of an agent and period each part asks for; the risk share is rounded up."""
    return {Part.RANDOM: plan.per_agent, Part.RISK: -(-plan.per_agent * plan.risk_percent // 100)}


def digest(frame: Iterable[FrameCall]) -> str:
    """SHA-256 of a frame, whatever its order; the same calls with the same strata and risks give the same."""
    lines = sorted(
        "\t".join((c.call_id, c.agent, c.section, c.shift, c.length, ",".join(sorted(c.risks)))) for c in frame
    )
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def shift_of(plan: SamplingPlan, moment: datetime, zone: tzinfo) -> str:
    """The shift that a moment falls into, by the local hour at which it begins: ``08``."""
    hour = moment.astimezone(zone).hour
    begins = [start for start in plan.shift_hours if start <= hour]
    # Before the first shift of the day it is still the last one of the day before.
    return f"{max(begins, default=max(plan.shift_hours, default=0)):02d}"


def length_of(plan: SamplingPlan, talk_s: float) -> str:
    """The band of length that so many seconds fall into: ``60-180``, ``600-``."""
    bounds = (0, *sorted(plan.length_bounds_s))
    below = [bound for bound in bounds if bound <= talk_s]
    lower = max(below, default=0)
    upper = min((bound for bound in bounds if bound > talk_s), default=None)
    return f"{lower}-{'' if upper is None else upper}"


def problems(plan: SamplingPlan) -> list[str]:
    """What keeps a plan from being made, by name: ``name``, ``per_agent`` …; empty if nothing does."""
    checks = {
        "name": bool(plan.name.strip()) and len(plan.name) <= 80,
        "per_agent": 1 <= plan.per_agent <= 100,
        "risk_percent": 0 <= plan.risk_percent <= 200,
        "shift_hours": _rising(plan.shift_hours) and all(0 <= hour <= 23 for hour in plan.shift_hours),
        "length_bounds": _rising(plan.length_bounds_s)
        and all(0 < bound < 86_400 for bound in plan.length_bounds_s),
        "least_talk": 0 <= plan.least_talk_s < 3600,
        "risks": bool(plan.risks) or plan.risk_percent == 0,
    }
    return [name for name, fine in checks.items() if not fine]


def _rising(numbers: Sequence[int]) -> bool:
    return 1 <= len(numbers) <= 8 and sorted(set(numbers)) == list(numbers)


@dataclass(frozen=True, slots=True)
class _Dice:
    """Numbers that follow from the seed and from what they are for, and from nothing else."""

    seed: str
    purpose: str

    def rank(self, call_id: CallId) -> bytes:
        return self._of(f"call|{call_id}")

    def start(self, agent: AgentNumber, part: Part) -> int:
        """From 0 up to, not including, 2⁶⁴."""
        return int.from_bytes(self._of(f"start|{agent}|{part}")[:8], "big")

    def _of(self, what: str) -> bytes:
        return hmac.digest(self.seed.encode(), f"{ALGORITHM}|{self.purpose}|{what}".encode(), "sha256")


class _Lot:
    """One agent's calls that nobody has drawn yet."""

    def __init__(self, plan: SamplingPlan, dice: _Dice, calls: Sequence[FrameCall]) -> None:
        self._plan = plan
        self._dice = dice
        self._left = {call.call_id: call for call in calls}

    def take(self, part: Part, count: int) -> list[FrameCall]:
        """So many of them, or all there are for this part; they are gone from the lot."""
        found = self._at_random(count) if part is Part.RANDOM else self._with_risks(count)
        for call in found:
            del self._left[call.call_id]
        return found

    def _at_random(self, count: int) -> list[FrameCall]:
        row = sorted(self._left.values(), key=lambda c: (stratum_of(self._plan, c), self._dice.rank(c.call_id)))
        count = min(count, len(row))
        if not count:
            return []
        start = self._dice.start(row[0].agent, Part.RANDOM)
        return [row[(start + step * _WHOLE) * len(row) // (count * _WHOLE)] for step in range(count)]

    def _with_risks(self, count: int) -> list[FrameCall]:
        """The more reasons to look the sooner; by rank among equals."""
        risky = [call for call in self._left.values() if call.risks & self._plan.risks]
        risky.sort(key=lambda c: (-len(c.risks & self._plan.risks), self._dice.rank(c.call_id)))
        return risky[:count]


def stratum_of(plan: SamplingPlan, call: FrameCall) -> str:
    """The call's stratum: ``inquiry/08/60-180``, as far as the plan stratifies."""
    parts = {Stratum.SECTION: call.section, Stratum.SHIFT: call.shift, Stratum.LENGTH: call.length}
    return "/".join(text for stratum, text in parts.items() if stratum in plan.strata)


def _picked(plan: SamplingPlan, call: FrameCall, part: Part) -> Picked:
    return Picked(
        call_id=call.call_id,
        agent=call.agent,
        section=call.section,
        part=part,
        stratum=stratum_of(plan, call),
        risks=call.risks & plan.risks,
    )
