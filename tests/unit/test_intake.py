"""Finished recordings are taken in whole; what a dead Asterisk left half-written is rescued."""

from __future__ import annotations

import os
import struct
import wave
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calls.errors import RecordingError
from recordings.intake import INTERRUPTED, LEGS, IntakeDirs, arrived, read_recording, repair_header, rescue

CALL = "hotline-1795377518.103"
NOON = datetime(2026, 11, 24, 4, tzinfo=UTC)
RATE_HZ = 16_000
HEADER = 44


def write_wav(path: Path, seconds: float, rate_hz: int = RATE_HZ, at: datetime = NOON) -> None:
    with wave.open(str(path), "wb") as audio:
        audio.setparams((1, 2, rate_hz, 0, "NONE", ""))
        audio.writeframes(b"\x01\x02" * round(seconds * rate_hz))
    os.utime(path, (at.timestamp(), at.timestamp()))


def recorded(folder: Path, seconds: float = 2.5, suffix: str = "wav", at: datetime = NOON) -> Path:
    """A recording as Asterisk makes one."""
    folder.mkdir(parents=True)
    for leg in LEGS:
        write_wav(folder / f"{leg}.{suffix}", seconds, at=at)
    os.utime(folder, (at.timestamp(), at.timestamp()))
    return folder


@pytest.fixture
def dirs(tmp_path: Path) -> IntakeDirs:
    made = IntakeDirs(tmp_path / "recording", tmp_path / "intake")
    made.recording.mkdir()
    made.intake.mkdir()
    return made


# ── What is in the intake ────────────────────────────────────────────────────────────────────────────────────


def test_a_complete_recording(dirs: IntakeDirs) -> None:
    recorded(dirs.intake / CALL)
    (event,) = arrived(dirs.intake, set())
    assert (event.call_id, event.at, event.duration_s) == (CALL, NOON, 2.5)
    assert (event.sample_rate_hz, event.complete) == (RATE_HZ, True)


def test_each_is_told_once_and_new_ones_are_found(dirs: IntakeDirs) -> None:
    known: set[str] = set()
    recorded(dirs.intake / "a-1.1")
    assert [event.call_id for event in arrived(dirs.intake, known)] == ["a-1.1"]
    recorded(dirs.intake / "a-1.2")
    recorded(dirs.intake / "a-1.0")
    assert [event.call_id for event in arrived(dirs.intake, known)] == ["a-1.0", "a-1.2"]
    assert list(arrived(dirs.intake, known)) == []


STRANGERS = ["notes", "1.1.tar", "..hidden", "三声", "1.1; rm", "x" * 90 + "1.1"]


