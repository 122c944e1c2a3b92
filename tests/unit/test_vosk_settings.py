"""A Vosk model's decoder settings: a small model's are made quicker, everything else is left as it is."""

from __future__ import annotations

from recordings.transcription.vosk_engine import fewer

SMALL = ["--min-active=200", "--max-active=3000", "--beam=10.0", "--lattice-beam=2.0", "# a remark", ""]


def test_a_small_model_follows_fewer_hypotheses() -> None:
    assert fewer(SMALL) == [
        *("--min-active=50", "--max-active=1000", "--beam=9.5", "--lattice-beam=2.0", "# a remark", "")
    ]


def test_nothing_is_made_more_than_the_model_says() -> None:
    narrow = ["--max-active=800", "--beam=8", "--min-active=20"]
    assert fewer(narrow) == narrow


def test_a_large_model_is_left_alone() -> None:
    large = ["--max-active=7000", "--beam=13.0", "--min-active=200"]
    assert fewer(large) == large


def test_what_is_no_number_or_not_there_is_left_alone() -> None:
    for lines in ([], ["--beam=10.0"], ["--max-active=many", "--beam=10.0"]):
        assert fewer(lines) == lines
