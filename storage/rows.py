"""A call as the rows of the read model."""

from __future__ import annotations

from typing import Any

from calls.call import Call, Result, Stage


def call_row(call: Call) -> dict[str, Any]:
    """The row of table ``calls``."""
    heard = call.connected
    missing = call.result is Result.ANSWERED and call.stage is Stage.ENDED and call.recording is None
    return {
        "call_id": call.call_id,
        "arrived_at": call.arrived_at,
        "trunk": call.trunk,
        "caller": call.caller,
        "asked_at": call.asked_at,
        "section": call.section,
        "language": call.language,
        "priority": call.priority,
        "asked_by": call.asked_by,
        "overflowed_at": call.overflowed_at,
        "connected_at": heard.connected_at if heard else None,
        "agent": heard.agent if heard else None,
        "wait_s": call.wait_s,
        "waited_s": call.waited_s,
        "talk_s": call.talk_s,
        "wrap_up_s": call.wrap_up_s,
        "callback_offered_at": call.callback_offered_at,
        "callback_promised_at": call.callback_promised_at,
        "callback_number": call.callback_number,
        "transferred_at": call.transferred_at,
        "ended_at": call.ended_at,
        "ended_by": call.ended_by,
        "stage": call.stage,
        "result": call.result,
        "has_recording": call.recording is not None,
        "recording_missing": missing,
    }


def offer_rows(call: Call) -> list[dict[str, Any]]:
    """The rows of table ``offers``, one for each offer of the call to an agent."""
    return [
        {
            "call_id": call.call_id,
            "leg_id": offer.leg_id,
            "agent": offer.agent,
            "rang_at": offer.rang_at,
            "answered_at": offer.answered_at,
            "connected_at": offer.connected_at,
            "ended_at": offer.ended_at,
            "ring_s": offer.ring_s,
            "failure": offer.failure,
            "wrapped_up_at": offer.wrapped_up_at,
        }
        for offer in call.offers
    ]


def survey_row(call: Call) -> dict[str, Any] | None:
    """The row of table ``surveys``; ``None`` for a call after which nobody was to be asked."""
    survey, invitation = call.survey, call.invitation
    if survey is None or invitation is None:
        return None
    heard = call.connected
    return {
        "call_id": call.call_id,
        "arrived_at": call.arrived_at,
        "trunk": call.trunk,
        "section": call.section,
        "agent": heard.agent if heard else None,
        "language": call.language,
        "design": survey.design,
        "invitation": invitation,
        "invited_at": survey.invited_at,
        "began_at": survey.began_at,
        "rated_at": survey.rated_at,
        "level": survey.level,
        "dissatisfied": survey.dissatisfied,
        "reason_at": survey.reason_at,
        "points": survey.points,
        "answers": [
            {"dimension": one.dimension, "level": one.level, "points": one.points, "weight": one.weight}
            for one in survey.answers
        ],
    }
