"""A leg's sound as every engine wants it: 16 kHz, 16 bit, one channel, whatever kind of WAV file it came in.

The file is not trusted. Its header may claim anything: sizes are taken for what the file can hold at most, and
what cannot be sound is refused in words (TranscriptionError).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import BinaryIO, Final

import numpy as np
import numpy.typing as npt
import soxr

from calls.errors import TranscriptionError
from calls.ports import Pcm

RATE_HZ = 16_000
LONGEST_S = 6 * 3600
"""Longer than any call; a header that claims more is wrong."""

_PCM, _FLOAT, _ALAW, _ULAW, _EXTENSIBLE = 1, 3, 6, 7, 0xFFFE
_RATES_HZ = range(4_000, 192_001)
_MOST_CHANNELS = 8
_MOST_CHUNKS = 1000
_WIDTHS: Final = {_PCM: (1, 2, 3, 4), _FLOAT: (4,), _ALAW: (1,), _ULAW: (1,)}

Samples = npt.NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class Form:
    """How the samples of a WAV file look."""

    kind: int
    channels: int
    rate_hz: int
    width: int
    """Bytes of one sample of one channel."""


def read_wav(file: BinaryIO) -> Pcm:
    """The sound of a WAV file at 16 kHz, channels mixed; what is there of a file that breaks off.

    PCM of 8 to 32 bit, floating point, A-law and µ-law. Raises TranscriptionError for anything else.
    """
    form, data = _chunks(file)
    samples = decoded(form, data)
    if form.channels > 1:
        whole = samples[: samples.size // form.channels * form.channels].reshape(-1, form.channels)
        samples = whole.astype(np.int32).mean(axis=1).astype(np.int16)
    if form.rate_hz != RATE_HZ and samples.size:
        samples = soxr.resample(samples, form.rate_hz, RATE_HZ)
    return Pcm(RATE_HZ, samples.astype("<i2").tobytes())


def samples_of(pcm: Pcm) -> Samples:
    """The samples as numbers."""
    return np.frombuffer(pcm.samples, dtype="<i2")


def _chunks(file: BinaryIO) -> tuple[Form, bytes]:
    """The form and the samples' bytes. Sizes in the header never make us read or allocate more than there is."""
    form, size = find_sound(file)
    return form, _read(file, size)


def find_sound(file: BinaryIO) -> tuple[Form, int]:
    """The form, and how many bytes of sound there are at most; the file stands at the first one.

    Raises TranscriptionError.
    """
    head = file.read(12)
    if len(head) < 12 or head[:4] not in (b"RIFF", b"RIFX") or head[8:12] != b"WAVE":
        raise TranscriptionError("this is no WAV file")
    if head[:4] == b"RIFX":
        raise TranscriptionError("a big-endian WAV file cannot be read")
    form: Form | None = None
    for _ in range(_MOST_CHUNKS):
        header = file.read(8)
        if len(header) < 8:
            break
        name, size = header[:4], struct.unpack("<I", header[4:])[0]
        if name == b"fmt ":
            form = _form(file.read(min(size, 64)))
            file.seek(max(0, size - 64) + size % 2, 1)
        elif name == b"data":
            if form is None:
                raise TranscriptionError("the WAV file has sound before it says of what form")
            most = LONGEST_S * form.rate_hz * form.channels * form.width
            return form, min(size or most, most)
        else:
            file.seek(size + size % 2, 1)
    raise TranscriptionError("the WAV file has no sound in it")


def _read(file: BinaryIO, size: int) -> bytes:
    """Up to ``size`` bytes, block by block: the header may lie about it."""
    blocks = []
    while size > 0 and (block := file.read(min(size, 1 << 20))):
        blocks.append(block)
        size -= len(block)
    return b"".join(blocks)


def _form(chunk: bytes) -> Form:
    if len(chunk) < 16:
        raise TranscriptionError("the WAV file's header breaks off")
    kind, channels, rate_hz, _, _, bits = struct.unpack("<HHIIHH", chunk[:16])
    if kind == _EXTENSIBLE and len(chunk) >= 26:
        kind = struct.unpack("<H", chunk[24:26])[0]
    width = bits // 8
    if kind not in _WIDTHS or bits % 8 or width not in _WIDTHS[kind]:
        raise TranscriptionError(f"the WAV file's form is unknown: kind {kind}, {bits} bit")
    if not 1 <= channels <= _MOST_CHANNELS:
        raise TranscriptionError(f"the WAV file has {channels} channels")
    if rate_hz not in _RATES_HZ:
        raise TranscriptionError(f"the WAV file has {rate_hz} samples a second")
    return Form(kind, channels, rate_hz, width)


def decoded(form: Form, data: bytes) -> Samples:
    """Bytes of sound as samples of 16 bits; channels stay side by side."""
    data = data[: len(data) // form.width * form.width]
    samples: Samples
    match form.kind, form.width:
        case (1, 1):
            samples = ((np.frombuffer(data, np.uint8).astype(np.int16) - 128) << 8).astype(np.int16)
        case (1, 2):
            samples = np.frombuffer(data, "<i2")
        case (1, 3):
            upper = np.ascontiguousarray(np.frombuffer(data, np.uint8).reshape(-1, 3)[:, 1:])
            samples = np.frombuffer(upper.tobytes(), "<i2")
        case (1, _):
            samples = np.frombuffer(data, "<i2")[1::2]
        case (3, _):
            loud = np.nan_to_num(np.frombuffer(data, "<f4"), nan=0.0, posinf=1.0, neginf=-1.0)
            samples = (np.clip(loud, -1.0, 1.0) * 32_767).astype(np.int16)
        case (6, _):
            samples = _A_LAW[np.frombuffer(data, np.uint8)]
        case _:
            samples = _U_LAW[np.frombuffer(data, np.uint8)]
    return samples


def _a_law() -> Samples:
    """ITU-T G.711, A-law: every second bit is inverted; sign, exponent of three bits, mantissa of four."""
    code = np.arange(256, dtype=np.int32) ^ 0x55
    exponent, mantissa = (code >> 4) & 7, code & 15
    size = np.where(exponent == 0, (mantissa << 4) + 8, ((mantissa << 4) + 0x108) << np.maximum(exponent - 1, 0))
    return np.where(code & 0x80, size, -size).astype(np.int16)


def _u_law() -> Samples:
    """ITU-T G.711, µ-law: all bits are inverted; sign, exponent of three bits, mantissa of four, a bias of 132."""
    code = ~np.arange(256, dtype=np.int32) & 0xFF
    size = ((((code & 15) << 3) + 0x84) << ((code >> 4) & 7)) - 0x84
    return np.where(code & 0x80, -size, size).astype(np.int16)


_A_LAW, _U_LAW = _a_law(), _u_law()
