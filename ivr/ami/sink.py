"""The bounded queue between the reader of the AMI socket and whoever handles the events."""

from __future__ import annotations

import asyncio
from collections import deque

from ivr.ami.wire import AmiMessage


class EventSink(asyncio.Queue[AmiMessage]):
    """A queue of at most ``size`` events that stops the reader when it is full; no event is dropped.

    Fences panoramisk's coroutine callbacks, one task per event without any limit. When full it pauses reading
    from the socket; when the consumer has emptied it below half, reading goes on. What one read of the socket
    brought beyond ``size`` waits in order behind the queue, so memory stays bounded.

    Take events with ``await sink.get()``. A consumer must not await an action of the same link between two
    ``get()``: while reading is paused the reply cannot be read, and the action would end as ``AmiTimeout``.
    """

    def __init__(self, size: int = 10_000) -> None:
        if size < 1:
            raise ValueError("size must be at least 1")
        super().__init__(maxsize=size)
        self.pauses = 0
        """How often reading had to be paused since the start."""
        self._overflow: deque[AmiMessage] = deque()
        self._transport: asyncio.ReadTransport | None = None
        self._flowing = asyncio.Event()
        self._flowing.set()

    @property
    def paused(self) -> bool:
        """Whether reading is paused until the consumer catches up."""
        return not self._flowing.is_set()

    async def flowing(self) -> None:
        """Return once the consumer has caught up: connecting waits for it, so flapping piles up nothing."""
        await self._flowing.wait()

    def attach(self, transport: asyncio.ReadTransport) -> None:
        """Pause and resume this transport from now on."""
        self._transport = transport

    def offer(self, message: AmiMessage) -> None:
        """Take one event, at once and always; pause the transport if the queue is full now."""
        if self._overflow or self.full():
            self._overflow.append(message)
        else:
            self.put_nowait(message)
        if not self.paused and self.full():
            self.pauses += 1
            self._flowing.clear()
            if self._transport is not None:
                self._transport.pause_reading()

    def _get(self) -> AmiMessage:
        """The hook that :class:`asyncio.Queue` has for its subclasses: something has just been taken."""
        message = super()._get()
        if self.paused and self.qsize() * 2 < self.maxsize:
            self._refill()
        return message

    def _refill(self) -> None:
        while self._overflow and not self.full():
            self.put_nowait(self._overflow.popleft())
        if not self.full():
            self._flowing.set()
            if self._transport is not None:
                self._transport.resume_reading()
