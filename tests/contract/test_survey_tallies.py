"""Surveys on the books and what they add up to, over SQLite and a real PostgreSQL (K3, K3p, K6, Q2)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import pytest_asyncio
from sqlalchemy.ext.asyncio import AsyncEngine

from calls.events import EndedBy
from calls.ids import AgentNumber, SectionId
from calls.lists import CallFilter, Rating
from calls.measures import Dimension, Slice
from calls.people import Scope
from calls.periods import Grain, Period
from calls.ports import Tally
from calls.workdays import Days, Workdays
from metrics.kpi.behind import behind
from metrics.kpi.catalogue import Catalogue
from metrics.kpi.catalogue import kpi as kpi_of
from metrics.kpi.figures import KpiFigures, Sources
from storage.books import SqlBooks
from storage.call_lists import SqlCallLists
from storage.engine import open_engine
from storage.ledger import SqlLedger
from storage.survey_tallies import Invitations, SqlSurveyTallies
from tests.support_books import SetClock
from tests.support_ledger import NOON
from tests.support_prepared import dropped, prepared
from tests.support_surveys import surveyed

SHANGHAI = ZoneInfo("Asia/Shanghai")
DAY = Period.containing(NOON, Grain.DAY, SHANGHAI)
MONTH = Period.containing(NOON, Grain.MONTH, SHANGHAI)
WORKDAYS = Workdays(frozenset({date(2026, 10, 1)}), frozenset())
LATER = datetime(2026, 12, 24, tzinfo=UTC)
BEST = dict.fromkeys(("attitude", "efficiency", "solving", "accuracy"), 100.0)
SATURDAY = NOON + timedelta(days=3)


@pytest_asyncio.fixture(params=["sqlite", "postgresql"])
async def engine(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    url = await prepared(request.param, tmp_path)
    made = open_engine(url)
    yield made
    await made.dispose()
    dropped(url)


@pytest_asyncio.fixture
async def ledger(engine: AsyncEngine) -> SqlLedger:
    """A day's calls: rated and not, of two agents, and tests that count nowhere."""
    ledger = SqlLedger(engine)
    calls = [
        surveyed("1.1", level=1, answers=BEST),
        surveyed("2.1", level=5, reason=True),
        surveyed("3.1", agent="1002", section="complaint", level=4, answers={**BEST, "attitude": 0.0}),
        surveyed("4.1", agent="1002", section="complaint"),
        surveyed("5.1", spared=True),
        surveyed("6.1", invited=False, by=EndedBy.CALLER),
        surveyed("7.1", invited=False, by=EndedBy.SYSTEM),
        surveyed("8.1", trunk="synthetic", level=5),
        surveyed("9.1", trunk="1001", level=5),
        surveyed("10.1", start=SATURDAY, level=2),
    ]
    await ledger.record([event for told in calls for event in told])
    return ledger


def tallies(engine: AsyncEngine, now: datetime = LATER, links: timedelta = timedelta()) -> SqlSurveyTallies:
    return SqlSurveyTallies(engine, SetClock(now), WORKDAYS, links)


async def counted(
    source: SqlSurveyTallies, period: Period = DAY, part: Slice | None = None
) -> tuple[float, float, float, float, float]:
    ((found,),) = [each.values() for each in await source.tallies([period], part or Slice())]
    asked = (Tally.INVITED, Tally.RATED, Tally.DISSATISFIED, Tally.SURVEYS, Tally.SURVEY_POINTS)
    one, two, three, four, five = (found.of(tally) for tally in asked)
    return one, two, three, four, five


async def test_a_days_surveys(engine: AsyncEngine, ledger: SqlLedger) -> None:
    assert await counted(tallies(engine)) == (4, 3, 2, 2, 170)
    assert await counted(tallies(engine), MONTH) == (5, 4, 2, 2, 170)
    assert await counted(tallies(engine), MONTH, Slice(days=Days.OFF)) == (1, 1, 0, 0, 0)
    assert await counted(tallies(engine), MONTH, Slice(days=Days.WORKING)) == (4, 3, 2, 2, 170)
    assert await counted(tallies(engine), DAY, Slice(section="complaint")) == (2, 1, 1, 1, 70)
    assert await counted(tallies(engine), DAY, Slice(agent="1001", language="zh-CN")) == (2, 2, 1, 1, 100)
    assert await counted(tallies(engine), DAY, Slice(section="ticketing")) == (0, 0, 0, 0, 0)


