"""Calls to put on the books, and a ledger in memory that keeps the same contract as the real one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from calls.call import Call, Result, Stage
from calls.errors import StorageUnavailable
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
    CallRequeued,
    EndedBy,
    LegEnded,
    MenuChosen,
    PersonAsked,
    RecordingArrived,
    SparedWhy,
    SurveyAnswered,
    SurveyBegan,
    SurveyInvited,
    SurveyRated,
    SurveyReasonGiven,
    SurveySpared,
    prevailing,
)
from calls.ids import AgentNumber, CallId, Language, LegId, SectionId, is_test_trunk
from calls.ports import Change, DayFigures, Ratio
from storage.codec import event_row

NOON = datetime(2026, 11, 18, 4, tzinfo=UTC)
CALLER = "13900001234"


@dataclass(frozen=True)
class Ring:
    """One offer; times in seconds after the call's arrival."""

    agent: str
    rang: float
    answered: float | None = None
    connected: float | None = None
    ended: float | None = None
    cause: int = 0
    wrapped: float | None = None


def story(
    call_id: str,
    *,
    start: datetime = NOON,
    asked: float | None = None,
    rings: Sequence[Ring] = (),
    promised: float | None = None,
    ended: float | None = None,
    by: EndedBy = EndedBy.CALLER,
    recorded: bool = False,
    trunk: str = "trunk",
    section: str = "inquiries",
) -> list[AnyEvent]:
    """The events of one call that arrived at ``start``; times in seconds after that."""
    call = CallId(call_id)

    def at(after_s: float) -> datetime:
        return start + timedelta(seconds=after_s)

    told: list[AnyEvent] = [CallArrived(call_id=call, at=start, trunk=trunk, caller=CALLER)]
    if asked is not None:
        told.append(asked_for_person(call, at(asked), section))
    for number, ring in enumerate(rings):
        leg, agent = LegId(f"{call_id}{number}"), AgentNumber(ring.agent)
        told.append(AgentRang(call_id=call, at=at(ring.rang), leg_id=leg, agent=agent))
        if ring.answered is not None:
            told.append(AgentAnswered(call_id=call, at=at(ring.answered), leg_id=leg, agent=agent))
        if ring.connected is not None:
            told.append(AgentConnected(call_id=call, at=at(ring.connected), leg_id=leg, agent=agent))
        if ring.ended is not None:
            told.append(LegEnded(call_id=call, at=at(ring.ended), leg_id=leg, agent=agent, cause=ring.cause))
        if ring.wrapped is not None:
            told.append(AgentWrappedUp(call_id=call, at=at(ring.wrapped), leg_id=leg, agent=agent))
    if promised is not None:
        told.append(CallbackOffered(call_id=call, at=at(promised - 1)))
        told.append(CallbackPromised(call_id=call, at=at(promised), number=CALLER))
    if ended is not None:
        told.append(CallEnded(call_id=call, at=at(ended), by=by))
        if recorded:
            told.append(recording(call, at(ended + 1)))
    return told


def asked_for_person(call_id: CallId, at: datetime, section: str = "inquiries") -> PersonAsked:
    return PersonAsked(
        call_id=call_id,
        at=at,
        section=SectionId(section),
        language=Language("zh-CN"),
        priority=False,
        by=AskedBy.MENU,
    )


def recording(call_id: CallId, at: datetime) -> RecordingArrived:
    return RecordingArrived(call_id=call_id, at=at, duration_s=30.5, sample_rate_hz=16000, complete=True)


