"""Inquiries and work orders, and the indicators counted from cases: SQLite and a real PostgreSQL (A5, K4, K7)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy.ext.asyncio import AsyncEngine

from calls.case_book import CountedPlace, InquiryQuery, OrderQuery
from calls.cases import CaseNumber, CategoryId, DepartmentId, LinkKind, Login
from calls.errors import CaseConflict, CaseRefused, CaseUnknown
from calls.ids import AgentNumber, CallId, SectionId
from calls.inquiries import (
    FINAL_AFTER,
    CallerAnswered,
    OrderAccepted,
    OrderCancelled,
    OrderDone,
    OrderNoted,
    OrderPassedOn,
    OrderPromisedAnew,
    OrderState,
    WorkOrder,
)
from calls.lists import Counted
from calls.measures import Dimension, Slice
from calls.people import Scope
from calls.periods import Grain, Period
from calls.ports import Tally
from calls.workdays import Days
from metrics.kpi.behind import behind
from metrics.kpi.catalogue import kpi as kpi_of
from storage.case_counted import Cohorts, SqlCaseCounted
from storage.case_lists import SqlCaseLists
from storage.case_tallies import K4_TALLIES, K7_TALLIES, SqlCaseTallies
from storage.cases import SqlCases
from storage.work_orders import SqlOrders
from tests.support_cases import (
    CHINA,
    CLOCKS,
    SHANGHAI,
    ZERO,
    SetClock,
    asked,
    dispatched,
    local,
    registered,
    steps,
)
from tests.support_prepared import dropped, patient_engine, prepared

LI = Login("li")
FARES = DepartmentId("fares")
EVERYTHING = Scope(everything=True)


@pytest_asyncio.fixture(params=["sqlite", "postgresql"])
async def engine(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    address = await prepared(request.param, tmp_path)
    found = patient_engine(address)
    yield found
    await found.dispose()
    dropped(address)


@pytest.fixture
def book(engine: AsyncEngine) -> SqlOrders:
    return SqlOrders(engine, SHANGHAI)


def at(hours: float) -> object:
    return ZERO + timedelta(hours=hours)


async def test_an_inquiry_answered_at_once_is_filed_once(book: SqlOrders) -> None:
    filed = await book.file(asked(call_id=CallId("h-1.1")), "d1")
    assert filed.number == "ZX2026-00001" and filed.work_order is None
    assert await book.file(asked(call_id=CallId("h-1.1")), "d1") == filed
    assert await book.inquiry(filed.number) == filed
    with pytest.raises(CaseUnknown):
        await book.inquiry(CaseNumber("ZX2026-00002"))


async def test_an_inquiry_that_one_call_cannot_finish_is_dispatched_with_it(book: SqlOrders) -> None:
    filed = await book.file(asked(answer=""), "d1", dispatched(call_id=CallId("h-1.1")))
    assert filed.work_order == "GD2026-00001"
    order = await book.order(CaseNumber("GD2026-00001"))
    assert (order.origin, order.state, order.promise) == (filed.number, OrderState.OPEN, "明天下班前给您回电")
    assert await book.promised_in(CallId("h-1.1")) and not await book.promised_in(CallId("h-9.9"))


async def test_an_answer_that_was_none_is_dispatched_later_but_not_for_ever(book: SqlOrders) -> None:
    filed = await book.file(asked(), "d1")
    order = await book.dispatch_later(filed.number, dispatched(ZERO + timedelta(hours=1)))
    assert (await book.inquiry(filed.number)).work_order == order.number
    with pytest.raises(CaseRefused, match="already"):
        await book.dispatch_later(filed.number, dispatched())
    other = await book.file(asked(content="另一个"), "d2")
    with pytest.raises(CaseRefused, match="final"):
        await book.dispatch_later(other.number, dispatched(ZERO + FINAL_AFTER))


async def test_the_life_of_a_work_order(book: SqlOrders, engine: AsyncEngine) -> None:
    order = await book.dispatch(dispatched(), "d1")
    assert await book.dispatch(dispatched(), "d1") == order
    told = [
        OrderNoted(at=ZERO, by=LI, text="已催"),
        OrderPassedOn(at=ZERO, by=LI, department=DepartmentId("equipment"), why="设备问题"),
        OrderAccepted(at=ZERO, by=Login("zhao")),
        OrderDone(at=ZERO, by=Login("zhao"), result="已到账"),
        CallerAnswered(at=ZERO + timedelta(hours=20), by=LI, told="已告知", callback="cb-1"),
    ]
    for event in told:
        order = await book.append_order(order.number, order.version, event)
    assert await book.order_history(order.number) == [dispatched(), *told]
    assert (order.state, order.worker, order.kept(ZERO)) == (OrderState.ANSWERED, "zhao", True)
    assert await SqlCases(engine, SHANGHAI, CLOCKS).linked(LinkKind.CALLBACK, ["cb-1"]) == {"cb-1": [order.number]}
    with pytest.raises(CaseConflict):
        await book.append_order(order.number, 1, told[0])
    with pytest.raises(CaseRefused):
        await book.append_order(order.number, order.version, told[2])
    with pytest.raises(CaseUnknown):
        await book.append_order(CaseNumber("GD2026-00009"), 1, told[0])


async def test_a_promise_is_kept_or_broken(book: SqlOrders) -> None:
    due = dispatched().due_at
    order = WorkOrder.of(CaseNumber("GD2026-00001"), [dispatched()])
    assert order.kept(due) is None and order.kept(due + timedelta(seconds=1)) is False
    new = OrderPromisedAnew(at=due, by=LI, due_at=due + timedelta(days=1), promise="后天")
    assert order.after(new).kept(due + timedelta(hours=1)) is None
    too_late = replace(new, at=due + timedelta(seconds=1))
    assert order.after(too_late).kept(due + timedelta(seconds=1)) is False, "the first promise was broken already"
    assert order.after(OrderCancelled(at=due, by=LI, why="重复")).kept(due + timedelta(days=9)) is None
    stored = await book.dispatch(dispatched(), "d")
    assert [each.number for each in await book.promised_by(due)] == [stored.number]
    assert await book.promised_by(due - timedelta(seconds=1)) == []


async def test_work_orders_are_listed_by_their_promises(book: SqlOrders, engine: AsyncEngine) -> None:
    lists = SqlCaseLists(engine)
    hours = (30, 10, 20)
    numbers = [
        (await book.dispatch(dispatched(due_at=ZERO + timedelta(hours=due)), f"d{due}")).number for due in hours
    ]
    gone = await book.dispatch(dispatched(department=DepartmentId("trains")), "gone")
    await book.append_order(gone.number, 1, OrderCancelled(at=ZERO, by=LI, why="重复"))
    every = OrderQuery(scope=EVERYTHING)
    in_turn = [numbers[1], numbers[2], numbers[0], gone.number]
    assert await lists.orders(every) == (in_turn, None)
    first, after = await lists.orders(every, limit=3)
    assert first == in_turn[:3] and (await lists.orders(every, after=after))[0] == in_turn[3:]
    assert (await lists.orders(replace(every, open_only=True)))[0] == in_turn[:3]
    assert (await lists.orders(replace(every, department=DepartmentId("trains"))))[0] == [gone.number]
    assert (await lists.orders(replace(every, late_at=ZERO + timedelta(hours=15))))[0] == [numbers[1]]
    assert (await lists.orders(replace(every, states=frozenset({OrderState.CANCELLED}))))[0] == [gone.number]
    assert (await lists.orders(replace(every, text="退票 到账")))[0] == in_turn
    assert (await lists.orders(OrderQuery(scope=Scope(sections=frozenset({SectionId("trains")})))))[0] == [
        gone.number
    ]
    assert (await lists.orders(OrderQuery(scope=Scope())))[0] == []
    assert [order.number for order in await book.orders(in_turn)] == in_turn


async def test_inquiries_are_searched_and_counted_later(book: SqlOrders) -> None:
    first = await book.file(asked(), "d1")
    second = await book.file(
        asked(
            ZERO + timedelta(hours=1), category=CategoryId("travel/lost"), contact="0371-5555555", content="丢了包"
        ),
        "d2",
        dispatched(),
    )
    every = InquiryQuery(scope=EVERYTHING)

    async def found(query: InquiryQuery) -> list[CaseNumber]:
        return [inquiry.number for inquiry in (await book.inquiries(query))[0]]

    assert await found(every) == [second.number, first.number]
    part, before = await book.inquiries(every, limit=1)
    assert part == [second] and (await book.inquiries(every, before=before))[0] == [first]
    assert await found(replace(every, category="ticketing")) == [first.number]
    assert await found(replace(every, dispatched=True)) == [second.number]
    assert await found(replace(every, dispatched=False)) == [first.number]
    assert await found(replace(every, contact="+86 139 0013 9000")) == [first.number]
    assert await found(replace(every, text="包")) == [second.number]
    assert await found(replace(every, since=ZERO)) == [second.number]
    assert await found(InquiryQuery(scope=Scope(sections=frozenset({SectionId("ticketing")})))) == []
    assert len(await found(InquiryQuery(scope=Scope(agent=AgentNumber("1001"))))) == 2


async def test_numbers_of_all_kinds_have_no_gaps_when_many_write(engine: AsyncEngine) -> None:
    async def one(n: int) -> None:
        orders = SqlOrders(engine, SHANGHAI)
        await orders.file(asked(content=f"{n}"), f"i{n}", dispatched() if n % 2 else None)

    await asyncio.gather(*map(one, range(12)))
    orders = SqlOrders(engine, SHANGHAI)
    filed, _ = await orders.inquiries(InquiryQuery(scope=EVERYTHING))
    assert sorted(each.number for each in filed) == [f"ZX2026-{n:05d}" for n in range(1, 13)]
    assert sorted(each.work_order for each in filed if each.work_order) == [f"GD2026-{n:05d}" for n in range(1, 7)]


# ── Indicators ───────────────────────────────────────────────────────────────────────────────────────────────

NOVEMBER = Period.containing(ZERO, Grain.MONTH, SHANGHAI)


def tallies_at(engine: AsyncEngine, moment: str) -> SqlCaseTallies:
    return SqlCaseTallies(engine, SHANGHAI, CHINA, SetClock(local(moment)))


async def test_k4_follows_from_work_orders_and_nothing_else(engine: AsyncEngine, book: SqlOrders) -> None:
    await book.file(asked(), "1")
    await book.file(asked(section=SectionId("ticketing"), agent=AgentNumber("3001")), "2", dispatched())
    later = await book.file(asked(content="又来"), "3")
    await book.dispatch_later(later.number, dispatched())
    await book.dispatch(dispatched(content="没有咨询的工单"), "4")
    await book.file(asked(trunk="synthetic"), "5")
    await book.file(asked(trunk="1001"), "6", dispatched())
    tallies = tallies_at(engine, "2026-11-30 12:00")
    (found,) = await tallies.tallies([NOVEMBER])
    assert found[None].counts == {Tally.INQUIRIES: 3, Tally.DISPATCHED: 2}
    assert not found[None].settled
    (by_agent,) = await tallies.tallies([NOVEMBER], by=Dimension.AGENT)
    assert {agent: told.of(Tally.DISPATCHED) for agent, told in by_agent.items()} == {"1001": 1, "3001": 1}
    (held,) = await tallies.tallies([NOVEMBER], Slice(section="ticketing"))
    assert held[None].of(Tally.INQUIRIES) == 1
    (settled,) = await tallies_at(engine, "2026-12-03 00:00").tallies([NOVEMBER])
    assert settled[None].settled == K4_TALLIES | K7_TALLIES


async def test_what_is_filed_when_its_day_is_final_counts_on_the_day_it_is_filed(
    engine: AsyncEngine, book: SqlOrders
) -> None:
    await book.file(asked(local("2026-12-05 10:00"), asked_at=local("2026-11-30 10:00")), "1")
    december = Period.containing(local("2026-12-05 10:00"), Grain.MONTH, SHANGHAI)
    first, second = await tallies_at(engine, "2026-12-06 00:00").tallies([NOVEMBER, december])
    assert (first[None].of(Tally.INQUIRIES), second[None].of(Tally.INQUIRIES)) == (0, 1)


async def test_the_same_matter_again_within_days_is_reported_beside_k4(
    engine: AsyncEngine, book: SqlOrders
) -> None:
    for n, (day, fields) in enumerate(
        [
            (2, {}),
            (5, {}),
            (13, {}),
            (14, {"category": CategoryId("travel/lost")}),
            (15, {"contact": "+86 13900139000"}),
            (15, {"contact": ""}),
        ]
    ):
        moment = local(f"2026-11-{day:02d} 10:00")
        await book.file(asked(moment, **fields), f"k{n}")
    repeats = await tallies_at(engine, "2026-11-30 12:00").repeats(NOVEMBER)
    assert (repeats.inquiries, repeats.repeated) == (5, 2)


async def test_k7_counts_steps_that_are_due_and_complainants_who_were_asked(engine: AsyncEngine) -> None:
    cases = SqlCases(engine, SHANGHAI, CLOCKS)

    async def told(key: str, *moments: str, **how: int | bool) -> None:
        case = await cases.register(registered(local("2026-11-23 09:00")), key)
        for event in steps([local(moment) for moment in moments], **how):  # type: ignore[arg-type]
            case = await cases.append(case.number, case.version, event)

    await told("in time", "2026-11-23 10:00")
    await told("late twice", "2026-11-25 10:00", "2026-12-03 10:00", dissatisfied=1)
    await told("not closed", "2026-11-23 10:00", close=False)
    await cases.register(registered(local("2026-11-26 09:00"), section=SectionId("ticketing")), "fresh")
    tallies = tallies_at(engine, "2026-12-04 00:00")
    (found,) = await tallies.tallies([NOVEMBER])
    assert found[None].counts == {
        Tally.STEPS_DUE: 5 + 10 + 5 + 1,
        Tally.STEPS_IN_TIME: 5 + 8 + 5,
        Tally.COMPLAINANTS_ASKED: 3,
        Tally.COMPLAINANTS_SATISFIED: 3,
    }
    assert not found[None].settled & K7_TALLIES, "cases are open"
    (early,) = await tallies_at(engine, "2026-11-26 12:00").tallies([NOVEMBER], by=Dimension.SECTION)
    assert "ticketing" not in early or Tally.STEPS_DUE not in early["ticketing"].counts, "not due yet"


async def counted_lines(
    engine: AsyncEngine, kpi: str, side: str, moment: str, scope: Scope = EVERYTHING, part: Slice | None = None
) -> list[CountedPlace]:
    """Every line behind one side of an indicator, two at a time."""
    lists = SqlCaseCounted(engine, Cohorts(SHANGHAI, CHINA))
    counted: Counted | None = getattr(behind(kpi_of(kpi)), side)
    assert counted is not None
    found: list[CountedPlace] = []
    place: CountedPlace | None = None
    for _ in range(50):
        page = await lists.page(counted, NOVEMBER, part or Slice(), scope, local(moment), behind=place, limit=2)
        found += [line.place for line in page.lines]
        place = page.behind
        if place is None:
            assert len(set(found)) == len(found), "each line once"
            return found
        assert CountedPlace.parse(str(place)) == place
    raise AssertionError("the pages have no end")


async def test_k4_opens_to_just_the_inquiries_that_it_counts(engine: AsyncEngine, book: SqlOrders) -> None:
    for n in range(3):
        await book.file(asked(), f"plain {n}")
    await book.file(asked(section=SectionId("ticketing"), agent=AgentNumber("3001")), "order", dispatched())
    await book.file(asked(trunk="synthetic"), "test")
    now, ticketing = "2026-11-30 12:00", Scope(sections=frozenset({SectionId("ticketing")}))
    for part in (Slice(), Slice(section="ticketing"), Slice(agent="1001"), Slice(section="complaint")):
        (found,) = await tallies_at(engine, now).tallies([NOVEMBER], part)
        whole, became = found[None].of(Tally.INQUIRIES), found[None].of(Tally.DISPATCHED)
        assert len(await counted_lines(engine, "K4", "denominator", now, part=part)) == whole
        assert len(await counted_lines(engine, "K4", "numerator", now, part=part)) == whole - became
    assert len(await counted_lines(engine, "K4", "denominator", now, ticketing)) == 1, "within reach"


async def test_k7_opens_to_just_the_steps_and_complaints_that_it_counts(engine: AsyncEngine) -> None:
    cases = SqlCases(engine, SHANGHAI, CLOCKS)
    late = [local("2026-11-25 10:00"), local("2026-12-03 10:00")]
    for n, (section, moments) in enumerate((("complaint", late), ("ticketing", [local("2026-11-23 10:00")]))):
        case = await cases.register(registered(local("2026-11-23 09:00"), section=SectionId(section)), f"k{n}")
        for event in steps(moments, dissatisfied=n):
            case = await cases.append(case.number, case.version, event)
    await cases.register(registered(local("2026-11-26 09:00"), section=SectionId("ticketing")), "not asked")
    now, ticketing = "2026-12-04 00:00", Scope(sections=frozenset({SectionId("ticketing")}))
    (whole,) = await tallies_at(engine, now).tallies([NOVEMBER])
    (held,) = await tallies_at(engine, now).tallies([NOVEMBER], Slice(section="ticketing"))
    for kpi, side, tally in (
        ("K7t", "numerator", Tally.STEPS_IN_TIME),
        ("K7t", "denominator", Tally.STEPS_DUE),
        ("K7s", "numerator", Tally.COMPLAINANTS_SATISFIED),
        ("K7s", "denominator", Tally.COMPLAINANTS_ASKED),
    ):
        assert len(await counted_lines(engine, kpi, side, now)) == whole[None].of(tally) > 0, (kpi, side)
        part = Slice(section="ticketing")
        assert len(await counted_lines(engine, kpi, side, now, part=part)) == held[None].of(tally) > 0
        assert len(await counted_lines(engine, kpi, side, now, ticketing)) == held[None].of(tally), "within reach"
    assert await counted_lines(engine, "K7t", "denominator", now, Scope()) == []


@pytest.mark.parametrize(
    "text", ["", "x~TS2026-00001~0", "2026-11-23T01:00:00~x~0", "2026-11-23T01:00:00~TS2026-00001~-1"]
)
def test_a_place_among_counted_cases_that_nobody_wrote_is_none(text: str) -> None:
    assert CountedPlace.parse(text) is None


async def test_days_of_one_kind_only(engine: AsyncEngine, book: SqlOrders) -> None:
    for n, moment in enumerate(("2026-10-09 10:00", "2026-10-10 10:00", "2026-10-11 10:00", "2026-10-01 10:00")):
        await book.file(asked(local(moment)), f"k{n}")
    october = Period.containing(local("2026-10-09 10:00"), Grain.MONTH, SHANGHAI)
    tallies = tallies_at(engine, "2026-11-30 12:00")
    for kind, count in ((Days.WORKING, 2), (Days.OFF, 2), (Days.UNKNOWN, 0)):
        (found,) = await tallies.tallies([october], Slice(days=kind))
        assert found[None].of(Tally.INQUIRIES) == count, kind
