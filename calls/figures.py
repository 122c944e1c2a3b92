"""A figure: one indicator over one period, which always shows what it was made of (Q5)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from calls.measures import Slice
from calls.periods import Period


class Unit(StrEnum):
    """What a figure's value is."""

    RATIO = "ratio"
    """A share; 1 is all of them."""
    SECONDS = "seconds"
    CALLS = "calls"
    """A plain count: the denominator is 1."""
    SCORE = "score"
    """Points of a survey."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One indicator over one period and slice, as it was known at ``as_of``."""

    kpi: str
    """The indicator's id in ``metrics/kpi/catalogue.py``."""
    version: int
    """The version of its definition that it was computed under."""
    period: Period
    slice: Slice
    numerator: float
    denominator: float
    unit: Unit
    as_of: datetime
    """When the books were read."""
    provisional: bool
    """Whether it may still change: the period is not over, or something in it is not settled."""

    @property
    def value(self) -> float | None:
        """Numerator ÷ denominator; ``None`` when there is nothing to divide by."""
        return self.numerator / self.denominator if self.denominator else None
