"""Sound with some seconds beeped over: what ordinary roles hear (P3).

Which sample a byte belongs to follows from its place alone, so that a player may begin anywhere.
"""

from __future__ import annotations

import io
import math
import struct
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import BinaryIO

from calls.errors import RecordingError
from calls.transcript import Span

TONE_HZ = 1000
LOUDNESS = 0.08
"""Of the loudest that there is: a telephone's ear is close."""

_PCM, _ALAW, _ULAW = 1, 6, 7
_CHUNK = struct.Struct("<4sI")
_FORMAT = struct.Struct("<HHIIHH")


@dataclass(frozen=True, slots=True)
class _Form:
    """Where the samples lie in a WAV file, and how they look."""

    code: int
    channels: int
    rate_hz: int
    width: int
    """Bytes of one sample of one channel."""
    start: int
    """First byte of the sound. Everything behind it counts as sound, whatever its header says."""

    @property
    def frame(self) -> int:
        return self.width * self.channels


class BeepedReader(io.RawIOBase):
    """A WAV file (16 bit PCM, A-law or µ-law), of the same length, with a tone in place of ``spans``.

    Raises RecordingError for another format: it is not given out unmasked. ``inner`` is closed with the reader.
    """

    def __init__(self, inner: BinaryIO, spans: Sequence[Span]) -> None:
        self._inner = inner
        self._size = inner.seek(0, io.SEEK_END)
        self._form = _form(inner)
        self._beeps = _bytes_of(spans, self._form)
        self._starts = [start for start, _ in self._beeps]
        self._period = _tone(self._form)
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        if start + offset < 0:
            raise ValueError("before the beginning")
        self._at = start + offset
        return self._at

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        view = memoryview(buffer).cast("B")
        self._inner.seek(self._at)
        piece = bytearray(self._inner.read(len(view)))
        end = self._at + len(piece)
        for start, stop in self._beeps[max(0, bisect_right(self._starts, self._at) - 1) :]:
            if start >= end:
                break
            first, last = max(start, self._at), min(stop, end)
            if first < last:
                piece[first - self._at : last - self._at] = self._sound(first, last)
        view[: len(piece)] = piece
        self._at = end if piece else self._at
        return len(piece)

    def close(self) -> None:
        self._inner.close()
        super().close()

    def _sound(self, first: int, last: int) -> bytes:
        phase = (first - self._form.start) % len(self._period)
        times = (phase + last - first) // len(self._period) + 1
        return (self._period * times)[phase : phase + last - first]


def _form(file: BinaryIO) -> _Form:
    file.seek(0)
    head = file.read(12)
    if len(head) < 12 or head[:4] != b"RIFF" or head[8:] != b"WAVE":
        raise RecordingError("this is no WAV file, and cannot be beeped over")
    found: tuple[int, int, int, int] | None = None
    while len(chunk := file.read(_CHUNK.size)) == _CHUNK.size:
        name, size = _CHUNK.unpack(chunk)
        if name == b"data" and found is not None:
            return _Form(*found, file.tell())
        here = file.tell()
        if name == b"fmt ":
            found = _read_format(file.read(min(size, _FORMAT.size)))
        file.seek(here + size + size % 2)
    raise RecordingError("there is no sound in this WAV file")


def _read_format(raw: bytes) -> tuple[int, int, int, int]:
    if len(raw) < _FORMAT.size:
        raise RecordingError("the header of this WAV file is cut off")
    code, channels, rate_hz, _, _, bits = _FORMAT.unpack(raw)
    if (code, bits) not in ((_PCM, 16), (_ALAW, 8), (_ULAW, 8)) or not channels or not rate_hz:
        raise RecordingError(f"a WAV file of format {code} with {bits} bits cannot be beeped over")
    return code, channels, rate_hz, bits // 8


def _bytes_of(spans: Sequence[Span], form: _Form) -> list[tuple[int, int]]:
    """Where the tone lies in the file, in order and apart from each other; whole frames, rather too many."""
    places: list[tuple[int, int]] = []
    for span in sorted(spans):
        start = form.start + math.floor(max(0.0, span.start_s) * form.rate_hz) * form.frame
        end = form.start + math.ceil(max(0.0, span.end_s) * form.rate_hz) * form.frame
        if places and start <= places[-1][1]:
            start, end = places[-1][0], max(end, places.pop()[1])
        places.append((start, end))
    assert all(before[1] < after[0] for before, after in pairwise(places))
    return places


def _tone(form: _Form) -> bytes:
    """A whole number of periods."""
    frames = form.rate_hz // math.gcd(form.rate_hz, TONE_HZ)
    heights = [
        round(32767 * LOUDNESS * math.sin(2 * math.pi * TONE_HZ * number / form.rate_hz))
        for number in range(frames)
    ]
    encoded = {_PCM: _pcm, _ALAW: _alaw, _ULAW: _ulaw}[form.code]
    return b"".join(encoded(height) * form.channels for height in heights)


def _pcm(height: int) -> bytes:
    return struct.pack("<h", height)


def _ulaw(height: int) -> bytes:
    """G.711 µ-law."""
    loud = min(abs(height), 32635) + 132
    segment = loud.bit_length() - 8
    return bytes([~((height < 0) << 7 | segment << 4 | loud >> (segment + 3) & 15) & 0xFF])


def _alaw(height: int) -> bytes:
    """G.711 A-law."""
    loud = min(abs(height), 32767)
    segment = max(0, loud.bit_length() - 8)
    fine = loud >> (segment + 3 if segment else 4) & 15
    return bytes([((height >= 0) << 7 | segment << 4 | fine) ^ 0x55])
