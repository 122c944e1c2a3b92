"""Agents' presence in the database: ``calls.ports.PresenceBook``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, case, func, select, true
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncEngine

from calls.ids import AgentNumber, SectionId
from calls.presence import Presence, PresenceChange, PresenceStep, presence_of
from storage.engine import for_writing
from storage.faults import translated
from storage.tables import presence

_MEMBERSHIP = case((presence.c.step.in_([PresenceStep.JOINED, PresenceStep.LEFT]), "membership"), else_="pause")
_ANYBODY: ColumnElement[bool] = true()


class SqlPresence:
    """Who was logged in or paused (``calls.ports.PresenceBook``)."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._writer = for_writing(engine)
        put = postgresql.insert(presence) if engine.dialect.name == "postgresql" else sqlite.insert(presence)
        self._put = put.on_conflict_do_nothing(index_elements=["key"])

    async def note(self, changes: Sequence[PresenceChange]) -> None:
        """See ``calls.ports.PresenceBook.note``."""
        if not changes:
            return
        with translated():
            async with self._writer.begin() as connection:
                await connection.execute(self._put, [_row(change) for change in changes])

    async def presence_s(self, since: datetime, until: datetime) -> dict[AgentNumber, Presence]:
        """See ``calls.ports.PresenceBook.presence_s``."""
        within = select(presence).where(presence.c.at >= since, presence.c.at < until)
        with translated():
            async with self._engine.connect() as connection:
                before = (await connection.execute(_state_at(since))).all()
                rows = [*before, *(await connection.execute(within)).all()]
        return presence_of(map(_change, rows), since, until)

    async def steps(self, agent: AgentNumber, since: datetime, until: datetime) -> list[PresenceChange]:
        """What one agent did in ``[since, until)``, in order."""
        mine = (
            select(presence)
            .where(presence.c.agent == agent, presence.c.at >= since, presence.c.at < until)
            .order_by(presence.c.at, presence.c.position, presence.c.key)
        )
        with translated():
            async with self._engine.connect() as connection:
                return [_change(row) for row in await connection.execute(mine)]

    async def since(self, agent: AgentNumber, moment: datetime, until: datetime) -> list[PresenceChange]:
        """What one agent did in ``[moment, until)``, and before it what says how things stood then."""
        mine = presence.c.agent == agent
        within = select(presence).where(mine, presence.c.at >= moment, presence.c.at < until)
        with translated():
            async with self._engine.connect() as connection:
                before = (await connection.execute(_state_at(moment, mine))).all()
                return [_change(row) for row in (*before, *(await connection.execute(within)).all())]


def _state_at(moment: datetime, whose: ColumnElement[bool] = _ANYBODY) -> Select[Any]:
    """The last step of each kind, of each agent in each queue, before a moment."""
    last = (
        func.row_number()
        .over(
            partition_by=(presence.c.agent, presence.c.queue, _MEMBERSHIP),
            order_by=(presence.c.at.desc(), presence.c.position.desc(), presence.c.key.desc()),
        )
        .label("last")
    )
    ranked = select(presence, last).where(presence.c.at < moment, whose).subquery()
    return select(ranked).where(ranked.c.last == 1)


def _row(change: PresenceChange) -> dict[str, Any]:
    return {
        "key": change.key,
        "at": change.at,
        "position": change.position,
        "agent": change.agent,
        "queue": change.queue,
        "step": change.step,
        "reason": change.reason,
    }


def _change(row: Row[Any]) -> PresenceChange:
    return PresenceChange(
        at=row.at,
        position=row.position,
        agent=AgentNumber(row.agent),
        queue=SectionId(row.queue),
        step=PresenceStep(row.step),
        reason=row.reason,
    )
