"""What will happen, drawn from one seed: who calls when and does what, how agents treat calls, what fails when.

The same seed and scale give the same plan. How it unfolds still depends on the machine, so the plan is never taken
for the truth: what did happen is read from SIPp's logs (``truth.py``).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from random import Random

from service.settings import Agent
from simulation.script import HangUp, Press, Step, Wait

ROSTER = (
    Agent(number="1001", sections=("inquiry",)),
    Agent(number="1002", sections=("inquiry",)),
    Agent(number="1003", sections=("inquiry",)),
    Agent(number="2001", sections=("complaint",)),
    Agent(number="2002", sections=("complaint",)),
    Agent(number="3001", sections=("ticketing",)),
    Agent(number="3002", sections=("ticketing",)),
    Agent(number="4001", sections=("coordination",)),
)
"""One section each: so the telephone that rang tells the section that the call asked for."""

FALLBACK_SECTION = "inquiry"
"""Where the key 0, silence, and the dialplan without a menu take a caller."""

_SECTION_KEYS = {"1": "inquiry", "2": "complaint", "3": "ticketing", "4": "coordination", "0": FALLBACK_SECTION}
_KEY_WEIGHTS = (40, 20, 20, 10, 10)
_LET_IT_RING_S = 40.0
_RING_WEIGHTS = (85, 10, 5)
_SILENCE_S = 90.0
_ATTEMPTS = 10


class Kind(Enum):
    """What can fail."""

    SERVICE_KILLED = "service killed"
    LINK_CUT = "AMI connection cut"
    DATABASE_STOPPED = "database stopped"
    ASTERISK_KILLED = "Asterisk killed"
    ASTERISK_RESTARTED = "Asterisk restarted"


@dataclass(frozen=True, slots=True)
class FaultPlan:
    """One fault, ``at_s`` seconds from the beginning. ``lasts_s``: of link and database; others heal alone."""

    at_s: float
    kind: Kind
    lasts_s: float


@dataclass(frozen=True, slots=True)
class CallPlan:
    """One caller: when they dial, what they do, and what their keys mean to a menu that works."""

    index: int
    at_s: float
    behaviour: str
    steps: tuple[Step, ...]
    section: str | None
    """What the last key chooses; ``None`` if the keys choose no section."""
    priority: bool

    def number(self, attempt: int) -> str:
        """The caller's telephone number, another one for every attempt: it tells the calls apart."""
        return f"13{attempt % _ATTEMPTS}{self.index:08d}"

    @property
    def longest_s(self) -> float:
        """From being connected to hanging up, if nobody else ends the call."""
        return sum(step.seconds if isinstance(step, Wait) else 0.5 for step in self.steps)


@dataclass(frozen=True, slots=True)
class Treatment:
    """How an agent treats one call: lets it ring, talks, hangs up. Seconds."""

    ring_s: float
    talk_s: float


@dataclass(frozen=True, slots=True)
class Scale:
    """How much happens. ``patience_s``: how long a patient caller stays."""

    label: str
    calls: int
    per_s: float
    faults: dict[Kind, int]
    patience_s: float
    silent: float
    """Share of callers who never press a key: they need more than a minute to reach a person."""


LONG = Scale(
    "long", 300, 0.55,
    {Kind.SERVICE_KILLED: 8, Kind.LINK_CUT: 8, Kind.DATABASE_STOPPED: 5, Kind.ASTERISK_KILLED: 3,
     Kind.ASTERISK_RESTARTED: 3},
    patience_s=60, silent=0.02,
)  # fmt: skip
QUICK = Scale("short", 30, 1.1, dict.fromkeys(Kind, 1), patience_s=16, silent=0)


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that is meant to happen."""

    seed: int
    scale: Scale
    calls: tuple[CallPlan, ...]
    treatments: dict[str, tuple[Treatment, ...]]
    """Of each agent's calls, in order; after the last one again from the first."""
    faults: tuple[FaultPlan, ...]

    @property
    def priority_numbers(self) -> tuple[str, ...]:
        return tuple(call.number(attempt) for call in self.calls if call.priority for attempt in range(_ATTEMPTS))


