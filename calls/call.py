"""A call is a fold over its events.

The fold sorts what it is given, so the same set of events gives the same call in whatever order, and however
often, they were told.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from calls.errors import SanshengError
from calls.events import (
    AgentAnswered,
    AgentConnected,
    AgentRang,
    AgentWrappedUp,
    AnyEvent,
    AskedBy,
    CallArrived,
    CallbackOffered,
    CallbackPromised,
    CallEnded,
    CallOverflowed,
    CallTransferred,
    EndedBy,
    LegEnded,
    OfferEnd,
    PersonAsked,
    RecordingArrived,
    prevailing,
)
from calls.ids import AgentNumber, CallId, Language, LegId, SectionId
from calls.surveys import Invitation, Survey, survey_of


class Stage(StrEnum):
    """Where a call is now."""

    MENU = "menu"
    QUEUE = "queue"
    TALK = "talk"
    SURVEY = "survey"
    """The agent has hung up, and the caller is asked to rate the call (Q2)."""
    ENDED = "ended"


class Result(StrEnum):
    """How a call came out."""

    IN_PROGRESS = "in_progress"
    ANSWERED = "answered"
    ABANDONED = "abandoned"
    """Asked for a person, hung up before hearing one."""
    CALLBACK = "callback"
    """Asked for a person, was promised a call back instead."""
    SELF_SERVED = "self_served"
    """Never asked for a person."""
    LOST = "lost"
    """Asked for a person; we ended the call before one answered. Must never happen."""


@dataclass(frozen=True, slots=True)
class Offer:
    """One agent's telephone ringing for one call."""

    leg_id: LegId
    agent: AgentNumber
    rang_at: datetime
    answered_at: datetime | None = None
    connected_at: datetime | None = None
    ended_at: datetime | None = None
    failure: OfferEnd | None = None
    wrapped_up_at: datetime | None = None
    """When the agent was done with what a talk leaves to do; ``None`` while nobody knows."""

    @property
    def wrap_up_s(self) -> float | None:
        """Seconds from the end of the agent's talk to the end of the work after it."""
        if self.ended_at is None or self.wrapped_up_at is None:
            return None
        return max(0.0, seconds(self.ended_at, self.wrapped_up_at))

    @property
    def ring_s(self) -> float | None:
        """The agent's clock, in seconds: from the first ring to the answer, or to giving up (K2r)."""
        stop = self.answered_at or self.ended_at
        return seconds(self.rang_at, stop) if stop else None


