"""The flow of complaints: no path skips a step, a case is always owned, time runs forwards (C4, C5, C8, C9)."""

from __future__ import annotations

import contextlib
import itertools
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calls.case import ALWAYS, MOVES, MOVING, Case
from calls.case_events import (
    AnyCaseEvent,
    CaseAssessed,
    CaseClosed,
    CaseCorrected,
    CaseFedBack,
    CaseForwarded,
    CaseLinked,
    CaseReassigned,
    CaseRegistered,
    CaseUnlinked,
    CaseWorkedAgain,
    ClockPaused,
    ClockResumed,
    ComplainantAsked,
    HandOverAccepted,
    HandOverDeclined,
    HandOverOffered,
    NoteAdded,
    OpinionApproved,
    OpinionGiven,
    OpinionReturned,
    ResultReported,
    WorkDone,
)
from calls.cases import (
    Answer,
    CaseNumber,
    Channel,
    ComplaintType,
    DepartmentId,
    Importance,
    Link,
    LinkKind,
    Login,
    PauseReason,
    State,
    Step,
    Urgency,
    contact_key,
    parse_number,
)
from calls.errors import CaseRefused
from calls.ids import CallId
from cases.flow import ACTORS, Fault, Wrong, allowed, diagram, faults, may, may_see
from tests.support_cases import AGENT, CHIEF, SECOND, STATIONS, STRANGER, WORKER, ZERO, by, registered, steps

NUMBER = CaseNumber("TS2026-00001")
LI, WANG = Login("li"), Login("wang")


def case_of(*told: AnyCaseEvent, **fields: Any) -> Case:
    return Case.of(NUMBER, [registered(**fields), *told])


def test_the_whole_path_with_an_opinion_returned_and_the_complainant_dissatisfied_once() -> None:
    told = steps([ZERO], returned=1, dissatisfied=1)
    case = case_of(*told)
    assert (case.state, case.round, case.version) == (State.CLOSED, 2, len(told) + 1)
    assert [run.step for run in case.runs] == [
        *(Step.FORWARD, Step.OPINION, Step.REVIEW, Step.OPINION, Step.REVIEW),
        *(Step.WORK, Step.REPORT, Step.FEED_BACK, Step.FOLLOW_UP),
        *(Step.FORWARD, Step.OPINION, Step.REVIEW, Step.OPINION, Step.REVIEW),
        *(Step.WORK, Step.REPORT, Step.FEED_BACK, Step.FOLLOW_UP, Step.CLOSE),
    ]
    assert all(run.ended_at for run in case.runs)
    assert (case.measures, case.prevention) == ("更换电机", "每月巡检")


def test_a_closed_case_is_worked_again_when_the_complainant_comes_back() -> None:
    case = case_of(*steps([ZERO]))
    again = case.after(CaseWorkedAgain(at=ZERO, by=LI, why="又坏了", department=STATIONS))
    assert (again.state, again.round, again.closed_at, again.result) == (State.FORWARDED, 2, None, "")
    assert [run.nth for run in again.runs] == list(range(1, len(again.runs) + 1))


def test_who_cannot_be_reached_is_tried_three_times() -> None:
    fed_back = steps([ZERO], close=False)[:-1]
    case = case_of(*fed_back)
    for _ in range(2):
        case = case.after(ComplainantAsked(at=ZERO, by=LI, answer=Answer.UNREACHED))
        assert case.state is State.FED_BACK
    assert case.after(ComplainantAsked(at=ZERO, by=LI, answer=Answer.UNREACHED)).state is State.FOLLOWED_UP
    assert case.after(ComplainantAsked(at=ZERO, by=LI, answer=Answer.DISSATISFIED)).state is State.DISSATISFIED


@pytest.mark.parametrize("answer", [Answer.SATISFIED, Answer.DECLINED, Answer.NO_CONTACT])
def test_a_complainant_who_has_answered_needs_no_other_call(answer: Answer) -> None:
    case = case_of(*steps([ZERO], close=False)[:-1], ComplainantAsked(at=ZERO, by=LI, answer=answer))
    assert case.state is State.FOLLOWED_UP


