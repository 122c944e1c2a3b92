"""Outages and announced maintenance in the database: ``calls.ports.OutageBook``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Executable, Row, func, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncEngine

from calls.outages import Component, Maintenance, Outage, apart
from storage.engine import for_writing
from storage.faults import translated
from storage.tables import maintenance, outages, watched


class SqlOutages:
    """When parts of the hotline did not work (``calls.ports.OutageBook``)."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._writer = for_writing(engine)
        self._insert = postgresql.insert if engine.dialect.name == "postgresql" else sqlite.insert

    async def watched(self, since: datetime) -> None:
        """See ``calls.ports.OutageBook.watched``."""
        if await self.watched_since() is None:
            await self._do(self._insert(watched).values(since=since).on_conflict_do_nothing())

    async def watched_since(self) -> datetime | None:
        """See ``calls.ports.OutageBook.watched_since``."""
        with translated():
            async with self._engine.connect() as connection:
                since: datetime | None = await connection.scalar(select(func.min(watched.c.since)))
        return since

    async def answers(self) -> None:
        """Return if the database can be written to. Raises StorageUnavailable if not."""
        with translated():
            async with self._writer.begin() as connection:
                await connection.scalar(select(func.min(watched.c.since)))

    async def opened(self, component: Component, at: datetime, reason: str) -> None:
        """See ``calls.ports.OutageBook.opened``."""
        # Told again (same beginning), or out already (the index over open ones): nothing new either way.
        await self._do(
            self._insert(outages)
            .values(component=component, began_at=at, ended_at=None, reason=reason)
            .on_conflict_do_nothing()
        )

    async def closed(self, component: Component, at: datetime) -> None:
        """See ``calls.ports.OutageBook.closed``."""
        # Not one that began later: when an old fact is told again, a new outage may have begun since.
        await self._do(
            update(outages)
            .where(outages.c.component == component, outages.c.ended_at.is_(None), outages.c.began_at <= at)
            .values(ended_at=at)
        )

    async def outages(self, since: datetime, until: datetime) -> list[Outage]:
        """See ``calls.ports.OutageBook.outages``."""
        found = (
            select(outages)
            .where(outages.c.began_at < until, or_(outages.c.ended_at.is_(None), outages.c.ended_at > since))
            .order_by(outages.c.began_at, outages.c.component)
        )
        rows = await self._rows(found)
        begin = min([since, *(row.began_at for row in rows)])
        end = max([until, *(row.ended_at for row in rows if row.ended_at)])
        windows = await self.maintenance(begin, end)
        pieces = [piece for row in rows for piece in apart(_outage(row), windows, until)]
        return sorted(
            (p for p in pieces if p.began_at < until and (p.ended_at is None or p.ended_at > since)),
            key=lambda piece: (piece.began_at, piece.component),
        )

    async def announce(self, window: Maintenance) -> Maintenance:
        """See ``calls.ports.OutageBook.announce``."""
        values = {
            "starts_at": window.starts_at,
            "ends_at": window.ends_at,
            "components": " ".join(sorted(window.components)),
            "reason": window.reason,
        }
        with translated():
            async with self._writer.begin() as connection:
                number = await connection.scalar(
                    insert(maintenance).values(values).returning(maintenance.c.number)
                )
        assert number is not None, "the database numbers what it stores"
        return replace(window, number=number)

    async def cancel(self, number: int, at: datetime) -> bool:
        """See ``calls.ports.OutageBook.cancel``."""
        # What has passed stays announced: one that was taken back before it began ends as it begins.
        end = func.max(maintenance.c.starts_at, at) if self._sqlite else func.greatest(maintenance.c.starts_at, at)
        return bool(
            await self._do(
                update(maintenance)
                .where(
                    maintenance.c.number == number,
                    maintenance.c.ends_at > at,
                    maintenance.c.ends_at > maintenance.c.starts_at,
                )
                .values(ends_at=end)
            )
        )

    async def maintenance(self, since: datetime, until: datetime) -> list[Maintenance]:
        """See ``calls.ports.OutageBook.maintenance``."""
        rows = await self._rows(
            select(maintenance)
            .where(
                maintenance.c.starts_at < until,
                maintenance.c.ends_at > since,
                maintenance.c.ends_at > maintenance.c.starts_at,
            )
            .order_by(maintenance.c.starts_at, maintenance.c.number)
        )
        return [_window(row) for row in rows]

    @property
    def _sqlite(self) -> bool:
        return self._engine.dialect.name == "sqlite"

    async def _do(self, statement: Executable) -> int:
        """Carry out one statement; how many rows it changed."""
        with translated():
            async with self._writer.begin() as connection:
                return (await connection.execute(statement)).rowcount

    async def _rows(self, statement: Any) -> Sequence[Row[Any]]:
        with translated():
            async with self._engine.connect() as connection:
                return (await connection.execute(statement)).all()


def _outage(row: Row[Any]) -> Outage:
    return Outage(Component(row.component), row.began_at, row.ended_at, reason=row.reason)


def _window(row: Row[Any]) -> Maintenance:
    return Maintenance(
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        components=frozenset(map(Component, row.components.split())),
        reason=row.reason,
        number=row.number,
    )
