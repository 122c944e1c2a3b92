"""What SIPp does not log: the ringing tone that a caller hears, the keys that a caller presses.

SIPp logs SIP, not sound. So a passive tap reads the RTP between Asterisk and the callers' address with the
kernel's time stamps; nothing stands in between. Needs root, as SIPp's key presses do.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import socket
import struct
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from operator import mul

from calls.errors import SanshengError

_SO_RCVBUFFORCE = 33
_SO_TIMESTAMPNS = 35
_BUFFER_BYTES = 16 * 2**20
_ULAW, _KEY = 0, 101
_KEY_ENDS = 0x80
_FRAME = 160
_RING_HZ = 450
"""China's ringing tone (``indications.conf``): a whole number of waves in a frame of 20 ms."""
_PURE = 0.8
"""Share of a frame's energy at that pitch: speech does not come near it, frame after frame."""
_AUDIBLE = 200.0
_FRAMES_OF_TONE = 3


@dataclass(slots=True)
class Ear:
    """One call's sound, from when it began."""

    ringing_at: datetime | None = None
    """The first of three frames in a row that are nothing but the ringing tone."""
    keys_at: list[datetime] = field(default_factory=list)
    """The ends of the keys pressed: that is when they count."""
    _since: datetime | None = None
    _frames: int = 0
    _key_stamp: int | None = None

    def hear(self, payload: bytes, at: datetime) -> None:
        """20 ms from Asterisk, µ-law."""
        if self.ringing_at is not None or len(payload) != _FRAME:
            return
        if is_ringing(payload):
            self._since = self._since or at
            self._frames += 1
            if self._frames == _FRAMES_OF_TONE:
                self.ringing_at = self._since
        else:
            self._since, self._frames = None, 0

    def press(self, stamp: int, payload: bytes, at: datetime) -> None:
        """A telephone event of the caller's; its end is sent three times."""
        if len(payload) >= 2 and payload[1] & _KEY_ENDS and stamp != self._key_stamp:
            self._key_stamp = stamp
            self.keys_at.append(at)


class Ears:
    """One ear for each RTP port of the callers' address. Make it with ``ears()``."""

    def __init__(self) -> None:
        self._open: dict[int, Ear] = {}

    def listen(self, port: int) -> Ear:
        """From here on the port belongs to a new call."""
        self._open[port] = Ear()
        return self._open[port]

    def take(self, packet: bytes, at: datetime) -> None:
        """One IPv4 packet between Asterisk and a caller."""
        udp = (packet[0] & 0x0F) * 4
        source, target = struct.unpack_from("!HH", packet, udp)
        rtp = packet[udp + 8 :]
        if len(rtp) < 12 or rtp[0] != 0x80:
            return
        kind = rtp[1] & 0x7F
        if kind == _ULAW and (ear := self._open.get(target)):
            ear.hear(rtp[12:], at)
        elif kind == _KEY and (ear := self._open.get(source)):
            ear.press(struct.unpack_from("!I", rtp, 4)[0], rtp[12:], at)


@contextlib.asynccontextmanager
async def ears(asterisk: str, callers: str) -> AsyncIterator[Ears]:
    """Listen between two addresses of this machine, both ways. Raises SanshengError without the right to."""
    made = Ears()
    loop = asyncio.get_running_loop()
    with contextlib.ExitStack() as stack:
        for to, of in ((callers, asterisk), (asterisk, callers)):
            try:
                tap = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP))
            except PermissionError as error:
                raise SanshengError("listening to the callers' sound needs root") from error
            tap.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _BUFFER_BYTES)
            tap.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
            tap.setblocking(False)
            tap.bind((to, 0))
            # Not by connect(): then every port that is closed meanwhile would be an error here.
            loop.add_reader(tap, _read, tap, socket.inet_aton(of), made)
            stack.callback(loop.remove_reader, tap)
        yield made


def is_ringing(payload: bytes) -> bool:
    """Whether a frame of µ-law is nothing but the ringing tone."""
    frame = [_LINEAR[code] for code in payload]
    energy, cosine, sine = (sum(map(mul, frame, other)) for other in (frame, _COSINE, _SINE))
    loud = energy > _AUDIBLE**2 * _FRAME
    return bool(loud and 2 * (cosine**2 + sine**2) > _PURE * _FRAME * energy)


def _linear(code: int) -> int:
    """A µ-law code as a sample (G.711)."""
    code = ~code & 0xFF
    size = (((code & 0x0F) << 3) + 132 << (code >> 4 & 0x07)) - 132
    return -size if code & 0x80 else size


_LINEAR = tuple(_linear(code) for code in range(256))
_COSINE, _SINE = (
    tuple(wave(2 * math.pi * _RING_HZ * step / 8000) for step in range(_FRAME)) for wave in (math.cos, math.sin)
)


def _read(tap: socket.socket, source: bytes, into: Ears) -> None:
    with contextlib.suppress(BlockingIOError):
        while True:
            packet, notes, _flags, _from = tap.recvmsg(2048, socket.CMSG_SPACE(16))
            if packet[12:16] == source:
                seconds, nanos = struct.unpack("qq", notes[0][2])
                into.take(packet, datetime.fromtimestamp(seconds, UTC).replace(microsecond=nanos // 1000))
