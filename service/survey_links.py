"""One-time links for a share of the callers who were invited to rate (Q2, K6)."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from zlib import crc32

from sqlalchemy.ext.asyncio import AsyncEngine

from calls.callbacks import Numbers
from calls.errors import NumberRefused, StorageError
from calls.ids import CallId
from calls.ports import Clock
from service.callbacks import DEFAULT_LANGUAGE, numbers_of
from service.gauges import patiently
from service.settings import Settings
from storage.survey_links import SqlSurveyLinks

log = logging.getLogger(__name__)

_EVERY_S = 10.0
_OVERLAP = timedelta(minutes=15)
"""Longer than any survey lasts: who was invited before the last look may have hung up after it."""
_FIRST_LOOK = timedelta(days=1)
_MILLION = 1_000_000


class LinkMaker:
    """Makes links, and forgets those that are over. Which calls get one depends on their ids alone."""

    def __init__(self, settings: Settings, engine: AsyncEngine, clock: Clock) -> None:
        self._own = settings.survey
        self._links = SqlSurveyLinks(engine)
        self._clock = clock
        self._numbers: Numbers = numbers_of(settings)
        self._looked_at: datetime | None = None

    async def run(self) -> None:
        """Keep at it until cancelled."""
        await patiently(
            _EVERY_S,
            self.look,
            (StorageError,),
            lambda reason: log.warning("links.unavailable", extra={"reason": reason}),
        )

    async def look(self) -> None:
        """Make the links that are wanted, once. Raises StorageError."""
        now = self._clock.now()
        await self._links.forget(now)
        if not (self._own.enabled and self._own.links_share):
            return
        since = self._looked_at - _OVERLAP if self._looked_at else now - _FIRST_LOOK
        for invited in await self._links.invited(since):
            if not is_sampled(invited.call_id, self._own.links_share):
                continue
            try:
                self._numbers.checked(invited.telephone)
            except NumberRefused:
                continue
            expires_at = now + timedelta(days=self._own.links_days)
            await self._links.make(invited, invited.language or DEFAULT_LANGUAGE, now, expires_at)
        self._looked_at = now


def is_sampled(call_id: CallId, share: float) -> bool:
    """Whether a call is among a share of all."""
    return crc32(f"link/{call_id}".encode()) % _MILLION < share * _MILLION
