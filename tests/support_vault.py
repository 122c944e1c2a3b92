"""A vault with recordings of calls of several ages, on one of the databases."""

from __future__ import annotations

import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import select, update

from calls.custody import Leg
from calls.events import PersonAsked
from calls.ids import CallId, SectionId
from service.custody import Custody, custody_of
from service.retention import RetentionKeeper, keeper_of
from service.settings import Settings
from storage.access import SqlHolds
from storage.custody_tables import recordings
from storage.engine import open_engine, upgrade
from storage.ledger import SqlLedger
from storage.retention import SqlRetention
from tests.support_books import SetClock
from tests.support_ledger import story
from tests.support_prepared import prepared

_HAS_KEY = recordings.c.wrapped_key.is_not(None)
NOW = datetime(2026, 11, 23, 4, tzinfo=UTC)


class Scene:
    """A vault, its retention and its holds, at a time that can be set."""

    def __init__(self, settings: Settings, clock: SetClock) -> None:
        self.settings, self.clock = settings, clock
        self.engine = open_engine(settings.ledger_url)
        self.custody: Custody = custody_of(settings, self.engine, clock)
        self.keeper: RetentionKeeper = keeper_of(settings, self.engine, self.custody, clock)
        self.retention = SqlRetention(self.engine)
        self.holds = SqlHolds(self.engine)

    async def recorded(
        self, call: str, age_days: float, section: str | None = None, *, promised: bool = False, known: bool = True
    ) -> CallId:
        """One call on the books with its recording in the vault."""
        at = self.clock.now() - timedelta(days=age_days)
        if known:
            told = story(call, start=at, asked=1 if section else None, promised=5 if promised else None, ended=9)
            told = [
                replace(each, section=SectionId(section or "")) if isinstance(each, PersonAsked) else each
                for each in told
            ]
            await SqlLedger(self.engine).record(told)
        folder = self.settings.recordings_dir / "intake" / call
        folder.mkdir(parents=True)
        for leg in Leg:
            with wave.open(str(folder / f"{leg}.wav"), "wb") as file:
                file.setparams((1, 2, 16000, 0, "NONE", ""))
                file.writeframes(call.encode() * 40)
        await self.custody.ingest(folder)
        async with self.engine.begin() as connection:
            await connection.execute(update(recordings).where(recordings.c.call_id == call).values(recorded_at=at))
        return CallId(call)

    async def alive(self) -> set[str]:
        """The calls that can still be heard."""
        async with self.engine.connect() as connection:
            rows = await connection.execute(select(recordings.c.call_id).where(_HAS_KEY))
            return {row.call_id for row in rows}

    def objects(self) -> set[str]:
        """The calls whose objects lie in the store."""
        return {place.split("/")[-2] for place in self.custody.store.places()}


@asynccontextmanager
async def scene(url: str, tmp_path: Path, settings: Settings | None = None) -> AsyncIterator[Scene]:
    """A hotline's vault, empty unless ``settings`` name one that is there."""
    fresh = settings is None and not url
    settings = settings or Settings(var_dir=tmp_path / "var", database_url=url)
    settings.var_dir.mkdir(exist_ok=True)
    if fresh:
        await prepared("sqlite", settings.var_dir)
    else:
        await upgrade(settings.ledger_url)
    made = Scene(settings, SetClock(NOW))
    try:
        yield made
    finally:
        await made.engine.dispose()
