"""What everybody may rely on in the search: one suite over SQLite and a real PostgreSQL (P3)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncEngine

from calls.custody import Leg
from calls.errors import SearchError, StorageUnavailable
from calls.ids import AgentNumber, CallId, SectionId
from calls.lists import Rating
from calls.transcript import Span, Turn, Word
from storage.engine import open_engine
from storage.ledger import SqlLedger
from storage.search import LONGEST, MaskedLeg, Query, Said, SqlSearch
from storage.search_tables import spoken_turns
from tests.support_prepared import dropped, prepared
from tests.support_surveys import surveyed

ZERO = datetime(2026, 11, 22, tzinfo=UTC)
SAID = [
    "您好我想退票",
    "退款三个工作日到账",
    "發票可以補開嗎",
    'he said "AND" OR NEAR(x) 100% of_it * \\ end',
    "Refund the ticket please",
    "票",
]


def turn(text: str, start_s: float, leg: Leg = Leg.CALLER) -> Turn:
    return Turn(leg, (Word(text, start_s, start_s + 2, 0.5),))


@pytest_asyncio.fixture(params=["sqlite", "postgresql"])
async def engine(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    url = await prepared(request.param, tmp_path)
    made = open_engine(url)
    yield made
    await made.dispose()
    dropped(url)


@pytest.fixture
def search(engine: AsyncEngine) -> SqlSearch:
    return SqlSearch(engine)


@pytest_asyncio.fixture
async def filled(search: SqlSearch) -> SqlSearch:
    said = Said(CallId("1.1"), ZERO, SectionId("ticketing"), AgentNumber("8001"))
    turns = tuple(turn(text, 10.0 * number) for number, text in enumerate(SAID))
    await search.index(said, {Leg.CALLER: MaskedLeg(turns, ())}, ZERO)
    other = Said(CallId("2.1"), ZERO + timedelta(days=1), SectionId("inquiries"), AgentNumber("8002"))
    await search.index(other, {Leg.AGENT: MaskedLeg((turn("为您退票", 3.5, Leg.AGENT),), ())}, ZERO)
    return search


async def found(search: SqlSearch, text: str) -> list[str]:
    return [hit.text for hit in (await search.search(Query(text))).hits]


@pytest.mark.parametrize(
    "text, expected",
    [
        ("票", ["为您退票", SAID[5], SAID[2], SAID[0]]),
        ("退票", ["为您退票", SAID[0]]),
        ("票退", []),
        ("我想退票", [SAID[0]]),
        ("发票", [SAID[2]]),
        ("發票可以补", [SAID[2]]),
        ("ｒＥＦｕｎｄ", [SAID[4]]),
        ("ticket refund", [SAID[4]]),
        ("ticket 退票", []),
        ("D", [SAID[4], SAID[3]]),
        ("100%", [SAID[3]]),
        ("of_it", [SAID[3]]),
        ("ofxit", []),
        ("%", [SAID[3]]),
        ("_", [SAID[3]]),
        ("*", [SAID[3]]),
        ("\\", [SAID[3]]),
        ('"AND"', [SAID[3]]),
        ('"', [SAID[3]]),
        ("NEAR(x)", [SAID[3]]),
        ("ref*", []),
        ("退票 OR 退款", []),
        ("folded:退票", []),
        ("' OR 1=1 --", []),
        ("退\0票", ["为您退票", SAID[0]]),
    ],
)
async def test_what_is_searched_for_is_text_and_nothing_else(
    filled: SqlSearch, text: str, expected: list[str]
) -> None:
    assert await found(filled, text) == expected


async def test_words_are_found_by_what_the_caller_said_of_the_call(filled: SqlSearch, engine: AsyncEngine) -> None:
    """Of the two calls in which 退票 was said, one was rated: with the worst level."""
    await SqlLedger(engine).record(surveyed("1.1", level=5))

    async def listed(rating: Rating | None) -> list[tuple[CallId, Rating]]:
        hits = (await filled.search(Query("退票", rating=rating))).hits
        return [(hit.call_id, hit.rating) for hit in hits]

    rated, silent = (CallId("1.1"), Rating.DISSATISFIED), (CallId("2.1"), Rating.NONE)
    assert await listed(None) == [silent, rated]
    assert await listed(Rating.DISSATISFIED) == [rated]
    assert await listed(Rating.NONE) == [silent]
    assert await listed(Rating.SATISFIED) == []


@pytest.mark.parametrize("text", ["", "  \n", "\0", "票" * (LONGEST + 1), " ".join("abcdefghijklmn")])
async def test_what_cannot_be_searched_is_refused(filled: SqlSearch, text: str) -> None:
    with pytest.raises(SearchError):
        await filled.search(Query(text))


async def test_a_hit_points_at_the_second(filled: SqlSearch) -> None:
    (hit,) = (await filled.search(Query("退款"))).hits
    assert (hit.call_id, hit.leg, hit.start_s, hit.end_s) == ("1.1", Leg.CALLER, 10.0, 12.0)
    assert (hit.section, hit.agent, hit.arrived_at, hit.confidence) == ("ticketing", "8001", ZERO, 0.5)
    assert "退款" in hit.snippet


async def test_a_snippet_shows_the_term_as_it_was_said(search: SqlSearch) -> None:
    text = "甲" * 60 + "發票" + "乙" * 60
    said = Said(CallId("1.1"), ZERO, None, None)
    await search.index(said, {Leg.CALLER: MaskedLeg((turn(text, 0),), ())}, ZERO)
    (hit,) = (await search.search(Query("发票"))).hits
    assert hit.snippet == "…" + "甲" * 24 + "發票" + "乙" * 24 + "…"


@pytest.mark.parametrize(
    "query, number",
    [
        (Query("退票", section=SectionId("ticketing")), 1),
        (Query("退票", agent=AgentNumber("8002")), 1),
        (Query("退票", speaker=Leg.AGENT), 1),
        (Query("退票", since=ZERO), 2),
        (Query("退票", since=ZERO + timedelta(days=1)), 1),
        (Query("退票", until=ZERO + timedelta(days=1)), 1),
        (Query("退票", speaker=Leg.AGENT, agent=AgentNumber("8001")), 0),
    ],
)
async def test_filters(filled: SqlSearch, query: Query, number: int) -> None:
    assert len((await filled.search(query)).hits) == number


async def test_pages_hold_every_hit_once(search: SqlSearch) -> None:
    said = Said(CallId("1.1"), ZERO, None, None)
    turns = tuple(turn(f"退票 {number}", number) for number in range(25))
    await search.index(said, {Leg.CALLER: MaskedLeg(turns, ())}, ZERO)
    seen: list[float] = []
    page = await search.search(Query("退票"), limit=10)
    seen += [hit.start_s for hit in page.hits]
    while page.before is not None:
        page = await search.search(Query("退票"), before=page.before, limit=10)
        seen += [hit.start_s for hit in page.hits]
    assert seen == list(reversed(range(25)))


async def test_a_leg_indexed_again_replaces_itself_alone(filled: SqlSearch) -> None:
    said = Said(CallId("1.1"), ZERO, None, None)
    spans = (Span(1.0, 2.5),)
    await filled.index(said, {Leg.AGENT: MaskedLeg((turn("改签", 1, Leg.AGENT),), ())}, ZERO)
    for _ in range(2):
        await filled.index(said, {Leg.CALLER: MaskedLeg((turn("改签", 0),), spans)}, ZERO)
    assert await found(filled, "退款") == []
    assert len(await found(filled, "改签")) == 2
    assert await filled.spans(CallId("1.1"), Leg.CALLER) == spans
    assert await filled.spans(CallId("1.1"), Leg.AGENT) == ()
    assert await filled.spans(CallId("9.9"), Leg.AGENT) is None


async def test_an_old_call_indexed_again_is_found_in_its_time(filled: SqlSearch) -> None:
    """Then it has higher numbers than newer calls."""
    said = Said(CallId("1.1"), ZERO, None, None)
    await filled.index(said, {Leg.CALLER: MaskedLeg((turn("改签车票", 0), turn("换票", 5)), ())}, ZERO)
    day = timedelta(days=1)
    for since, until, hits in (
        (None, ZERO + day, ["换票", "改签车票"]),
        (ZERO - day, ZERO + day, ["换票", "改签车票"]),
        (ZERO + day, ZERO + 2 * day, ["为您退票"]),
        (ZERO + 2 * day, ZERO + 3 * day, []),
    ):
        page = await filled.search(Query("票", since=since, until=until))
        assert [hit.text for hit in page.hits] == hits


async def test_what_is_forgotten_is_found_no_more(filled: SqlSearch) -> None:
    await filled.forget(CallId("1.1"))
    assert await found(filled, "退票") == ["为您退票"]
    assert await filled.spans(CallId("1.1"), Leg.CALLER) is None


async def test_the_index_keeps_step_with_whoever_deletes(filled: SqlSearch) -> None:
    """Retention knows the tables only."""
    async with filled._writer.begin() as connection:
        await connection.execute(delete(spoken_turns).where(spoken_turns.c.call_id == "1.1"))
    assert await found(filled, "退票") == ["为您退票"]
    assert await found(filled, "退款") == []


async def test_without_its_tables_it_is_away(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path}/empty.db")
    with pytest.raises(StorageUnavailable):
        await SqlSearch(engine).search(Query("退票"))
    await engine.dispose()
