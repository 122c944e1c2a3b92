"""Who let it ring: exactly what K2r's two sides differ by, within reach, on both databases (A1, K2r)."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import pytest_asyncio
from sqlalchemy.ext.asyncio import AsyncEngine

from calls.ids import SYNTHETIC_TRUNK, AgentNumber, SectionId
from calls.measures import Dimension, Slice
from calls.people import Scope
from calls.periods import Grain, Period
from service.books import kpi_figures_of
from service.settings import Settings
from storage.engine import open_engine
from storage.ledger import SqlLedger
from storage.presence import SqlPresence
from storage.rings import Ringing, SqlRings
from storage.unrecorded import SqlUnrecorded
from tests.support_console import SetTime
from tests.support_ledger import Ring, story
from tests.support_operations import MORNING, NOW, ring_some, something_in_the_books
from tests.support_prepared import dropped, prepared

ALL = Scope(everything=True)
INQUIRY = Scope(sections=frozenset({SectionId("inquiry")}))
DAY = (MORNING - timedelta(hours=9), MORNING + timedelta(hours=15))


@pytest_asyncio.fixture(params=["sqlite", "postgresql"])
async def engine(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    address = await prepared(request.param, tmp_path)
    engine = open_engine(address)
    yield engine
    await engine.dispose()
    dropped(address)


async def test_each_fate_is_told_apart(engine: AsyncEngine) -> None:
    await ring_some(engine, agents=["1001"])
    found = await SqlRings(engine).left_ringing(ALL, *DAY, 15.0)
    assert Counter(each.how for each in found) == {Ringing.RANG_OUT: 3, Ringing.LATE: 1, Ringing.CUT_SHORT: 1}
    assert [each.arrived_at for each in found] == sorted((each.arrived_at for each in found), reverse=True)
    by_how = {each.how: each.rang_s for each in found}
    assert by_how == {Ringing.RANG_OUT: 15.0, Ringing.LATE: 18.5, Ringing.CUT_SHORT: 4.0}


async def test_the_lines_are_what_the_sides_of_k2r_differ_by(engine: AsyncEngine, tmp_path: Path) -> None:
    await ring_some(engine)
    await ring_some_tests(engine)
    settings = Settings(var_dir=tmp_path)
    figures = kpi_figures_of(settings, engine, SetTime(NOW))
    day = Period.containing(NOW, Grain.DAY, settings.zone)
    of_section = await figures.figures(["K2r"], [day], Slice(section="inquiry"), Dimension.AGENT)
    left = Counter(each.agent for each in await SqlRings(engine).left_ringing(INQUIRY, *DAY, 15.0))
    assert {figure.slice.agent: figure.denominator - figure.numerator for figure in of_section} == left
    assert left == {"1001": 5, "1002": 5}


async def test_the_counts_are_those_of_the_lines_by_the_operators_hours(engine: AsyncEngine) -> None:
    await ring_some(engine)
    rings, zone = SqlRings(engine), ZoneInfo("Asia/Shanghai")
    lines = await rings.left_ringing(ALL, *DAY, 15.0)
    by_hand = Counter((each.agent, each.arrived_at.astimezone(zone).hour, each.how) for each in lines)
    tallies = await rings.tally(ALL, *DAY, 15.0, zone)
    assert {(each.agent, each.hour, each.how): each.number for each in tallies} == by_hand
    assert await rings.tally(Scope(), *DAY, 15.0, zone) == []
    for (agent, hour, how), number in by_hand.items():
        found = await rings.left_ringing(ALL, *DAY, 15.0, agent=agent, how=how, hour=hour, zone=zone)
        assert len(found) == number


async def test_an_hour_is_the_clocks_also_when_it_is_set(engine: AsyncEngine) -> None:
    """Central Europe sets its clocks back on 25 October 2026, at 01:00 UTC; Kathmandu is 5:45 ahead."""
    night = datetime(2026, 10, 25, tzinfo=UTC)
    for n, minutes in enumerate((30, 90, 150)):
        start = night + timedelta(minutes=minutes)
        await SqlLedger(engine).record(
            story(f"190.{n}", start=start, asked=0, rings=[Ring("1001", 1, ended=16)], ended=17, section="inquiry")
        )
    span = (night - timedelta(hours=2), night + timedelta(hours=23))
    rings = SqlRings(engine)
    berlin = await rings.tally(ALL, *span, 15.0, ZoneInfo("Europe/Berlin"))
    assert sorted((each.hour, each.number) for each in berlin) == [(2, 1), (2, 1), (3, 1)]
    kathmandu = await rings.tally(ALL, *span, 15.0, ZoneInfo("Asia/Kathmandu"))
    assert sorted((each.hour, each.number) for each in kathmandu) == [(6, 1), (7, 1), (8, 1)]


async def ring_some_tests(engine: AsyncEngine) -> None:
    """The synthetic caller's calls count nowhere."""
    rings = [Ring("1001", 1, ended=16)]
    await SqlLedger(engine).record(
        story("180.1", start=MORNING, asked=0, rings=rings, ended=17, section="inquiry", trunk=SYNTHETIC_TRUNK)
    )


async def test_nobody_sees_other_sections_calls(engine: AsyncEngine) -> None:
    await ring_some(engine, section="complaint", agents=["2001"])
    rings = SqlRings(engine)
    assert await rings.left_ringing(INQUIRY, *DAY, 15.0) == []
    assert await rings.left_ringing(Scope(), *DAY, 15.0) == []
    own = Scope(agent=AgentNumber("2001"))
    assert len(await rings.left_ringing(own, *DAY, 15.0)) == 5
    assert await rings.left_ringing(ALL, *DAY, 15.0, agent=AgentNumber("1001")) == []
    assert len(await rings.left_ringing(ALL, *DAY, 15.0, most=2)) == 2


async def test_an_agents_steps_of_a_day(engine: AsyncEngine) -> None:
    await something_in_the_books(engine)
    steps = await SqlPresence(engine).steps(AgentNumber("1001"), *DAY)
    assert [step.step.value for step in steps] == ["joined", "paused", "unpaused"]
    assert await SqlPresence(engine).steps(AgentNumber("1002"), *DAY) == []


async def test_calls_that_nobody_recorded(engine: AsyncEngine) -> None:
    await ring_some(engine, agents=["1001"])
    rings = [Ring("1001", 1, answered=3, connected=3.5, ended=30)]
    await SqlLedger(engine).record(
        story("181.1", start=MORNING, asked=0, rings=rings, ended=31, recorded=True, section="inquiry")
    )
    number, found = await SqlUnrecorded(engine).between(*DAY, limit=3)
    assert (number, len(found)) == (4, 3)
    assert "181.1" not in {each.call_id for each in found}
    assert found[0].arrived_at >= found[-1].arrived_at
