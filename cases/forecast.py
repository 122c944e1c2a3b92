"""How many complaints the next months will bring, with an interval, and how far such a forecast has been off (C7).

The model is exponential smoothing (ETS of statsmodels): additive errors, a damped trend, and the seasons of the
year once three years are there. It is tried on the past before it is believed: each of the last months is forecast
from what was known before it, and so is it by the plainest method of all, "as many as last month". Where the model
does not do better, the plain one is used, and that is said. Below a year of months nothing is forecast.

A model that was fitted to a dozen months believes in itself too much: its own 80 % intervals held 66 % of the
months of made-up series (12 to 24 months; even, scattered, rising; wandering of 12). So the interval is the wider
of the model's own and of what its errors on the past have needed; that held 82 %.
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
CALIBRATED = 6
"""Months before those, whose errors say how wide the interval of a tried month must have been."""
COVERAGE = 0.8
"""The share of months that should fall inside the interval."""
_SEASON = 12
_LEAST_FIT = 6
"""Below so many months no model is fitted."""
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
    """Tried months that fell into the interval that would have been told before them."""
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
        return _plain(history, ahead)


def _tried(history: Sequence[int], ahead: int, *, seasonal: bool) -> Forecast:
    """The model if it did better on the past than the plain method. Raises ArithmeticError if it cannot tell."""
    first = max(_LEAST_FIT, len(history) - TRIED - CALIBRATED)
    places = range(first, len(history))
    model = _Trial(history, [_ets(history[:place], 1, seasonal)[0] for place in places], first)
    plain = _Trial(history, [_as_last(history[:place], 1)[0] for place in places], first)
    if model.error < plain.error:
        return model.forecast(_ets(history, ahead, seasonal), Method.ETS, plain.error, seasonal=seasonal)
    return _plain(history, ahead)


def _plain(history: Sequence[int], ahead: int) -> Forecast:
    first = max(_LEAST_FIT, len(history) - TRIED - CALIBRATED)
    trial = _Trial(history, [_as_last(history[:place], 1)[0] for place in range(first, len(history))], first)
    return trial.forecast(_as_last(history, ahead), Method.LAST, trial.error, seasonal=False)


class _Trial:
    """Forecasts of months that have come since, each from what was known before it."""

    def __init__(self, history: Sequence[int], made: Sequence[Expected], first: int) -> None:
        self._came = [float(each) for each in history[first:]]
        self._made = made
        self._off = [abs(told.cases - came) for told, came in zip(made, self._came, strict=True)]
        self.error = sum(self._off[-TRIED:]) / TRIED

    def forecast(
        self, months: Sequence[Expected], method: Method, plain_error: float, *, seasonal: bool
    ) -> Forecast:
        """The months to come, as wide as the past has shown to be needed."""
        wide = tuple(widened(months, self._off))
        return Forecast(wide, method, self.error, plain_error, self._inside(), TRIED, seasonal)

    def _inside(self) -> int:
        """Of the tried months, those inside the interval that would have been told then: from errors before it."""
        count = len(self._made)
        return sum(
            each.low <= self._came[place] <= each.high
            for place in range(count - TRIED, count)
            for each in widened([self._made[place]], self._off[:place])
        )


def widened(months: Sequence[Expected], off: Sequence[float]) -> list[Expected]:
    """Intervals at least so wide that they would have held ``COVERAGE`` of past months, by these distances.

    The distance is the conformal quantile: of N distances the ``COVERAGE * (N + 1)``-th, at most the largest. A
    model that is fitted to a dozen months believes in itself too much; its mistakes on the past do not. All months
    ahead are widened by the factor of the first.
    """
    if not off or not months:
        return list(months)
    rank = min(len(off), math.ceil(COVERAGE * (len(off) + 1)))
    needed, told = sorted(off)[rank - 1], months[0].high - months[0].cases
    if needed <= told:
        return list(months)
    spread = [max(each.high - each.cases, each.cases - each.low) for each in months]
    factor = needed / spread[0] if spread[0] > 0 else 1.0
    return [
        _expected(each.cases, each.cases - wide, each.cases + wide)
        for each, wide in zip(months, (max(needed, factor * own) for own in spread), strict=True)
    ]


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


def _as_last(history: Sequence[int], ahead: int) -> list[Expected]:
    """As many as last month, the interval from how much months have differed."""
    steps = [later - earlier for earlier, later in itertools.pairwise(history)]
    spread = math.sqrt(sum(step * step for step in steps) / len(steps))
    last = float(history[-1])
    return [
        _expected(last, last - _Z * spread * math.sqrt(n), last + _Z * spread * math.sqrt(n))
        for n in range(1, ahead + 1)
    ]


def _expected(cases: float, low: float, high: float) -> Expected:
    """Never fewer than none; what a model could not tell is as wide as can be."""
    if not all(map(math.isfinite, (cases, low, high))):
        raise ArithmeticError("the forecast came out as no number")
    return Expected(max(0.0, cases), max(0.0, low), max(0.0, high))
