"""The sound of prompts: reading, measuring, trimming and joining 16 kHz 16-bit mono WAV files.

Standard library only: greetings are composed while the service runs. Levels are in dB relative to full
scale (dBFS).
"""

from __future__ import annotations

import math
import os
import sys
import tempfile
import wave
from array import array
from collections.abc import Sequence
from pathlib import Path

from calls.errors import PromptError

RATE_HZ = 16_000
SAMPLE_BYTES = 2
FULL_SCALE = 32_768
FRAME = RATE_HZ // 100  # 10 ms: levels are measured frame by frame
SILENT_BELOW_LOUDEST_DB = 40.0
PAUSE_INSIDE_S = 0.07  # between the parts of one phrase: a listener still takes them for one number
_EDGE_FRAMES = 2  # kept around the sound, so that soft consonants survive
_FADE = RATE_HZ // 200


def read_wav(path: Path) -> array[int]:
    """The samples of a prompt. Raises `PromptError` if it cannot be read or has another format."""
    try:
        with wave.open(str(path), "rb") as file:
            if (file.getframerate(), file.getsampwidth(), file.getnchannels()) != (RATE_HZ, SAMPLE_BYTES, 1):
                raise PromptError(
                    f"{path}: {file.getframerate()} Hz, {8 * file.getsampwidth()} bit,"
                    f" {file.getnchannels()} channels; expected 16000 Hz, 16 bit, mono"
                )
            samples = array("h", file.readframes(file.getnframes()))
    except (OSError, EOFError, wave.Error, ValueError) as error:
        raise PromptError(f"{path}: {error}") from error
    if sys.byteorder == "big":
        samples.byteswap()
    return samples


def write_wav(path: Path, samples: array[int]) -> None:
    """Write a prompt so that a reader finds the old file, or the whole new one, and nothing between."""
    data = array("h", samples)
    if sys.byteorder == "big":
        data.byteswap()
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as raw:
            with wave.open(raw, "wb") as file:
                file.setnchannels(1)
                file.setsampwidth(SAMPLE_BYTES)
                file.setframerate(RATE_HZ)
                file.writeframes(data.tobytes())
            os.fchmod(raw.fileno(), 0o644)  # mkstemp's 0600 would keep Asterisk's own user out
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def duration_s(samples: array[int]) -> float:
    """Length in seconds."""
    return len(samples) / RATE_HZ


def peak_dbfs(samples: array[int]) -> float:
    """The loudest sample; minus infinity for silence."""
    return _db(max(map(abs, samples), default=0))


def speech_dbfs(samples: array[int]) -> float:
    """The level of the speech in it: RMS over the frames that are not silent."""
    powers = _frame_powers(samples)
    floor = max(powers, default=0.0) * 10 ** (-SILENT_BELOW_LOUDEST_DB / 10)
    voiced = [power for power in powers if power > floor]
    return _db(math.sqrt(sum(voiced) / len(voiced))) if voiced else -math.inf


def trimmed(samples: array[int]) -> array[int]:
    """Without the silence at both ends, and faded over 5 ms so that a cut is not heard as a click."""
    powers = _frame_powers(samples)
    floor = max(powers, default=0.0) * 10 ** (-SILENT_BELOW_LOUDEST_DB / 10)
    voiced = [index for index, power in enumerate(powers) if power > floor]
    if not voiced:
        return array("h")
    kept = samples[max(0, voiced[0] - _EDGE_FRAMES) * FRAME : (voiced[-1] + 1 + _EDGE_FRAMES) * FRAME]
    for index in range(min(_FADE, len(kept) // 2)):
        kept[index] = kept[index] * index // _FADE
        kept[-1 - index] = kept[-1 - index] * index // _FADE
    return kept


def silence(seconds: float) -> array[int]:
    """That much silence."""
    return array("h", bytes(SAMPLE_BYTES * round(seconds * RATE_HZ)))


def join(parts: Sequence[array[int]], pause_s: float = PAUSE_INSIDE_S) -> array[int]:
    """The parts one after another as one phrase: each trimmed, a short pause between them."""
    joined = array("h")
    for part in parts:
        if joined:
            joined.extend(silence(pause_s))
        joined.extend(trimmed(part))
    return joined


def compose(parts: Sequence[Path], out: Path) -> None:
    """Join recorded parts into one phrase file, atomically.

    Raises `PromptError` if there is no part, or one cannot be read.
    """
    if not parts:
        raise PromptError(f"{out}: nothing to compose")
    write_wav(out, join([read_wav(part) for part in parts]))


def _frame_powers(samples: array[int]) -> list[float]:
    frames = (samples[start : start + FRAME] for start in range(0, len(samples), FRAME))
    return [sum(sample * sample for sample in frame) / len(frame) for frame in frames]


def _db(amplitude: float) -> float:
    return 20 * math.log10(amplitude / FULL_SCALE) if amplitude > 0 else -math.inf
