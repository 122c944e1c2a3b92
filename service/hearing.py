"""Whether a prompt is in a recording: the course of its loudness, second by second.

Telephone codecs change a sound's wave beyond recognition, but hardly when it is loud and when it is quiet. So
loudness is compared, frame by frame: the prompt is laid where it fits the recording best, and then every second
of it must fit by itself. Silence, noise, another prompt, or one that breaks off do not.
"""

from __future__ import annotations

import math
import wave
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from operator import mul
from pathlib import Path

from calls.errors import PromptError

FRAME_S = 0.01
GOOD_FIT = 0.9
"""Correlation from which on a stretch is taken for the same. Over a line, what is the same has 0.96 and more;
other words have at most 0.85, and that only where they are short."""

_STRETCH = 100
"""Frames that must fit by themselves: a second."""
_SLACK = 8
"""Frames by which a stretch may be early or late: packets come unevenly."""
_AUDIBLE = 0.1
"""A stretch whose loudness varies less than this share of the whole prompt's says nothing: a pause."""

Loudness = Sequence[float]
"""One number for each frame."""


@dataclass(frozen=True, slots=True)
class Heard:
    """How well a prompt fits, from -1 to 1, and the frame at which it ends in the recording."""

    fit: float
    end: int

    @property
    def good(self) -> bool:
        return self.fit >= GOOD_FIT


def loudness_of(path: Path) -> Loudness:
    """The loudness of a mono WAV file of 16 bits. Raises PromptError if it is none."""
    try:
        with wave.open(str(path), "rb") as file:
            if (file.getnchannels(), file.getsampwidth()) != (1, 2):
                raise PromptError(f"{path.name}: expected mono, 16 bit")
            rate_hz, samples = file.getframerate(), array("h", file.readframes(file.getnframes()))
    except (OSError, EOFError, wave.Error, ValueError) as error:
        raise PromptError(f"{path.name} cannot be read: {error}") from error
    # Neighbours averaged down to a telephone's 8 kHz: what a narrow line does not carry must not count.
    while rate_hz >= 16_000:
        samples = array("h", ((a + b) // 2 for a, b in zip(samples[::2], samples[1::2], strict=False)))
        rate_hz //= 2
    return loudness(samples, round(rate_hz * FRAME_S))


def loudness(samples: Sequence[int], frame: int) -> Loudness:
    """The loudness of each ``frame`` samples: the root of their energy, compressed as an ear does."""
    return [
        math.sqrt(math.sqrt(sum(map(mul, part, part)) / frame))
        for part in (samples[start : start + frame] for start in range(0, len(samples) - frame + 1, frame))
    ]


def find(prompt: Loudness, recording: Loudness, start: int = 0) -> Heard:
    """Where, from frame ``start`` on, the prompt fits best, and how well its worst second does."""
    # Every second frame will do: each stretch finds its own place near the best one.
    places = range(start, len(recording) - len(prompt) + 1, 2)
    if not places or not prompt:
        return Heard(-1.0, start)
    place = max(places, key=lambda at: correlation(prompt, recording[at : at + len(prompt)]))
    return Heard(_worst_stretch(prompt, recording, place), place + len(prompt))


def _worst_stretch(prompt: Loudness, recording: Loudness, place: int) -> float:
    least = _AUDIBLE * _spread(prompt)
    fits = []
    for begin in range(0, max(len(prompt) - _STRETCH // 2, 1), _STRETCH):
        # The last stretch takes what would be too short to tell anything.
        last = len(prompt) - begin < _STRETCH + _STRETCH // 2
        part = prompt[begin:] if last else prompt[begin : begin + _STRETCH]
        if _spread(part) >= least:
            near = range(max(0, place + begin - _SLACK), place + begin + _SLACK + 1)
            fits.append(max(correlation(part, recording[at : at + len(part)]) for at in near))
    return min(fits, default=-1.0)


def correlation(some: Loudness, other: Loudness) -> float:
    """Pearson's, from -1 to 1; 0 where one of the two does not vary or they differ in length."""
    count = len(some)
    if count != len(other) or not count:
        return 0.0
    mean, other_mean = sum(some) / count, sum(other) / count
    spread = _spread(some) * _spread(other)
    if spread <= 0:
        return 0.0
    together: float = sum(map(mul, some, other))
    return (together - count * mean * other_mean) / (count * spread)


def _spread(values: Loudness) -> float:
    """The standard deviation."""
    count = len(values)
    if not count:
        return 0.0
    mean = sum(values) / count
    return math.sqrt(max(sum(map(mul, values, values)) / count - mean * mean, 0.0))
