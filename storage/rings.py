"""Who let it ring: offers that were not answered within three rings, and the calls behind them (A1, K2r).

What is listed here is exactly what K2r's denominator counts and its numerator does not.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Integer, and_, case, cast, func, literal, not_, or_, select
from sqlalchemy.ext.asyncio import AsyncEngine

from calls.ids import AgentNumber, CallId, LegId, SectionId
from calls.people import Scope
from storage.faults import translated
from storage.reach import within
from storage.sums import COUNTED_OFFERS, TEST
from storage.tables import LEFT_FROM_S, PERHAPS_LEFT, calls, offers

MOST = 5_000
"""Offers listed at once."""

_SLACK = timedelta(seconds=1)
"""Asterisk lets a telephone ring for whole seconds, by a clock of its own."""

_LONGEST_LINE = timedelta(days=1)
"""Nobody waits so long for a telephone to ring."""


class Ringing(StrEnum):
    """How an offer came out that was not answered in time."""

    RANG_OUT = "rang_out"
    """It rang for as long as it may, and nobody picked up."""
    LATE = "late"
    """It was picked up after more than three rings."""
    CUT_SHORT = "cut_short"
    """The caller hung up, somebody else answered, or the telephone refused: not the agent's doing alone."""


@dataclass(frozen=True, slots=True)
class LeftRinging:
    """One offer that was not answered in time."""

    call_id: CallId
    leg_id: LegId
    arrived_at: datetime
    """Of the call: figures count an offer in the hour in which its call arrived."""
    section: SectionId | None
    agent: AgentNumber
    rang_at: datetime
    rang_s: float
    """Until it was picked up or ended."""
    how: Ringing


@dataclass(frozen=True, slots=True)
class RingTally:
    """Offers of one agent that came out alike, of calls that arrived in one hour of the day."""

    agent: AgentNumber
    hour: int
    """Of the operator's day, in which the calls arrived."""
    how: Ringing
    number: int


