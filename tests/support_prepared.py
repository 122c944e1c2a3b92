"""Databases with every table, copied from one that was migrated once: migrations have tests of their own."""

from __future__ import annotations

import atexit
import shutil
import sqlite3
import tempfile
from collections.abc import Hashable
from contextlib import closing
from pathlib import Path
from typing import Any

import asyncpg
from sqlalchemy import event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncEngine

from storage.engine import open_engine, upgrade
from tests.support_postgres import postgres

_TURN_S = 120.0
_TEMPLATES: dict[str, str] = {}
"""By kind: the file, or the name of the database, that others are copied from."""


_KEPT: dict[Hashable, Path] = {}
"""``sqlite`` databases with something in them."""
_FREE: list[str] = []
"""``postgresql`` databases that were given back."""
_SHAPES: dict[str, tuple[int, ...]] = {}
"""Of every one that was handed out: how many relations, columns and enabled triggers it had."""

_SHAPE = """
SELECT (SELECT count(*) FROM pg_class), (SELECT count(*) FROM pg_attribute),
       (SELECT count(*) FROM pg_trigger WHERE tgenabled = 'O')
"""
_END_OTHERS = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
_EMPTY = """
SET session_replication_role = replica;  -- some tables keep what is in them
DO $$
DECLARE
    one text;
    filled boolean;
    names text[];
BEGIN
    FOR one IN
        SELECT format('%I', relname) FROM pg_class
        WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname <> 'alembic_version'
    LOOP
        EXECUTE 'SELECT EXISTS (SELECT FROM ' || one || ')' INTO filled;
        IF filled THEN names := names || one; END IF;
    END LOOP;
    IF names IS NOT NULL THEN EXECUTE 'TRUNCATE ' || array_to_string(names, ', ') || ' CASCADE'; END IF;
    PERFORM setval(format('%I', sequencename)::regclass, 1, false) FROM pg_sequences WHERE last_value IS NOT NULL;
END $$
"""


async def prepared(kind: str, folder: Path) -> str:
    """The URL of a fresh ``sqlite`` database in the folder, or ``postgresql`` database."""
    if kind not in _TEMPLATES:
        _TEMPLATES[kind] = await _template(kind)
    if kind == "postgresql":
        return await _postgresql()
    file = folder / "ledger.db"
    shutil.copyfile(_TEMPLATES[kind], file)
    return f"sqlite:///{file}"


def keep_copy(key: Hashable, folder: Path) -> None:
    """Keep what the ``sqlite`` database in the folder holds now, for ``copied``."""
    kept = Path(_TEMPLATES["sqlite"]).with_name(f"kept-{len(_KEPT)}.db")
    with closing(sqlite3.connect(folder / "ledger.db")) as now, closing(sqlite3.connect(kept)) as copy:
        now.backup(copy)
    _KEPT[key] = kept


def copied(key: Hashable, folder: Path) -> str | None:
    """The URL of a fresh ``sqlite`` database that holds what was kept; ``None`` if nothing was."""
    if key not in _KEPT:
        return None
    shutil.copyfile(_KEPT[key], folder / "ledger.db")
    return f"sqlite:///{folder}/ledger.db"


async def _postgresql() -> str:
    """One that was given back, emptied, which takes a quarter of the time that a copy does; or else a copy."""
    while _FREE:
        url = _FREE.pop()
        connection = await asyncpg.connect(url)
        try:
            await connection.execute(_END_OTHERS)
            await connection.execute(_EMPTY)
            if await _shape(connection) == _SHAPES[url]:
                return url
        finally:
            await connection.close()
        postgres().drop_database(url)  # a test has changed more than its rows
    url = postgres().create_database(_TEMPLATES["postgresql"])
    connection = await asyncpg.connect(url)
    _SHAPES[url] = await _shape(connection)
    await connection.close()
    return url


async def _shape(connection: asyncpg.Connection) -> tuple[int, ...]:
    return tuple(await connection.fetchrow(_SHAPE))


def dropped(url: str) -> None:
    """The database is not needed any more; a file goes with its folder."""
    if url in _SHAPES:
        _FREE.append(url)


def patient_engine(url: str) -> AsyncEngine:
    """For tests in which many write at once: each waits for its turn, on a busy machine longer than in service.

    Nothing waits for the disk: what a power failure would lose is no matter here.
    """
    engine = open_engine(url, patience_s=_TURN_S)
    if engine.dialect.name == "sqlite":
        event.listen(engine.sync_engine, "connect", _careless)
    return engine


def _careless(connection: DBAPIConnection, _record: Any) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA synchronous=OFF")
    cursor.close()


async def _template(kind: str) -> str:
    if kind == "postgresql":
        url = postgres().create_database()
        await upgrade(url)
        return postgres().name_of(url)
    folder = Path(tempfile.mkdtemp(prefix="sansheng-prepared-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    await upgrade(f"sqlite:///{folder}/ledger.db")
    return str(folder / "ledger.db")
