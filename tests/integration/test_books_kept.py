"""The service's task that keeps roll-ups fresh, and the working-day calendar it is given (K1 to K4, K7)."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from calls.measures import Dimension, Slice
from calls.periods import Period
from calls.workdays import Days
from service.books import RollUpKeeper, kpi_figures_of, workdays_of_china
from service.settings import Settings
from storage.engine import open_engine, upgrade
from storage.ledger import SqlLedger
from storage.rollups import RollUps
from tests.support_books import SetClock
from tests.support_ledger import Ring, story

NOW = datetime(2026, 11, 3, 4, tzinfo=UTC)


def settings_in(folder: Path) -> Settings:
    return Settings(database_url=f"sqlite:///{folder}/ledger.db")


async def test_what_is_over_gets_its_roll_ups_and_figures_stay_what_they_were(tmp_path: Path) -> None:
    settings, clock = settings_in(tmp_path), SetClock(NOW)
    await upgrade(settings.ledger_url)
    engine = open_engine(settings.ledger_url)
    ring = Ring("1001", rang=2, answered=10, connected=11, ended=60)
    for day in (1, 3, 20):
        told = story(f"{day}.1", start=NOW - timedelta(days=day), asked=1, rings=[ring], ended=60)
        await SqlLedger(engine).record(told)
    figures, period = kpi_figures_of(settings, engine, clock), [Period.parse("2026", settings.zone)]
    before = await figures.figures(["K1", "K2", "ASA"], period, by=Dimension.SECTION)
    await RollUpKeeper(settings, engine, clock).refresh()
    assert await RollUps(engine, settings.zone, settings.rings.limit_s, clock).stale() == []
    assert await figures.figures(["K1", "K2", "ASA"], period, by=Dimension.SECTION) == before
    assert [figure.numerator for figure in before] == [3, 3, 30]
    await engine.dispose()


async def test_working_days_and_days_off_add_up_to_all(tmp_path: Path) -> None:
    settings, clock = settings_in(tmp_path), SetClock(NOW)
    await upgrade(settings.ledger_url)
    engine = open_engine(settings.ledger_url)
    # In 2026: National Day; a Saturday worked for it; an ordinary Monday.
    for number, day in enumerate((date(2026, 10, 1), date(2026, 10, 10), date(2026, 10, 12))):
        noon = datetime(day.year, day.month, day.day, 4, tzinfo=UTC)
        await SqlLedger(engine).record(story(f"{number}.1", start=noon, asked=1, ended=9))
    await RollUpKeeper(settings, engine, clock).refresh()
    figures, period = kpi_figures_of(settings, engine, clock), [Period.parse("2026-10", settings.zone)]
    found = {
        days: (await figures.figures(["N_ASKED"], period, Slice(days=days)))[0].numerator for days in (None, *Days)
    }
    assert found == {None: 3, Days.WORKING: 2, Days.OFF: 1, Days.UNKNOWN: 0}
    await engine.dispose()


def test_a_year_whose_holidays_are_not_published_is_unknown() -> None:
    calendar = workdays_of_china()
    assert calendar.kind(date(2026, 10, 1)) is Days.OFF
    assert calendar.kind(date(2026, 10, 10)) is Days.WORKING
    assert calendar.kind(date(2099, 10, 1)) is Days.UNKNOWN


async def test_a_database_that_is_not_there_yet_is_waited_for(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = settings_in(tmp_path / "not-there")
    engine = open_engine(settings.ledger_url)
    keeper = asyncio.create_task(RollUpKeeper(settings, engine, SetClock(NOW)).run())
    async with asyncio.timeout(180):
        while not any(record.message == "rollups.unavailable" for record in caplog.records):
            assert not keeper.done()
            await asyncio.sleep(0.01)
    keeper.cancel()
    with pytest.raises(asyncio.CancelledError):
        await keeper
    await engine.dispose()