@st.composite
def events_of_call(draw: st.DrawFn, call_id: str, start: datetime = NOON) -> list[AnyEvent]:
    """Some of the things that can happen to a call, at any times, many of them at once or on A1's limit."""
    call = CallId(call_id)

    def at() -> datetime:
        ring_cycles, drift_us = draw(st.integers(0, 8)), draw(st.integers(0, 1))
        return start + timedelta(seconds=5 * ring_cycles, microseconds=drift_us)

    told: list[AnyEvent] = [
        CallArrived(call_id=call, at=at(), trunk="trunk", caller=draw(st.sampled_from([CALLER, None]))),
        MenuChosen(call_id=call, at=at(), step=1, node="language", choice="1"),
        MenuChosen(call_id=call, at=at(), step=2, node="sections", choice="timeout"),
        asked_for_person(call, at()),
        CallOverflowed(call_id=call, at=at()),
        CallRequeued(call_id=call, at=at(), attempt=1),
        CallbackOffered(call_id=call, at=at()),
        CallbackPromised(call_id=call, at=at(), number=CALLER),
        draw(
            st.sampled_from(
                [
                    SurveyInvited(call_id=call, at=at(), design="after-call@1"),
                    SurveySpared(call_id=call, at=at(), why=SparedWhy.RECENT),
                ]
            )
        ),
        SurveyBegan(call_id=call, at=at()),
        SurveyRated(call_id=call, at=at(), level=5, dissatisfied=True),
        SurveyAnswered(call_id=call, at=at(), dimension="attitude", level=1, points=100.0, weight=1.0),
        SurveyReasonGiven(call_id=call, at=at()),
        CallEnded(call_id=call, at=at(), by=draw(st.sampled_from(EndedBy))),
        recording(call, at()),
    ]
    for leg, agent in ((LegId(f"{call_id}0"), AgentNumber("1001")), (LegId(f"{call_id}1"), AgentNumber("1002"))):
        told += [
            AgentRang(call_id=call, at=at(), leg_id=leg, agent=agent),
            AgentAnswered(call_id=call, at=at(), leg_id=leg, agent=agent),
            AgentConnected(call_id=call, at=at(), leg_id=leg, agent=agent),
            LegEnded(call_id=call, at=at(), leg_id=leg, agent=agent, cause=draw(st.sampled_from([0, 16, 17]))),
            AgentWrappedUp(call_id=call, at=at(), leg_id=leg, agent=agent),
        ]
    return draw(st.lists(st.sampled_from(told), min_size=1, unique_by=lambda event: event.key))


class MemoryLedger:
    """``calls.ports.Ledger`` without a database; ``gone`` makes it fail as if its database were."""

    def __init__(self) -> None:
        self.gone = False
        self._told: dict[CallId, dict[str, AnyEvent]] = {}

    async def record(self, events: Sequence[AnyEvent]) -> list[Change]:
        self._check()
        told: dict[CallId, list[AnyEvent]] = {}
        for event in events:
            event_row(event)
            told.setdefault(event.call_id, []).append(event)
        changes = []
        for call_id, about in told.items():
            known = self._told.get(call_id, {})
            new = {key: event for key, event in prevailing(about).items() if key not in known}
            after = prevailing([*known.values(), *about])
            corrected = tuple(event for key, event in after.items() if key in known and event is not known[key])
            if new or corrected:
                before = self._folded(call_id)
                self._told[call_id] = after
                changes.append(Change(before, Call.of(after.values()), tuple(new.values()), corrected))
        return changes

    async def call(self, call_id: CallId) -> Call | None:
        self._check()
        return self._folded(call_id)

    async def events(self, call_id: CallId) -> list[AnyEvent]:
        self._check()
        return sorted(self._told.get(call_id, {}).values(), key=lambda event: (event.at, event.key))

    async def open_calls(self) -> list[Call]:
        waiting = [call for call in self._calls() if call.stage is not Stage.ENDED]
        return sorted(waiting, key=lambda call: (call.arrived_at, call.call_id))

    async def figures(self, since: datetime, until: datetime, limit_s: float) -> DayFigures:
        arrived = (call for call in self._calls() if since <= call.arrived_at < until)
        calls = [call for call in arrived if not is_test_trunk(call.trunk)]
        results = [call.result for call in calls]
        counted = [call for call in calls if call.connected or (call.asked_at and call.ended_at)]
        offers = [
            offer
            for call in counted
            for offer in call.offers
            if offer.answered_at or offer.ended_at or call.ended_at
        ]
        kept = [offer for offer in offers if offer.answered_at and (offer.ring_s or 0.0) <= limit_s]
        return DayFigures(
            answered=Ratio(results.count(Result.ANSWERED), len(counted)),
            within_limit=Ratio(sum(call.answered_within(limit_s) for call in counted), len(counted)),
            rings_kept=Ratio(len(kept), len(offers)),
            arrived=len(calls),
            abandoned=results.count(Result.ABANDONED),
            callbacks=results.count(Result.CALLBACK),
            missing_recordings=sum(map(_not_recorded, calls)),
        )

    async def missing_recordings(self, ended_before: datetime, limit: int) -> list[Call]:
        ended = [(call.ended_at, call) for call in self._calls() if call.ended_at and _not_recorded(call)]
        newest = sorted(ended, key=lambda pair: (-pair[0].timestamp(), pair[1].call_id))
        return [call for ended_at, call in newest if ended_at < ended_before][:limit]

    def _calls(self) -> list[Call]:
        self._check()
        return [Call.of(told.values()) for told in self._told.values()]

    def _folded(self, call_id: CallId) -> Call | None:
        told = self._told.get(call_id)
        return Call.of(told.values()) if told else None

    def _check(self) -> None:
        if self.gone:
            raise StorageUnavailable("the ledger in memory was told to be gone")


def _not_recorded(call: Call) -> bool:
    return call.connected is not None and call.ended_at is not None and call.recording is None
