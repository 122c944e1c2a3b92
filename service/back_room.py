"""A thread with an event loop of its own, for work whose Python takes tens of milliseconds.

To make and compile the statements behind a year's figures, or to read their rows, takes that long; on the loop
that talks to callers each of them would wait for it. In a thread they wait for the interpreter's switch only
(``SWITCH_S``).
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, TypeVar

T = TypeVar("T")

SWITCH_S = 0.001
"""How long one thread may keep the interpreter while another wants it; Python's own is five times that."""


class BackRoom:
    """``async with`` it, then ``run`` work there; what belongs to a loop (connections) must be its own."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="back room", daemon=True)

    async def __aenter__(self) -> BackRoom:
        self._thread.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Cancel what still runs, and end the thread."""
        await self.run(_end_others())
        self._loop.call_soon_threadsafe(self._loop.stop)
        await asyncio.to_thread(self._thread.join)
        self._loop.close()

    async def run(self, work: Coroutine[Any, Any, T]) -> T:
        """The work's result, or its error. Who is cancelled while waiting cancels the work."""
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._loop))


async def _end_others() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    if others:
        await asyncio.wait(others)
