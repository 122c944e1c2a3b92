"""A passive tap on a loopback TCP port: how long the server took to answer each message.

Linux hands a raw socket a copy of every TCP packet that arrives on the machine, with the kernel's time stamp.
So nothing stands between the two sides, and the reader's own delays do not count. Needs root.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from calls.errors import SanshengError

_SO_RCVBUFFORCE = 33
_SO_TIMESTAMPNS = 35
_BUFFER_BYTES = 16 * 2**20
_FIN_SYN_RST = 0x07


@dataclass(slots=True)
class Tap:
    """Turns of a server's sessions. Make it with ``tap()``.

    A turn is the time from the last packet of the client to the first one with which the server answers.
    """

    port: int
    turns: list[tuple[float, float]] = field(default_factory=list)
    """When the server answered, in seconds since the epoch, and how long it took, in seconds."""
    lost: int = 0
    """Packets that came too fast to be read."""
    _heard: dict[int, float] = field(default_factory=dict)

    def take(self, packet: bytes, at: float) -> None:
        """One IPv4 packet with its TCP segment."""
        ip_bytes = (packet[0] & 0x0F) * 4
        source, target = struct.unpack_from("!HH", packet, ip_bytes)
        if self.port not in (source, target):
            return
        tcp_bytes = (packet[ip_bytes + 12] >> 4) * 4
        client = source if target == self.port else target
        if packet[ip_bytes + 13] & _FIN_SYN_RST:
            self._heard.pop(client, None)
        elif len(packet) == ip_bytes + tcp_bytes:
            return  # a bare acknowledgement
        elif target == self.port:
            self._heard[client] = at
        elif (heard := self._heard.pop(client, None)) is not None:
            self.turns.append((at, at - heard))


@contextlib.asynccontextmanager
async def tap(port: int) -> AsyncIterator[Tap]:
    """Listen to a TCP port of this machine. Raises SanshengError without the right to."""
    try:
        listener = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP)
    except PermissionError as error:
        raise SanshengError("listening to the FastAGI port needs root") from error
    made = Tap(port)
    with listener:
        listener.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _BUFFER_BYTES)
        listener.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        listener.setblocking(False)
        loop = asyncio.get_running_loop()
        loop.add_reader(listener, _read, listener, made)
        try:
            yield made
        finally:
            loop.remove_reader(listener)


def _read(listener: socket.socket, into: Tap) -> None:
    with contextlib.suppress(BlockingIOError):
        while True:
            packet, notes, _flags, _from = listener.recvmsg(65535, socket.CMSG_SPACE(16))
            seconds, nanos = struct.unpack("qq", notes[0][2])
            into.take(packet, seconds + nanos / 1e9)
