"""Lists of calls: what is in them, in which order, for whom; on SQLite and a real PostgreSQL (P1)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import pytest_asyncio
from sqlalchemy.ext.asyncio import AsyncEngine

from calls.call import Call, Result
from calls.events import AnyEvent, CallArrived, EndedBy, PersonAsked
from calls.explanations import Explanation
from calls.ids import AgentNumber, CallId, Language, LegId, SectionId
from calls.lists import CallFilter, CallLine, Counted, Place
from calls.measures import Slice
from calls.people import Scope
from calls.periods import Grain, Period
from calls.verdicts import Outcome, RuleSetId, Severity, Verdict
from metrics.kpi.behind import behind
from metrics.kpi.catalogue import KPIS, Catalogue
from metrics.kpi.figures import KpiFigures, Sources, why_undefined
from service.books import workdays_of_china
from storage.books import SqlBooks
from storage.call_lists import SqlCallLists
from storage.engine import open_engine
from storage.ledger import SqlLedger
from storage.verdicts import SqlVerdicts
from tests.support_books import SetClock
from tests.support_ledger import NOON, Ring, story
from tests.support_prepared import dropped, prepared

ALL = Scope(everything=True)
ZONE = ZoneInfo("Asia/Shanghai")
LIMIT_S = 15.0


def told(
    number: int, section: str = "inquiry", caller: str | None = "13900001234", **what: object
) -> list[AnyEvent]:
    """One call of a story, an hour after the one before it."""
    events = story(f"1.{number}", start=NOON + timedelta(hours=number), **what)  # type: ignore[arg-type]
    changed: list[AnyEvent] = []
    for event in events:
        if isinstance(event, PersonAsked):
            event = replace(event, section=SectionId(section), language=Language("en" if number % 2 else "zh-CN"))
        elif isinstance(event, CallArrived):
            event = replace(event, caller=caller)
        changed.append(event)
    return changed


def answered(agent: str, after_s: float = 10.0) -> Ring:
    return Ring(agent, 2, after_s, after_s, 100, 16)


CALLS: list[list[AnyEvent]] = [
    told(0, asked=1, rings=[answered("8001")], ended=100, recorded=True),
    told(1, asked=1, rings=[Ring("8002", 2, ended=14), answered("8001", 30)], ended=100, recorded=True),
    told(2, "complaint", asked=1, rings=[answered("8002")], ended=400, recorded=False),
    told(3, asked=1, ended=4),
    told(4, "complaint", "13900009999", asked=1, rings=[Ring("8002", 2, ended=14)], ended=60),
    told(5, asked=1, promised=50, ended=60),
    told(6, asked=1, ended=30, by=EndedBy.SYSTEM),
    told(7, ended=20),
    told(8, asked=1, rings=[answered("8001")]),
    told(9, caller=None, asked=1),
    told(10, asked=1, rings=[answered("8001")], ended=100, trunk="synthetic"),
    told(33, "ticketing", asked=1, rings=[answered("8003", 12)], ended=200, recorded=True),
]
NUMBERS = [11 if call is CALLS[-1] else number for number, call in enumerate(CALLS)]


@pytest_asyncio.fixture(params=["sqlite", "postgresql"])
async def engine(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    url = await prepared(request.param, tmp_path)
    made = open_engine(url)
    for events in CALLS:
        await SqlLedger(made).record(events)
    yield made
    await made.dispose()
    dropped(url)


async def lines(
    engine: AsyncEngine, wanted: CallFilter, scope: Scope = ALL, *, limit: int = 50, look_at: int = 5000
) -> list[CallLine]:
    """Every line, page by page."""
    lists, found, place = SqlCallLists(engine, look_at), list[CallLine](), None
    for _ in range(200):
        page = await lists.page(wanted, scope, behind=place, limit=limit)
        found += page.lines
        place = page.behind
        if place is None:
            return found
        assert Place.parse(str(place)) == place
    raise AssertionError("the pages have no end")


async def ids(engine: AsyncEngine, scope: Scope = ALL, **wanted: object) -> list[int]:
    """The numbers of the calls in a list, and again with the smallest pages that look at the fewest calls."""
    asked = CallFilter(**wanted)  # type: ignore[arg-type]
    found = await lines(engine, asked, scope)
    assert [line.place for line in await lines(engine, asked, scope, limit=1, look_at=2)] == [
        line.place for line in found
    ]
    assert await SqlCallLists(engine).count(asked, scope) == len(found)
    return [int(line.call_id.partition(".")[2]) for line in found]


async def test_every_call_is_listed_once_the_newest_first(engine: AsyncEngine) -> None:
    assert await ids(engine) == [33, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0]


@pytest.mark.parametrize(
    "wanted, expected",
    [
        ({"section": SectionId("complaint")}, [4, 2]),
        ({"agent": AgentNumber("8001")}, [10, 8, 1, 0]),
        ({"agent": AgentNumber("8001"), "section": SectionId("complaint")}, []),
        ({"language": Language("en")}, [33, 9, 5, 3, 1]),
        ({"trunk": "synthetic"}, [10]),
        ({"result": Result.ANSWERED}, [33, 10, 8, 2, 1, 0]),
        ({"result": Result.ABANDONED}, [4, 3]),
        ({"result": Result.LOST, "section": SectionId("inquiry")}, [6]),
        ({"talk_least_s": 300.0}, [2]),
        ({"talk_most_s": 100.0, "recorded": True}, [1, 0]),
        ({"waited_least_s": 29.0}, [6, 5, 4, 1]),
        ({"recorded": True}, [33, 1, 0]),
        ({"recorded": False, "result": Result.ANSWERED}, [10, 8, 2]),
        ({"since": NOON + timedelta(hours=1), "until": NOON + timedelta(hours=3)}, [2, 1]),
        ({"repeated": True}, [33, 10, 8, 7, 6, 5, 3, 2, 1]),
        ({"same_caller_as": CallId("1.4")}, [4]),
        ({"same_caller_as": CallId("1.9")}, []),
        ({"same_caller_as": CallId("1.404")}, []),
        ({"counted": Counted("missing_recordings")}, [2]),
        ({"counted": Counted("abandoned", without="abandoned_short")}, [4]),
        ({"counted": Counted("offers")}, [33, 8, 4, 2, 1, 1, 0]),
        ({"counted": Counted("offers_kept", 15.0), "agent": AgentNumber("8002")}, [2]),
        ({"counted": Counted("nonsense")}, []),
    ],
)
async def test_a_list_has_what_its_filter_says(
    engine: AsyncEngine, wanted: dict[str, object], expected: list[int]
) -> None:
    assert await ids(engine, **wanted) == expected


@pytest.mark.parametrize(
    "scope, expected",
    [
        (Scope(sections=frozenset({SectionId("complaint")})), [4, 2]),
        (Scope(sections=frozenset({SectionId("complaint"), SectionId("ticketing")})), [33, 4, 2]),
        (Scope(agent=AgentNumber("8002")), [2]),
        (Scope(sections=frozenset({SectionId("ticketing")}), agent=AgentNumber("8002")), [33, 2]),
        (Scope(), []),
    ],
)
async def test_nobody_is_shown_what_is_not_theirs(engine: AsyncEngine, scope: Scope, expected: list[int]) -> None:
    assert await ids(engine, scope) == expected
    for number in NUMBERS:
        line = await SqlCallLists(engine).line(CallId(f"1.{number}"), scope)
        assert (line is not None) == (number in expected)
    inquiries = await ids(engine, scope, section=SectionId("inquiry"))
    assert inquiries == [number for number in expected if number < 33 and number not in (2, 4)]


async def test_who_else_called_is_not_told_of_a_call_out_of_reach(engine: AsyncEngine) -> None:
    scope = Scope(sections=frozenset({SectionId("inquiry")}))
    assert await ids(engine, scope, same_caller_as=CallId("1.2")) == []
    assert 2 not in await ids(engine, scope, same_caller_as=CallId("1.0"))


async def test_a_line_tells_what_is_known_of_the_call(engine: AsyncEngine) -> None:
    line = await SqlCallLists(engine).line(CallId("1.1"), ALL)
    assert line == CallLine(
        call_id=CallId("1.1"),
        arrived_at=NOON + timedelta(hours=1),
        trunk="trunk",
        caller="13900001234",
        section=SectionId("inquiry"),
        language=Language("en"),
        agent=AgentNumber("8001"),
        result=Result.ANSWERED,
        wait_s=29.0,
        waited_s=29.0,
        talk_s=70.0,
        has_recording=True,
    )


async def test_offers_tell_whose_telephone_rang_and_how_long(engine: AsyncEngine) -> None:
    found = await lines(engine, CallFilter(counted=Counted("offers"), agent=AgentNumber("8002")))
    assert [(line.call_id, line.agent, line.ring_s, line.picked_up) for line in found] == [
        ("1.4", "8002", 12.0, False),
        ("1.2", "8002", 8.0, True),
        ("1.1", "8002", 12.0, False),
    ]


def verdict(number: int, rule: str, outcome: Outcome) -> Verdict:
    return Verdict(
        call_id=CallId(f"1.{number}"),
        rule=rule,
        requirement="A2",
        rule_set=RuleSetId("hotline", "1"),
        outcome=outcome,
        severity=Severity.MINOR,
        weight=1,
        confidence=1,
        evidence=(),
        explanation=Explanation.written("because"),
        judged_at=NOON,
    )


async def test_calls_are_found_by_what_the_rules_say_of_them(engine: AsyncEngine) -> None:
    said = {
        0: [verdict(0, "greeting", Outcome.BROKEN), verdict(0, "closing", Outcome.BROKEN)],
        1: [verdict(1, "greeting", Outcome.KEPT)],
        2: [verdict(2, "greeting", Outcome.BROKEN), verdict(2, "closing", Outcome.KEPT)],
    }
    for number, verdicts in said.items():
        await SqlVerdicts(engine).judged(CallId(f"1.{number}"), RuleSetId("hotline", "1"), verdicts)
    assert await ids(engine, rule="greeting") == [2, 1, 0]
    assert await ids(engine, rule="greeting", outcome=Outcome.BROKEN) == [2, 0]
    assert await ids(engine, rule="closing", outcome=Outcome.BROKEN) == [0]
    assert await ids(engine, outcome=Outcome.KEPT) == [2, 1]
    line = await SqlCallLists(engine).line(CallId("1.0"), ALL)
    assert line is not None
    assert line.broken == 2


async def test_a_page_that_is_not_full_says_how_far_it_has_looked(engine: AsyncEngine) -> None:
    wanted = CallFilter(talk_least_s=300.0)
    page = await SqlCallLists(engine, look_at=3).page(wanted, ALL, limit=1)
    assert page.lines == ()
    assert page.behind is not None
    assert page.looked_until == page.behind.arrived_at
    following = await SqlCallLists(engine, look_at=9).page(wanted, ALL, behind=page.behind, limit=1)
    assert [line.call_id for line in following.lines] == ["1.2"]


async def test_counting_ends_where_it_is_told_to(engine: AsyncEngine) -> None:
    lists = SqlCallLists(engine)
    assert await lists.count(CallFilter(), ALL, most=5) == 5
    page = await lists.page(CallFilter(), ALL, limit=10)
    assert await lists.count(CallFilter(), ALL, behind=page.behind) == 2


SLICES = [
    Slice(),
    Slice(section="inquiry"),
    Slice(section="complaint", language="zh-CN"),
    Slice(agent="8001"),
    Slice(agent="8002"),
    Slice(trunk="trunk"),
]


@pytest.mark.parametrize("part", SLICES, ids=str)
async def test_every_figure_opens_to_just_the_calls_that_it_counts(engine: AsyncEngine, part: Slice) -> None:
    """The numbers of lines are those of the measures that the formula adds up."""
    books = SqlBooks(engine, ZONE, LIMIT_S, workdays_of_china())
    figures = KpiFigures(Sources(books), SetClock(NOON + timedelta(days=9)), Catalogue(LIMIT_S))
    day = Period.containing(NOON, Grain.DAY, ZONE)
    looked_at = 0
    for kpi in KPIS:
        if why_undefined(kpi, part, None):
            continue
        (figure,) = await figures.figures([kpi.id], [day], part, versions={kpi.id: kpi.version})
        sides = behind(kpi)
        for number, counted in ((figure.numerator, sides.numerator), (figure.denominator, sides.denominator)):
            if counted is None or kpi.id == "LW" or (kpi.unit == "seconds" and number == figure.numerator):
                continue
            if kpi.id == "OCC":
                continue
            wanted = CallFilter(
                since=day.span[0],
                until=day.span[1],
                section=SectionId(part.section) if part.section else None,
                agent=AgentNumber(part.agent) if part.agent else None,
                language=Language(part.language) if part.language else None,
                trunk=part.trunk,
                counted=counted,
            )
            assert await SqlCallLists(engine).count(wanted, ALL) == number, (kpi.id, kpi.version, counted)
            assert len(await lines(engine, wanted, limit=2, look_at=3)) == number
            looked_at += 1
    assert looked_at >= 8


@pytest.mark.parametrize(
    "text",
    [
        "",
        "~",
        "2026-11-18T04:00:00",
        "2026-11-18T04:00:00~",
        "x~1.1",
        "2026-11-18T04:00:00+08:00~1.1~",
        "now~1.1~;",
    ],
)
def test_a_place_that_nobody_wrote_is_none(text: str) -> None:
    assert Place.parse(text) is None


def test_a_place_is_written_in_utc() -> None:
    place = Place(datetime(2026, 11, 18, 4, tzinfo=UTC), CallId("1.1"), LegId("1.2"))
    assert str(place) == "2026-11-18T04:00:00.000000~1.1~1.2"
    assert Place.parse(str(place)) == place
    assert Place.parse("2026-11-18T04:00:00.000000~1.1") == replace(place, leg_id=LegId(""))


def test_the_calls_of_these_tests_are_what_they_are_taken_for() -> None:
    assert [Call.of(events).result.value for events in CALLS] == [
        *("answered", "answered", "answered", "abandoned", "abandoned", "callback", "lost", "self_served"),
        *("answered", "in_progress", "answered", "answered"),
    ]
