"""Who was logged in, and who was paused: told by Asterisk's queue log, in whole seconds.

An agent is logged in while a member of at least one queue, and paused while paused in all of them. Memberships
and pauses survive a restart of Asterisk (``persistentmembers``), so a restart changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from calls.ids import AgentNumber, SectionId


class PresenceStep(StrEnum):
    """What an agent, or the three-ring rule, did."""

    JOINED = "joined"
    LEFT = "left"
    PAUSED = "paused"
    UNPAUSED = "unpaused"


@dataclass(frozen=True, slots=True)
class PresenceChange:
    """One step of one agent in one queue."""

    at: datetime
    position: int
    """Where the line begins in its file, in bytes: the order within one second, the same however often read."""
    agent: AgentNumber
    queue: SectionId
    step: PresenceStep
    reason: str = ""
    """Of a pause."""

    @property
    def key(self) -> str:
        """Deterministic identity."""
        return f"{self.at.timestamp():.0f}.{self.position}/{self.queue}/{self.agent}/{self.step}"


@dataclass(frozen=True, slots=True)
class Presence:
    """One agent's time in a period, in seconds."""

    logged_in_s: float = 0.0
    paused_s: float = 0.0
    """Part of ``logged_in_s``."""


@dataclass(slots=True)
class _Agent:
    queues: set[SectionId] = field(default_factory=set)
    paused: set[SectionId] = field(default_factory=set)
    since: datetime | None = None
    logged_in_s: float = 0.0
    paused_s: float = 0.0

    def count(self, since: datetime, until: datetime) -> None:
        """Add the time that passed as things were."""
        start = max(self.since or since, since)
        if self.queues and until > start:
            passed = (until - start).total_seconds()
            self.logged_in_s += passed
            self.paused_s += passed if self.queues <= self.paused else 0.0
        self.since = until

    def take(self, change: PresenceChange) -> None:
        match change.step:
            case PresenceStep.JOINED:
                self.queues.add(change.queue)
                self.paused.discard(change.queue)
            case PresenceStep.LEFT:
                self.queues.discard(change.queue)
                self.paused.discard(change.queue)
            case PresenceStep.PAUSED:
                self.paused.add(change.queue)
            case PresenceStep.UNPAUSED:
                self.paused.discard(change.queue)


def presence_of(
    changes: Iterable[PresenceChange], since: datetime, until: datetime
) -> dict[AgentNumber, Presence]:
    """Each agent's logged-in and paused time in ``[since, until)``, of those who were logged in at all.

    ``changes`` in any order, told any number of times: from before ``since`` at least what says how things
    stood then; what is from ``until`` on is left out.
    """
    agents: dict[AgentNumber, _Agent] = {}
    told = {change.key: change for change in changes if change.at < until}
    for change in sorted(told.values(), key=lambda change: (change.at, change.position, change.key)):
        agent = agents.setdefault(change.agent, _Agent())
        agent.count(since, max(change.at, since))
        agent.take(change)
    for agent in agents.values():
        agent.count(since, until)
    return {
        number: Presence(agent.logged_in_s, agent.paused_s)
        for number, agent in sorted(agents.items())
        if agent.logged_in_s
    }
