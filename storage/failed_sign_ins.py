"""Attempts to sign in that failed, for the administrator's list (P1, P4).

Kept for ``KEPT``: whoever signs in, or fails to, takes with them what is older.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Delete, delete, insert, select
from sqlalchemy.ext.asyncio import AsyncEngine

from calls.accounts import FailedAt, FailedSignIn
from storage.engine import for_writing
from storage.faults import translated
from storage.people_tables import failed_sign_ins

KEPT = timedelta(days=90)


class SqlFailedSignIns:
    """The list. Raises StorageUnavailable."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._writer = for_writing(engine)

    async def add(self, failed: FailedSignIn) -> None:
        """One more."""
        values = {"at": failed.at, "login": failed.login, "address": failed.address, "step": failed.step.value}
        with translated():
            async with self._writer.begin() as connection:
                await connection.execute(outlived(failed.at))
                await connection.execute(insert(failed_sign_ins).values(**values))

    async def page(
        self, now: datetime, *, login: str | None = None, before: int | None = None, limit: int = 50
    ) -> list[FailedSignIn]:
        """Those that are kept, the newest first, from the one in front of number ``before`` on."""
        listed = failed_sign_ins.c
        wanted = select(failed_sign_ins).where(listed.at >= now - KEPT).order_by(listed.number.desc()).limit(limit)
        if login is not None:
            wanted = wanted.where(listed.login == login)
        if before is not None:
            wanted = wanted.where(listed.number < before)
        with translated():
            async with self._engine.connect() as connection:
                rows = (await connection.execute(wanted)).all()
        return [FailedSignIn(row.at, row.login, row.address, FailedAt(row.step), row.number) for row in rows]


def outlived(now: datetime) -> Delete:
    """Removes what has been kept long enough."""
    return delete(failed_sign_ins).where(failed_sign_ins.c.at < now - KEPT)
