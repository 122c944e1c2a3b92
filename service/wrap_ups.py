"""Tells the books when the work after each talk was over, as soon as the queue log has told enough (AHT)."""

from __future__ import annotations

from datetime import datetime, timedelta

from calls.events import AgentWrappedUp, Source
from calls.wrap_up import TalkOver, WrapUpTime, in_force, wrapped_up_at
from service.pipeline import Pipeline
from storage.presence import SqlPresence
from storage.wrap_ups import SqlWrapUps

_LOOK_BACK = timedelta(days=7)
"""At the start. Whoever is still at the same work then has forgotten to say that it is over."""
_LATE = timedelta(hours=1)
"""How late the end of a call may come into the books while the service runs."""


class WrapUps:
    """``given_s`` is what queues give agents after each call. Only talks that end from ``begin`` on are told:
    what was given after those before is not known.
    """

    def __init__(self, books: SqlWrapUps, presence: SqlPresence, given_s: float) -> None:
        self._books = books
        self._presence = presence
        self._given_s = given_s
        self._from: datetime | None = None

    async def begin(self, now: datetime) -> None:
        """The service has started. Raises StorageError."""
        await self._books.note(WrapUpTime(now, float(self._given_s)))

    async def settle(self, known_until: datetime, pipeline: Pipeline) -> None:
        """Tell what can be told, when all that the queue log says of before ``known_until`` is in the books.

        Raises StorageError; then it is to be asked again.
        """
        times = await self._books.times()
        if not times:
            return
        since = max(times[0].since, self._from or known_until - _LOOK_BACK)
        talks = [talk for talk in await self._books.talks(since) if talk.ended_at < known_until]
        waiting = [talk for talk in talks if not await self._told(talk, times, known_until, pipeline)]
        await pipeline.kept()
        self._from = min([known_until - _LATE, *(talk.call_ended_at for talk in waiting)])

    async def _told(
        self, talk: TalkOver, times: list[WrapUpTime], known_until: datetime, pipeline: Pipeline
    ) -> bool:
        """Whether nothing more is to be waited for."""
        given_s = in_force(times, talk.ended_at)
        if given_s is None:
            return True
        changes = await self._presence.since(talk.agent, talk.ended_at, known_until)
        turned_at = await self._books.turned_at(talk.agent, talk.ended_at)
        at = wrapped_up_at(talk.ended_at, given_s, changes, known_until, turned_at)
        if at is None:
            return False
        await pipeline.put(
            AgentWrappedUp(
                call_id=talk.call_id, at=at, source=Source.QUEUE_LOG, leg_id=talk.leg_id, agent=talk.agent
            )
        )
        return True
