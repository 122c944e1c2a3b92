"""The migrations make exactly the tables that the code works with, on both databases."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Column, Connection, Integer, MetaData, Table, inspect, text

from calls.call import Call
from storage.engine import open_engine, upgrade
from storage.ledger import SqlLedger
from storage.schema import metadata
from storage.search_tables import is_compared
from tests.support_ledger import Ring, story
from tests.support_postgres import postgres


@pytest_asyncio.fixture(params=["sqlite", "postgresql"])
async def url(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    """An empty database of each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/100%/ledger.db"
    else:
        address = postgres().create_database()
        yield address
        postgres().drop_database(address)


async def differences(url: str, target: MetaData) -> list[Any]:
    """What a new migration would have to change to reach ``target``."""

    def compare(connection: Connection) -> list[Any]:
        kept = {"include_name": is_compared}
        return list(compare_metadata(MigrationContext.configure(connection, opts=kept), target))

    engine = open_engine(url)
    async with engine.connect() as connection:
        found = await connection.run_sync(compare)
    await engine.dispose()
    return found


async def test_migrations_make_the_tables_that_the_code_works_with(url: str, tmp_path: Path) -> None:
    (tmp_path / "100%").mkdir()
    await upgrade(url)
    assert await differences(url, metadata) == []
    other = MetaData()
    Table("something_new", other, Column("id", Integer, primary_key=True))
    assert await differences(url, other) != []


async def test_foreign_keys_and_indexes_are_there(url: str, tmp_path: Path) -> None:
    """The comparison above does not look at everything on SQLite."""
    (tmp_path / "100%").mkdir()
    await upgrade(url)

    def found(connection: Connection) -> dict[str, Any]:
        schema = inspect(connection)
        return {
            table.name: (
                {
                    index["name"]
                    for index in schema.get_indexes(table.name)
                    if is_compared(index["name"], "index", {})
                },
                {key["referred_table"] for key in schema.get_foreign_keys(table.name)},
                schema.get_pk_constraint(table.name)["constrained_columns"],
            )
            for table in metadata.sorted_tables
        }

    engine = open_engine(url)
    async with engine.connect() as connection:
        tables = await connection.run_sync(found)
    await engine.dispose()
    assert tables == {
        table.name: (
            {index.name for index in table.indexes},
            {key.column.table.name for key in table.foreign_keys},
            [column.name for column in table.primary_key],
        )
        for table in metadata.sorted_tables
    }


async def test_upgrading_again_keeps_what_is_on_the_books(url: str, tmp_path: Path) -> None:
    (tmp_path / "100%").mkdir()
    await upgrade(url)
    engine = open_engine(url)
    ledger, told = SqlLedger(engine), story("1.1", asked=1)
    await ledger.record(told)
    await upgrade(url)
    assert await ledger.open_calls() == [Call.of(told)]
    await engine.dispose()


async def test_two_that_upgrade_at_once_do_not_disturb_each_other(url: str, tmp_path: Path) -> None:
    (tmp_path / "100%").mkdir()
    await asyncio.gather(upgrade(url), upgrade(url), upgrade(url))
    assert await differences(url, metadata) == []


async def test_how_long_callers_waited_is_filled_in_for_calls_already_on_the_books(
    url: str, tmp_path: Path
) -> None:
    (tmp_path / "100%").mkdir()
    await upgrade(url)
    engine = open_engine(url)
    ring = Ring("1001", 2, answered=14, connected=15.000001, ended=60)
    stories = [
        story("1.1", asked=1, rings=[ring], ended=60),
        story("2.1", asked=1.5, ended=70.123457),
        story("3.1", asked=1, promised=50, ended=55),
        story("4.1", ended=9),
        story("5.1", asked=1),
    ]
    await SqlLedger(engine).record([event for told in stories for event in told])
    steps = importlib.import_module("storage.migrations.versions.0003_rollups")

    def again(connection: Connection) -> None:
        with Operations.context(MigrationContext.configure(connection)):
            connection.execute(text("ALTER TABLE calls DROP COLUMN waited_s"))
            steps._add_waited()

    async with engine.begin() as connection:
        await connection.run_sync(again)
        rows = await connection.execute(text("SELECT call_id, waited_s FROM calls"))
        found = {row.call_id: row.waited_s for row in rows}
    await engine.dispose()
    assert found == {told[0].call_id: Call.of(told).waited_s for told in stories}
    assert found == {"1.1": 14.000001, "2.1": 68.623457, "3.1": 49.0, "4.1": None, "5.1": None}
