"""What the books know of a number, on both databases."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy.ext.asyncio import AsyncEngine

from calls.call import Result
from calls.events import CallArrived
from storage.callers import SqlCallers
from storage.engine import open_engine
from storage.ledger import SqlLedger
from tests.support_ledger import CALLER, NOON, Ring, story
from tests.support_prepared import dropped, prepared


@pytest_asyncio.fixture(params=["sqlite", "postgresql"])
async def engine(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    address = await prepared(request.param, tmp_path)
    engine = open_engine(address)
    yield engine
    await engine.dispose()
    dropped(address)


async def test_earlier_calls_of_a_number_the_newest_first_and_nobody_elses(engine: AsyncEngine) -> None:
    hour = timedelta(hours=1)
    stranger = [
        replace(event, caller="02088888888") if isinstance(event, CallArrived) else event
        for event in story("9.9", asked=5, ended=30)
    ]
    answered = [Ring("1001", 6, 8, 8.5, ended=60)]
    await SqlLedger(engine).record(
        [
            *story("1.1", asked=5, rings=answered, ended=60),
            *story("2.1", start=NOON + hour, asked=5, ended=30),
            *story("3.1", start=NOON + 2 * hour, ended=9),
            *story("4.1", start=NOON + 3 * hour, asked=5),
            *stranger,
        ]
    )
    callers = SqlCallers(engine)
    earlier = await callers.earlier(CALLER, NOON + 3 * hour, limit=8)
    assert [(each.call_id, each.result, each.section, each.agent) for each in earlier] == [
        ("3.1", Result.SELF_SERVED, None, None),
        ("2.1", Result.ABANDONED, "inquiries", None),
        ("1.1", Result.ANSWERED, "inquiries", "1001"),
    ]
    assert [each.call_id for each in await callers.earlier(CALLER, NOON + 3 * hour, limit=1)] == ["3.1"]
