"""WAV files of every kind, and ten thousand hostile headers: sound or an error in words, never a crash."""

from __future__ import annotations

import io
import random
import struct

import numpy as np
import pytest

from calls.custody import Bandwidth
from calls.errors import TranscriptionError
from calls.ports import Pcm
from calls.transcript import Span, Word
from recordings.transcription.announcement import announced
from recordings.transcription.audio import RATE_HZ, read_wav, samples_of
from recordings.transcription.engines import stitch
from recordings.transcription.voice import bandwidth, voice

SEED = 20261123


def wav(data: bytes, *, kind: int = 1, channels: int = 1, rate_hz: int = 16_000, bits: int = 16) -> bytes:
    frame = channels * bits // 8
    form = struct.pack("<HHIIHH", kind, channels, rate_hz, rate_hz * frame % 2**32, frame % 2**16, bits)
    body = b"fmt " + struct.pack("<I", 16) + form + b"data" + struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WAVE" + body


def tone(seconds: float, pitch_hz: float = 440, rate_hz: int = RATE_HZ) -> np.ndarray:
    return (8000 * np.sin(2 * np.pi * pitch_hz * np.arange(int(seconds * rate_hz)) / rate_hz)).astype("<i2")


def noise(seconds: float, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).integers(-8000, 8000, int(seconds * RATE_HZ)).astype("<i2")


@pytest.mark.parametrize("rate_hz", [8_000, 11_025, 16_000, 44_100, 48_000])
def test_any_rate_becomes_16_khz(rate_hz: int) -> None:
    pcm = read_wav(io.BytesIO(wav(tone(1, rate_hz=rate_hz).tobytes(), rate_hz=rate_hz)))
    assert pcm.rate_hz == RATE_HZ and pcm.duration_s == pytest.approx(1, abs=0.01)
    heard = np.abs(np.fft.rfft(samples_of(pcm).astype(float)))
    assert np.argmax(heard) * pcm.rate_hz / len(samples_of(pcm)) == pytest.approx(440, abs=2)


@pytest.mark.parametrize(("kind", "bits"), [(1, 8), (1, 16), (1, 24), (1, 32), (3, 32), (6, 8), (7, 8)])
def test_every_form_sounds_alike(kind: int, bits: int) -> None:
    sound = tone(0.5).astype(np.int32)
    data = {
        (1, 8): lambda: ((sound >> 8) + 128).astype(np.uint8).tobytes(),
        (1, 16): lambda: sound.astype("<i2").tobytes(),
        (1, 24): lambda: b"".join(struct.pack("<i", int(one) << 8)[:3] for one in sound),
        (1, 32): lambda: (sound << 16).astype("<i4").tobytes(),
        (3, 32): lambda: (sound / 32_767).astype("<f4").tobytes(),
        (6, 8): lambda: companded(sound, 6),
        (7, 8): lambda: companded(sound, 7),
    }[kind, bits]()
    heard = samples_of(read_wav(io.BytesIO(wav(data, kind=kind, bits=bits)))).astype(float)
    assert len(heard) == len(sound)
    assert np.corrcoef(heard, sound)[0, 1] > 0.99
    assert np.std(heard) == pytest.approx(np.std(sound), rel=0.05)


def companded(sound: np.ndarray, kind: int) -> bytes:
    """The nearest code of each sample, by what every code is decoded to."""
    codes = samples_of(read_wav(io.BytesIO(wav(bytes(range(256)), kind=kind, bits=8)))).astype(np.int32)
    order = np.argsort(codes)
    place = np.searchsorted(codes[order], sound).clip(0, 255)
    return bytes(order[place].astype(np.uint8))


def test_two_channels_are_mixed() -> None:
    left, right = tone(0.2, 300), tone(0.2, 900)
    pcm = read_wav(io.BytesIO(wav(np.stack([left, right], axis=1).tobytes(), channels=2)))
    assert np.allclose(samples_of(pcm), (left.astype(int) + right) / 2, atol=1)


def test_what_is_there_of_a_broken_off_file_is_read() -> None:
    whole = wav(tone(1).tobytes())
    assert read_wav(io.BytesIO(whole[: len(whole) // 2])).duration_s == pytest.approx(0.5, abs=0.01)
    assert read_wav(io.BytesIO(wav(b""))).duration_s == 0


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "no WAV file"),
        (b"junk" * 50, "no WAV file"),
        (wav(b"ab", rate_hz=0), "0 samples a second"),
        (wav(b"ab", rate_hz=4_000_000_000), "samples a second"),
        (wav(b"ab", channels=0), "0 channels"),
        (wav(b"ab", channels=65_535), "65535 channels"),
        (wav(b"ab", bits=0), "form is unknown"),
        (wav(b"ab", kind=85), "form is unknown"),
        (wav(b"ab")[:36], "no sound"),
        (wav(b"ab")[:20], "breaks off"),
    ],
)
def test_what_is_no_sound_is_told_in_words(data: bytes, said: str) -> None:
    with pytest.raises(TranscriptionError, match=said):
        read_wav(io.BytesIO(data))


