"""Every measure as SQL over calls and offers, once: pages, roll-ups and reports count by it (K1, K2, K2r).

A statement here gives one row for each interval of time and each combination of the wanted dimensions, with the
columns ``start``, ``by_`` and the dimension (empty text for none), and the measures wanted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    BindParameter,
    ColumnElement,
    Double,
    FromClause,
    Row,
    Select,
    and_,
    bindparam,
    case,
    cast,
    func,
    literal_column,
    or_,
    select,
    true,
    union_all,
)

from calls.call import Result
from calls.ids import DIGITS, SYNTHETIC_TRUNK
from calls.measures import ALL_CALLS, LIMITS_S, SHORT_S, Dimension, Measures, Slice
from storage.tables import MAXIMA, SUMS, UtcDateTime, calls, offers

_Sums = Mapping[str, ColumnElement[int]]

MEASURES = (*SUMS, *MAXIMA)

_LIMITS: dict[str, float | BindParameter[float]] = {
    **{f"{limit:g}": limit for limit in LIMITS_S},
    "own": bindparam("own_limit_s", type_=Double),
}
"""The limits that calls and offers are counted by, in seconds, by what ends their columns' names."""

_NOTHING: ColumnElement[int] = literal_column("0")
# As ``calls.ids.is_test_trunk``.
TEST: ColumnElement[bool] = or_(
    calls.c.trunk == SYNTHETIC_TRUNK,
    func.substr(calls.c.trunk, 1, 1).in_([literal_column(f"'{digit}'") for digit in DIGITS]),
)
_HEARD: ColumnElement[bool] = calls.c.connected_at.is_not(None)
_ENDED: ColumnElement[bool] = calls.c.ended_at.is_not(None)
_FATE_KNOWN = or_(_HEARD, and_(calls.c.asked_at.is_not(None), _ENDED))
_PICKED_UP = offers.c.answered_at.is_not(None)
# An offer may still ring although its call has been answered (a transfer): nobody knows yet how it comes out.
_OFFER_OVER = or_(_PICKED_UP, offers.c.ended_at.is_not(None), _ENDED)
_ABANDONED = calls.c.result == Result.ABANDONED

OF_CALLS: Mapping[str, ColumnElement[bool]] = {
    "arrived": true(),
    "asked": _FATE_KNOWN,
    "answered": _HEARD,
    "abandoned": _ABANDONED,
    "abandoned_short": and_(_ABANDONED, calls.c.waited_s < SHORT_S),
    "callbacks": calls.c.result == Result.CALLBACK,
    "lost": calls.c.result == Result.LOST,
    "self_served": calls.c.result == Result.SELF_SERVED,
    "overflowed": calls.c.overflowed_at.is_not(None),
    "transferred": and_(_HEARD, calls.c.transferred_at.is_not(None)),
    "open_calls": calls.c.result == Result.IN_PROGRESS,
    "talking": and_(_HEARD, calls.c.ended_at.is_(None)),
    "wrapped": calls.c.wrap_up_s.is_not(None),
    "missing_recordings": calls.c.recording_missing,
}
"""Which calls, tests apart, each measure of calls counts; lists of calls show the same ones."""

COUNTED_OFFERS: ColumnElement[bool] = and_(_FATE_KNOWN, _OFFER_OVER)
"""Which offers count, tests apart."""


def within(limit_s: float | BindParameter[float]) -> ColumnElement[bool]:
    """Calls answered within a limit by the caller's clock (A1)."""
    return and_(_HEARD, calls.c.wait_s <= limit_s)


def kept(limit_s: float | BindParameter[float]) -> ColumnElement[bool]:
    """Offers answered within a limit by the agent's clock (K2r)."""
    return and_(_PICKED_UP, offers.c.ring_s <= limit_s)


