"""A Redis of the tests' own, on a port of its own, which can be killed and started again."""

from __future__ import annotations

import asyncio
import subprocess
from pathlib import Path

from redis.asyncio import Redis as Client

from tests.support_ports import free_port

_START_S = 120


class Redis:
    """One server, which keeps nothing on the disk: what it held is gone when it is."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.port = free_port()
        self._process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    async def start(self) -> None:
        """Returns when it answers."""
        self._process = await asyncio.create_subprocess_exec(
            *("redis-server", "--bind", "127.0.0.1", "--port", str(self.port), "--dir", str(self._folder)),
            *("--save", "", "--appendonly", "no"),
            stdout=subprocess.DEVNULL,
        )
        async with asyncio.timeout(_START_S):
            while True:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                except ConnectionRefusedError:
                    assert self._process.returncode is None, "redis-server ended"
                    await asyncio.sleep(0.05)
                else:
                    writer.close()
                    return

    async def waiting(self) -> int:
        """Jobs in Celery's queue."""
        async with Client.from_url(self.url) as client:
            return int(await client.llen("celery"))

    async def kill(self) -> None:
        """As if its machine lost power."""
        if self._process and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()
