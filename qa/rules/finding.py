"""What a rule says of a call, before it is a verdict."""

from __future__ import annotations

from dataclasses import dataclass

from calls.explanations import Explanation, Reason
from calls.verdicts import Evidence, Outcome
from qa.rules.heard import Side


@dataclass(frozen=True, slots=True)
class Finding:
    """An outcome, why, where, and how sure."""

    outcome: Outcome
    explanation: Explanation
    evidence: tuple[Evidence, ...] = ()
    confidence: float = 1.0


def kept(why: Explanation | Reason, evidence: tuple[Evidence, ...] = (), confidence: float = 1.0) -> Finding:
    return Finding(Outcome.KEPT, _explained(why), evidence, confidence)


def broken(why: Explanation | Reason, evidence: tuple[Evidence, ...], confidence: float = 0.9) -> Finding:
    return Finding(Outcome.BROKEN, _explained(why), evidence, confidence)


def cannot_judge(
    why: Explanation | Reason, evidence: tuple[Evidence, ...] = (), confidence: float = 0.5
) -> Finding:
    return Finding(Outcome.CANNOT_JUDGE, _explained(why), evidence, confidence)


def not_applicable(why: Explanation | Reason) -> Finding:
    return Finding(Outcome.NOT_APPLICABLE, _explained(why))


def _explained(why: Explanation | Reason) -> Explanation:
    return Explanation(why) if isinstance(why, Reason) else why


def whole(side: Side, since_s: float, until_s: float) -> tuple[Evidence, ...]:
    """The seconds in which something was missed."""
    end_s = side.leg.duration_s if side.leg else 0.0
    return (Evidence(side.which, round(since_s, 3), round(min(until_s, end_s), 3), ""),)
