"""The service's own loop, for the back room's handlers that must act on it (Asterisk's link lives there)."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class MainLoop:
    """``begin`` on the loop itself; then ``run`` from anywhere else."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None

    def begin(self) -> None:
        """The running loop is the one."""
        self._loop = asyncio.get_running_loop()

    async def run(self, work: Coroutine[Any, Any, T]) -> T:
        """The work's result, or its error. Who is cancelled while waiting cancels the work."""
        assert self._loop is not None, "the service has begun before anybody asks it"
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._loop))
