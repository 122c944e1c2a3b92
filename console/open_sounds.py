"""Sounds that are being listened to: opened, and noted, once for each person and leg, not for each range (P1)."""

from __future__ import annotations

import asyncio
import hashlib
import weakref
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from io import SEEK_END
from typing import BinaryIO

from calls.ports import Clock
from console.ranges import Piece

IDLE = timedelta(minutes=10)
"""Who reads nothing for so long opens it anew, and is noted anew."""
_MOST = 64

Key = tuple[str, ...]
"""Session, login, call, leg, and whether it is the original."""


@dataclass(slots=True, weakref_slot=True, eq=False)
class Sound:
    """One open sound."""

    file: BinaryIO
    size: int
    etag: str
    used_at: datetime
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def read(self, piece: Piece) -> bytes:
        """The bytes of a piece."""
        async with self.lock:
            return await asyncio.to_thread(self._read, piece)

    def _read(self, piece: Piece) -> bytes:
        self.file.seek(piece.first)
        return self.file.read(piece.length)

    def __post_init__(self) -> None:
        weakref.finalize(self, self.file.close)  # whoever forgets it: at the end of the service, for one


class OpenSounds:
    """The sounds that are open; at most ``_MOST``, the one unused for longest goes first."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._open: dict[Key, Sound] = {}
        self._opening: dict[Key, asyncio.Lock] = {}
        self._later: asyncio.TimerHandle | None = None
        self._tidying: asyncio.Future[None] | None = None

    async def get(self, key: Key, version: str, opening: Callable[[], Awaitable[BinaryIO]]) -> Sound:
        """The open sound of that key, opened now if it is not. Raises what ``opening`` raises.

        ``version`` tells a sound from the one that it may be tomorrow, and becomes its ETag.
        """
        await self._tidy()
        lock = self._opening.setdefault(key, asyncio.Lock())
        try:
            async with lock:
                etag = _etag(key, version)
                sound = self._open.get(key)
                if sound is None or sound.etag != etag:
                    await self.drop(key)
                    file = await opening()
                    size = await asyncio.to_thread(file.seek, 0, SEEK_END)
                    sound = self._open[key] = Sound(file, size, etag, self._clock.now())
                sound.used_at = self._clock.now()
                self._look_later()
                return sound
        finally:
            if not lock.locked():
                self._opening.pop(key, None)

    async def drop(self, key: Key) -> None:
        """Close a sound."""
        sound = self._open.pop(key, None)
        if sound is not None:
            async with sound.lock:
                sound.file.close()

    def _look_later(self) -> None:
        """Nobody may come again: what is idle is closed all the same."""
        if self._later is None or self._later.cancelled():
            self._later = asyncio.get_running_loop().call_later(1.1 * IDLE.total_seconds(), self._looked)

    def _looked(self) -> None:
        self._later = None
        self._tidying = asyncio.ensure_future(self._tidy())
        if self._open:
            self._look_later()

    async def _tidy(self) -> None:
        by_use = sorted(self._open, key=lambda key: self._open[key].used_at)
        idle = [key for key in by_use if self._clock.now() - self._open[key].used_at > IDLE]
        for key in idle or by_use[: max(0, len(by_use) - _MOST + 1)]:
            await self.drop(key)


def _etag(key: Key, version: str) -> str:
    return hashlib.sha256("\0".join((*key[2:], version)).encode()).hexdigest()[:24]
