"""What happened to a call: frozen facts in the past tense.

Every event has a ``key`` that depends only on what happened, never on who saw it or when it was told. The
same fact read from AMI and from Asterisk's files has the same key, so storing it twice changes nothing.
Times are aware UTC and carry Asterisk's own sub-second time stamps.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from calls.ids import AgentNumber, CallId, Language, LegId, SectionId


class AskedBy(StrEnum):
    """How a call came to ask for a person."""

    MENU = "menu"
    """The caller chose, or gave up on the menu and was taken to a person."""
    FALLBACK = "fallback"
    """The menu service was down, hung or died: the dialplan took the caller to a person."""
    UNKNOWN = "unknown"
    """Only the queue saw the call enter; what came before is lost."""


class OfferEnd(StrEnum):
    """Why an offer to an agent ended without an answer."""

    LET_IT_RING = "let_it_ring"
    """The telephone rang to the limit of A1."""
    REJECTED = "rejected"
    """The telephone was busy, refused the call, or could not be reached."""
    CALLER_GONE = "caller_gone"
    """The caller hung up while it rang."""


class SparedWhy(StrEnum):
    """Why a caller who stayed after the talk was not invited to rate it."""

    RECENT = "recent"
    """Invited only lately."""


class EndedBy(StrEnum):
    """Who ended a call."""

    CALLER = "caller"
    AGENT = "agent"
    SYSTEM = "system"


class Source(StrEnum):
    """Who told a fact, the best witness first: of two who differ, the earlier in this list is believed."""

    FILE = "file"
    """Asterisk's channel event log on disk: its own time, to the microsecond."""
    SERVICE = "service"
    """We ourselves: the menu, the intake of recordings."""
    AMI = "ami"
    """The management link: the same record, with the time at which the message was sent."""
    QUEUE_LOG = "queue_log"
    """Asterisk's queue log: whole seconds, cut off."""
    ESTIMATE = "estimate"
    """Nobody saw it happen: the time is the best that can be known."""


