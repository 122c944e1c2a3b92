"""The live picture: made of the calls that have not ended, the agents, the link and the day's figures."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable
from datetime import datetime, time, timedelta, tzinfo

from calls.call import Call, Stage
from calls.errors import StorageError
from calls.ids import SYNTHETIC_TRUNK, AgentNumber, CallId, SectionId
from calls.live import AgentState, CallNow, LinkNow, Picture, QueueNow
from calls.ports import Change, Clock, DayFigures, Ledger
from ivr.snapshot import AgentBoard

log = logging.getLogger(__name__)

_COALESCE_S = 0.25
_FIGURES_EVERY_S = 1.0


class LivePicture:
    """Keeps the picture and tells whoever watches that it has changed."""

    def __init__(
        self,
        ledger: Ledger,
        board: AgentBoard,
        sections: Iterable[SectionId],
        clock: Clock,
        zone: tzinfo,
        limit_s: float,
    ) -> None:
        self._ledger = ledger
        self._board = board
        self._sections = tuple(sections)
        self._clock = clock
        self._zone = zone
        self._limit_s = limit_s
        self._calls: dict[CallId, Call] = {}
        self._figures: DayFigures | None = None
        self._link = LinkNow.DOWN
        self._watchers: set[asyncio.Event] = set()
        self._dirty = True
        self._day: datetime | None = None
        self._callbacks_open = 0

    def on_change(self, change: Change) -> None:
        """A call has changed. The synthetic caller's are no caller's: they are not shown."""
        if change.after.trunk == SYNTHETIC_TRUNK:
            self._calls.pop(change.after.call_id, None)
            return
        if change.after.ended_at:
            self._calls.pop(change.after.call_id, None)
        else:
            self._calls[change.after.call_id] = change.after
        self._dirty = True
        self.touch()

    def open_calls(self, calls: Iterable[Call]) -> None:
        """The calls that the ledger believes to be going on, at start."""
        self._calls = {call.call_id: call for call in calls if call.trunk != SYNTHETIC_TRUNK}
        self.touch()

    def set_link(self, link: LinkNow) -> None:
        self._link = link
        self.touch()

    def set_callbacks(self, open_now: int) -> None:
        """So many call-backs are owed (A5)."""
        if open_now != self._callbacks_open:
            self._callbacks_open = open_now
            self.touch()

    def touch(self) -> None:
        """Something that the picture shows has changed."""
        for watcher in self._watchers:
            watcher.set()

    def picture(self) -> Picture:
        """The picture of this moment."""
        now = self._clock.now()
        agents = self._board.agents(now)
        waiting = [call for call in self._calls.values() if call.stage is Stage.QUEUE]
        ready = [agent for agent in agents if agent.state is AgentState.READY]
        queues = []
        for section in self._sections:
            mine = [call.asked_at for call in waiting if call.section == section and call.asked_at]
            queues.append(
                QueueNow(
                    section=section,
                    waiting=len(mine),
                    agents_ready=sum(section in agent.sections for agent in ready),
                    longest_wait_since=min(mine, default=None),
                )
            )
        return Picture(
            at=now,
            link=self._link,
            calls=tuple(sorted(map(_call_now, self._calls.values()), key=lambda call: call.since)),
            agents=agents,
            queues=tuple(queues),
            figures=self._figures,
            callbacks_open=self._callbacks_open,
        )

    async def changes(self) -> AsyncIterator[Picture]:
        """Pictures, one at once and one after every change, at most four a second."""
        changed = asyncio.Event()
        self._watchers.add(changed)
        try:
            while True:
                changed.clear()
                yield self.picture()
                await changed.wait()
                await asyncio.sleep(_COALESCE_S)
        finally:
            self._watchers.discard(changed)

    async def run(self) -> None:
        """Refresh the day's figures until cancelled."""
        while True:
            await self._refresh()
            await asyncio.sleep(_FIGURES_EVERY_S)

    async def _refresh(self) -> None:
        since, until = day_of(self._clock.now(), self._zone)
        if not self._dirty and since == self._day:
            return
        self._dirty = False
        try:
            figures = await self._ledger.figures(since, until, self._limit_s)
        except StorageError as error:
            self._dirty = True
            log.warning("figures.unavailable", extra={"reason": str(error)})
            return
        self._day = since
        if figures != self._figures:
            self._figures = figures
            self.touch()


def day_of(now: datetime, zone: tzinfo) -> tuple[datetime, datetime]:
    """The operator's day that ``now`` lies in: its beginning and the next one's."""
    today = now.astimezone(zone).date()
    start = datetime.combine(today, time(), zone)
    return start, datetime.combine(today + timedelta(days=1), time(), zone)


def _call_now(call: Call) -> CallNow:
    talking = call.connected
    ringing = next((o for o in call.offers if not o.answered_at and not o.ended_at), None)
    agent: AgentNumber | None = None
    since = call.arrived_at
    if call.stage is Stage.TALK and talking and talking.connected_at:
        agent, since = talking.agent, talking.connected_at
    elif call.stage is Stage.SURVEY and call.talk_ended_at:
        since = call.talk_ended_at
    elif call.stage is Stage.QUEUE and call.asked_at:
        agent, since = (ringing.agent if ringing else None), call.asked_at
    return CallNow(
        call_id=call.call_id,
        stage=call.stage,
        since=since,
        section=call.section,
        language=call.language,
        agent=agent,
        asked_at=call.asked_at,
        priority=call.priority,
        arrived_at=call.arrived_at,
    )
