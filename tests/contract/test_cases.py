"""What everybody may rely on in the ledger of cases: one suite over SQLite and a real PostgreSQL (C3, C8)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from calls.case import Case
from calls.case_book import CaseQuery, Draft, Notice
from calls.case_events import CaseAssessed, CaseCorrected, CaseLinked, CaseReassigned, ClockPaused, NoteAdded
from calls.cases import (
    Answer,
    CaseNumber,
    CategoryId,
    CauseId,
    ComplaintType,
    Importance,
    LinkKind,
    Login,
    PauseReason,
    State,
    Urgency,
)
from calls.errors import CaseConflict, CaseRefused, CaseUnknown, SearchError, StorageRefused
from calls.ids import CallId, Language, SectionId
from calls.people import Scope
from cases.clocks import Clocks
from storage.case_drafts import SqlCatalogues, SqlDrafts, SqlNotices
from storage.case_lists import SqlCaseLists
from storage.cases import SqlCases
from storage.work_orders import SqlOrders
from tests.support_cases import (
    CALENDAR,
    CHIEF,
    CHINA,
    CLOCKS,
    COMPLAINT,
    SHANGHAI,
    STATIONS,
    WORKER,
    ZERO,
    dispatched,
    local,
    registered,
    steps,
)
from tests.support_prepared import dropped, patient_engine, prepared

LI = Login("li")
EVERYTHING = Scope(everything=True)
ALL = CaseQuery(scope=EVERYTHING, login=LI)


@pytest_asyncio.fixture(params=["sqlite", "postgresql"])
async def engine(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    address = await prepared(request.param, tmp_path)
    found = patient_engine(address)
    yield found
    await found.dispose()
    dropped(address)


@pytest.fixture
def book(engine: AsyncEngine) -> SqlCases:
    return SqlCases(engine, SHANGHAI, CLOCKS)


@pytest.fixture
def lists(engine: AsyncEngine) -> SqlCaseLists:
    return SqlCaseLists(engine)


async def test_a_whole_path_is_kept_and_read_back(book: SqlCases) -> None:
    everything = registered(
        occurred_at=ZERO - timedelta(hours=3),
        language=Language("zh-CN"),
        cause=CauseId("equipment_fault"),
        category=CategoryId("station/lift"),
        urgency=Urgency.URGENT,
        importance=Importance.GRAVE,
        key_customer=True,
        call_id=CallId("hotline-1.2"),
    )
    case = await book.register(everything, "k1")
    assert case.number == "TS2026-00001"
    told = [
        CaseLinked(at=ZERO, by=LI, link=LinkKind.RECORDING, ref="hotline-1.2"),
        ClockPaused(at=ZERO, by=LI, why="鉴定", reason=PauseReason.THIRD_PARTY, until=ZERO + timedelta(days=2)),
        *steps([ZERO + timedelta(hours=1)], returned=1, dissatisfied=1),
    ]
    for event in told:
        case = await book.append(case.number, case.version, event)
    assert await book.history(case.number) == [everything, *told]
    assert await book.case(case.number) == case == Case.of(case.number, [everything, *told])
    assert case.state is State.CLOSED


async def test_numbers_have_no_gaps_whoever_writes_and_whatever_fails(engine: AsyncEngine) -> None:
    async def one(n: int) -> str:
        book = SqlCases(engine, SHANGHAI, CLOCKS)
        bad = "\0" if n % 5 == 0 else ""
        try:
            return (await book.register(registered(content=f"第 {n} 件{bad}"), f"k{n}")).number
        except StorageRefused:
            return ""

    numbers = [number for number in await asyncio.gather(*map(one, range(20))) if number]
    assert sorted(numbers) == [f"TS2026-{n:05d}" for n in range(1, 17)]


async def test_numbers_begin_anew_with_the_local_year(book: SqlCases) -> None:
    for moment, number in (
        ("2025-12-31 23:59", "TS2025-00001"),
        ("2026-01-01 00:01", "TS2026-00001"),
        ("2026-01-01 00:02", "TS2026-00002"),
    ):
        assert (await book.register(registered(local(moment)), moment)).number == number


async def test_a_form_that_was_sent_twice_is_registered_once(book: SqlCases) -> None:
    once = await book.register(registered(), "draft-1")
    later = replace(registered(), at=ZERO + timedelta(seconds=5))
    assert await book.register(later, "draft-1") == once
    both = await asyncio.gather(*(book.register(registered(), "draft-2") for _ in range(4)))
    assert {case.number for case in both} == {"TS2026-00002"}
    with pytest.raises(CaseConflict):
        await book.register(registered(content="另一件事"), "draft-1")


async def test_two_who_change_one_case_do_not_lose_each_others_words(book: SqlCases) -> None:
    case = await book.register(registered(), "k")
    mine = CaseCorrected(at=ZERO, by=LI, place="东站")
    theirs = CaseCorrected(at=ZERO, by=Login("zhou"), place="南站")
    results = await asyncio.gather(
        *(book.append(case.number, case.version, event) for event in (mine, theirs)), return_exceptions=True
    )
    (conflict,) = (result for result in results if isinstance(result, CaseConflict))
    assert conflict.version == 2
    history = await book.history(case.number)
    assert history[1:] in ([mine], [theirs])


async def test_what_the_flow_refuses_is_not_written(book: SqlCases) -> None:
    case = await book.register(registered(), "k")
    with pytest.raises(CaseRefused):
        await book.append(case.number, 1, steps([ZERO])[1])
    with pytest.raises(CaseUnknown):
        await book.append(CaseNumber("TS2026-00099"), 1, steps([ZERO])[0])
    with pytest.raises(CaseUnknown):
        await book.case(CaseNumber("TS2026-00099"))
    assert len(await book.history(case.number)) == 1


async def test_links_are_found_from_the_other_side(book: SqlCases) -> None:
    case = await book.register(registered(call_id=CallId("h-1.1")), "k")
    await book.append(case.number, 1, CaseLinked(at=ZERO, by=LI, link=LinkKind.CALLBACK, ref="cb-7"))
    assert await book.linked(LinkKind.CALL, ["h-1.1", "h-9.9"]) == {"h-1.1": [case.number]}
    assert await book.linked(LinkKind.CALLBACK, ["cb-7"]) == {"cb-7": [case.number]}
    assert len(await book.links(case.number)) == 2


async def filled(book: SqlCases) -> list[CaseNumber]:
    """Six cases: a key customer's, an urgent one, two plain ones, one with a department, one closed."""
    plan = [
        {"content": "电梯故障", "cause": CauseId("equipment_fault")},
        {"content": "态度恶劣", "urgency": Urgency.URGENT, "type": ComplaintType.SERVICE, "name": "李四"},
        {"content": "卫生间没水", "key_customer": True, "type": ComplaintType.SANITATION},
        {"content": "100% 满意？没有", "section": SectionId("ticketing"), "owner": Login("zhou")},
        {"content": "转部门的"},
        {"content": "结案的"},
    ]
    numbers = []
    for n, fields in enumerate(plan):
        at = ZERO + timedelta(hours=n)
        numbers.append((await book.register(registered(at, **fields), f"k{n}")).number)
    case = await book.case(numbers[4])
    await book.append(case.number, 1, steps([ZERO + timedelta(hours=5)])[0])
    for event in steps([ZERO + timedelta(days=1)]):
        last = await book.case(numbers[5])
        await book.append(last.number, last.version, event)
    return numbers


