"""Asterisk's two logs, read on as they grow: the event log into the pipeline, the queue log beside the books."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from calls.audit import Difference
from calls.events import AnyEvent
from calls.ids import CallId, is_unique_id
from calls.ports import AuditBook, PresenceBook
from ivr import cel_file, queue_log
from ivr.ami.translate import CelRecord, translate
from ivr.log_tail import Line, Piece, load_checkpoint, read_piece, store_checkpoint
from ivr.queue_log import QueueRecord
from service.findings import Findings
from service.life import Life
from service.pipeline import Pipeline

log = logging.getLogger(__name__)

_LOOK_EVERY_S = 1.0
_BELL_S = 0.03
"""From AMI's word that there is a record to reading it: others that belong to it come with it."""
_COMMIT_EVERY_S = 1.0
_RETRY_S = 5.0


class _Tail:
    """A position in a log, its checkpoint on disk, and what is told of both."""

    def __init__(self, name: str, path: Path, checkpoint_file: Path, findings: Findings) -> None:
        self.name = name
        self.path = path
        self.at = load_checkpoint(checkpoint_file)
        self.lag_bytes = 0
        self.findings = findings
        self._file = checkpoint_file
        self._committed = self.at
        self._disk_failed = False

    async def piece(self) -> Piece:
        """What follows; raises the loss if something that should follow is gone. Raises OSError."""
        piece = await asyncio.to_thread(read_piece, self.path, self.at)
        self.lag_bytes = piece.lag_bytes
        if piece.loss:
            where = f"{self.name}/{self.at.inode}/{self.at.offset}"
            self.findings.differs(
                Difference.SOURCE_LOST, where, f"{self.name}, read up to byte {self.at.offset}: {piece.loss}"
            )
        return piece

    def unreadable(self, line: Line) -> None:
        where = f"{self.name}/{self.at.inode}/{line.offset}"
        self.findings.differs(
            Difference.LINE_UNREADABLE, where, f"{self.name}, {len(line.data)} bytes at {line.offset}"
        )

    async def commit(self) -> None:
        """Write the position down. Only when all before it is safe; where the disk is full, another time."""
        if self.at == self._committed:
            return
        position = self.at
        try:
            await asyncio.to_thread(store_checkpoint, self._file, position)
        except OSError as error:
            if not self._disk_failed:
                log.error("tail.checkpoint_not_stored", extra={"source": self.name, "reason": str(error)})
            self._disk_failed = True
            return
        self._disk_failed = False
        self._committed = position


class CelSource:
    """The channel event log: every record to the end of the file becomes an event in the pipeline."""

    name = "cel"

    def __init__(
        self, path: Path, checkpoint_file: Path, pipeline: Pipeline, findings: Findings, life: Life
    ) -> None:
        self._tail = _Tail(self.name, path, checkpoint_file, findings)
        self._pipeline = pipeline
        self._life = life
        self._reading = asyncio.Lock()
        self._committed_at = 0.0
        self.bell = asyncio.Event()
        """Set it when something has been written."""

    @property
    def lag_bytes(self) -> int:
        """What is written and not read yet."""
        return self._tail.lag_bytes

    async def run(self) -> None:
        """Read on until cancelled, at every bell and every second."""
        failed = False
        while True:
            try:
                async with asyncio.timeout(_LOOK_EVERY_S):
                    await self.bell.wait()
                await asyncio.sleep(_BELL_S)
            except TimeoutError:
                pass
            self.bell.clear()
            try:
                await self.read_to_end()
                failed = False
            except OSError as error:
                if not failed:
                    log.error("tail.unreadable", extra={"source": self.name, "reason": str(error)})
                failed = True
                await asyncio.sleep(_RETRY_S)

    async def read_to_end(self) -> None:
        """Hand over everything that is there now. Raises OSError if files are there but cannot be read."""
        async with self._reading:
            while True:
                piece = await self._tail.piece()
                records = await asyncio.to_thread(self._records, piece.lines)
                for record in records:
                    self._life.sign(record.at)
                    event = translate(record)
                    if event is not None:
                        await self._pipeline.put(event)
                at_end = not piece.lines and piece.after == self._tail.at
                self._tail.at = piece.after
                await self._commit_now_and_then()
                if at_end:
                    return

    async def commit(self) -> None:
        """Write the checkpoint down, once everything read so far is safe."""
        async with self._reading:
            self._committed_at = 0.0
            await self._commit_now_and_then()

    async def _commit_now_and_then(self) -> None:
        now = asyncio.get_running_loop().time()
        if now - self._committed_at < _COMMIT_EVERY_S:
            return
        await self._pipeline.kept()
        # What was found is safe only in the books; else it is found again from the old checkpoint.
        if not self._tail.findings.waiting or await self._tail.findings.flush():
            await self._tail.commit()
        self._committed_at = now

    def _records(self, lines: Sequence[Line]) -> list[CelRecord]:
        records = []
        for line in lines:
            record = cel_file.record_of_line(line.data)
            if record is None:
                self._tail.unreadable(line)
                record = cel_file.salvaged(line.data)
            if record is not None:
                records.append(record)
        return records