def test_a_case_stays_with_who_was_asked_first_until_another_accepts() -> None:
    case = case_of(HandOverOffered(at=ZERO, by=LI, to=Login("zhou"), why="下班"))
    assert (case.owner, case.offered_to) == ("li", "zhou")
    with pytest.raises(CaseRefused):
        case.after(HandOverAccepted(at=ZERO, by=WANG))
    assert case.after(HandOverDeclined(at=ZERO, by=Login("zhou"), why="忙")).owner == "li"
    taken = case.after(HandOverAccepted(at=ZERO, by=Login("zhou")))
    assert (taken.owner, taken.offered_to) == ("zhou", None)
    with pytest.raises(CaseRefused):
        taken.after(HandOverAccepted(at=ZERO, by=Login("zhou")))
    with pytest.raises(CaseRefused):
        taken.after(HandOverOffered(at=ZERO, by=Login("zhou"), to=Login("zhou"), why="?"))
    assert taken.after(CaseReassigned(at=ZERO, by=WANG, to=LI, why="周离职")).owner == "li"


@pytest.mark.parametrize(
    ("channel", "minutes", "late"),
    [
        (Channel.HOTLINE, 10, False),
        (Channel.HOTLINE, 10.1, True),
        (Channel.WEB, 11, True),
        (Channel.WECHAT, 9, False),
        (Channel.COUNTER, 4, False),
        (Channel.COUNTER, 6, True),
        (Channel.LETTER, 5000, False),
        (Channel.FAX, 5000, False),
    ],
)
def test_registered_late_is_by_the_clock_of_arrival(channel: Channel, minutes: float, late: bool) -> None:
    arrived = ZERO - timedelta(minutes=minutes)
    assert case_of(channel=channel, arrived_at=arrived).registered_late is late


def test_key_customers_go_first_then_urgency_then_importance() -> None:
    def rank(key: bool, urgency: Urgency, importance: Importance) -> int:
        return case_of(key_customer=key, urgency=urgency, importance=importance).rank

    ranks = [
        rank(key, urgency, importance) for key in (True, False) for urgency in Urgency for importance in Importance
    ]
    assert ranks == list(range(18))


def test_what_is_written_better_or_assessed_anew_shows() -> None:
    case = case_of(
        CaseCorrected(at=ZERO, by=LI, place="东站", why="听错了"),
        CaseAssessed(
            at=ZERO,
            by=LI,
            type=ComplaintType.SAFETY,
            cause=None,
            category=None,
            urgency=Urgency.URGENT,
            importance=Importance.MAJOR,
            key_customer=True,
        ),
        CaseLinked(at=ZERO, by=LI, link=LinkKind.CASE, ref="TS2025-00009"),
        CaseLinked(at=ZERO, by=LI, link=LinkKind.RECORDING, ref="h-1.2"),
        CaseUnlinked(at=ZERO, by=LI, link=LinkKind.CASE, ref="TS2025-00009"),
        call_id=CallId("h-1.2"),
    )
    assert (case.place, case.name, case.type, case.key_customer) == ("东站", "张三", ComplaintType.SAFETY, True)
    assert case.links == {Link(LinkKind.CALL, "h-1.2"), Link(LinkKind.RECORDING, "h-1.2")}


def test_a_history_begins_with_its_registration_and_runs_forwards() -> None:
    with pytest.raises(CaseRefused):
        Case.of(NUMBER, [])
    with pytest.raises(CaseRefused):
        Case.of(NUMBER, steps([ZERO]))
    with pytest.raises(CaseRefused):
        case_of(registered())
    with pytest.raises(CaseRefused):
        case_of(NoteAdded(at=ZERO - timedelta(microseconds=1), by=LI, text="?"))


def test_a_closed_case_may_be_written_about_but_not_changed() -> None:
    closed = case_of(*steps([ZERO]))
    assert closed.after(NoteAdded(at=ZERO, by=LI, text="表扬信")).state is State.CLOSED
    with pytest.raises(CaseRefused):
        closed.after(CaseCorrected(at=ZERO, by=LI, place="别处"))
    with pytest.raises(CaseRefused):
        closed.after(ClockPaused(at=ZERO, by=WANG, reason=PauseReason.COMPLAINANT, until=ZERO + timedelta(days=1)))


