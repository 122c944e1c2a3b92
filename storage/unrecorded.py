"""Calls that somebody answered and nobody recorded (Q1): without the caller, for who looks for the sound."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from calls.ids import AgentNumber, CallId, SectionId
from storage.faults import translated
from storage.tables import calls

_MISSING = text("calls.recording_missing")
"""As the partial index says it: with "= 1" behind it SQLite does not see that the index answers."""


@dataclass(frozen=True, slots=True)
class Unrecorded:
    """One of them. No number of a caller (P1)."""

    call_id: CallId
    arrived_at: datetime
    ended_at: datetime | None
    section: SectionId | None
    agent: AgentNumber | None
    talk_s: float | None


class SqlUnrecorded:
    """Raises StorageUnavailable."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def between(self, since: datetime, until: datetime, limit: int = 200) -> tuple[int, list[Unrecorded]]:
        """How many arrived in ``[since, until)``, and the newest of them."""
        which = (_MISSING, calls.c.arrived_at >= since, calls.c.arrived_at < until)
        newest = select(calls).where(*which).order_by(calls.c.arrived_at.desc(), calls.c.call_id).limit(limit)
        with translated():
            async with self._engine.connect() as connection:
                number = await connection.scalar(select(func.count()).select_from(calls).where(*which))
                rows = (await connection.execute(newest)).all()
        return int(number or 0), [
            Unrecorded(
                CallId(row.call_id),
                row.arrived_at,
                row.ended_at,
                SectionId(row.section) if row.section else None,
                AgentNumber(row.agent) if row.agent else None,
                row.talk_s,
            )
            for row in rows
        ]
