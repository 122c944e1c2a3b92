"""What the definition of an indicator consists of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from calls.figures import Unit
from calls.measures import Dimension, Measures
from calls.outages import Reliability
from calls.ports import Tallies
from calls.presence import Presence

Text = Mapping[str, str]
"""The same words in every language of the books, by language tag."""

LANGUAGES = ("zh-CN", "en")


def text(zh: str, en: str) -> Text:
    """Words in both languages."""
    return {"zh-CN": zh, "en": en}


class Basis(StrEnum):
    """Where an indicator's parts come from."""

    CALLS = "calls"
    """The ledger's calls and offers."""
    PRESENCE = "presence"
    """Calls, and agents' log-ins and pauses."""
    OUTAGES = "outages"
    CASES = "cases"
    """Surveys, inquiries and complaints."""


NOT_WATCHED = Reliability(scheduled_s=0.0, union_s=0.0, sum_s=0.0, planned_s=0.0, ongoing=False)
"""Nobody looked whether anything worked."""


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything known of one period and slice; what an indicator is not based on stays empty."""

    calls: Measures = field(default_factory=Measures)
    presence: Presence = field(default_factory=Presence)
    """Agents' time, added up over agents."""
    reliability: Reliability = NOT_WATCHED
    """Of the part of the period that has passed and was watched."""
    tallies: Tallies = field(default_factory=Tallies)


Fraction = tuple[float, float]
"""Numerator and denominator."""

ALL_DIMENSIONS = frozenset(Dimension)
OF_CALLERS = ALL_DIMENSIONS - {Dimension.AGENT}
"""What a call that nobody answered can be told apart by: it belongs to no agent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kpi:
    """One version of one indicator's definition.

    The value is always numerator ÷ denominator. Where a rule book writes ``1 − x ÷ y``, the numerator is
    ``y − x``.
    """

    id: str
    version: int = 1
    names: Text
    formula: Text
    numerator: Text
    denominator: Text
    excluded: Text
    """What is left out."""
    why: Text
    """Why it is left out; for an adjusted variant, also what it is for."""
    unit: Unit = Unit.RATIO
    source: str
    """The requirement, standard or custom that it follows."""
    official: bool = False
    """Whether a rule book demands it; the others stand beside it, adjusted, under their own ids."""
    lower_is_better: bool = False
    target: float | None = None
    """What the source asks for, in the unit of the value."""
    limit_s: float | None = None
    """The limit that this version fixes, in seconds."""
    basis: Basis = Basis.CALLS
    dimensions: frozenset[Dimension] = OF_CALLERS
    """What it can be told apart by."""
    parts: Callable[[Facts], Fraction]
    unsettled: Callable[[Facts], bool]
    """Whether something in the facts may still change the figure although the period is over."""
