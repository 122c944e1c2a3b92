"""Sums over the ledger in a database: ``calls.ports.Books`` for SQLite and PostgreSQL.

Roll-ups answer where they are fresh, the calls themselves everywhere else, and all of it is read in one snapshot:
so the answer is always the one that counting every call would give, also while calls come in and roll-ups are
made (``storage/rollups.py``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache
from itertools import groupby
from typing import Any
from zlib import crc32
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, Table, and_, bindparam, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from calls.measures import ALL_CALLS, Dimension, Measures, Slice
from calls.periods import Grain, Period
from calls.workdays import Workdays
from storage.buckets import KEPT, QUARTER, Fresh, Plan, Planner
from storage.faults import translated
from storage.sums import MEASURES, added_up, counted, held_values, measures_of, parameters, values_of
from storage.tables import SUMS, UtcDateTime, rollup_agents, rollup_built, rollup_calls, rollup_marks

Sums = dict[str, list[int]]
"""Measures as they are read, by the value of the dimension."""

_LONGEST = {
    Grain.HOUR: timedelta(hours=1),
    Grain.DAY: timedelta(hours=26),
    Grain.MONTH: timedelta(days=31, hours=2),
}
"""Of two roll-ups that begin at most so far from each other, no third one lies between."""


@lru_cache(maxsize=8)
def basis_of(zone: ZoneInfo, own_limit_s: float) -> str:
    """What roll-ups depend on beside the calls. They are of no use once any of it is different."""
    definition = counted(dimensions=tuple(Dimension)).compile()
    text = f"{definition} {sorted(definition.params.items())}"
    return f"{zone.key} {own_limit_s:g} {crc32(text.encode()):08x}"


async def read_fresh(connection: AsyncConnection, basis: str, start: datetime, end: datetime) -> Fresh:
    """The roll-ups of ``[start, end)`` that may be used."""
    made = select(rollup_built).where(
        rollup_built.c.basis == basis, rollup_built.c.start < end, rollup_built.c.end > start
    )
    marks = (
        select(rollup_marks.c.quarter)
        .where(rollup_marks.c.quarter > start - QUARTER, rollup_marks.c.quarter < end)
        .order_by(rollup_marks.c.quarter)
    )
    built: dict[Grain, dict[datetime, datetime]] = {grain: {} for grain in KEPT}
    for row in await connection.execute(made):
        built[Grain(row.grain)][row.start] = row.end
    first = min((start for starts in built.values() for start in starts), default=end)
    last = max((until for ends in built.values() for until in ends.values()), default=end)
    return Fresh(built, [row.quarter for row in await connection.execute(marks)], first, last)


class SqlBooks:
    """The books of one operator (``calls.ports.Books``): one time zone, one limit for A1."""

    def __init__(
        self,
        engine: AsyncEngine,
        zone: ZoneInfo,
        own_limit_s: float,
        workdays: Workdays,
        *,
        rolled_up: bool = True,
    ) -> None:
        """``rolled_up=False`` counts every call: slow, for comparison."""
        one_snapshot = engine.dialect.name == "postgresql"  # a transaction of SQLite is one anyway
        self._engine = engine.execution_options(isolation_level="REPEATABLE READ") if one_snapshot else engine
        self._zone = zone
        self._own_limit_s = own_limit_s
        self._workdays = workdays
        self._basis = basis_of(zone, own_limit_s) if rolled_up else ""

    async def measures(
        self, periods: Sequence[Period], slice: Slice = ALL_CALLS, by: Dimension | None = None
    ) -> list[dict[str | None, Measures]]:
        """See ``calls.ports.Books.measures``."""
        if not periods:
            return []
        found: list[Sums] = [{} for _ in periods]
        with translated():
            async with self._engine.connect() as connection:
                plan = await self._plan(connection, periods, slice, by)
                for statement, values, owners in _statements(plan, slice, by, self._own_limit_s):
                    for row in await connection.execute(statement, values):
                        value = getattr(row, f"by_{by}") if by else ""
                        for number in owners.get(row.start, ()):
                            _add(found[number], value, values_of(row))
        return [self._told(sums, by) for sums in found]

    async def _plan(
        self, connection: AsyncConnection, periods: Sequence[Period], part: Slice, by: Dimension | None
    ) -> Plan:
        spans = [period.span for period in periods]
        fresh = await read_fresh(
            connection, self._basis, min(start for start, _ in spans), max(end for _, end in spans)
        )

        def is_wanted(day: date) -> bool:
            return self._workdays.kind(day) is part.days

        hours, days = not _by_agent(part, by), is_wanted if part.days else None
        return Planner(self._zone, fresh, hours=hours, is_wanted=days).plan(periods)

    def _told(self, sums: Sums, by: Dimension | None) -> dict[str | None, Measures]:
        told: dict[str | None, Measures] = {
            value or None: measures_of(values, self._own_limit_s) for value, values in sums.items()
        }
        return told if by or told else {None: measures_of(_NOTHING, self._own_limit_s)}


_NOTHING = [0] * len(MEASURES)
_OF_SUMS = len(SUMS)


def _by_agent(part: Slice, by: Dimension | None) -> bool:
    return by is Dimension.AGENT or part.agent is not None


def _add(sums: Sums, value: str, values: Sequence[int]) -> None:
    mine = sums.get(value)
    if mine is None:
        sums[value] = list(values)
        return
    added = [one + other for one, other in zip(mine[:_OF_SUMS], values[:_OF_SUMS], strict=True)]
    sums[value] = added + [max(pair) for pair in zip(mine[_OF_SUMS:], values[_OF_SUMS:], strict=True)]


_WORTH = 4
"""Roll-ups in a part on average, from which on a statement for each part is worth it."""

_Question = tuple[Select[Any], dict[str, object], Mapping[datetime, Sequence[int]]]
"""A statement, its parameters, and the periods that a row belongs to by its ``start``."""


def _statements(plan: Plan, part: Slice, by: Dimension | None, own_limit_s: float) -> list[_Question]:
    """What to ask."""
    asked: list[_Question] = []
    held = part.held()
    table = rollup_agents if _by_agent(part, by) else rollup_calls
    for grain, owners in plan.buckets.items():
        for run in _runs(grain, sorted(owners)):
            for starts, together in _shares(run, owners):
                values = {"grain": grain.value, "first": starts[0], "last": starts[-1], **held_values(part)}
                asked.append((_rolled_up(table, held, by, together), values, owners))
    runs, of_interval = plan.intervals()
    for cuts in runs:
        statement = counted(len(cuts) - 1, held, (by,) if by else ())
        asked.append((statement, parameters(cuts, own_limit_s, part), of_interval))
    return asked


def _runs(grain: Grain, starts: Sequence[datetime]) -> list[list[datetime]]:
    """Those that follow each other without a gap."""
    runs: list[list[datetime]] = []
    for start in starts:
        if not runs or start - runs[-1][-1] > _LONGEST[grain]:
            runs.append([])
        runs[-1].append(start)
    return runs


def _shares(
    run: Sequence[datetime], owners: Mapping[datetime, Sequence[int]]
) -> Iterator[tuple[Sequence[datetime], bool]]:
    """The run in parts, each with whether the database may add it up: all of it belongs to the same periods."""
    parts = [list(part) for _, part in groupby(run, key=owners.__getitem__)]
    if len(parts) * _WORTH <= len(run):
        yield from ((part, True) for part in parts)
    else:
        yield run, False


@lru_cache(maxsize=64)
def _rolled_up(table: Table, held: frozenset[Dimension], by: Dimension | None, together: bool) -> Select[Any]:
    """A row for each roll-up, or one for all of them ``together``, named by the first."""
    first, last = (bindparam(name, type_=UtcDateTime) for name in ("first", "last"))
    keys: list[ColumnElement[Any]] = [] if together else [table.c.start]
    keys += [table.c[by.value].label(f"by_{by}")] if by else []
    same = [table.c[dimension.value] == bindparam(f"held_{dimension}") for dimension in sorted(held)]
    within = and_(table.c.grain == bindparam("grain"), table.c.start.between(first, last))
    found = added_up(table, keys).where(within, *same)
    if not together:
        return found
    rows = found.subquery("rows")
    # Without a row, sums of nothing are null.
    return select(first.label("start"), *rows.c).where(rows.c.arrived.is_not(None))
