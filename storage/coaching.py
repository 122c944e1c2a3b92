"""Coaching tasks in the database (Q1: problems are raised and corrected promptly)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Row, insert, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from calls.errors import NotNow
from calls.ids import AgentNumber, CallId, SectionId
from calls.people import Scope
from calls.quality import Coaching
from storage.engine import for_writing
from storage.faults import translated
from storage.quality_tables import coaching_tasks as table
from storage.reach import within


class SqlCoaching:
    """Tasks. Raises StorageUnavailable or StorageRefused."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._writer = for_writing(engine)

    async def add(self, task: Coaching) -> Coaching:
        """Store a task; the one with its number."""
        values = {
            "agent": task.agent,
            "section": task.section,
            "text": task.text,
            "due": task.due,
            "made_by": task.made_by,
            "made_at": task.made_at,
            "call_id": task.call_id,
            "at_s": task.at_s,
            "score_id": task.score_id,
            "done_note": "",
        }
        with translated():
            async with self._writer.begin() as connection:
                number = await connection.scalar(insert(table).values(values).returning(table.c.task_id))
        assert number is not None, "the database numbers what it stores"
        return replace(task, task_id=number)

    async def done(self, task_id: int, by: str, at: datetime, note: str) -> None:
        """It is done. Raises NotNow if it was before."""
        waiting = (table.c.task_id == task_id) & table.c.done_at.is_(None)
        values = {"done_by": by, "done_at": at, "done_note": note}
        with translated():
            async with self._writer.begin() as connection:
                if not (await connection.execute(update(table).where(waiting).values(values))).rowcount:
                    raise NotNow("the task was done before")

    async def task(self, task_id: int) -> Coaching | None:
        rows = await self._rows(select(table).where(table.c.task_id == task_id))
        return _task(rows[0]) if rows else None

    async def tasks(
        self, scope: Scope, *, is_open: bool | None = None, before: int | None = None, limit: int = 50
    ) -> list[Coaching]:
        """Tasks within reach, the newest first, from the one before number ``before`` on."""
        wanted = select(table).where(within(scope, table.c.section, table.c.agent))
        if is_open is not None:
            wanted = wanted.where(table.c.done_at.is_(None) if is_open else table.c.done_at.is_not(None))
        if before is not None:
            wanted = wanted.where(table.c.task_id < before)
        return [_task(row) for row in await self._rows(wanted.order_by(table.c.task_id.desc()).limit(limit))]

    async def _rows(self, statement: Any) -> Sequence[Row[Any]]:
        with translated():
            async with self._engine.connect() as connection:
                return (await connection.execute(statement)).all()


def _task(row: Row[Any]) -> Coaching:
    return Coaching(
        task_id=row.task_id,
        agent=AgentNumber(row.agent),
        section=SectionId(row.section) if row.section else None,
        text=row.text,
        due=row.due,
        made_by=row.made_by,
        made_at=row.made_at,
        call_id=CallId(row.call_id) if row.call_id else None,
        at_s=row.at_s,
        score_id=row.score_id,
        done_by=row.done_by,
        done_at=row.done_at,
        done_note=row.done_note,
    )
