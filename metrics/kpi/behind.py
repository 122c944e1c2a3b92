"""Which calls stand behind a figure: read off the indicator's own formula, so that it cannot say anything else.

A formula adds up measures of calls. Fed with one measure at a time it shows what each side is made of: a measure
that is added names the calls to list, one that is subtracted names those to leave out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from calls.lists import Counted
from calls.measures import LIMITS_S, Measures
from metrics.kpi.model import Basis, Facts, Kpi

_BY_LIMIT = ("within", "offers_kept")
_AS_CALLS = {"wait_us": "answered", "talk_us": "answered", "longest_wait_us": "asked"}
"""Times, and the calls that they are times of."""
_PLAIN = (
    *("arrived", "asked", "answered", "abandoned", "abandoned_short", "callbacks", "lost", "self_served"),
    *("overflowed", "transferred", "open_calls", "talking", "missing_recordings", "offers", *_AS_CALLS),
)


@dataclass(frozen=True, slots=True)
class Behind:
    """What a figure counts; ``None`` where a side counts no calls (a plain 1, cases, hours of work)."""

    numerator: Counted | None
    denominator: Counted | None


def behind(kpi: Kpi) -> Behind:
    """The calls behind both sides of an indicator."""
    if kpi.basis not in (Basis.CALLS, Basis.PRESENCE):
        return Behind(None, None)
    sides: tuple[dict[str, float], dict[str, float]] = ({}, {})
    for name, measures in _one_at_a_time(kpi.limit_s):
        for side, now, nothing in zip(
            sides, kpi.parts(Facts(calls=measures)), kpi.parts(Facts(calls=Measures())), strict=True
        ):
            if now != nothing:
                side[name] = now - nothing
    return Behind(*(_counted(side, kpi.limit_s) for side in sides))


def _one_at_a_time(limit_s: float | None) -> list[tuple[str, Measures]]:
    """Measures of which one is 1 and every other is 0."""
    limits = dict.fromkeys({*LIMITS_S, *([limit_s] if limit_s else [])}, 0)
    nothing = Measures(within=limits, offers_kept=limits)
    found: list[tuple[str, Measures]] = []
    for name in _PLAIN:
        found.append((name, _with(nothing, name, 1)))
    if limit_s is not None:
        found += [(name, _with(nothing, name, {**limits, limit_s: 1})) for name in _BY_LIMIT]
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
