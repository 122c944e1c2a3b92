"""What the books know of a telephone number: its earlier calls, and what is open for it (screen pop)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, select
from sqlalchemy.ext.asyncio import AsyncEngine

from calls.call import Result
from calls.cases import contact_key
from calls.desk import EarlierCall, Matter, MatterKind
from calls.ids import AgentNumber, CallId, SectionId
from calls.inquiries import ORDER_OVER
from storage.case_tables import cases, work_orders
from storage.faults import translated
from storage.survey_tables import callbacks
from storage.tables import calls

_MOST = 6
"""Of each kind."""
_TITLE = 60
_WAITING = ("waiting", "taken", "dialling")


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

    async def matters(self, caller: str) -> list[Matter]:
        """Complaints, work orders and call-backs of this number that are not settled."""
        key = contact_key(caller)
        wanted: tuple[tuple[MatterKind, Select[Any]], ...] = (
            (
                MatterKind.COMPLAINT,
                select(cases.c.number, cases.c.content.label("title"), cases.c.state, cases.c.due_at)
                .where(cases.c.contact_key == key, cases.c.closed_at.is_(None))
                .order_by(cases.c.rank, cases.c.number.desc()),
            ),
            (
                MatterKind.WORK_ORDER,
                select(work_orders.c.number, work_orders.c.category.label("title"), work_orders.c.state)
                .add_columns(work_orders.c.due_at)
                .where(work_orders.c.contact_key == key, work_orders.c.state.not_in(_ORDER_OVER))
                .order_by(work_orders.c.due_at),
            ),
            (
                MatterKind.PROMISE,
                select(
                    callbacks.c.number, callbacks.c.origin.label("title"), callbacks.c.state, callbacks.c.due_at
                )
                .where(_telephone(caller, key), callbacks.c.state.in_(_WAITING))
                .order_by(callbacks.c.due_at),
            ),
        )
        with translated():
            async with self._engine.connect() as connection:
                return [
                    Matter(kind, str(row.number), row.title[:_TITLE], row.state, row.due_at)
                    for kind, each in wanted
                    for row in await connection.execute(each.limit(_MOST))
                ]


_ORDER_OVER = tuple(state.value for state in ORDER_OVER)


def _telephone(caller: str, key: str) -> ColumnElement[bool]:
    return callbacks.c.telephone.in_({caller, key})


def _earlier(row: Row[*tuple[Any, ...]]) -> EarlierCall:
    return EarlierCall(
        call_id=CallId(row.call_id),
        arrived_at=row.arrived_at,
        result=Result(row.result),
        section=SectionId(row.section) if row.section else None,
        agent=AgentNumber(row.agent) if row.agent else None,
    )
