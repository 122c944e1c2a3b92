"""From Asterisk's channel event log (CEL) to events of calls.

CEL is told by AMI and written to disk by the same Asterisk, record for record; this module knows records, not
where they come from. Our dialplan adds records of its own (``CELGenUserEvent``) for what only it knows.
Stateless: the same record always becomes the same event.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, field
from datetime import datetime

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
    Source,
)
from calls.ids import AgentNumber, CallId, Language, LegId, SectionId, agent_of_channel, is_unique_id
from ivr.ami.wire import AmiMessage

log = logging.getLogger(__name__)

_ASKED_BY = frozenset({AskedBy.MENU.value, AskedBy.FALLBACK.value})
"""What our dialplan says."""


@dataclass(frozen=True, slots=True)
class CelRecord:
    """One record of the channel event log."""

    name: str
    at: datetime
    channel: str
    unique_id: str
    linked_id: str
    caller: str
    context: str
    extra: str
    """JSON, or empty."""
    source: Source = field(default=Source.AMI, compare=False)


def record_of(message: AmiMessage) -> CelRecord | None:
    """The CEL record in an AMI event, or ``None`` if it is another event or lacks what every record has."""
    if message.event != "CEL" or message.timestamp is None:
        return None
    return CelRecord(
        name=message.get("EventName", ""),
        at=message.timestamp,
        channel=message.get("Channel", ""),
        unique_id=message.get("UniqueID", ""),
        linked_id=message.get("LinkedID", ""),
        caller=message.get("CallerIDnum", ""),
        context=message.get("Context", ""),
        extra=message.get("Extra", ""),
    )


def translate(record: CelRecord) -> AnyEvent | None:
    """What a record says about a call, or ``None`` where it says nothing that the books need."""
    if not is_unique_id(record.unique_id) or not is_unique_id(record.linked_id):
        return None
    if record.unique_id == record.linked_id:
        return _of_caller(record)
    agent = agent_of_channel(record.channel)
    return _of_agent(record, agent) if agent else None


def _of_caller(record: CelRecord) -> AnyEvent | None:
    call_id, at, source = CallId(record.unique_id), record.at, record.source
    match record.name:
        case "ARRIVED":
            caller = record.caller or None
            return CallArrived(call_id=call_id, at=at, source=source, trunk=_said(record), caller=caller)
        case "ASKED":
            return _asked(record)
        case "OVERFLOWED":
            return CallOverflowed(call_id=call_id, at=at, source=source)
        case "REQUEUED":
            attempt = _said(record)
            if not _is_count(attempt):
                return None
            return CallRequeued(call_id=call_id, at=at, source=source, attempt=int(attempt))
        case "CALLBACK_OFFERED":
            return CallbackOffered(call_id=call_id, at=at, source=source)
        case "CALLBACK_PROMISED":
            return CallbackPromised(call_id=call_id, at=at, source=source, number=_said(record))
        case "HANGUP" if record.context in HOTLINE_CONTEXTS:
            return CallEnded(call_id=call_id, at=at, source=source, by=_ended_by(record))
        case _:
            return None


HOTLINE_CONTEXTS = frozenset({"from-trunk", "hotline", "person"})
"""The dialplan contexts in which a caller's channel can end. An agent who dials *11 is nobody's call."""


def _of_agent(record: CelRecord, agent: AgentNumber) -> AnyEvent | None:
    kind = _OF_AGENT.get(record.name)
    call_id, leg_id, at, source = CallId(record.linked_id), LegId(record.unique_id), record.at, record.source
    if kind is not None:
        return kind(call_id=call_id, at=at, source=source, leg_id=leg_id, agent=agent)
    if record.name != "HANGUP":
        return None
    cause = _extra(record).get("hangupcause", 0)
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
    parts = _said(record).split("|")
    if len(parts) != 4 or parts[3] not in _ASKED_BY:
        log.error("cel.asked_unreadable", extra={"call_id": record.unique_id})
        return None
    section, language, priority, by = parts
    return PersonAsked(
        call_id=CallId(record.unique_id),
        at=record.at,
        source=record.source,
        section=SectionId(section),
        language=Language(language),
        priority=priority not in ("", "0"),
        by=AskedBy(by),
    )


def _ended_by(record: CelRecord) -> EndedBy:
    source = _extra(record).get("hangupsource", "")
    if source == record.channel:
        return EndedBy.CALLER
    if isinstance(source, str) and agent_of_channel(source):
        return EndedBy.AGENT
    return EndedBy.SYSTEM


def _is_count(text: str) -> bool:
    return text.isdecimal() and len(text) <= 9


def _said(record: CelRecord) -> str:
    """What our dialplan put into the record."""
    said = _extra(record).get("extra", "")
    return said if isinstance(said, str) else ""


def _extra(record: CelRecord) -> dict[str, object]:
    try:
        extra = json.loads(record.extra) if record.extra else {}
    except (ValueError, RecursionError):
        log.error("cel.extra_unreadable", extra={"call_id": record.unique_id, "record": record.name})
        return {}
    return extra if isinstance(extra, dict) else {}