def sample(kind: type[AnyCaseEvent], draw: Any) -> Any:
    """Some event of a kind, with fields that fit."""
    fields: dict[str, Any] = {
        CaseForwarded: {"department": STATIONS},
        CaseWorkedAgain: {"department": STATIONS},
        OpinionGiven: {"opinion": "x"},
        ResultReported: {"result": "x"},
        CaseFedBack: {"told": "x"},
        ComplainantAsked: {"answer": draw(st.sampled_from(list(Answer)))},
        CaseClosed: {"measures": "x", "prevention": "x"},
        NoteAdded: {"text": "x"},
        HandOverOffered: {"to": Login(draw(st.sampled_from(["li", "zhou", "wang"])))},
        CaseReassigned: {"to": Login(draw(st.sampled_from(["li", "zhou"])))},
        ClockPaused: {
            "reason": PauseReason.COMPLAINANT,
            "until": ZERO + timedelta(hours=draw(st.integers(0, 99))),
        },
        CaseLinked: {"link": LinkKind.CALL, "ref": "1.1"},
        CaseUnlinked: {"link": LinkKind.CALL, "ref": "1.1"},
        CaseAssessed: {
            **{"type": ComplaintType.OTHER, "cause": None, "category": None, "key_customer": False},
            **{"urgency": Urgency.ORDINARY, "importance": Importance.ORDINARY},
        },
    }.get(kind, {})
    at = ZERO + timedelta(hours=draw(st.integers(0, 99)))
    who = Login(draw(st.sampled_from(["li", "zhou", "wang"])))
    return registered(at, by=who) if kind is CaseRegistered else kind(at=at, by=who, **fields)


KINDS: dict[str, Any] = {kind.kind: kind for kind in get_args(AnyCaseEvent)}


@st.composite
def anything_tried(draw: st.DrawFn) -> list[AnyCaseEvent]:
    """Somebody tries all sorts of things in any order; now and then what the flow waits for."""
    case, tried = case_of(), []
    for sensible in draw(st.lists(st.booleans(), max_size=50)):
        moves = [kind for state, kind in MOVES if state is case.state]
        event = sample(KINDS[draw(st.sampled_from(moves if sensible else sorted(KINDS)))], draw)
        if sensible:
            event = replace(event, at=case.last_at + timedelta(minutes=draw(st.integers(0, 5000))))
        tried.append(event)
        with contextlib.suppress(CaseRefused):
            case = case.after(event)
    return tried


ORDER = {State.REGISTERED: 0, State.FORWARDED: 1, State.REVIEW: 2, State.IN_WORK: 3, State.DONE: 4}
ORDER |= {State.REPORTED: 5, State.FED_BACK: 6, State.FOLLOWED_UP: 7, State.DISSATISFIED: 7, State.CLOSED: 8}
BACK = {(State.REVIEW, State.FORWARDED), (State.DISSATISFIED, State.FORWARDED), (State.CLOSED, State.FORWARDED)}


@given(anything_tried())
def test_whatever_is_tried_no_step_is_skipped_and_somebody_owns_the_case(tried: list[AnyCaseEvent]) -> None:
    case, history = case_of(), [registered()]
    for event in tried:
        try:
            after = case.after(event)
        except CaseRefused:
            continue
        history.append(event)
        assert after.owner
        assert after.last_at >= case.last_at and after.version == case.version + 1
        if after.state is not case.state:
            moved = (case.state, after.state)
            assert moved in BACK or ORDER[after.state] == ORDER[case.state] + 1
        ended = [run for run in after.runs if run.ended_at]
        assert all(run.ended_at and run.ended_at >= run.began_at for run in ended)
        assert len(after.runs) - len(ended) == (after.state is not State.CLOSED)
        for one, following in itertools.pairwise(after.runs):
            assert one.ended_at == following.began_at or (one.step is Step.CLOSE and after.round > 1)
        case = after
    assert Case.of(NUMBER, history) == case


@given(anything_tried(), st.randoms(use_true_random=False))
def test_links_and_notes_of_two_people_say_the_same_in_whatever_order(
    tried: list[AnyCaseEvent], random: Any
) -> None:
    commuting = [replace(event, at=ZERO) for event in tried if isinstance(event, NoteAdded | CaseLinked)]
    shuffled = random.sample(commuting, len(commuting))
    assert case_of(*commuting) == case_of(*shuffled)


# ── Who, and what must be said ───────────────────────────────────────────────────────────────────────────────


def test_who_sees_a_case() -> None:
    case = case_of()
    assert [may_see(case, who) for who in (AGENT, SECOND, CHIEF, WORKER, STRANGER)] == [
        True,
        True,
        True,
        False,
        False,
    ]
    forwarded = case_of(*steps([ZERO])[:1])
    assert may_see(forwarded, WORKER)
    offered = case_of(HandOverOffered(at=ZERO, by=LI, to=Login("sun"), why="x"))
    assert may_see(offered, STRANGER), "whoever is asked to take a case over must know what it is"


