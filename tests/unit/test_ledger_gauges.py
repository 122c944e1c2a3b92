"""The ledger's figures as gauges: the same that the reports have, refreshed in the background (I2, K1, K2)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import pytest_asyncio
from sqlalchemy.ext.asyncio import AsyncEngine

from calls.ids import SectionId
from calls.measures import Dimension
from calls.workdays import Workdays
from metrics.catalogue import GAUGED_PERIODS, LEDGER_KPIS
from metrics.exporter import Exporter
from metrics.kpi.catalogue import KPIS, Catalogue, kpi
from metrics.kpi.figures import KpiFigures, Sources
from metrics.ledger_gauges import LedgerGauges, gauged_periods
from storage.books import SqlBooks
from storage.engine import open_engine
from storage.ledger import SqlLedger
from tests.support_books import SetClock
from tests.support_ledger import NOON, Ring, story
from tests.support_prepared import prepared

SHANGHAI = ZoneInfo("Asia/Shanghai")
LIMIT_S = 15.0
SECTION = SectionId("inquiries")
ANSWERED = Ring("1001", rang=6, answered=8, connected=8.5, ended=30)


@pytest_asyncio.fixture
async def engine(tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    made = open_engine(await prepared("sqlite", tmp_path))
    yield made
    await made.dispose()


class Scene:
    def __init__(self, engine: AsyncEngine, now: datetime = NOON) -> None:
        self.clock = SetClock(now)
        self.ledger = SqlLedger(engine)
        self.exporter = Exporter(sections=[SECTION, SectionId("quiet")], limit_s=LIMIT_S, build={})
        books = SqlBooks(engine, SHANGHAI, LIMIT_S, Workdays(frozenset(), frozenset()))
        self.figures = KpiFigures(Sources(books), self.clock, Catalogue(LIMIT_S))
        self.gauges = LedgerGauges(self.figures, self.exporter, self.clock, SHANGHAI)

    def shown(self, name: str, period: str, section: str = "all") -> tuple[float | None, float | None]:
        labels = {"kpi": name, "section": section, "period": period}
        value = self.exporter._registry.get_sample_value
        return value("hotline_kpi_numerator", labels), value("hotline_kpi_denominator", labels)

    def as_of(self, period: str) -> float | None:
        return self.exporter._registry.get_sample_value("hotline_kpi_as_of_seconds", {"period": period})


async def test_every_gauge_is_the_reports_figure(engine: AsyncEngine) -> None:
    scene = Scene(engine)
    for day in (0, 1, 30, 200):
        for number in range(day // 30 + 1):
            start = NOON - timedelta(days=day)
            rings = [ANSWERED] if number % 2 == 0 else []
            await scene.ledger.record(story(f"{day}.{number}", start=start, asked=5, rings=rings, ended=40))
    await scene.gauges.refresh()
    for name, period in gauged_periods(NOON, SHANGHAI).items():
        for found in await scene.figures.figures(LEDGER_KPIS, [period]):
            assert scene.shown(found.kpi, name) == (found.numerator, found.denominator), (found.kpi, name)
        assert scene.as_of(name) == NOON.timestamp()
    assert scene.shown("K1", "today") == (1, 1)
    assert scene.shown("K1", "yesterday") == (1, 1)
    assert scene.shown("K1", "month") == (2, 2)
    assert scene.shown("K1", "year") == (1 + 1 + 1 + 4, 1 + 1 + 2 + 7)
    assert scene.shown("K1", "year", "inquiries") == (7, 11)
    assert scene.shown("K1", "year", "quiet") == (0, 0)


async def test_at_midnight_of_the_operators_zone_today_begins_anew(engine: AsyncEngine) -> None:
    scene = Scene(engine, datetime(2026, 11, 18, 15, 59, tzinfo=UTC))
    await scene.ledger.record(story("1.1", start=scene.clock.moment, asked=5, rings=[ANSWERED], ended=30))
    await scene.gauges.refresh()
    assert scene.shown("K1", "today", "inquiries") == (1, 1)
    scene.clock.moment += timedelta(minutes=1)
    await scene.gauges.refresh()
    assert scene.shown("K1", "today", "inquiries") == (0, 0)
    assert scene.shown("K1", "today") == (0, 0)
    assert scene.shown("K1", "yesterday", "inquiries") == (1, 1)


async def test_a_section_that_the_centre_no_longer_has_is_left_to_the_books(engine: AsyncEngine) -> None:
    scene = Scene(engine)
    scene.exporter = Exporter(sections=[SectionId("quiet")], limit_s=LIMIT_S, build={})
    scene.gauges = LedgerGauges(scene.figures, scene.exporter, scene.clock, SHANGHAI)
    await scene.ledger.record(story("1.1", asked=5, rings=[ANSWERED], ended=30))
    await scene.gauges.refresh()
    assert scene.shown("K1", "today") == (1, 1)
    assert scene.shown("K1", "today", "inquiries") == (None, None)


async def test_without_the_database_the_last_figures_stay_with_their_time(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    from calls.errors import StorageUnavailable

    scene = Scene(engine)
    await scene.ledger.record(story("1.1", asked=5, rings=[ANSWERED], ended=30))
    await scene.gauges.refresh()

    async def away(*_: object, **__: object) -> None:
        raise StorageUnavailable("away")

    monkeypatch.setattr(scene.figures, "figures", away)
    scene.clock.moment += timedelta(minutes=10)
    await scene.gauges.refresh()
    assert scene.shown("K1", "today") == (1, 1)
    assert scene.as_of("today") == NOON.timestamp()


async def test_a_scrape_asks_the_ledger_nothing(engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene(engine)
    await scene.gauges.refresh()

    def asked(*_: object, **__: object) -> None:
        raise AssertionError("the database was asked")

    monkeypatch.setattr(type(engine), "connect", asked)
    monkeypatch.setattr(type(engine), "begin", asked)
    assert b"hotline_kpi_numerator" in await scene.exporter.render()


def test_what_has_gauges_is_in_the_catalogue_of_indicators() -> None:
    assert set(LEDGER_KPIS) <= {each.id for each in KPIS}
    assert {"K1", "K2", "K2r", "K5"} <= set(LEDGER_KPIS)
    assert Dimension.SECTION in kpi("K1").dimensions
    assert list(gauged_periods(NOON, SHANGHAI)) == list(GAUGED_PERIODS)