class SqlRings:
    """Offers by how long they rang. Raises StorageUnavailable."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._sqlite = engine.dialect.name == "sqlite"

    async def tally(
        self, scope: Scope, since: datetime, until: datetime, limit_s: float, zone: ZoneInfo
    ) -> list[RingTally]:
        """Counts of what ``left_ringing`` lists, all of it, by agent and hour of the day in ``zone``."""
        found: list[RingTally] = []
        with translated():
            async with self._engine.connect() as connection:
                for begin, end, offset in _of_one_offset(since, until, zone):
                    hour, how = self._hour(offset).label("hour"), self._how(limit_s).label("how")
                    wanted = (
                        select(offers.c.agent, hour, how, func.count().label("n"))
                        .select_from(offers.join(calls))
                        .where(*_left(scope, begin, end, limit_s), *_soon_found(begin, end, limit_s))
                        .group_by(offers.c.agent, hour, how)
                    )
                    found += [
                        RingTally(AgentNumber(row.agent), int(row.hour), Ringing(row.how), int(row.n))
                        for row in await connection.execute(wanted)
                    ]
        return found

    def _hour(self, offset: timedelta) -> ColumnElement[int]:
        """The hour of the day in which a call arrived."""
        seconds = int(offset.total_seconds())
        if self._sqlite:
            return cast(func.strftime("%H", calls.c.arrived_at, f"{seconds:+d} seconds"), Integer)
        local = func.timezone("UTC", calls.c.arrived_at) + timedelta(seconds=seconds)
        return cast(func.extract("hour", local), Integer)

    def _how(self, limit_s: float) -> ColumnElement[str]:
        """As ``_how``, said to the database."""
        ended = func.coalesce(offers.c.ended_at, calls.c.ended_at, offers.c.rang_at)
        if self._sqlite:
            rang_s: ColumnElement[Any] = (func.julianday(ended) - func.julianday(offers.c.rang_at)) * 86_400.0
        else:
            rang_s = func.extract("epoch", ended - offers.c.rang_at)
        whole = rang_s >= limit_s - _SLACK.total_seconds()
        return case(
            (offers.c.answered_at.is_not(None), literal(Ringing.LATE.value)),
            (whole, literal(Ringing.RANG_OUT.value)),
            else_=literal(Ringing.CUT_SHORT.value),
        )

    async def left_ringing(
        self,
        scope: Scope,
        since: datetime,
        until: datetime,
        limit_s: float,
        *,
        agent: AgentNumber | None = None,
        how: Ringing | None = None,
        hour: int | None = None,
        zone: ZoneInfo | None = None,
        most: int = MOST,
    ) -> list[LeftRinging]:
        """Offers of calls that arrived in ``[since, until)`` and that the scope reaches, the newest first.

        ``hour`` is one of the day in ``zone``, as in ``tally``.
        """
        wanted = (
            select(offers, calls.c.arrived_at, calls.c.section, calls.c.ended_at.label("call_ended_at"))
            .select_from(offers.join(calls))
            .where(*_left(scope, since, until, limit_s))
            .order_by(calls.c.arrived_at.desc(), calls.c.call_id, offers.c.leg_id)
            .limit(most)
        )
        if agent is not None:
            wanted = wanted.where(offers.c.agent == agent)
        if how is not None:
            wanted = wanted.where(self._how(limit_s) == how.value)
        if hour is not None and zone is not None:
            at = calls.c.arrived_at
            pieces = _of_one_offset(since, until, zone)
            wanted = wanted.where(
                or_(*(and_(at >= a, at < b, self._hour(offset) == hour) for a, b, offset in pieces))
            )
        with translated():
            async with self._engine.connect() as connection:
                rows = (await connection.execute(wanted)).all()
        return [
            LeftRinging(
                CallId(row.call_id),
                LegId(row.leg_id),
                row.arrived_at,
                SectionId(row.section) if row.section else None,
                AgentNumber(row.agent),
                row.rang_at,
                *_how(row.rang_at, row.answered_at, row.ended_at or row.call_ended_at, row.ring_s, limit_s),
            )
            for row in rows
        ]


def _left(scope: Scope, since: datetime, until: datetime, limit_s: float) -> list[ColumnElement[bool]]:
    """What K2r's denominator counts and its numerator does not."""
    in_time = and_(offers.c.answered_at.is_not(None), offers.c.ring_s.is_not(None), offers.c.ring_s <= limit_s)
    return [
        calls.c.arrived_at >= since,
        calls.c.arrived_at < until,
        within(scope, calls.c.section, offers.c.agent),
        COUNTED_OFFERS,
        not_(or_(TEST, in_time)),
    ]


def _soon_found(since: datetime, until: datetime, limit_s: float) -> list[ColumnElement[bool]]:
    """What is so of every such offer anyway, said in the words of the index of the few that it may be."""
    if limit_s < LEFT_FROM_S:
        return []
    return [PERHAPS_LEFT, offers.c.rang_at >= since - _LONGEST_LINE, offers.c.rang_at < until + _LONGEST_LINE]


def _of_one_offset(
    since: datetime, until: datetime, zone: ZoneInfo
) -> Iterator[tuple[datetime, datetime, timedelta]]:
    """The span cut where the zone's clock is set: within each piece local time is UTC and so much."""
    step, begin = timedelta(hours=1), since.astimezone(UTC)
    end, until = begin, until.astimezone(UTC)

    def offset_at(moment: datetime) -> timedelta:
        return moment.astimezone(zone).utcoffset() or timedelta()

    while begin < until:
        offset = offset_at(begin)
        while end < until and offset_at(end) == offset:
            end = min(end + step, until)
        yield begin, end, offset
        begin = end


def _how(
    rang_at: datetime,
    answered_at: datetime | None,
    ended_at: datetime | None,
    ring_s: float | None,
    limit_s: float,
) -> tuple[float, Ringing]:
    """How long it rang, and how it came out."""
    if answered_at is not None:
        rang_s = ring_s if ring_s is not None else (answered_at - rang_at).total_seconds()
        return rang_s, Ringing.LATE
    rang_s = max(0.0, ((ended_at or rang_at) - rang_at).total_seconds())
    whole = rang_s >= limit_s - _SLACK.total_seconds()
    return rang_s, Ringing.RANG_OUT if whole else Ringing.CUT_SHORT
