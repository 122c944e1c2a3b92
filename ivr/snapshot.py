"""Who is logged in, and how they are: Asterisk's queue members as the agents of the live picture.

Asterisk keeps the members, their pauses and the reasons over a restart (``persistentmembers``); this board is
only a view, filled by ``QueueStatus`` whenever the link comes up and kept by the member events after that.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from calls.ids import AgentNumber, SectionId
from calls.live import AgentNow, AgentState, is_told
from ivr.ami.wire import AmiMessage

LET_IT_RING = "let-it-ring"
"""The pause reason of an agent whom the three-ring rule took out."""

_ASTERISK_AUTOPAUSE = "Auto-Pause"

_DEVICE = {
    "1": AgentState.READY,
    "2": AgentState.TALKING,
    "3": AgentState.TALKING,
    "4": AgentState.UNREACHABLE,
    "5": AgentState.UNREACHABLE,
    "6": AgentState.RINGING,
    "7": AgentState.RINGING,
    "8": AgentState.TALKING,
}
"""Asterisk's device states, by number."""

MEMBER_EVENTS = frozenset(
    {
        "QueueMember",
        "QueueMemberAdded",
        "QueueMemberStatus",
        "QueueMemberPause",
        "QueueMemberPenalty",
        "QueueMemberRinginuse",
    }
)


@dataclass(frozen=True, slots=True)
class _Member:
    state: AgentState
    paused: bool
    reason: str | None
    last_call: datetime | None
    since: datetime

    @property
    def told(self) -> str | None:
        """What somebody else gave as the reason of the pause."""
        return self.reason if self.paused and is_told(self.reason) else None


class AgentBoard:
    """The agents of the roster, by number. ``wrap_up_s`` is each agent's time after a call."""

    def __init__(self, roster: Iterable[AgentNumber], wrap_up_s: float, now: datetime) -> None:
        self._began = now
        self._wrap_up = timedelta(seconds=wrap_up_s)
        self._roster = tuple(roster)
        self._members: dict[AgentNumber, dict[SectionId, _Member]] = {number: {} for number in self._roster}
        self._left_at: dict[AgentNumber, datetime] = {}
        self._left_told: dict[AgentNumber, str | None] = {}

    def reset(self, members: Iterable[AmiMessage], now: datetime) -> None:
        """Replace everything by what ``QueueStatus`` says."""
        before = self._members
        self._members = {number: {} for number in before}
        for message in members:
            self._put(message, now, before)

    def apply(self, message: AmiMessage, now: datetime) -> bool:
        """Take one AMI event; whether it concerned an agent."""
        at = message.timestamp or now
        if message.event == "QueueMemberRemoved":
            number = AgentNumber(message.get("MemberName", ""))
            left = self._members.get(number, {}).pop(SectionId(message.get("Queue", "")), None)
            self._left_at[number] = at
            # A log-out by somebody else is a pause first, which brings the reason.
            self._left_told[number] = left.told if left else None
            return True
        if message.event in MEMBER_EVENTS:
            self._put(message, at, self._members)
            return True
        return False

    def _put(self, message: AmiMessage, at: datetime, before: dict[AgentNumber, dict[SectionId, _Member]]) -> None:
        number = AgentNumber(message.get("MemberName") or message.get("Name", ""))
        section = SectionId(message.get("Queue", ""))
        reason = message.get("PausedReason") or None
        last_call = int(message.get("LastCall", "0") or 0)
        member = _Member(
            state=_DEVICE.get(message.get("Status", ""), AgentState.UNREACHABLE),
            paused=message.get("Paused", "0") == "1",
            reason=LET_IT_RING if reason == _ASTERISK_AUTOPAUSE else reason,
            last_call=datetime.fromtimestamp(last_call, UTC) if last_call else None,
            since=at,
        )
        old = before.get(number, {}).get(section)
        if old and (old.state, old.paused, old.reason) == (member.state, member.paused, member.reason):
            member = replace(member, since=old.since)
        self._members.setdefault(number, {})[section] = member

    def agents(self, now: datetime) -> tuple[AgentNow, ...]:
        """Every agent of the roster, and whoever else is logged in, by number."""
        return tuple(self.agent(number, now) for number in sorted(self._members))

    def agent(self, number: AgentNumber, now: datetime) -> AgentNow:
        """One agent; whoever is not known is logged out."""
        members = self._members.get(number)
        if not members:
            return AgentNow(
                number=number,
                state=AgentState.LOGGED_OUT,
                since=self._left_at.get(number, self._began),
                told=self._left_told.get(number),
            )
        one = max(members.values(), key=lambda member: member.since)
        state, since, reason = one.state, one.since, None
        last_call = max((m.last_call for m in members.values() if m.last_call), default=None)
        if state in (AgentState.READY, AgentState.UNREACHABLE) and one.paused:
            state, reason = AgentState.PAUSED, one.reason
        elif state is AgentState.READY and last_call and now < last_call + self._wrap_up:
            state, since = AgentState.WRAP_UP, last_call
        told = next((member.told for member in members.values() if member.told), None)
        return AgentNow(number, state, since, reason=reason, sections=tuple(sorted(members)), told=told)
