"""Filters that somebody saved under a name, each person their own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncEngine

from calls.errors import StorageRefused
from storage.engine import for_writing
from storage.faults import translated
from storage.listening_tables import saved_filters

MOST = 50
"""Filters of one person on one page."""
LONGEST_NAME = 60
LONGEST_QUERY = 2_000


@dataclass(frozen=True, slots=True)
class SavedFilter:
    """A name for a query of one page."""

    number: int
    name: str
    query: str
    """As in the page's address, without its ``?``."""


class SqlSavedFilters:
    """Saved filters. Raises StorageUnavailable or StorageRefused."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._writer = for_writing(engine)

    async def save(self, login: str, page: str, name: str, query: str, at: datetime) -> None:
        """Save under the name, in place of an earlier one.

        Raises StorageRefused for a name or query that is empty or too long, and for more than ``MOST``.
        """
        if not 0 < len(name) <= LONGEST_NAME or len(query) > LONGEST_QUERY:
            raise StorageRefused("the filter's name or query is empty or too long")
        here = (saved_filters.c.login == login, saved_filters.c.page == page)
        values = {"login": login, "page": page, "name": name, "query": query, "saved_at": at}
        with translated():
            async with self._writer.begin() as connection:
                await connection.execute(delete(saved_filters).where(*here, saved_filters.c.name == name))
                number = await connection.scalar(select(func.count()).select_from(saved_filters).where(*here))
                if (number or 0) >= MOST:
                    raise StorageRefused(f"there are {MOST} saved filters already")
                await connection.execute(insert(saved_filters).values(**values))

    async def of(self, login: str, page: str) -> list[SavedFilter]:
        """One person's, by name."""
        wanted = (
            select(saved_filters)
            .where(saved_filters.c.login == login, saved_filters.c.page == page)
            .order_by(saved_filters.c.name)
        )
        with translated():
            async with self._engine.connect() as connection:
                rows = await connection.execute(wanted)
                return [SavedFilter(row.number, row.name, row.query) for row in rows]

    async def remove(self, login: str, number: int) -> None:
        """Remove one of theirs; nobody else's."""
        mine = (saved_filters.c.login == login, saved_filters.c.number == number)
        with translated():
            async with self._writer.begin() as connection:
                await connection.execute(delete(saved_filters).where(*mine))
