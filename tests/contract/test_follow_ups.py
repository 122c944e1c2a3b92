"""Whoever was told what came of their complaint is called back and asked, over both databases (C4)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from calls.callbacks import CallBack, CallbackState, Numbers, Origin
from calls.case import Case
from calls.case_events import (
    AnyCaseEvent,
    CaseCorrected,
    CaseWorkedAgain,
    ClockPaused,
    ComplainantAsked,
    NoteAdded,
)
from calls.cases import Answer, Login, PauseReason
from calls.events import CallbackStep as Told
from calls.ids import SectionId
from cases.clocks import Clocks
from service.cases import clocks_of
from service.settings import Settings
from storage.cases import SqlCases
from storage.engine import open_engine
from tests.support_callbacks import DIALS, NOON, ONE, Office
from tests.support_cases import CALENDAR, STATIONS, registered, steps
from tests.support_prepared import dropped, prepared

CLOCKS = clocks_of(Settings())
MORNING = NOON - timedelta(hours=2)


@dataclass
class Stage:
    """Cases and the call-back list of one hotline."""

    office: Office
    cases: SqlCases

    async def told(self, key: str = "k1", **fields: Any) -> Case:
        """A complaint whose result the complainant has been told, by whatever door."""
        case = await self.cases.register(registered(MORNING, **fields), key)
        for event in steps([MORNING + timedelta(minutes=n) for n in range(1, 7)], close=False)[:-1]:
            case = await self.cases.append(case.number, case.version, event)
        return case

    async def write(self, case: Case, kind: type[AnyCaseEvent], **fields: Any) -> Case:
        at = max(case.last_at, self.office.clock.now())
        return await self.cases.append(case.number, case.version, kind(at=at, by=Login("wang"), **fields))

    async def listed(self, case: Case) -> list[CallBack]:
        """The case's call-backs after the keeper has looked twice: looking again changes nothing."""
        await self.office.keeper.look()
        first = await self.office.desk.of_case(case.number)
        await self.office.keeper.look()
        assert await self.office.desk.of_case(case.number) == first
        return first


@pytest_asyncio.fixture(params=["sqlite", "postgresql"])
async def stage(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Stage]:
    url = await prepared(request.param, tmp_path)
    engine = open_engine(url)
    yield Stage(Office(engine, Settings.model_validate(DIALS)), SqlCases(engine, CALENDAR.zone, CLOCKS))
    await engine.dispose()
    dropped(url)


def due(case: Case) -> datetime:
    moment = CLOCKS(case)[-1].due_at
    assert moment is not None
    return moment


async def test_who_was_told_the_result_is_on_the_list_once(stage: Stage) -> None:
    case = await stage.told(key_customer=True)
    (listed,) = await stage.listed(case)
    assert (listed.origin, listed.state) == (Origin.FOLLOW_UP, CallbackState.WAITING)
    assert (listed.case_id, listed.telephone, listed.section) == (case.number, "13800138000", case.section)
    assert listed.due_at == due(case) and listed.priority
    await stage.write(case, NoteAdded, text="下午方便接电话")
    assert await stage.listed(case) == [listed]


async def test_a_step_whose_clock_cannot_be_read_is_due_in_a_week(stage: Stage) -> None:
    stage.cases = SqlCases(stage.office.engine, CALENDAR.zone, Clocks(CALENDAR))
    case = await stage.told()
    (listed,) = await stage.listed(case)
    assert listed.due_at == case.last_at + timedelta(days=7)


async def test_before_the_result_was_told_nobody_is_called(stage: Stage) -> None:
    case = await stage.cases.register(registered(MORNING), "k1")
    assert await stage.listed(case) == []


@pytest.mark.parametrize("contact", ["", "zhang13800138000@example.com", "微信 zhang3", "110"])
async def test_a_case_without_a_telephone_is_not_listed(stage: Stage, contact: str) -> None:
    case = await stage.told(contact=contact)
    assert await stage.listed(case) == []
    await stage.write(case, CaseCorrected, contact="010-6655 4433 / 微信")
    (listed,) = await stage.listed(case)
    assert listed.telephone == "01066554433"


async def test_a_correction_and_a_pause_are_followed(stage: Stage) -> None:
    case = await stage.told()
    (before,) = await stage.listed(case)
    case = await stage.write(case, CaseCorrected, contact="13900139000")
    until = MORNING + timedelta(days=9)
    case = await stage.write(case, ClockPaused, why="住院", reason=PauseReason.COMPLAINANT, until=until)
    (after,) = await stage.listed(case)
    assert after == replace(before, telephone="13900139000", due_at=due(case)) and after.due_at > before.due_at


@pytest.mark.parametrize("in_hand", [False, True])
async def test_who_was_asked_in_another_way_is_not_called(stage: Stage, in_hand: bool) -> None:
    case = await stage.told(section=SectionId("inquiry"))
    (listed,) = await stage.listed(case)
    if in_hand:
        await stage.office.desk.take(listed.number, ONE)
    case = await stage.write(case, ComplainantAsked, answer=Answer.SATISFIED)
    (over,) = await stage.listed(case)
    assert (over.state, over.note, over.agent) == (CallbackState.WITHDRAWN, "case:followed_up", None)
    assert await stage.office.desk.waiting() == []
    # Nor does it count as given up, or as a promise.
    tally = await stage.office.desk.book.tally(MORNING - timedelta(days=1), due(case) + timedelta(days=9))
    assert (tally.given_up, tally.kept, tally.broken) == (0, 0, 0)


async def test_worked_again_and_told_again_is_asked_again(stage: Stage) -> None:
    case = await stage.told()
    await stage.listed(case)
    case = await stage.write(case, ComplainantAsked, answer=Answer.DISSATISFIED)
    case = await stage.write(case, CaseWorkedAgain, department=STATIONS, why="不满意")
    (first,) = await stage.listed(case)
    assert (first.state, first.note) == (CallbackState.WITHDRAWN, "case:forwarded")
    for event in steps([NOON + timedelta(minutes=n) for n in range(1, 7)], close=False)[1:-1]:
        case = await stage.cases.append(case.number, case.version, event)
    first, second = await stage.listed(case)
    assert (first.state, second.state) == (CallbackState.WITHDRAWN, CallbackState.WAITING)
    assert second.due_at == due(case)


async def test_who_is_on_the_telephone_is_left_to_talk(stage: Stage) -> None:
    """The agent writes the answer down while the complainant is still there: the call-back was kept."""
    case = await stage.told(section=SectionId("inquiry"))
    (listed,) = await stage.listed(case)
    await stage.office.desk.take(listed.number, ONE)
    attempt = await stage.office.desk.dial(listed.number, ONE)
    await stage.write(case, ComplainantAsked, answer=Answer.SATISFIED)
    (during,) = await stage.listed(case)
    assert during.state is CallbackState.DIALLING
    heard = (Told.AGENT_ANSWERED, Told.DIALLED, Told.ANSWERED, Told.CONNECTED, Told.ENDED)
    await stage.office.told(listed.number, attempt.attempt, *heard)
    (after,) = await stage.listed(case)
    assert after.state is CallbackState.KEPT


def test_the_first_number_of_a_contact_that_may_be_called() -> None:
    numbers = Numbers(("0", "1"), 7, 12)
    assert numbers.first_in("１３８ 0013 8000") == "13800138000"
    assert numbers.first_in("+86 138-0013-8000") == "13800138000"
    assert numbers.first_in("(010) 6655·4433") == "01066554433"
    assert numbers.first_in("微信 zhang、12306；13900139000") == "13900139000"
    assert numbers.first_in("转 803") is None
