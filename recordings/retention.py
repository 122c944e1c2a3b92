"""How long recordings are kept (P2): policies by section and kind of call. The longest that applies wins.

Legal holds stand above all policies. They are not rules but facts about single calls, and lie in the books.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Policy:
    """How long recordings of some calls are kept."""

    name: str
    days: int
    sections: frozenset[str] = frozenset()
    """Calls that asked for one of these sections; empty: every call."""
    promised_only: bool = False
    """Only calls in which a call back was promised (A5)."""

    def applies(self, section: str | None, *, promised: bool) -> bool:
        """Whether it is about a call like this."""
        return (not self.sections or section in self.sections) and (promised or not self.promised_only)

    def __str__(self) -> str:
        return f"{self.name}, {self.days} days"


@dataclass(frozen=True, slots=True)
class Cutoff:
    """Calls of one sort: what was recorded ``before`` is due."""

    section: str | None
    """``None``: any that no policy names, or none at all."""
    promised: bool
    before: datetime


@dataclass(frozen=True, slots=True)
class Policies:
    """All policies of a hotline; one of them is about every call."""

    policies: Sequence[Policy]

    @property
    def sections(self) -> frozenset[str]:
        """Those that a policy names."""
        return frozenset().union(*(policy.sections for policy in self.policies))

    @property
    def longest(self) -> Policy:
        """What a call is kept under that nothing is known about: it may be of any sort."""
        return max(self.policies, key=lambda policy: policy.days)

    def of(self, section: str | None, *, promised: bool) -> Policy:
        """What a call like this is kept under: the longest that applies."""
        applying = [policy for policy in self.policies if policy.applies(section, promised=promised)]
        return max(applying, key=lambda policy: policy.days)

    def cutoffs(self, now: datetime) -> Iterator[Cutoff]:
        """What is due now, for every sort of call."""
        for section in (None, *sorted(self.sections)):
            for promised in (False, True):
                yield Cutoff(section, promised, now - timedelta(days=self.of(section, promised=promised).days))


@dataclass(frozen=True, slots=True)
class Caution:
    """What is too much to be believed: a clock that was set wrong must not delete everything."""

    jump: timedelta
    """The clock may be ahead of the last time that was believed by so much."""
    share: float
    """Of all calls in custody, so many may be due at once."""
    few: int = 20
    """So many calls may always be due."""

    def doubt(self, now: datetime, believed: datetime, due: int, kept: int) -> str:
        """Why neither the clock nor that ``due`` of ``kept`` calls are due is believed without a person's word.

        Empty if all is as usual.
        """
        if now - believed > self.jump:
            return (
                f"the clock says {now:%Y-%m-%d %H:%M} UTC, {(now - believed).days} days after "
                f"{believed:%Y-%m-%d %H:%M}, when it was last believed"
            )
        if due > self.few and due > self.share * kept:
            return f"{due} of {kept} calls would be deleted at once"
        return ""
