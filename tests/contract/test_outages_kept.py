"""What everybody may rely on in an outage book: one suite over SQLite and a real PostgreSQL (K5)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from calls.errors import StorageRefused, StorageUnavailable
from calls.outages import EVERYTHING, Component, Maintenance, Outage
from storage.engine import open_engine
from storage.outages import SqlOutages
from tests.support_prepared import dropped, patient_engine, prepared

ZERO = datetime(2026, 11, 22, tzinfo=UTC)
DISK, AGI = Component.DISK, Component.AGI


def at(seconds: float) -> datetime:
    return ZERO + timedelta(seconds=seconds)


@pytest_asyncio.fixture(params=["sqlite", "postgresql"])
async def url(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    address = await prepared(request.param, tmp_path)
    yield address
    dropped(address)


@pytest_asyncio.fixture
async def book(url: str) -> AsyncIterator[SqlOutages]:
    engine = patient_engine(url)
    yield SqlOutages(engine)
    await engine.dispose()


async def everything(book: SqlOutages) -> list[Outage]:
    return await book.outages(at(-1e6), at(1e6))


async def test_an_outage_from_beginning_to_end(book: SqlOutages) -> None:
    await book.opened(DISK, at(10), "full")
    assert await everything(book) == [Outage(DISK, at(10), None, reason="full")]
    await book.closed(DISK, at(20.25))
    assert await everything(book) == [Outage(DISK, at(10), at(20.25), reason="full")]


async def test_a_component_is_out_once_at_a_time(book: SqlOutages) -> None:
    await asyncio.gather(*(book.opened(DISK, at(second), "full") for second in range(10, 20)))
    assert len(await everything(book)) == 1
    await book.opened(AGI, at(12), "")
    assert [outage.component for outage in await everything(book) if outage.began_at == at(12)].count(AGI) == 1


async def test_facts_told_again_change_nothing(book: SqlOutages) -> None:
    """After a crash the journal is told once more, from its beginning."""
    for _ in range(2):
        await book.opened(DISK, at(10), "full")
        await book.closed(DISK, at(20))
        await book.opened(DISK, at(30), "full again")
    assert await everything(book) == [
        Outage(DISK, at(10), at(20), reason="full"),
        Outage(DISK, at(30), None, reason="full again"),
    ]


async def test_the_end_of_what_is_not_out_is_nothing(book: SqlOutages) -> None:
    await book.closed(DISK, at(20))
    await book.opened(AGI, at(30), "")
    await book.closed(DISK, at(40))
    assert await everything(book) == [Outage(AGI, at(30), None)]


async def test_only_what_overlaps_is_told(book: SqlOutages) -> None:
    await book.opened(DISK, at(10), "")
    await book.closed(DISK, at(20))
    await book.opened(DISK, at(30), "")
    for since, until, count in ((0, 10, 0), (0, 11, 1), (19, 30, 1), (20, 30, 0), (20, 31, 1), (1000, 1001, 1)):
        assert len(await book.outages(at(since), at(until))) == count, (since, until)


async def test_maintenance_cuts_outages(book: SqlOutages) -> None:
    window = await book.announce(Maintenance(at(15), at(25), frozenset({DISK}), "new disks"))
    await book.opened(DISK, at(10), "full")
    await book.opened(AGI, at(10), "gone")
    await book.closed(DISK, at(30))
    assert await everything(book) == [
        Outage(AGI, at(10), None, reason="gone"),
        Outage(DISK, at(10), at(15), reason="full"),
        Outage(DISK, at(15), at(25), True, "full"),
        Outage(DISK, at(25), at(30), reason="full"),
    ]
    assert window.number and await book.maintenance(at(0), at(100)) == [window]
    assert [outage.planned for outage in await book.outages(at(16), at(17))] == [False, True]
    assert await book.maintenance(at(25), at(100)) == [] == await book.maintenance(at(0), at(15))


async def test_maintenance_is_taken_back(book: SqlOutages) -> None:
    first = await book.announce(Maintenance(at(100), at(200), EVERYTHING, "one"))
    second = await book.announce(Maintenance(at(100), at(200), EVERYTHING, "two"))
    assert first.number != second.number
    assert await book.cancel(first.number, at(50))
    assert not await book.cancel(first.number, at(50))
    assert await book.cancel(second.number, at(150)), "what has passed stays announced"
    assert not await book.cancel(second.number, at(150))
    assert not await book.cancel(999, at(0))
    assert await book.maintenance(at(0), at(1000)) == [
        Maintenance(at(100), at(150), EVERYTHING, "two", second.number)
    ]


async def test_the_first_who_looks_counts(book: SqlOutages) -> None:
    assert await book.watched_since() is None
    await book.watched(at(10))
    await book.watched(at(20))
    assert await book.watched_since() == at(10)


async def test_it_answers(book: SqlOutages) -> None:
    await book.answers()


async def test_an_end_before_the_beginning_is_refused(book: SqlOutages) -> None:
    with pytest.raises(StorageRefused):
        await book.announce(Maintenance(at(20), at(10), EVERYTHING, "backwards"))


async def test_a_database_without_tables_is_unavailable(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path}/empty.db")
    for action in (SqlOutages(engine).answers(), SqlOutages(engine).opened(DISK, at(0), "")):
        with pytest.raises(StorageUnavailable):
            await action
    await engine.dispose()


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    st.lists(st.tuples(st.sampled_from([DISK, AGI]), st.booleans(), st.integers(1, 50)), max_size=12),
    st.integers(0, 12),
)
async def test_a_journal_told_twice_from_any_point_is_the_same_book(
    url: str, steps: list[tuple[Component, bool, int]], again_from: int
) -> None:
    """Facts come in order; a crash makes some of them come a second time, in order as well."""
    facts: list[tuple[Component, bool, datetime]] = []
    now = 0
    for component, opens, later in steps:
        now += later
        facts.append((component, opens, at(now)))

    async def tell(book: SqlOutages, told: list[tuple[Component, bool, datetime]]) -> list[Outage]:
        for component, opens, moment in told:
            await (book.opened(component, moment, "") if opens else book.closed(component, moment))
        return await everything(book)

    results = []
    for order in (facts, [*facts, *facts[again_from:]]):
        engine = patient_engine(url)
        async with engine.begin() as connection:
            await connection.exec_driver_sql("DELETE FROM outages")
        results.append(await tell(SqlOutages(engine), order))
        await engine.dispose()
    if all(_alternates(facts, component) for component in (DISK, AGI)):
        assert results[0] == results[1]
    for found in results:
        for component in (DISK, AGI):
            mine = [outage for outage in found if outage.component is component]
            assert sum(outage.ended_at is None for outage in mine) <= 1


def _alternates(facts: list[tuple[Component, bool, datetime]], component: Component) -> bool:
    """As a watch tells them: opened, closed, opened …"""
    kinds = [opens for other, opens, _ in facts if other is component]
    return all(opens == (index % 2 == 0) for index, opens in enumerate(kinds))
