"""What the rules' verdicts say about a form's criteria before a person does (A2–A6)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from calls.quality import Answer, Criterion, Form, Sheet
from calls.verdicts import Outcome, Verdict
from qa.forms.check import Fault


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


def contradictions(form: Form, sheet: Sheet, verdicts: Sequence[Verdict]) -> list[Fault]:
    """Criteria that were answered against their verdicts although those are confirmed.

    Either the answer is wrong or the verdict: a person says which, so that rules are learned from (Q1). Part of
    the points on a scale is no contradiction.
    """
    found = []
    for each in suggest(form, verdicts):
        said = sheet.answer(each.criterion.id)
        if each.answer is None or each.answer.points is None or said is None:
            continue
        opposite = each.criterion.points - each.answer.points
        if said.points in (None, opposite) and not any(_is_overruled(sheet, v) for v in each.verdicts):
            found.append(Fault("contradicts", each.criterion.id))
    return found


def _is_overruled(sheet: Sheet, verdict: Verdict) -> bool:
    ruling = sheet.ruling(verdict.rule_set, verdict.rule)
    return ruling is not None and ruling.overruled


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
