"""Outlines of recordings: as long as the sound, as loud, and flat where it is beeped over (P3)."""

from __future__ import annotations

import io
import wave
from array import array

import pytest

from calls.errors import TranscriptionError
from calls.transcript import Span
from calls.waveform import PER_S, Waveform
from recordings.peaks import outline


def wav(samples: array[int], rate: int = 8000) -> io.BytesIO:
    content = io.BytesIO()
    with wave.open(content, "wb") as file:
        file.setparams((1, 2, rate, 0, "NONE", ""))
        file.writeframes(samples.tobytes())
    content.seek(0)
    return content


def test_a_second_has_ten_peaks_each_as_high_as_its_loudest_moment() -> None:
    quiet, loud = array("h", [0] * 800), array("h", [0] * 799 + [-32768])
    found = outline(wav(quiet + loud + quiet))
    assert (found.per_s, list(found.peaks)) == (PER_S, [0, 255, 0])


@pytest.mark.parametrize("rate", [8000, 16000, 48000])
def test_it_is_as_long_as_the_sound(rate: int) -> None:
    found = outline(wav(array("h", [100] * (rate * 125 + rate // 20)), rate))
    assert found.duration_s == pytest.approx(125.1)


def test_what_is_no_sound_has_none() -> None:
    with pytest.raises(TranscriptionError):
        outline(io.BytesIO(b"no sound"))


def test_a_file_that_breaks_off_has_the_outline_of_what_is_there() -> None:
    whole = wav(array("h", [8000] * 8000)).getvalue()
    assert outline(io.BytesIO(whole[:8044])).duration_s == pytest.approx(0.5)


@pytest.mark.parametrize(
    "spans, expected",
    [
        ([], [9] * 10),
        ([Span(0.25, 0.55)], [9, 9, 20, 20, 20, 20, 9, 9, 9, 9]),
        ([Span(-1, 0.1), Span(0.9, 5)], [20, 9, 9, 9, 9, 9, 9, 9, 9, 20]),
        ([Span(3, 4)], [9] * 10),
    ],
)
def test_what_is_beeped_over_is_flat(spans: list[Span], expected: list[int]) -> None:
    flat = Waveform(10.0, bytes([9] * 10)).flattened(spans)
    assert list(flat.peaks) == expected
