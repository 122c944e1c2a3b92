"""Reading on in a log that Asterisk writes, whatever becomes of the file: every line once, across restarts.

A checkpoint says which file (its inode), how far (bytes), and what stands just before that (a fingerprint), so a
file that was emptied and has grown past the same place again is not taken for the one that was read. When
the log has been rotated, by renaming or by copying, the rest of the old file is read first, then what was
rotated after it, then the log itself. What cannot be found any more is a `Loss`, told and never passed over.

Files are read in pieces of bounded size. Everything here blocks: call it in a thread.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import logging
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, cast

log = logging.getLogger(__name__)

PIECE = 1 << 18
"""Bytes read at once."""
_LOOK_BACK = 512
"""Bytes before the checkpoint that the fingerprint is made of."""
_TRIES = 5


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """How far a log has been read. The default is the beginning of everything that is there."""

    inode: int = 0
    offset: int = 0
    fingerprint: str = ""
    """Of the bytes before the offset; empty: not known, the inode has to do."""
    mtime_ns: int = 0
    """When that file had last been written to: what was rotated later is newer."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line without its end, and where it lies in its file."""

    data: bytes
    offset: int
    end: int


@dataclass(frozen=True, slots=True)
class Piece:
    """Whole lines that follow a checkpoint, all of one file."""

    lines: tuple[Line, ...]
    after: Checkpoint
    """Where to read on when all of them have been dealt with."""
    lag_bytes: int = 0
    """What is there beyond ``after``, in this file and in newer ones."""
    loss: str = ""
    """Empty, or why what followed the checkpoint is lost; the lines then come from what is there instead."""
    _window: bytes = b""
    _window_at: int = 0

    def after_line(self, count: int) -> Checkpoint:
        """The checkpoint when only the first ``count`` lines have been dealt with."""
        if count >= len(self.lines):
            return self.after
        offset = self.lines[count].offset
        cut = self._window[: offset - self._window_at]
        return Checkpoint(self.after.inode, offset, _fingerprint(cut), self.after.mtime_ns)


def read_piece(path: Path, checkpoint: Checkpoint, size: int = PIECE) -> Piece:
    """The next whole lines of the log at ``path``, of at most ``size`` bytes (a longer line comes in parts).

    No lines and ``after == checkpoint``: everything has been read. A last line that is still being written stays
    for the next time; in a file that was rotated away and has a successor it is given as it is. Raises OSError
    if files are there but cannot be read.
    """
    for _ in range(_TRIES):
        family = _family(path)
        try:
            here = _find(path, family, checkpoint)
            if here is not None:
                return _read(path, family, here, checkpoint, size)
            lost = "vanished or emptied" if _begun(checkpoint) else ""
            return _start(path, family, checkpoint.mtime_ns, size, lost)
        except FileNotFoundError:
            continue  # renamed or emptied while we looked: look again
    raise FileNotFoundError(f"{path.name} changes its name faster than it can be read")


