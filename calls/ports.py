"""What the parts ask of each other. The siblings meet here and are joined in ``service/wiring.py``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from calls.call import Call
from calls.events import AnyEvent
from calls.ids import CallId


class Clock(Protocol):
    """The time of day, passed in so that tests can set it."""

    def now(self) -> datetime:
        """The present time, aware, in UTC."""


@dataclass(frozen=True, slots=True)
class Change:
    """One call before and after new events were stored; ``before`` is ``None`` for a call not seen before."""

    before: Call | None
    after: Call
    events: tuple[AnyEvent, ...]
    """The events that were new to the ledger, in the order in which they were told."""


@dataclass(frozen=True, slots=True)
class Ratio:
    """A figure that always shows what it was made of."""

    numerator: int
    denominator: int

    @property
    def value(self) -> float | None:
        """The share from 0 to 1, or ``None`` when there is nothing to divide by."""
        return self.numerator / self.denominator if self.denominator else None


@dataclass(frozen=True, slots=True)
class DayFigures:
    """The figures of one period, as of now."""

    answered: Ratio
    """K1: calls that an agent answered ÷ calls that asked for an agent."""
    within_limit: Ratio
    """K2: calls answered within three rings by the caller's clock ÷ calls that asked for an agent."""
    rings_kept: Ratio
    """K2r: offers answered within three rings ÷ offers made to an agent."""
    arrived: int
    abandoned: int
    callbacks: int
    missing_recordings: int
    """Answered and ended calls without a recording."""


class Ledger(Protocol):
    """The books: every event once, every call as the fold of its events.

    Implementations raise StorageUnavailable (trying again may help) or StorageRefused (it will not).
    """

    async def record(self, events: Sequence[AnyEvent]) -> list[Change]:
        """Store events, each once by its key, and the calls they belong to, in one transaction.

        Returns a change for every call that got at least one new event; events stored before change nothing.
        """

    async def call(self, call_id: CallId) -> Call | None:
        """The call, or ``None``."""

    async def events(self, call_id: CallId) -> list[AnyEvent]:
        """Everything stored about a call, in order of time."""

    async def open_calls(self) -> list[Call]:
        """Calls that have not ended."""

    async def figures(self, since: datetime, until: datetime, limit_s: float) -> DayFigures:
        """K1, K2 and K2r over calls that arrived in ``[since, until)``; ``limit_s`` is A1's limit.

        Only calls whose fate is known count: answered, or ended after asking for a person.
        """

    async def missing_recordings(self, ended_before: datetime, limit: int) -> list[Call]:
        """Answered calls that ended before the given time and have no recording, newest first."""
