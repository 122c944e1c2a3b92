"""From Asterisk's channel event log (CEL) to events of calls.

CEL is told by AMI and written to disk by the same Asterisk, record for record; this module knows records, not
where they come from. Our dialplan adds records of its own (``CELGenUserEvent``) for what only it knows.
Stateless: the same record always becomes the same event.
"""

from __future__ import annotations

import logging

from calls.events import (
    AgentAnswered,
    AgentConnected,
    AgentRang,
    AnyEvent,
    AskedBy,
    CallArrived,
    CallbackOffered,
    CallbackPromised,
    CallEnded,
    CallOverflowed,
    CallRequeued,
    CallTransferred,
    EndedBy,
    LegEnded,
    PersonAsked,
)
from calls.ids import (
    AgentNumber,
    CallId,
    Language,
    LegId,
    SectionId,
    agent_of_channel,
    attempt_of,
    is_unique_id,
)
from ivr.ami.after_talk import callback_event, survey_event
from ivr.ami.cel import CelRecord as CelRecord
from ivr.ami.cel import extra_of, is_count, said_in
from ivr.ami.cel import record_of as record_of

log = logging.getLogger(__name__)

_ASKED_BY = frozenset({AskedBy.MENU.value, AskedBy.FALLBACK.value})
"""What our dialplan says."""


def translate(record: CelRecord) -> AnyEvent | None:
    """What a record says about a call, or ``None`` where it says nothing that the books need."""
    if not is_unique_id(record.unique_id) or not is_unique_id(record.linked_id):
        return None
    if attempt_of(record.linked_id):
        return callback_event(record)
    if record.unique_id == record.linked_id:
        return _of_caller(record)
    agent = agent_of_channel(record.channel)
    return _of_agent(record, agent) if agent else None


def _of_caller(record: CelRecord) -> AnyEvent | None:
    call_id, at, source = CallId(record.unique_id), record.at, record.source
    match record.name:
        case "ARRIVED":
            caller = record.caller or None
            return CallArrived(call_id=call_id, at=at, source=source, trunk=said_in(record), caller=caller)
        case "ASKED":
            return _asked(record)
        case "OVERFLOWED":
            return CallOverflowed(call_id=call_id, at=at, source=source)
        case "REQUEUED":
            attempt = said_in(record)
            if not is_count(attempt):
                return None
            return CallRequeued(call_id=call_id, at=at, source=source, attempt=int(attempt))
        case "CALLBACK_OFFERED":
            return CallbackOffered(call_id=call_id, at=at, source=source)
        case "CALLBACK_PROMISED":
            return CallbackPromised(call_id=call_id, at=at, source=source, number=said_in(record))
        case "HANGUP" if record.context in HOTLINE_CONTEXTS:
            return CallEnded(call_id=call_id, at=at, source=source, by=_ended_by(record))
        case _:
            return survey_event(record)


HOTLINE_CONTEXTS = frozenset({"from-trunk", "hotline", "person", "transfer", "survey"})
"""The dialplan contexts in which a caller's channel can end. An agent who dials *11 is nobody's call."""


def _of_agent(record: CelRecord, agent: AgentNumber) -> AnyEvent | None:
    kind = _OF_AGENT.get(record.name)
    call_id, leg_id, at, source = CallId(record.linked_id), LegId(record.unique_id), record.at, record.source
    if kind is not None:
        return kind(call_id=call_id, at=at, source=source, leg_id=leg_id, agent=agent)
    if record.name != "HANGUP":
        return None
    cause = extra_of(record).get("hangupcause", 0)
    cause = cause if isinstance(cause, int) else 0
    return LegEnded(call_id=call_id, at=at, source=source, leg_id=leg_id, agent=agent, cause=cause)


_OF_AGENT: dict[str, type[AgentRang | AgentAnswered | AgentConnected | CallTransferred]] = {
    "CHAN_START": AgentRang,
    "ANSWER": AgentAnswered,
    "BRIDGE_ENTER": AgentConnected,
    "BLINDTRANSFER": CallTransferred,
    "ATTENDEDTRANSFER": CallTransferred,
}


def _asked(record: CelRecord) -> PersonAsked | None:
    parts = said_in(record).split("|")
    if len(parts) not in (4, 5) or parts[3] not in _ASKED_BY:
        log.error("cel.asked_unreadable", extra={"call_id": record.unique_id})
        return None
    section, language, priority, by, survey = [*parts, ""][:5]
    return PersonAsked(
        call_id=CallId(record.unique_id),
        at=record.at,
        source=record.source,
        section=SectionId(section),
        language=Language(language),
        priority=priority not in ("", "0"),
        by=AskedBy(by),
        survey=survey,
    )


def _ended_by(record: CelRecord) -> EndedBy:
    source = extra_of(record).get("hangupsource", "")
    if source == record.channel:
        return EndedBy.CALLER
    if isinstance(source, str) and agent_of_channel(source):
        return EndedBy.AGENT
    return EndedBy.SYSTEM
