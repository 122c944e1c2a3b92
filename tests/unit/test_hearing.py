"""Whether a prompt is in a recording: what a telephone line does to it is forgiven, anything else is not (K5)."""

from __future__ import annotations

import functools
import math
import random
import wave
from array import array
from collections.abc import Sequence
from pathlib import Path

import pytest

from asterisk_conf.prompt_audio import read_wav
from asterisk_conf.prompt_manifest import prompt_file
from calls.errors import PromptError
from service.hearing import correlation, find, loudness_of
from service.settings import SECTIONS as SECTIONS_OF_A9
from service.synthetic import first_unheard

CHANCE = random.Random(1)
RATE_HZ = 8000
WELCOME, RECORDED = prompt_file("zh-CN", "welcome"), prompt_file("zh-CN", "recorded")
SECTIONS = prompt_file("zh-CN", "sections")


@functools.cache
def over_the_line(prompt: Path) -> array[int]:
    """A prompt as it comes out of a telephone: narrow, eight bits on a logarithmic scale, with some noise."""
    samples = read_wav(prompt)
    narrow = [(a + b) // 2 for a, b in zip(samples[::2], samples[1::2], strict=False)]
    return array("h", (_companded(sample) + round(CHANCE.gauss(0, 20)) for sample in narrow))


def _companded(sample: int) -> int:
    """µ-law there and back."""
    level = math.copysign(math.log1p(255 * abs(sample) / 32768) / math.log(256), sample)
    level = round(level * 127) / 127
    return round(math.copysign((256 ** abs(level) - 1) / 255 * 32000, level))


def silence(seconds: float) -> array[int]:
    return array("h", bytes(2 * round(seconds * RATE_HZ)))


def noise(seconds: float) -> array[int]:
    return array("h", (round(CHANCE.gauss(0, 3000)) for _ in range(round(seconds * RATE_HZ))))


def recording(path: Path, *parts: Sequence[int]) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE_HZ, 0, "NONE", ""))
        for part in parts:
            file.writeframes(array("h", part).tobytes())
    return path


@pytest.fixture
def heard(tmp_path: Path) -> Path:
    return tmp_path / "heard.wav"


def test_all_prompts_in_their_order(heard: Path) -> None:
    recording(heard, silence(0.313), *map(over_the_line, (WELCOME, RECORDED)), silence(2), over_the_line(SECTIONS))
    assert first_unheard(heard, [WELCOME, RECORDED, SECTIONS]) is None


@pytest.mark.parametrize(
    "parts",
    [
        [],
        [silence(20)],
        [noise(20)],
        [over_the_line(prompt_file("en", "sections"))],
        [over_the_line(SECTIONS)[: 7 * RATE_HZ], silence(8)],
        [over_the_line(SECTIONS)[: 10 * RATE_HZ], silence(8)],
        [over_the_line(SECTIONS)[2 * RATE_HZ :], silence(8)],
        [over_the_line(SECTIONS)[: 4 * RATE_HZ], noise(2), over_the_line(SECTIONS)[6 * RATE_HZ :], silence(1)],
    ],
    ids=["nothing", "silence", "noise", "another", "broken off", "its end missing", "its beginning", "a hole"],
)
def test_what_is_not_the_prompt(heard: Path, parts: list[array[int]]) -> None:
    recording(heard, over_the_line(WELCOME), *parts)
    assert first_unheard(heard, [WELCOME, SECTIONS]) == 1


def test_prompts_in_another_order(heard: Path) -> None:
    recording(heard, over_the_line(RECORDED), over_the_line(WELCOME))
    assert first_unheard(heard, [WELCOME, RECORDED]) == 1


def test_every_section_is_told_from_the_others(heard: Path) -> None:
    """The shortest of what is listened for, and all of them end with the same words."""
    for language in ("zh-CN", "en"):
        names = [prompt_file(language, f"section-{section}") for section in SECTIONS_OF_A9]
        for spoken in names:
            recording(heard, silence(0.2), over_the_line(spoken), silence(0.5))
            assert [first_unheard(heard, [name]) is None for name in names] == [name == spoken for name in names]


def test_a_file_that_is_no_recording_has_nothing(heard: Path) -> None:
    heard.write_bytes(b"RIFF")
    assert first_unheard(heard, [WELCOME]) == 0
    with pytest.raises(PromptError):
        loudness_of(heard)


def test_a_prompt_longer_than_the_recording_is_not_in_it() -> None:
    assert not find([1.0, 2.0, 3.0], [1.0, 2.0]).good
    assert not find([], [1.0, 2.0]).good


def test_correlation() -> None:
    assert correlation([1, 2, 4], [2, 4, 8]) == pytest.approx(1)
    assert correlation([1, 2, 4], [-1, -2, -4]) == pytest.approx(-1)
    assert correlation([1, 2, 4], [5, 5, 5]) == 0
    assert correlation([1, 2, 4], [5, 5]) == 0
