"""Events that wait on disk: lines of a checksum and an event, written at the end, read from the front.

What has been appended survives the end of this process at any instruction; what was appended with ``sync`` also
the end of the machine. What was settled may come again after such an end: the ledger stores each event once.
"""

from __future__ import annotations

import json
import logging
import os
from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zlib import crc32

from calls.errors import StorageRefused
from calls.events import AnyEvent
from storage.codec import event_of, event_row

log = logging.getLogger(__name__)

_SEGMENT_BYTES = 1 << 20
_SUFFIX = ".events"


class SpoolFull(Exception):
    """The spool has reached its limit: wait until some of it has been stored."""


@dataclass(slots=True)
class _Segment:
    path: Path
    size: int = 0
    lines: int = 0
    settled: int = 0


class Spool:
    """A queue of events in a folder, of at most ``limit_bytes``. Used by one process, one call at a time.

    Opening it finds what an earlier process left. Raises OSError when the disk fails.
    """

    def __init__(self, folder: Path, limit_bytes: int) -> None:
        self._folder = folder
        self._limit = limit_bytes
        self._segments: deque[_Segment] = deque()
        self._file: int | None = None
        """Descriptor of the newest segment; ``None``: the next event begins a new one."""
        self._parsed: list[AnyEvent | None] = []
        """The lines of the oldest segment, once it is being read; ``None`` for a damaged one."""
        self.events = 0
        """Events that wait."""
        self.bytes = 0
        """Their size on disk."""
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for path in sorted(folder.glob(f"*{_SUFFIX}")):
            self._adopt(_Segment(path, path.stat().st_size, _count_lines(path)))
        self._number = int(self._segments[-1].path.stem) if self._segments else 0
        while self._segments and not self._segments[0].lines:
            self._drop_oldest()

    def append(self, events: Iterable[AnyEvent], *, sync: bool) -> None:
        """Add events at the end: all of them or, if it raises SpoolFull, StorageRefused or OSError, none."""
        lines = [_line(event) for event in events]
        data = b"".join(lines)
        if self.bytes + len(data) > self._limit:
            raise SpoolFull
        if self._file is None or self._segments[-1].size > _SEGMENT_BYTES:
            self._begin_segment(sync)
        file, segment = self._file, self._segments[-1]
        assert file is not None
        try:
            if os.write(file, data) < len(data):
                raise OSError(28, "the disk took only a part")
            if sync:
                os.fsync(file)
        except OSError:
            with suppress(OSError):
                os.ftruncate(file, segment.size)
            self._seal()  # if a part stayed there, nothing is written behind it
            raise
        segment.size += len(data)
        segment.lines += len(lines)
        self.bytes += len(data)
        self.events += len(lines)

    def first(self, count: int) -> tuple[list[AnyEvent], int]:
        """The oldest events, up to about ``count``, and how many to settle once they are safe; none: empty."""
        while self._segments:
            oldest = self._segments[0]
            if not self._parsed:
                if len(self._segments) == 1:
                    self._seal()  # what comes from now on goes into another
                self._parsed = _read(oldest.path)
                self._recount(oldest, len(self._parsed))
            some = self._parsed[oldest.settled : oldest.settled + count]
            if some:
                return [event for event in some if event is not None], len(some)
            self._drop_oldest()
        return [], 0

    def settle(self, count: int) -> None:
        """Forget the ``count`` oldest: they are safe elsewhere."""
        while count and self._segments:
            oldest = self._segments[0]
            done = min(count, oldest.lines - oldest.settled)
            oldest.settled += done
            self.events -= done
            count -= done
            if oldest.settled >= oldest.lines:
                self._drop_oldest()

    def close(self) -> None:
        """Close the file; what waits stays."""
        self._seal()

    def _adopt(self, segment: _Segment) -> None:
        self._segments.append(segment)
        self.events += segment.lines
        self.bytes += segment.size

    def _recount(self, segment: _Segment, lines: int) -> None:
        self.events += lines - segment.lines
        segment.lines = lines

    def _begin_segment(self, sync: bool) -> None:
        self._seal()
        self._number += 1
        path = self._folder / f"{self._number:012}{_SUFFIX}"
        self._file = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_APPEND, 0o600)
        self._adopt(_Segment(path))
        if sync:
            folder = os.open(self._folder, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)

    def _drop_oldest(self) -> None:
        oldest = self._segments.popleft()
        if not self._segments:
            self._seal()
        self.bytes -= oldest.size
        self.events -= oldest.lines - oldest.settled
        self._parsed = []
        oldest.path.unlink(missing_ok=True)

    def _seal(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None


def _line(event: AnyEvent) -> bytes:
    row = event_row(event)
    text = json.dumps(
        [row["kind"], row["call_id"], row["at"].isoformat(), row["source"], row["data"]], ensure_ascii=False
    ).encode()
    return b"%08x %s\n" % (crc32(text), text)


def _read(path: Path) -> list[AnyEvent | None]:
    """The lines of a segment. One that was cut as the power went, or is damaged, is passed over and logged."""
    found: list[AnyEvent | None] = []
    lines = path.read_bytes().split(b"\n")
    for line in lines[:-1]:
        event = _event(line)
        if event is None:
            log.error("spool.line_damaged", extra={"file": path.name, "bytes": len(line)})
        found.append(event)
    return found


def _event(line: bytes) -> AnyEvent | None:
    check, _, text = line.partition(b" ")
    if check != b"%08x" % crc32(text):
        return None
    try:
        kind, call_id, at, source, data = json.loads(text)
        return event_of(kind, call_id, datetime.fromisoformat(at), data, source)
    except (ValueError, TypeError, StorageRefused):
        return None


def _count_lines(path: Path) -> int:
    with path.open("rb") as file:
        return sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b""))