async def test_lists_have_what_goes_first_first(book: SqlCases, lists: SqlCaseLists) -> None:
    one, two, three, four, five, six = await filled(book)
    page = await lists.page(ALL)
    assert [row.number for row in page.rows] == [three, two, one, four, five, six] and page.after is None
    assert page.rows[0].due_at == local("2026-11-25 00:00") and page.rows[-1].due_at is None
    seen, after = [], None
    while True:
        part = await lists.page(ALL, after=after, limit=2)
        seen += [row.number for row in part.rows]
        after = part.after
        if after is None:
            break
    assert seen == [row.number for row in page.rows]


async def test_lists_are_filtered(book: SqlCases, lists: SqlCaseLists) -> None:
    one, two, three, four, five, six = await filled(book)

    async def found(**fields: object) -> set[CaseNumber]:
        return {row.number for row in (await lists.page(replace(ALL, **fields))).rows}  # type: ignore[arg-type]

    assert await found(open_only=True) == {one, two, three, four, five}
    assert await found(states=frozenset({State.CLOSED})) == {six}
    assert await found(department=STATIONS) == {five, six}
    assert await found(owner=Login("zhou")) == {four}
    assert await found(type="sanitation") == {three} and await found(cause="equipment_fault") == {one}
    assert await found(answer=Answer.SATISFIED.value) == {six}
    assert await found(since=ZERO + timedelta(hours=2), until=ZERO + timedelta(hours=4)) == {three, four}
    assert await found(late_at=local("2026-11-25 00:00") + timedelta(seconds=1)) == {one, two, three, four}
    assert await found(late_at=local("2026-11-25 00:00")) == set()
    assert await found(text="電梯") == {one}, "traditional script finds simplified"
    assert await found(text=five.lower()) == {five}
    assert await found(text="李四 态度") == {two} and await found(text="李四 电梯") == set()
    assert await found(text="138001") == {one, two, three, four, five, six}
    assert await found(text="0%") == {four} and await found(text="%") == {four} and await found(text="_") == set()
    with pytest.raises(SearchError):
        await found(text="长" * 201)
    with pytest.raises(SearchError):
        await lists.page(ALL, after="页\n")
    counts = await lists.counts(ALL)
    assert (counts[State.REGISTERED], counts[State.FORWARDED], counts[State.CLOSED]) == (4, 1, 1)


