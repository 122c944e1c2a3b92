"""Beside the calls: retention at its hours, the access log followed, the backup's age told (P1, P2, P4)."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Coroutine, Mapping

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from calls.errors import SanshengError
from calls.ports import Clock
from metrics import catalogue
from metrics.exporter import Exporter
from service.anchors import Anchors
from service.attachments import attachments_beside
from service.backup import last_backup
from service.custody import Custody
from service.gauges import every
from service.retention import ClockDoubted, keeper_of
from service.settings import Settings
from storage.access import Chain, SqlAccessLog, SqlHolds
from storage.custody_tables import recordings
from storage.engine import open_engine
from storage.faults import translated

log = logging.getLogger(__name__)

_LOOK_EVERY_S = 60.0
_FOLLOW_EVERY = 6 * 60
"""Looks: six hours."""


class Safekeeping:
    """Keeps what is due from staying, and tells what is not as it should be."""

    def __init__(
        self, settings: Settings, engine: AsyncEngine, custody: Custody, exporter: Exporter, clock: Clock
    ) -> None:
        self._settings = settings
        self._engine = engine
        self._exporter = exporter
        self._clock = clock
        self._keeper = keeper_of(settings, engine, custody, clock)
        self._files = attachments_beside(custody)
        self._holds = SqlHolds(engine)
        self._rests = 0
        exporter.set(catalogue.AUDIT_CHAIN_OK, math.nan)

    def tasks(self) -> Mapping[str, Coroutine[None, None, None]]:
        """What runs for as long as the service does."""
        return {
            "retention": every(self._settings.retention.every_s, self.keep),
            "access log": every(_LOOK_EVERY_S, self._follow_now_and_then),
            "safekeeping": every(_LOOK_EVERY_S, self.look),
        }

    async def keep(self) -> None:
        """Delete what is due."""
        try:
            deleted = await self._keeper.keep()
            await self._files.let_go(self._settings.retention.attachments_days)
        except ClockDoubted:  # the keeper has logged why
            self._exporter.set(catalogue.RETENTION_REFUSED, 1)
        except (SanshengError, OSError) as error:
            log.warning("retention.later", extra={"reason": str(error)})
        else:
            self._exporter.set(catalogue.RETENTION_REFUSED, 0)
            self._exporter.count(catalogue.RETENTION_DELETED, by=deleted)

    async def _follow_now_and_then(self) -> None:
        """Soon again if it could not be read: the database may not be up yet."""
        if self._rests > 0:
            self._rests -= 1
        elif await self.follow():
            self._rests = _FOLLOW_EVERY

    async def follow(self) -> bool:
        """Follow the access log, from its beginning to the last anchor and beyond; whether it could be read."""
        try:
            # In a loop of its own: a year's entries are seconds of hashing, and callers would wait for them.
            chain = await asyncio.to_thread(asyncio.run, followed(self._settings, self._clock))
        except (SanshengError, OSError) as error:
            log.warning("audit.later", extra={"reason": str(error)})
            return False
        self._exporter.set(catalogue.AUDIT_CHAIN_OK, chain.whole)
        if not chain.whole:
            log.error("audit.broken", extra={"entry": chain.broken_at, "reason": chain.why})
        return True

    async def look(self) -> None:
        """The backup's age and the holds."""
        try:
            held = {hold.call_id for hold in await self._holds.standing()}
            self._exporter.set(catalogue.LEGAL_HOLDS, len(held))
            self._exporter.set(catalogue.BACKUP_AGE, await self._backup_age_s())
        except SanshengError as error:
            log.warning("safekeeping.later", extra={"reason": str(error)})

    async def _backup_age_s(self) -> float:
        made = await asyncio.to_thread(last_backup, self._settings)
        if made is None:
            oldest = select(func.min(recordings.c.recorded_at)).where(recordings.c.deleted_at.is_(None))
            with translated():
                async with self._engine.connect() as connection:
                    made = await connection.scalar(oldest)
        return max(0.0, (self._clock.now() - made).total_seconds()) if made else 0.0


async def followed(settings: Settings, clock: Clock, anchor: str | None = None) -> Chain:
    """Follow the access log to ``anchor``, else to the last one noted; if it is whole, note a new one."""
    anchors = Anchors(settings.var_dir)
    engine = open_engine(settings.ledger_url)
    try:
        chain = await SqlAccessLog(engine, clock).verify(anchor or anchors.last())
    finally:
        await engine.dispose()
    if chain.whole and chain.entries:
        anchors.note(clock.now(), chain)
    return chain
