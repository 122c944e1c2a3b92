"""Complaints counted for management: ``calls.case_figures.CaseStatistics`` (C7)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import chain
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, case, func, literal, or_, select
from sqlalchemy.ext.asyncio import AsyncEngine

from calls.case_figures import CaseSums, Facet, Group, Span, Wording
from calls.cases import ASKED, Answer, Step
from calls.people import Scope
from calls.ports import Clock
from storage.case_lists import within
from storage.case_tables import case_steps, cases, inquiries
from storage.faults import translated
from storage.search_tables import spoken_turns

OF_DEPARTMENTS = (Step.OPINION.value, Step.REPORT.value)
"""Steps that a department answers for; the others are the centre's own."""

_MOST_PLACES = 50
_ASKED = tuple(answer.value for answer in ASKED)
_MOST_TEXTS = 50_000


class SqlCaseStatistics:
    """Counts complaints in the database."""

    def __init__(self, engine: AsyncEngine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    async def whole(self, span: Span, scope: Scope) -> CaseSums:
        """See ``calls.case_figures.CaseStatistics``."""
        (counted,) = await self._rows(select(*_counts()).where(*_of(span, scope)))
        (steps,) = await self._rows(self._steps(span, scope))
        return _sums(counted, steps)

    async def groups(self, span: Span, facet: Facet, scope: Scope) -> list[Group]:
        """See ``calls.case_figures.CaseStatistics``."""
        value = cases.c[facet.value].label("value")
        counted = select(value, *_counts()).where(*_of(span, scope)).group_by(value)
        counted = counted.order_by(func.count().desc(), value).limit(_MOST_PLACES)
        by = case_steps.c.department if facet is Facet.DEPARTMENT else cases.c[facet.value]
        steps = self._steps(span, scope, by.label("value")).group_by(by)
        if facet is Facet.DEPARTMENT:
            steps = steps.where(case_steps.c.step.in_(OF_DEPARTMENTS))
        found = {row.value: row for row in await self._rows(steps)}
        groups = [Group(row.value, _sums(row, found.pop(row.value, None))) for row in await self._rows(counted)]
        if facet is Facet.DEPARTMENT:  # one that has passed its cases on has no case, and still had steps
            groups += [Group(value, _sums(None, row)) for value, row in found.items() if value is not None]
        return groups

    async def cross(self, span: Span, rows: Facet, columns: Facet, scope: Scope) -> dict[tuple[str, str], int]:
        """See ``calls.case_figures.CaseStatistics``."""
        one, other = cases.c[rows.value].label("one"), cases.c[columns.value].label("other")
        counted = select(one, other, func.count().label("n")).where(*_of(span, scope)).group_by(one, other)
        return {(row.one or "", row.other or ""): int(row.n) for row in await self._rows(counted)}

    async def series(self, spans: Sequence[Span], scope: Scope, department: str | None = None) -> list[int]:
        """See ``calls.case_figures.CaseStatistics``."""
        if not spans:
            return []
        at = cases.c.registered_at
        number = case(
            *(((at >= span.since) & (at < span.until), index) for index, span in enumerate(spans)), else_=-1
        ).label("number")
        whole = Span(min(span.since for span in spans), max(span.until for span in spans))
        counted = select(number, func.count().label("n")).where(*_of(whole, scope)).group_by(number)
        if department is not None:
            counted = counted.where(cases.c.department == department)
        found = {row.number: int(row.n) for row in await self._rows(counted)}
        return [found.get(index, 0) for index in range(len(spans))]

    async def first(self, scope: Scope) -> datetime | None:
        """When the first complaint was registered."""
        (row,) = await self._rows(select(func.min(cases.c.registered_at).label("at")).where(within(scope, "")))
        found: datetime | None = row.at
        return found

    async def wordings(self, span: Span) -> Iterator[Wording]:
        """See ``calls.case_figures.CaseStatistics``."""
        wanted = (
            select(cases.c.number.label("source"), cases.c.content.label("text")).where(
                cases.c.registered_at >= span.since, cases.c.registered_at < span.until
            ),
            select(inquiries.c.number.label("source"), inquiries.c.content.label("text")).where(
                inquiries.c.filed_at >= span.since, inquiries.c.filed_at < span.until
            ),
            select(spoken_turns.c.call_id.label("source"), spoken_turns.c.text).where(
                spoken_turns.c.arrived_at >= span.since,
                spoken_turns.c.arrived_at < span.until,
                spoken_turns.c.leg == "caller",
            ),
        )
        found = [await self._rows(each.limit(_MOST_TEXTS)) for each in wanted]
        return (Wording(row.source, row.text) for row in chain.from_iterable(found))

    def _steps(self, span: Span, scope: Scope, *columns: ColumnElement[Any]) -> Select[Any]:
        """Steps that are done or should be, and those of them that were done in time (C4)."""
        ended, due = case_steps.c.ended_at, case_steps.c.due_at
        in_time = func.sum(case((ended <= due, 1), else_=0)).label("in_time")
        return (
            select(*columns, func.count().label("due"), in_time)
            .select_from(case_steps.join(cases, cases.c.number == case_steps.c.number))
            .where(case_steps.c.counted, due.is_not(None), or_(ended.is_not(None), due < self._clock.now()))
            .where(*_of(span, scope))
        )

    async def _rows(self, wanted: Select[Any]) -> Sequence[Row[Any]]:
        with translated():
            async with self._engine.connect() as connection:
                rows: Sequence[Row[Any]] = (await connection.execute(wanted)).all()
        return rows


def _of(span: Span, scope: Scope) -> tuple[ColumnElement[bool], ...]:
    at = cases.c.registered_at
    return at >= span.since, at < span.until, within(scope, "")


def _counts() -> list[ColumnElement[Any]]:
    true = {
        "key_customers": cases.c.key_customer,
        "registered_late": cases.c.registered_late,
        "closed": cases.c.closed_at.is_not(None),
        "again": cases.c.round > 1,
        "asked": cases.c.answer.in_(_ASKED),
        "satisfied": cases.c.answer == Answer.SATISFIED.value,
        "first_satisfied": cases.c.first_answer == Answer.SATISFIED.value,
    }
    sums = [func.sum(case((condition, 1), else_=0)).label(name) for name, condition in true.items()]
    return [func.count(literal(1)).label("cases"), *sums]


def _sums(counted: Row[Any] | None, steps: Row[Any] | None) -> CaseSums:
    names = (
        "cases",
        "key_customers",
        "registered_late",
        "closed",
        "again",
        "asked",
        "satisfied",
        "first_satisfied",
    )
    parts = {name: int(getattr(counted, name) or 0) for name in names} if counted is not None else {}
    if steps is not None:
        parts |= {"steps_due": int(steps.due or 0), "steps_in_time": int(steps.in_time or 0)}
    return CaseSums(**parts)
