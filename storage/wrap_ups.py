"""What the work after a talk is worked out from: talks that are over, and what queues give agents after each."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncEngine

from calls.ids import AgentNumber, CallId, LegId
from calls.wrap_up import TalkOver, WrapUpTime
from storage.engine import for_writing
from storage.faults import translated
from storage.survey_tables import callback_attempts
from storage.tables import calls, offers, wrap_up_times


class SqlWrapUps:
    """Those of one Asterisk: its queue log says when. Raises StorageUnavailable or StorageRefused."""

    def __init__(self, engine: AsyncEngine, instance: str) -> None:
        self._instance = instance
        self._times = select(wrap_up_times).where(wrap_up_times.c.instance == instance)
        self._engine = engine
        self._writer = for_writing(engine)

    async def note(self, time: WrapUpTime) -> None:
        """From then on queues give so much; nothing new if they gave as much before."""
        latest = self._times.order_by(wrap_up_times.c.since.desc()).limit(1)
        row = {"instance": self._instance, "since": time.since, "seconds": time.seconds}
        with translated():
            async with self._writer.begin() as connection:
                last = (await connection.execute(latest)).one_or_none()
                if last is None or last.seconds != time.seconds:
                    await connection.execute(insert(wrap_up_times).values(row))

    async def times(self) -> list[WrapUpTime]:
        """All that were ever given, in order of time."""
        with translated():
            async with self._engine.connect() as connection:
                rows = await connection.execute(self._times.order_by(wrap_up_times.c.since))
                return [WrapUpTime(row.since, row.seconds) for row in rows]

    async def talks(self, since: datetime) -> list[TalkOver]:
        """Talks of calls that ended from ``since`` on, the work after which is not known to be over."""
        wanted = (
            select(
                offers.c.call_id, offers.c.leg_id, offers.c.agent, offers.c.ended_at, calls.c.ended_at.label("end")
            )
            .join_from(calls, offers, offers.c.call_id == calls.c.call_id)
            .where(
                calls.c.ended_at >= since,
                calls.c.call_id.startswith(f"{self._instance}-", autoescape=True),
                calls.c.connected_at.is_not(None),
                calls.c.wrap_up_s.is_(None),
                offers.c.connected_at.is_not(None),
                offers.c.ended_at.is_not(None),
                offers.c.wrapped_up_at.is_(None),
            )
            .order_by(calls.c.ended_at, offers.c.leg_id)
        )
        with translated():
            async with self._engine.connect() as connection:
                return [
                    TalkOver(CallId(row.call_id), LegId(row.leg_id), AgentNumber(row.agent), row.ended_at, row.end)
                    for row in await connection.execute(wanted)
                ]

    async def turned_at(self, agent: AgentNumber, after: datetime) -> datetime | None:
        """When an agent first turned to somebody else after a moment: heard the next caller, or began to call."""
        heard = select(func.min(offers.c.connected_at)).where(
            offers.c.agent == agent, offers.c.connected_at > after
        )
        called = select(func.min(callback_attempts.c.began_at)).where(
            callback_attempts.c.agent == agent, callback_attempts.c.began_at > after
        )
        with translated():
            async with self._engine.connect() as connection:
                found: list[datetime | None] = [await connection.scalar(each) for each in (heard, called)]
        return min((each for each in found if each), default=None)