def load_checkpoint(path: Path) -> Checkpoint:
    """The stored checkpoint; the beginning if there is none or it is damaged, which costs only time."""
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        checkpoint = Checkpoint(
            int(stored["inode"]),
            int(stored["offset"]),
            str(stored.get("fingerprint", "")),
            int(stored.get("mtime_ns", 0)),
        )
        if min(checkpoint.inode, checkpoint.offset, checkpoint.mtime_ns) < 0:
            raise ValueError("a negative number")
        return checkpoint
    except FileNotFoundError:
        return Checkpoint()
    except (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
        log.warning("tail.checkpoint_damaged", extra={"file": path.name, "reason": str(error)})
        return Checkpoint()


def store_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Store it in one step, once everything before it is safe elsewhere. Raises OSError on a full disk."""
    text = json.dumps(
        {
            "inode": checkpoint.inode,
            "offset": checkpoint.offset,
            "fingerprint": checkpoint.fingerprint,
            "mtime_ns": checkpoint.mtime_ns,
        }
    )
    fresh = path.with_name(f".{path.name}")
    with fresh.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


@dataclass(frozen=True, slots=True)
class _File:
    path: Path
    inode: int
    size: int
    mtime_ns: int

    @property
    def age(self) -> tuple[int, str]:
        """The order in which files were written to last; no two have the same."""
        return self.mtime_ns, self.path.name

    def bytes(self, at: int, count: int) -> bytes:
        """Some of its content; FileNotFoundError if another file bears its name by now."""
        with self.path.open("rb") as raw:
            if os.fstat(raw.fileno()).st_ino != self.inode:
                raise FileNotFoundError(self.path.name)
            source: BinaryIO = cast(BinaryIO, gzip.GzipFile(fileobj=raw)) if self.path.suffix == ".gz" else raw
            try:
                source.seek(at)
                return source.read(count)
            except EOFError as error:
                raise OSError(f"{self.path.name} is not whole") from error


def _file(path: Path) -> _File | None:
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return _File(path, status.st_ino, status.st_size, status.st_mtime_ns) if path.is_file() else None


def _family(path: Path) -> list[_File]:
    """The log and whatever lies beside it, the one written to longest ago first, the log itself last."""
    try:
        beside = [file for other in path.parent.iterdir() if other != path and (file := _file(other))]
    except FileNotFoundError:
        beside = []
    itself = _file(path)
    return [*sorted(beside, key=lambda file: (file.mtime_ns, file.path.name)), *([itself] if itself else [])]


def _find(path: Path, family: Sequence[_File], checkpoint: Checkpoint) -> _File | None:
    """The file that the checkpoint lies in: by its inode, or a copy of it by its content."""
    if not _begun(checkpoint):
        return None
    for file in family:
        if file.inode == checkpoint.inode and _continues(file, checkpoint):
            return file
    for file in family:
        # Renamed and compressed, or copied and emptied.
        if checkpoint.offset and checkpoint.fingerprint and _related(path, file):
            with suppress(OSError):  # not a file that can be it, whatever is wrong with it
                if _continues(file, checkpoint):
                    return file
    return None


def _begun(checkpoint: Checkpoint) -> bool:
    return bool(checkpoint.inode or checkpoint.offset)


def _continues(file: _File, checkpoint: Checkpoint) -> bool:
    """Whether what was read up to the checkpoint stands in this file."""
    before = _before(file, checkpoint.offset)
    return before is not None and checkpoint.fingerprint in ("", _fingerprint(before))


def _related(path: Path, file: _File) -> bool:
    return file.path.name.startswith(path.stem)


def _next(path: Path, family: Sequence[_File], here: _File) -> _File | None:
    """What was begun after ``here``: the oldest sibling written to later, at last the log itself."""
    if here.path == path:
        return None
    for file in family:
        # An empty log may have been put there before Asterisk let go of the old.
        if file.size and (file.path == path or (_related(path, file) and file.age > here.age)):
            return file
    return None


def _start(path: Path, family: Sequence[_File], since_ns: int, size: int, loss: str) -> Piece:
    """The beginning of the oldest file of this log that was written to at ``since_ns`` or later."""
    for file in family:
        if file.path == path or (_related(path, file) and file.mtime_ns >= since_ns):
            piece = _read(path, family, file, Checkpoint(file.inode), size)
            if piece.lines:
                return replace(piece, loss=loss)
    return Piece((), Checkpoint(mtime_ns=since_ns), sum(file.size for file in family if file.path == path), loss)


def _read(path: Path, family: Sequence[_File], file: _File, checkpoint: Checkpoint, size: int) -> Piece:
    """What follows the checkpoint in its file or, where that is at its end, in the one begun after it."""
    following = _next(path, family, file)
    at = max(0, checkpoint.offset - _LOOK_BACK)
    start = checkpoint.offset - at
    window = file.bytes(at, start + size)
    if checkpoint.fingerprint not in ("", _fingerprint(window[:start])):
        raise FileNotFoundError(file.path.name)  # emptied since it was found
    ends = window.rfind(b"\n") + 1
    more = len(window) - start == size
    if ends <= start and (more or (following and len(window) > start)):
        ends = len(window)  # a line without end: longer than a piece, or cut for ever
    ends = max(ends, start)
    lines, offset = [], checkpoint.offset
    for text in _split(window[start:ends]):
        lines.append(Line(text.removesuffix(b"\n"), offset, offset + len(text)))
        offset += len(text)
    if not lines and following:
        piece = _read(path, family, following, Checkpoint(following.inode), size)
        return piece if piece.lines else Piece((), checkpoint, following.size)
    left = max(0, file.size - offset) + (following.size if following else 0)
    if not lines:
        return Piece((), checkpoint, left)
    after = Checkpoint(file.inode, offset, _fingerprint(window[:ends]), file.mtime_ns)
    return Piece(tuple(lines), after, left, "", window[:ends], at)


def _split(data: bytes) -> list[bytes]:
    """Lines with their ends. Only a line feed ends one: values may hold any other break."""
    parts = data.split(b"\n")
    return [part + b"\n" for part in parts[:-1]] + ([parts[-1]] if parts[-1] else [])


def _before(file: _File, offset: int) -> bytes | None:
    """What stands before the offset, as far as the fingerprint looks back; ``None`` in a shorter file."""
    at = max(0, offset - _LOOK_BACK)
    found = file.bytes(at, offset - at)
    return found if len(found) == offset - at else None


def _fingerprint(before: bytes) -> str:
    return hashlib.blake2b(before[-_LOOK_BACK:], digest_size=12).hexdigest() if before else ""
