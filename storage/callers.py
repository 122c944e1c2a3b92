"""What the books know of a telephone number: its earlier calls (screen pop)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncEngine

from calls.call import Result
from calls.desk import EarlierCall
from calls.ids import AgentNumber, CallId, SectionId
from storage.faults import translated
from storage.tables import calls


class SqlCallers:
    """Reads by number (``ix_calls_caller_arrived_at``). Raises StorageUnavailable."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def earlier(self, caller: str, before: datetime, limit: int) -> list[EarlierCall]:
        """Calls of this number that arrived before a moment, the newest first."""
        wanted = (
            select(calls.c.call_id, calls.c.arrived_at, calls.c.result, calls.c.section, calls.c.agent)
            .where(calls.c.caller == caller, calls.c.arrived_at < before)
            .order_by(calls.c.arrived_at.desc(), calls.c.call_id.desc())
            .limit(limit)
        )
        with translated():
            async with self._engine.connect() as connection:
                return [_earlier(row) for row in await connection.execute(wanted)]


def _earlier(row: Row[*tuple[Any, ...]]) -> EarlierCall:
    return EarlierCall(
        call_id=CallId(row.call_id),
        arrived_at=row.arrived_at,
        result=Result(row.result),
        section=SectionId(row.section) if row.section else None,
        agent=AgentNumber(row.agent) if row.agent else None,
    )
