"""Whole complaints across the Spring Festival and National Day of two years, make-up workdays included (C4, C5).

Each line: what happened and when; and when the step that it began is due, reckoned by hand from the State
Council's notices.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from calls.case import Case
from calls.case_events import (
    CaseClosed,
    CaseFedBack,
    CaseForwarded,
    CaseWorkedAgain,
    ComplainantAsked,
    OpinionApproved,
    OpinionGiven,
    OpinionReturned,
    ResultReported,
    WorkDone,
)
from calls.cases import Answer, Known, Login, State
from calls.errors import AccessDenied, CaseConflict, CaseUnknown
from cases.catalogue import read_catalogue
from cases.office import CaseOffice, Incomplete
from storage.cases import SqlCases
from storage.engine import open_engine
from tests.support_cases import (
    AGENT,
    CHIEF,
    CLOCKS,
    SHANGHAI,
    STATIONS,
    STRANGER,
    WORKER,
    SetClock,
    local,
    midnight_after,
    registered,
)
from tests.support_prepared import prepared

LINES: dict[str, tuple[type[Any], Any, dict[str, Any]]] = {
    "forwarded": (CaseForwarded, CHIEF, {"department": STATIONS}),
    "opinion": (OpinionGiven, WORKER, {"opinion": "三日内更换电机"}),
    "returned": (OpinionReturned, CHIEF, {"why": "没有防止再发的措施"}),
    "approved": (OpinionApproved, CHIEF, {}),
    "done": (WorkDone, WORKER, {}),
    "reported": (ResultReported, WORKER, {"result": "已更换"}),
    "fed back": (CaseFedBack, AGENT, {"told": "电话告知结果"}),
    "dissatisfied": (ComplainantAsked, AGENT, {"answer": Answer.DISSATISFIED, "words": "又停了"}),
    "satisfied": (ComplainantAsked, AGENT, {"answer": Answer.SATISFIED}),
    "again": (CaseWorkedAgain, AGENT, {"department": STATIONS, "why": "又停了"}),
    "closed": (CaseClosed, CHIEF, {"measures": "更换整机", "prevention": "每月巡检"}),
}

SPRING_2025 = """
registered    2025-01-27 10:00  2025-02-05
forwarded     2025-02-05 16:00  2025-02-08
opinion       2025-02-08 10:00  2025-02-10
returned      2025-02-10 10:00  2025-02-13
opinion       2025-02-11 17:30  2025-02-13
approved      2025-02-13 09:00  -
done          2025-02-14 18:00  2025-02-18
reported      2025-02-18 23:59  2025-02-20
fed back      2025-02-19 09:00  -
dissatisfied  2025-02-19 09:10  2025-02-20
again         2025-02-20 10:00  2025-02-25
opinion       2025-02-25 10:00  2025-02-26
approved      2025-02-27 10:00  -
done          2025-02-28 10:00  2025-03-03
reported      2025-03-01 10:00  2025-03-04
fed back      2025-03-03 10:00  -
satisfied     2025-03-03 10:05  -
closed        2025-03-04 10:00  -
"""
NATIONAL_2025 = """
registered    2025-09-28 10:00  2025-09-29
forwarded     2025-09-30 10:00  2025-10-11
opinion       2025-10-11 09:00  2025-10-13
returned      2025-10-13 09:00  2025-10-16
opinion       2025-10-14 09:00  2025-10-15
approved      2025-10-15 09:00  -
done          2025-10-17 09:00  2025-10-20
reported      2025-10-20 09:00  2025-10-21
fed back      2025-10-21 09:00  -
dissatisfied  2025-10-21 09:30  2025-10-22
again         2025-10-21 10:00  2025-10-24
opinion       2025-10-22 10:00  2025-10-23
approved      2025-10-23 10:00  -
done          2025-10-24 10:00  2025-10-27
reported      2025-10-27 10:00  2025-10-28
fed back      2025-10-28 10:00  -
satisfied     2025-10-28 11:00  -
closed        2025-10-28 12:00  -
"""
SPRING_2026 = """
registered    2026-02-14 10:00  2026-02-24
forwarded     2026-02-24 18:00  2026-02-28
opinion       2026-02-28 09:00  2026-03-02
returned      2026-03-02 09:00  2026-03-05
opinion       2026-03-03 09:00  2026-03-04
approved      2026-03-04 09:00  -
done          2026-03-05 09:00  2026-03-06
reported      2026-03-06 18:00  2026-03-10
fed back      2026-03-09 09:00  -
dissatisfied  2026-03-09 09:30  2026-03-10
again         2026-03-10 09:00  2026-03-13
opinion       2026-03-11 09:00  2026-03-12
approved      2026-03-12 09:00  -
done          2026-03-13 09:00  2026-03-16
reported      2026-03-16 09:00  2026-03-17
fed back      2026-03-17 09:00  -
satisfied     2026-03-17 09:30  -
closed        2026-03-17 10:00  -
"""
NATIONAL_2026 = """
registered    2026-10-02 09:00  2026-10-09
forwarded     2026-10-08 10:00  2026-10-12
opinion       2026-10-10 10:00  2026-10-12
returned      2026-10-12 10:00  2026-10-15
opinion       2026-10-13 10:00  2026-10-14
approved      2026-10-14 10:00  -
done          2026-10-15 10:00  2026-10-16
reported      2026-10-16 10:00  2026-10-19
fed back      2026-10-19 10:00  -
dissatisfied  2026-10-19 11:00  2026-10-20
again         2026-10-20 10:00  2026-10-23
opinion       2026-10-21 10:00  2026-10-22
approved      2026-10-22 10:00  -
done          2026-10-23 10:00  2026-10-26
reported      2026-10-26 10:00  2026-10-27
fed back      2026-10-27 10:00  -
satisfied     2026-10-27 11:00  -
closed        2026-10-27 12:00  -
"""


@pytest_asyncio.fixture
async def book(tmp_path: Path) -> AsyncIterator[SqlCases]:
    engine = open_engine(await prepared("sqlite", tmp_path))
    yield SqlCases(engine, SHANGHAI, CLOCKS)
    await engine.dispose()


@pytest.mark.parametrize(
    ("story", "late"),
    [(SPRING_2025, {"approved"}), (NATIONAL_2025, {"forwarded"}), (SPRING_2026, set()), (NATIONAL_2026, set())],
    ids=["spring 2025", "national day 2025", "spring 2026", "national day 2026"],
)
async def test_a_complaint_across_a_festival(book: SqlCases, story: str, late: set[str]) -> None:
    clock = SetClock()
    office = CaseOffice(book, read_catalogue(), clock)
    case: Case | None = None
    found_late = set()
    for line in filter(None, story.splitlines()):
        what, moment, due = line[:14].strip(), line[14:30], line[32:]
        clock.set(moment)
        now = clock.now()
        if case is None:
            case = await office.register(registered(now), "k", AGENT)
        else:
            kind, person, fields = LINES[what]
            before = case
            case = await office.write(
                case.number, case.version, kind(at=now, by=Login(person.login), **fields), person
            )
            ended = CLOCKS(case)[len(before.runs) - 1]
            if ended.in_time is False and ended.counted:
                found_late.add(what)
        if due != "-":
            standing = CLOCKS(case)[-1]
            assert standing.known is Known.DUE and standing.due_at == midnight_after(due), line
    assert case is not None and case.state is State.CLOSED and case.round == 2
    assert found_late == late
    assert await book.case(case.number) == case
    assert not await book.rewrite(case.number), "computed again, it is the same"


async def test_the_office_lets_nobody_past(book: SqlCases) -> None:
    clock = SetClock()
    office = CaseOffice(book, read_catalogue(), clock)
    with pytest.raises(AccessDenied):
        await office.register(registered(), "k", STRANGER)
    with pytest.raises(Incomplete, match="content: missing"):
        await office.register(registered(content=""), "k", AGENT)
    with pytest.raises(Incomplete, match="cause: unknown"):
        await office.register(registered(cause="weather"), "k", AGENT)
    case = await office.register(registered(), "k", AGENT)
    forward = CaseForwarded(at=clock.now(), by=Login("wang"), department=STATIONS)
    with pytest.raises(CaseUnknown):
        await office.write(case.number, 1, forward, STRANGER)
    with pytest.raises(CaseUnknown):
        await office.seen(case.number, WORKER)
    await office.write(case.number, 1, forward, CHIEF)
    with pytest.raises(AccessDenied):
        await office.write(case.number, 2, OpinionApproved(at=clock.now(), by=Login("zhao")), WORKER)
    with pytest.raises(CaseConflict):
        await office.write(case.number, 1, OpinionGiven(at=clock.now(), by=Login("zhao"), opinion="x"), WORKER)


async def test_a_clock_that_was_set_back_does_not_turn_a_history_around(book: SqlCases) -> None:
    clock = SetClock(local("2026-11-23 10:00"))
    office = CaseOffice(book, read_catalogue(), clock)
    case = await office.register(registered(clock.now()), "k", AGENT)
    clock.set("2026-11-23 09:00")
    forward = CaseForwarded(at=clock.now(), by=Login("wang"), department=STATIONS)
    case = await office.write(case.number, 1, forward, CHIEF)
    assert case.last_at == case.registered_at == local("2026-11-23 10:00")
