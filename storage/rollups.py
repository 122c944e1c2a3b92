"""Making roll-ups, and noticing when they are out of date.

Whoever changes a call marks the quarter of an hour in which it arrived, in the same transaction; a marked roll-up
is not used. ``RollUps`` makes each local day that is over from its calls, in one small transaction, and months
from their days. Killed at any line, or run twice at once, it leaves roll-ups that are right or not used.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Insert, Row, Select, String, Table, and_, bindparam, delete, func, insert, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from calls.measures import Dimension
from calls.periods import Grain, Period
from calls.ports import Change, Clock
from storage.books import basis_of, read_fresh
from storage.buckets import QUARTER, Fresh, quarter_of
from storage.engine import for_writing
from storage.faults import translated
from storage.sums import MEASURES, added_up, counted, parameters
from storage.tables import UtcDateTime, calls, rollup_agents, rollup_built, rollup_calls, rollup_marks

_OF_CALLS = (Dimension.SECTION, Dimension.LANGUAGE, Dimension.TRUNK)
_DIMENSIONS = {rollup_calls: _OF_CALLS, rollup_agents: (Dimension.AGENT, *_OF_CALLS)}
_ONE_AT_A_TIME = text("SELECT pg_try_advisory_xact_lock(7366003)")


async def mark(connection: AsyncConnection, changes: Iterable[Change]) -> None:
    """Say that roll-ups over these calls are out of date; in the transaction that changes the calls.

    A mark that is there already is written all the same: so the transaction holds it, and who makes roll-ups
    waits for its end before counting.
    """
    touched = {quarter_of(call.arrived_at) for change in changes for call in (change.before, change.after) if call}
    make = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    put = make(rollup_marks)
    again = put.on_conflict_do_update(index_elements=["quarter"], set_={"changes": rollup_marks.c.changes + 1})
    # In order, so that two recorders never wait for each other.
    await connection.execute(again, [{"quarter": quarter, "changes": 1} for quarter in sorted(touched)])


class RollUps:
    """Keeps the roll-ups of one operator (one time zone, one limit for A1) fresh."""

    def __init__(self, engine: AsyncEngine, zone: ZoneInfo, own_limit_s: float, clock: Clock) -> None:
        self._engine = engine
        self._writer = for_writing(engine)
        self._zone = zone
        self._own_limit_s = own_limit_s
        self._clock = clock
        self._basis = basis_of(zone, own_limit_s)

    async def stale(self) -> list[Period]:
        """Days and months that are over and have no fresh roll-up: days first, the latest first.

        A month is among them once all of its days are fresh. Today has none: it changes all the time.
        """
        now = self._clock.now()
        with translated():
            async with self._engine.connect() as connection:
                first: datetime | None = await connection.scalar(select(func.min(calls.c.arrived_at)))
                if first is None or first >= now:
                    return []
                # From the beginning of the first month on, so that it can be made, too.
                first = Period.containing(first, Grain.MONTH, self._zone).start.astimezone(UTC)
                fresh = await read_fresh(connection, self._basis, first, now)
        days = self._until(Grain.DAY, first, now)
        stale = [day for day in days if not fresh.has(day)]
        waiting = {day.day.replace(day=1) for day in stale}
        months = [
            month
            for month in self._until(Grain.MONTH, first, now)
            if month.day not in waiting and not fresh.has(month) and _complete(month, fresh)
        ]
        return [*reversed(stale), *reversed(months)]

    async def make(self, period: Period) -> bool:
        """Make the roll-ups of a day (with its hours) or a month, unless they are fresh.

        False if another process is at it, or if a month's days are not fresh any more.
        """
        start, end = period.span
        with translated():
            async with self._writer.begin() as connection:
                if not await _alone(connection):
                    return False
                fresh = await read_fresh(connection, self._basis, start, end)
                if fresh.has(period):
                    return True
                if period.grain is Grain.MONTH:
                    if fresh.marked(start, end) or not _complete(period, fresh):
                        return False
                    await self._make_month(connection, period)
                else:
                    await self._make_day(connection, period)
                built = {"grain": period.grain, "start": start, "end": end, "basis": self._basis}
                await connection.execute(insert(rollup_built).values(**built))
        return True

    def _until(self, grain: Grain, first: datetime, now: datetime) -> list[Period]:
        """The periods from the one with ``first`` to the last that is over."""
        found = []
        period = Period.containing(first, grain, self._zone)
        while period.end.astimezone(UTC) <= now:
            found.append(period)
            period = period.following()
        return found

    async def _make_day(self, connection: AsyncConnection, day: Period) -> None:
        await _take_marks(connection, day)
        await _drop(connection, day, (Grain.DAY, Grain.MONTH))
        start, end = day.span
        cuts = [*(hour.span[0] for hour in day.split(Grain.HOUR)), end]
        by_hours = parameters(cuts, self._own_limit_s)
        await connection.execute(_count(rollup_calls, len(cuts) - 1), {**by_hours, "grain": Grain.HOUR.value})
        whole_day = parameters([start, end], self._own_limit_s)
        await connection.execute(_count(rollup_agents, 1), {**whole_day, "grain": Grain.DAY.value})
        await _add_up(connection, rollup_calls, Grain.HOUR, day)

    async def _make_month(self, connection: AsyncConnection, month: Period) -> None:
        await _drop(connection, month, (Grain.MONTH,))
        for table in _DIMENSIONS:
            await _add_up(connection, table, Grain.DAY, month)


def _complete(month: Period, fresh: Fresh) -> bool:
    """Whether every day of the month has a fresh roll-up."""
    return all(fresh.has(day) for day in month.split(Grain.DAY))


async def _alone(connection: AsyncConnection) -> bool:
    """Whether nobody else makes roll-ups until this transaction ends. SQLite has one writer anyway."""
    if connection.dialect.name != "postgresql":
        return True
    return bool(await connection.scalar(_ONE_AT_A_TIME))


async def _take_marks(connection: AsyncConnection, day: Period) -> None:
    """Remove the day's marks, once those who are writing them have ended.

    What they wrote is then among the calls that are counted. A mark that appears later stays.
    """
    start, end = day.span
    # Quarters that reach over midnight (no zone has them now) stay: the day before or after needs them, too.
    within = and_(rollup_marks.c.quarter >= start, rollup_marks.c.quarter <= end - QUARTER)
    held = select(rollup_marks.c.quarter).where(within).order_by(rollup_marks.c.quarter).with_for_update()
    quarters = [row.quarter for row in await connection.execute(held)]
    if quarters:
        await connection.execute(delete(rollup_marks).where(rollup_marks.c.quarter.in_(quarters)))


async def _drop(connection: AsyncConnection, period: Period, grains: Sequence[Grain]) -> None:
    """Remove every roll-up that shares time with the period, those of another time zone included."""
    start, end = period.span
    overlapping = and_(rollup_built.c.grain.in_(grains), rollup_built.c.start < end, rollup_built.c.end > start)
    found = (await connection.execute(select(rollup_built).where(overlapping))).all()
    for built in found:
        for table in _DIMENSIONS:
            await connection.execute(delete(table).where(_rows_of(table, built)))
    if found:
        await connection.execute(delete(rollup_built).where(overlapping))


def _rows_of(table: Table, built: Row[Any]) -> Any:
    own = and_(table.c.grain == built.grain, table.c.start == built.start)
    if built.grain != Grain.DAY:
        return own
    hours = and_(table.c.grain == Grain.HOUR, table.c.start >= built.start, table.c.start < built.end)
    return own | hours


@lru_cache(maxsize=32)
def _count(table: Table, intervals: int) -> Insert:
    """Fill a roll-up from the calls."""
    return _put(table, counted(intervals, dimensions=_DIMENSIONS[table]))


async def _add_up(connection: AsyncConnection, table: Table, finer: Grain, whole: Period) -> None:
    """Make the roll-up of ``whole`` from those of a finer grain."""
    start, end = whole.span
    values = {"grain": whole.grain.value, "finer": finer.value, "whole_start": start, "whole_end": end}
    await connection.execute(_sum_up(table), values)


@lru_cache(maxsize=2)
def _sum_up(table: Table) -> Insert:
    start, end = (bindparam(name, type_=UtcDateTime) for name in ("whole_start", "whole_end"))
    within = and_(table.c.grain == bindparam("finer"), table.c.start >= start, table.c.start < end)
    keys = [table.c[dimension.value].label(f"by_{dimension}") for dimension in _DIMENSIONS[table]]
    return _put(table, added_up(table, keys).where(within).add_columns(start.label("start")))


def _put(table: Table, rows: Select[Any]) -> Insert:
    """Insert what a statement gives, under the parameter ``grain``."""
    found = rows.subquery("found")
    dimensions = [dimension.value for dimension in _DIMENSIONS[table]]
    values = [
        found.c.start,
        *(found.c[f"by_{name}"] for name in dimensions),
        *(found.c[name] for name in MEASURES),
    ]
    grain = bindparam("grain", type_=String).label("grain")
    return insert(table).from_select(["grain", "start", *dimensions, *MEASURES], select(grain, *values))
