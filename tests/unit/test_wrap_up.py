"""The wrap-up form: what is filed from it, and what is asked for before (A5, A7, C2, C6, K4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from calls.case_events import CaseRegistered
from calls.cases import Channel, ComplaintType, Urgency
from calls.filing import DeskFiling, NothingReason, Outcome, UnfiledCall
from calls.ids import AgentNumber, CallId, Language, SectionId
from cases.catalogue import read_catalogue
from console.desk.wrap_up import KINDS, CallbackWanted, InquiryFiled, Problem, Situation, Wrong, read
from tests.support_cases import SHANGHAI, local

INQUIRY = SectionId("inquiry")
ARRIVED = local("2026-11-24 09:58")
NOW = local("2026-11-24 10:02")
CALL = UnfiledCall(
    call_id=CallId("1.1"),
    arrived_at=ARRIVED,
    connected_at=ARRIVED + timedelta(seconds=20),
    ended_at=NOW - timedelta(seconds=5),
    caller="13900001234",
    section=INQUIRY,
    language=Language("zh-CN"),
    trunk="city",
    priority=False,
)
SITUATION = Situation(
    call=CALL,
    agent=AgentNumber("1001"),
    login="anne",
    sections=(INQUIRY,),
    catalogue=read_catalogue(),
    now=NOW,
    zone=SHANGHAI,
)
ANSWERED = {
    "outcome": "answered",
    "section": "inquiry",
    "category": "ticketing/refund/fee",
    "content": "what does a refund cost",
    "answer": "nothing before Tuesday",
}
ORDER = ANSWERED | {"outcome": "work_order", "department": "fares", "promise": "we call you tomorrow"}
COMPLAINT = {
    "outcome": "complaint",
    "section": "inquiry",
    "type": "facilities",
    "urgency": "urgent",
    "importance": "ordinary",
    "content": "the lift stands still",
    "name": "Wang",
    "place": "west station",
}


def wrong(fields: Mapping[str, str], situation: Situation = SITUATION) -> dict[str, Wrong]:
    problems = read(fields, situation)
    assert isinstance(problems, tuple)
    return {problem.field: problem.wrong for problem in problems}


def test_an_inquiry_is_answered_at_once() -> None:
    filed = read(ANSWERED, SITUATION)
    assert isinstance(filed, InquiryFiled)
    inquiry = filed.inquiry
    assert filed.dispatch is None
    assert (inquiry.asked_at, inquiry.call_id, inquiry.agent) == (ARRIVED, "1.1", "1001")
    assert (inquiry.category, inquiry.answer) == ("ticketing/refund/fee", "nothing before Tuesday")
    assert inquiry.contact == "13900001234", "the number that the call came from"


def test_a_work_order_carries_department_due_time_and_the_promise() -> None:
    filed = read(ORDER | {"due_at": "2026-11-25T17:00", "contact": "010 8888"}, SITUATION)
    assert isinstance(filed, InquiryFiled)
    assert filed.dispatch
    assert (filed.dispatch.department, filed.dispatch.promise) == ("fares", "we call you tomorrow")
    assert filed.dispatch.due_at == local("2026-11-25 17:00")
    assert filed.dispatch.contact == "010 8888"
    assert filed.inquiry.answer == "", "what is not answered counts as dispatched (K4)"


def test_department_and_due_time_are_those_of_the_category_if_nothing_else_is_said() -> None:
    filed = read({name: text for name, text in ORDER.items() if name != "department"}, SITUATION)
    assert isinstance(filed, InquiryFiled)
    assert filed.dispatch
    assert (filed.dispatch.department, filed.dispatch.due_at) == ("fares", NOW + timedelta(hours=72))


def test_a_complaints_clock_runs_from_the_calls_arrival_not_from_typing() -> None:
    filed = read(COMPLAINT, SITUATION)
    assert isinstance(filed, CaseRegistered)
    assert (filed.arrived_at, filed.channel, filed.call_id) == (ARRIVED, Channel.HOTLINE, "1.1")
    assert (filed.type, filed.urgency) == (ComplaintType.FACILITIES, Urgency.URGENT)
    assert filed.contact == "13900001234"


def test_a_call_back_is_promised() -> None:
    filed = read({"outcome": "callback", "callback_at": "2026-11-24T15:00", "remark": "ask for Wang"}, SITUATION)
    assert filed == CallbackWanted(local("2026-11-24 15:00"), "13900001234", "ask for Wang")


def test_nothing_is_filed_with_a_reason() -> None:
    filed = read({"outcome": "nothing", "reason": "wrong_number"}, SITUATION)
    assert isinstance(filed, DeskFiling)
    assert (filed.outcome, filed.reason, filed.agent) == (Outcome.NOTHING, NothingReason.WRONG_NUMBER, "1001")


M, U = Wrong.MISSING, Wrong.UNKNOWN
WANTING: list[tuple[str, dict[str, Any], dict[str, Wrong]]] = [
    ("nothing chosen", {"outcome": ""}, {"outcome": M}),
    ("an outcome that is none", {"outcome": "filed"}, {"outcome": U}),
    ("an inquiry with nothing", {"outcome": "answered"}, dict.fromkeys(
        ("section", "category", "content", "answer"), M
    )),
    ("a branch of the tree", ANSWERED | {"category": "ticketing"}, {"category": U}),
    ("another section", ANSWERED | {"section": "complaint"}, {"section": U}),
    ("an order without a promise", ORDER | {"promise": " "}, {"promise": M}),
    ("due in the past", ORDER | {"due_at": "2026-11-24T10:00"}, {"due_at": Wrong.PAST}),
    ("due in a year", ORDER | {"due_at": "2027-11-24T10:00"}, {"due_at": U}),
    ("due at no time", ORDER | {"due_at": "tomorrow"}, {"due_at": U}),
    ("no department", ORDER | {"department": "nowhere"}, {"department": U}),
    ("a complaint with nothing", {"outcome": "complaint"}, dict.fromkeys(
        ("section", "type", "urgency", "importance", "content", "name", "place"), M
    )),
    ("a complaint about tomorrow", COMPLAINT | {"occurred_at": "2026-11-25T10:00"}, {"occurred_at": Wrong.FUTURE}),
    ("a call back at no time", {"outcome": "callback"}, {"callback_at": M}),
    ("nothing, for no reason", {"outcome": "nothing"}, {"reason": M}),
    ("too many words", ANSWERED | {"answer": "a" * 4001}, {"answer": Wrong.TOO_LONG}),
    ("too long a name", ANSWERED | {"name": "a" * 201}, {"name": Wrong.TOO_LONG}),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "expected"), [row[1:] for row in WANTING], ids=[row[0] for row in WANTING])
def test_everything_that_is_missing_is_said_at_once(fields: dict[str, str], expected: dict[str, Wrong]) -> None:
    assert wrong(fields) == expected


def test_a_caller_who_withheld_the_number_must_be_asked_for_one_where_it_is_needed() -> None:
    withheld = replace(SITUATION, call=replace(CALL, caller=None))
    assert wrong(ORDER, withheld) == {"contact": M}
    assert wrong(COMPLAINT, withheld) == {"contact": M}
    assert isinstance(read(ANSWERED, withheld), InquiryFiled), "who was answered need not be reached again"


def test_every_problem_names_a_field_of_the_form() -> None:
    for _, fields, _ in WANTING:
        for problem in read(fields, SITUATION):  # type: ignore[union-attr]
            assert isinstance(problem, Problem)
            assert problem.field in KINDS
