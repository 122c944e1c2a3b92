"""Means and shares with their intervals, and what is said where there is none (Q3)."""

from __future__ import annotations

import random

import pytest
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from qa.estimates import Caution, estimate_mean, t_quantile, wilson


@pytest.mark.parametrize("freedom", [1, 2, 3, 4, 7, 30, 101])
def test_quantiles_are_those_of_the_tables(freedom: int) -> None:
    assert t_quantile(freedom) == pytest.approx(stats.t.ppf(0.975, freedom), abs=1e-9)


@pytest.mark.parametrize(("hits", "n"), [(0, 5), (5, 5), (1, 3), (40, 100)])
def test_shares_are_wilsons(hits: int, n: int) -> None:
    assert wilson(hits, n) == pytest.approx(proportion_confint(hits, n, method="wilson"), abs=1e-9)


def test_a_share_of_nothing_is_nothing() -> None:
    assert wilson(0, 0) is None


def test_small_samples_are_honest() -> None:
    def of(*scores: float, population: int | None = 100) -> tuple[float | None, float | None, Caution]:
        found = estimate_mean(scores, population, lowest=0, highest=110)
        return found.mean, found.low, found.caution

    assert of() == (None, None, Caution.NOTHING)
    assert of(90.0) == (90, None, Caution.ONE)
    assert of(90.0, 90.0, 90.0) == (90, None, Caution.ALIKE)
    assert of(80.0, 90.0, population=2) == (85, 85, Caution.ALL)
    mean, low, caution = of(80.0, 90.0, 85.0)
    assert mean == 85 and low is not None and caution is Caution.FEW
    assert of(*(80.0 + n for n in range(6)))[2] is Caution.NONE


def test_an_interval_stays_within_what_a_score_can_be() -> None:
    found = estimate_mean([0.0, 100.0], 1000, lowest=0, highest=110)
    assert (found.low, found.high) == (0, 110)


def test_the_more_of_all_calls_are_scored_the_narrower() -> None:
    scores = [70.0, 80, 90, 85, 75, 95]
    half, tenth, endless = (estimate_mean(scores, n, lowest=0, highest=110) for n in (12, 60, None))
    widths = [e.high - e.low for e in (half, tenth, endless) if e.high is not None and e.low is not None]
    assert widths == sorted(widths) and len(set(widths)) == 3
    t_only = stats.t.interval(0.95, 5, loc=82.5, scale=stats.sem(scores))
    assert (endless.low, endless.high) == pytest.approx(t_only)


def test_intervals_hold_the_mean_of_all_calls_as_often_as_they_say() -> None:
    """Scores of one agent's 60 calls, 8 of them drawn, again and again; the seed is fixed."""
    dice = random.Random(3)
    calls = [min(100.0, max(0.0, dice.gauss(85, 8))) for _ in range(60)]
    true, held = sum(calls) / 60, 0
    for _ in range(2000):
        found = estimate_mean(dice.sample(calls, 8), 60, lowest=0, highest=110)
        assert found.low is not None and found.high is not None
        held += found.low <= true <= found.high
    assert 0.93 < held / 2000 < 0.97, held
