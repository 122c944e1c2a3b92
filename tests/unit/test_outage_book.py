"""``sansheng outage``: what it shows and what it refuses (K5)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from calls.errors import SettingsError
from calls.outages import Component
from service.outage_book import announced, cancelled, listed, outage_book
from service.settings import Reliability, Settings, Transcription
from storage.outages import SqlOutages

NOON = datetime(2026, 11, 24, 4, tzinfo=UTC)
"""In Shanghai."""


class Noon:
    def now(self) -> datetime:
        return NOON


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(var_dir=tmp_path)


@pytest.fixture
async def book(settings: Settings) -> AsyncIterator[SqlOutages]:
    async with outage_book(settings) as opened:
        yield opened


async def test_nothing_is_known_before_somebody_looked(settings: Settings, book: SqlOutages) -> None:
    assert await listed(settings, book, Noon(), 31) == ["no outage"]
    never = settings.model_copy(
        update={"reliability": Reliability(synthetic_every_s=0), "transcription": Transcription(enabled=False)}
    )
    assert (await listed(never, book, Noon(), 31))[-1] == "not in service: transcription, trunk"


async def test_outages_maintenance_and_what_they_come_to(settings: Settings, book: SqlOutages) -> None:
    await book.watched(NOON - timedelta(hours=1))
    await book.opened(Component.DISK, NOON - timedelta(minutes=6), "full")
    await book.opened(Component.DATABASE, NOON - timedelta(minutes=6), "full")
    await book.closed(Component.DATABASE, NOON - timedelta(minutes=3))
    await announced(settings, book, Noon(), "2026-11-25T02:00", "2026-11-25T04:00", "new disks", ["disk"])
    assert await listed(settings, book, Noon(), 31) == [
        "database       2026-11-24 11:54:00 – 2026-11-24 11:57:00  full",
        "disk           2026-11-24 11:54:00 – …                    full",
        "maintenance 1  2026-11-25 02:00:00 – 2026-11-25 04:00:00  disk: new disks",
        "since 2026-11-24 11:00:00: 3600 s scheduled, out 360 s (union), 540 s (sum), planned 0 s; "
        "K5 90.0000%, K5sum 85.0000%",
    ]


async def test_maintenance_for_everything_in_another_zone(settings: Settings, book: SqlOutages) -> None:
    (line,) = await announced(settings, book, Noon(), "2026-11-24T20:00+00:00", "2026-11-25T05:00", "power", [])
    assert line == "maintenance 1  2026-11-25 04:00:00 – 2026-11-25 05:00:00  everything: power"
    assert await cancelled(book, Noon(), 1) == ["maintenance 1: taken back"]
    with pytest.raises(SettingsError, match="maintenance 1"):
        await cancelled(book, Noon(), 1)


@pytest.mark.parametrize(
    ("start", "end", "components", "said"),
    [
        ("2026-11-24T11:59", "2026-11-24T13:00", [], "beforehand"),
        ("2026-11-25T03:00", "2026-11-25T02:00", [], "end after"),
        ("tomorrow", "2026-11-25T02:00", [], "no time"),
        ("2026-11-25T01:00", "2026-11-25T02:00", ["disc"], "unknown: disc"),
    ],
)
async def test_what_makes_no_sense_is_refused(
    settings: Settings, book: SqlOutages, start: str, end: str, components: list[str], said: str
) -> None:
    with pytest.raises(SettingsError, match=said):
        await announced(settings, book, Noon(), start, end, "why", components)
