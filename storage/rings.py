"""Who let it ring: offers that were not answered within three rings, and the calls behind them (A1, K2r).

What is listed here is exactly what K2r's denominator counts and its numerator does not.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import and_, not_, or_, select
from sqlalchemy.ext.asyncio import AsyncEngine

from calls.ids import AgentNumber, CallId, LegId, SectionId
from calls.people import Scope
from storage.faults import translated
from storage.reach import within
from storage.sums import COUNTED_OFFERS, TEST
from storage.tables import calls, offers

MOST = 50_000
"""Offers read at once; a longer period is to be asked for in pieces."""

_SLACK = timedelta(seconds=1)
"""Asterisk lets a telephone ring for whole seconds, by a clock of its own."""


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


class SqlRings:
    """Offers by how long they rang. Raises StorageUnavailable."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def left_ringing(
        self,
        scope: Scope,
        since: datetime,
        until: datetime,
        limit_s: float,
        *,
        agent: AgentNumber | None = None,
        most: int = MOST,
    ) -> list[LeftRinging]:
        """Offers of calls that arrived in ``[since, until)`` and that the scope reaches, the newest first."""
        kept_in_time = and_(
            offers.c.answered_at.is_not(None), offers.c.ring_s.is_not(None), offers.c.ring_s <= limit_s
        )
        wanted = (
            select(offers, calls.c.arrived_at, calls.c.section, calls.c.ended_at.label("call_ended_at"))
            .select_from(offers.join(calls))
            .where(
                calls.c.arrived_at >= since,
                calls.c.arrived_at < until,
                within(scope, calls.c.section, offers.c.agent),
                COUNTED_OFFERS,
                not_(or_(TEST, kept_in_time)),
            )
            .order_by(calls.c.arrived_at.desc(), calls.c.call_id, offers.c.leg_id)
            .limit(most)
        )
        if agent is not None:
            wanted = wanted.where(offers.c.agent == agent)
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
