"""Callers who stay in the menu: the Asterisk side of many FastAGI sessions at once."""

from __future__ import annotations

import asyncio
import contextlib
from types import TracebackType

from bench.calls.synthetic import menu_request
from service.settings import Settings

_PRESSED_STAR = b"200 result=42 endpos=8000\n"
_DONE = b"200 result=1\n"
_BEGAN = 1_700_000_000.0
"""When these calls began, in seconds since the epoch; nothing depends on it."""
_LISTENS_S = 3.0
"""How much of a prompt a caller hears before pressing ``*``, "again"."""


class Callers:
    """So many callers, each of whom presses ``*`` every three seconds for as long as the context lasts."""

    def __init__(self, settings: Settings, count: int) -> None:
        self._port = settings.ports.agi
        self._count = count
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def open(self) -> int:
        """How many are still in the menu."""
        return sum(not task.done() for task in self._tasks)

    async def __aenter__(self) -> Callers:
        for number in range(self._count):
            self._tasks.append(asyncio.create_task(self._stay(number), name=f"caller {number}"))
            await asyncio.sleep(_LISTENS_S / self._count)  # spread over the time that each of them listens
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _stay(self, number: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        with contextlib.closing(writer):
            writer.write(menu_request(self._port, number, _BEGAN))
            while line := await reader.readline():
                if line.startswith(b"STREAM FILE"):
                    await asyncio.sleep(_LISTENS_S)
                    writer.write(_PRESSED_STAR)
                else:
                    writer.write(_DONE)