@dataclass(frozen=True, slots=True)
class Call:
    """All that the ledger knows of one call."""

    call_id: CallId
    arrived_at: datetime
    trunk: str = ""
    caller: str | None = None
    asked_at: datetime | None = None
    section: SectionId | None = None
    language: Language | None = None
    priority: bool = False
    asked_by: AskedBy | None = None
    overflowed_at: datetime | None = None
    offers: tuple[Offer, ...] = ()
    callback_offered_at: datetime | None = None
    callback_promised_at: datetime | None = None
    callback_number: str | None = None
    transferred_at: datetime | None = None
    """When an agent first handed the caller on."""
    ended_at: datetime | None = None
    ended_by: EndedBy | None = None
    recording: RecordingArrived | None = None
    survey: Survey | None = None

    @property
    def connected(self) -> Offer | None:
        """The first offer in which the caller heard a person."""
        heard = [offer for offer in self.offers if offer.connected_at]
        return min(heard, key=lambda offer: offer.connected_at or offer.rang_at) if heard else None

    @property
    def wait_s(self) -> float | None:
        """The caller's clock, in seconds: from asking for a person to hearing one (A1, K2).

        Nothing that is played in between stops it. ``None`` while nobody has been heard.
        """
        first = self.connected
        if self.asked_at is None or first is None or first.connected_at is None:
            return None
        return seconds(self.asked_at, first.connected_at)

    @property
    def waited_s(self) -> float | None:
        """Seconds that the caller waited after asking for a person, however it ended: hearing one, being promised
        a call back, or the end of the call. ``None`` while the caller waits, and for who never asked.
        """
        if self.wait_s is not None:
            return max(0.0, self.wait_s)
        if self.connected or self.asked_at is None or self.ended_at is None:
            return None
        return max(0.0, seconds(self.asked_at, self.callback_promised_at or self.ended_at))

    @property
    def talk_s(self) -> float | None:
        """Seconds from hearing a person to the end of the talk; ``None`` before the call ended."""
        first = self.connected
        if first is None or first.connected_at is None or self.ended_at is None:
            return None
        return seconds(first.connected_at, self.talk_ended_at or self.ended_at)

    @property
    def wrap_up_s(self) -> float | None:
        """Seconds of work after the talk, of all agents who were heard, added up (AHT).

        ``None`` before the call ended, if nobody was heard, and until it is known of every one of them.
        """
        known = [offer.wrap_up_s for offer in self.offers if offer.connected_at]
        if self.ended_at is None or not known or any(each is None for each in known):
            return None
        return sum(each for each in known if each is not None)

    @property
    def talk_ended_at(self) -> datetime | None:
        """When caller and agents parted: with the call, or when the last agent left a caller who stayed."""
        if self.survey is None or self.survey.left_at is None:
            return self.ended_at
        left = [offer.ended_at for offer in self.offers if offer.connected_at and offer.ended_at]
        return max(left, default=self.survey.left_at)

    @property
    def invitation(self) -> Invitation | None:
        """Whether the caller was invited to rate; ``None`` where no survey was due, or nobody was heard."""
        survey = self.survey
        if survey is None or (self.connected is None and survey.left_at is None):
            return None
        if survey.left_at:
            return Invitation.INVITED if survey.invited_at else Invitation.SPARED
        if self.ended_at is None:
            return Invitation.OPEN
        return Invitation.CALLER_LEFT if self.ended_by is EndedBy.CALLER else Invitation.MISSED

    @property
    def stage(self) -> Stage:
        if self.ended_at:
            return Stage.ENDED
        if any(offer.connected_at and not offer.ended_at for offer in self.offers):
            return Stage.TALK
        if self.survey and self.survey.left_at:
            return Stage.SURVEY
        return Stage.QUEUE if self.asked_at else Stage.MENU

    @property
    def result(self) -> Result:
        if self.connected:
            return Result.ANSWERED
        if not self.ended_at:
            return Result.IN_PROGRESS
        if not self.asked_at:
            return Result.SELF_SERVED
        if self.callback_promised_at:
            return Result.CALLBACK
        return Result.ABANDONED if self.ended_by is EndedBy.CALLER else Result.LOST

    def answered_within(self, limit_s: float) -> bool:
        """Whether the caller heard a person within ``limit_s`` of asking (A1, numerator of K2)."""
        return self.wait_s is not None and self.wait_s <= limit_s

    @classmethod
    def of(cls, events: Iterable[AnyEvent]) -> Call:
        """Fold events of one call, in any order, duplicates allowed, into the call.

        Of two events with one key the better witness is believed (`Event.precedence`).
        Raises SanshengError if there are none or they belong to different calls.
        """
        facts = sorted(prevailing(events).values(), key=lambda e: (e.at, e.key))
        if not facts or len({event.call_id for event in facts}) != 1:
            raise SanshengError("a call is folded from the events of one call, at least one")
        fields: dict[str, object] = {"call_id": facts[0].call_id, "arrived_at": facts[0].at}
        for event in facts:
            fields.update(_fields_of(event))
        handed_on = [event.at for event in facts if isinstance(event, CallTransferred)]
        fields["transferred_at"] = min(handed_on, default=None)
        fields["survey"] = survey = survey_of(facts, _survey_due(facts))
        if survey and survey.left_at and fields.get("ended_by"):
            fields["ended_by"] = EndedBy.AGENT  # who hung up after the survey did not end the talk
        return cls(**fields, offers=_offers_of(facts))  # type: ignore[arg-type]


