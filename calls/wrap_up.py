"""When an agent is done with what a talk leaves to do: after-call work, worked out from the books (AHT).

Queues offer an agent no call for some seconds after each; whoever needs longer pauses with the reason
``AFTER_CALL_WORK`` by then. The work is over when both are, and at once when the agent pauses for something else,
logs out, or turns to the next caller.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum, auto

from calls.ids import AgentNumber, CallId, LegId, SectionId
from calls.presence import PresenceChange, PresenceStep

AFTER_CALL_WORK = "paperwork"
"""The reason of a pause that belongs to the call before it."""


@dataclass(frozen=True, slots=True)
class WrapUpTime:
    """What queues give every agent after each call, from a moment on."""

    since: datetime
    seconds: float


@dataclass(frozen=True, slots=True)
class TalkOver:
    """A talk of an agent, in a call that is over, of which nobody has said when its work was over."""

    call_id: CallId
    leg_id: LegId
    agent: AgentNumber
    ended_at: datetime
    """Of the talk: the agent may have handed the caller on."""
    call_ended_at: datetime


def in_force(times: Sequence[WrapUpTime], at: datetime) -> float | None:
    """The seconds given after a call that ended at ``at``; ``None`` before anybody has noted them."""
    return next((each.seconds for each in sorted(times, key=_since, reverse=True) if each.since <= at), None)


def _since(time: WrapUpTime) -> datetime:
    return time.since


class _Now(Enum):
    FREE = auto()
    AT_WORK = auto()
    ELSEWHERE = auto()


@dataclass(slots=True)
class _Desk:
    queues: set[SectionId] = field(default_factory=set)
    paused: set[SectionId] = field(default_factory=set)
    reason: str = ""
    known: bool = False

    def now(self) -> _Now:
        """As ``calls.presence``: logged in while in any queue, paused while paused in all of them."""
        if self.known and not self.queues:
            return _Now.ELSEWHERE
        if not self.known or not self.queues <= self.paused:
            return _Now.FREE
        return _Now.AT_WORK if self.reason == AFTER_CALL_WORK else _Now.ELSEWHERE

    def take(self, change: PresenceChange) -> None:
        self.known = True
        self.paused.discard(change.queue)
        match change.step:
            case PresenceStep.JOINED:
                self.queues.add(change.queue)
            case PresenceStep.LEFT:
                self.queues.discard(change.queue)
            case PresenceStep.PAUSED:
                self.paused.add(change.queue)
                self.reason = change.reason


def wrapped_up_at(
    ended_at: datetime,
    given_s: float,
    changes: Iterable[PresenceChange],
    known_until: datetime,
    turned_at: datetime | None = None,
) -> datetime | None:
    """When the work after a talk that ended at ``ended_at`` was over; ``None`` while that cannot be known.

    ``given_s`` is what queues give for it. ``changes`` are the agent's, in any order: from before the end at least
    what says how things stood then, and after it all of before ``known_until``. ``turned_at`` is when the agent
    turned to the next caller. Somebody of whom nothing was ever told had the time that is given.
    """
    over = _over(ended_at, ended_at + timedelta(seconds=given_s), changes, known_until)
    if turned_at is not None and turned_at < known_until:
        return min(over or turned_at, max(turned_at, ended_at))
    return over


def _over(
    ended_at: datetime, given: datetime, changes: Iterable[PresenceChange], known_until: datetime
) -> datetime | None:
    told = sorted({each.key: each for each in changes}.values(), key=lambda one: (one.at, one.position, one.key))
    desk = _Desk()
    for change in told:
        if change.at <= ended_at:
            desk.take(change)
    if desk.now() is _Now.ELSEWHERE:
        return ended_at
    for change in told:
        if not ended_at < change.at < known_until:
            continue
        if desk.now() is _Now.FREE and change.at > given:
            break
        desk.take(change)
        now = desk.now()
        if now is _Now.ELSEWHERE or (now is _Now.FREE and change.at >= given):
            return change.at
    return None if desk.now() is _Now.AT_WORK or given >= known_until else given
