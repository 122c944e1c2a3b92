"""The check of the prompts: each way in which a recording can be unusable, and the committed ones."""

from __future__ import annotations

import math
import wave
from array import array
from pathlib import Path

import pytest

from asterisk_conf.prompt_audio import peak_dbfs, read_wav, silence, speech_dbfs, write_wav
from asterisk_conf.prompt_manifest import (
    PROMPTS_DIR,
    Manifest,
    generated_file,
    load_manifest,
    prompt_file,
    studio_file,
)
from asterisk_conf.prompts_check import Fault, check_prompts, shortest_s

MANIFEST = Manifest(texts={"zh-CN": {"welcome": "您好。"}, "en": {"welcome": "Hello."}}, pronunciations={})


def tone(seconds: float = 0.5, amplitude: float = 8_000, rate_hz: int = 16_000) -> array[int]:
    samples = (amplitude * math.sin(2 * math.pi * 440 * n / rate_hz) for n in range(int(seconds * rate_hz)))
    return array("h", (max(-32_768, min(32_767, round(sample))) for sample in samples))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Recordings that are all right."""
    for language in MANIFEST.languages:
        write_wav(generated_file(language, "welcome", tmp_path), tone())
    return tmp_path


def faults(root: Path) -> list[tuple[str, str, Fault]]:
    return [(problem.language, problem.prompt, problem.fault) for problem in check_prompts(root, MANIFEST)]


def test_good_recordings_have_no_problem(root: Path) -> None:
    assert check_prompts(root, MANIFEST) == []


def test_a_missing_recording(root: Path) -> None:
    generated_file("en", "welcome", root).unlink()
    assert faults(root) == [("en", "welcome", Fault.MISSING)]


@pytest.mark.parametrize(
    ("samples", "fault"),
    [
        (silence(0.5), Fault.EMPTY),
        (array("h"), Fault.EMPTY),
        (tone(amplitude=100), Fault.EMPTY),
        (tone(seconds=0.05), Fault.EMPTY),
        (tone(amplitude=60_000), Fault.CLIPPED),
    ],
    ids=["silent", "no samples", "near silent", "too short for its text", "clipped"],
)
def test_an_unusable_recording(root: Path, samples: array[int], fault: Fault) -> None:
    write_wav(generated_file("zh-CN", "welcome", root), samples)
    assert faults(root) == [("zh-CN", "welcome", fault)]


def test_a_wave_that_only_touches_full_scale_is_not_clipped(root: Path) -> None:
    samples = tone()
    samples[100] = 32_767
    write_wav(generated_file("zh-CN", "welcome", root), samples)
    assert check_prompts(root, MANIFEST) == []


@pytest.mark.parametrize(("rate_hz", "sample_bytes", "channels"), [(8_000, 2, 1), (16_000, 1, 1), (16_000, 2, 2)])
def test_a_wrongly_sampled_recording(root: Path, rate_hz: int, sample_bytes: int, channels: int) -> None:
    with wave.open(str(generated_file("en", "welcome", root)), "wb") as file:
        file.setframerate(rate_hz)
        file.setsampwidth(sample_bytes)
        file.setnchannels(channels)
        file.writeframes(tone().tobytes())
    assert faults(root) == [("en", "welcome", Fault.WRONG_FORMAT)]


def test_a_studio_recording_is_judged_in_place_of_the_generated_one(root: Path) -> None:
    write_wav(studio_file("en", "welcome", root), silence(1))
    assert faults(root) == [("en", "welcome", Fault.EMPTY)]
    write_wav(studio_file("en", "welcome", root), tone())
    generated_file("en", "welcome", root).unlink()
    assert check_prompts(root, MANIFEST) == []


@pytest.mark.parametrize(
    "name", ["en/welcom.wav", "en/studio/welcome.mp3", "en/studio/take/welcome.wav", "fr/welcome.wav"]
)
def test_a_stray_file(root: Path, name: str) -> None:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).touch()
    assert faults(root) == [(name.split("/")[0], Path(name).stem, Fault.STRAY)]


def test_every_problem_is_named_in_words(root: Path) -> None:
    generated_file("en", "welcome", root).unlink()
    (root / "zh-CN" / "extra.wav").touch()
    assert [str(problem).split(":")[:2] for problem in check_prompts(root, MANIFEST)] == [
        ["en/welcome", " missing"],
        ["zh-CN/extra", " stray"],
    ]


def test_a_longer_text_takes_longer() -> None:
    assert 0 < shortest_s("幺，") < shortest_s("您好。") < shortest_s("您好，欢迎致电服务热线。")
    assert shortest_s("Hello.") < shortest_s("Hello, and welcome to the service hotline.")


def test_the_committed_prompts_have_no_problem() -> None:
    assert check_prompts(PROMPTS_DIR, load_manifest()) == []


def test_the_generated_prompts_are_equally_loud() -> None:
    manifest = load_manifest()
    for language, texts in manifest.texts.items():
        for prompt in texts:
            path = prompt_file(language, prompt)
            if path == generated_file(language, prompt):
                samples = read_wav(path)
                assert peak_dbfs(samples) <= -3.0, path
                assert speech_dbfs(samples) == pytest.approx(-23.0, abs=1.5), path
