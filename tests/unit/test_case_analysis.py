"""What is made of counts: Pareto, comparisons, forecasts that admit their errors, hot words (C7)."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calls.case_figures import CaseSums, Group, Wording
from cases import forecast as module
from cases.forecast import LEAST_MONTHS, Expected, Forecast, Method, TooLittle, forecast, widened
from cases.hot_words import hot_words, words_of
from cases.statistics import compared, pareto, ranked


def group(value: str | None, cases: int, due: int = 0, in_time: int = 0) -> Group:
    return Group(value, CaseSums(cases=cases, steps_due=due, steps_in_time=in_time))


def test_the_vital_few_are_those_before_four_fifths() -> None:
    lines = pareto(
        [group("a", 5), group("b", 50), group("c", 30), group("d", 15), group(None, 900), group("e", 0)]
    )
    assert [(line.value, line.vital) for line in lines] == [("b", True), ("c", True), ("d", False), ("a", False)]
    assert [round(line.cumulated, 2) for line in lines] == [0.5, 0.8, 0.95, 1.0]
    assert pareto([]) == [] == pareto([group(None, 3)])


@given(st.dictionaries(st.text(max_size=3), st.integers(0, 50), max_size=12))
def test_shares_of_causes_add_up(counts: dict[str, int]) -> None:
    lines = pareto([group(value, cases) for value, cases in counts.items()])
    if lines:
        assert lines[-1].cumulated == pytest.approx(1) and sum(line.share for line in lines) == pytest.approx(1)
        assert lines[0].vital and [line.cases for line in lines] == sorted(
            (line.cases for line in lines), reverse=True
        )


def test_groups_are_compared_also_those_that_are_gone() -> None:
    lines = compared([group("a", 12), group("new", 3)], [group("a", 10), group("gone", 4), group("empty", 0)])
    assert [(line.value, line.change, line.says_little) for line in lines] == [
        ("a", 2, False),
        ("new", 3, True),
        ("gone", -4, True),
    ]
    assert lines[0].change_share == pytest.approx(0.2) and lines[1].change_share is None


def test_the_least_timely_department_comes_first_but_not_by_chance() -> None:
    order = ranked([group("good", 9, 20, 20), group("bad", 9, 20, 10), group("few", 1, 2, 0), group("none", 1)])
    assert [each.value for each in order] == ["bad", "good", "few", "none"]


# ── Forecasts ────────────────────────────────────────────────────────────────────────────────────────────────


def test_too_little_history_is_no_basis() -> None:
    assert forecast([10] * (LEAST_MONTHS - 1), 3) == TooLittle(LEAST_MONTHS - 1)
    assert forecast([0] * 20 + [5] * 5, 3) == TooLittle(5), "months before the first complaint are no history"
    assert forecast([], 1) == TooLittle(0)


def test_a_clear_trend_is_followed_and_beats_the_plain_method() -> None:
    chance = random.Random(7)
    found = forecast([40 + 5 * month + chance.randint(-2, 2) for month in range(30)], 3)
    assert isinstance(found, Forecast) and found.method is Method.ETS and found.error < found.plain_error
    assert all(each.low <= each.cases <= each.high for each in found.months)
    assert found.months[0].cases == pytest.approx(190, abs=10) and not found.seasonal


def test_the_seasons_of_three_years_are_seen() -> None:
    chance = random.Random(7)
    history = [100 + (40 if month % 12 in (0, 1, 9) else 0) + chance.randint(-3, 3) for month in range(48)]
    found = forecast(history, 3)
    assert isinstance(found, Forecast) and found.seasonal
    assert found.months[0].cases > 125 and found.months[1].cases > 125 and found.months[2].cases < 115


def test_where_the_model_is_no_better_the_plain_method_is_used_and_its_error_told() -> None:
    """Steps without a pattern: nothing can be known but the last month."""
    chance, level, history = random.Random(3), 100, []
    for _ in range(24):
        level += chance.choice((-9, 9))
        history.append(level)
    found = forecast(history, 2)
    assert isinstance(found, Forecast) and found.method is Method.LAST
    assert found.error == found.plain_error == 9 and found.months[0].cases == history[-1]
    assert found.months[1].high - found.months[1].low > found.months[0].high - found.months[0].low


def test_the_same_history_gives_the_same_forecast_and_never_less_than_none() -> None:
    history = [3, 0, 1, 2, 0, 0, 1, 0, 2, 1, 0, 0, 1, 0]
    one, other = forecast(history, 3), forecast(history, 3)
    assert one == other and isinstance(one, Forecast)
    assert all(each.low >= 0 and each.cases >= 0 for each in one.months) and 0 <= one.inside <= one.tried


def test_intervals_are_as_wide_as_the_past_has_needed() -> None:
    sure = [Expected(10, 9, 11), Expected(10, 8, 12)]
    assert widened(sure, []) == sure and widened(sure, [0.5] * 6) == sure
    # Of six errors the sixth: fewer could not promise four of five.
    assert widened(sure, [1, 2, 3, 4, 5, 6]) == [Expected(10, 4, 16), Expected(10, 0, 22)]
    # Of twelve the eleventh: one month may have been odd.
    assert widened(sure[:1], [1] * 10 + [3, 99]) == [Expected(10, 7, 13)]
    assert widened([Expected(5, 5, 5)], [2]) == [Expected(5, 3, 7)], "of a model that was quite sure"


def test_short_histories_do_not_promise_too_much() -> None:
    """Months that differ by chance alone: most of those to come lie in the interval, and the trials say so."""
    held, inside, runs = 0, 0.0, 8
    for seed in range(runs):
        chance = random.Random(seed)
        history = [20 + round(chance.gauss(0, 4.5)) for _ in range(LEAST_MONTHS + 1)]
        found = forecast(history[:-1], 1)
        assert isinstance(found, Forecast)
        held += found.months[0].low <= history[-1] <= found.months[0].high
        inside += found.inside / found.tried / runs
    assert held >= 6 and inside >= 0.6


def test_a_model_that_fails_gives_way(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> list[Expected]:
        raise ArithmeticError

    monkeypatch.setattr(module, "_ets", broken)
    found = forecast([5] * 14, 1)
    assert isinstance(found, Forecast) and found.method is Method.LAST


# ── Hot words ────────────────────────────────────────────────────────────────────────────────────────────────


def texts(*said: str) -> list[Wording]:
    return [Wording(str(number), text) for number, text in enumerate(said)]


def test_what_comes_up_more_than_before_is_hot() -> None:
    now = texts(*["车厢空调漏水"] * 6, *["退票手续费太高"] * 5)
    before = texts(*["退票手续费太高"] * 6, "车厢空调漏水")
    found = {word.word: (word.now, word.before) for word in hot_words(now, before)}
    assert found["空调"] == (6, 1) and "退票" not in found and "手续费" not in found


def test_one_caller_who_says_it_often_is_one_caller() -> None:
    assert hot_words([Wording("1", "空调空调空调空调")] * 9, []) == []


def test_names_numbers_and_what_everybody_says_are_no_words() -> None:
    found = words_of("您好，我叫王小明，电话13800138000，请问 WiFi 怎么连接？张三丰说空调坏了")
    assert {"空调", "wifi"} <= found
    assert not found & {"王小明", "张三丰", "您好", "请问", "13800138000", "怎么"}
