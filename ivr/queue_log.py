"""Asterisk's queue log: agents' presence, and a second witness of calls.

One line: ``seconds|call id|queue|agent|what|…``, times in whole seconds, cut off. So nothing it says about a call
goes before what the channel event log tells of the same fact; it is asked only for what that does not tell.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from calls.events import (
    AgentAnswered,
    AgentConnected,
    AgentRang,
    AnyEvent,
    AskedBy,
    CallArrived,
    CallEnded,
    CallTransferred,
    EndedBy,
    PersonAsked,
    Source,
)
from calls.ids import AgentNumber, CallId, Language, LegId, SectionId, is_unique_id
from calls.presence import PresenceChange, PresenceStep

UNDETERMINED = Language("und")
"""The caller's language where only the queue saw the call."""

_AGENT = re.compile(r"(?:PJSIP/)?([0-9]{3,8})")
_CALLER = re.compile(r"\+?[0-9]{1,20}")
_STEPS = {
    "ADDMEMBER": PresenceStep.JOINED,
    "REMOVEMEMBER": PresenceStep.LEFT,
    "PAUSE": PresenceStep.PAUSED,
    "UNPAUSE": PresenceStep.UNPAUSED,
}
"""PAUSEALL and UNPAUSEALL are followed by a line of each queue, so they say nothing of their own."""


@dataclass(frozen=True, slots=True)
class QueueRecord:
    """One line of the queue log."""

    at: datetime
    call_id: str
    """Of a call, or ``NONE``, ``MANAGER`` and the like."""
    queue: str
    agent: str
    what: str
    parts: tuple[str, ...]
    """What follows, as text."""
    position: int
    """Where the line begins in its file, in bytes."""


def record_of_line(line: bytes, position: int) -> QueueRecord | None:
    """The record that a line holds, or ``None`` if it holds none. Not UTF-8: replaced."""
    values = line.decode("utf-8", "replace").split("|")
    if len(values) < 5 or not values[4]:
        return None
    try:
        at = datetime.fromtimestamp(int(values[0]), UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return QueueRecord(at, values[1], values[2], values[3], values[4], tuple(values[5:]), position)


def presence_of_record(record: QueueRecord) -> PresenceChange | None:
    """What a record says about an agent's presence, or ``None``."""
    step, agent = _STEPS.get(record.what), _agent(record.agent)
    if step is None or agent is None or record.queue in ("", "NONE"):
        return None
    reason = record.parts[0] if record.parts and step is PresenceStep.PAUSED else ""
    return PresenceChange(record.at, record.position, agent, SectionId(record.queue), step, reason)


def events_of_record(record: QueueRecord) -> tuple[AnyEvent, ...]:
    """What a record says about a call, with the keys that the channel event log gives the same facts."""
    read = _CALL_RECORDS.get(record.what)
    return read(record, CallId(record.call_id)) if read and is_unique_id(record.call_id) else ()


def _entered(record: QueueRecord, call_id: CallId) -> tuple[AnyEvent, ...]:
    caller = record.parts[1] if len(record.parts) > 1 and _CALLER.fullmatch(record.parts[1]) else None
    at, source = record.at, Source.QUEUE_LOG
    return (
        CallArrived(call_id=call_id, at=at, source=source, trunk="", caller=caller),
        PersonAsked(
            call_id=call_id,
            at=at,
            source=source,
            section=SectionId(record.queue),
            language=UNDETERMINED,
            priority=False,
            by=AskedBy.UNKNOWN,
        ),
    )


def _connected(record: QueueRecord, call_id: CallId) -> tuple[AnyEvent, ...]:
    """``hold seconds|unique id of the agent's channel|ring seconds``."""
    agent = _agent(record.agent)
    if agent is None or len(record.parts) < 2 or not is_unique_id(record.parts[1]):
        return ()
    ring_s = int(record.parts[2]) if len(record.parts) > 2 and re.fullmatch("[0-9]{1,6}", record.parts[2]) else 0
    at, leg_id, source = record.at, LegId(record.parts[1]), Source.QUEUE_LOG
    rang_at = at - timedelta(seconds=ring_s)
    return (
        AgentRang(call_id=call_id, at=rang_at, source=source, leg_id=leg_id, agent=agent),
        AgentAnswered(call_id=call_id, at=at, source=source, leg_id=leg_id, agent=agent),
        AgentConnected(call_id=call_id, at=at, source=source, leg_id=leg_id, agent=agent),
    )


def _caller_left(record: QueueRecord, call_id: CallId) -> tuple[AnyEvent, ...]:
    return (CallEnded(call_id=call_id, at=record.at, source=Source.QUEUE_LOG, by=EndedBy.CALLER),)


_CALL_RECORDS: Mapping[str, Callable[[QueueRecord, CallId], tuple[AnyEvent, ...]]] = {
    "ENTERQUEUE": _entered,
    "CONNECT": _connected,
    "ABANDON": _caller_left,
    "COMPLETECALLER": _caller_left,
}
"""COMPLETEAGENT is not among them: the caller may go on in the dialplan when the agent has hung up."""

_ORDER = {"arrived": 0, "asked": 1, "rang": 2, "answered": 3, "connected": 4, "leg_ended": 5, "ended": 6}


def lacking(record: QueueRecord, known: Sequence[AnyEvent]) -> list[AnyEvent]:
    """The facts of a record that are not among those known of its call.

    Their times, cut off to whole seconds, are moved on to where no fact comes before one that leads to it.
    """
    keys = {event.key for event in known}
    told = [event for event in events_of_record(record) if event.key not in keys]
    return [replace(event, at=max([event.at, *_leading_to(event, known)])) for event in told]


def _leading_to(event: AnyEvent, known: Sequence[AnyEvent]) -> Iterator[datetime]:
    leg = getattr(event, "leg_id", None)
    for other in known:
        earlier = _ORDER.get(other.kind, 99) < _ORDER[event.kind]
        if earlier and (leg is None or getattr(other, "leg_id", leg) == leg):
            yield other.at


def contradiction(record: QueueRecord, known: Sequence[AnyEvent]) -> str:
    """How a record and the books tell a call's fate differently; empty if they agree.

    Only what cannot both be true: a caller who gave up in the queue after hearing a person, a call in another
    section than the books say. A caller whom an agent handed on may enter queues again.
    """
    if any(isinstance(event, CallTransferred) for event in known):
        return ""
    heard = any(isinstance(event, AgentConnected) and event.at < record.at for event in known)
    if record.what == "ABANDON" and heard:
        return "queue log: gave up waiting; books: heard an agent before that"
    sections = {event.section for event in known if isinstance(event, PersonAsked)}
    if record.what == "ENTERQUEUE" and sections and SectionId(record.queue) not in sections:
        return f"queue log: section {record.queue}; books: {', '.join(sorted(sections))}"
    return ""


def _agent(text: str) -> AgentNumber | None:
    found = _AGENT.fullmatch(text)
    return AgentNumber(found[1]) if found else None
