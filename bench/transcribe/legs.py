"""Legs as long as calls are: clips of one speaker, and pauses in which the other one speaks. Seeded."""

from __future__ import annotations

import csv
import re
import unicodedata
import wave
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random

import numpy as np
import numpy.typing as npt
from faster_whisper.audio import decode_audio

SPEECH = Path(__file__).resolve().parents[2] / "tests" / "speech"
RATE_HZ = 16_000
SPEECH_SHARE = 0.43
"""Of a leg of a call, measured on hotlines: the rest is the other's turn."""

Samples = npt.NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class Clip:
    """One sentence."""

    file: Path
    text: str

    @property
    def voice(self) -> str:
        """Who speaks: the name tells ``female-a00`` or ``agent-00-female``."""
        return "female" if "female" in self.file.name else "male"

    @property
    def samples(self) -> Samples:
        return _samples(self.file)


@dataclass(frozen=True, slots=True)
class MadeLeg:
    """A leg as a WAV file, and what is said in it."""

    file: Path
    text: str
    length_s: float
    spoken_at: tuple[tuple[float, float, str], ...]
    """Each clip's begin and end in seconds, and its text."""


def clips(language: str) -> list[Clip]:
    """Every clip of a language, in order."""
    with (SPEECH / language / "transcripts.tsv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    return [Clip(SPEECH / language / row["file"], row["text"]) for row in rows]


def make_leg(file: Path, some: Sequence[Clip], length_s: float, seed: int) -> MadeLeg:
    """One leg of about that length: the clips over and over, by a seed, with silence between them."""
    dice = Random(seed)
    parts: list[Samples] = []
    texts: list[tuple[float, float, str]] = []
    at_s, queue = 0.0, list[Clip]()
    while at_s < length_s:
        if not queue:
            queue = list(some)
            dice.shuffle(queue)
        clip = queue.pop()
        samples = clip.samples
        spoken_s = samples.size / RATE_HZ
        pause_s = dice.expovariate(1.0) * spoken_s * (1 - SPEECH_SHARE) / SPEECH_SHARE + 0.3
        # A quiet line is not digitally silent.
        noise = np.random.default_rng(dice.randrange(1 << 30)).normal(0, 3, int(pause_s * RATE_HZ))
        parts += [samples, noise.astype(np.int16)]
        texts.append((at_s, at_s + spoken_s, clip.text))
        at_s += (samples.size + parts[-1].size) / RATE_HZ
    sound = np.concatenate(parts)
    write_wav(file, sound)
    return MadeLeg(file, " ".join(text for _, _, text in texts), sound.size / RATE_HZ, tuple(texts))


def write_wav(file: Path, samples: Samples) -> None:
    """16 kHz, 16 bit, one channel."""
    with wave.open(str(file), "wb") as audio:
        audio.setparams((1, 2, RATE_HZ, 0, "NONE", ""))
        audio.writeframes(samples.astype("<i2").tobytes())


def error_rate(pairs: Iterable[tuple[str, str]]) -> float:
    """Character errors (edits over characters) of what was heard against what was said, over all pairs."""
    wrong = whole = 0
    for said, heard in pairs:
        one, other = _letters(said), _letters(heard)
        wrong += _edits(one, other)
        whole += len(one)
    return wrong / whole


def _letters(text: str) -> str:
    text = unicodedata.normalize("NFC", text)
    return re.sub(r"[\W_]+", "", text).lower()


def _edits(one: str, other: str) -> int:
    """By rows of a whole array at a time: legs have thousands of characters."""
    codes = np.frombuffer(other.encode("utf-32-le"), dtype=np.uint32)
    steps = np.arange(codes.size + 1)
    row = steps.copy()
    for number, letter in enumerate(one, start=1):
        best = np.empty_like(row)
        best[0] = number
        best[1:] = np.minimum(row[1:] + 1, row[:-1] + (codes != ord(letter)))
        row = np.minimum.accumulate(best - steps) + steps
    return int(row[-1])


@cache
def _samples(file: Path) -> Samples:
    decoded = decode_audio(str(file), RATE_HZ)
    return (np.asarray(decoded) * 32_767).astype(np.int16)
