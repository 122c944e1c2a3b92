"""How far scorers agree (Q3): share of agreement and Cohen's kappa, per criterion, over blindly scored calls.

On a scale it matters by how much answers differ: there kappa is weighted quadratically. "Does not apply" is no
number: where anybody says so, the answers are compared as plain categories.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations

from calls.ids import CallId
from calls.quality import BlindSheet, Criterion, CriterionKind, Form, Round

Said = int | None
"""Points, or ``None``: it does not apply."""


class Why(StrEnum):
    """Why there is no kappa, or that there is one."""

    DEFINED = "defined"
    NOTHING = "nothing"
    """No call was scored by both."""
    CONSTANT = "constant"
    """Both said the same of every call: agreement by chance would be whole too, and kappa is 0/0."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """Two scorers on one criterion."""

    n: int
    same: int
    kappa: float | None
    why: Why
    weighted: bool = False

    @property
    def share(self) -> float | None:
        return self.same / self.n if self.n else None


def kappa(pairs: Sequence[tuple[Said, Said]], *, weighted: bool = False) -> Agreement:
    """Cohen's kappa of two scorers' answers to the same calls.

    κ = 1 − Σ w·observed / Σ w·expected, w the disagreement: 0 or 1, or the squared distance if ``weighted``. With
    "does not apply" among the answers it is never weighted: it lies at no distance from a number.
    """
    n, same = len(pairs), sum(one == other for one, other in pairs)
    if not n:
        return Agreement(0, 0, None, Why.NOTHING)
    weighted = weighted and all(said is not None for pair in pairs for said in pair)

    def apart(one: Said, other: Said) -> int:
        if weighted and one is not None and other is not None:
            return (one - other) ** 2
        return int(one != other)

    firsts, seconds = Counter(one for one, _ in pairs), Counter(other for _, other in pairs)
    observed = sum(apart(one, other) for one, other in pairs) * n
    expected = sum(apart(a, b) * x * y for a, x in firsts.items() for b, y in seconds.items())
    if not expected:
        return Agreement(n, same, None, Why.CONSTANT, weighted)
    return Agreement(n, same, 1 - observed / expected, Why.DEFINED, weighted)


def agreements(form: Form, sheets: Sequence[BlindSheet]) -> dict[str, dict[tuple[str, str], Agreement]]:
    """For every criterion of the form, every pair of scorers on the calls that both handed in."""
    people = sorted({sheet.by for sheet in sheets})
    by_person = {person: {s.call_id: s for s in sheets if s.by == person} for person in people}
    return {
        criterion.id: {
            (one, other): kappa(
                _pairs(criterion, by_person[one], by_person[other]),
                weighted=criterion.kind is CriterionKind.SCALE,
            )
            for one, other in combinations(people, 2)
        }
        for criterion in form.criteria
    }


def may_see(round_: Round, sheets: Sequence[BlindSheet], call_id: CallId) -> bool:
    """Whether somebody may see what the others said of a call of the round.

    Only once everybody has handed in theirs, or the round was closed: a scorer who is late is not led by others,
    and whoever does not score, such as the lead, could tell.
    """
    if round_.closed_at is not None:
        return True
    handed_in = {sheet.by for sheet in sheets if sheet.call_id == call_id}
    return handed_in >= set(round_.scorers)


def visible(round_: Round, sheets: Sequence[BlindSheet], reader: str) -> list[BlindSheet]:
    """The sheets that somebody may see: their own, and those of calls that everybody has handed in."""
    return [s for s in sheets if s.by == reader or may_see(round_, sheets, s.call_id)]


def _pairs(
    criterion: Criterion, one: Mapping[CallId, BlindSheet], other: Mapping[CallId, BlindSheet]
) -> list[tuple[Said, Said]]:
    found = []
    for call_id in sorted(one.keys() & other.keys()):
        first, second = one[call_id].sheet.answer(criterion.id), other[call_id].sheet.answer(criterion.id)
        if first is not None and second is not None:
            found.append((first.points, second.points))
    return found
