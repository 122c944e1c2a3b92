"""What keeps a form from being published, and a sheet from being handed in: by name; the console has the words."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from calls.ids import Language
from calls.quality import BONUS_MOST, Criterion, CriterionKind, Form, Names, Sheet

LANGUAGES = (Language("zh-CN"), Language("en"))
LONGEST = 2000
"""Letters of a note, a reason or a remark."""

_ID = re.compile(r"[a-z][a-z0-9-]{0,40}")


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong: what, and where (the id of a section, criterion or rule; empty: the whole)."""

    what: str
    where: str = ""


def check_form(form: Form) -> list[Fault]:
    """All that is wrong with a form; an empty list means that it can be published."""
    return list(_form_faults(form))


def check_sheet(form: Form, sheet: Sheet) -> list[Fault]:
    """All that is missing or wrong in a sheet that is to be handed in."""
    return list(_sheet_faults(form, sheet))


def _form_faults(form: Form) -> Iterator[Fault]:
    if not _named(form.names):
        yield Fault("form_unnamed")
    if not form.sections:
        yield Fault("no_sections")
    elif (weights := sum(section.weight for section in form.sections)) != 100:
        yield Fault("weights", str(weights))
    if not (0 <= form.bonus_most <= BONUS_MOST and 0 <= form.penalty_most <= BONUS_MOST):
        yield Fault("bonus")
    if not 0 <= form.fatal_total <= 100:
        yield Fault("fatal_total")
    if not 0 <= form.pass_mark <= 100:
        yield Fault("pass_mark")
    for section in form.sections:
        if not _named(section.names):
            yield Fault("section_unnamed", section.id)
        if not 1 <= section.weight <= 100:
            yield Fault("weight", section.id)
        if not section.criteria:
            yield Fault("section_empty", section.id)
    for criterion in form.criteria:
        yield from _criterion_faults(criterion)
    ids = Counter([section.id for section in form.sections])
    ids += Counter([criterion.id for criterion in form.criteria])
    for name, times in ids.items():
        if times > 1:
            yield Fault("twice", name)
        if not _ID.fullmatch(name):
            yield Fault("id", name)


def _criterion_faults(criterion: Criterion) -> Iterator[Fault]:
    if not _named(criterion.names):
        yield Fault("criterion_unnamed", criterion.id)
    if not 1 <= criterion.points <= 100:
        yield Fault("points", criterion.id)
    if criterion.kind is CriterionKind.SCALE and criterion.points < 2:
        yield Fault("scale", criterion.id)


def _sheet_faults(form: Form, sheet: Sheet) -> Iterator[Fault]:
    known = {criterion.id for criterion in form.criteria}
    counted = Counter(answer.criterion for answer in sheet.answers)
    for name, times in counted.items():
        if name not in known:
            yield Fault("unknown", name)
        elif times > 1:
            yield Fault("twice", name)
    for criterion in form.criteria:
        answer = sheet.answer(criterion.id)
        if answer is None:
            yield Fault("unanswered", criterion.id)
        elif answer.points is None:
            if not criterion.may_not_apply:
                yield Fault("must_apply", criterion.id)
        elif not _fits(criterion, answer.points):
            yield Fault("points", criterion.id)
    if sheet.answers and all(answer.points is None for answer in sheet.answers):
        yield Fault("nothing_applies")
    if not -form.penalty_most <= sheet.adjustment <= form.bonus_most:
        yield Fault("adjustment")
    if sheet.adjustment and not sheet.adjustment_reason.strip():
        yield Fault("adjustment_reason")
    for ruling in sheet.rulings:
        if ruling.overruled and not ruling.reason.strip():
            yield Fault("overruled_reason", ruling.rule)
    for text in _texts(sheet):
        if len(text) > LONGEST:
            yield Fault("too_long", text[:20])


def _fits(criterion: Criterion, points: int) -> bool:
    if criterion.kind is CriterionKind.YES_NO:
        return points in (0, criterion.points)
    return 0 <= points <= criterion.points


def _named(names: Names) -> bool:
    return all(0 < len(names.get(language, "").strip()) <= 200 for language in LANGUAGES)


def _texts(sheet: Sheet) -> Iterator[str]:
    yield from (sheet.summary, sheet.adjustment_reason)
    yield from (answer.note for answer in sheet.answers)
    yield from (ruling.reason for ruling in sheet.rulings)
    yield from (remark.text for remark in sheet.remarks)