@pytest.mark.parametrize("name", STRANGERS)
def test_strangers_are_told_of_and_left_alone(
    dirs: IntakeDirs, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    recorded(dirs.intake / name)
    recorded(dirs.intake / "a-1.1")
    assert [event.call_id for event in arrived(dirs.intake, set())] == ["a-1.1"]
    assert [entry.message for entry in caplog.records] == ["recording.stranger_in_intake"]
    assert (dirs.intake / name / "mixed.wav").exists()


def _without_a_leg(folder: Path) -> None:
    (folder / "agent.wav").unlink()


def _empty_leg(folder: Path) -> None:
    (folder / "caller.wav").write_bytes(b"")


def _cut_in_the_header(folder: Path) -> None:
    (folder / "mixed.wav").write_bytes((folder / "mixed.wav").read_bytes()[:30])


def _no_wav(folder: Path) -> None:
    (folder / "mixed.wav").write_bytes(b"\0" * 5000)


def _other_rate(folder: Path) -> None:
    write_wav(folder / "agent.wav", 1, rate_hz=8000)


def _rate_of_zero(folder: Path) -> None:
    data = bytearray((folder / "mixed.wav").read_bytes())
    data[24:28] = struct.pack("<I", 0)
    (folder / "mixed.wav").write_bytes(data)


def _a_folder_for_a_leg(folder: Path) -> None:
    (folder / "agent.wav").unlink()
    (folder / "agent.wav").mkdir()


BAD = [_without_a_leg, _empty_leg, _cut_in_the_header, _no_wav, _other_rate, _rate_of_zero, _a_folder_for_a_leg]


@pytest.mark.parametrize("spoil", BAD, ids=[spoil.__name__ for spoil in BAD])
def test_what_cannot_be_read_counts_as_missing_and_stays(
    dirs: IntakeDirs, spoil: object, caplog: pytest.LogCaptureFixture
) -> None:
    assert callable(spoil)
    spoil(recorded(dirs.intake / "a-1.1"))
    recorded(dirs.intake / "a-1.2")
    assert [event.call_id for event in arrived(dirs.intake, set())] == ["a-1.2"]
    (entry,) = caplog.records
    assert (entry.message, vars(entry)["call_id"]) == ("recording.unreadable", "a-1.1")
    assert (dirs.intake / "a-1.1").exists()


@given(data=st.binary(max_size=60) | st.binary(max_size=60).map(lambda tail: b"RIFF\x40\0\0\0WAVEfmt " + tail))
def test_no_bytes_whatsoever_raise_anything_else(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    folder = tmp_path_factory.mktemp("intake") / CALL
    folder.mkdir()
    for leg in LEGS:
        (folder / f"{leg}.wav").write_bytes(data)
    try:
        read_recording(folder)
    except RecordingError as error:
        assert "mixed.wav" in str(error) or "rate" in str(error)


# ── What a dead Asterisk left behind ─────────────────────────────────────────────────────────────────────────


def unfinished(folder: Path, seconds: float = 2.5, at: datetime = NOON) -> Path:
    """A recording in progress: the header still says that there is nothing."""
    recorded(folder, seconds, "wav16", at)
    for path in folder.iterdir():
        with path.open("r+b") as file:
            file.seek(4)
            file.write(struct.pack("<I", HEADER - 8))
            file.seek(40)
            file.write(struct.pack("<I", 0))
        os.utime(path, (at.timestamp(), at.timestamp()))
    os.utime(folder, (at.timestamp(), at.timestamp()))
    return folder


LATER = NOON + timedelta(minutes=1)


def test_half_written_files_become_a_recording_that_says_so(dirs: IntakeDirs) -> None:
    folder = unfinished(dirs.recording / CALL)
    with (folder / "agent.wav16").open("ab") as cut:
        cut.write(b"\x07")  # half a sample
    os.utime(folder / "agent.wav16", (NOON.timestamp(), NOON.timestamp()))
    assert rescue(dirs, live=set(), now=LATER) == 1
    (event,) = arrived(dirs.intake, set())
    assert (event.call_id, event.duration_s, event.complete) == (CALL, 2.5, False)
    for leg in LEGS:
        with wave.open(str(dirs.intake / CALL / f"{leg}.wav"), "rb") as audio:
            assert audio.getnframes() == 2.5 * RATE_HZ
            assert audio.readframes(3) == b"\x01\x02" * 3
        assert (dirs.intake / CALL / f"{leg}.wav").stat().st_size == HEADER + 2.5 * RATE_HZ * 2
    assert not list(dirs.recording.iterdir())


def test_calls_that_go_on_are_not_touched(dirs: IntakeDirs) -> None:
    folder = unfinished(dirs.recording / CALL)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert rescue(dirs, live={CALL}, now=LATER) == 0
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


@pytest.mark.parametrize(("age_s", "saved"), [(0, 0), (9, 0), (11, 1)])
def test_what_has_just_been_written_to_is_not_touched(dirs: IntakeDirs, age_s: float, saved: int) -> None:
    """Its call is over, and Asterisk is closing it at this moment."""
    folder = unfinished(dirs.recording / CALL)
    one = folder / "caller.wav16"
    os.utime(one, (LATER.timestamp() - age_s, LATER.timestamp() - age_s))
    assert rescue(dirs, live=set(), now=LATER) == saved
    assert folder.exists() is not bool(saved)


def test_what_nobody_answered_is_removed(dirs: IntakeDirs) -> None:
    unfinished(dirs.recording / "a-1.1", seconds=0)
    (dirs.recording / "a-1.2").mkdir()
    os.utime(dirs.recording / "a-1.2", (NOON.timestamp(), NOON.timestamp()))
    assert rescue(dirs, live=set(), now=LATER) == 0
    assert not list(dirs.recording.iterdir())
    assert not list(dirs.intake.iterdir())


def test_a_rescue_that_was_interrupted_is_finished(dirs: IntakeDirs) -> None:
    folder = unfinished(dirs.recording / CALL)
    repair_header(folder / "agent.wav16")
    (folder / "agent.wav16").rename(folder / "agent.wav")
    (folder / INTERRUPTED).touch()
    for path in (folder / "agent.wav", folder):
        os.utime(path, (NOON.timestamp(), NOON.timestamp()))
    assert rescue(dirs, live=set(), now=LATER) == 1
    assert read_recording(dirs.intake / CALL).complete is False


def _header_of_garbage(dirs: IntakeDirs) -> None:
    (dirs.recording / "a-1.1" / "mixed.wav16").write_bytes(b"\0" * 5000)


def _leg_without_header(dirs: IntakeDirs) -> None:
    (dirs.recording / "a-1.1" / "agent.wav16").write_bytes(b"")


def _already_in_the_intake(dirs: IntakeDirs) -> None:
    recorded(dirs.intake / "a-1.1", seconds=1)


def _something_else_inside(dirs: IntakeDirs) -> None:
    for path in (dirs.recording / "a-1.1").iterdir():
        path.unlink()
    (dirs.recording / "a-1.1" / "notes.txt").write_text("mine")


def _a_file_for_a_folder(dirs: IntakeDirs) -> None:
    for path in (dirs.recording / "a-1.1").iterdir():
        path.unlink()
    (dirs.recording / "a-1.1").rmdir()
    (dirs.recording / "a-1.1").write_text("mine")


HOPELESS = [
    _header_of_garbage,
    _leg_without_header,
    _already_in_the_intake,
    _something_else_inside,
    _a_file_for_a_folder,
]


@pytest.mark.parametrize("spoil", HOPELESS, ids=[spoil.__name__ for spoil in HOPELESS])
def test_one_hopeless_case_stays_where_it_is_and_the_others_are_rescued(
    dirs: IntakeDirs, spoil: object, caplog: pytest.LogCaptureFixture
) -> None:
    assert callable(spoil)
    unfinished(dirs.recording / "a-1.1")
    unfinished(dirs.recording / "a-1.2")
    spoil(dirs)
    for path in (dirs.recording / "a-1.1", *(dirs.recording / "a-1.1").glob("*")):
        os.utime(path, (NOON.timestamp(), NOON.timestamp()))
    assert rescue(dirs, live=set(), now=LATER) == 1
    assert (dirs.intake / "a-1.2").is_dir()
    assert (dirs.recording / "a-1.1").exists()
    hopeless = [vars(entry)["call_id"] for entry in caplog.records if entry.message == "recording.not_rescued"]
    assert hopeless == ["a-1.1"]


@pytest.mark.parametrize("data", [b"", b"RIFF", b"\0" * 100], ids=["empty", "cut", "no header"])
def test_a_file_without_a_header_cannot_be_repaired(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "mixed.wav16"
    path.write_bytes(data)
    with pytest.raises(RecordingError, match="mixed"):
        repair_header(path)
    assert path.read_bytes() == data
