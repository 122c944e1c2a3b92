"""Screen pop: what rings at an agent's telephone is on their desk at once, with what is known of the caller.

Calls are followed from the events themselves, before they are stored: a database that is slow or away delays no
pop. What the books know of a caller is looked up in the back room as soon as the call arrives, so that nothing is
left to ask when a telephone rings. Everything here runs on the service's own loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from datetime import datetime, timedelta

from calls.call import Call
from calls.custody import Access, AccessKind
from calls.desk import DeskCall, DeskNow, DeskStage, Dossier, masked
from calls.errors import StorageError
from calls.events import AgentWrappedUp, AnyEvent, MenuChosen, RecordingArrived
from calls.ids import AgentNumber, CallId
from calls.live import AgentState, LinkNow
from calls.ports import Change, Clock
from ivr.snapshot import AgentBoard

log = logging.getLogger(__name__)

LookUp = Callable[[CallId, str, datetime], Awaitable[Dossier]]
"""What the books know of the number that a call comes from, but for the call itself."""

EventsOf = Callable[[CallId], Awaitable[list[AnyEvent]]]
Note = Callable[[Access], Awaitable[None]]

BEAT_S = 5.0
"""A desk hears something at least this often, or knows that its line is dead."""
_LOOKERS = 4
_FRESH = timedelta(seconds=60)
"""A dossier that is older when a telephone rings is looked up again: queues can be long."""
_WRAP_UP_LOOK_S = 0.5
"""The time after a call ends by the clock, without an event."""
_RETRY_S = 2.0
_GONE = 5_000
"""Calls remembered as over: Asterisk's file tells of each once more, after the manager interface."""


