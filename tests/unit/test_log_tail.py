"""A log read on while it grows, is renamed, copied, emptied, compressed, removed: every line once, losses told."""

from __future__ import annotations

import gzip
import logging
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ivr.log_tail import Checkpoint, Piece, load_checkpoint, read_piece, store_checkpoint


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "Master.csv"


class Reader:
    """Reads to the end whenever asked; ``size`` bytes at once."""

    def __init__(self, path: Path, at: Checkpoint | None = None, size: int = 64) -> None:
        self.path = path
        self.at = at or Checkpoint()
        self.size = size
        self.losses = 0

    def read(self) -> list[str]:
        """What is new."""
        found: list[str] = []
        while True:
            piece = read_piece(self.path, self.at, self.size)
            assert sum(len(line.data) + 1 for line in piece.lines) <= self.size + 1  # bounded
            self.losses += bool(piece.loss)
            found += [line.data.decode() for line in piece.lines]
            if not piece.lines and piece.after == self.at:
                return found
            self.at = piece.after


def write(path: Path, *numbers: int) -> None:
    """What Asterisk does: open, append, close."""
    with path.open("ab") as file:
        file.writelines(f"line {number:06}\n".encode() for number in numbers)
    tick(path)


_clock = iter(range(10**9, 10**10))


def tick(path: Path) -> None:
    """Files are written to one after the other, also where the disk's clock is coarse."""
    seconds = next(_clock)
    os.utime(path, (seconds, seconds))


def lines(*numbers: int) -> list[str]:
    return [f"line {number:06}" for number in numbers]


def renamed(path: Path) -> None:
    path.rename(path.with_name("Master.csv.0"))


def dated(path: Path) -> None:
    path.rename(path.with_name("Master.csv-20261122"))


def copied_and_emptied(path: Path) -> None:
    shutil.copy(path, path.with_name("Master.csv.1"))
    tick(path.with_name("Master.csv.1"))
    os.truncate(path, 0)


def compressed(path: Path) -> None:
    with path.open("rb") as plain, gzip.open(path.with_name("Master.csv.1.gz"), "wb") as packed:
        shutil.copyfileobj(plain, packed)
    tick(path.with_name("Master.csv.1.gz"))
    path.unlink()


ROTATIONS = [renamed, dated, copied_and_emptied, compressed]


def test_a_file_that_is_not_there_yet_is_no_loss(file: Path) -> None:
    assert read_piece(file, Checkpoint()) == Piece((), Checkpoint())
    assert read_piece(file.parent / "nowhere" / "log", Checkpoint()) == Piece((), Checkpoint())


def test_lines_come_once_in_pieces_with_their_places(file: Path) -> None:
    write(file, *range(20))
    reader = Reader(file)
    assert reader.read() == lines(*range(20))
    assert reader.read() == []
    write(file, 20)
    piece = read_piece(file, reader.at)
    assert [(line.offset, line.end) for line in piece.lines] == [(240, 252)]
    assert reader.read() == lines(20)


def test_a_half_written_line_waits_for_its_rest(file: Path) -> None:
    write(file, 1)
    with file.open("ab") as half:
        half.write(b"line 00")
    reader = Reader(file)
    assert reader.read() == lines(1)
    with file.open("ab") as half:
        half.write(b"0002\n")
    assert reader.read() == lines(2)


@pytest.mark.parametrize("rotate", ROTATIONS)
def test_the_rest_of_a_rotated_file_comes_before_the_new_one(file: Path, rotate: Callable[[Path], None]) -> None:
    write(file, *range(10))
    reader = Reader(file)
    reader.read()
    write(file, 10, 11)
    rotate(file)
    write(file, 12, 13)
    assert reader.read() == lines(10, 11, 12, 13)
    assert reader.losses == 0


