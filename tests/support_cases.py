"""Complaints, inquiries and people for tests: short ways of saying what happened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import chinese_calendar

from calls.case_events import (
    AnyCaseEvent,
    CaseClosed,
    CaseFedBack,
    CaseForwarded,
    CaseRegistered,
    CaseWorkedAgain,
    ComplainantAsked,
    OpinionApproved,
    OpinionGiven,
    OpinionReturned,
    ResultReported,
    WorkDone,
)
from calls.cases import Answer, CaseNumber, CategoryId, Channel, ComplaintType, DepartmentId, Login
from calls.ids import AgentNumber, SectionId
from calls.inquiries import Inquiry, OrderDispatched
from calls.people import Grant, Person, Role
from calls.workdays import Workdays
from cases.clocks import Calendar, Clocks

SHANGHAI = ZoneInfo("Asia/Shanghai")
CHINA = Workdays(frozenset(chinese_calendar.holidays), frozenset(chinese_calendar.workdays))
CALENDAR = Calendar(SHANGHAI, CHINA)
CLOCKS = Clocks(CALENDAR)
COMPLAINT = SectionId("complaint")
STATIONS = DepartmentId("stations")

AGENT = Person("li", "李", (Grant(Role.AGENT, COMPLAINT),), AgentNumber("2001"))
SECOND = Person("zhou", "周", (Grant(Role.AGENT, COMPLAINT),), AgentNumber("2002"))
CHIEF = Person("wang", "王", (Grant(Role.SUPERVISOR, COMPLAINT),))
WORKER = Person("zhao", "赵", (Grant(Role.DEPARTMENT, SectionId(STATIONS)),))
STRANGER = Person("sun", "孙", (Grant(Role.AGENT, SectionId("ticketing")),), AgentNumber("3001"))


def local(text: str) -> datetime:
    """A moment in Shanghai, ``2026-02-13 10:00``, in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI).astimezone(UTC)


ZERO = local("2026-11-23 09:00")
"""A Monday."""


class SetClock:
    """A clock that stands where it was set."""

    def __init__(self, now: datetime = ZERO) -> None:
        self._now = now

    def now(self) -> datetime:
        return self._now

    def set(self, moment: datetime | str) -> None:
        self._now = local(moment) if isinstance(moment, str) else moment

    def pass_(self, **parts: float) -> None:
        self._now += timedelta(**parts)


def registered(at: datetime = ZERO, **fields: Any) -> CaseRegistered:
    """A complaint by telephone, two minutes after the call arrived."""
    given: dict[str, Any] = {
        "at": at,
        "by": Login("li"),
        "channel": Channel.HOTLINE,
        "arrived_at": at - timedelta(minutes=2),
        "name": "张三",
        "contact": "13800138000",
        "place": "西站",
        "content": "自动扶梯停了三天没人修",
        "section": COMPLAINT,
        "type": ComplaintType.FACILITIES,
    }
    return CaseRegistered(**{**given, **fields})


def steps(
    moments: Sequence[datetime], *, returned: int = 0, dissatisfied: int = 0, close: bool = True
) -> list[AnyCaseEvent]:
    """A whole path, each line at the next of these moments; the last moment serves for all that are left."""
    told: list[Any] = []
    for round_ in range(dissatisfied + 1):
        again = (CaseWorkedAgain, {"department": STATIONS, "why": "不满意"})
        told.append(again if round_ else (CaseForwarded, {"department": STATIONS}))
        for _ in range(returned):
            told += [(OpinionGiven, {"opinion": "知道了"}), (OpinionReturned, {"why": "没有措施"})]
        told += [
            (OpinionGiven, {"opinion": "三日内修好"}),
            (OpinionApproved, {}),
            (WorkDone, {}),
            (ResultReported, {"result": "已修好"}),
            (CaseFedBack, {"told": "电话告知"}),
            (ComplainantAsked, {"answer": Answer.SATISFIED if round_ == dissatisfied else Answer.DISSATISFIED}),
        ]
    if close:
        told.append((CaseClosed, {"measures": "更换电机", "prevention": "每月巡检"}))
    at = [*moments, *[moments[-1]] * len(told)]
    return [kind(at=at[n], by=Login("wang"), **fields) for n, (kind, fields) in enumerate(told)]


def asked(at: datetime = ZERO, **fields: Any) -> Inquiry:
    """An inquiry answered at once."""
    given: dict[str, Any] = {
        "number": CaseNumber(""),
        "asked_at": at - timedelta(minutes=3),
        "filed_at": at,
        "filed_by": Login("li"),
        "channel": Channel.HOTLINE,
        "section": SectionId("inquiry"),
        "category": CategoryId("ticketing/refund/fee"),
        "content": "退票手续费怎么算",
        "answer": "开车前八天以上不收",
        "contact": "13900139000",
        "agent": AgentNumber("1001"),
        "trunk": "city",
    }
    return Inquiry(**{**given, **fields})


def dispatched(at: datetime = ZERO, **fields: Any) -> OrderDispatched:
    """A work order with an answer promised for the next day."""
    given: dict[str, Any] = {
        "at": at,
        "by": Login("li"),
        "section": SectionId("inquiry"),
        "department": DepartmentId("fares"),
        "category": CategoryId("ticketing/refund/fee"),
        "content": "退票款没有到账",
        "promise": "明天下班前给您回电",
        "due_at": at + timedelta(days=1),
        "contact": "13900139000",
    }
    return OrderDispatched(**{**given, **fields})


def midnight_after(day: str) -> datetime:
    """The end of a local day."""
    begin = datetime.combine(datetime.fromisoformat(day).date(), time(), SHANGHAI)
    return (begin + timedelta(days=1)).astimezone(UTC)


def by(event: Any, person: Person) -> Any:
    """The same line, written by this person."""
    return replace(event, by=Login(person.login))
