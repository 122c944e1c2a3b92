"""What the rules' verdicts say about a form's criteria before a person does (A2–A6)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from calls.quality import Answer, Criterion, Form
from calls.verdicts import Outcome, Verdict


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A criterion's linked verdicts, and the answer that follows from them."""

    criterion: Criterion
    verdicts: tuple[Verdict, ...]
    answer: Answer | None
    """``None``: the verdicts leave it open, a person has to listen."""


def suggest(form: Form, verdicts: Sequence[Verdict]) -> list[Suggestion]:
    """For every criterion what its rules say, in the order of the form.

    Broken weighs more than kept: one broken rule takes the points. Where a rule cannot judge nothing is filled in,
    for a guess in the field would be taken for a finding. On a scale only the two ends can follow from rules.
    """
    return [_suggestion(criterion, verdicts) for criterion in form.criteria]


def _suggestion(criterion: Criterion, verdicts: Sequence[Verdict]) -> Suggestion:
    linked = tuple(verdict for verdict in verdicts if verdict.rule in criterion.rules)
    outcomes = {verdict.outcome for verdict in linked}
    answer: Answer | None = None
    if Outcome.BROKEN in outcomes:
        answer = Answer(criterion.id, 0)
    elif Outcome.CANNOT_JUDGE in outcomes or not outcomes:
        answer = None
    elif Outcome.KEPT in outcomes:
        answer = Answer(criterion.id, criterion.points)
    elif criterion.may_not_apply:
        answer = Answer(criterion.id, None)
    return Suggestion(criterion, linked, answer)
