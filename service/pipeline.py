"""Event → ledger → everybody who watches. One writer, in order, in batches."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from calls.errors import StorageRefused, StorageUnavailable
from calls.events import AnyEvent
from calls.ports import Change, Ledger
from service.spool import Spool, SpoolFull

log = logging.getLogger(__name__)

Observer = Callable[[Change], None]

Refused = Callable[[AnyEvent, str], None]
"""Told of an event that the database will never take, and why."""

_BATCH = 256
_GATHER_S = 0.1
"""How long the first event of a batch waits for others: a transaction each would cost twice the time in all."""
_RETRY_FIRST_S = 0.1
_RETRY_CAP_S = 5.0
_DRAIN_BATCHES = 8
"""Batches taken from the spool before those who hand over events have their turn again."""


@dataclass(frozen=True, slots=True)
class _Item:
    event: AnyEvent
    journaled: bool


class _Mark:
    """A count that only rises, and those who wait for it to reach theirs."""

    def __init__(self) -> None:
        self._count = 0
        self._waiting: list[tuple[int, asyncio.Future[None]]] = []

    def rise(self, by: int) -> None:
        self._count += by
        while self._waiting and self._waiting[0][0] <= self._count:
            waiter = self._waiting.pop(0)[1]
            if not waiter.done():
                waiter.set_result(None)

    async def reached(self, count: int) -> None:
        if self._count < count:
            waiter = asyncio.get_running_loop().create_future()
            self._waiting.append((count, waiter))
            await waiter


class Pipeline:
    """Takes events from anywhere in the event loop and stores them.

    While the database is away events wait in ``spool``, on disk, in order. Where that is full too, or there is
    none, up to ``capacity`` wait in memory; then ``put`` waits, which slows the reading of AMI and of Asterisk's
    files down instead of losing anything. ``journal`` takes at once what nobody else has written down, until it
    is stored. ``opened``, where given, says that the database has been made ready.
    """

    def __init__(
        self,
        ledger: Ledger,
        observers: Sequence[Observer],
        capacity: int = 100_000,
        *,
        spool: Spool | None = None,
        journal: Spool | None = None,
        opened: asyncio.Event | None = None,
        on_refused: Refused | None = None,
    ) -> None:
        self._ledger = ledger
        self._observers = tuple(observers)
        self._queue: asyncio.Queue[_Item] = asyncio.Queue(capacity)
        self._spool = spool
        self._journal = journal
        self._opened = opened
        self._on_refused = on_refused
        self._left_over = journal.events if journal else 0
        self._busy = 0
        self._handed = spool.events if spool else 0
        self._kept = _Mark()
        self._done = _Mark()
        self._kept.rise(self._handed)
        self._delay_s = _RETRY_FIRST_S
        self._retry_at = 0.0
        self.stored = 0
        """Events that were new to the ledger."""
        self.refused = 0
        """Events that the database will never take; each is logged."""
        self.available = True
        """Whether the database answered the last attempt to store."""
        self.disk_ok = True
        """Whether the disk took the last event that was to wait on it."""

    @property
    def pending(self) -> int:
        """Events that wait to be stored, in memory and on disk."""
        return self._queue.qsize() + self._busy + self._on_disk

    @property
    def _on_disk(self) -> int:
        return self._spool.events if self._spool else 0

    async def put(self, event: AnyEvent) -> None:
        """Hand over one event that can be told again; waits while too many are pending."""
        await self._queue.put(_Item(event, journaled=False))
        self._handed += 1

    def put_nowait(self, event: AnyEvent) -> None:
        """Hand over one event that nobody else has written down, from where nothing can be awaited.

        It is in the journal when this returns, if there is one whose disk takes it. Raises asyncio.QueueFull.
        """
        if self._queue.full():
            raise asyncio.QueueFull
        self._queue.put_nowait(_Item(event, self._write_down(event)))
        self._handed += 1

    async def kept(self) -> None:
        """Return when everything handed over so far is safe: stored, refused, or in the spool on disk."""
        await self._kept.reached(self._handed)

    async def drained(self) -> None:
        """Return when everything handed over so far has been stored or refused."""
        await self._done.reached(self._handed)

    async def run(self) -> None:
        """Store until cancelled."""
        await self._recover()
        while True:
            items = await self._gather()
            if items:
                self._busy = len(items)
                await self._store([item.event for item in items])
                if self._journal:
                    self._journal.settle(sum(item.journaled for item in items))
                self._busy = 0
            if self._on_disk and asyncio.get_running_loop().time() >= self._retry_at:
                await self._drain()

    async def _recover(self) -> None:
        """What an earlier process had written down and not stored goes before everything else."""
        while self._journal and self._left_over > 0:
            # Not in a thread: the journal is being written to at the same time.
            events, lines = self._journal.first(min(_BATCH, self._left_over))
            self._left_over -= max(lines, 1)
            self._handed += len(events)
            await self._store(events)
            self._journal.settle(lines)

    async def _gather(self) -> list[_Item]:
        """The next batch; empty if it is time to try what waits on disk."""
        try:
            wait_s = self._retry_at - asyncio.get_running_loop().time() if self._on_disk else None
            async with asyncio.timeout(None if wait_s is None else max(wait_s, 0.0)):
                items = [await self._queue.get()]
        except TimeoutError:
            return []
        if self._queue.qsize() < _BATCH:
            await asyncio.sleep(_GATHER_S)
        while len(items) < _BATCH and not self._queue.empty():
            items.append(self._queue.get_nowait())
        return items

    async def _store(self, events: list[AnyEvent]) -> None:
        """Into the ledger, or behind what waits on disk already; returns when they are safe in either."""
        while events:
            if not self._on_disk:
                done = await self._record(events)
                self._kept.rise(done)
                self._done.rise(done)
                events = events[done:]
            if not events or await self._keep(events):
                return
            await asyncio.sleep(max(self._retry_at - asyncio.get_running_loop().time(), _RETRY_FIRST_S))
            if self._on_disk:
                await self._drain()

    async def _keep(self, events: list[AnyEvent]) -> bool:
        """Append to the spool; whether that was possible."""
        if self._spool is None:
            return False
        try:
            await asyncio.to_thread(self._spool.append, events, sync=True)
        except StorageRefused:
            if len(events) == 1:
                self._refuse(events[0], "it cannot be written")
                self._kept.rise(1)
                self._done.rise(1)
                return True
            return all([await self._keep([event]) for event in events])
        except (SpoolFull, OSError) as error:
            if self.disk_ok:
                log.error("spool.full", extra={"reason": str(error) or "the limit is reached"})
            self.disk_ok = False
            return False
        self.disk_ok = True
        self._kept.rise(len(events))
        return True

    async def _drain(self) -> None:
        """Store what waits on disk, the oldest first, as far as the database takes it."""
        assert self._spool
        for _ in range(_DRAIN_BATCHES):
            try:
                events, lines = await asyncio.to_thread(self._spool.first, _BATCH)
            except OSError as error:
                log.error("spool.unreadable", extra={"reason": str(error)})
                self._put_off()
                return
            done = await self._record(events)
            if done < len(events):
                return
            self._spool.settle(lines)
            self._done.rise(lines)
            if not self._on_disk:
                log.info("spool.drained")
                return

    async def _record(self, events: Sequence[AnyEvent]) -> int:
        """Store the events; how many of the first are stored or refused when the database is away in between."""
        if self._opened is not None and not self._opened.is_set():
            self._put_off()
            return 0
        try:
            changes = await self._ledger.record(events)
        except StorageUnavailable as error:
            if self.available:
                log.error("ledger.unavailable", extra={"reason": str(error)})
            self.available = False
            self._put_off()
            return 0
        except StorageRefused as error:
            self._is_back()
            if len(events) == 1:
                self._refuse(events[0], str(error))
                return 1
            for done, event in enumerate(events):  # one bad event must not take its neighbours with it
                if not await self._record([event]):
                    return done
            return len(events)
        self._is_back()
        self._tell(changes)
        return len(events)

    def _put_off(self) -> None:
        self._retry_at = asyncio.get_running_loop().time() + self._delay_s
        self._delay_s = min(self._delay_s * 2, _RETRY_CAP_S)

    def _is_back(self) -> None:
        if not self.available:
            log.info("ledger.available")
        self.available = True
        self._delay_s, self._retry_at = _RETRY_FIRST_S, 0.0

    def _refuse(self, event: AnyEvent, reason: str) -> None:
        self.refused += 1
        log.error("ledger.refused", extra={"event_key": event.key, "reason": reason})
        if self._on_refused:
            self._on_refused(event, reason)

    def _write_down(self, event: AnyEvent) -> bool:
        if self._journal is None:
            return False
        try:
            self._journal.append([event], sync=False)
        except (SpoolFull, OSError, StorageRefused) as error:
            if self.disk_ok:
                log.error("journal.full", extra={"reason": str(error) or "the limit is reached"})
            self.disk_ok = False
            return False
        return True

    def _tell(self, changes: Sequence[Change]) -> None:
        for change in changes:
            self.stored += len(change.events)
            for observe in self._observers:
                observe(change)
