"""Joining, trimming and measuring the sound of prompts."""

from __future__ import annotations

import math
import wave
from array import array
from pathlib import Path

import pytest

from asterisk_conf.prompt_audio import (
    PAUSE_INSIDE_S,
    RATE_HZ,
    compose,
    duration_s,
    join,
    peak_dbfs,
    read_wav,
    silence,
    speech_dbfs,
    trimmed,
    write_wav,
)
from calls.errors import PromptError


def tone(seconds: float, amplitude: int = 8_000) -> array[int]:
    return array(
        "h", (round(amplitude * math.sin(2 * math.pi * 440 * n / RATE_HZ)) for n in range(int(seconds * RATE_HZ)))
    )


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    write_wav(tmp_path / "new" / "tone.wav", tone(0.1))
    assert read_wav(tmp_path / "new" / "tone.wav") == tone(0.1)
    with wave.open(str(tmp_path / "new" / "tone.wav")) as file:
        assert (file.getframerate(), file.getsampwidth(), file.getnchannels()) == (16_000, 2, 1)


def test_levels_are_relative_to_full_scale() -> None:
    assert peak_dbfs(tone(0.5, 16_384)) == pytest.approx(-6.02, abs=0.05)
    assert speech_dbfs(tone(0.5, 16_384)) == pytest.approx(-9.03, abs=0.05)
    assert peak_dbfs(silence(0.5)) == speech_dbfs(silence(0.5)) == -math.inf


def test_pauses_do_not_lower_the_level_of_speech() -> None:
    spaced = tone(0.5) + silence(2) + tone(0.5)
    assert speech_dbfs(spaced) == pytest.approx(speech_dbfs(tone(0.5)), abs=0.05)


def test_silence_at_the_ends_is_trimmed_and_inside_is_kept() -> None:
    inside = tone(0.2) + silence(0.3) + tone(0.2)
    kept = trimmed(silence(0.5) + inside + silence(0.7))
    assert duration_s(kept) == pytest.approx(duration_s(inside) + 0.04, abs=0.011)
    assert trimmed(silence(0.5)) == array("h")


def test_a_cut_is_faded_so_that_it_does_not_click() -> None:
    kept = trimmed(array("h", [8_000] * RATE_HZ))
    assert kept[0] == kept[-1] == 0
    assert kept[len(kept) // 2] == 8_000


def test_a_composed_phrase_is_its_parts_with_one_short_pause_between_each(tmp_path: Path) -> None:
    parts = [tmp_path / f"{number}.wav" for number in range(3)]
    for part in parts:
        write_wav(part, silence(0.4) + tone(0.3) + silence(0.6))
    compose([*parts, parts[0]], tmp_path / "phrase.wav")
    phrase = read_wav(tmp_path / "phrase.wav")
    one = trimmed(silence(0.4) + tone(0.3) + silence(0.6))
    assert duration_s(phrase) == pytest.approx(4 * duration_s(one) + 3 * PAUSE_INSIDE_S)
    assert phrase == join([one] * 4)


def test_a_phrase_that_fails_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    out = tmp_path / "out" / "greeting.wav"
    write_wav(out, tone(0.2))
    with pytest.raises(PromptError, match=r"absent\.wav"):
        compose([out, tmp_path / "absent.wav"], out)
    with pytest.raises(PromptError, match="nothing to compose"):
        compose([], out)
    assert read_wav(out) == tone(0.2)
    assert list(out.parent.iterdir()) == [out]


def test_asterisk_under_its_own_user_can_read_a_phrase(tmp_path: Path) -> None:
    write_wav(tmp_path / "phrase.wav", tone(0.1))
    assert (tmp_path / "phrase.wav").stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("content", [b"", b"RIFF", b"not a sound at all, but long enough for a header" * 4])
def test_a_file_that_is_no_wav_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "bad.wav").write_bytes(content)
    with pytest.raises(PromptError, match=r"bad\.wav"):
        read_wav(tmp_path / "bad.wav")
