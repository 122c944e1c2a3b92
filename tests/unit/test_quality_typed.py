"""What is typed into sheets and into the form builder is what is stored: nothing is lost on the way (Q4)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import MultiDict, MultiDictProxy

from calls.ids import CallId
from calls.quality import Answer, Criterion, CriterionKind, Form, FormSection, Remark, Ruling, Sheet
from calls.verdicts import Outcome, Severity, Verdict
from console.quality.building import Act, Pressed, blank_form, changed, read_form, read_pressed
from console.quality.sheets import first_sheet, handed_in, read_second, read_sheet, shown_sheet
from qa.forms import check_form, contradictions, default_form
from tests.support_quality import FORM, NOW, RULES, named

KEPT, BROKEN = Outcome.KEPT, Outcome.BROKEN


def verdict(rule: str, outcome: Outcome) -> Verdict:
    return Verdict(CallId("1.1"), rule, "A2", RULES, outcome, Severity.MINOR, 1, 1, (), "", NOW)


VERDICTS = [verdict("greeting", BROKEN), verdict("thanks", KEPT), verdict("dead-air", Outcome.CANNOT_JUDGE)]

words = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), max_size=20)
sheets = st.builds(
    Sheet,
    answers=st.tuples(
        st.builds(Answer, st.just("greeting"), st.sampled_from([0, 1, None]), words),
        st.builds(Answer, st.just("answer"), st.integers(0, 4), words),
    ),
    rulings=st.tuples(
        st.builds(
            Ruling, st.just(RULES), st.just("greeting"), st.just(BROKEN), st.sampled_from([KEPT, BROKEN]), words
        ),
        st.builds(Ruling, st.just(RULES), st.just("thanks"), st.just(KEPT), st.just(KEPT), words),
    ),
    adjustment=st.integers(-10, 10),
    adjustment_reason=words,
    summary=words,
)


def typed(sheet: Sheet) -> MultiDictProxy[str]:
    """The fields of the page, as its template names them."""
    fields: MultiDict[str] = MultiDict()
    page = shown_sheet(FORM, sheet, VERDICTS)
    for _, lines in page.sections:
        for line in lines:
            if line.chosen:
                fields[f"answer:{line.criterion.id}"] = line.chosen
            fields[f"note:{line.criterion.id}"] = line.answer.note if line.answer else ""
            for each in line.verdicts:
                fields[f"ruling:{each.field}"] = each.ruled or ""
                fields[f"reason:{each.field}"] = each.reason
    for each in page.others:
        fields[f"ruling:{each.field}"] = each.ruled or ""
        fields[f"reason:{each.field}"] = each.reason
    for remark in page.remarks:
        fields.add("remark_at", "" if remark is None or remark.at_s is None else str(remark.at_s))
        fields.add("remark_text", remark.text if remark else "")
    fields.update({"adjustment": str(sheet.adjustment), "adjustment_reason": sheet.adjustment_reason})
    fields["summary"] = sheet.summary
    return MultiDictProxy(fields)


@given(sheets)
def test_a_sheet_that_is_shown_is_read_back_as_it_was(sheet: Sheet) -> None:
    assert read_sheet(typed(sheet), FORM, VERDICTS) == sheet


def test_remarks_are_kept_in_the_order_of_the_recording() -> None:
    remarks = (Remark("later", 75.5), Remark("sooner", 3.0), Remark("of all of it"), Remark(" "))
    read = read_sheet(typed(Sheet(remarks=remarks)), FORM, VERDICTS)
    assert read.remarks == (Remark("sooner", 3.0), Remark("later", 75.5), Remark("of all of it"))


@pytest.mark.parametrize(
    ("text", "second"),
    [
        *[("75", 75.0), ("75.55", 75.5), ("1:15", 75.0), ("1:01:15", 3675.0), (" 0:00 ", 0.0)],
        *[("", None), ("x", None), ("1:x", None), ("-5", None), ("1:2:3:4", None), ("nan", None), ("inf", None)],
        ("90000", None),
    ],
)
def test_seconds_as_people_write_them(text: str, second: float | None) -> None:
    assert read_second(text) == second


@given(st.dictionaries(st.sampled_from(["answer:greeting", "adjustment", "ruling:zh-CN@1:greeting"]), words))
def test_nonsense_is_read_as_something_that_can_be_told(fields: dict[str, str]) -> None:
    read = read_sheet(MultiDictProxy(MultiDict(fields)), FORM, VERDICTS)
    assert [ruling.rule for ruling in read.rulings] == ["greeting", "thanks"]


def test_an_untouched_sheet_is_what_the_rules_suggest() -> None:
    assert first_sheet(FORM, VERDICTS).answers == (Answer("greeting", 0),)


def test_an_answer_against_a_confirmed_verdict_is_told() -> None:
    sheet = Sheet(answers=(Answer("greeting", 1),))
    assert [(each.what, each.where) for each in contradictions(FORM, sheet, VERDICTS)] == [
        ("contradicts", "greeting")
    ]
    overruled = replace(sheet, rulings=(Ruling(RULES, "greeting", BROKEN, KEPT, "said so"),))
    assert contradictions(FORM, overruled, VERDICTS) == []
    assert contradictions(FORM, Sheet(answers=(Answer("greeting", 0),)), VERDICTS) == []
    assert len(contradictions(FORM, Sheet(answers=(Answer("greeting", None),)), VERDICTS)) == 1


def test_what_was_ruled_upon_is_shown_without_what_the_rules_say_now() -> None:
    sheet = Sheet(rulings=(Ruling(RULES, "greeting", BROKEN, KEPT, "why"), Ruling(RULES, "x", KEPT, KEPT)))
    page = handed_in(FORM, sheet, [])
    (line,) = page.sections[0][1][0].verdicts
    assert (line.rule, line.overruled, line.reason) == ("greeting", True, "why")
    assert [each.rule for each in page.others] == ["x"]


# ── The builder ──────────────────────────────────────────────────────────────────────────────────────────────


def fields_of(form: Form) -> MultiDictProxy[str]:
    """The fields of the builder, as its template names them."""
    fields: MultiDict[str] = MultiDict({f"form:{language}": text for language, text in form.names.items()})
    for name in ("bonus_most", "penalty_most", "fatal_total", "pass_mark"):
        fields[name] = str(getattr(form, name))
    for s, section in enumerate(form.sections):
        fields.update({f"section:{s}:id": section.id, f"section:{s}:weight": str(section.weight)})
        fields.update({f"section:{s}:{language}": text for language, text in section.names.items()})
        for c, each in enumerate(section.criteria):
            here = f"criterion:{s}:{c}"
            fields.update({f"{here}:id": each.id, f"{here}:kind": each.kind, f"{here}:points": str(each.points)})
            fields.update({f"{here}:requirement": each.requirement})
            fields.update({f"{here}:{language}": text for language, text in each.names.items()})
            fields.update({f"{here}:guidance:{language}": text for language, text in each.guidance.items()})
            for flag in ("may_not_apply", "fatal"):
                if getattr(each, flag):
                    fields[f"{here}:{flag}"] = "1"
            for rule in each.rules:
                fields.add(f"{here}:rules", rule)
    return MultiDictProxy(fields)


@pytest.mark.parametrize("form", [default_form(), FORM, blank_form()])
def test_a_form_that_is_shown_is_read_back_as_it_was(form: Form) -> None:
    rules = [rule for each in default_form().criteria for rule in each.rules]
    assert read_form(fields_of(form), rules) == form


def test_links_to_rules_that_are_not_in_force_stay() -> None:
    form = Form(
        named("f"), (FormSection("s", named("s"), 100, (Criterion("c", named("c"), rules=("a1", "b1")),)),)
    )
    assert read_form(fields_of(form), ["b1"]).criteria[0].rules == ("b1", "a1")


def test_numbers_that_are_none_are_told_when_it_is_published() -> None:
    fields = MultiDict(fields_of(FORM))
    fields.update({"section:0:weight": "forty", "pass_mark": "-", "criterion:1:0:points": ""})
    faults = {fault.what for fault in check_form(read_form(MultiDictProxy(fields), []))}
    assert {"weight", "weights", "pass_mark", "points"} <= faults


acts = st.builds(Pressed, st.sampled_from(Act), st.integers(0, 4), st.integers(0, 4))


@given(st.lists(acts, max_size=8))
def test_whatever_is_pressed_ids_stay_unique_and_nothing_else_changes(pressed: list[Pressed]) -> None:
    form = FORM
    for each in pressed:
        form = changed(form, each)
        ids = [part.id for part in (*form.sections, *form.criteria)]
        assert len(set(ids)) == len(ids)
    known = {criterion.id: criterion for criterion in FORM.criteria}
    assert all(known.get(each.id, each) == each for each in form.criteria)


@pytest.mark.parametrize(
    ("text", "pressed"),
    [
        ("add-section", Pressed(Act.ADD_SECTION)),
        ("raise-criterion:1:2", Pressed(Act.RAISE_CRITERION, 1, 2)),
        ("raise-criterion:1:x", Pressed(Act.SAVE)),
        ("", Pressed(Act.SAVE)),
        ("drop-table", Pressed(Act.SAVE)),
        ("remove-section:-1", Pressed(Act.SAVE)),
    ],
)
def test_buttons(text: str, pressed: Pressed) -> None:
    assert read_pressed(text) == pressed


def test_pressing_moves_and_removes() -> None:
    first, second = FORM.sections
    assert changed(FORM, Pressed(Act.RAISE_SECTION, 1)).sections == (second, first)
    assert changed(FORM, Pressed(Act.RAISE_SECTION, 0)) == FORM == changed(FORM, Pressed(Act.RAISE_SECTION, 9))
    assert changed(FORM, Pressed(Act.REMOVE_SECTION, 0)).sections == (second,)
    raised = changed(FORM, Pressed(Act.RAISE_CRITERION, 1, 1)).sections[1].criteria
    assert raised == second.criteria[::-1]
    assert changed(FORM, Pressed(Act.REMOVE_CRITERION, 1, 0)).sections[1].criteria == second.criteria[1:]
    assert changed(FORM, Pressed(Act.ADD_CRITERION, 7)) == FORM
    added = changed(FORM, Pressed(Act.ADD_SECTION)).sections[-1]
    assert added.weight == 0 and added.criteria[0].kind is CriterionKind.YES_NO
