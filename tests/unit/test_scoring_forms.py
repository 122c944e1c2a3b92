"""Forms and sheets: what is refused and why, and what a sheet comes to (Q4, Q5)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calls.errors import FormFaulty
from calls.explanations import Explanation, Reason
from calls.ids import CallId, Language
from calls.quality import Answer, Criterion, CriterionKind, Form, FormSection, Names, Ruling, Sheet
from calls.verdicts import Outcome, RuleSetId, Severity, Verdict
from qa.forms import Fault, check_form, check_sheet, default_form, mark, read_form, suggest
from qa.rules import load_rules, packs

RULES = RuleSetId("zh-CN", "1")


def named(text: str) -> Names:
    return {Language("zh-CN"): text, Language("en"): text}


def criterion(name: str, points: int = 1, **more: object) -> Criterion:
    return Criterion(name, named(name), points=points, **more)  # type: ignore[arg-type]


FORM = Form(
    named("form"),
    (
        FormSection("opening", named("o"), 40, (criterion("greeting", 2), criterion("number", 2))),
        FormSection(
            "solving",
            named("s"),
            60,
            (
                criterion("answer", 4, kind=CriterionKind.SCALE, may_not_apply=False),
                criterion("insult", fatal=True, may_not_apply=False),
            ),
        ),
    ),
)


def sheet(
    greeting: int | None, number: int | None, answer: int | None, insult: int | None, **more: object
) -> Sheet:
    points = {"greeting": greeting, "number": number, "answer": answer, "insult": insult}
    return Sheet(tuple(Answer(name, value) for name, value in points.items()), **more)  # type: ignore[arg-type]


NAMES_OF = ("greeting", "number", "answer", "insult")


def total(*points: int | None, **more: object) -> float:
    return mark(FORM, sheet(*points, **more)).total  # type: ignore[arg-type]


def test_a_sheet_is_the_weighted_mean_of_its_sections() -> None:
    assert total(2, 2, 4, 1) == 100
    assert total(2, 0, 4, 1) == 80
    assert total(2, 0, 1, 1) == 40 * 0.5 + 60 * 0.4


def test_what_does_not_apply_leaves_its_weight_to_the_rest() -> None:
    assert total(2, None, 4, 1) == 100, "within the section"
    assert total(None, None, 1, 1) == 40, "the whole section"
    assert mark(FORM, sheet(None, None, 1, 1)).by_section == {"opening": None, "solving": 0.4}


def test_bonus_and_penalty_come_on_top() -> None:
    assert total(2, 2, 4, 1, adjustment=10, adjustment_reason="praised") == 110
    assert total(0, 0, 0, 1, adjustment=-10, adjustment_reason="late") == 2
    assert mark(FORM, sheet(0, 0, 0, 1, adjustment=-10, adjustment_reason="late")).by_section["opening"] == 0


def test_a_fatal_answer_fails_the_call() -> None:
    found = mark(FORM, sheet(2, 2, 4, 0, adjustment=10, adjustment_reason="praised"))
    assert found.total == 0 and found.fatal == ("insult",)
    lenient = replace(FORM, fatal_total=50)
    assert mark(lenient, sheet(2, 2, 4, 0)).total == 50
    assert mark(lenient, sheet(0, 0, 0, 0)).total == 0, "it holds down, it does not lift"


def test_halves_are_rounded_up() -> None:
    form = Form(named("f"), (FormSection("a", named("a"), 100, (criterion("x", 1), criterion("y", 2))),))
    answers = Sheet((Answer("x", 1), Answer("y", 0)))
    assert mark(form, answers).total == 33.33
    assert mark(form, Sheet((Answer("x", 0), Answer("y", 2)))).total == 66.67


@pytest.mark.parametrize(
    ("wrong", "faults"),
    [
        (Sheet(), [("unanswered", name) for name in ("greeting", "number", "answer", "insult")]),
        (sheet(1, 2, 4, 1), [("points", "greeting")]),
        (sheet(2, 2, 5, 1), [("points", "answer")]),
        (sheet(2, 2, None, 1), [("must_apply", "answer")]),
        (sheet(2, 2, 4, 1, adjustment=11, adjustment_reason="x"), [("adjustment", "")]),
        (sheet(2, 2, 4, 1, adjustment=-3), [("adjustment_reason", "")]),
        (
            sheet(2, 2, 4, 1, rulings=(Ruling(RULES, "greeting", Outcome.BROKEN, Outcome.KEPT, " "),)),
            [("overruled_reason", "greeting")],
        ),
        (
            replace(sheet(2, 2, 4, 1), answers=(*sheet(2, 2, 4, 1).answers, Answer("else", 1))),
            [("unknown", "else")],
        ),
        (sheet(2, 2, 4, 1, summary="x" * 2001), [("too_long", "x" * 20)]),
    ],
)
def test_a_sheet_that_does_not_fit_says_why(wrong: Sheet, faults: list[tuple[str, str]]) -> None:
    assert check_sheet(FORM, wrong) == [Fault(*each) for each in faults]
    with pytest.raises(FormFaulty):
        mark(FORM, wrong)


def test_nothing_applies_is_no_score() -> None:
    form = Form(named("f"), (FormSection("a", named("a"), 100, (criterion("x"),)),))
    assert Fault("nothing_applies") in check_sheet(form, Sheet((Answer("x", None),)))


def one(form: Form = FORM, **changes: object) -> list[Fault]:
    return check_form(replace(form, **changes))  # type: ignore[arg-type]


def test_a_form_that_cannot_be_published_says_why() -> None:
    first, second = FORM.sections
    assert check_form(FORM) == []
    assert one(names={Language("en"): "only English"}) == [Fault("form_unnamed")]
    assert one(sections=()) == [Fault("no_sections")]
    assert one(sections=(first,)) == [Fault("weights", "40")]
    assert one(bonus_most=11) == [Fault("bonus")]
    assert one(penalty_most=-1) == [Fault("bonus")]
    assert one(fatal_total=101) == [Fault("fatal_total")]
    assert one(pass_mark=101) == [Fault("pass_mark")]
    assert one(sections=(replace(first, names={}), second)) == [Fault("section_unnamed", "opening")]
    assert one(sections=(replace(first, criteria=()), second)) == [Fault("section_empty", "opening")]
    assert one(sections=(replace(first, id="Opening!"), second)) == [Fault("id", "Opening!")]
    assert one(sections=(replace(first, id="solving"), second)) == [Fault("twice", "solving")]
    assert one(sections=(replace(first, weight=0), replace(second, weight=100))) == [Fault("weight", "opening")]
    bad = (criterion("a", 0), criterion("b", 1, kind=CriterionKind.SCALE), replace(criterion("c"), names={}))
    assert one(sections=(replace(first, criteria=bad), second)) == [
        Fault("points", "a"),
        Fault("scale", "b"),
        Fault("criterion_unnamed", "c"),
    ]


answers = st.fixed_dictionaries(
    {
        "greeting": st.sampled_from([0, 2, None]),
        "number": st.sampled_from([0, 2, None]),
        "answer": st.integers(0, 4),
        "insult": st.sampled_from([0, 1]),
    }
)


@given(answers, st.integers(-10, 10))
def test_a_total_lies_within_its_bounds(points: dict[str, int | None], adjustment: int) -> None:
    found = total(*(points[name] for name in NAMES_OF), adjustment=adjustment, adjustment_reason="because")
    assert 0 <= found <= 100 + max(0, adjustment)
    assert round(found, 2) == found


@given(answers, st.sampled_from(["greeting", "number", "answer"]))
def test_more_points_never_make_a_score_worse(points: dict[str, int | None], better: str) -> None:
    before = total(*(points[name] for name in NAMES_OF))
    if points[better] is not None:
        most = FORM.criterion(better)
        assert most
        points[better] = most.points
        assert total(*(points[name] for name in NAMES_OF)) >= before


def verdict(rule: str, outcome: Outcome) -> Verdict:
    return Verdict(
        call_id=CallId("1.1"),
        rule=rule,
        requirement="A2",
        rule_set=RULES,
        outcome=outcome,
        severity=Severity.MINOR,
        weight=1,
        confidence=1,
        evidence=(),
        explanation=Explanation(Reason.MATCHED),
        judged_at=datetime(2026, 11, 26, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    ("outcomes", "filled"),
    [
        ([Outcome.KEPT, Outcome.KEPT], Answer("c", 3)),
        ([Outcome.KEPT, Outcome.BROKEN], Answer("c", 0)),
        ([Outcome.CANNOT_JUDGE, Outcome.BROKEN], Answer("c", 0)),
        ([Outcome.KEPT, Outcome.CANNOT_JUDGE], None),
        ([Outcome.NOT_APPLICABLE, Outcome.KEPT], Answer("c", 3)),
        ([Outcome.NOT_APPLICABLE], Answer("c", None)),
        ([], None),
    ],
)
def test_verdicts_fill_in_what_follows_from_them(outcomes: list[Outcome], filled: Answer | None) -> None:
    looked_at = criterion("c", 3, rules=("r0", "r1"))
    form = Form(named("f"), (FormSection("a", named("a"), 100, (looked_at, criterion("other"))),))
    verdicts = [verdict(f"r{n}", outcome) for n, outcome in enumerate(outcomes)]
    first, other = suggest(form, [*verdicts, verdict("another", Outcome.BROKEN)])
    assert first.answer == filled and first.verdicts == tuple(verdicts)
    assert other.answer is None and other.verdicts == ()


def test_the_default_form_links_rules_that_exist_and_asks_for_a2_to_a6() -> None:
    form = default_form()
    assert check_form(form) == []
    rules = {rule.id for path in packs() for rule in load_rules(path).rules}
    assert {name for each in form.criteria for name in each.rules} <= rules
    assert {each.requirement for each in form.criteria} == {"A2", "A3", "A4", "A5", "A6"}
    assert (form.bonus_most, form.penalty_most) == (10, 10)


@pytest.mark.parametrize("text", ["", "names = 1", "what = {", "[[sections]]\nid = 'X'"])
def test_a_file_that_is_no_form_is_refused(text: str) -> None:
    with pytest.raises(FormFaulty):
        read_form(text)
