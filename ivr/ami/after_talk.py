"""From records of what follows a talk to events: the caller rates it (Q2), or is called back (A5)."""

from __future__ import annotations

import logging
import math

from calls.events import (
    AnyEvent,
    CallbackStep,
    CallbackStepped,
    SparedWhy,
    SurveyAnswered,
    SurveyBegan,
    SurveyInvited,
    SurveyRated,
    SurveyReasonGiven,
    SurveySpared,
)
from calls.ids import CallId
from ivr.ami.cel import CelRecord, is_count, said_in

log = logging.getLogger(__name__)


def survey_event(record: CelRecord) -> AnyEvent | None:
    """What a record of our dialplan says about the survey after a call; ``None`` for any other record."""
    call_id, at, source = CallId(record.unique_id), record.at, record.source
    match record.name:
        case "SURVEY_INVITED":
            return SurveyInvited(call_id=call_id, at=at, source=source, design=said_in(record))
        case "SURVEY_SPARED":
            return SurveySpared(call_id=call_id, at=at, source=source, why=SparedWhy.RECENT)
        case "SURVEY_BEGAN":
            return SurveyBegan(call_id=call_id, at=at, source=source)
        case "SURVEY_RATED":
            return _rated(record)
        case "SURVEY_ANSWERED":
            return _answered(record)
        case "SURVEY_REASON":
            return SurveyReasonGiven(call_id=call_id, at=at, source=source)
        case _:
            return None


def _rated(record: CelRecord) -> SurveyRated | None:
    """``level|1`` for dissatisfied, ``level|0`` otherwise."""
    level, _, dissatisfied = said_in(record).partition("|")
    if not is_count(level) or dissatisfied not in ("0", "1"):
        _unreadable(record)
        return None
    return SurveyRated(
        call_id=CallId(record.unique_id),
        at=record.at,
        source=record.source,
        level=int(level),
        dissatisfied=dissatisfied == "1",
    )


def _answered(record: CelRecord) -> SurveyAnswered | None:
    """``dimension|level|points|weight``."""
    parts = said_in(record).split("|")
    if len(parts) != 4 or not parts[0] or not is_count(parts[1]):
        _unreadable(record)
        return None
    try:
        points, weight = float(parts[2]), float(parts[3])
    except ValueError:
        _unreadable(record)
        return None
    if not (math.isfinite(points) and math.isfinite(weight)):
        _unreadable(record)
        return None
    return SurveyAnswered(
        call_id=CallId(record.unique_id),
        at=record.at,
        source=record.source,
        dimension=parts[0],
        level=int(parts[1]),
        points=points,
        weight=weight,
    )


def _unreadable(record: CelRecord) -> None:
    log.error("cel.survey_unreadable", extra={"call_id": record.unique_id, "record": record.name})


def callback_event(record: CelRecord) -> CallbackStepped | None:
    """What a record says about an attempt to call back.

    All channels of an attempt are linked to the agent's, whose id the attempt's is.
    """
    agents_own = record.unique_id == record.linked_id
    step = (_OF_AGENT if agents_own else _OF_CALLER).get(record.name)
    if step is None:
        return None
    return CallbackStepped(
        call_id=CallId(record.linked_id),
        at=record.at,
        source=record.source,
        step=step,
        said=said_in(record) if step is CallbackStep.RESULT else "",
    )


_OF_AGENT = {
    "CHAN_START": CallbackStep.AGENT_RANG,
    "ANSWER": CallbackStep.AGENT_ANSWERED,
    "BRIDGE_ENTER": CallbackStep.CONNECTED,
    "CALLBACK_RESULT": CallbackStep.RESULT,
    "HANGUP": CallbackStep.ENDED,
}
_OF_CALLER = {"CHAN_START": CallbackStep.DIALLED, "ANSWER": CallbackStep.ANSWERED}
