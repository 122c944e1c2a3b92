"""What reading and auditing found: logged at once, stored in the books, counted. Never silent."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Iterable

from calls.audit import Difference, Discrepancy, Repair
from calls.errors import StorageError
from calls.events import AnyEvent, Source
from calls.ids import CallId
from calls.ports import AuditBook, Clock

log = logging.getLogger(__name__)

_LIMIT = 10_000
"""Findings kept while the database is away; then reading waits for it (see ``flush``)."""


class Findings:
    """Discrepancies and repairs on their way into the books."""

    def __init__(self, book: AuditBook, clock: Clock) -> None:
        self._book = book
        self._clock = clock
        self._raised: dict[str, Discrepancy] = {}
        self._repairs: dict[str, Repair] = {}
        self.open: Counter[Difference] = Counter()
        """Discrepancies that stand, by kind, as of the last audit."""
        self.repaired: Counter[Source] = Counter()
        """Facts mended since the start, by the witness that told them."""

    @property
    def waiting(self) -> int:
        """Findings that are not in the books yet."""
        return len(self._raised) + len(self._repairs)

    def differs(
        self,
        kind: Difference,
        where: str,
        detail: str,
        *,
        call_id: CallId | None = None,
        event_key: str | None = None,
    ) -> None:
        """Raise a discrepancy; ``where`` and ``kind`` make its key, so that it is raised once."""
        found = Discrepancy(
            key=f"{kind}/{where}",
            kind=kind,
            seen_at=self._clock.now(),
            detail=detail,
            call_id=call_id,
            event_key=event_key,
        )
        if found.key not in self._raised and len(self._raised) < _LIMIT:
            log.error("books.differ", extra={"kind": kind, "detail": detail, "call_id": call_id})
            self._raised[found.key] = found

    def mended(self, events: Iterable[AnyEvent]) -> None:
        """These facts are in the books by a lesser witness than the event log on disk."""
        for event in events:
            self._repairs[event.key] = Repair(event.key, event.call_id, event.at, event.kind, event.source)

    async def flush(self) -> bool:
        """Store what waits; whether everything is in the books now."""
        raised, repairs = list(self._raised.values()), list(self._repairs.values())
        try:
            await self._book.raised(raised)
            for repair in await self._book.repaired(repairs):
                self.repaired[repair.source] += 1
                log.warning(
                    "books.repaired",
                    extra={"call_id": repair.call_id, "what": repair.what, "source": repair.source},
                )
                await asyncio.sleep(0)  # there may be a hundred of them
        except StorageError as error:
            log.warning("findings.later", extra={"reason": str(error), "waiting": self.waiting})
            return False
        for found in raised:
            self._raised.pop(found.key, None)
        for repair in repairs:
            self._repairs.pop(repair.key, None)
        return not self.waiting

    async def settle(self) -> None:
        """Settle what has healed, and count what stands. Raises StorageError."""
        settled = await self._book.settle(self._clock.now())
        if settled:
            log.info("books.settled", extra={"count": settled})
        self.open = Counter(found.kind for found in await self._book.discrepancies())