async def test_nobody_sees_more_than_is_within_reach(book: SqlCases, lists: SqlCaseLists) -> None:
    one, two, three, four, five, six = await filled(book)

    async def seen(scope: Scope, login: str) -> set[CaseNumber]:
        query = CaseQuery(scope=scope, login=Login(login))
        rows = {row.number for row in (await lists.page(query)).rows}
        for number in (one, two, three, four, five, six):
            assert await lists.visible(number, scope, Login(login)) is (number in rows)
        return rows

    assert await seen(Scope(sections=frozenset({COMPLAINT})), "x") == {one, two, three, five, six}
    assert await seen(Scope(sections=frozenset({SectionId(STATIONS)})), "x") == {five, six}
    assert await seen(Scope(), "zhou") == {four}, "one's own"
    assert await seen(Scope(), "x") == set()


async def test_whoever_rings_is_known_by_the_number(book: SqlCases, lists: SqlCaseLists) -> None:
    await filled(book)
    known = await lists.known_contact("+86 138 0013 8000", Scope(sections=frozenset({COMPLAINT})))
    assert len(known.cases) == 5 and known.cases[-1].state is State.CLOSED
    assert not (await lists.known_contact("", EVERYTHING)).cases
    assert not (await lists.known_contact("13800138001", EVERYTHING)).cases


async def test_steps_that_are_due_are_found_by_their_clocks(book: SqlCases) -> None:
    one, *_ = await filled(book)
    running = await book.running(local("2026-11-24 16:00"))
    assert [each.number for each in running][:1] == [one] and len(running) == 4
    assert running[0].owner == LI and running[0].standing.due_at == local("2026-11-25 00:00")
    assert await book.running(local("2026-11-24 15:59")) == []


async def test_clocks_are_read_again_when_the_calendar_is_published(
    engine: AsyncEngine, lists: SqlCaseLists
) -> None:
    book = SqlCases(engine, SHANGHAI, CLOCKS)
    await book.register(registered(local("2026-12-31 10:00")), "k")
    await book.register(registered(local("2026-11-30 10:00")), "k2")
    assert {row.due_known for row in (await lists.page(ALL)).rows} == {"due", "not_yet"}
    assert await book.read_again(unknown_only=True) == 0
    published = replace(CHINA, days_off={*CHINA.days_off, date(2027, 1, 1), date(2027, 2, 8)})
    later = SqlCases(engine, SHANGHAI, Clocks(replace(CALENDAR, workdays=published)))
    assert await later.read_again(unknown_only=True) == 1
    assert {row.due_known for row in (await lists.page(ALL)).rows} == {"due"}
    assert await later.read_again(unknown_only=False) == 0


async def test_made_again_from_their_history_the_read_models_are_the_same(
    book: SqlCases, engine: AsyncEngine
) -> None:
    numbers = await filled(book)
    for number in numbers:
        assert not await book.rewrite(number)
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE cases SET owner = 'mallory', due_at = NULL"))
        await connection.execute(text("DELETE FROM case_steps"))
    for number in numbers:
        assert await book.rewrite(number) and not await book.rewrite(number)


