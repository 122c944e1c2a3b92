"""Which bytes a request asks for: whatever is sent, the answer lies within the file."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.ranges import MOST_BYTES, Piece, piece_of


@pytest.mark.parametrize(
    "header, expected",
    [
        ("bytes=0-", Piece(0, 99)),
        ("bytes=0-9", Piece(0, 9)),
        ("Bytes = 10-19", Piece(10, 19)),
        ("bytes=90-900", Piece(90, 99)),
        ("bytes=99-", Piece(99, 99)),
        ("bytes=-10", Piece(90, 99)),
        ("bytes=-1000", Piece(0, 99)),
        ("bytes=100-", None),
        ("bytes=9-3", None),
        ("bytes=-0", None),
        ("bytes=-", None),
        ("bytes=0-9,20-29", None),
        ("items=0-9", None),
        ("bytes=0x0-", None),
        ("bytes=٠-", None),
        ("bytes=1-2-3", None),
        ("bytes=--1", None),
        ("", None),
    ],
)
def test_one_range_is_read_and_anything_else_cannot_be_satisfied(header: str, expected: Piece | None) -> None:
    assert piece_of(header, 100) == expected


def test_an_empty_file_has_no_range() -> None:
    assert piece_of("bytes=0-", 0) is None
    assert piece_of("bytes=-1", 0) is None


def test_one_answer_has_so_many_bytes_at_most() -> None:
    assert piece_of("bytes=0-", 10 * MOST_BYTES) == Piece(0, MOST_BYTES - 1)
    assert piece_of("bytes=5-", 100, most=7) == Piece(5, 11)


_numbers = st.integers(0, 10**20).map(str) | st.just("")


@given(
    st.text(max_size=40) | st.builds("bytes={}-{}".format, _numbers, _numbers),
    st.integers(0, 5000),
    st.integers(1, 300),
)
def test_whatever_is_asked_the_piece_lies_within_the_file(header: str, size: int, most: int) -> None:
    piece = piece_of(header, size, most)
    if piece is not None:
        assert 0 <= piece.first <= piece.last < size
        assert piece.length <= most
        assert piece.of(size) == f"bytes {piece.first}-{piece.last}/{size}"
