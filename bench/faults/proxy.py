"""A stretch of wire on the way from the service to Asterisk's manager interface that can be cut."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator


class Wire:
    """Carries TCP connections. Make it with ``wire()``."""

    def __init__(self, to_port: int) -> None:
        self._to_port = to_port
        self.port = 0
        """Where it listens."""
        self._cut = False
        self._ends: set[asyncio.StreamWriter] = set()
        self._carrying: set[asyncio.Task[None]] = set()

    def cut(self) -> int:
        """Break every connection (both ends see a reset) and carry none until ``mend``; how many were broken."""
        self._cut = True
        for end in self._ends:
            end.transport.abort()
        return len(self._ends) // 2

    def mend(self) -> None:
        """Carry connections again."""
        self._cut = False

    def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """A new connection."""
        task = asyncio.create_task(self._carry(reader, writer))
        self._carrying.add(task)
        task.add_done_callback(self._carrying.discard)

    async def idle(self) -> None:
        """Return when nothing is carried."""
        await asyncio.gather(*self._carrying)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, until either end closes it or it is cut."""
        ends = [writer]
        try:
            if self._cut:
                return
            far_reader, far = await asyncio.open_connection("127.0.0.1", self._to_port)
            ends.append(far)
            self._ends.update(ends)
            for end in ends:
                _without_goodbye(end)
            pumps = [asyncio.create_task(_pump(reader, far)), asyncio.create_task(_pump(far_reader, writer))]
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
        except OSError:
            pass  # Asterisk is away: the service sees its connection closed
        finally:
            self._ends.difference_update(ends)
            for end in ends:
                end.transport.abort()


@contextlib.asynccontextmanager
async def wire(port: int, to_port: int) -> AsyncIterator[Wire]:
    """Listen on ``port`` of loopback (0: any that is free) and carry connections to ``to_port``."""
    made = Wire(to_port)
    server = await asyncio.start_server(made.take, "127.0.0.1", port)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        made.cut()
        server.close()
        await made.idle()
        await server.wait_closed()


def _without_goodbye(end: asyncio.StreamWriter) -> None:
    """Let the far side get a reset when this end is closed, as from a machine that has forgotten it."""
    end.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
