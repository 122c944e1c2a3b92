"""The dead man's handle: while the service lives, callers in the menu stay there.

The dialplan gives a caller who enters the menu a short absolute time-out and an extension that takes the
caller to a person when it runs out. The guard pushes the time-out forward, once a second for each caller, over
AMI; it works while Asterisk is busy playing a prompt, when nothing can be sent over AGI. If this process dies,
hangs or is cut off, the pushing stops and the dialplan takes over within ``takeover_s``.
"""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import logging
from collections.abc import AsyncIterator, Awaitable, Callable

from calls.errors import AmiError

log = logging.getLogger(__name__)

Push = Callable[[str, float], Awaitable[object]]
"""Gives a channel so many seconds from now; raises AmiError if it could not."""

_TICK_S = 0.02


class TakeoverGuard:
    """Holds callers' channels in the menu. Run ``run()`` in a task."""

    def __init__(self, push: Push, takeover_s: float) -> None:
        self._push = push
        self.takeover_s = takeover_s
        self._every_s = takeover_s * 0.4
        self._due: list[tuple[float, str]] = []
        self._held: dict[str, asyncio.Task[None] | None] = {}
        self._working = False

    @property
    def working(self) -> bool:
        """Whether the last push went through; if not, sessions must push for themselves over AGI."""
        return self._working

    @contextlib.asynccontextmanager
    async def hold(self, channel: str) -> AsyncIterator[None]:
        """Keep a channel in the menu until the block ends.

        Returns only when no push is under way: a late one would give the caller's talk a time-out.
        """
        self._held[channel] = None
        heapq.heappush(self._due, (asyncio.get_running_loop().time(), channel))
        try:
            yield
        finally:
            pushing = self._held.pop(channel, None)
            if pushing is not None:
                await asyncio.wait({pushing})

    async def run(self) -> None:
        """Push until cancelled. Callers' turns are spread over time instead of coming in bursts."""
        loop = asyncio.get_running_loop()
        while True:
            now = loop.time()
            while self._due and self._due[0][0] <= now:
                _, channel = heapq.heappop(self._due)
                if channel not in self._held:
                    continue
                if self._held[channel] is None:
                    self._held[channel] = loop.create_task(self._push_one(channel))
                heapq.heappush(self._due, (now + self._every_s, channel))
            await asyncio.sleep(_TICK_S)

    async def _push_one(self, channel: str) -> None:
        try:
            await self._push(channel, self.takeover_s)
            self._working = True
        except AmiError as error:
            if self._working:
                log.warning("menu.guard_cut_off", extra={"reason": str(error)})
            self._working = False
        finally:
            if channel in self._held:
                self._held[channel] = None
