"""Asterisk's channel event log on disk: the true source, read where AMI could not tell.

AMI says nothing about the time when the link or the service was down; this file has it all. It is read on from
a checkpoint at every (re)connect, and becomes the same events with the same keys as AMI gives.
"""

from __future__ import annotations

import json
import logging
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ivr.ami.translate import CelRecord

log = logging.getLogger(__name__)

_COLUMNS = 11
_LINE = re.compile(",".join([r'"((?:[^"]|"")*+)"'] * _COLUMNS))
"""One record. Asterisk puts every value in quotes and doubles the quotes inside it: nothing that a value holds,
line breaks included, can look like a record of its own."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """How far the file has been read: bytes, in which file (its inode)."""

    inode: int = 0
    offset: int = 0


def read_on(path: Path, checkpoint: Checkpoint) -> tuple[list[CelRecord], Checkpoint]:
    """All whole records after the checkpoint, and the next one. A last line that is still being written stays.

    Another file, or a shorter one, is read from its start. A file that is not there yet has no records.
    """
    try:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            same = status.st_ino == checkpoint.inode and status.st_size >= checkpoint.offset
            start = checkpoint.offset if same else 0
            file.seek(start)
            data = file.read()
    except FileNotFoundError:
        return [], checkpoint
    whole = data[: data.rfind(b"\n") + 1]
    return list(_records(whole)), Checkpoint(status.st_ino, start + len(whole))


def load_checkpoint(path: Path) -> Checkpoint:
    """The stored checkpoint; the file's beginning if there is none or it is damaged, which costs only time."""
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        checkpoint = Checkpoint(int(stored["inode"]), int(stored["offset"]))
        if min(checkpoint.inode, checkpoint.offset) < 0:
            raise ValueError("a negative number")
        return checkpoint
    except FileNotFoundError:
        return Checkpoint()
    except (OSError, ValueError, KeyError, TypeError, OverflowError) as error:
        log.warning("cel.checkpoint_damaged", extra={"reason": str(error)})
        return Checkpoint()


def store_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Store it in one step. Only once everything before it is in the ledger."""
    fresh = path.with_name(f".{path.name}")
    fresh.write_text(json.dumps({"inode": checkpoint.inode, "offset": checkpoint.offset}), encoding="utf-8")
    fresh.replace(path)


def _records(data: bytes) -> Iterator[CelRecord]:
    # Line by line and never across: one bad line must not take a good one with it.
    for line in data.split(b"\n")[:-1]:
        record = _record(line.decode("utf-8", "replace"))
        if record is None:
            log.error("cel.line_unreadable", extra={"bytes": len(line)})
        else:
            yield record


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
    )


def _moment(text: str) -> datetime | None:
    seconds, _, micros = text.partition(".")
    try:
        return datetime.fromtimestamp(int(seconds), UTC).replace(microsecond=int(micros or 0))
    except (ValueError, OverflowError):
        return None
