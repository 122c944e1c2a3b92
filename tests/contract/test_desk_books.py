"""The desk's books on both databases: notes that nobody loses, and the calls that are not filed yet (A7)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy.ext.asyncio import AsyncEngine

from calls.cases import Login
from calls.desk import MatterKind
from calls.events import EndedBy
from calls.filing import DeskFiling, Edit, Kind, NothingReason, Outcome
from calls.ids import SYNTHETIC_TRUNK, AgentNumber, CallId
from storage.callers import SqlCallers
from storage.cases import SqlCases
from storage.desk_books import SqlDeskBooks
from storage.ledger import SqlLedger
from storage.work_orders import SqlOrders
from tests.support_cases import CLOCKS, SHANGHAI, asked, dispatched, registered
from tests.support_ledger import CALLER, NOON, Ring, story
from tests.support_prepared import dropped, patient_engine, prepared

ANNE, BO = AgentNumber("1001"), AgentNumber("1002")
CALL = CallId("1.1")
KINDS = {"content": Kind.TEXT, "outcome": Kind.CHOICE}
HOUR = timedelta(hours=1)
TALKED = [Ring(ANNE, 6, 8, 8.5, ended=60)]


@pytest_asyncio.fixture(params=["sqlite", "postgresql"])
async def engine(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    url = await prepared(request.param, tmp_path)
    engine = patient_engine(url)
    yield engine
    await engine.dispose()
    dropped(url)


@pytest.fixture
def books(engine: AsyncEngine) -> SqlDeskBooks:
    return SqlDeskBooks(engine)


# ── Notes ────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_notes_are_kept_as_they_are_written(books: SqlDeskBooks) -> None:
    assert (await books.notes(CALL)).version == 0
    await books.save(CALL, {"content": Edit("", "train 21")}, KINDS, "anne", NOON)
    await books.save(CALL, {"outcome": Edit("", "answered")}, KINDS, "anne", NOON + HOUR)
    notes = await books.notes(CALL)
    assert notes.fields == {"content": "train 21", "outcome": "answered"}
    assert (notes.version, notes.saved_by, notes.saved_at) == (2, "anne", NOON + HOUR)


async def test_two_windows_that_write_at_once_both_keep_their_words(books: SqlDeskBooks) -> None:
    edits = [{"content": Edit("", f"from window {number}")} for number in range(8)]
    await asyncio.gather(*(books.save(CALL, edit, KINDS, "anne", NOON) for edit in edits))
    lines = (await books.notes(CALL)).fields["content"].split("\n")
    assert sorted(lines) == [f"from window {number}" for number in range(8)]


async def test_the_same_words_sent_twice_are_kept_once(books: SqlDeskBooks) -> None:
    for _ in range(2):
        notes = await books.save(CALL, {"content": Edit("", "once")}, KINDS, "anne", NOON)
    assert (notes.fields["content"], notes.version) == ("once", 1)


async def test_notes_of_a_filed_call_are_forgotten_unless_something_was_written_since(books: SqlDeskBooks) -> None:
    first = await books.save(CALL, {"content": Edit("", "a")}, KINDS, "anne", NOON)
    later = await books.save(CALL, {"content": Edit("a", "a\nb")}, KINDS, "anne", NOON)
    assert not await books.forget(CALL, first.version)
    assert (await books.notes(CALL)).fields["content"] == "a\nb"
    assert await books.forget(CALL, later.version)
    assert (await books.notes(CALL)).version == 0


# ── What is not filed ────────────────────────────────────────────────────────────────────────────────────────────


async def test_whoever_talked_to_the_caller_last_has_the_call_to_file(
    engine: AsyncEngine, books: SqlDeskBooks
) -> None:
    handed_on = [Ring(ANNE, 6, 8, 8.5, ended=60), Ring(BO, 55, 58, 58.5, ended=90)]
    missed = [Ring(ANNE, 6, ended=21), Ring(BO, 22, 25, 25.5, ended=60)]
    await SqlLedger(engine).record(
        [
            *story("1.1", asked=5, rings=TALKED, ended=60),
            *story("2.1", start=NOON + HOUR, asked=5, rings=handed_on, ended=90),
            *story("3.1", start=NOON + 2 * HOUR, asked=5, rings=missed, ended=60),
            *story("4.1", start=NOON + 3 * HOUR, asked=5, rings=[Ring(ANNE, 6, 8, 8.5)]),
            *story("5.1", start=NOON + 4 * HOUR, asked=5, rings=TALKED, ended=60, trunk=SYNTHETIC_TRUNK),
            *story("6.1", start=NOON + 5 * HOUR, asked=5, ended=60, by=EndedBy.CALLER),
        ]
    )
    assert [call.call_id for call in await books.unfiled(ANNE, NOON)] == ["1.1", "4.1"]
    assert [call.call_id for call in await books.unfiled(BO, NOON)] == ["2.1", "3.1"]
    assert [call.call_id for call in await books.unfiled(ANNE, NOON + HOUR)] == ["4.1"]
    assert [call.call_id for call in await books.unfiled(ANNE, NOON, limit=1)] == ["1.1"]


async def test_an_agent_reaches_the_calls_of_their_own_telephone_and_no_others(
    engine: AsyncEngine, books: SqlDeskBooks
) -> None:
    rings = [Ring(ANNE, 6, ended=21), Ring(BO, 22, 25, 25.5, ended=60)]
    await SqlLedger(engine).record(story("1.1", asked=5, rings=rings, ended=60))
    assert await books.answered(ANNE, CALL) is None
    found = await books.answered(BO, CALL)
    assert found
    assert (found.caller, found.section, found.arrived_at) == (CALLER, "inquiries", NOON)
    assert await books.caller_at(ANNE, CALL) == CALLER, "it rang at their telephone"
    assert await books.caller_at(AgentNumber("9999"), CALL) is None


@pytest.mark.parametrize("how", ["inquiry", "work order", "complaint", "nothing"])
async def test_a_call_is_filed_by_whatever_is_made_of_it(
    engine: AsyncEngine, books: SqlDeskBooks, how: str
) -> None:
    await SqlLedger(engine).record(story("1.1", asked=5, rings=TALKED, ended=60))
    assert len(await books.unfiled(ANNE, NOON)) == 1
    orders = SqlOrders(engine, SHANGHAI)
    match how:
        case "inquiry":
            number: str = (await orders.file(asked(call_id=CALL), "k")).number
        case "work order":
            number = (await orders.dispatch(dispatched(call_id=CALL), "k")).number
        case "complaint":
            number = (await SqlCases(engine, SHANGHAI, CLOCKS).register(registered(call_id=CALL), "k")).number
        case _:
            number = "nothing"
            reason = NothingReason.WRONG_NUMBER
            filing = DeskFiling(
                call_id=CALL, outcome=Outcome.NOTHING, at=NOON, by="anne", agent=ANNE, reason=reason
            )
            await books.file(filing)
            await books.file(filing)
    assert await books.unfiled(ANNE, NOON) == []
    assert await books.filed_as(CALL) == [number]


async def test_what_is_open_for_a_number(engine: AsyncEngine) -> None:
    orders, callers = SqlOrders(engine, SHANGHAI), SqlCallers(engine)
    await orders.dispatch(dispatched(contact="+86 " + CALLER), "k1")
    await orders.dispatch(dispatched(contact="02088888888"), "k2")
    await SqlCases(engine, SHANGHAI, CLOCKS).register(
        registered(contact=CALLER, content="the lift has stood still for a week", by=Login("li")), "k3"
    )
    found = await callers.matters(CALLER)
    assert [(each.kind, each.state) for each in found] == [
        (MatterKind.COMPLAINT, "registered"),
        (MatterKind.WORK_ORDER, "open"),
    ]
    assert found[0].title == "the lift has stood still for a week"
    assert all(each.due_at for each in found)
    assert await callers.matters("13100000000") == []