@pytest.mark.parametrize("rotate", ROTATIONS)
def test_what_was_read_is_not_read_again_after_a_rotation(file: Path, rotate: Callable[[Path], None]) -> None:
    write(file, *range(10))
    reader = Reader(file)
    reader.read()
    rotate(file)
    assert reader.read() == []
    write(file, 10)
    assert reader.read() == lines(10)
    assert reader.losses == 0


def test_several_rotations_while_nobody_read(file: Path) -> None:
    """As ``rotatestrategy = rotate`` does: .0 is the newest, the others move up."""
    write(file, 0, 1)
    reader = Reader(file)
    reader.read()
    for generation in range(3):
        write(file, 10 + generation, 20 + generation)
        for number in (1, 0):
            old = file.with_name(f"Master.csv.{number}")
            if old.exists():
                old.rename(file.with_name(f"Master.csv.{number + 1}"))
        renamed(file)
    write(file, 99)
    assert reader.read() == lines(10, 20, 11, 21, 12, 22, 99)
    assert reader.losses == 0


def test_a_file_that_was_emptied_and_has_grown_past_the_place_is_not_taken_for_the_old(file: Path) -> None:
    write(file, 1, 2, 3)
    reader = Reader(file)
    reader.read()
    os.truncate(file, 0)
    write(file, 4, 5, 6, 7, 8)
    assert reader.read() == lines(4, 5, 6, 7, 8)
    assert reader.losses == 1  # what stood behind the third line by then, if anything, nobody knows


def test_another_file_with_the_old_inode_is_not_taken_for_the_old(file: Path) -> None:
    write(file, 1, 2, 3)
    reader = Reader(file)
    reader.read()
    file.unlink()
    write(file, 4, 5, 6, 7)
    reader.at = Checkpoint(file.stat().st_ino, reader.at.offset, reader.at.fingerprint, reader.at.mtime_ns)
    assert reader.read() == lines(4, 5, 6, 7)
    assert reader.losses == 1


def test_a_file_that_vanished_is_a_loss_told_once(file: Path) -> None:
    write(file, 1, 2)
    reader = Reader(file)
    reader.read()
    file.unlink()
    assert reader.read() == []
    assert reader.read() == []
    assert reader.losses == 1
    write(file, 3)
    assert reader.read() == lines(3)
    assert reader.losses == 1


def test_after_a_loss_what_was_rotated_later_is_still_read(file: Path) -> None:
    write(file.with_name("Master.csv.7"), 0)
    write(file, 1, 2)
    reader = Reader(file, read_piece(file, Checkpoint()).after)
    while reader.at.inode != file.stat().st_ino:
        reader.at = read_piece(file, reader.at).after
    reader.read()
    file.unlink()
    write(file, 3)
    renamed(file)
    write(file, 4)
    assert reader.read() == lines(3, 4)
    assert reader.losses == 1


def test_from_the_beginning_means_all_that_is_there_the_oldest_first(file: Path) -> None:
    write(file, 1)
    dated(file)
    write(file, 2)
    renamed(file)
    write(file, 3)
    write(file.with_name("messages"), 9)
    assert Reader(file).read() == lines(1, 2, 3)


def test_a_new_file_that_is_still_empty_is_not_gone_on_to(file: Path) -> None:
    """Somebody has put it there before Asterisk let go of the old one."""
    write(file, 1)
    reader = Reader(file)
    reader.read()
    renamed(file)
    file.touch()
    write(file.with_name("Master.csv.0"), 2)
    assert reader.read() == lines(2)
    write(file, 3)
    assert reader.read() == lines(3)


def test_a_line_cut_at_the_end_of_a_rotated_file_is_given_as_it_is(file: Path) -> None:
    write(file, 1)
    with file.open("ab") as half:
        half.write(b"line 00")
    tick(file)
    reader = Reader(file)
    reader.read()
    renamed(file)
    write(file, 2)
    assert reader.read() == ["line 00", *lines(2)]


def test_a_line_without_end_does_not_fill_the_memory(file: Path) -> None:
    file.write_bytes(b"x" * 1000 + b"\n" + b"line 000001\n")
    found = Reader(file).read()
    assert "".join(found[:-1]) == "x" * 1000
    assert found[-1:] == lines(1)


