"""What management makes of counts: changes, the causes that matter, what stands out (C7)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from calls.case_figures import CaseSums, Group

VITAL_SHARE = 0.8
"""Causes that together make so much of all complaints are the vital few (Pareto)."""

FEW = 10
"""Below so many cases a rate says little: it is shown, and nothing is concluded from it."""

_NOTHING = CaseSums()


@dataclass(frozen=True, slots=True)
class Compared:
    """One group now and before."""

    value: str | None
    now: CaseSums
    before: CaseSums

    @property
    def change(self) -> int:
        """More or fewer complaints."""
        return self.now.cases - self.before.cases

    @property
    def change_share(self) -> float | None:
        """The change as a share of before; ``None`` if there were none."""
        return self.change / self.before.cases if self.before.cases else None

    @property
    def says_little(self) -> bool:
        """Whether there are too few to conclude anything from."""
        return max(self.now.cases, self.before.cases) < FEW


def compared(now: Sequence[Group], before: Sequence[Group]) -> list[Compared]:
    """Groups side by side, the most frequent now first; those that are gone behind."""
    earlier = {group.value: group.sums for group in before}
    found = [Compared(group.value, group.sums, earlier.pop(group.value, _NOTHING)) for group in now]
    return [*found, *(Compared(value, _NOTHING, sums) for value, sums in earlier.items() if sums.cases)]


@dataclass(frozen=True, slots=True)
class ParetoLine:
    """One cause with its share, and that of all causes up to it."""

    value: str | None
    cases: int
    share: float
    cumulated: float
    vital: bool
    """Whether it is one of the few that make most."""


def pareto(groups: Sequence[Group]) -> list[ParetoLine]:
    """Causes in the order of their weight. What has no cause yet is left out: it is no cause."""
    known = sorted(
        (group for group in groups if group.value is not None and group.sums.cases),
        key=lambda group: (-group.sums.cases, group.value or ""),
    )
    total = sum(group.sums.cases for group in known)
    lines, before = [], 0
    for group in known:
        vital = before < VITAL_SHARE * total
        before += group.sums.cases
        lines.append(ParetoLine(group.value, group.sums.cases, group.sums.cases / total, before / total, vital))
    return lines


def ranked(groups: Sequence[Group]) -> list[Group]:
    """Departments, the least timely first; those of whom too little is known to say behind."""

    def order(group: Group) -> tuple[bool, float, str]:
        rate = group.sums.timeliness.value
        few = rate is None or group.sums.steps_due < FEW
        return few, rate if rate is not None else 1.0, group.value or ""

    return sorted(groups, key=order)
