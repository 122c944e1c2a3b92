"""Asterisk's channel event log on disk: the true source, which tells what AMI could not.

AMI says nothing about the time when the link or the service was down; this file has it all. `ivr.log_tail` reads
on in it; this module turns its lines into records, which become the same events with the same keys as AMI's.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from calls.events import Source
from ivr.ami.translate import CelRecord
from ivr.log_tail import Checkpoint, read_piece

log = logging.getLogger(__name__)

_COLUMNS = 11
_LINE = re.compile(",".join([r'"([A-Z_]+)"', *[r'"((?:[^"]|"")*+)"'] * (_COLUMNS - 1)]))
"""One record. Asterisk puts every value in quotes and doubles the quotes inside it: nothing that a value holds,
line breaks included, can look like a record of its own."""
_BEGINNING = re.compile(r'(?="[A-Z_]+","[0-9]+\.[0-9]{6}",")')
"""How a record begins. Doubled quotes inside a value never look like it."""


def record_of_line(line: bytes) -> CelRecord | None:
    """The record that a line of the file holds, or ``None`` if it holds none. Not UTF-8: replaced."""
    return _record(line.decode("utf-8", "replace"))


def salvaged(line: bytes) -> CelRecord | None:
    """The whole record at the end of a line that holds none: the one before it was cut, by a full disk for one."""
    text = line.decode("utf-8", "replace")
    starts = [found.start() for found in _BEGINNING.finditer(text)]
    return _record(text[starts[-1] :]) if starts and starts[-1] else None


def _record(line: str) -> CelRecord | None:
    found = _LINE.fullmatch(line)
    if found is None:
        return None
    name, at, caller, channel, _exten, context, _app, unique_id, linked_id, _peer, extra = (
        value.replace('""', '"') for value in found.groups()
    )
    moment = _moment(at)
    if moment is None:
        return None
    return CelRecord(
        name=name,
        at=moment,
        channel=channel,
        unique_id=unique_id,
        linked_id=linked_id,
        caller=caller,
        context=context,
        extra=extra,
        source=Source.FILE,
    )


def read_on(path: Path, checkpoint: Checkpoint) -> tuple[list[CelRecord], Checkpoint]:
    """All whole records after the checkpoint, and the next one; for files that fit into memory."""
    records: list[CelRecord] = []
    while True:
        piece = read_piece(path, checkpoint)
        records += _records(line.data for line in piece.lines)
        if not piece.lines and piece.after == checkpoint:
            return records, checkpoint
        checkpoint = piece.after


def _records(lines: Iterable[bytes]) -> Iterator[CelRecord]:
    # Line by line and never across: one bad line must not take a good one with it.
    for line in lines:
        record = record_of_line(line)
        if record is None:
            log.error("cel.line_unreadable", extra={"bytes": len(line)})
            record = salvaged(line)
        if record is not None:
            yield record


def _moment(text: str) -> datetime | None:
    seconds, _, micros = text.partition(".")
    try:
        return datetime.fromtimestamp(int(seconds), UTC).replace(microsecond=int(micros or 0))
    except (ValueError, OverflowError):
        return None
