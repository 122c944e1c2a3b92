"""Asterisk's event log on disk, read while it is being written: every whole record, each of them once."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calls.events import Source
from ivr.ami.translate import CelRecord
from ivr.cel_file import read_on
from ivr.log_tail import Checkpoint

AT = datetime(2026, 11, 24, 2, 0, 0, 503_179, UTC)


def record(number: int = 1, **values: str) -> CelRecord:
    told = {
        "name": "ASKED",
        "channel": "PJSIP/city-00000001",
        "unique_id": f"hotline-1.{number}",
        "linked_id": f"hotline-1.{number}",
        "caller": "13800138000",
        "context": "person",
        "extra": json.dumps({"extra": "inquiry|zh-CN|0|menu"}),
    } | values
    return CelRecord(at=AT + timedelta(microseconds=number), **told)


def line(told: CelRecord) -> bytes:
    values = [told.name, f"{int(told.at.timestamp())}.{told.at.microsecond:06d}", told.caller, told.channel, "s"]
    values += [told.context, "Queue", told.unique_id, told.linked_id, "", told.extra]
    return (",".join('"' + value.replace('"', '""') + '"' for value in values) + "\n").encode()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "Master.csv"


def test_a_file_that_is_not_there_yet(file: Path) -> None:
    assert read_on(file, Checkpoint()) == ([], Checkpoint())


def test_reading_goes_on_where_it_stopped(file: Path) -> None:
    file.write_bytes(line(record(1)) + line(record(2)))
    first, checkpoint = read_on(file, Checkpoint())
    assert first == [record(1), record(2)]
    assert all(told.source is Source.FILE for told in first)
    assert (checkpoint.inode, checkpoint.offset) == (file.stat().st_ino, file.stat().st_size)
    assert read_on(file, checkpoint) == ([], checkpoint)
    with file.open("ab") as more:
        more.write(line(record(3)))
    assert read_on(file, checkpoint)[0] == [record(3)]


def test_a_line_that_is_still_being_written_stays_for_the_next_time(file: Path) -> None:
    half = line(record(2))
    file.write_bytes(line(record(1)) + half[:-1])
    records, checkpoint = read_on(file, Checkpoint())
    assert records == [record(1)]
    assert checkpoint.offset == len(line(record(1)))
    file.write_bytes(line(record(1)) + half)
    assert read_on(file, checkpoint)[0] == [record(2)]


def test_an_emptied_file_is_read_from_its_start(file: Path) -> None:
    file.write_bytes(line(record(1)) * 3)
    _, checkpoint = read_on(file, Checkpoint())
    file.write_bytes(line(record(2)))  # the same inode, shorter
    assert read_on(file, checkpoint)[0] == [record(2)]


def test_another_file_is_read_from_its_start(file: Path) -> None:
    file.write_bytes(line(record(1)))
    _, checkpoint = read_on(file, Checkpoint())
    file.rename(file.with_suffix(".1"))
    file.write_bytes(line(record(2)) + line(record(3)))
    records, after = read_on(file, checkpoint)
    assert records == [record(2), record(3)]
    assert after.inode != checkpoint.inode


NASTY = ['say "hello"', "a,b", '","', "三声", '""', "\u2028", "\x85\x0b\x1c", "'", "\r", ""]


@pytest.mark.parametrize("value", NASTY, ids=[ascii(value) for value in NASTY])
def test_values_come_back_as_they_were_told(file: Path, value: str) -> None:
    told = record(caller=value, extra=json.dumps({"extra": value}), context=value)
    file.write_bytes(line(told) + line(record(2)))
    assert read_on(file, Checkpoint())[0] == [told, record(2)]


GARBAGE = [
    b"\n",
    b'"half a line, then the power went\n',
    b'"' * 99 + b"\n",
    b"\xff\xfe\x00\n",
    b'"too","few"\n',
    line(record()).replace(b"\n", b',"too many"\n'),
    line(record()).replace(b"1795485600.", b"soon."),
    line(record()).replace(b".503180", b".9999999"),
    line(record()).replace(b"1795485600.", b"9" * 30 + b"."),
    line(record()).replace(b'"', b""),
]


@pytest.mark.parametrize("garbage", GARBAGE, ids=range(len(GARBAGE)))
def test_garbage_costs_no_good_line(file: Path, garbage: bytes, caplog: pytest.LogCaptureFixture) -> None:
    file.write_bytes(line(record(1)) + garbage + line(record(2)))
    records, checkpoint = read_on(file, Checkpoint())
    assert records == [record(1), record(2)]
    assert checkpoint.offset == file.stat().st_size
    assert [entry.message for entry in caplog.records] == ["cel.line_unreadable"]
    assert "13800138000" not in str(vars(caplog.records[0]))  # P1


@pytest.mark.parametrize("cut", range(1, len(line(record(1))) - 1))
def test_a_record_that_a_full_disk_cut_does_not_take_the_next_one_with_it(
    file: Path, cut: int, caplog: pytest.LogCaptureFixture
) -> None:
    """The next record is written right behind what there is of it."""
    file.write_bytes(line(record(1))[:cut] + line(record(7)) + line(record(2)))
    assert read_on(file, Checkpoint())[0] == [record(7), record(2)]
    assert [entry.message for entry in caplog.records] == ["cel.line_unreadable"]


def test_a_line_break_in_a_value_forges_no_record(file: Path) -> None:
    """What the caller dialled stands in the first record as it came."""
    for forged in (line(record(9)).decode(), line(record(9)).decode().replace('"', "")):
        file.write_bytes(line(record(1, context=f"1\n{forged}\n")) + line(record(2)))
        assert read_on(file, Checkpoint())[0] == [record(2)]


def test_utf_8_that_is_cut_is_kept_as_far_as_it_goes(file: Path) -> None:
    file.write_bytes(line(record(caller="三")).replace("三".encode(), "三".encode()[:2]))
    assert read_on(file, Checkpoint())[0] == [record(caller="\ufffd")]


values = st.text(st.characters(exclude_characters="\n", exclude_categories=["Cs"]), max_size=8)
records = st.lists(st.builds(record, st.integers(0, 999_999), caller=values, extra=values), max_size=8)


@given(told=records, cuts=st.lists(st.integers(0, 2000)), garbage=st.sampled_from([b"", *GARBAGE]))
def test_however_it_is_sliced_every_record_comes_once(
    tmp_path_factory: pytest.TempPathFactory, told: list[CelRecord], cuts: list[int], garbage: bytes
) -> None:
    """Asterisk writes, we read in between: the end of what is there lies anywhere."""
    whole = line(told[0]) + garbage + b"".join(map(line, told[1:])) if told else garbage
    file = tmp_path_factory.mktemp("cel") / "Master.csv"
    stops = sorted({min(cut, len(whole)) for cut in cuts} | {len(whole)})
    seen: list[CelRecord] = []
    checkpoint, written = Checkpoint(), 0
    for stop in stops:
        with file.open("ab") as growing:
            growing.write(whole[written:stop])
        written = stop
        found, checkpoint = read_on(file, checkpoint)
        seen += found
    assert seen == told