async def test_drafts_are_kept_and_are_ones_own(engine: AsyncEngine) -> None:
    drafts = SqlDrafts(engine)
    draft = Draft("d1", LI, "complaint", {"content": "还没写完"}, ZERO, "h-1.1")
    await drafts.save(draft)
    more = replace(draft, fields={"content": "还没写完，还有"}, saved_at=ZERO + timedelta(seconds=3))
    await drafts.save(more)
    await drafts.save(Draft("d2", LI, "inquiry", {}, ZERO))
    assert [each.draft for each in await drafts.mine(LI)] == ["d1", "d2"]
    assert await drafts.draft("d1", LI) == more and await drafts.draft("d1", Login("zhou")) is None
    with pytest.raises(CaseRefused):
        await drafts.save(replace(draft, login=Login("zhou")))
    with pytest.raises(CaseRefused):
        await drafts.save(replace(draft, fields={"content": "长" * 60_001}))
    await drafts.drop("d1", Login("zhou"))
    await drafts.drop("d2", LI)
    assert await drafts.mine(LI) == [more]


async def test_a_notice_is_given_once_and_to_whom_it_concerns(engine: AsyncEngine) -> None:
    notices = SqlNotices(engine)
    number = CaseNumber("TS2026-00001")
    warning = Notice(number, 1, 0, ZERO, ZERO, "forward", "department", "stations")
    escalation = replace(warning, level=1, role="supervisor", unit="complaint", at=ZERO + timedelta(hours=1))
    owners = replace(warning, level=2, role="supervisor", unit="ticketing", login=LI)
    assert await notices.tell([warning, escalation]) == [warning, escalation]
    assert await notices.tell([warning, escalation, owners]) == [owners]
    assert await notices.unseen(WORKER) == [warning] and await notices.unseen(CHIEF) == [escalation]
    assert [each.level for each in await notices.of_case(number)] == [0, 1, 2]
    assert await notices.seen(number, ZERO, LI) == 3 and await notices.seen(number, ZERO, LI) == 0
    assert await notices.unseen(CHIEF) == []


async def test_a_catalogue_keeps_its_words(engine: AsyncEngine) -> None:
    kept = SqlCatalogues(engine)
    await kept.keep(1, "one", ZERO)
    await kept.keep(2, "two", ZERO)
    await kept.keep(1, "one", ZERO)
    with pytest.raises(CaseRefused):
        await kept.keep(2, "other words", ZERO)
    assert await kept.all() == ["two", "one"]


async def test_a_case_may_be_assessed_noted_and_given_to_another(book: SqlCases, lists: SqlCaseLists) -> None:
    case = await book.register(registered(), "k")
    for event in (
        NoteAdded(at=ZERO, by=LI, text="已电话安抚"),
        CaseReassigned(at=ZERO, by=Login("wang"), to=Login("zhou"), why="轮休"),
        CaseAssessed(
            at=ZERO,
            by=LI,
            type=ComplaintType.SAFETY,
            cause=CauseId("equipment_fault"),
            category=None,
            urgency=Urgency.CRITICAL,
            importance=Importance.GRAVE,
            key_customer=False,
        ),
    ):
        case = await book.append(case.number, case.version, event)
    (row,) = (await lists.page(ALL)).rows
    assert (row.owner, row.type, row.urgency, row.cause) == ("zhou", "safety", "critical", "equipment_fault")


@pytest.mark.parametrize("change", ["UPDATE {} SET why = 'x'", "UPDATE {} SET seq = seq + 10", "DELETE FROM {}"])
async def test_the_database_itself_keeps_histories_as_they_are(engine: AsyncEngine, change: str) -> None:
    await SqlCases(engine, SHANGHAI, CLOCKS).register(registered(), "k")
    await SqlOrders(engine, SHANGHAI).dispatch(dispatched(), "o")
    for table in ("case_events", "order_events"):
        with pytest.raises(DBAPIError, match="append-only"):
            async with engine.begin() as connection:
                await connection.execute(text(change.format(table)))
        async with engine.connect() as connection:
            rows = (await connection.execute(text(f"SELECT seq, why FROM {table}"))).all()
        assert [tuple(row) for row in rows] == [(1, "")]
