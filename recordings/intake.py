"""The intake: finished recordings as Asterisk leaves them, one folder per call.

The folder's name is the call id, and a folder appears in one step when all its files are closed, so what is in
the intake is complete. Each holds ``mixed.wav``, ``caller.wav`` and ``agent.wav``: 16 kHz, 16 bit, mono.
"""

from __future__ import annotations

import logging
import math
import os
import struct
import wave
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from calls.errors import RecordingError
from calls.events import RecordingArrived
from calls.ids import CallId, is_unique_id, subject_of

log = logging.getLogger(__name__)

LEGS = ("mixed", "caller", "agent")
"""What a recording consists of: both together, what the caller said, what the caller heard."""

INTERRUPTED = "interrupted"
"""An empty file beside the audio: Asterisk died while recording, and this is what was on disk."""

_RIFF_HEADER = 44


@dataclass(frozen=True, slots=True)
class IntakeDirs:
    """``recording``: in progress, Asterisk's; ``intake``: finished, ours."""

    recording: Path
    intake: Path


def arrived(intake: Path, known: set[str]) -> Iterator[RecordingArrived]:
    """The recordings in the intake that are not known yet, as events.

    A folder that cannot be read is logged and left where it is, for a person to look at; it counts as missing.
    """
    with os.scandir(intake) as folders:  # one by one: there may be hundreds of thousands
        fresh = [folder.name for folder in folders if folder.name not in known]
    for name in sorted(fresh):
        folder = intake / name
        known.add(name)
        if not is_unique_id(folder.name):
            log.error("recording.stranger_in_intake", extra={"folder": folder.name[:80]})
            continue
        try:
            yield read_recording(folder)
        except RecordingError as error:
            log.error("recording.unreadable", extra={"call_id": folder.name, "reason": str(error)})


def read_recording(folder: Path) -> RecordingArrived:
    """Look at the files of one recording. Raises RecordingError with what is wrong."""
    lengths: dict[str, float] = {}
    rates: set[int] = set()
    for leg in LEGS:
        path = folder / f"{leg}.wav"
        try:
            with wave.open(str(path), "rb") as audio:
                rates.add(audio.getframerate())
                lengths[leg] = audio.getnframes() / audio.getframerate()
        except (OSError, EOFError, wave.Error, ZeroDivisionError) as error:
            raise RecordingError(f"{path.name} cannot be read: {error}") from error
    if len(rates) != 1:
        raise RecordingError("the files have different sample rates")
    finished = datetime.fromtimestamp((folder / "mixed.wav").stat().st_mtime, UTC)
    return RecordingArrived(
        call_id=CallId(folder.name),
        at=finished,
        duration_s=round(lengths["mixed"], 3),
        sample_rate_hz=rates.pop(),
        complete=not (folder / INTERRUPTED).exists(),
    )


def any_quiet(dirs: IntakeDirs, now: datetime, quiet_s: float = 10) -> bool:
    """Whether nothing has been written to some recording in progress for so long that it may be a dead one's."""
    return any(_written_at(folder) <= now.timestamp() - quiet_s for folder in dirs.recording.iterdir())


def rescue(dirs: IntakeDirs, live: set[str], now: datetime, quiet_s: float = 10) -> int:
    """Take over what a dead Asterisk left half-written, and remove what nobody answered; how many were saved.

    Only folders of calls that Asterisk does not have any more and that nothing has been written to for
    ``quiet_s`` seconds are touched. What cannot be taken over is logged and left where it is.
    """
    saved = 0
    for folder in sorted(dirs.recording.iterdir()):
        if subject_of(CallId(folder.name)) in live:
            continue
        try:
            saved += _rescue(folder, dirs.intake, now.timestamp() - quiet_s)
        except (RecordingError, OSError) as error:
            log.error("recording.not_rescued", extra={"call_id": folder.name[:80], "reason": str(error)})
    return saved


def _rescue(folder: Path, intake: Path, quiet_since: float) -> bool:
    if _written_at(folder) > quiet_since:
        return False
    files = sorted(folder.glob("*.wav*"))
    if not any(path.stat().st_size > _RIFF_HEADER for path in files):
        for path in files:
            path.unlink()
        folder.rmdir()
        return False
    for path in files:
        repair_header(path)
    for path in files:
        path.rename(path.with_suffix(".wav"))
    (folder / INTERRUPTED).touch()
    folder.rename(intake / folder.name)
    log.warning("recording.rescued", extra={"call_id": folder.name})
    return True


def _written_at(folder: Path) -> float:
    """When something was last written to a recording. Never quiet: one that was moved away while we looked."""
    try:
        return max(path.stat().st_mtime for path in (folder, *folder.glob("*.wav*")))
    except FileNotFoundError:
        return math.inf


def repair_header(path: Path) -> None:
    """Make the header of a WAV file that was never closed tell its true length.

    Raises RecordingError if it has no WAV header at all.
    """
    size = path.stat().st_size
    with path.open("r+b") as file:
        header = file.read(_RIFF_HEADER)
        if len(header) < _RIFF_HEADER or header[:4] != b"RIFF" or header[36:40] != b"data":
            raise RecordingError(f"{path.name} has no WAV header")
        samples = (size - _RIFF_HEADER) // 2 * 2
        file.truncate(_RIFF_HEADER + samples)
        file.seek(4)
        file.write(struct.pack("<I", _RIFF_HEADER - 8 + samples))
        file.seek(40)
        file.write(struct.pack("<I", samples))