_RANK = {source: rank for rank, source in enumerate(Source)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One fact about one call. Who told it (``source``) is no part of the fact."""

    kind: ClassVar[str]
    call_id: CallId
    at: datetime
    source: Source = field(default=Source.SERVICE, compare=False)

    @property
    def detail(self) -> str:
        """What tells this event from others of its kind in the same call; empty where there is only one."""
        return ""

    @property
    def key(self) -> str:
        """Deterministic identity of the fact."""
        return f"{self.call_id}/{self.kind}/{self.detail}"

    @property
    def precedence(self) -> tuple[int, datetime, str]:
        """Of events with one key, the one with the smallest precedence prevails, whatever was told first."""
        own = (part.name for part in fields(self) if part.name not in _COMMON)
        return _RANK[self.source], self.at, "|".join(f"{name}={getattr(self, name)}" for name in own)


_COMMON = frozenset({"call_id", "at", "source"})


@dataclass(frozen=True, slots=True, kw_only=True)
class CallArrived(Event):
    """A caller reached the hotline. ``caller`` is personal data: stored, never logged (P1)."""

    kind: ClassVar[str] = "arrived"
    trunk: str
    caller: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MenuChosen(Event):
    """The caller stood at a menu node; ``choice`` is a key, ``timeout`` or ``invalid``."""

    kind: ClassVar[str] = "menu"
    step: int
    node: str
    choice: str

    @property
    def detail(self) -> str:
        return str(self.step)


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonAsked(Event):
    """The caller asked for a person: the caller's clock starts (A1, K1, K2)."""

    kind: ClassVar[str] = "asked"
    section: SectionId
    language: Language
    priority: bool
    by: AskedBy
    survey: str = ""
    """The design, ``name@version``, under which the caller is to be invited after the talk (Q2); empty: none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallOverflowed(Event):
    """The section could not take the call in time: the overflow group may take it from here on."""

    kind: ClassVar[str] = "overflowed"


@dataclass(frozen=True, slots=True, kw_only=True)
class _OfferEvent(Event):
    leg_id: LegId
    agent: AgentNumber

    @property
    def detail(self) -> str:
        return self.leg_id


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentRang(_OfferEvent):
    """An agent's telephone began to ring for the call: the agent's clock starts (K2r)."""

    kind: ClassVar[str] = "rang"


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentAnswered(_OfferEvent):
    """The agent picked up: the agent's clock stops (K2r)."""

    kind: ClassVar[str] = "answered"


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentConnected(_OfferEvent):
    """Caller and agent hear each other: the caller's clock stops (K2)."""

    kind: ClassVar[str] = "connected"


@dataclass(frozen=True, slots=True, kw_only=True)
class CallTransferred(_OfferEvent):
    """The agent of this leg handed the caller on, blind or after asking."""

    kind: ClassVar[str] = "transferred"


@dataclass(frozen=True, slots=True, kw_only=True)
class LegEnded(_OfferEvent):
    """The agent's channel is gone: after a talk, or without one.

    ``cause`` is the hang-up cause (Q.850) that Asterisk gives: 0 when Asterisk itself stopped the ringing.
    What the end means (let it ring, refused, caller gone, talk over) follows from the call as a whole.
    """

    kind: ClassVar[str] = "leg_ended"
    cause: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentWrappedUp(_OfferEvent):
    """The work after the talk is over: the agent was free for the next call, or did something else (AHT).

    Told after the call, by ``calls.wrap_up`` from the queue log: pauses in whole seconds, cut off.
    """

    kind: ClassVar[str] = "wrapped_up"


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRequeued(Event):
    """An agent let it ring, and the call went on to the next one, ahead of everybody behind it (A1)."""

    kind: ClassVar[str] = "requeued"
    attempt: int

    @property
    def detail(self) -> str:
        return str(self.attempt)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackOffered(Event):
    """Nobody could answer: the caller was offered a call back."""

    kind: ClassVar[str] = "callback_offered"


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackPromised(Event):
    """The caller was promised a call back (A5). ``number`` is personal data."""

    kind: ClassVar[str] = "callback_promised"
    number: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SurveyInvited(Event):
    """The agent hung up, the caller stayed and is asked to rate (Q2). ``design`` is ``name@version``."""

    kind: ClassVar[str] = "survey_invited"
    design: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SurveySpared(Event):
    """The agent hung up, and the caller was let go without being asked."""

    kind: ClassVar[str] = "survey_spared"
    why: SparedWhy


@dataclass(frozen=True, slots=True, kw_only=True)
class SurveyBegan(Event):
    """The invited caller pressed a key, a right one or not."""

    kind: ClassVar[str] = "survey_began"


@dataclass(frozen=True, slots=True, kw_only=True)
class SurveyRated(Event):
    """The caller rated the call (K3). What counts as dissatisfied is the design's word at that time."""

    kind: ClassVar[str] = "survey_rated"
    level: int
    dissatisfied: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SurveyAnswered(Event):
    """The caller answered one dimension of Q2, by voice or on the web (K6)."""

    kind: ClassVar[str] = "survey_answered"
    dimension: str
    level: int
    points: float
    weight: float

    @property
    def detail(self) -> str:
        return self.dimension


@dataclass(frozen=True, slots=True, kw_only=True)
class SurveyReasonGiven(Event):
    """The dissatisfied caller began to say why; what is said is a recording of its own."""

    kind: ClassVar[str] = "survey_reason"


class CallbackStep(StrEnum):
    """What became of one attempt to call back, in order."""

    AGENT_RANG = "agent_rang"
    AGENT_ANSWERED = "agent_answered"
    DIALLED = "dialled"
    """The caller's telephone is being called."""
    ANSWERED = "answered"
    """The caller picked up."""
    CONNECTED = "connected"
    """Caller and agent hear each other."""
    RESULT = "result"
    """How the dialling came out, as Asterisk says (``DIALSTATUS``); not told where the agent hung up first."""
    ENDED = "ended"
    """The agent's channel is gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackStepped(Event):
    """One step of an attempt to call back (A5). ``call_id`` is the attempt's own (``calls.ids.attempt_id``): it is
    no call that arrived, and no figure of those counts it.
    """

    kind: ClassVar[str] = "callback_step"
    step: CallbackStep
    said: str = ""

    @property
    def detail(self) -> str:
        return self.step


@dataclass(frozen=True, slots=True, kw_only=True)
class CallEnded(Event):
    """The caller's channel is gone."""

    kind: ClassVar[str] = "ended"
    by: EndedBy


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingArrived(Event):
    """The finished recording of an answered call is in the intake: one file per leg and a mixed one."""

    kind: ClassVar[str] = "recording"
    duration_s: float
    sample_rate_hz: int
    complete: bool
    """False when Asterisk died while recording: what was on disk has been rescued."""


AnyEvent = (
    CallArrived
    | MenuChosen
    | PersonAsked
    | CallOverflowed
    | AgentRang
    | AgentAnswered
    | AgentConnected
    | CallTransferred
    | LegEnded
    | AgentWrappedUp
    | CallRequeued
    | CallbackOffered
    | CallbackPromised
    | SurveyInvited
    | SurveySpared
    | SurveyBegan
    | SurveyRated
    | SurveyAnswered
    | SurveyReasonGiven
    | CallbackStepped
    | CallEnded
    | RecordingArrived
)


def prevailing(told: Iterable[AnyEvent]) -> dict[str, AnyEvent]:
    """One event for each key: of those that differ, the one that takes precedence, whatever the order."""
    found: dict[str, AnyEvent] = {}
    for event in told:
        other = found.setdefault(event.key, event)
        if other is not event and event.precedence < other.precedence:
            found[event.key] = event
    return found
