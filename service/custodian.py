"""The service's side of custody: recordings are taken in as they are finished, and looked at now and then (P2)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from calls.errors import CustodyError, KeyMissing, RecordingError, SanshengError, StorageError
from calls.ids import CallId
from metrics import catalogue
from metrics.exporter import Exporter
from service.custody import Custody, clear_taken

log = logging.getLogger(__name__)

_RETRY_FIRST_S = 1.0
_RETRY_CAP_S = 60.0
_LOOK_EVERY_S = 20.0
_AT_ONCE = 20


class Custodian:
    """Takes in what ``arrived``, retries what failed, checks checksums in rotation.

    ``on_kept`` is told of every call whose recording is in the vault.
    """

    def __init__(
        self,
        custody: Custody,
        intake: Path,
        exporter: Exporter,
        check_every: timedelta,
        on_kept: Callable[[CallId], None],
    ) -> None:
        self._custody = custody
        self._intake = intake
        self._exporter = exporter
        self._check_every = check_every
        self._on_kept = on_kept
        self._waiting: dict[CallId, None] = {}
        self._bell = asyncio.Event()

    def arrived(self, call_id: CallId) -> None:
        """A whole recording lies in the intake."""
        self._waiting[call_id] = None
        self._bell.set()

    async def run(self) -> None:
        """Take in until cancelled."""
        await asyncio.to_thread(clear_taken, self._intake)
        delay_s = _RETRY_FIRST_S
        while True:
            failed = await self._take_in()
            self._exporter.set(catalogue.RECORDINGS_WAITING, len(self._waiting))
            delay_s = min(delay_s * 2, _RETRY_CAP_S) if failed else _RETRY_FIRST_S
            try:
                async with asyncio.timeout(delay_s if failed else None):
                    await self._bell.wait()
            except TimeoutError:
                continue
            if failed:  # news do not make a full disk emptier
                await asyncio.sleep(delay_s)

    async def _take_in(self) -> bool:
        """Take in all that waits; whether something must be tried again."""
        self._bell.clear()
        failed = False
        for call_id in list(self._waiting):
            try:
                await self._custody.ingest(self._intake / call_id)
            except FileNotFoundError:  # taken in already, before the event was told again
                pass
            except RecordingError as error:
                log.error("recording.not_taken_in", extra={"call_id": call_id, "reason": str(error)})
                self._exporter.count(catalogue.INGEST_ERRORS)
            except (CustodyError, KeyMissing, StorageError, OSError) as error:
                log.error("recording.stays_in_intake", extra={"call_id": call_id, "reason": str(error)})
                self._exporter.count(catalogue.INGEST_ERRORS)
                failed = True
                continue
            else:
                self._exporter.count(catalogue.RECORDINGS_STORED)
                self._on_kept(call_id)
            del self._waiting[call_id]
        return failed

    async def check(self) -> None:
        """Look at checksums in rotation until cancelled: each recording once in the time that is set."""
        while True:
            try:
                before = self._custody.clock.now() - self._check_every
                for recording in await self._custody.books.least_checked(before, _AT_ONCE):
                    await self._custody.is_whole(recording)
                self._exporter.set(catalogue.RECORDINGS_DAMAGED, len(await self._custody.books.damaged()))
                for place in await self._custody.books.unremoved(_AT_ONCE):
                    await self._custody.remove(place)
            except (SanshengError, OSError) as error:
                log.warning("custody.check_later", extra={"reason": str(error)})
            await asyncio.sleep(_LOOK_EVERY_S)
