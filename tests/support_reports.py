"""A centre's past, made up from a seed, on the books as the real one is: what reports are made of in tests."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime, timedelta

from calls.audit import Difference, Discrepancy, Repair
from calls.events import (
    AgentAnswered,
    AgentConnected,
    AgentRang,
    AgentWrappedUp,
    AnyEvent,
    AskedBy,
    CallArrived,
    CallbackPromised,
    CallEnded,
    CallOverflowed,
    EndedBy,
    LegEnded,
    PersonAsked,
    RecordingArrived,
    Source,
)
from calls.ids import AgentNumber, CallId, Language, LegId, SectionId
from calls.outages import EVERYTHING, Component, Maintenance
from calls.periods import Grain, Period
from calls.presence import PresenceChange, PresenceStep
from storage.audit import SqlAudit
from storage.ledger import SqlLedger
from storage.outages import SqlOutages
from storage.presence import SqlPresence

STAFF = {
    "inquiry": ("1001", "1002"),
    "complaint": ("2001",),
    "ticketing": ("3001",),
    "coordination": ("4001",),
}
WRAP_UP_KEPT_SINCE = 2026
"""Of calls of earlier years it is not known."""
_SHARE = {"inquiry": 50, "ticketing": 30, "complaint": 15, "coordination": 5}
_BY_HOUR = (1, 1, 1, 1, 1, 2, 5, 9, 12, 12, 11, 9, 8, 9, 10, 10, 10, 11, 10, 8, 6, 4, 3, 2)


class Past:
    """Makes calls up. The same seed gives the same calls."""

    def __init__(self, seed: int) -> None:
        self._dice = random.Random(seed)
        self._count = 0

    def calls(self, period: Period, number: int, *, skill: float = 0.95) -> Iterator[list[AnyEvent]]:
        """The events of ``number`` calls that arrive in the period; ``skill`` is the share that is answered."""
        for _ in range(number):
            yield self._call(self._moment(period), skill)

    def _moment(self, period: Period) -> datetime:
        days = max(1, round((period.end - period.start) / timedelta(days=1)))
        day = period.start + timedelta(days=self._dice.randrange(days))
        hour = self._dice.choices(range(24), _BY_HOUR)[0]
        return day + timedelta(hours=hour, microseconds=self._dice.randrange(3_600_000_000))

    def _call(self, start: datetime, skill: float) -> list[AnyEvent]:
        dice = self._dice
        self._count += 1
        call = CallId(f"hotline-{1_700_000_000 + self._count}.{self._count}")

        def at(after_s: float) -> datetime:
            return start + timedelta(seconds=after_s)

        told: list[AnyEvent] = [CallArrived(call_id=call, at=start, trunk="city", caller="13900001234")]
        if dice.random() < 0.12:
            return [*told, CallEnded(call_id=call, at=at(dice.uniform(4, 60)), by=EndedBy.CALLER)]
        asked = dice.uniform(6, 25)
        section = dice.choices(list(_SHARE), list(_SHARE.values()))[0]
        language = Language("zh-CN" if dice.random() < 0.93 else "en")
        told.append(
            PersonAsked(
                call_id=call,
                at=at(asked),
                section=SectionId(section),
                language=language,
                priority=False,
                by=AskedBy.MENU,
            )
        )
        rang, turn = asked + 0.4, 0
        while dice.random() < 0.06:  # nobody picks up: the next agent's telephone rings
            told += self._ring(call, turn, start, section, rang, None)
            rang, turn = rang + 15.5, turn + 1
        if turn > 1:
            told.append(CallOverflowed(call_id=call, at=at(asked + 30)))
        if dice.random() < skill:
            ring = min(14.9, 1 + dice.expovariate(0.3))
            told += self._ring(call, turn, start, section, rang, ring)
            ended = rang + ring + 0.3 + 20 + dice.expovariate(1 / 140)
            told.append(CallEnded(call_id=call, at=at(ended), by=EndedBy.CALLER))
            told += _wrapped_up(told, start.year >= WRAP_UP_KEPT_SINCE)
            if dice.random() < 0.995:
                told.append(
                    RecordingArrived(
                        call_id=call, at=at(ended + 1), duration_s=30.5, sample_rate_hz=16000, complete=True
                    )
                )
            return told
        if dice.random() < 0.2:
            told.append(CallbackPromised(call_id=call, at=at(rang + 60), number="13900001234"))
            return [*told, CallEnded(call_id=call, at=at(rang + 65), by=EndedBy.SYSTEM)]
        return [*told, CallEnded(call_id=call, at=at(rang + dice.expovariate(0.08)), by=EndedBy.CALLER)]

    def _ring(
        self, call: CallId, turn: int, start: datetime, section: str, rang: float, ring: float | None
    ) -> list[AnyEvent]:
        leg, agent = LegId(f"{call}{turn}"), AgentNumber(self._dice.choice(STAFF[section]))

        def at(after_s: float) -> datetime:
            return start + timedelta(seconds=after_s)

        told: list[AnyEvent] = [AgentRang(call_id=call, at=at(rang), leg_id=leg, agent=agent)]
        if ring is None:
            return [*told, LegEnded(call_id=call, at=at(rang + 15), leg_id=leg, agent=agent, cause=0)]
        return [
            *told,
            AgentAnswered(call_id=call, at=at(rang + ring), leg_id=leg, agent=agent),
            AgentConnected(call_id=call, at=at(rang + ring + 0.3), leg_id=leg, agent=agent),
        ]


def _wrapped_up(told: list[AnyEvent], is_kept: bool) -> list[AnyEvent]:
    """The end of the agent's side with the call, and of the work after it ten seconds later."""
    heard, end = (next(event for event in told if isinstance(event, kind)) for kind in (AgentConnected, CallEnded))
    assert isinstance(heard, AgentConnected)
    call, leg, agent, at = heard.call_id, heard.leg_id, heard.agent, end.at
    over = LegEnded(call_id=call, at=at, leg_id=leg, agent=agent, cause=16)
    done = AgentWrappedUp(call_id=call, at=at + timedelta(seconds=10), leg_id=leg, agent=agent)
    return [over, done] if is_kept else [over]


