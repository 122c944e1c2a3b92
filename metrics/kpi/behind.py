"""Which calls stand behind a figure: read off the indicator's own formula, so that it cannot say anything else.

A formula adds up measures of calls, or tallies of surveys and cases. Fed with one at a time it shows what each
side is made of: what is added names the calls or cases to list, what is subtracted those to leave out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from calls.lists import OF_CASES, OF_PROMISES, OF_SURVEYS, Counted
from calls.measures import LIMITS_S, Measures
from calls.ports import Tallies, Tally
from metrics.kpi.model import Basis, Facts, Kpi

_BY_LIMIT = ("within", "offers_kept")
_AS_CALLS = {"wait_us": "answered", "talk_us": "answered", "handled_us": "wrapped", "longest_wait_us": "asked"}
"""Times, and the calls that they are times of."""
_LISTED = {tally: tally.value for tally in Tally if tally in OF_SURVEYS | OF_CASES | OF_PROMISES}
_LISTED |= {Tally.SURVEY_POINTS: Tally.SURVEYS.value}
"""Tallies, and what is listed behind them; points are those of surveys."""
_PLAIN = (
    *("arrived", "asked", "answered", "abandoned", "abandoned_short", "callbacks", "lost", "self_served"),
    *("overflowed", "transferred", "open_calls", "talking", "wrapped", "missing_recordings", "offers", *_AS_CALLS),
)


@dataclass(frozen=True, slots=True)
class Behind:
    """What a figure counts; ``None`` where a side counts neither calls nor cases (a plain 1, hours of work)."""

    numerator: Counted | None
    denominator: Counted | None


def behind(kpi: Kpi) -> Behind:
    """The calls, offers, inquiries, steps or complaints behind both sides of an indicator."""
    if kpi.basis is Basis.OUTAGES:
        return Behind(None, None)
    sides: tuple[dict[str, float], dict[str, float]] = ({}, {})
    of_cases = kpi.basis is Basis.CASES
    for name, facts in _tallies() if of_cases else _one_at_a_time(kpi.limit_s):
        for side, now, nothing in zip(sides, kpi.parts(facts), kpi.parts(Facts()), strict=True):
            if now != nothing:
                side[name] = now - nothing
    return Behind(*(_counted(side, kpi.limit_s) for side in sides))


def _tallies() -> list[tuple[str, Facts]]:
    """Facts in which one tally is 1."""
    return [(name, Facts(tallies=Tallies({tally: 1.0}))) for tally, name in _LISTED.items()]


def _one_at_a_time(limit_s: float | None) -> list[tuple[str, Facts]]:
    """Measures of which one is 1 and every other is 0."""
    limits = dict.fromkeys({*LIMITS_S, *([limit_s] if limit_s else [])}, 0)
    nothing = Measures(within=limits, offers_kept=limits)
    found: list[tuple[str, Facts]] = []
    for name in _PLAIN:
        found.append((name, Facts(calls=_with(nothing, name, 1))))
    if limit_s is not None:
        by_limit = {**limits, limit_s: 1}
        found += [(name, Facts(calls=_with(nothing, name, by_limit))) for name in _BY_LIMIT]
    return found


def _with(measures: Measures, name: str, value: int | Mapping[float, int]) -> Measures:
    return replace(measures, **{name: value})  # type: ignore[arg-type]


def _counted(side: Mapping[str, float], limit_s: float | None) -> Counted | None:
    added = [name for name, change in side.items() if change > 0]
    removed = [name for name, change in side.items() if change < 0]
    if len(added) != 1 or len(removed) > 1:
        return None
    measure = _AS_CALLS.get(added[0], added[0])
    without = removed[0] if removed else ("talking" if added[0] == "talk_us" else None)
    return Counted(measure, limit_s if measure in _BY_LIMIT else None, without)
