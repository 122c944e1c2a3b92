"""Opening the database and bringing its tables up to date.

SQLite runs in WAL mode with ``synchronous=FULL``: a commit is on the disk before ``record`` returns.
``NORMAL`` would be faster but may lose the last commits when power fails, and a promise to call back (A5) is
written nowhere else. One flush serves a whole batch, so the price is small.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import URL, Connection, event, make_url, text
from sqlalchemy.engine.interfaces import DBAPIConnection, DBAPICursor
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.util import await_only

from calls.errors import SettingsError
from storage.faults import translated

PATIENCE_S = 10.0
"""How long to wait for a database that is locked or silent, in seconds."""

_BUSY_S = 0.02
_UPGRADE_PATIENCE_S = 600.0
_DRIVERS = {
    "sqlite": "sqlite+aiosqlite",
    "sqlite+aiosqlite": "sqlite+aiosqlite",
    "postgresql": "postgresql+asyncpg",
    "postgresql+asyncpg": "postgresql+asyncpg",
}
_MIGRATIONS = Path(__file__).parent / "migrations"
_UPGRADE_LOCK = 7_366_001
"""PostgreSQL's advisory lock that one upgrade at a time holds."""


def open_engine(url: str, *, patience_s: float = PATIENCE_S) -> AsyncEngine:
    """An engine for ``sqlite:///path/of/file`` or ``postgresql://user:password@host/name``.

    Nothing is connected yet. Raises SettingsError for another kind of URL.
    """
    address = _address(url)
    # Parameters of a failed statement hold callers' numbers and would end up in logs (P1).
    if address.get_backend_name() == "postgresql":
        return create_async_engine(
            address,
            hide_parameters=True,
            # Recorders lock first and read then; the reading must see what was committed in between.
            isolation_level="READ COMMITTED",
            pool_pre_ping=True,
            connect_args={"timeout": patience_s, "command_timeout": patience_s},
        )
    engine = create_async_engine(address, hide_parameters=True, connect_args={"timeout": patience_s})
    event.listen(engine.sync_engine, "connect", _prepare_sqlite)
    event.listen(engine.sync_engine, "begin", _begin_sqlite)
    return engine


def for_writing(engine: AsyncEngine) -> AsyncEngine:
    """The same engine, its SQLite transactions taking the write lock as they begin.

    A transaction that reads first and then wants to write may find that another has written in between, and
    SQLite can only fail it.
    """
    return engine.execution_options(begins_writing=True)


async def upgrade(url: str) -> None:
    """Create the tables, or bring them up to this version's; again, or twice at once, changes nothing.

    Raises SettingsError for an unusable URL, StorageUnavailable if the database cannot be reached.
    """
    engine = open_engine(url, patience_s=_UPGRADE_PATIENCE_S)
    try:
        with translated():
            async with for_writing(engine).begin() as connection:
                if engine.dialect.name == "postgresql":
                    await connection.execute(text("SELECT pg_advisory_xact_lock(:n)"), {"n": _UPGRADE_LOCK})
                await connection.run_sync(_upgrade_to_head)
    finally:
        await engine.dispose()


def _address(url: str) -> URL:
    try:
        address = make_url(url)
    except ArgumentError as error:
        raise SettingsError("the database URL cannot be read") from error
    if address.drivername not in _DRIVERS:
        raise SettingsError(f"database {address.drivername!r}: expected sqlite:///FILE or postgresql://…")
    if address.get_backend_name() == "sqlite" and address.database in (None, "", ":memory:"):
        raise SettingsError("a ledger in memory would be forgotten: expected sqlite:///FILE")
    return address.set(drivername=_DRIVERS[address.drivername])


def _prepare_sqlite(connection: DBAPIConnection, _record: Any) -> None:
    connection.isolation_level = None  # transactions begin in _begin_sqlite
    cursor = connection.cursor()
    _turn_to_wal(cursor)
    for pragma in ("synchronous=FULL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _turn_to_wal(cursor: DBAPICursor) -> None:
    """For this alone SQLite waits for nobody: two that make one file at the same moment lock each other out."""
    ends = time.monotonic() + PATIENCE_S
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > ends:
                raise
            await_only(asyncio.sleep(_BUSY_S))
        else:
            return


def _begin_sqlite(connection: Connection) -> None:
    writing = connection.get_execution_options().get("begins_writing", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


def _upgrade_to_head(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
