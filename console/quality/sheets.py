"""Scoring sheets as forms of a page: what is typed becomes a ``Sheet``, complete or not, and back again."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from multidict import MultiDictProxy

from calls.explanations import Explanation
from calls.quality import Answer, Criterion, Form, FormSection, Remark, Ruling, Sheet
from calls.verdicts import Outcome, Verdict
from qa.forms import Suggestion, suggest

RULED = (Outcome.KEPT, Outcome.BROKEN)
"""Verdicts that a person confirms or overrules; the others say nothing that could be wrong."""

_WHOLE = re.compile(r"[+-]?[0-9]{1,3}")
_SPARE_REMARKS = 2
_LONGEST = 4000


@dataclass(frozen=True, slots=True)
class VerdictLine:
    """A verdict beside a criterion."""

    rule: str
    field: str
    """Of the form: ``zh-CN@1:greeting``."""
    outcome: Outcome
    """What the rule says."""
    ruled: Outcome | None
    """What the person says; ``None`` where nothing is asked."""
    reason: str
    explanation: Explanation | None = None
    seconds: tuple[float, ...] = ()
    """Where to listen, each once."""

    @property
    def overruled(self) -> bool:
        return self.ruled is not None and self.ruled is not self.outcome


@dataclass(frozen=True, slots=True)
class CriterionLine:
    """A criterion as the page shows it."""

    criterion: Criterion
    answer: Answer | None
    suggested: Answer | None
    verdicts: tuple[VerdictLine, ...]

    @property
    def chosen(self) -> str:
        """The value of the choice: points, ``na``, or empty."""
        if self.answer is None:
            return ""
        return "na" if self.answer.points is None else str(self.answer.points)

    @property
    def from_rules(self) -> bool:
        """Whether the choice is the one that the rules suggest."""
        return (
            self.suggested is not None
            and self.answer is not None
            and (self.answer.points == self.suggested.points)
        )


@dataclass(frozen=True, slots=True)
class SheetPage:
    """A sheet as the page shows it."""

    sections: tuple[tuple[FormSection, tuple[CriterionLine, ...]], ...]
    others: tuple[VerdictLine, ...]
    """Verdicts that no criterion of the form is linked to."""
    remarks: tuple[Remark | None, ...]
    sheet: Sheet


def shown_sheet(form: Form, sheet: Sheet, verdicts: Sequence[Verdict]) -> SheetPage:
    """The page of a sheet; verdicts that are not ruled upon stand as confirmed."""
    lines = {each.criterion.id: _line(each, sheet) for each in suggest(form, verdicts)}
    linked = {rule for criterion in form.criteria for rule in criterion.rules}
    return SheetPage(
        sections=tuple(
            (section, tuple(lines[criterion.id] for criterion in section.criteria)) for section in form.sections
        ),
        others=tuple(_verdict_line(verdict, sheet) for verdict in verdicts if verdict.rule not in linked),
        remarks=(*sheet.remarks, *[None] * _SPARE_REMARKS),
        sheet=sheet,
    )


def handed_in(form: Form, sheet: Sheet, verdicts: Sequence[Verdict]) -> SheetPage:
    """The page of a sheet that stands: with what was ruled upon then, whatever the rules say by now."""
    now = {(verdict.rule_set, verdict.rule): verdict for verdict in verdicts}
    lines = [_ruled_line(ruling, now.get((ruling.rule_set, ruling.rule))) for ruling in sheet.rulings]
    linked = {rule for criterion in form.criteria for rule in criterion.rules}

    def line(criterion: Criterion) -> CriterionLine:
        mine = tuple(each for each in lines if each.rule in criterion.rules)
        return CriterionLine(criterion, sheet.answer(criterion.id), None, mine)

    return SheetPage(
        sections=tuple((section, tuple(map(line, section.criteria))) for section in form.sections),
        others=tuple(each for each in lines if each.rule not in linked),
        remarks=sheet.remarks,
        sheet=sheet,
    )


def first_sheet(form: Form, verdicts: Sequence[Verdict]) -> Sheet:
    """A sheet that nobody has touched: what the rules suggest."""
    return Sheet(answers=tuple(each.answer for each in suggest(form, verdicts) if each.answer is not None))


def read_sheet(typed: MultiDictProxy[str], form: Form, verdicts: Sequence[Verdict]) -> Sheet:
    """What is typed, as far as it can be read; what is missing or does not fit is told by ``check_sheet``."""
    return Sheet(
        answers=tuple(answer for criterion in form.criteria if (answer := _answer(typed, criterion)) is not None),
        rulings=tuple(_ruling(typed, verdict) for verdict in verdicts if verdict.outcome in RULED),
        remarks=_remarks(typed),
        adjustment=_whole(typed.get("adjustment", "")) or 0,
        adjustment_reason=_text(typed, "adjustment_reason"),
        summary=_text(typed, "summary"),
    )


def field_of(verdict: Verdict) -> str:
    """What the form calls a verdict."""
    return f"{verdict.rule_set}:{verdict.rule}"


def read_second(text: str) -> float | None:
    """``75``, ``75.5`` or ``1:15``; ``None`` for nothing or nonsense."""
    parts = text.strip().split(":")
    try:
        numbers = [float(part) for part in parts]
    except ValueError:
        return None
    seconds = sum(number * 60**power for power, number in enumerate(reversed(numbers)))
    return round(seconds, 1) if len(parts) <= 3 and 0 <= seconds < 86_400 else None


def _line(suggestion: Suggestion, sheet: Sheet) -> CriterionLine:
    return CriterionLine(
        criterion=suggestion.criterion,
        answer=sheet.answer(suggestion.criterion.id),
        suggested=suggestion.answer,
        verdicts=tuple(_verdict_line(verdict, sheet) for verdict in suggestion.verdicts),
    )


def _verdict_line(verdict: Verdict, sheet: Sheet) -> VerdictLine:
    said = sheet.ruling(verdict.rule_set, verdict.rule)
    asked = verdict.outcome if verdict.outcome in RULED else None
    return VerdictLine(
        rule=verdict.rule,
        field=field_of(verdict),
        outcome=verdict.outcome,
        ruled=said.ruled if said else asked,
        reason=said.reason if said else "",
        explanation=verdict.explanation,
        seconds=_seconds(verdict),
    )


def _ruled_line(ruling: Ruling, verdict: Verdict | None) -> VerdictLine:
    return VerdictLine(
        rule=ruling.rule,
        field=f"{ruling.rule_set}:{ruling.rule}",
        outcome=ruling.outcome,
        ruled=ruling.ruled,
        reason=ruling.reason,
        seconds=_seconds(verdict) if verdict else (),
    )


def _seconds(verdict: Verdict) -> tuple[float, ...]:
    return tuple(sorted({round(each.start_s, 1) for each in verdict.evidence}))


def _answer(typed: MultiDictProxy[str], criterion: Criterion) -> Answer | None:
    chosen, note = typed.get(f"answer:{criterion.id}", ""), _text(typed, f"note:{criterion.id}")
    if chosen == "na":
        return Answer(criterion.id, None, note)
    points = _whole(chosen)
    return None if points is None else Answer(criterion.id, points, note)


def _ruling(typed: MultiDictProxy[str], verdict: Verdict) -> Ruling:
    field = field_of(verdict)
    chosen = typed.get(f"ruling:{field}", "")
    ruled = Outcome(chosen) if chosen in list(Outcome) else verdict.outcome
    return Ruling(verdict.rule_set, verdict.rule, verdict.outcome, ruled, _text(typed, f"reason:{field}"))


def _remarks(typed: MultiDictProxy[str]) -> tuple[Remark, ...]:
    pairs = zip(typed.getall("remark_at", []), typed.getall("remark_text", []), strict=False)
    found = [Remark(text.strip()[:_LONGEST], read_second(at)) for at, text in pairs if text.strip()]
    return tuple(sorted(found, key=lambda remark: (remark.at_s is None, remark.at_s or 0.0)))


def _whole(text: str) -> int | None:
    text = text.strip()
    return int(text) if _WHOLE.fullmatch(text) else None


def _text(typed: MultiDictProxy[str], name: str) -> str:
    return typed.get(name, "").strip()[:_LONGEST]
