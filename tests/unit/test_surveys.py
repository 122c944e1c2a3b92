"""What comes of a survey after a call, folded from the call's events (Q2, K3, K6)."""

from __future__ import annotations

import pytest

from calls.call import Call, Result, Stage
from calls.events import AnyEvent, CallTransferred, EndedBy
from calls.ids import AgentNumber, CallId, LegId
from calls.surveys import Invitation
from tests.support_ledger import NOON, story
from tests.support_surveys import DESIGN, surveyed

CALL = "1.1"
ALL = {"attitude": 100.0, "efficiency": 75.0, "solving": 50.0, "accuracy": 0.0}


def test_the_talk_ends_with_the_agents_leg_whatever_is_asked_after_it() -> None:
    call = Call.of(surveyed(CALL, level=1, by=EndedBy.CALLER))
    assert (call.talk_s, call.ended_by, call.result) == (30.0, EndedBy.AGENT, Result.ANSWERED)
    assert call.ended_at and call.talk_ended_at and (call.ended_at - call.talk_ended_at).seconds == 20


def test_a_caller_who_is_being_asked_waits_for_nobody() -> None:
    asked = Call.of(surveyed(CALL, ended=None))
    assert (asked.stage, asked.invitation, asked.talk_s) == (Stage.SURVEY, Invitation.INVITED, None)


def test_nothing_is_due_where_no_design_was_in_force() -> None:
    call = Call.of(surveyed(CALL, due="", invited=False))
    assert (call.survey, call.invitation) == (None, None)


def handed_on() -> list[AnyEvent]:
    leg, agent = LegId("1.10"), AgentNumber("1001")
    return [
        *surveyed(CALL, invited=False),
        CallTransferred(call_id=CallId(CALL), at=NOON, leg_id=leg, agent=agent),
    ]


@pytest.mark.parametrize(
    ("told", "invitation"),
    [
        (surveyed(CALL), Invitation.INVITED),
        (surveyed(CALL, spared=True), Invitation.SPARED),
        (surveyed(CALL, invited=False, by=EndedBy.CALLER), Invitation.CALLER_LEFT),
        (surveyed(CALL, invited=False, by=EndedBy.AGENT), Invitation.MISSED),
        (surveyed(CALL, invited=False, by=EndedBy.SYSTEM), Invitation.MISSED),
        (handed_on(), Invitation.MISSED),
        (surveyed(CALL, invited=False, ended=None), Invitation.OPEN),
    ],
    ids=["invited", "spared", "caller left", "cut off by the agent", "cut off", "handed on", "goes on"],
)
def test_nobody_skips_an_invitation_unseen(told: list[AnyEvent], invitation: Invitation) -> None:
    assert Call.of(told).invitation is invitation


def test_who_was_never_answered_is_not_asked() -> None:
    assert Call.of(story(CALL, asked=5, ended=20)).invitation is None


def test_a_rating_and_a_reason() -> None:
    survey = Call.of(surveyed(CALL, level=5, reason=True)).survey
    assert survey and (survey.design, survey.level, survey.dissatisfied) == (DESIGN, 5, True)
    assert survey.began_at and survey.rated_at and survey.reason_at


def test_points_are_weighted_and_only_whole_answers_have_them() -> None:
    whole = Call.of(surveyed(CALL, level=2, answers=ALL)).survey
    assert whole and whole.points == 0.3 * 100 + 0.2 * 75 + 0.3 * 50
    part = Call.of(surveyed(CALL, level=2, answers={"attitude": 100.0})).survey
    assert part and part.points is None and [one.dimension for one in part.answers] == ["attitude"]
