"""A call that has just ended does not wait behind an hour-long backlog, on both databases (Q1)."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy.ext.asyncio import AsyncEngine

from calls.custody import Leg
from calls.ids import CallId
from service.settings import Settings
from service.transcribing import Transcriber
from service.worker import Hands
from storage.engine import open_engine
from storage.work import SqlWork
from storage.work_states import State
from tests.support_cases import ZERO, SetClock
from tests.support_prepared import dropped, prepared

OLDER, OLD, FRESH = (CallId(f"hotline-1.{number}") for number in range(3))


class Noted(Transcriber):
    """Notes what it would transcribe; the first leg takes until somebody says so."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings, SetClock(), "one")
        self.done: list[CallId] = []
        self.begun, self.enough = threading.Event(), threading.Event()

    async def _outcome(self, engine: AsyncEngine, call_id: CallId, leg: Leg) -> tuple[State, str | None]:
        if not self.begun.is_set():
            self.begun.set()
            await asyncio.to_thread(self.enough.wait)
        self.done.append(call_id)
        return State.DONE, None


@pytest_asyncio.fixture(params=["sqlite", "postgresql"])
async def settings(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Settings]:
    url = await prepared(request.param, tmp_path)
    yield Settings(var_dir=tmp_path, database_url=url)
    dropped(url)


async def test_a_call_that_has_just_ended_goes_before_a_backlog_that_is_in_hand(settings: Settings) -> None:
    engine = open_engine(settings.ledger_url)
    work, noted = SqlWork(engine), Noted(settings)
    hands = Hands(noted, threads=1)
    await work.owe(OLDER, ZERO - timedelta(hours=2))
    await work.owe(OLD, ZERO - timedelta(hours=1))
    busy = asyncio.create_task(asyncio.to_thread(hands.told_of, OLDER, Leg.AGENT))
    await asyncio.to_thread(noted.begun.wait)

    await work.owe(FRESH, ZERO)
    await asyncio.to_thread(hands.told_of, OLDER, Leg.CALLER)  # any hint will do
    assert noted.done == [FRESH] * 3, "both legs and the judgement, and nothing of the backlog"

    noted.enough.set()
    await busy
    assert noted.done[3:] == [OLD] * 3 + [OLDER] * 3, "then the backlog, the newest first"
    await engine.dispose()


async def test_who_is_told_to_stop_begins_nothing_more(settings: Settings) -> None:
    engine = open_engine(settings.ledger_url)
    work, noted = SqlWork(engine), Noted(settings)
    hands = Hands(noted, threads=1)
    for call_id in (OLDER, OLD):
        await work.owe(call_id, ZERO - timedelta(hours=1))
    busy = asyncio.create_task(asyncio.to_thread(hands.told_of, OLD, Leg.AGENT))
    await asyncio.to_thread(noted.begun.wait)
    hands.leave()
    noted.enough.set()
    await busy
    assert len(noted.done) == 1
    await engine.dispose()