@lru_cache(maxsize=512)
def counted(
    intervals: int = 1,
    held: frozenset[Dimension] = frozenset(),
    dimensions: tuple[Dimension, ...] = (),
    measures: tuple[str, ...] = MEASURES,
) -> Select[Any]:
    """Measures of adjoining intervals of time, each named by its ``start``; to be executed with ``parameters``.

    Made once for each number of intervals, dimensions ``held`` at a value, and dimensions told apart: to make it
    takes longer than most answers.
    """
    sources = (
        (calls, ~TEST, calls.c.agent, _of_calls()),
        (calls, TEST, calls.c.agent, {"tests": func.count()}),
        (offers.join(calls), and_(~TEST, COUNTED_OFFERS), offers.c.agent, _of_offers()),
    )
    arrived = and_(calls.c.arrived_at >= _cut(0), calls.c.arrived_at < _cut(intervals))
    selects = []
    for source, where, agent, sums in sources:
        if not sums.keys() & set(measures):
            continue
        columns = _keys(agent)
        # Not named as the tables' own columns, which "group by" would mean instead.
        labels = [_start(intervals).label("start"), *(columns[each].label(f"by_{each}") for each in dimensions)]
        same = [columns[dimension] == bindparam(f"held_{dimension}") for dimension in sorted(held)]
        found = [(func.coalesce(sums[each], 0) if each in sums else _NOTHING).label(each) for each in measures]
        chosen = select(*labels, *found).select_from(source).where(arrived, where, *same)
        # A database sorts all rows to group them, even by what is the same in all of them.
        groups = labels if intervals > 1 else labels[1:]
        selects.append(chosen.group_by(*groups) if groups else chosen.having(func.count() > 0))
    parts = union_all(*selects).subquery("parts")
    keys = [parts.c.start, *(parts.c[f"by_{dimension}"] for dimension in dimensions)]
    return added_up(parts, keys, measures)


def parameters(cuts: Sequence[datetime], own_limit_s: float, part: Slice = ALL_CALLS) -> dict[str, object]:
    """For ``counted``: where the intervals begin and end, A1's limit, and the values of the dimensions held.

    The slice's kind of days is left to who chooses the cuts.
    """
    times = {f"cut_{index}": cut for index, cut in enumerate(cuts)}
    return {**times, "own_limit_s": own_limit_s, **held_values(part)}


def held_values(part: Slice) -> dict[str, object]:
    """Parameters of the dimensions that a slice holds."""
    return {f"held_{dimension}": part.value(dimension) for dimension in part.held()}


def added_up(
    parts: FromClause, keys: Sequence[ColumnElement[Any]], measures: Sequence[str] = MEASURES
) -> Select[Any]:
    """Rows with the measures of ``parts``, added up by ``keys``."""
    totals = [
        func.max(parts.c[name]).label(name)
        if name in MAXIMA
        else cast(func.sum(parts.c[name]), BigInteger).label(name)
        for name in measures
    ]
    return select(*keys, *totals).group_by(*keys)


def measures_of(values: Sequence[int], own_limit_s: float) -> Measures:
    """The measures in the order of ``MEASURES``."""
    found = dict(zip(MEASURES, values, strict=True))
    limits = {**{f"{limit:g}": limit for limit in LIMITS_S}, "own": own_limit_s}
    by_limit = {
        kind: {limit: found.pop(f"{kind}_{name}") for name, limit in limits.items()} for kind in ("within", "kept")
    }
    return Measures(within=by_limit["within"], offers_kept=by_limit["kept"], **found)


def values_of(row: Row[Any]) -> list[int]:
    """The measures in a row that ends with them."""
    return list(row[-len(MEASURES) :])


def _of_calls() -> _Sums:
    return {
        **{name: _count(which) for name, which in OF_CALLS.items()},
        **{f"within_{name}": _count(within(limit)) for name, limit in _LIMITS.items()},
        "arrived": func.count(),
        "wait_us": func.sum(_us(calls.c.wait_s)),
        "talk_us": func.sum(_us(calls.c.talk_s)),
        "handled_us": func.sum(_us(calls.c.talk_s) + _us(calls.c.wrap_up_s)),
        "longest_wait_us": func.max(_us(calls.c.waited_s)),
    }


def _of_offers() -> _Sums:
    return {"offers": func.count(), **{f"kept_{name}": _count(kept(limit)) for name, limit in _LIMITS.items()}}


def _count(which: ColumnElement[bool]) -> ColumnElement[int]:
    return func.count().filter(which)


def _us(seconds: ColumnElement[float]) -> ColumnElement[int]:
    """Whole microseconds: integers add up to the same sum in any order, which is what equality rests on."""
    return cast(func.round(seconds * 1_000_000), BigInteger)


def _keys(agent: ColumnElement[Any]) -> dict[Dimension, ColumnElement[str]]:
    columns = {
        Dimension.SECTION: calls.c.section,
        Dimension.AGENT: agent,
        Dimension.LANGUAGE: calls.c.language,
        Dimension.TRUNK: calls.c.trunk,
    }
    return {dimension: func.coalesce(column, "") for dimension, column in columns.items()}


def _cut(index: int) -> BindParameter[datetime]:
    return bindparam(f"cut_{index}", type_=UtcDateTime)


def _start(intervals: int) -> ColumnElement[Any]:
    """The beginning of the interval that a call arrived in."""
    last = _cut(intervals - 1)
    earlier = ((calls.c.arrived_at < _cut(index + 1), _cut(index)) for index in range(intervals - 1))
    return case(*earlier, else_=last) if intervals > 1 else last
