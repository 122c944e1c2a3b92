"""A consistent copy of the database as one file, and the database again from such a file (P2).

SQLite is copied through its own backup interface while others write; PostgreSQL by ``pg_dump``, which sees the
same snapshot as the connection that is given.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import sqlite3
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from sqlalchemy import URL, inspect, make_url, text
from sqlalchemy.ext.asyncio import AsyncConnection

from calls.errors import BackupError, StorageUnavailable
from storage.engine import open_engine
from storage.faults import translated

_DEBIAN = Path("/usr/lib/postgresql")
_PATIENCE_S = 3600.0


def kind_of(url: str) -> str:
    """``sqlite`` or ``postgresql``."""
    return make_url(url).get_backend_name()


@contextlib.asynccontextmanager
async def copied(url: str, target: Path) -> AsyncIterator[AsyncConnection]:
    """Copy the database into ``target``; inside, a connection that sees exactly what is in the copy.

    Raises StorageUnavailable, BackupError.
    """
    if kind_of(url) == "sqlite":
        await asyncio.to_thread(_copy_sqlite, Path(make_url(url).database or ""), target)
        seen = f"sqlite:///{target}"
    else:
        seen = url
    engine = open_engine(seen, patience_s=_PATIENCE_S)
    try:
        with translated():
            async with engine.connect() as connection:
                if engine.dialect.name == "postgresql":
                    connection = await connection.execution_options(isolation_level="REPEATABLE READ")
                    snapshot = await connection.scalar(text("SELECT pg_export_snapshot()"))
                    address = _for_libpq(make_url(url))
                    await _run("pg_dump", [f"--snapshot={snapshot}", "-Fc", "-f", str(target), *address], url)
                yield connection
    finally:
        await engine.dispose()


async def is_empty(url: str) -> bool:
    """Whether there are no tables yet. Raises StorageUnavailable."""
    path = make_url(url).database
    if kind_of(url) == "sqlite" and not Path(path or "").exists():
        return True
    engine = open_engine(url)
    try:
        with translated():
            async with engine.connect() as connection:
                return not await connection.run_sync(lambda sync: inspect(sync).get_table_names())
    finally:
        await engine.dispose()


async def loaded(url: str, copy: Path) -> None:
    """Make the database what the copy is, in one step. Raises BackupError."""
    if kind_of(url) == "sqlite":
        await asyncio.to_thread(_load_sqlite, copy, Path(make_url(url).database or ""))
        return
    address = _for_libpq(make_url(url))
    options = ["--clean", "--if-exists", "--no-owner", "--single-transaction", "--exit-on-error"]
    await _run("pg_restore", [*options, *address, str(copy)], url)


def _copy_sqlite(source: Path, target: Path) -> None:
    if not source.exists():
        raise StorageUnavailable(f"there is no database at {source}")
    try:
        with (
            contextlib.closing(sqlite3.connect(source)) as live,
            contextlib.closing(sqlite3.connect(target)) as copy,
        ):
            live.backup(copy)
    except sqlite3.Error as error:
        raise BackupError(f"the database cannot be copied: {error}") from error


def _load_sqlite(copy: Path, target: Path) -> None:
    """Beside its place first, so that there is the old database or the new one at every instant."""
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = target.with_name(f"{target.name}.restored")
    shutil.copyfile(copy, fresh)
    with fresh.open("rb") as file:
        os.fsync(file.fileno())
    for journal in ("-wal", "-shm"):  # of what was there before: they would be played into the new one
        target.with_name(target.name + journal).unlink(missing_ok=True)
    fresh.replace(target)


def _for_libpq(url: URL) -> list[str]:
    """Where PostgreSQL's programs connect to; the password goes by the environment, which others cannot list."""
    query = {key: value for key, value in url.query.items() if key == "host"}
    if ssl := url.query.get("ssl"):
        query["sslmode"] = ssl
    plain = url.set(drivername="postgresql", password=None, query=query)
    return ["-d", plain.render_as_string(hide_password=False)]


async def _run(program: str, arguments: Sequence[str], url: str) -> None:
    password = make_url(url).password
    environment = {**os.environ, **({"PGPASSWORD": str(password)} if password else {})}
    process = await asyncio.create_subprocess_exec(
        *(str(_program(program)), *arguments),
        env=environment,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        _, said = await process.communicate()
    except BaseException:
        process.kill()
        await process.wait()
        raise
    if process.returncode:
        raise BackupError(f"{program} failed: {said.decode(errors='replace').strip()[-500:]}")


def _program(name: str) -> Path:
    """The newest on this machine: an older one refuses a newer server."""
    found = sorted(_DEBIAN.glob(f"*/bin/{name}"), key=lambda path: float(path.parts[-3]))
    on_path = shutil.which(name)
    if not found and not on_path:
        raise BackupError(f"{name} is not on this machine; install PostgreSQL's client programs")
    return found[-1] if found else Path(str(on_path))
