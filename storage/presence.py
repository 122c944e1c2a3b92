"""Agents' presence in the database: ``calls.ports.PresenceBook``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import CTE, Row, Select, func, literal, select, union_all
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncEngine

from calls.ids import AgentNumber, SectionId
from calls.presence import Presence, PresenceChange, PresenceStep, presence_of
from storage.engine import for_writing
from storage.faults import translated
from storage.tables import presence

_MEMBERSHIP = (PresenceStep.JOINED, PresenceStep.LEFT)
"""All others are of pauses."""


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
        mine = (presence.c.agent == agent, presence.c.at >= moment, presence.c.at < until)
        within = select(presence).where(*mine)
        with translated():
            async with self._engine.connect() as connection:
                before = (await connection.execute(_state_at(moment, agent))).all()
                return [_change(row) for row in (*before, *(await connection.execute(within)).all())]


def _state_at(moment: datetime, agent: AgentNumber | None = None) -> Select[Any]:
    """The last step of each kind before a moment, of each agent (or of one) in each queue.

    Looked up from index entry to index entry, not by reading all that ever happened: there are few agents and
    queues, and many years of steps.
    """
    desks = _desks(agent)
    mine = (presence.c.agent == desks.c.agent, presence.c.queue == desks.c.queue, presence.c.at < moment)
    latest = (presence.c.at.desc(), presence.c.position.desc(), presence.c.key.desc())
    kinds = (presence.c.step.in_(_MEMBERSHIP), presence.c.step.not_in(_MEMBERSHIP))
    lasts = (
        select(presence.c.key).where(*mine, kind).order_by(*latest).limit(1).correlate(desks).scalar_subquery()
        for kind in kinds
    )
    return select(presence).where(
        presence.c.key.in_(union_all(*(select(last).select_from(desks) for last in lasts)))
    )


def _desks(agent: AgentNumber | None) -> CTE:
    """Every agent (or one) with every queue that was ever theirs; the last row of each agent has no queue."""
    agents = _agents() if agent is None else select(literal(agent).label("agent")).cte("agents")
    queues = select(func.min(presence.c.queue))
    first = queues.where(presence.c.agent == agents.c.agent).correlate(agents).scalar_subquery()
    desks = select(agents.c.agent, first.label("queue")).cte("desks", recursive=True)
    more = (presence.c.agent == desks.c.agent, presence.c.queue > desks.c.queue)
    following = queues.where(*more).correlate(desks).scalar_subquery()
    return desks.union_all(select(desks.c.agent, following).where(desks.c.queue.is_not(None)))


def _agents() -> CTE:
    smallest = select(func.min(presence.c.agent).label("agent"))
    agents = smallest.cte("agents", recursive=True)
    following = smallest.where(presence.c.agent > agents.c.agent).correlate(agents).scalar_subquery()
    return agents.union_all(select(following).where(agents.c.agent.is_not(None)))


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
