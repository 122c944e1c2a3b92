"""The FastAGI server: a listening socket, a bounded number of sessions, and an orderly stop."""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from collections.abc import Callable, Mapping

from ivr.agi import wire
from ivr.agi.application import AgiApplication, AgiObserver, Refused, Route

log = logging.getLogger(__name__)

BACKLOG = 1024
"""Connections that wait to be accepted: 500 calls may come at once, while the loop is busy."""


class AgiServer:
    """Serves `routes` (path of the agi:// address → function of the session) to Asterisk.

    Make it where the event loop runs; `start` opens the socket, `drain` closes it. With `max_sessions`
    connections open, further ones are closed at once and their callers go on in the dialplan. Port 0 takes
    any free port.
    """

    def __init__(
        self,
        host: str,
        port: int,
        routes: Mapping[str, Route],
        *,
        observer: AgiObserver,
        header_timeout_s: float = 2.0,
        margin_s: float = 2.0,
        max_sessions: int = 1000,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._address = (host, port)
        self._max_sessions = max_sessions
        self._application = AgiApplication(
            observer, header_timeout_s=header_timeout_s, margin_s=margin_s, clock=clock
        )
        for path, route in routes.items():
            self._application.add_route(path, route)
        self._connections: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    @property
    def port(self) -> int:
        """The port it listens on."""
        assert self._server is not None, "not started"
        return int(self._server.sockets[0].getsockname()[1])

    async def start(self) -> None:
        """Listens from now on. Raises OSError if the address cannot be had."""
        listener = socket.create_server(self._address, backlog=BACKLOG)
        # Older Asterisks send HANGUP as urgent data, whose last byte, the line break, is not read otherwise.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_OOBINLINE, 1)
        self._server = await asyncio.start_server(  # which sets TCP_NODELAY on every connection
            self._accept, sock=listener, backlog=BACKLOG, limit=wire.MAX_READ_BYTES
        )
        log.info("agi.listening", extra={"port": self.port})

    async def drain(self, timeout_s: float) -> None:
        """Stops: accepts nobody, tells the sessions (`AgiSession.draining`), waits for them, then cancels the
        rest.
        """
        self._application.draining = True
        if self._server is not None:
            self._server.close()
        late: set[asyncio.Task[None]] = set()
        if self._connections:
            _, late = await asyncio.wait(self._connections, timeout=timeout_s)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late)
        log.info("agi.drained", extra={"cancelled": len(late)})

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """A new connection. Its task is kept, so that it can be waited for and cancelled."""
        if self._application.draining or len(self._connections) >= self._max_sessions:
            self._application.refuse(Refused.BUSY)
            writer.close()
            return
        task = asyncio.get_running_loop().create_task(self._application.handler(reader, writer))
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)
