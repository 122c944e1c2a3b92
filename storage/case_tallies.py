"""What K4 and K7 are made of, counted from the ledger of cases (``calls.ports.OtherSources``).

An inquiry belongs to the day on which it was asked, a complaint to the day on which it was registered; whatever
becomes of them later is counted there. K4's parts are settled when no inquiry of the period can be dispatched or
filed any more, K7's when every complaint of the period is closed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import (
    ColumnElement,
    Interval,
    Row,
    Select,
    Table,
    case,
    exists,
    func,
    literal,
    select,
)
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from calls.inquiries import FINAL_AFTER
from calls.measures import ALL_CALLS, Dimension, Slice
from calls.periods import Period
from calls.ports import Clock, Tallies, Tally
from calls.workdays import Workdays
from storage.case_counted import OF_ANSWERS, OF_CASES, OF_INQUIRIES, Cohorts, of_steps
from storage.case_tables import case_steps, cases, inquiries
from storage.faults import translated

K4_TALLIES = frozenset({Tally.INQUIRIES, Tally.DISPATCHED})
K7_TALLIES = frozenset({Tally.STEPS_DUE, Tally.STEPS_IN_TIME}) | frozenset(
    {Tally.COMPLAINANTS_ASKED, Tally.COMPLAINANTS_SATISFIED}
)

REPEATED_WITHIN = timedelta(days=7)
"""The same contact about the same matter so soon after is a repeated contact."""

_Found = dict[str | None, dict[Tally, float]]


@dataclass(frozen=True, slots=True)
class Repeats:
    """What is reported beside K4: an answer that made the caller ring again was none."""

    inquiries: int
    """Of callers who left a contact."""
    repeated: int
    """Of those, how many had asked about the same matter within ``REPEATED_WITHIN`` before."""


class SqlCaseTallies:
    """Counts inquiries and complaints."""

    def __init__(self, engine: AsyncEngine, zone: ZoneInfo, workdays: Workdays, clock: Clock) -> None:
        self._engine = engine
        self._cohorts = Cohorts(zone, workdays)
        self._clock = clock

    async def tallies(
        self, periods: Sequence[Period], slice: Slice = ALL_CALLS, by: Dimension | None = None
    ) -> list[dict[str | None, Tallies]]:
        """See ``calls.ports.OtherSources``. Complaints are told by section and language alone."""
        now = self._clock.now()
        with translated():
            async with self._engine.connect() as connection:
                return [await self._period(connection, period, slice, by, now) for period in periods]

    async def repeats(self, period: Period, slice: Slice = ALL_CALLS) -> Repeats:
        """Repeated contact on the same matter, of the inquiries of a period."""
        earlier = inquiries.alias()
        before = exists().where(
            earlier.c.contact_key == inquiries.c.contact_key,
            earlier.c.category == inquiries.c.category,
            earlier.c.number < inquiries.c.number,
            earlier.c.asked_at <= inquiries.c.asked_at,
            earlier.c.asked_at > self._sooner(),
        )
        again = func.sum(case((before, 1), else_=0)).label("again")
        where = (*self._cohorts.inquiries(period, slice), inquiries.c.contact_key != "")
        with translated():
            async with self._engine.connect() as connection:
                row = (await connection.execute(select(func.count().label("n"), again).where(*where))).one()
        return Repeats(int(row.n), int(row.again or 0))

    async def _period(
        self, connection: AsyncConnection, period: Period, slice: Slice, by: Dimension | None, now: datetime
    ) -> dict[str | None, Tallies]:
        found: _Found = {} if by else {None: {}}
        for row in await self._rows(connection, self._asked(period, slice, by)):
            _put(found, row, {Tally.INQUIRIES: row.n, Tally.DISPATCHED: row.dispatched})
        settled = set(K4_TALLIES) if period.span[1] + FINAL_AFTER <= now else set()
        if by in (None, *OF_CASES) and slice.agent is None and slice.trunk is None:
            for row in await self._rows(connection, self._steps(period, slice, by, now)):
                _put(found, row, {Tally.STEPS_DUE: row.n, Tally.STEPS_IN_TIME: row.in_time})
            running = 0
            for row in await self._rows(connection, self._answers(period, slice, by)):
                running += row.running or 0
                counts = {Tally.COMPLAINANTS_ASKED: row.asked, Tally.COMPLAINANTS_SATISFIED: row.satisfied}
                _put(found, row, counts)
            if period.span[1] <= now and not running:
                settled |= K7_TALLIES
        return {value: Tallies(counts, frozenset(settled)) for value, counts in found.items()}

    async def _rows(self, connection: AsyncConnection, wanted: Select[Any]) -> list[Row[Any]]:
        return [row for row in await connection.execute(wanted) if row.n]

    def _asked(self, period: Period, slice: Slice, by: Dimension | None) -> Select[Any]:
        became = _sum(OF_INQUIRIES[Tally.DISPATCHED], "dispatched")
        counted = _by(inquiries, by, func.count().label("n"), became)
        return counted.where(*self._cohorts.inquiries(period, slice))

    def _steps(self, period: Period, slice: Slice, by: Dimension | None, now: datetime) -> Select[Any]:
        """Steps that are done or should be, and those of them that were done in time (C4)."""
        which = of_steps(now)
        return (
            _by(cases, by, func.count().label("n"), _sum(which[Tally.STEPS_IN_TIME], "in_time"))
            .select_from(case_steps.join(cases, cases.c.number == case_steps.c.number))
            .where(which[Tally.STEPS_DUE], *self._cohorts.cases(period, slice))
        )

    def _answers(self, period: Period, slice: Slice, by: Dimension | None) -> Select[Any]:
        columns = [
            _sum(OF_ANSWERS[Tally.COMPLAINANTS_ASKED], "asked"),
            _sum(OF_ANSWERS[Tally.COMPLAINANTS_SATISFIED], "satisfied"),
            _sum(cases.c.closed_at.is_(None), "running"),
        ]
        return _by(cases, by, func.count().label("n"), *columns).where(*self._cohorts.cases(period, slice))

    def _sooner(self) -> ColumnElement[Any]:
        """So long before the inquiry was asked."""
        asked = inquiries.c.asked_at
        if self._engine.dialect.name == "postgresql":
            return asked - literal(REPEATED_WITHIN, Interval())
        # SQLite keeps moments as text, which sorts as time does.
        return func.strftime("%Y-%m-%d %H:%M:%S", asked, f"-{REPEATED_WITHIN.days} days")


def _sum(which: ColumnElement[bool], name: str) -> ColumnElement[Any]:
    """How many of the counted rows these are."""
    return func.sum(case((which, 1), else_=0)).label(name)


def _by(table: Table, by: Dimension | None, *columns: ColumnElement[Any]) -> Select[Any]:
    """Counts of all, or told apart; what has no value of the dimension is in none of them."""
    if by is None:
        return select(literal(None).label("value"), *columns)
    value = table.c[by.value]
    return select(value.label("value"), *columns).where(value.is_not(None)).group_by(value)


def _put(found: _Found, row: Row[Any], counts: dict[Tally, Any]) -> None:
    mine = found.setdefault(row.value, {})
    mine.update({tally: float(number or 0) for tally, number in counts.items()})
