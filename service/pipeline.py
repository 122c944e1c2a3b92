"""Event → ledger → everybody who watches. One writer, in order, in batches."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence

from calls.errors import StorageRefused, StorageUnavailable
from calls.events import AnyEvent
from calls.ports import Change, Ledger

log = logging.getLogger(__name__)

Observer = Callable[[Change], None]

_BATCH = 256
_GATHER_S = 0.1
"""How long the first event of a batch waits for others: a transaction each would cost twice the time in all."""
_RETRY_FIRST_S = 0.1
_RETRY_CAP_S = 5.0


class Pipeline:
    """Takes events from anywhere in the event loop and stores them.

    While the database is away events wait in memory, up to ``capacity``; then ``put`` waits, which slows the
    reading of AMI down instead of losing anything.
    """

    def __init__(self, ledger: Ledger, observers: Sequence[Observer], capacity: int = 100_000) -> None:
        self._ledger = ledger
        self._observers = tuple(observers)
        self._queue: asyncio.Queue[AnyEvent] = asyncio.Queue(capacity)
        self._busy = 0
        self.stored = 0
        """Events that were new to the ledger."""
        self.refused = 0
        """Events that the database will never take; each is logged."""
        self.available = True
        """Whether the database answered the last attempt to store."""

    @property
    def pending(self) -> int:
        """Events that wait to be stored."""
        return self._queue.qsize() + self._busy

    async def put(self, event: AnyEvent) -> None:
        """Hand over one event; waits while too many are pending."""
        await self._queue.put(event)

    def put_nowait(self, event: AnyEvent) -> None:
        """Hand over one event from where nothing can be awaited. Raises asyncio.QueueFull."""
        self._queue.put_nowait(event)

    async def drained(self) -> None:
        """Return when everything handed over so far has been stored or refused."""
        await self._queue.join()

    async def run(self) -> None:
        """Store until cancelled."""
        while True:
            batch = [await self._queue.get()]
            self._busy = 1
            if self._queue.qsize() < _BATCH:
                await asyncio.sleep(_GATHER_S)
            while len(batch) < _BATCH and not self._queue.empty():
                batch.append(self._queue.get_nowait())
            self._busy = len(batch)
            await self._store(batch)
            self._busy = 0
            for _ in batch:
                self._queue.task_done()

    async def _store(self, batch: list[AnyEvent]) -> None:
        delay_s = _RETRY_FIRST_S
        while True:
            try:
                changes = await self._ledger.record(batch)
            except StorageUnavailable as error:
                if self.available:
                    log.error("ledger.unavailable", extra={"reason": str(error)})
                self.available = False
                await asyncio.sleep(delay_s)
                delay_s = min(delay_s * 2, _RETRY_CAP_S)
            except StorageRefused as error:
                self.available = True
                if len(batch) > 1:  # one bad event must not take its neighbours with it
                    for event in batch:
                        await self._store([event])
                else:
                    self.refused += 1
                    log.error("ledger.refused", extra={"event_key": batch[0].key, "reason": str(error)})
                return
            else:
                if not self.available:
                    log.info("ledger.available")
                self.available = True
                self._tell(changes)
                return

    def _tell(self, changes: Sequence[Change]) -> None:
        for change in changes:
            self.stored += len(change.events)
            for observe in self._observers:
                observe(change)