def test_the_lag_is_what_is_not_read_yet(file: Path) -> None:
    write(file, 1, 2, 3)
    assert read_piece(file, Checkpoint(), 12).lag_bytes == 24
    assert read_piece(file, Checkpoint()).lag_bytes == 0


def test_the_checkpoint_of_some_lines_only(file: Path) -> None:
    write(file, *range(100))
    piece = read_piece(file, Checkpoint())
    for count in (0, 1, 50, 99, 100):
        assert Reader(file, piece.after_line(count)).read() == lines(*range(count, 100))


def test_a_file_that_may_not_be_read_is_an_error_not_a_loss(file: Path) -> None:
    file.mkdir()
    file.rmdir()
    write(file, 1)
    reader = Reader(file)
    reader.read()
    shutil.copy(file, file.with_suffix(".bak"))
    file.with_name("Master.csv.1.gz").write_bytes(b"no gzip")
    write(file, 2)
    assert reader.read() == lines(2)


@settings(max_examples=150)
@given(data=st.data())
def test_whatever_happens_to_the_file_every_line_comes_once_and_in_order(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    file = tmp_path_factory.mktemp("log") / "Master.csv"
    stored = file.with_name("checkpoint.json")
    reader, written, seen, generation = Reader(file), 0, list[str](), 0
    for step in data.draw(st.lists(st.sampled_from(["write", "half", "rename", "copy", "read", "restart"]))):
        match step:
            case "write" | "half":
                whole = f"line {written:06}\n".encode()
                cut = len(whole) if step == "write" else 5
                with file.open("ab") as log:
                    log.write(whole[:cut])
                if cut < len(whole):
                    seen += reader.read()
                    with file.open("ab") as log:
                        log.write(whole[cut:])
                tick(file)
                written += 1
            case "rename" | "copy" if file.exists():
                generation += 1
                target = file.with_name(f"Master.csv.{generation}")
                if step == "rename":
                    file.rename(target)
                elif file.stat().st_size:
                    shutil.copy(file, target)
                    tick(target)
                    os.truncate(file, 0)
            case "read":
                seen += reader.read()
                store_checkpoint(stored, reader.at)
            case "restart":
                before = load_checkpoint(stored)
                if before == reader.at:
                    reader = Reader(file, before, size=data.draw(st.integers(12, 200)))
    seen += reader.read()
    assert seen == lines(*range(written))
    assert reader.losses == 0


# --- the checkpoint ---


def test_the_checkpoint_survives(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.json"
    assert load_checkpoint(path) == Checkpoint()
    for checkpoint in (Checkpoint(7, 12_345_678_901, "ab", 5), Checkpoint(8, 0)):
        store_checkpoint(path, checkpoint)
        assert load_checkpoint(path) == checkpoint
    assert list(tmp_path.iterdir()) == [path]


def test_a_checkpoint_of_an_earlier_version_is_understood(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.json"
    path.write_text('{"inode": 7, "offset": 12}')
    assert load_checkpoint(path) == Checkpoint(7, 12)


DAMAGED = [
    b"",
    b"{",
    b"[]",
    b"null",
    b'{"inode": 1}',
    b'{"inode": null, "offset": 1}',
    b'{"inode": 1, "offset": "x"}',
    b'{"inode": 1, "offset": -5}',
    b'{"inode": 1, "offset": Infinity}',
    b"\xff",
]


@pytest.mark.parametrize("text", DAMAGED, ids=range(len(DAMAGED)))
def test_a_damaged_checkpoint_costs_only_time(
    tmp_path: Path, text: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "checkpoint.json"
    path.write_bytes(text)
    assert load_checkpoint(path) == Checkpoint()
    assert [(entry.message, entry.levelno) for entry in caplog.records] == [
        ("tail.checkpoint_damaged", logging.WARNING)
    ]
