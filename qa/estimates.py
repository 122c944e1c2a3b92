"""What a sample says of all calls of an agent: a mean or a share with its interval, at 95 % (Q3).

Means: Student's t with the finite-population correction √(1−n/N). Shares: Wilson's interval. Only calls drawn at
random count; those drawn for a risk would make everybody look worse than they are.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import fmean, stdev

LEVEL = 0.95
FEW = 5
"""Below so many calls an interval says little, and the page says so."""

_Z = 1.959963984540054


class Caution(StrEnum):
    """What a reader must know of an interval, or why there is none."""

    NONE = "none"
    NOTHING = "nothing"
    """Nothing was scored: there is no mean either."""
    ONE = "one"
    """One call: no interval can be told."""
    ALIKE = "alike"
    """All scores are the same: how they scatter is not known, and no interval can be told."""
    FEW = "few"
    """The interval holds only if scores scatter about as in a bell curve."""
    ALL = "all"
    """Every call was scored: the mean is exact."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean, and the bounds that hold the mean over all calls in 95 of 100 samples."""

    mean: float | None
    low: float | None
    high: float | None
    n: int
    population: int | None
    caution: Caution


def estimate_mean(scores: Sequence[float], population: int | None, *, lowest: float, highest: float) -> Estimate:
    """The mean over all ``population`` calls that ``scores`` were drawn from; ``None``: unknown, as if endless."""
    n = len(scores)
    if not n:
        return Estimate(None, None, None, 0, population, Caution.NOTHING)
    mean = fmean(scores)
    if population is not None and n >= population:
        return Estimate(mean, mean, mean, n, population, Caution.ALL)
    if n == 1 or max(scores) == min(scores):
        caution = Caution.ONE if n == 1 else Caution.ALIKE
        return Estimate(mean, None, None, n, population, caution)
    correction = 1.0 if population is None else math.sqrt(1 - n / population)
    half = t_quantile(n - 1) * stdev(scores) / math.sqrt(n) * correction
    caution = Caution.FEW if n < FEW else Caution.NONE
    return Estimate(mean, max(lowest, mean - half), min(highest, mean + half), n, population, caution)


def wilson(hits: int, n: int) -> tuple[float, float] | None:
    """The interval of a share, from 0 to 1; ``None`` without any trial."""
    if not n:
        return None
    share, z2 = hits / n, _Z * _Z
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = _Z / (1 + z2 / n) * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    return (0.0 if hits == 0 else middle - half), (1.0 if hits == n else middle + half)


def t_quantile(freedom: int, level: float = LEVEL) -> float:
    """How many standard errors to either side hold ``level`` of Student's t, found by halving."""
    low, high = 0.0, 1e4
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if _within(middle, freedom) < level else (low, middle)
    return (low + high) / 2


def _within(t: float, freedom: int) -> float:
    """The probability that Student's t lies between −t and t, exact for whole degrees of freedom.

    Abramowitz and Stegun 26.7.3 and 26.7.4.
    """
    angle = math.atan(t / math.sqrt(freedom))
    cosine, term, total = math.cos(angle), 1.0, 0.0
    if freedom % 2:
        term = cosine
        for k in range(3, freedom + 1, 2):
            total += term
            term *= cosine * cosine * (k - 1) / k
        return 2 / math.pi * (angle + math.sin(angle) * total)
    for k in range(2, freedom + 1, 2):
        total += term
        term *= cosine * cosine * (k - 1) / k
    return math.sin(angle) * total
