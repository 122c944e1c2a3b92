"""Complaints and their history in the database: ``calls.case_book.CaseBook``.

A line of history is written under the next number; two who write under the same one cannot both succeed, so
whoever had not seen the other's line is told (CaseConflict), and nobody's words are lost.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from calls.case import Case, begun
from calls.case_book import Running
from calls.case_events import AnyCaseEvent, CaseRegistered, ComplainantAsked
from calls.cases import (
    ASKED,
    CaseNumber,
    DepartmentId,
    Known,
    Link,
    LinkKind,
    Login,
    Reading,
    Series,
    Standing,
    Step,
    StepRun,
)
from calls.errors import CaseConflict, CaseUnknown
from calls.ids import CallId
from storage.case_codec import CASES
from storage.case_numbers import done_before, next_number, remember
from storage.case_rows import case_row, link_of, step_rows
from storage.case_tables import case_events, case_links, case_steps, cases
from storage.engine import for_writing
from storage.faults import translated
from storage.outbox import put
from storage.rejudging import judge_again


class SqlCases:
    """The ledger of complaints."""

    def __init__(self, engine: AsyncEngine, zone: ZoneInfo, reading: Reading) -> None:
        """``zone`` says which year it is for numbers; ``reading`` reads the clocks of a case."""
        self._engine = engine
        self._writer = for_writing(engine)
        self._zone = zone
        self._reading = reading

    async def register(self, event: CaseRegistered, key: str) -> Case:
        """See ``calls.case_book.CaseBook.register``."""
        with translated():
            async with self._writer.begin() as connection:
                known = await done_before(connection, key, event)
                if known:
                    return Case.of(known, await _history(connection, known))
                number = await next_number(connection, Series.COMPLAINT, event.at, self._zone)
                case, line = begun(number, event), CASES.row(number, 1, event)
                await connection.execute(insert(cases).values(self._row(case, [event])))
                await connection.execute(insert(case_events).values(line))
                await self._derive(connection, case)
                await judge_again(connection, event.call_id, event.at)
                await remember(connection, key, number, event, event.at)
                await put(connection, case, event.kind, event.at)
                return case

    async def case(self, number: CaseNumber) -> Case:
        """See ``calls.case_book.CaseBook.case``."""
        history = await self.history(number)
        if not history:
            raise CaseUnknown(number)
        return Case.of(number, history)

    async def history(self, number: CaseNumber) -> list[AnyCaseEvent]:
        """See ``calls.case_book.CaseBook.history``."""
        with translated():
            async with self._engine.connect() as connection:
                return await _history(connection, number)

    async def append(self, number: CaseNumber, version: int, event: AnyCaseEvent) -> Case:
        """See ``calls.case_book.CaseBook.append``."""
        with translated():
            async with self._writer.begin() as connection:
                history = await self._locked(connection, number)
                if len(history) != version:
                    raise CaseConflict(len(history))
                case = Case.of(number, [*history, event])
                await connection.execute(insert(case_events).values(CASES.row(number, case.version, event)))
                await self._rewrite(connection, case, [*history, event])
                for link in case.links ^ Case.of(number, history).links:
                    if link.kind is LinkKind.CALL:
                        await judge_again(connection, CallId(link.ref), event.at)
                await put(connection, case, event.kind, event.at)
                return case

    async def linked(self, kind: LinkKind, refs: Sequence[str]) -> dict[str, list[CaseNumber]]:
        """What is linked with calls, recordings, call-backs …, by reference."""
        wanted = select(case_links).where(case_links.c.kind == kind.value, case_links.c.ref.in_(refs))
        found: dict[str, list[CaseNumber]] = {}
        for row in await self._rows(wanted.order_by(case_links.c.number)):
            found.setdefault(row.ref, []).append(CaseNumber(row.number))
        return found

    async def links(self, number: CaseNumber) -> frozenset[Link]:
        """What belongs to a case."""
        return frozenset(
            link_of(row) for row in await self._rows(select(case_links).where(case_links.c.number == number))
        )

    # ── Clocks ───────────────────────────────────────────────────────────────────────────────────────────────

    async def running(self, warn_before: datetime) -> list[Running]:
        """Steps that wait for somebody and should be warned of by this moment, the first due first."""
        both = case_steps.join(cases, cases.c.number == case_steps.c.number)
        wanted = (
            select(case_steps, cases.c.section, cases.c.owner)
            .select_from(both)
            .where(case_steps.c.ended_at.is_(None), case_steps.c.warn_at <= warn_before)
            .order_by(case_steps.c.due_at, case_steps.c.number)
        )
        return [
            Running(CaseNumber(row.number), _standing(row), row.section, Login(row.owner))
            for row in await self._rows(wanted)
        ]

    async def read_again(self, *, unknown_only: bool) -> int:
        """Read the clocks of open cases again, as the calendar is now; how many have other clocks than before.

        With ``unknown_only``, only cases of which a clock was not known yet.
        """
        wanted = select(cases.c.number).where(cases.c.closed_at.is_(None))
        if unknown_only:
            waiting = select(case_steps.c.number).where(case_steps.c.due_known == Known.NOT_YET.value)
            wanted = select(cases.c.number).where(cases.c.number.in_(waiting))
        changed = 0
        for row in await self._rows(wanted.order_by(cases.c.number)):
            changed += await self.rewrite(CaseNumber(row.number))
        return changed

    async def rewrite(self, number: CaseNumber) -> bool:
        """Make the read models of a case again from its history; whether that changed anything."""
        with translated():
            async with self._writer.begin() as connection:
                before = await _models(connection, number)
                history = await self._locked(connection, number)
                await self._rewrite(connection, Case.of(number, history), history)
                return await _models(connection, number) != before

    # ── Inside ───────────────────────────────────────────────────────────────────────────────────────────────

    async def _locked(self, connection: AsyncConnection, number: CaseNumber) -> list[AnyCaseEvent]:
        """The history; nobody else writes to it before this transaction ends. Raises CaseUnknown."""
        mine = select(cases.c.number).where(cases.c.number == number).with_for_update()
        if await connection.scalar(mine) is None:
            raise CaseUnknown(number)
        return await _history(connection, number)

    def _row(self, case: Case, history: Sequence[AnyCaseEvent]) -> dict[str, Any]:
        asked = (event.answer for event in history if isinstance(event, ComplainantAsked))
        first = next((answer.value for answer in asked if answer in ASKED), None)
        return case_row(case, self._reading(case), first)

    async def _rewrite(self, connection: AsyncConnection, case: Case, history: Sequence[AnyCaseEvent]) -> None:
        await connection.execute(
            update(cases).where(cases.c.number == case.number).values(self._row(case, history))
        )
        for table in (case_steps, case_links):
            await connection.execute(delete(table).where(table.c.number == case.number))
        await self._derive(connection, case)

    async def _derive(self, connection: AsyncConnection, case: Case) -> None:
        await connection.execute(insert(case_steps), step_rows(case, self._reading(case)))
        links = [{"number": case.number, "kind": link.kind.value, "ref": link.ref} for link in sorted(case.links)]
        if links:
            await connection.execute(insert(case_links), links)

    async def _rows(self, wanted: Any) -> Sequence[Row[Any]]:
        with translated():
            async with self._engine.connect() as connection:
                rows: Sequence[Row[Any]] = (await connection.execute(wanted)).all()
        return rows


async def _history(connection: AsyncConnection, number: CaseNumber) -> list[AnyCaseEvent]:
    mine = select(case_events).where(case_events.c.number == number).order_by(case_events.c.seq)
    return [CASES.event(row) for row in await connection.execute(mine)]


async def _models(connection: AsyncConnection, number: CaseNumber) -> list[tuple[Any, ...]]:
    found: list[tuple[Any, ...]] = []
    for table in (cases, case_steps, case_links):
        rows = await connection.execute(
            select(table).where(table.c.number == number).order_by(*table.primary_key.columns)
        )
        found += [tuple(row) for row in rows]
    return found


def _standing(row: Row[Any]) -> Standing:
    department = DepartmentId(row.department) if row.department else None
    run = StepRun(Step(row.step), row.nth, row.began_at, row.ended_at, department)
    return Standing(run, Known(row.due_known), row.due_at, row.warn_at, row.counted)
