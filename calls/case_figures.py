"""Complaints as figures: counts, timeliness and satisfaction, told apart as management asks (C7, K7)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from calls.people import Scope
from calls.ports import Ratio


class Facet(StrEnum):
    """What complaints are told apart by; the value is also the name of the list's filter."""

    TYPE = "type"
    CAUSE = "cause"
    DEPARTMENT = "department"
    PLACE = "place"
    SECTION = "section"
    CHANNEL = "channel"


@dataclass(frozen=True, slots=True)
class CaseSums:
    """Sums over complaints registered in a period. They add up."""

    cases: int = 0
    key_customers: int = 0
    registered_late: int = 0
    """Later than C2 allows."""
    closed: int = 0
    again: int = 0
    """Worked more than once (C5)."""
    steps_due: int = 0
    steps_in_time: int = 0
    asked: int = 0
    satisfied: int = 0
    first_satisfied: int = 0
    """Satisfied when first asked: what working again was not needed for."""

    @property
    def timeliness(self) -> Ratio:
        """K7: steps in time ÷ steps due."""
        return Ratio(self.steps_in_time, self.steps_due)

    @property
    def satisfaction(self) -> Ratio:
        """K7: satisfied complainants ÷ complainants asked."""
        return Ratio(self.satisfied, self.asked)

    def __add__(self, other: CaseSums) -> CaseSums:
        return CaseSums(*(getattr(self, each.name) + getattr(other, each.name) for each in fields(self)))


@dataclass(frozen=True, slots=True)
class Group:
    """The complaints that share one value."""

    value: str | None
    """``None``: not known, such as a cause that was not found yet."""
    sums: CaseSums


@dataclass(frozen=True, slots=True)
class Span:
    """A period as its two moments, the second outside."""

    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Wording:
    """The text of one case or turn of speech, for counting words. Personal data: only words leave (P1, P3)."""

    source: str
    text: str


class CaseStatistics(Protocol):
    """Counts complaints within somebody's reach. Raises StorageUnavailable."""

    async def whole(self, span: Span, scope: Scope) -> CaseSums:
        """All of them."""

    async def groups(self, span: Span, facet: Facet, scope: Scope) -> list[Group]:
        """Told apart, the most frequent first. By department, steps are those that departments answer for."""

    async def cross(self, span: Span, rows: Facet, columns: Facet, scope: Scope) -> dict[tuple[str, str], int]:
        """Number of complaints by two facets; what is not known is the empty text."""

    async def series(self, spans: Sequence[Span], scope: Scope, department: str | None = None) -> list[int]:
        """Complaints registered in each period."""

    async def wordings(self, span: Span) -> Iterator[Wording]:
        """What was written in cases and inquiries, and said in calls (masked)."""