def seconds(start: datetime, stop: datetime) -> float:
    """Seconds from ``start`` to ``stop``, to the microsecond."""
    return (stop - start) / timedelta(seconds=1)


def _fields_of(event: AnyEvent) -> dict[str, object]:
    """What one event says about the call as a whole (offers apart)."""
    match event:
        case CallArrived():
            return {"arrived_at": event.at, "trunk": event.trunk, "caller": event.caller}
        case PersonAsked():
            return {
                "asked_at": event.at,
                "section": event.section,
                "language": event.language,
                "priority": event.priority,
                "asked_by": event.by,
            }
        case CallOverflowed():
            return {"overflowed_at": event.at}
        case CallbackOffered():
            return {"callback_offered_at": event.at}
        case CallbackPromised():
            return {"callback_promised_at": event.at, "callback_number": event.number}
        case CallEnded():
            return {"ended_at": event.at, "ended_by": event.by}
        case RecordingArrived():
            return {"recording": event}
        case _:
            return {}


def _survey_due(facts: Sequence[AnyEvent]) -> str:
    return next((event.survey for event in facts if isinstance(event, PersonAsked)), "")


_OF_OFFERS = (AgentRang, AgentAnswered, AgentConnected, LegEnded, AgentWrappedUp)


def _offers_of(facts: Sequence[AnyEvent]) -> tuple[Offer, ...]:
    offers: dict[LegId, dict[str, object]] = {}
    causes: dict[LegId, int] = {}
    for event in facts:
        if not isinstance(event, _OF_OFFERS):
            continue
        # The ring's start may be unknown (the link was down): the first thing heard of the leg stands in.
        offer = offers.setdefault(
            event.leg_id, {"leg_id": event.leg_id, "agent": event.agent, "rang_at": event.at}
        )
        match event:
            case AgentRang():
                offer["rang_at"] = event.at
            case AgentAnswered():
                offer["answered_at"] = event.at
            case AgentConnected():
                offer["connected_at"] = event.at
            case LegEnded():
                offer["ended_at"] = event.at
                causes[event.leg_id] = event.cause
            case AgentWrappedUp():
                offer["wrapped_up_at"] = event.at
    made = (Offer(**offer) for offer in offers.values())  # type: ignore[arg-type]
    return tuple(
        offer
        if offer.answered_at or offer.connected_at or not offer.ended_at
        else replace(offer, failure=_failure(offer.ended_at, causes[offer.leg_id], facts))
        for offer in made
    )


_STOPPED_BY_US = frozenset({0, 16, 26})
"""Hang-up causes of a ringing that Asterisk ended itself: none, normal clearing, answered elsewhere."""
_BESIDE = (LegEnded, AgentWrappedUp)
"""What says nothing of how the call went on."""


def _failure(ended_at: datetime, cause: int, facts: Sequence[AnyEvent]) -> OfferEnd | None:
    """Why a telephone stopped ringing; ``None`` until what follows has told.

    Asterisk stops the ringing itself either because the time is over, and the call goes on, or
    because the caller is gone, and the call's own end follows within milliseconds.
    """
    if cause not in _STOPPED_BY_US:
        return OfferEnd.REJECTED
    following = [event for event in facts if event.at >= ended_at and not isinstance(event, _BESIDE)]
    # The two ends of a call given up while it rings are told in either order.
    ends = [event for event in facts if isinstance(event, CallEnded)]
    if not (following or ends):
        return None
    first = (following or ends)[0]
    if isinstance(first, CallEnded) and first.by is EndedBy.CALLER:
        return OfferEnd.CALLER_GONE
    return OfferEnd.LET_IT_RING