async def put_on_the_books(ledger: SqlLedger, calls: Iterator[list[AnyEvent]], batch: int = 200) -> None:
    """Record calls, many at a time."""
    waiting: list[AnyEvent] = []
    for number, events in enumerate(calls, start=1):
        waiting += events
        if number % batch == 0:
            await ledger.record(waiting)
            waiting = []
    await ledger.record(waiting)


async def attendance(presence: SqlPresence, period: Period) -> None:
    """Every agent logged in from 8 to 20 o'clock on every day of the period, and paused for an hour."""
    told: list[PresenceChange] = []
    for day in period.split(Grain.DAY):
        for section, agents in STAFF.items():
            for agent in agents:
                for hour, step in _SHIFT:
                    at = day.start + timedelta(hours=hour)
                    told.append(
                        PresenceChange(at, len(told), AgentNumber(agent), SectionId(section), step, "meal")
                    )
    await presence.note(told)


_SHIFT = (
    (8, PresenceStep.JOINED),
    (12, PresenceStep.PAUSED),
    (13, PresenceStep.UNPAUSED),
    (20, PresenceStep.LEFT),
)


async def troubles(outages: SqlOutages, audit: SqlAudit, period: Period) -> None:
    """Outages, announced maintenance, repairs and a discrepancy in the period."""
    start = period.start

    def at(hours: float) -> datetime:
        return start + timedelta(hours=hours)

    await outages.watched(start - timedelta(days=800))
    await outages.opened(Component.TRUNK, at(9), "OPTIONS unanswered")
    await outages.opened(Component.AMI, at(9.25), "link down")
    await outages.closed(Component.AMI, at(9.5))
    await outages.closed(Component.TRUNK, at(9.75))
    await outages.announce(Maintenance(at(2), at(3), EVERYTHING, "Asterisk upgrade"))
    await outages.opened(Component.ASTERISK, at(2.25), "process gone")
    await outages.closed(Component.ASTERISK, at(2.5))
    call = CallId("hotline-1700000001.1")
    await audit.repaired([Repair("k1", call, at(9.3), "ended", Source.AMI)])
    differs = "queue_log: ABANDON, books: answered"
    await audit.raised([Discrepancy("d1", Difference.DIFFERS, at(9.6), differs, call)])