class ScreenPop:
    """Keeps the calls that go on, by the agents whose telephones they are at, and tells the desks."""

    def __init__(
        self,
        board: AgentBoard,
        look_up: LookUp,
        events_of: EventsOf,
        note: Note,
        clock: Clock,
        *,
        beat_s: float = BEAT_S,
    ) -> None:
        self._board = board
        self._look_up = look_up
        self._events_of = events_of
        self._note = note
        self._clock = clock
        self._beat_s = beat_s
        self._link = LinkNow.DOWN
        self._told: dict[CallId, dict[str, AnyEvent]] = {}
        self._calls: dict[CallId, Call] = {}
        self._at: dict[AgentNumber, set[CallId]] = {}
        self._dossiers: dict[CallId, Dossier] = {}
        self._noted: dict[CallId, set[str]] = {}
        """Who is on record as having been shown what is known of a call's caller."""
        self._gone: set[CallId] = set()
        self._gone_order: deque[CallId] = deque()
        self._to_look_up: asyncio.Queue[CallId] = asyncio.Queue()
        self._looking: set[CallId] = set()
        self._to_load: asyncio.Queue[CallId] = asyncio.Queue()
        self._bells: dict[AgentNumber, set[asyncio.Event]] = {}
        self._closed = False

    # ── What happens ─────────────────────────────────────────────────────────────────────────────────────────

    def hear(self, event: AnyEvent) -> None:
        """Something has happened; told any number of times, in any order."""
        if event.call_id in self._gone or isinstance(event, MenuChosen | RecordingArrived | AgentWrappedUp):
            return
        told = self._told.setdefault(event.call_id, {})
        known = told.get(event.key)
        if known is not None and known.precedence <= event.precedence:
            return
        told[event.key] = event
        self._follow(Call.of(told.values()))

    def on_change(self, change: Change) -> None:
        """The books have it: what the manager interface did not tell is heard here."""
        for event in (*change.events, *change.corrected):
            self.hear(event)

    def open_calls(self, calls: Iterable[Call]) -> None:
        """The calls that the ledger believes to be going on, at start."""
        for call in calls:
            self._to_load.put_nowait(call.call_id)

    def set_link(self, link: LinkNow) -> None:
        if link is not self._link:
            self._link = link
            self.agents_changed()

    def agent_changed(self, agent: AgentNumber) -> None:
        """The queue member's state has changed."""
        for bell in self._bells.get(agent, ()):
            bell.set()

    def agents_changed(self) -> None:
        """Any of them may have."""
        for agent in list(self._bells):
            self.agent_changed(agent)

    def close(self) -> None:
        """Let every reader go."""
        self._closed = True
        self.agents_changed()

    async def run(self) -> None:
        """Look callers up, until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._load())
            for _ in range(_LOOKERS):
                group.create_task(self._look())

    # ── What the desks see ───────────────────────────────────────────────────────────────────────────────────

    async def read(self, agent: AgentNumber, login: str) -> DeskNow:
        """The agent's desk at this moment, what is shown of callers noted as seen by ``login`` (P1)."""
        await self._note_all(agent, login)
        return self._now(agent, login)

    async def changes(self, agent: AgentNumber, login: str) -> AsyncGenerator[DeskNow, None]:
        """The desk at once, then after every change, and once in a while without one.

        A call is there before what is known of its caller: that is noted in the access log first.
        """
        bell = asyncio.Event()
        self._bells.setdefault(agent, set()).add(bell)
        try:
            last: DeskNow | None = None
            while not self._closed:
                bell.clear()
                now = self._now(agent, login)
                if last is None or _differs(last, now) or now.at - last.at >= timedelta(seconds=self._beat_s):
                    last = now
                    yield now
                if await self._note_all(agent, login):
                    continue
                wrapping_up = now.agent.state is AgentState.WRAP_UP
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_WRAP_UP_LOOK_S if wrapping_up else self._beat_s):
                        await bell.wait()
        finally:
            self._bells[agent].discard(bell)

    def _now(self, agent: AgentNumber, login: str) -> DeskNow:
        at = self._clock.now()
        calls = (self._calls[call_id] for call_id in self._at.get(agent, ()))
        shown = [each for call in calls if (each := self._desk_call(call, agent, login))]
        return DeskNow(
            at=at,
            link=self._link,
            agent=self._board.agent(agent, at),
            calls=tuple(sorted(shown, key=lambda call: (call.stage is DeskStage.RINGING, call.since))),
        )

    def _desk_call(self, call: Call, agent: AgentNumber, login: str) -> DeskCall | None:
        placed = _placed(call, agent)
        if placed is None:
            return None
        stage, since = placed
        may_see = login in self._noted.get(call.call_id, ())
        return DeskCall(
            call_id=call.call_id,
            stage=stage,
            since=since,
            arrived_at=call.arrived_at,
            caller=masked(call.caller),
            section=call.section,
            language=call.language,
            priority=call.priority,
            dossier=self._dossiers.get(call.call_id) if may_see else None,
        )

    async def _note_all(self, agent: AgentNumber, login: str) -> bool:
        """Put on record that callers at this desk are seen; whether that opened a dossier."""
        opened = False
        for call_id in list(self._at.get(agent, ())):
            noted = self._noted.setdefault(call_id, set())
            if login in noted or call_id not in self._dossiers:
                continue
            reason = "the caller's history, as the call reached the desk"
            try:
                await self._note(Access(actor=login, kind=AccessKind.CALLER, reason=reason, call_id=call_id))
            except StorageError as error:
                log.warning("desk.history_withheld", extra={"call_id": call_id, "reason": str(error)})
                continue
            noted.add(login)
            opened = True
        return opened

    # ── Following the calls ──────────────────────────────────────────────────────────────────────────────────

    def _follow(self, call: Call) -> None:
        before = {agent for agent, calls in self._at.items() if call.call_id in calls}
        if call.ended_at:
            self._forget(call.call_id)
            after: set[AgentNumber] = set()
        else:
            self._calls[call.call_id] = call
            after = {offer.agent for offer in call.offers if _placed(call, offer.agent)}
            self._want(call, rings=bool(after - before))
        for agent in before - after:
            self._at[agent].discard(call.call_id)
        for agent in after - before:
            self._at.setdefault(agent, set()).add(call.call_id)
        for agent in before | after:
            self.agent_changed(agent)

    def _forget(self, call_id: CallId) -> None:
        for kept in (self._told, self._calls, self._dossiers, self._noted):
            kept.pop(call_id, None)
        self._gone.add(call_id)
        self._gone_order.append(call_id)
        if len(self._gone_order) > _GONE:
            self._gone.discard(self._gone_order.popleft())

    def _want(self, call: Call, *, rings: bool) -> None:
        """Have the caller looked up, if it is not done and not under way."""
        if not call.caller or call.call_id in self._looking:
            return
        known = self._dossiers.get(call.call_id)
        if known is None or (rings and self._clock.now() - known.looked_up_at > _FRESH):
            self._looking.add(call.call_id)
            self._to_look_up.put_nowait(call.call_id)

    async def _look(self) -> None:
        while True:
            call_id = await self._to_look_up.get()
            call = self._calls.get(call_id)
            if call is not None and call.caller:
                try:
                    dossier = await self._look_up(call_id, call.caller, call.arrived_at)
                except StorageError as error:
                    log.warning("desk.look_up_failed", extra={"call_id": call_id, "reason": str(error)})
                    asyncio.get_running_loop().call_later(_RETRY_S, self._to_look_up.put_nowait, call_id)
                    continue
                if call_id in self._calls:
                    self._dossiers[call_id] = dossier
            self._looking.discard(call_id)
            for agent, calls in self._at.items():
                if call_id in calls:
                    self.agent_changed(agent)

    async def _load(self) -> None:
        while True:
            call_id = await self._to_load.get()
            try:
                events = await self._events_of(call_id)
            except StorageError as error:
                log.warning("desk.load_failed", extra={"call_id": call_id, "reason": str(error)})
                asyncio.get_running_loop().call_later(_RETRY_S, self._to_load.put_nowait, call_id)
                continue
            for event in events:
                self.hear(event)


def _placed(call: Call, agent: AgentNumber) -> tuple[DeskStage, datetime] | None:
    """What a call that goes on is to an agent; ``None`` if it is not at their telephone."""
    for offer in call.offers:
        if offer.agent == agent and offer.ended_at is None:
            heard_at = offer.connected_at or offer.answered_at
            return (DeskStage.TALKING, heard_at) if heard_at else (DeskStage.RINGING, offer.rang_at)
    return None


def _differs(one: DeskNow, other: DeskNow) -> bool:
    return (one.link, one.agent, one.calls) != (other.link, other.agent, other.calls)
