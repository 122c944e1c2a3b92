"""Sampling of calls for quality monitors (Q1): plans, the frame that is drawn from, and what was drawn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from calls.ids import AgentNumber, CallId, FormId, SectionId
from calls.periods import Grain


class Risk(StrEnum):
    """Why a call is worth a look beyond chance."""

    DISSATISFIED = "dissatisfied"
    """The caller rated the call dissatisfied (Q2)."""
    COMPLAINT = "complaint"
    """Taken by the complaints section, or a complaint was filed from it (C1)."""
    RULE_BROKEN = "rule_broken"
    """A rule of severity major or immediate: forbidden words, shirking (A4)."""
    INTERRUPTION = "interruption"
    """The agent interrupted the caller (A3)."""
    LONG_SILENCE = "long_silence"
    REPEATED = "repeated"
    """The same number called again within three days, before or after."""


class Stratum(StrEnum):
    """By what the random part is stratified."""

    SECTION = "section"
    SHIFT = "shift"
    LENGTH = "length"


@dataclass(frozen=True, slots=True)
class SamplingPlan:
    """How many calls of every agent are scored in every period, and how they are found."""

    plan_id: int
    """0 until it is stored."""
    name: str
    form_id: FormId
    seed: str
    """Made by the machine when the plan is made: nobody can try seeds until they like the sample."""
    made_by: str
    made_at: datetime
    grain: Grain = Grain.MONTH
    per_agent: int = 4
    """Calls at random, for each agent and period."""
    risk_percent: int = 25
    """On top: so many calls with a risk for a hundred at random, rounded up."""
    strata: frozenset[Stratum] = frozenset(Stratum)
    shift_hours: tuple[int, ...] = (0, 8, 16)
    """Local hours at which shifts begin (S1)."""
    length_bounds_s: tuple[int, ...] = (60, 180, 600)
    """Seconds of talk that part the bands of length."""
    least_talk_s: int = 15
    """Shorter calls are not scored."""
    sections: frozenset[SectionId] = frozenset()
    """None: all."""
    risks: frozenset[Risk] = frozenset(Risk)
    retired_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A call as the books tell of it, before a plan sorts it into its strata."""

    call_id: CallId
    agent: AgentNumber
    section: SectionId | None
    arrived_at: datetime
    talk_s: float
    risks: frozenset[Risk] = frozenset()


@dataclass(frozen=True, slots=True)
class FrameCall:
    """One call that may be drawn."""

    call_id: CallId
    agent: AgentNumber
    section: str
    shift: str
    """``08``: the local hour at which it begins."""
    length: str
    """``60-180``: seconds of talk."""
    risks: frozenset[Risk] = frozenset()


class Part(StrEnum):
    """How a call came into a sample."""

    RANDOM = "random"
    RISK = "risk"


@dataclass(frozen=True, slots=True)
class Picked:
    """One call of a sample."""

    call_id: CallId
    agent: AgentNumber
    section: str
    part: Part
    stratum: str
    """``inquiry/08/60-180``, of what the plan stratifies by."""
    risks: frozenset[Risk] = frozenset()


@dataclass(frozen=True, slots=True)
class Shortfall:
    """An agent with fewer calls than the plan asks for: all there were are in the sample."""

    agent: AgentNumber
    part: Part
    wanted: int
    got: int


@dataclass(frozen=True, slots=True)
class Drawn:
    """The outcome of a draw, with all that is needed to repeat it."""

    algorithm: str
    seed: str
    frame_digest: str
    """SHA-256 over the frame, in hexadecimal."""
    frame_size: int
    picked: tuple[Picked, ...]
    short: tuple[Shortfall, ...] = ()
    population: Mapping[AgentNumber, int] = field(default_factory=dict)
    """Calls of each agent in the frame, that intervals are computed for."""


@dataclass(frozen=True, slots=True)
class Draw:
    """A draw as it stands in the books."""

    draw_id: int
    plan_id: int
    period: str
    since: datetime
    until: datetime
    by: str
    at: datetime
    sections: frozenset[SectionId] | None
    """What the drawer may see: these sections; ``None``: all."""
    per_agent: int
    risk_percent: int
    drawn: Drawn
