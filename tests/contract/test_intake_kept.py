"""The public form's counters and receipts, over SQLite and a real PostgreSQL (C1)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from calls.cases import CaseNumber, Login, State
from calls.inquiries import OrderAccepted, OrderState
from storage.cases import SqlCases
from storage.intake import SqlIntakeCounts, SqlReceipts
from storage.intake_tables import intake_counts
from storage.work_orders import SqlOrders
from tests.support_cases import CLOCKS, SHANGHAI, ZERO, dispatched, registered
from tests.support_prepared import dropped, patient_engine, prepared

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest_asyncio.fixture(params=["sqlite", "postgresql"])
async def engine(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    url = await prepared(request.param, tmp_path)
    found = patient_engine(url)
    yield found
    await found.dispose()
    dropped(url)


async def test_many_at_once_are_all_counted(engine: AsyncEngine) -> None:
    counts = SqlIntakeCounts(engine)
    told = await asyncio.gather(*(counts.tick("form", "10.0.0.1", ZERO, HOUR) for _ in range(12)))
    assert sorted(told) == list(range(1, 13))
    assert await counts.count("form", "10.0.0.1", ZERO, HOUR) == 12
    assert await counts.count("form", "10.0.0.2", ZERO, HOUR) == 0
    assert await counts.count("status", "10.0.0.1", ZERO, HOUR) == 0
    assert await counts.count("form", "10.0.0.1", ZERO, DAY) == 0, "each window is counted for itself"


async def test_a_window_ends_and_what_is_over_is_forgotten(engine: AsyncEngine) -> None:
    counts = SqlIntakeCounts(engine)
    assert await counts.tick("form", "a", ZERO, HOUR) == 1
    assert await counts.tick("form", "a", ZERO + HOUR, HOUR) == 1
    async with engine.connect() as connection:
        assert await connection.scalar(select(func.count()).select_from(intake_counts)) == 1


async def test_what_is_taken_back_was_never_counted_and_never_less_than_none(engine: AsyncEngine) -> None:
    counts = SqlIntakeCounts(engine)
    await counts.take_back("wrong", "a", ZERO, DAY)
    await counts.tick("wrong", "a", ZERO, DAY)
    await asyncio.gather(*(counts.take_back("wrong", "a", ZERO, DAY) for _ in range(3)))
    assert await counts.count("wrong", "a", ZERO, DAY) == 0
    assert await counts.tick("wrong", "a", ZERO, DAY) == 1


async def test_nobody_who_reads_the_table_learns_who_asked(engine: AsyncEngine) -> None:
    await SqlIntakeCounts(engine).tick("status", "TS2026-00001", ZERO, HOUR)
    async with engine.connect() as connection:
        key = await connection.scalar(select(intake_counts.c.key))
    assert key and len(key) == 64 and "TS2026" not in key


async def test_a_receipt_of_a_complaint_and_of_a_question(engine: AsyncEngine) -> None:
    case = await SqlCases(engine, SHANGHAI, CLOCKS).register(registered(contact="+86 138-0013-8000"), "web k")
    orders, receipts = SqlOrders(engine, SHANGHAI), SqlReceipts(engine)
    order = await orders.dispatch(dispatched(), "web o")
    accepted = ZERO + timedelta(minutes=5)
    await orders.append_order(order.number, 1, OrderAccepted(at=accepted, by=Login("zhao")))
    assert await receipts.of_key("web k") == case.number and await receipts.of_key("web o") == order.number
    assert await receipts.of_key("web x") is None
    found = await receipts.find(case.number)
    assert found and (found.state, found.contact_key) == (State.REGISTERED, "13800138000")
    assert found.received_at == case.arrived_at
    found = await receipts.find(order.number)
    assert found and (found.state, found.last_at) == (OrderState.ACCEPTED, accepted)
    for number in ("TS2026-99999", "GD2026-99999", "nonsense"):
        assert await receipts.find(CaseNumber(number)) is None
