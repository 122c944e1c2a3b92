"""``sansheng books check``: every call of Asterisk's event log is in the books as told there, and the reverse.

Reads everything that is on disk, rotated files included, in pieces; the service may run or not.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from calls.events import AnyEvent
from calls.ids import CallId, is_beside_calls
from calls.ports import AuditBook, Clock, Ledger
from ivr import cel_file
from ivr.ami.translate import CelRecord, translate
from ivr.log_tail import Checkpoint, Line, read_piece
from service.reconcile import GRACE
from service.settings import Settings
from storage.audit import SqlAudit
from storage.engine import open_engine
from storage.ledger import SqlLedger

_SLACK = timedelta(seconds=1)


@dataclass(slots=True)
class Checked:
    """What a check found."""

    calls: int = 0
    """In Asterisk's event log."""
    differences: list[str] = field(default_factory=list)
    """A sentence each; no caller's number in it (P1)."""
    added: int = 0
    """Events that the books lacked and have now."""


class BooksCheck:
    """Compares the event log at ``path`` with the books. With ``repair`` what the books lack is added."""

    def __init__(
        self, path: Path, ledger: Ledger, audit: AuditBook, clock: Clock, *, repair: bool = False
    ) -> None:
        self._path = path
        self._ledger = ledger
        self._audit = audit
        self._repair = repair
        # What happens at this moment may be on its way into the books.
        self._until = clock.now() - GRACE
        self._ids: set[CallId] = set()
        self._first: datetime | None = None
        self._last: datetime | None = None
        self._found = Checked()

    async def run(self) -> Checked:
        """Check. Raises StorageError, and OSError if the log cannot be read."""
        at = Checkpoint()
        while True:
            piece = await asyncio.to_thread(read_piece, self._path, at)
            records = await asyncio.to_thread(lambda lines: list(self._records(lines)), piece.lines)
            await self._compare([event for record in records if (event := translate(record))])
            for record in records:
                self._first = min(self._first or record.at, record.at)
                self._last = max(self._last or record.at, record.at)
            if not piece.lines and piece.after == at:
                break
            at = piece.after
        self._found.calls = len(self._ids)
        await self._look_back()
        for one in await self._audit.discrepancies():
            self._found.differences.append(f"{one.kind}: {one.detail} [{one.key}]")
        return self._found

    def _records(self, lines: Sequence[Line]) -> Iterator[CelRecord]:
        for line in lines:
            record = cel_file.record_of_line(line.data) or cel_file.salvaged(line.data)
            if record is not None:
                yield record

    async def _compare(self, told: Sequence[AnyEvent]) -> None:
        # Attempts to call back are no calls that arrived: they are kept beside the books.
        old = [event for event in told if event.at < self._until and not is_beside_calls(event.call_id)]
        ids = list(dict.fromkeys(event.call_id for event in old))
        self._ids.update(ids)
        known = {event.key: event for events in (await self._audit.known(ids)).values() for event in events}
        lacking = [event for event in old if event.key not in known]
        other = [e for e in old if e.key in known and e.precedence < known[e.key].precedence]
        for event in lacking:
            self._found.differences.append(f"call {event.call_id}: the books lack {event.kind!r} of {event.at}")
        for event in other:
            self._found.differences.append(
                f"call {event.call_id}: {event.kind!r} is of {event.at}; books: {known[event.key].at}"
            )
        if self._repair and (lacking or other):
            await self._ledger.record([*lacking, *other])
            self._found.added += len(lacking) + len(other)

    async def _look_back(self) -> None:
        """Calls of the time that the log covers, of which it knows nothing."""
        if self._first is None or self._last is None:
            return
        until = min(self._last - _SLACK, self._until)
        # What AMI told while the log's disk was full has been noted as such.
        self._ids.update(repair.call_id for repair in await self._audit.repairs(self._first, self._until))
        for call_id in await self._audit.calls_between(self._first, until):
            if call_id not in self._ids:
                self._found.differences.append(f"call {call_id}: in the books, not in Asterisk's event log")


@asynccontextmanager
async def books_of(settings: Settings) -> AsyncIterator[tuple[SqlLedger, SqlAudit]]:
    """The ledger and the audit's findings of a centre."""
    engine = open_engine(settings.ledger_url)
    try:
        yield SqlLedger(engine), SqlAudit(engine)
    finally:
        await engine.dispose()
