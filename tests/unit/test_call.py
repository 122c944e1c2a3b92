"""A call as the fold of its events: tables of what happened, and what the books say of it (A1, K1, K2, K2r)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calls.call import Call, Result, Stage
from calls.errors import SanshengError
from calls.events import (
    AgentConnected,
    AgentRang,
    AnyEvent,
    AskedBy,
    CallEnded,
    CallOverflowed,
    CallRequeued,
    EndedBy,
    LegEnded,
    OfferEnd,
)
from calls.ids import AgentNumber, CallId, LegId
from tests.support_ledger import CALLER, NOON, Ring, events_of_call, recording, story

CALL = CallId("1.1")
RINGING = Ring("1001", rang=6)
LET_RING = Ring("1001", rang=6, ended=21)
TALKING = Ring("1002", rang=22, answered=23.5, connected=24.25)
TALKED = Ring("1002", rang=22, answered=23.5, connected=24.25, ended=60, cause=16)

STAGES: list[tuple[str, list[AnyEvent], Stage, Result]] = [
    ("in the menu", story(CALL), Stage.MENU, Result.IN_PROGRESS),
    ("hung up in the menu", story(CALL, ended=9), Stage.ENDED, Result.SELF_SERVED),
    ("goodbye from the menu", story(CALL, ended=9, by=EndedBy.SYSTEM), Stage.ENDED, Result.SELF_SERVED),
    ("in the queue", story(CALL, asked=5), Stage.QUEUE, Result.IN_PROGRESS),
    ("ringing", story(CALL, asked=5, rings=[RINGING]), Stage.QUEUE, Result.IN_PROGRESS),
    ("let ring, waiting", story(CALL, asked=5, rings=[LET_RING]), Stage.QUEUE, Result.IN_PROGRESS),
    ("talking", story(CALL, asked=5, rings=[LET_RING, TALKING]), Stage.TALK, Result.ANSWERED),
    ("agent left, caller on", story(CALL, asked=5, rings=[TALKED]), Stage.QUEUE, Result.ANSWERED),
    ("answered, over", story(CALL, asked=5, rings=[TALKED], ended=60), Stage.ENDED, Result.ANSWERED),
    ("hung up in the queue", story(CALL, asked=5, ended=9), Stage.ENDED, Result.ABANDONED),
    ("hung up on a promise", story(CALL, asked=5, promised=40, ended=45), Stage.ENDED, Result.CALLBACK),
    ("lost", story(CALL, asked=5, ended=9, by=EndedBy.SYSTEM), Stage.ENDED, Result.LOST),
]


@pytest.mark.parametrize(("told", "stage", "result"), [row[1:] for row in STAGES], ids=[row[0] for row in STAGES])
def test_stage_and_result(told: list[AnyEvent], stage: Stage, result: Result) -> None:
    call = Call.of(told)
    assert (call.stage, call.result) == (stage, result)


def test_both_clocks_come_from_the_events() -> None:
    call = Call.of(story(CALL, asked=5, rings=[LET_RING, TALKED], ended=60))
    assert call.wait_s == 19.25  # from asking to hearing, whatever rang in between
    assert call.talk_s == 35.75
    assert [offer.ring_s for offer in call.offers] == [15.0, 1.5]
    assert call.connected == call.offers[1]


def test_clocks_that_have_not_stopped_show_nothing() -> None:
    call = Call.of(story(CALL, asked=5, rings=[RINGING]))
    assert (call.wait_s, call.talk_s, call.connected) == (None, None, None)
    assert call.offers[0].ring_s is None
    assert Call.of(story(CALL, asked=5, rings=[TALKING])).talk_s is None


@pytest.mark.parametrize(("heard", "in_time"), [(19.9, True), (20.0, True), (20.000001, False)])
def test_the_limit_itself_is_in_time(heard: float, in_time: bool) -> None:
    call = Call.of(story(CALL, asked=5, rings=[Ring("1001", rang=6, answered=heard, connected=heard)]))
    assert call.answered_within(15.0) is in_time


GOES_ON = CallRequeued(call_id=CALL, at=NOON + timedelta(seconds=21), attempt=1)
OFFERS: list[tuple[str, list[AnyEvent], OfferEnd | None]] = [
    ("still rings", story(CALL, asked=5, rings=[RINGING]), None),
    ("stopped, and nothing has followed", story(CALL, asked=5, rings=[LET_RING]), None),
    ("stopped, next agent rings", story(CALL, asked=5, rings=[LET_RING, TALKED]), OfferEnd.LET_IT_RING),
    (
        "stopped, and the call goes on",
        [*story(CALL, asked=5, rings=[LET_RING]), GOES_ON],
        OfferEnd.LET_IT_RING,
    ),
    ("caller gone", story(CALL, asked=5, rings=[LET_RING], ended=21.004), OfferEnd.CALLER_GONE),
    ("busy", story(CALL, asked=5, rings=[Ring("1001", rang=6, ended=6.1, cause=17)]), OfferEnd.REJECTED),
    ("answered, over", story(CALL, asked=5, rings=[TALKED], ended=60), None),
]


@pytest.mark.parametrize(("told", "failure"), [row[1:] for row in OFFERS], ids=[row[0] for row in OFFERS])
def test_why_an_offer_came_to_nothing(told: list[AnyEvent], failure: OfferEnd | None) -> None:
    assert Call.of(told).offers[0].failure is failure


def test_what_was_told_of_the_whole_call_is_in_it() -> None:
    told = [
        *story(CALL, asked=5, promised=40, ended=45, recorded=True),
        CallOverflowed(call_id=CALL, at=NOON + timedelta(seconds=30)),
    ]
    call = Call.of(told)
    assert (call.arrived_at, call.trunk, call.caller) == (NOON, "trunk", CALLER)
    assert (call.section, call.language, call.priority, call.asked_by) == (
        "inquiries",
        "zh-CN",
        False,
        AskedBy.MENU,
    )
    assert call.overflowed_at == NOON + timedelta(seconds=30)
    assert call.callback_offered_at == NOON + timedelta(seconds=39)
    assert (call.callback_promised_at, call.callback_number) == (NOON + timedelta(seconds=40), CALLER)
    assert (call.ended_at, call.ended_by) == (NOON + timedelta(seconds=45), EndedBy.CALLER)
    assert call.recording == recording(CALL, NOON + timedelta(seconds=46))


def test_without_its_beginning_the_first_thing_heard_stands_in() -> None:
    leg, agent = LegId("2.2"), AgentNumber("1001")
    heard = AgentConnected(call_id=CALL, at=NOON, leg_id=leg, agent=agent)
    left = LegEnded(call_id=CALL, at=NOON + timedelta(seconds=9), leg_id=leg, agent=agent, cause=16)
    call = Call.of([left, heard])
    assert (call.arrived_at, call.result, call.wait_s) == (NOON, Result.ANSWERED, None)
    assert call.offers[0].rang_at == NOON


def test_a_call_needs_events_and_only_its_own() -> None:
    for told in ([], [*story("1.1"), *story("2.1")]):
        with pytest.raises(SanshengError):
            Call.of(told)


@given(st.data())
def test_the_same_events_in_any_order_and_number_are_the_same_call(data: st.DataObject) -> None:
    told = data.draw(events_of_call(CALL))
    more = data.draw(st.lists(st.sampled_from(told)))
    assert Call.of(data.draw(st.permutations([*told, *more]))) == Call.of(told)


@given(st.data())
def test_what_is_known_of_a_call_never_goes_back(data: st.DataObject) -> None:
    """Once answered or ended a call stays so, whatever is told later."""
    told = data.draw(events_of_call(CALL))
    early, late = Call.of(told[: data.draw(st.integers(1, len(told)))]), Call.of(told)
    assert {offer.leg_id for offer in early.offers} <= {offer.leg_id for offer in late.offers}
    assert early.result is not Result.ANSWERED or late.result is Result.ANSWERED
    assert early.stage is not Stage.ENDED or late.stage is Stage.ENDED


def test_caller_gone_is_told_in_either_order() -> None:
    """The caller's end a few milliseconds before the agent's leg's: still the caller's doing."""
    start = NOON
    call_id, leg = CallId("h-1.0"), LegId("h-1.1")
    rang = AgentRang(call_id=call_id, at=start, leg_id=leg, agent=AgentNumber("1001"))
    ended = CallEnded(call_id=call_id, at=start + timedelta(seconds=4), by=EndedBy.CALLER)
    for lag_ms in (-4, 0, 4):
        leg_ended = LegEnded(
            call_id=call_id,
            at=ended.at + timedelta(milliseconds=lag_ms),
            leg_id=leg,
            agent=AgentNumber("1001"),
            cause=0,
        )
        (offer,) = Call.of([rang, leg_ended, ended]).offers
        assert offer.failure is OfferEnd.CALLER_GONE