def test_ten_thousand_hostile_headers_do_no_harm() -> None:
    rng = random.Random(SEED)
    whole = wav(tone(0.01).tobytes())
    refused = 0
    for _ in range(10_000):
        data = bytearray(whole)
        for _ in range(rng.randint(1, 6)):
            at = rng.randrange(44)
            data[at : at + rng.choice((1, 2, 4))] = rng.randbytes(rng.choice((1, 2, 4)))
        try:
            pcm = read_wav(io.BytesIO(bytes(data[: rng.randint(0, len(data))])))
        except TranscriptionError:
            refused += 1
        else:
            assert pcm.duration_s < 1
    assert 1_000 < refused < 10_000


def test_nobody_speaks_in_silence_or_in_nothing() -> None:
    for samples in (b"", bytes(32_000)):
        pcm = Pcm(RATE_HZ, samples)
        assert voice(pcm) == () and bandwidth(pcm, ()) is Bandwidth.UNKNOWN


def test_the_announcement_is_found_where_it_is_and_nowhere_else() -> None:
    first, last = noise(0.5, 2), noise(0.4, 3)
    sound = np.concatenate([np.zeros(8_000, "<i2"), first, noise(1.0, 4), last, noise(1.0, 5)])
    parts = [Pcm(RATE_HZ, part.tobytes()) for part in (first, last)]
    found = announced(Pcm(RATE_HZ, sound.tobytes()), *parts)
    assert (
        found and found.start_s == pytest.approx(0.5, abs=0.001) and found.end_s == pytest.approx(2.4, abs=0.001)
    )
    assert announced(Pcm(RATE_HZ, noise(3.0, 6).tobytes()), *parts) is None


@pytest.mark.parametrize("pause_s, starts_s", [(-0.05, 0.95), (0.0, 1.0), (0.3, 1.0), (2.0, 3.7)])
def test_the_section_said_right_before_is_part_of_the_announcement(pause_s: float, starts_s: float) -> None:
    section, first, last = noise(0.7, 7), noise(0.5, 2), noise(0.4, 3)
    began = RATE_HZ + section.size + int(pause_s * RATE_HZ)
    sound = np.zeros(8 * RATE_HZ, "<i2")
    for at, part in ((RATE_HZ, section), (began, first), (began + RATE_HZ, last)):
        sound[at : at + part.size] = part
    pcm, *parts = (Pcm(RATE_HZ, part.tobytes()) for part in (sound, first, last, section))
    found = announced(pcm, *parts)
    assert found and found.start_s == pytest.approx(starts_s, abs=0.06)
    assert found.end_s == pytest.approx((began + RATE_HZ + last.size) / RATE_HZ, abs=0.001)


@pytest.mark.parametrize("missing_s", [0.05, 0.3, 0.69])
def test_a_section_whose_beginning_the_recorder_missed_is_part_of_it_too(missing_s: float) -> None:
    section, first, last = noise(0.7, 7), noise(0.5, 2), noise(0.4, 3)
    sound = np.concatenate([section[int(missing_s * RATE_HZ) :], first, last, noise(1.0, 5)])
    pcm, *parts = (Pcm(RATE_HZ, part.tobytes()) for part in (sound, first, last, section))
    found = announced(pcm, *parts)
    assert found and found.start_s == 0 and found.end_s == pytest.approx(1.6 - missing_s, abs=0.001)


def test_without_an_announcement_there_is_none() -> None:
    parts = [Pcm(RATE_HZ, noise(0.5, seed).tobytes()) for seed in (2, 3)]
    assert announced(Pcm(RATE_HZ, b""), *parts) is None


@pytest.mark.parametrize("at_s", [1.0, 1.3, 2.0, 6.0, 6.3, 6.9])
def test_words_come_back_at_their_times(at_s: float) -> None:
    """A click marks the sound: where it lies in what engines are fed, the word at it is placed where it was."""
    samples = np.zeros(10 * RATE_HZ, "<i2")
    samples[int(at_s * RATE_HZ)] = 20_000
    stitched = stitch(Pcm(RATE_HZ, samples.tobytes()), (Span(1.0, 2.0), Span(6.0, 7.0)), 0.3)
    fed = np.frombuffer(stitched.sound, "<i2")
    assert fed.size < 4 * RATE_HZ and np.count_nonzero(fed) == 1
    heard_s = float(np.argmax(fed)) / RATE_HZ
    placed = stitched.placed(Word("a", heard_s, heard_s + 0.1, 1.0))
    assert (placed.start_s, placed.end_s) == (pytest.approx(at_s), pytest.approx(at_s + 0.1))


def test_a_word_that_begins_in_the_silence_before_a_piece_is_in_that_piece() -> None:
    stitched = stitch(Pcm(RATE_HZ, bytes(10 * RATE_HZ * 2)), (Span(1.0, 2.0), Span(6.0, 7.0)), 0.3)
    begins_s, piece = stitched.pieces[1]
    placed = stitched.placed(Word("a", begins_s - 0.2, begins_s + 0.5, 1.0))
    assert placed.start_s == piece.start_s and placed.end_s == pytest.approx(piece.start_s + 0.5)
