"""What audits found, in the database: ``calls.ports.AuditBook``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, Table, and_, exists, insert, literal_column, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from calls.audit import Difference, Discrepancy, Repair
from calls.events import AnyEvent, Source
from calls.ids import CallId
from storage.codec import event_of
from storage.engine import for_writing
from storage.faults import translated
from storage.ledger import events_of_calls
from storage.tables import calls, discrepancies, events
from storage.tables import repairs as repairs_table

_KEYS_PER_QUERY = 500
_TOLD_BY_AMI = events.c.source == literal_column(f"'{Source.AMI.value}'")
"""Written out, not a parameter: only so is the index of these events, which are few, of use."""


class SqlAudit:
    """Repairs and discrepancies beside the ledger (``calls.ports.AuditBook``)."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._writer = for_writing(engine)

    async def unconfirmed(self, until: datetime, limit: int = 1000) -> list[AnyEvent]:
        """See ``calls.ports.AuditBook.unconfirmed``; the oldest first."""
        named = exists().where(repairs_table.c.key == events.c.key)
        wanted = (
            select(events.c.kind, events.c.call_id, events.c.at, events.c.data, events.c.source)
            .where(_TOLD_BY_AMI, events.c.at < until, ~named)
            .order_by(events.c.at)
            .limit(limit)
        )
        return [event_of(row.kind, row.call_id, row.at, row.data, row.source) for row in await self._rows(wanted)]

    async def repaired(self, repairs: Sequence[Repair]) -> list[Repair]:
        """See ``calls.ports.AuditBook.repaired``."""
        rows = {
            repair.key: {
                "key": repair.key,
                "call_id": repair.call_id,
                "at": repair.at,
                "what": repair.what,
                "source": repair.source,
            }
            for repair in repairs
        }
        new = await self._store_new(repairs_table, rows)
        return [repair for repair in {repair.key: repair for repair in repairs}.values() if repair.key in new]

    async def repairs(self, since: datetime, until: datetime) -> list[Repair]:
        """See ``calls.ports.AuditBook.repairs``; in order of time."""
        found = await self._rows(
            select(repairs_table)
            .where(repairs_table.c.at >= since, repairs_table.c.at < until)
            .order_by(repairs_table.c.at, repairs_table.c.key)
        )
        return [Repair(row.key, CallId(row.call_id), row.at, row.what, Source(row.source)) for row in found]

    async def raised(self, found: Sequence[Discrepancy]) -> list[Discrepancy]:
        """See ``calls.ports.AuditBook.raised``."""
        rows = {
            one.key: {
                "key": one.key,
                "kind": one.kind,
                "call_id": one.call_id,
                "event_key": one.event_key,
                "seen_at": one.seen_at,
                "detail": one.detail,
                "settled_at": one.settled_at,
            }
            for one in found
        }
        new = await self._store_new(discrepancies, rows)
        return [one for one in {one.key: one for one in found}.values() if one.key in new]

    async def settle(self, at: datetime, keys: Sequence[str] = ()) -> int:
        """See ``calls.ports.AuditBook.settle``."""
        in_books = exists().where(events.c.key == discrepancies.c.event_key)
        healed = update(discrepancies).where(
            discrepancies.c.settled_at.is_(None), or_(discrepancies.c.key.in_(keys), in_books)
        )
        with translated():
            async with self._writer.begin() as connection:
                return int((await connection.execute(healed.values(settled_at=at))).rowcount)

    async def discrepancies(
        self, since: datetime | None = None, until: datetime | None = None
    ) -> list[Discrepancy]:
        """See ``calls.ports.AuditBook.discrepancies``; in the order in which they were seen."""
        wanted = select(discrepancies).order_by(discrepancies.c.seen_at, discrepancies.c.key)
        if since is None and until is None:
            wanted = wanted.where(discrepancies.c.settled_at.is_(None))
        if since is not None:
            wanted = wanted.where(discrepancies.c.seen_at >= since)
        if until is not None:
            wanted = wanted.where(discrepancies.c.seen_at < until)
        return [_discrepancy(row) for row in await self._rows(wanted)]

    async def known(self, call_ids: Sequence[CallId]) -> dict[CallId, list[AnyEvent]]:
        """See ``calls.ports.AuditBook.known``."""
        with translated():
            async with self._engine.connect() as connection:
                return await events_of_calls(connection, call_ids)

    async def calls_between(self, since: datetime, until: datetime) -> list[CallId]:
        """See ``calls.ports.AuditBook.calls_between``."""
        period = and_(calls.c.arrived_at >= since, calls.c.arrived_at < until)
        found = await self._rows(
            select(calls.c.call_id).where(period).order_by(calls.c.arrived_at, calls.c.call_id)
        )
        return [CallId(row.call_id) for row in found]

    async def _rows(self, wanted: Select[Any]) -> Sequence[Row[Any]]:
        with translated():
            async with self._engine.connect() as connection:
                rows: Sequence[Row[Any]] = (await connection.execute(wanted)).all()
        return rows

    async def _store_new(self, table: Table, rows: dict[str, dict[str, Any]]) -> set[str]:
        """Insert the rows that are not there yet; their keys."""
        if not rows:
            return set()
        with translated():
            async with self._writer.begin() as connection:
                known = await _keys(connection, table, list(rows))
                new = [row for key, row in rows.items() if key not in known]
                if new:
                    await connection.execute(insert(table), new)
        return {row["key"] for row in new}


async def _keys(connection: AsyncConnection, table: Table, wanted: Sequence[str]) -> set[str]:
    found: set[str] = set()
    for start in range(0, len(wanted), _KEYS_PER_QUERY):
        some = wanted[start : start + _KEYS_PER_QUERY]
        found |= {row.key for row in await connection.execute(select(table.c.key).where(table.c.key.in_(some)))}
    return found


def _discrepancy(row: Row[Any]) -> Discrepancy:
    return Discrepancy(
        key=row.key,
        kind=Difference(row.kind),
        seen_at=row.seen_at,
        detail=row.detail,
        call_id=row.call_id,
        event_key=row.event_key,
        settled_at=row.settled_at,
    )
