"""What K4 and K7 count, line by line: every figure opens to just the inquiries, complaints or steps behind it.

The conditions stand here once: ``SqlCaseTallies`` counts by them, ``SqlCaseCounted`` lists by them. Lists run from
the newest to the oldest, by the moment that decides in which period a line counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, FromClause, RowMapping, and_, false, func, or_, select, true
from sqlalchemy.ext.asyncio import AsyncEngine

from calls.case_book import CountedLine, CountedPage, CountedPlace, StepLine
from calls.cases import ASKED, Answer, CaseNumber, DepartmentId, Step
from calls.ids import DIGITS, SYNTHETIC_TRUNK, AgentNumber, CallId, SectionId
from calls.lists import Counted
from calls.measures import Dimension, Slice
from calls.people import Scope
from calls.periods import Period
from calls.ports import Tally
from calls.workdays import Workdays
from storage.case_lists import within
from storage.case_tables import case_steps, cases, inquiries
from storage.faults import translated
from storage.work_orders import inquiries_within

OF_CASES = frozenset({Dimension.SECTION, Dimension.LANGUAGE})
"""What complaints are told by."""

OF_INQUIRIES: Mapping[Tally, ColumnElement[bool]] = {
    Tally.INQUIRIES: true(),
    Tally.DISPATCHED: inquiries.c.work_order.is_not(None),
}
OF_ANSWERS: Mapping[Tally, ColumnElement[bool]] = {
    Tally.COMPLAINANTS_ASKED: cases.c.answer.in_([each.value for each in ASKED]),
    Tally.COMPLAINANTS_SATISFIED: cases.c.answer == Answer.SATISFIED.value,
}


def of_steps(now: datetime) -> Mapping[Tally, ColumnElement[bool]]:
    """Steps that are done or should be, and those of them that were done in time (C4)."""
    ended, due = case_steps.c.ended_at, case_steps.c.due_at
    counts = and_(case_steps.c.counted, due.is_not(None), or_(ended.is_not(None), due < now))
    return {Tally.STEPS_DUE: counts, Tally.STEPS_IN_TIME: and_(counts, ended <= due)}


@dataclass(frozen=True, slots=True)
class Cohorts:
    """Which inquiries and complaints belong to a period and a slice of it."""

    zone: ZoneInfo
    workdays: Workdays

    def inquiries(self, period: Period, slice: Slice) -> list[ColumnElement[bool]]:
        """No tests; those of the days on which they count."""
        trunk = inquiries.c.trunk
        no_test = or_(trunk.is_(None), and_(trunk != SYNTHETIC_TRUNK, func.substr(trunk, 1, 1).not_in(DIGITS)))
        held = {dimension: slice.value(dimension) for dimension in Dimension}
        equal = (inquiries.c[name.value] == value for name, value in held.items() if value is not None)
        return [no_test, self._within(inquiries.c.counted_at, period, slice), *equal]

    def cases(self, period: Period, slice: Slice) -> list[ColumnElement[bool]]:
        """Those that were registered then."""
        held = {dimension: slice.value(dimension) for dimension in OF_CASES}
        equal = (cases.c[name.value] == value for name, value in held.items() if value is not None)
        return [self._within(cases.c.registered_at, period, slice), *equal]

    def _within(self, column: ColumnElement[Any], period: Period, slice: Slice) -> ColumnElement[bool]:
        """In the period, and on days of the kind that is asked for."""
        start, end = period.span
        if slice.days is None:
            return and_(column >= start, column < end)
        spans: list[tuple[datetime, datetime]] = []
        for day, since, until in _days(start, end, self.zone):
            if self.workdays.kind(day) is slice.days:
                begin = spans.pop()[0] if spans and spans[-1][1] == since else since
                spans.append((begin, until))
        return or_(false(), *(and_(column >= since, column < until) for since, until in spans))


@dataclass(frozen=True, slots=True)
class _Lines:
    """Where lines come from, and what orders them."""

    source: FromClause
    at: ColumnElement[Any]
    number: ColumnElement[Any]
    nth: ColumnElement[Any] | None
    """Of steps."""
    where: tuple[ColumnElement[bool], ...]


class SqlCaseCounted:
    """Lists what the tallies of inquiries and complaints count. Raises StorageUnavailable."""

    def __init__(self, engine: AsyncEngine, cohorts: Cohorts) -> None:
        self._engine = engine
        self._cohorts = cohorts

    async def page(
        self,
        counted: Counted,
        period: Period,
        slice: Slice,
        scope: Scope,
        now: datetime,
        *,
        behind: CountedPlace | None = None,
        limit: int = 50,
    ) -> CountedPage:
        """Up to ``limit`` lines from behind a place on, within the scope; none for what counts no cases."""
        lines = self._lines(counted, period, slice, scope, now)
        if lines is None:
            return CountedPage((), None)
        wanted = select(lines.source).where(*lines.where)
        if behind is not None:
            wanted = wanted.where(_behind(lines, behind))
        keys = [key for key in (lines.at, lines.number, lines.nth) if key is not None]
        with translated():
            async with self._engine.connect() as connection:
                ordered = wanted.order_by(*(key.desc() for key in keys)).limit(limit + 1)
                rows = (await connection.execute(ordered)).mappings().all()
        found = tuple(_line(row, lines) for row in rows[:limit])
        return CountedPage(found, found[-1].place if len(rows) > limit else None)

    def _lines(self, counted: Counted, period: Period, slice: Slice, scope: Scope, now: datetime) -> _Lines | None:
        of_cases = (within(scope, ""), *self._cohorts.cases(period, slice))
        of_inquiries = (inquiries_within(scope), *self._cohorts.inquiries(period, slice))
        for which, source, where in (
            (OF_INQUIRIES, inquiries, of_inquiries),
            (OF_ANSWERS, cases, of_cases),
            (of_steps(now), _STEPS, of_cases),
        ):
            if counted.measure not in which:
                continue
            sieve = [which[Tally(counted.measure)]]
            sieve += [~which[Tally(counted.without)]] if counted.without else []
            at = inquiries.c.counted_at if source is inquiries else cases.c.registered_at
            number = inquiries.c.number if source is inquiries else cases.c.number
            return _Lines(source, at, number, case_steps.c.nth if source is _STEPS else None, (*sieve, *where))
        return None


_STEPS = cases.join(case_steps, case_steps.c.number == cases.c.number)


def _behind(lines: _Lines, place: CountedPlace) -> ColumnElement[bool]:
    later = lines.number < place.number
    if lines.nth is not None:
        later = or_(later, and_(lines.number == place.number, lines.nth < place.nth))
    # The first condition is what the index is walked by.
    return and_(lines.at <= place.at, or_(lines.at < place.at, later))


def _line(row: RowMapping, lines: _Lines) -> CountedLine:
    if lines.source is inquiries:
        return CountedLine(
            number=CaseNumber(row[inquiries.c.number]),
            at=row[inquiries.c.counted_at],
            section=SectionId(row[inquiries.c.section]),
            agent=AgentNumber(row[inquiries.c.agent]) if row[inquiries.c.agent] else None,
            call_id=CallId(row[inquiries.c.call_id]) if row[inquiries.c.call_id] else None,
            work_order=CaseNumber(row[inquiries.c.work_order]) if row[inquiries.c.work_order] else None,
        )
    step = None
    if lines.nth is not None:
        step = StepLine(
            nth=row[case_steps.c.nth],
            step=Step(row[case_steps.c.step]),
            department=DepartmentId(row[case_steps.c.department]) if row[case_steps.c.department] else None,
            began_at=row[case_steps.c.began_at],
            due_at=row[case_steps.c.due_at],
            ended_at=row[case_steps.c.ended_at],
        )
    return CountedLine(
        number=CaseNumber(row[cases.c.number]),
        at=row[cases.c.registered_at],
        section=SectionId(row[cases.c.section]),
        answer=Answer(row[cases.c.answer]) if row[cases.c.answer] else None,
        step=step,
    )


def _days(start: datetime, end: datetime, zone: ZoneInfo) -> list[tuple[date, datetime, datetime]]:
    """The local days of a span, each with its part of it."""
    found = []
    while start < end:
        day = start.astimezone(zone).date()
        midnight = datetime(day.year, day.month, day.day, tzinfo=zone) + timedelta(days=1)
        until = min(end, midnight.astimezone(start.tzinfo))
        found.append((day, start, until))
        start = until
    return found
