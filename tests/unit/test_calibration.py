"""Agreement of blind scorers, and steps from a score to a decision (Q3)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.inter_rater import cohens_kappa, to_table

from calls.errors import NotNow
from calls.ids import AgentNumber, CallId, FormId, Language
from calls.quality import (
    Answer,
    BlindSheet,
    Criterion,
    CriterionKind,
    Form,
    FormSection,
    Round,
    Score,
    ScoreState,
    Sheet,
)
from calls.workdays import Days, Workdays
from cases.clocks import Calendar
from qa.appeals import Act, after, can, following, term_end
from qa.calibration import Why, agreements, kappa, may_see, visible

NOW = datetime(2026, 11, 26, 8, tzinfo=UTC)
NAMES = {Language("en"): "x"}
FORM = Form(
    NAMES,
    (
        FormSection(
            "a", NAMES, 100, (Criterion("yes", NAMES), Criterion("scale", NAMES, CriterionKind.SCALE, points=4))
        ),
    ),
)
ROUND = Round(1, "r", FormId("f"), 1, frozenset(), (CallId("1.1"), CallId("2.1")), ("ann", "bob"), "lead", NOW)


def blind(by: str, call_id: str, yes: int | None, scale: int | None = 2) -> BlindSheet:
    return BlindSheet(1, CallId(call_id), by, Sheet((Answer("yes", yes), Answer("scale", scale))), 0.0, NOW)


def test_kappa_of_the_textbook() -> None:
    """20 yes-yes, 5 yes-no, 10 no-yes, 15 no-no: 0.7 observed, 0.5 by chance."""
    pairs = [(1, 1)] * 20 + [(1, 0)] * 5 + [(0, 1)] * 10 + [(0, 0)] * 15
    found = kappa(pairs)
    assert found.kappa == pytest.approx(0.4) and found.share == 0.7 and found.why is Why.DEFINED


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=2), st.booleans())
def test_kappa_is_that_of_statsmodels(pairs: list[tuple[int, int]], weighted: bool) -> None:
    found = kappa(pairs, weighted=weighted)
    table, _ = to_table([list(pair) for pair in pairs], bins=[-0.5, 0.5, 1.5, 2.5, 3.5, 4.5])
    if found.kappa is None:
        assert found.why is Why.CONSTANT and len({said for pair in pairs for said in pair}) == 1
    else:
        expected = cohens_kappa(table, wt="quadratic" if weighted else None, return_results=False)
        assert found.kappa == pytest.approx(float(expected))


def test_kappa_that_is_not_defined_says_why() -> None:
    assert kappa([]).why is Why.NOTHING and kappa([]).share is None
    constant = kappa([(1, 1), (1, 1)])
    assert constant.kappa is None and constant.why is Why.CONSTANT and constant.share == 1
    assert kappa([(1, 0), (1, 0)]).kappa == 0


def test_does_not_apply_is_no_number() -> None:
    assert kappa([(4, 0), (1, 1)], weighted=True).weighted
    assert not kappa([(4, 0), (None, 1), (1, 1)], weighted=True).weighted


def test_agreement_for_every_criterion_and_pair_on_calls_that_both_scored() -> None:
    sheets = [blind("ann", "1.1", 1), blind("bob", "1.1", 1), blind("ann", "2.1", 0), blind("cid", "1.1", 0)]
    found = agreements(FORM, sheets)
    assert set(found) == {"yes", "scale"}
    assert set(found["yes"]) == {("ann", "bob"), ("ann", "cid"), ("bob", "cid")}
    assert (found["yes"]["ann", "bob"].n, found["yes"]["ann", "bob"].same) == (1, 1)
    assert found["yes"]["ann", "cid"].same == 0


def test_nobody_sees_what_others_said_before_all_have_handed_in() -> None:
    mine, theirs = blind("ann", "1.1", 1), blind("bob", "1.1", 0)
    assert visible(ROUND, [mine], "ann") == [mine]
    assert visible(ROUND, [mine], "bob") == [] == visible(ROUND, [mine], "lead")
    assert not may_see(ROUND, [mine, blind("ann", "2.1", 1)], CallId("1.1"))
    both = [mine, theirs, blind("ann", "2.1", 1)]
    assert visible(ROUND, both, "bob") == both[:2] and visible(ROUND, both, "lead") == both[:2]


def score(state: ScoreState, until: datetime | None = None) -> Score:
    return Score(1, CallId("1.1"), AgentNumber("1001"), None, FormId("f"), "ann", NOW, state, appeal_until=until)


def test_only_these_steps_follow_each_other() -> None:
    paths = {
        ScoreState.OPEN: {Act.HAND_IN},
        ScoreState.SCORED: {Act.REVISE, Act.ACKNOWLEDGE, Act.APPEAL},
        ScoreState.APPEALED: {Act.UPHOLD, Act.CHANGE},
    }
    for state in ScoreState:
        for act in Act:
            if act in paths.get(state, ()):
                assert following(state, act)
            else:
                with pytest.raises(NotNow):
                    following(state, act)


def test_an_appeal_comes_within_its_term() -> None:
    end = NOW + timedelta(days=3)
    scored = score(ScoreState.SCORED, end)
    assert after(scored, Act.APPEAL, end - timedelta(microseconds=1)) is ScoreState.APPEALED
    assert not can(scored, Act.APPEAL, end) and can(scored, Act.ACKNOWLEDGE, end)
    assert not can(score(ScoreState.SCORED), Act.APPEAL, NOW)


def test_the_term_is_counted_in_working_days() -> None:
    zone = ZoneInfo("Asia/Shanghai")
    calendar = Workdays(frozenset({date(2026, 10, 1), date(2026, 10, 2)}), frozenset({date(2026, 10, 10)}))

    special = {date(2026, 11, 9): Days.OFF, date(2026, 11, 14): Days.WORKING}

    def end(day: date, days: int) -> date:
        scored = datetime(day.year, day.month, day.day, 23, 59, tzinfo=zone)
        found = term_end(scored, days, Calendar(zone, calendar, special).kind, zone)
        assert found.astimezone(zone).hour == 0
        return found.astimezone(zone).date()

    assert end(date(2026, 11, 23), 3) == date(2026, 11, 27), "Tuesday to Thursday"
    assert end(date(2026, 11, 26), 2) == date(2026, 12, 1), "Friday, and Monday"
    assert end(date(2026, 9, 30), 1) == date(2026, 10, 6), "behind the holidays"
    assert end(date(2026, 11, 6), 1) == date(2026, 11, 11), "Tuesday: Monday is the operator's own day off"
    assert end(date(2026, 11, 13), 1) == date(2026, 11, 15), "Saturday is worked here"
    assert end(date(2026, 10, 9), 1) == date(2026, 10, 11), "a Saturday that is worked for them"
    assert end(date(2030, 1, 4), 1) == date(2030, 1, 8), "not published: from Monday to Friday"