def draw(seed: int, scale: Scale) -> Plan:
    """The plan of a seed."""
    # A stream for each, so that more calls do not change how agents behave.
    callers, agents, faults = (Random(f"{seed}/{what}") for what in ("callers", "agents", "faults"))
    at_s, calls = 0.0, []
    for index in range(scale.calls):
        at_s += callers.expovariate(scale.per_s)
        calls.append(_call(callers, scale, index, at_s))
    treatments = {agent.number: tuple(_treatment(agents) for _ in range(97)) for agent in ROSTER}
    return Plan(seed, scale, tuple(calls), treatments, tuple(_faults(faults, scale, at_s)))


def _call(random: Random, scale: Scale, index: int, at_s: float) -> CallPlan:
    priority = random.random() < 0.1
    if random.random() < scale.silent:
        steps: tuple[Step, ...] = (Wait(_SILENCE_S), HangUp())
        return CallPlan(index, at_s, "silent", steps, None, priority)
    keys, section = _keys(random)
    walk: list[Step] = []
    for key in keys:
        walk += [_pause(random, 0.8, 2.5), Press(key)]
    fate = random.random()
    if fate < 0.12:
        walk = walk[: 2 * random.randrange(len(keys))]
        return CallPlan(
            index, at_s, "hangs up in the menu", (*walk, _pause(random, 0.5, 6), HangUp()), None, priority
        )
    patient = fate < 0.65
    stay = Wait(scale.patience_s) if patient else _pause(random, 0.8, min(14, scale.patience_s))
    behaviour = f"keys {''.join(keys)}, " + ("stays" if patient else f"hangs up after {stay.seconds:g} s")
    return CallPlan(index, at_s, behaviour, (*walk, stay, HangUp()), section, priority)


def _keys(random: Random) -> tuple[list[str], str]:
    """Keys for a way through the menu, and the section that the last one chooses."""
    way = random.random()
    if way < 0.12:
        return ["0"], FALLBACK_SECTION
    keys = ["2" if way < 0.3 else "1"]
    if random.random() < 0.1:
        keys.append(random.choice("789"))
    if random.random() < 0.06:
        keys.append("*")
    last = random.choices(list(_SECTION_KEYS), _KEY_WEIGHTS)[0]
    return [*keys, last], _SECTION_KEYS[last]


def _treatment(random: Random) -> Treatment:
    ring_s = random.choices((random.uniform(0.3, 6), random.uniform(6, 13), _LET_IT_RING_S), _RING_WEIGHTS)[0]
    return Treatment(round(ring_s, 3), round(random.uniform(1.5, 9), 3))


def _faults(random: Random, scale: Scale, until_s: float) -> list[FaultPlan]:
    """Spread over the time of the calls, each at a random instant of its share; some right after another."""
    kinds = [kind for kind, count in scale.faults.items() for _ in range(count)]
    random.shuffle(kinds)
    first_s, share_s = 0.1 * until_s, 0.85 * until_s / max(len(kinds), 1)
    found: list[FaultPlan] = []
    for place, kind in enumerate(kinds):
        at_s = first_s + share_s * (place + random.random())
        if found and random.random() < 0.3:
            at_s = found[-1].at_s + random.uniform(0, 2)
        lasts_s = random.uniform(0, 4) if kind is Kind.LINK_CUT else random.uniform(1, 6)
        found.append(FaultPlan(round(at_s, 3), kind, round(lasts_s, 3)))
    return sorted(found, key=lambda fault: fault.at_s)


def _pause(random: Random, shortest_s: float, longest_s: float) -> Wait:
    return Wait(round(random.uniform(shortest_s, longest_s), 3))
