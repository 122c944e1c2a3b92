"""A masked copy is the recording, byte for byte, but for the seconds that must not be heard (P3)."""

from __future__ import annotations

import io
import random
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calls.errors import RecordingError
from calls.transcript import Span
from recordings.beep import BeepedReader

RATE = 8000
FORMATS = {1: 2, 6: 1, 7: 1}


def wav(code: int, frames: int, channels: int = 1, extra: bytes = b"") -> tuple[bytes, int]:
    """A file of noise, and where its sound begins."""
    width = FORMATS[code]
    sound = random.Random(frames).randbytes(frames * width * channels)
    form = struct.pack("<HHIIHH", code, channels, RATE, RATE * width * channels, width * channels, width * 8)
    head = b"WAVEfmt " + struct.pack("<I", len(form)) + form + extra + b"data" + struct.pack("<I", len(sound))
    return b"RIFF" + struct.pack("<I", len(head) + len(sound)) + head + sound, len(head) + 8


spans = st.lists(
    st.tuples(st.floats(-0.1, 0.6), st.floats(0, 0.2)).map(lambda pair: Span(pair[0], pair[0] + pair[1])),
    max_size=5,
)


@settings(max_examples=60, deadline=None)
@given(spans=spans, code=st.sampled_from(sorted(FORMATS)), channels=st.sampled_from([1, 2]), data=st.data())
def test_only_the_spans_change_wherever_one_reads(
    spans: list[Span], code: int, channels: int, data: st.DataObject
) -> None:
    plain, start = wav(code, 4000, channels, extra=b"LIST\x03\0\0\0abc\0")
    frame = FORMATS[code] * channels
    whole = BeepedReader(io.BytesIO(plain), spans).read()
    assert len(whole) == len(plain) and whole[:start] == plain[:start]
    other = plain[:start] + bytes(255 - byte for byte in plain[start:])
    beeped = BeepedReader(io.BytesIO(other), spans).read()
    for number in range(4000):
        place = slice(start + number * frame, start + (number + 1) * frame)
        middle = (number + 0.5) / RATE
        if any(span.start_s <= middle <= span.end_s for span in spans):
            assert whole[place] == beeped[place]  # nothing of the original
        elif not any(span.start_s - 1 / RATE <= middle <= span.end_s + 1 / RATE for span in spans):
            assert whole[place] == plain[place]
    reader = BeepedReader(io.BytesIO(plain), spans)
    for _ in range(5):
        at, size = data.draw(st.integers(0, len(plain) + 5)), data.draw(st.integers(0, 3000))
        assert reader.seek(at) == at
        assert reader.read(size) == whole[at : at + size]


@pytest.mark.parametrize("code", sorted(FORMATS))
def test_the_tone_goes_on_smoothly_over_pieces(code: int) -> None:
    plain, start = wav(code, 4000)
    beeped = BeepedReader(io.BytesIO(plain), [Span(0, 1)]).read()[start:]
    period = 8 * FORMATS[code]
    assert len(set(beeped[:period])) > 2
    assert beeped == beeped[:period] * (len(beeped) // period)


@pytest.mark.parametrize("cut", [0, 4, 20, 30])
def test_what_cannot_be_beeped_over_is_not_given_out(cut: int) -> None:
    plain, _ = wav(1, 100)
    with pytest.raises(RecordingError):
        BeepedReader(io.BytesIO(plain[:cut]), [])


def test_an_unknown_format_is_not_given_out() -> None:
    plain, _ = wav(1, 100)
    with pytest.raises(RecordingError):
        BeepedReader(io.BytesIO(plain.replace(struct.pack("<HH", 1, 1), struct.pack("<HH", 3, 1), 1)), [])