async def test_told_apart_by_agent(engine: AsyncEngine, ledger: SqlLedger) -> None:
    (found,) = await tallies(engine).tallies([DAY], by=Dimension.AGENT)
    assert {agent: each.of(Tally.RATED) for agent, each in found.items()} == {"1001": 2, "1002": 1}


async def test_told_again_and_late_it_is_the_same(engine: AsyncEngine, ledger: SqlLedger) -> None:
    assert await ledger.record(surveyed("2.1", level=5, reason=True)) == []
    late = surveyed("4.1", agent="1002", section="complaint", level=1)
    assert len(await ledger.record(late)) == 1
    assert await counted(tallies(engine)) == (4, 4, 2, 2, 170)


async def test_nobody_skips_an_invitation_unseen(engine: AsyncEngine, ledger: SqlLedger) -> None:
    found = await tallies(engine).invitations(*DAY.span)
    assert found == {
        "1001": Invitations(invited=2, spared=1, caller_left=1, missed=1, began=2, rated=2),
        "1002": Invitations(invited=2, began=1, rated=1),
    }
    assert [each.due for each in found.values()] == [3, 2]


async def test_settled_once_nothing_can_change(engine: AsyncEngine, ledger: SqlLedger) -> None:
    async def settled(source: SqlSurveyTallies) -> bool:
        ((found,),) = [each.values() for each in await source.tallies([DAY])]
        return bool(found.settled)

    assert await settled(tallies(engine))
    assert not await settled(tallies(engine, DAY.span[1] - timedelta(seconds=1)))
    assert not await settled(tallies(engine, DAY.span[1], timedelta(days=7)))
    await ledger.record(surveyed("11.1", invited=False, ended=None))
    assert not await settled(tallies(engine))


async def test_the_indicators_are_made_of_them(engine: AsyncEngine, ledger: SqlLedger) -> None:
    books = SqlBooks(engine, SHANGHAI, 15.0, WORKDAYS)
    sources = Sources(books=books, workdays=WORKDAYS, cases=tallies(engine))
    made = await KpiFigures(sources, SetClock(LATER), Catalogue(15.0)).figures(["K3", "K3p", "K6"], [DAY])
    assert [(each.numerator, each.denominator, each.provisional) for each in made] == [
        (1, 3, False),
        (3, 4, False),
        (170, 2, False),
    ]


@pytest.mark.parametrize(
    "part", [Slice(), Slice(section="complaint"), Slice(agent="1001"), Slice(trunk="city")], ids=str
)
async def test_k3_and_k6_open_to_just_the_calls_that_they_count(
    engine: AsyncEngine, ledger: SqlLedger, part: Slice
) -> None:
    books = SqlBooks(engine, SHANGHAI, 15.0, WORKDAYS)
    sources = Sources(books=books, workdays=WORKDAYS, cases=tallies(engine))
    looked_at = 0
    for kpi in map(kpi_of, ("K3", "K3p", "K6")):
        (figure,) = await KpiFigures(sources, SetClock(LATER), Catalogue(15.0)).figures([kpi.id], [MONTH], part)
        sides = behind(kpi)
        surveys = figure.denominator if kpi.id == "K6" else figure.numerator
        for number, counted in ((surveys, sides.numerator), (figure.denominator, sides.denominator)):
            assert counted is not None, kpi.id
            wanted = CallFilter(
                since=MONTH.span[0],
                until=MONTH.span[1],
                section=SectionId(part.section) if part.section else None,
                agent=AgentNumber(part.agent) if part.agent else None,
                trunk=part.trunk,
                counted=counted,
            )
            assert await SqlCallLists(engine).count(wanted, Scope(everything=True)) == number, (kpi.id, counted)
            looked_at += bool(number)
    assert looked_at >= 5


async def test_calls_are_found_by_what_their_callers_said(engine: AsyncEngine, ledger: SqlLedger) -> None:
    async def listed(rating: Rating) -> list[tuple[str, Rating]]:
        found = await SqlCallLists(engine).page(CallFilter(rating=rating, trunk="city"), Scope(everything=True))
        return sorted((line.call_id, line.rating) for line in found.lines)

    assert await listed(Rating.SATISFIED) == [("1.1", Rating.SATISFIED), ("10.1", Rating.SATISFIED)]
    assert await listed(Rating.DISSATISFIED) == [("2.1", Rating.DISSATISFIED), ("3.1", Rating.DISSATISFIED)]
    assert await listed(Rating.NONE) == [(call, Rating.NONE) for call in ("4.1", "5.1", "6.1", "7.1")]
