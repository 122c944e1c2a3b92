"""How many complaints the next months will bring, with an interval, and how far such a forecast has been off (C7).

The model is exponential smoothing (ETS of statsmodels): additive errors, a damped trend, and the seasons of the
year once three years are there. It is tried on the past before it is believed: each of the last months is forecast
from what was known before it, and so is it by the plainest method of all, "as many as last month". Where the model
does not do better, the plain one is used, and that is said. Below a year of months nothing is forecast.
"""

from __future__ import annotations

import itertools
import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

LEAST_MONTHS = 12
"""Below this nobody can tell a trend from chance."""
SEASONS_FROM = 36
"""Months from which on the seasons of a year can be told."""
TRIED = 6
"""Months of the past that forecasts are tried on."""
COVERAGE = 0.8
"""The share of months that should fall inside the interval."""
_SEASON = 12
_Z = 1.2816
"""Of the normal distribution, for ``COVERAGE``."""


class Method(StrEnum):
    """How a forecast was made."""

    ETS = "ets"
    LAST = "last"
    """As many as in the last month: the model did no better on the past."""


@dataclass(frozen=True, slots=True)
class Expected:
    """One month to come."""

    cases: float
    low: float
    high: float
    """Four of five months should lie between ``low`` and ``high``."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """What is expected, and how such forecasts did."""

    months: tuple[Expected, ...]
    method: Method
    error: float
    """Mean distance of the tried forecasts from what came, in complaints."""
    plain_error: float
    """The same, of "as many as last month"."""
    inside: int
    """Tried months that fell into their interval."""
    tried: int
    seasonal: bool


@dataclass(frozen=True, slots=True)
class TooLittle:
    """Nothing is forecast, and why."""

    months: int
    needed: int = LEAST_MONTHS


def forecast(history: Sequence[int], ahead: int) -> Forecast | TooLittle:
    """The next months after a history of whole months, the oldest first.

    Months before the first complaint are not history. The same history gives the same forecast.
    """
    while history and history[0] == 0:
        history = history[1:]
    if len(history) < LEAST_MONTHS:
        return TooLittle(len(history))
    try:
        return _tried(history, ahead, seasonal=len(history) >= SEASONS_FROM)
    except ArithmeticError:
        return _as_last(history, ahead)


def _tried(history: Sequence[int], ahead: int, *, seasonal: bool) -> Forecast:
    """The model if it did better on the past than the plain method. Raises ArithmeticError if it cannot tell."""
    places = range(len(history) - TRIED, len(history))
    errors, plain, inside = [], [], 0
    for place in places:
        expected = _ets(history[:place], 1, seasonal)[0]
        errors.append(abs(expected.cases - history[place]))
        plain.append(abs(history[place - 1] - history[place]))
        inside += expected.low <= history[place] <= expected.high
    error, plain_error = sum(errors) / TRIED, sum(plain) / TRIED
    if error < plain_error:
        months = tuple(_ets(history, ahead, seasonal))
        return Forecast(months, Method.ETS, error, plain_error, inside, TRIED, seasonal)
    return _as_last(history, ahead)


def _ets(history: Sequence[int], ahead: int, seasonal: bool) -> list[Expected]:
    # Loading it takes a second, which only who forecasts should wait for.
    import pandas as pd
    from statsmodels.tsa.exponential_smoothing.ets import ETSModel

    seasonal = seasonal and len(history) >= 2 * _SEASON
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it did not quite converge shows in the errors on the past
        model = ETSModel(
            pd.Series(history, dtype=float),
            error="add",
            trend="add",
            damped_trend=True,
            seasonal="add" if seasonal else None,
            seasonal_periods=_SEASON if seasonal else None,
        )
        fitted = model.fit(disp=False, maxiter=200)
        told = fitted.get_prediction(start=len(history), end=len(history) + ahead - 1)
        bounds = told.summary_frame(alpha=1 - COVERAGE)
    means = bounds["mean"].to_numpy()
    lows, highs = bounds["pi_lower"].to_numpy(), bounds["pi_upper"].to_numpy()
    return [_expected(*map(float, each)) for each in zip(means, lows, highs, strict=True)]


def _as_last(history: Sequence[int], ahead: int) -> Forecast:
    """As many as last month, the interval from how much months have differed."""
    steps = [later - earlier for earlier, later in itertools.pairwise(history)]
    spread = math.sqrt(sum(step * step for step in steps) / len(steps))
    last = float(history[-1])
    months = tuple(
        _expected(last, last - _Z * spread * math.sqrt(n), last + _Z * spread * math.sqrt(n))
        for n in range(1, ahead + 1)
    )
    error = sum(map(abs, steps[-TRIED:])) / TRIED
    inside = sum(abs(step) <= _Z * spread for step in steps[-TRIED:])
    return Forecast(months, Method.LAST, error, error, inside, TRIED, seasonal=False)


def _expected(cases: float, low: float, high: float) -> Expected:
    """Never fewer than none; what a model could not tell is as wide as can be."""
    if not all(map(math.isfinite, (cases, low, high))):
        raise ArithmeticError("the forecast came out as no number")
    return Expected(max(0.0, cases), max(0.0, low), max(0.0, high))
