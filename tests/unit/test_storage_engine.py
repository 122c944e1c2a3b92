"""Opening databases: addresses, SQLite's settings, times, and no driver's error beyond the boundary (P1)."""

from __future__ import annotations

import sqlite3
import traceback
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import Column, MetaData, Table, event, insert, select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from calls.errors import SettingsError, StorageError, StorageRefused, StorageUnavailable
from calls.events import AgentRang, AnyEvent
from calls.ids import AgentNumber, CallId, LegId
from storage.engine import for_writing, open_engine, upgrade
from storage.ledger import SqlLedger
from storage.tables import UtcDateTime
from tests.support_ledger import CALLER, NOON, story
from tests.support_postgres import postgres

TOLD = story("1.1", asked=1)


@pytest_asyncio.fixture(params=["sqlite", "postgresql"])
async def url(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    """An empty database of each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/ledger.db"
    else:
        address = postgres().create_database()
        yield address
        postgres().drop_database(address)


@pytest_asyncio.fixture
async def ready(url: str) -> AsyncIterator[AsyncEngine]:
    """An engine on a database that has its tables."""
    await upgrade(url)
    engine = open_engine(url)
    yield engine
    await engine.dispose()


# --- addresses and settings ---


@pytest.mark.parametrize(
    "wrong", ["", "ledger.db", "mysql://host/name", "sqlite://", "sqlite:///:memory:", "sqlite+pysqlite:///x"]
)
def test_an_address_that_cannot_hold_a_ledger_is_a_setting_error(wrong: str) -> None:
    with pytest.raises(SettingsError):
        open_engine(wrong)


def test_a_refused_address_does_not_show_its_password() -> None:
    with pytest.raises(SettingsError) as refusal:
        open_engine("mysql://user:secret@host/name")
    assert "secret" not in str(refusal.value)


async def test_sqlite_is_durable_and_checks_references(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path}/ledger.db")
    async with engine.connect() as connection:
        found = {
            name: await connection.scalar(text(f"PRAGMA {name}"))
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    await engine.dispose()
    assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 10_000}


async def test_times_come_back_in_utc_to_the_microsecond_and_sort_as_time(url: str) -> None:
    table = Table("moments", MetaData(), Column("at", UtcDateTime, primary_key=True))
    shanghai = timezone(timedelta(hours=8))
    moments = [
        datetime(2026, 11, 18, 7, 59, 59, 999_999, shanghai),
        datetime(2026, 11, 18, tzinfo=UTC),
        datetime(2026, 11, 18, 8, 0, 0, 1, shanghai),
    ]
    engine = open_engine(url)
    async with for_writing(engine).begin() as connection:
        await connection.run_sync(table.create)
        await connection.execute(insert(table), [{"at": at} for at in reversed(moments)])
        found = list(await connection.scalars(select(table.c.at).order_by(table.c.at)))
        later = list(await connection.scalars(select(table.c.at).where(table.c.at > moments[1])))
    await engine.dispose()
    assert (found, later) == (moments, moments[2:])
    assert {at.tzinfo for at in found} == {UTC}


# --- what goes wrong ---


async def expect(error: type[StorageError], engine: AsyncEngine, told: Sequence[AnyEvent] = TOLD) -> None:
    """Recording fails with our own error, which has a cause, and nothing of it shows a caller's number."""
    with pytest.raises(error) as failure:
        await SqlLedger(engine).record(told)
    assert failure.value.__cause__
    assert CALLER not in "".join(traceback.format_exception(failure.value))


async def test_a_locked_database_is_unavailable_until_it_is_free(ready: AsyncEngine, url: str) -> None:
    impatient = open_engine(url, patience_s=0.2)
    async with for_writing(ready).begin() as connection:
        if ready.dialect.name == "postgresql":
            await connection.execute(text("LOCK TABLE events"))
        await expect(StorageUnavailable, impatient)
    await impatient.dispose()
    assert len(await SqlLedger(ready).record(TOLD)) == 1


async def test_a_database_without_tables_is_unavailable(url: str) -> None:
    engine = open_engine(url)
    await expect(StorageUnavailable, engine)
    await engine.dispose()


async def test_a_batch_that_breaks_a_constraint_is_refused_whole(ready: AsyncEngine) -> None:
    rang = [
        AgentRang(call_id=CallId(call), at=NOON, leg_id=LegId(leg), agent=AgentNumber("1001"))
        for call, leg in (("1", "2/rang/3"), ("1/rang/2", "3"))
    ]
    assert rang[0].key == rang[1].key
    await expect(StorageRefused, ready, [*TOLD, *rang])
    assert await SqlLedger(ready).open_calls() == []


@pytest.mark.parametrize("pragma", ["query_only=ON", "max_page_count=1"], ids=["read-only", "disk full"])
async def test_an_sqlite_that_cannot_be_written_is_unavailable(tmp_path: Path, pragma: str) -> None:
    address = f"sqlite:///{tmp_path}/ledger.db"
    await upgrade(address)
    engine = open_engine(address)
    event.listen(engine.sync_engine, "connect", _running(f"PRAGMA {pragma}"))
    await expect(StorageUnavailable, engine, [fact for n in range(500) for fact in story(f"{n}.1", asked=1)])
    assert await SqlLedger(engine).open_calls() == []
    await engine.dispose()


@pytest.mark.parametrize("damage", ["directory missing", "is a directory", "not a database"])
async def test_an_sqlite_that_cannot_be_opened_is_unavailable(tmp_path: Path, damage: str) -> None:
    file = tmp_path / "ledger.db"
    if damage == "directory missing":
        file = tmp_path / "nowhere" / "ledger.db"
    elif damage == "is a directory":
        file.mkdir()
    else:
        file.write_bytes(b"something else altogether" * 100)
    with pytest.raises(StorageUnavailable):
        await upgrade(f"sqlite:///{file}")
    engine = open_engine(f"sqlite:///{file}")
    await expect(StorageUnavailable, engine)
    await engine.dispose()


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://postgres@/nowhere?host={sockets}",
        "postgresql://nobody@/postgres?host={sockets}",
        "postgresql://postgres@/postgres?host=/nowhere",
        "postgresql://postgres@127.0.0.1:1/postgres",
    ],
    ids=["no such database", "no such user", "no such socket", "nobody listens"],
)
async def test_a_postgresql_that_cannot_be_reached_is_unavailable(address: str) -> None:
    existing = postgres().create_database()
    address = address.format(sockets=existing.rpartition("host=")[2])
    postgres().drop_database(existing)
    engine = open_engine(address, patience_s=5)
    await expect(StorageUnavailable, engine)
    await engine.dispose()


async def test_a_ledger_of_a_later_version_is_refused_when_read(tmp_path: Path) -> None:
    await upgrade(f"sqlite:///{tmp_path}/ledger.db")
    engine = open_engine(f"sqlite:///{tmp_path}/ledger.db")
    ledger = SqlLedger(engine)
    await ledger.record(TOLD)
    with closing(sqlite3.connect(tmp_path / "ledger.db")) as database, database:
        database.execute("UPDATE events SET kind = 'teleported' WHERE kind = 'asked'")
    with pytest.raises(StorageRefused, match="teleported"):
        await ledger.call(CallId("1.1"))
    await engine.dispose()


def _running(sql: str) -> Callable[[Any, Any], None]:
    def run(connection: Any, _record: Any) -> None:
        cursor = connection.cursor()
        cursor.execute(sql)
        cursor.close()

    return run
