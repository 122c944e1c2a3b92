"""The live picture: what is going on at this moment, as the live page and the gauges show it (I2).

The ledger says what happened, the picture what is. It is made afresh from the open calls and from what
Asterisk says of agents and queues, holds no caller's number (P1), and is thrown away when the next one comes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from calls.call import Stage
from calls.ids import AgentNumber, CallId, Language, SectionId
from calls.ports import DayFigures


class AgentState(StrEnum):
    """What an agent is doing."""

    LOGGED_OUT = "logged_out"
    READY = "ready"
    RINGING = "ringing"
    TALKING = "talking"
    WRAP_UP = "wrap_up"
    """Finishing the paper work of the last call; ready again by themselves."""
    PAUSED = "paused"
    UNREACHABLE = "unreachable"
    """Logged in, but the telephone is not registered."""


def told_reason(kind: str, words: str, name: str) -> str:
    """Why somebody pauses an agent, as the agent reads it. No sign that Asterisk's queue log takes apart."""
    told = f"{kind}: {words} ({name})"
    return "".join(sign if sign.isprintable() and sign not in "|,;\"'\\" else " " for sign in told)


def is_told(reason: str | None) -> bool:
    """Whether a pause's reason was made by ``told_reason``; agents' own are a kind, which is one word."""
    return reason is not None and ": " in reason and reason.endswith(")")


class LinkNow(StrEnum):
    """The management link to Asterisk."""

    UP = "up"
    DOWN = "down"
    STALE = "stale"
    """Connected again; what Asterisk says has not been compared with what we believe yet."""


@dataclass(frozen=True, slots=True)
class AgentNow:
    """One agent of the roster."""

    number: AgentNumber
    state: AgentState
    since: datetime
    """When the state began."""
    name: str | None = None
    reason: str | None = None
    """Why the agent is paused, as it was given; ``None`` in other states."""
    sections: tuple[SectionId, ...] = ()
    told: str | None = None
    """Why somebody else paused the agent, or logged them out, and who: in every state, as long as it lasts."""


@dataclass(frozen=True, slots=True)
class CallNow:
    """One call that has not ended."""

    call_id: CallId
    stage: Stage
    since: datetime
    """When the stage began. The caller's clock (A1) runs from ``asked_at`` instead."""
    section: SectionId | None = None
    language: Language | None = None
    agent: AgentNumber | None = None
    """The agent in talk with the caller; in the queue, the agent whose telephone is ringing."""
    asked_at: datetime | None = None
    priority: bool = False
    arrived_at: datetime | None = None
    """By which people know the call again."""


@dataclass(frozen=True, slots=True)
class QueueNow:
    """One section's queue."""

    section: SectionId
    waiting: int
    """Calls that asked for the section and hear nobody yet, those that ring an agent included."""
    agents_ready: int
    longest_wait_since: datetime | None = None
    """When the caller who waits longest asked for a person; ``None`` while nobody waits."""


@dataclass(frozen=True, slots=True)
class Picture:
    """Everything at one moment."""

    at: datetime
    link: LinkNow
    calls: tuple[CallNow, ...] = ()
    agents: tuple[AgentNow, ...] = ()
    queues: tuple[QueueNow, ...] = ()
    figures: DayFigures | None = None
    """The day so far; ``None`` while the ledger has not said."""
    callbacks_open: int = 0
    """Call-backs that are owed: promised, to follow up, to the dissatisfied (A5)."""
