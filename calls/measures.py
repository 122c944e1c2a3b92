"""What indicators are made of: additive sums over the calls that arrived in a period (K1 to K2r).

A call belongs to the period in which it arrived, whatever happened to it later; so do the offers made for it.
Tests (``calls.ids.is_test_trunk``) are left out of everything but ``tests``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any

from calls.workdays import Days

LIMITS_S: tuple[float, ...] = (5, 9, 10, 11, 12, 15, 18, 20, 30)
"""Limits of waiting and ringing that standards and operators set, in seconds; inclusive, as A1's is."""

SHORT_S = 5.0
"""A caller who hangs up sooner after asking for a person has hardly waited, seconds."""


class Dimension(StrEnum):
    """What figures can be told apart by."""

    SECTION = "section"
    """The section that the caller asked for, which is also the queue."""
    AGENT = "agent"
    """Of a call, the agent who was heard first; of an offer, the agent whose telephone rang."""
    LANGUAGE = "language"
    TRUNK = "trunk"


@dataclass(frozen=True, slots=True)
class Slice:
    """Part of all calls; ``None`` stands for all."""

    section: str | None = None
    agent: str | None = None
    language: str | None = None
    trunk: str | None = None
    days: Days | None = None
    """Calls that arrived on days of this kind."""

    def value(self, dimension: Dimension) -> str | None:
        """The value that a dimension is held at."""
        found: str | None = getattr(self, dimension.value)
        return found

    def held(self) -> frozenset[Dimension]:
        """The dimensions that are held at a value."""
        return frozenset(dimension for dimension in Dimension if self.value(dimension) is not None)


ALL_CALLS = Slice()
"""No part left out."""


@dataclass(frozen=True, slots=True)
class Measures:
    """Sums over the calls of one period and slice.

    Times are whole microseconds: they add up to the same sum in whatever order they are added.
    """

    arrived: int = 0
    asked: int = 0
    """Calls that asked for a person and whose fate is known: answered, or ended."""
    answered: int = 0
    within: Mapping[float, int] = field(default_factory=dict)
    """Calls answered within each limit by the caller's clock, by the limit in seconds (A1)."""
    abandoned: int = 0
    abandoned_short: int = 0
    """Abandoned within less than 5 s after asking."""
    callbacks: int = 0
    lost: int = 0
    self_served: int = 0
    overflowed: int = 0
    transferred: int = 0
    """Answered calls that an agent passed on to somebody else."""
    open_calls: int = 0
    """Calls whose fate is not known yet; not among ``asked``."""
    talking: int = 0
    """Answered calls that have not ended yet."""
    wait_us: int = 0
    """Waiting of answered calls by the caller's clock."""
    talk_us: int = 0
    """Talk of calls that have ended."""
    wrapped: int = 0
    """Answered calls that have ended and of which the work after the talk is known."""
    handled_us: int = 0
    """Talk of those, and the work after it."""
    longest_wait_us: int = 0
    """The longest that a caller waited from asking to a person, a promise or hanging up. Not a sum: a maximum."""
    missing_recordings: int = 0
    tests: int = 0
    """Test calls that arrived: counted here and nowhere else."""
    offers: int = 0
    """Offers to an agent that came to an end, of calls whose fate is known."""
    offers_kept: Mapping[float, int] = field(default_factory=dict)
    """Offers answered within each limit by the agent's clock, by the limit in seconds."""

    def __add__(self, other: Measures) -> Measures:
        return Measures(**{name: _joined(name, self, other) for name in _NAMES})

    @property
    def wait_sum_s(self) -> float:
        return self.wait_us / 1e6

    @property
    def talk_sum_s(self) -> float:
        return self.talk_us / 1e6

    @property
    def handled_sum_s(self) -> float:
        return self.handled_us / 1e6

    @property
    def longest_wait_s(self) -> float:
        return self.longest_wait_us / 1e6

    @property
    def talks(self) -> int:
        """Answered calls that have ended: what ``talk_us`` is the sum of."""
        return self.answered - self.talking


_NAMES = tuple(each.name for each in fields(Measures))


def _joined(name: str, one: Measures, other: Measures) -> Any:
    mine, theirs = getattr(one, name), getattr(other, name)
    if name == "longest_wait_us":
        return max(mine, theirs)
    if isinstance(mine, Mapping):
        return {limit: mine.get(limit, 0) + theirs.get(limit, 0) for limit in sorted({*mine, *theirs})}
    return mine + theirs


def total(parts: Iterable[Measures]) -> Measures:
    """The sum of all parts."""
    return sum(parts, Measures())