def test_who_may_do_what() -> None:
    def who(case: Case, kind: str) -> str:
        return " ".join(
            person.login for person in (AGENT, SECOND, CHIEF, WORKER, STRANGER) if may(case, person, kind)
        )

    case = case_of(*steps([ZERO])[:1])
    assert who(case, CaseForwarded.kind) == "li wang", "the owner, and the centre"
    assert who(case, OpinionGiven.kind) == "wang zhao"
    assert who(case, OpinionApproved.kind) == "wang", "a department does not review itself"
    assert who(case, CaseClosed.kind) == "wang"
    assert who(case, NoteAdded.kind) == "li zhou wang zhao"
    assert who(case, HandOverOffered.kind) == "li"
    offered = case.after(HandOverOffered(at=ZERO, by=LI, to=Login("zhou"), why="x"))
    assert who(offered, HandOverAccepted.kind) == "zhou"
    assert who(offered, HandOverDeclined.kind) == "li zhou"


def test_what_is_offered_on_the_page_is_what_the_flow_takes() -> None:
    case = case_of(*steps([ZERO])[:2])
    assert case.state is State.REVIEW
    assert set(allowed(case, CHIEF, ZERO)) >= {OpinionReturned.kind, OpinionApproved.kind, ClockPaused.kind}
    assert set(allowed(case, CHIEF, ZERO)).isdisjoint({CaseClosed.kind, WorkDone.kind, ClockResumed.kind})
    assert allowed(case_of(*steps([ZERO])), WORKER, ZERO) == (NoteAdded.kind, CaseLinked.kind)


def test_everybody_has_a_part_in_every_kind_of_line() -> None:
    kinds = {kind.kind for kind in get_args(AnyCaseEvent)}
    assert set(ACTORS) == kinds - {CaseRegistered.kind}
    assert kinds >= MOVING | ALWAYS


def test_what_is_missing_is_told_field_by_field() -> None:
    assert faults(registered(), ZERO) == ()
    empty = registered(name=" ", contact="", content="", place="", occurred_at=ZERO + timedelta(hours=1))
    assert set(faults(empty, ZERO)) == {
        *(Fault(name, Wrong.MISSING) for name in ("name", "contact", "content", "place")),
        Fault("occurred_at", Wrong.IN_FUTURE),
    }
    assert faults(registered(channel=Channel.LETTER, contact=""), ZERO) == ()
    assert faults(registered(content="长" * 4001, name="长" * 201), ZERO) == (
        Fault("name", Wrong.TOO_LONG),
        Fault("content", Wrong.TOO_LONG),
    )
    assert faults(CaseClosed(at=ZERO, by=WANG, measures="有", prevention=""), ZERO) == (
        Fault("prevention", Wrong.MISSING),
    )
    assert faults(OpinionReturned(at=ZERO, by=WANG), ZERO) == (Fault("why", Wrong.MISSING),)
    far = ClockPaused(at=ZERO, by=WANG, why="x", reason=PauseReason.COMPLAINANT, until=ZERO + timedelta(days=99))
    assert faults(far, ZERO) == (Fault("until", Wrong.TOO_LATE),)
    assert faults(replace(far, until=ZERO), ZERO) == (Fault("until", Wrong.IN_PAST),)
    assert faults(CaseCorrected(at=ZERO, by=LI, content=""), ZERO) == (Fault("content", Wrong.MISSING),)


def test_the_diagram_has_every_move() -> None:
    drawn = diagram()
    assert drawn.count("-->") == 1 + sum(len(ends) for ends in MOVES.values())
    assert "dissatisfied --> forwarded: again" in drawn


def test_numbers_and_contacts_are_read_as_people_write_them() -> None:
    assert parse_number(" ts2026-00012 ") and parse_number("TS-2026-1") is None
    assert contact_key("+86 138-0013-8000") == contact_key("13800138000") == "13800138000"
    assert contact_key("Zhang@Example.com ") == "zhang@example.com"
    assert by(registered(), CHIEF).by == "wang" and DepartmentId("stations") == STATIONS


def test_the_documents_show_the_state_machine_as_it_is() -> None:
    page = (Path(__file__).parents[2] / "docs" / "cases.md").read_text(encoding="utf-8")
    assert diagram() in page
