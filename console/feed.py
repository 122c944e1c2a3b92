"""The live picture on its way to many readers: one source, and every reader gets the latest, never a backlog."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Protocol

from calls.live import Picture

log = logging.getLogger(__name__)

_AGAIN_S = 1.0
"""Wait until a source that failed is asked again."""


class LiveSource(Protocol):
    """Who knows the live picture."""

    def picture(self) -> Picture:
        """The picture of this moment."""

    def changes(self) -> AsyncIterator[Picture]:
        """A picture after every change, several changes close together as one: at most about four a second."""


class Feed:
    """Follows the source and wakes its readers.

    With no change for ``heartbeat_s`` it takes the picture of the moment nevertheless: readers see that the
    line is alive, and states that end by the clock (wrap-up) do end on the page.
    """

    def __init__(self, source: LiveSource, heartbeat_s: float) -> None:
        self._source = source
        self._heartbeat_s = heartbeat_s
        self._latest = source.picture()
        self._news = asyncio.Condition()
        self._version = 0
        self._closed = False

    async def run(self) -> None:
        """Follow the source until cancelled. A source that fails or ends is asked again."""
        async with asyncio.TaskGroup() as group:
            group.create_task(_for_ever(self._follow))
            group.create_task(_for_ever(self._beat))

    async def read(self) -> AsyncIterator[Picture]:
        """The picture of this moment, then the latest one whenever the reader is ready for more."""
        version = self._version
        yield self._source.picture()
        while await self._news_after(version):
            version, latest = self._version, self._latest
            yield latest

    async def close(self) -> None:
        """Let every reader go."""
        async with self._news:
            self._closed = True
            self._news.notify_all()

    async def _news_after(self, version: int) -> bool:
        """Wait for a newer picture; false when there will be none."""
        async with self._news:
            await self._news.wait_for(lambda: self._closed or self._version != version)
        return not self._closed

    async def _follow(self) -> None:
        async for picture in self._source.changes():
            await self._tell(picture)

    async def _beat(self) -> None:
        while True:
            version = self._version
            await asyncio.sleep(self._heartbeat_s)
            if version == self._version:
                await self._tell(self._source.picture())

    async def _tell(self, picture: Picture) -> None:
        async with self._news:
            self._latest = picture
            self._version += 1
            self._news.notify_all()


async def _for_ever(work: Callable[[], Awaitable[None]]) -> None:
    while True:
        try:
            await work()
        except Exception:  # whatever it is, the board on the wall must come back
            log.exception("live.source_failed")
        await asyncio.sleep(_AGAIN_S)