class QueueSource:
    """The queue log, read ``grace`` behind: by then the event log has told the same, or never will."""

    name = "queue_log"

    def __init__(
        self,
        path: Path,
        checkpoint_file: Path,
        *,
        findings: Findings,
        audit: AuditBook,
        presence: PresenceBook,
        grace: timedelta,
    ) -> None:
        self._tail = _Tail(self.name, path, checkpoint_file, findings)
        self._findings = findings
        self._audit = audit
        self._presence = presence
        self._grace = grace

    @property
    def lag_bytes(self) -> int:
        """What is written and not read yet."""
        return self._tail.lag_bytes

    async def check(self, now: datetime, pipeline: Pipeline) -> None:
        """Compare everything that is old enough with the books, and store agents' presence.

        Call it when all that the event log held at ``now`` is in the ledger. Raises StorageError, and OSError if
        the file cannot be read; the same lines then come again.
        """
        while True:
            piece = await self._tail.piece()
            records, count = self._records(piece.lines, now - self._grace)
            await self._presence.note([change for r in records if (change := queue_log.presence_of_record(r))])
            mended = await self._compare(records)
            for event in mended:
                await pipeline.put(event)
            self._findings.mended(mended)
            await pipeline.kept()
            after = piece.after_line(count)
            done = after == self._tail.at or count < len(piece.lines)
            self._tail.at = after
            if await self._findings.flush():
                await self._tail.commit()
            if done:
                return

    def _records(self, lines: Sequence[Line], until: datetime) -> tuple[list[QueueRecord], int]:
        """The records before a moment, and in how many lines."""
        records: list[QueueRecord] = []
        for count, line in enumerate(lines):
            record = queue_log.record_of_line(line.data, line.offset)
            if record is None:
                self._tail.unreadable(line)
            elif record.at >= until:
                return records, count
            else:
                records.append(record)
        return records, len(lines)

    async def _compare(self, records: Sequence[QueueRecord]) -> list[AnyEvent]:
        """The facts that the books lack; what contradicts them is raised."""
        of_calls = [record for record in records if is_unique_id(record.call_id)]
        known = await self._audit.known(list({CallId(record.call_id): None for record in of_calls}))
        mended: list[AnyEvent] = []
        for record in of_calls:
            call_id = CallId(record.call_id)
            told = known.setdefault(call_id, [])
            detail = queue_log.contradiction(record, told)
            if detail:
                where = f"{call_id}/{record.what}/{record.at.timestamp():.0f}"
                self._findings.differs(Difference.DIFFERS, where, detail, call_id=call_id)
            for event in queue_log.lacking(record, told):
                told.append(event)
                mended.append(event)
        return mended
