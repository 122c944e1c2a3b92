"""The service's side of transcription: what is owed is sent to workers until it is done, whoever dies."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncEngine

from calls.errors import ModelError, StorageError
from calls.ids import CallId
from calls.ports import Clock
from metrics import catalogue
from metrics.exporter import Exporter
from recordings.models.install import find_model
from service.jobs import celery_of, send
from service.probes import NotKnownYet, ProbeFailed
from service.settings import Settings
from service.worker import BEAT_S
from storage.work import SqlWork

log = logging.getLogger(__name__)

_SWEEP_S = 2.0
_SEND_AGAIN = timedelta(seconds=60)
_AT_ONCE = 200
"""Jobs in the queue that nobody has taken yet."""
_AGAIN_AT_ONCE = 5
_DEAD_S = 6 * BEAT_S
_GRACE_S = 30.0
"""A worker that starts with the service has loaded its libraries by then."""
_PAGE = 2000
_RECENT = timedelta(days=1)
"""Of what metrics tell how it went."""
_COUNT_EVERY_S = 10.0


@dataclass(frozen=True, slots=True)
class _Pulse:
    beat: int
    seen: float
    """By a clock that nobody sets."""
    moved: bool
    """Whether it has gone up while we looked; a row that a dead worker left behind never does."""


class TranscriptionDesk:
    """Owes, sends, watches workers, and counts. ``steady``: seconds of a clock that nobody sets."""

    def __init__(
        self,
        settings: Settings,
        engine: AsyncEngine,
        exporter: Exporter,
        clock: Clock,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._work = SqlWork(engine)
        self._exporter = exporter
        self._clock = clock
        self._steady = steady
        self._app = celery_of(settings)
        self._pulses: dict[str, _Pulse] = {}
        self._began = self._looked = steady()
        self._kept: dict[CallId, None] = {}
        self._bell = asyncio.Event()

    def owed(self, call_id: CallId) -> None:
        """The call's recording is in the vault: it is to be transcribed and judged."""
        self._kept[call_id] = None
        self._bell.set()

    async def works(self) -> None:
        """A probe: whether any worker lives. Raises ProbeFailed if none does."""
        now = self._steady()
        if any(pulse.moved and now - pulse.seen <= _DEAD_S for pulse in self._pulses.values()):
            return
        if now - self._looked > _DEAD_S:
            raise NotKnownYet  # without the database nobody can tell
        if now - self._began <= _GRACE_S:
            raise NotKnownYet
        raise ProbeFailed("no worker transcribes: sansheng worker starts one")

    async def run(self) -> None:
        """Sweep until cancelled, at every bell and every two seconds."""
        looked_back, counted = False, -_COUNT_EVERY_S
        while True:
            try:
                looked_back = looked_back or await self.look_back()
                await self.sweep()
                if self._steady() - counted >= _COUNT_EVERY_S:
                    await self.count()
                    counted = self._steady()
            except StorageError as error:
                log.warning("transcription.sweep_later", extra={"reason": str(error)})
            try:
                async with asyncio.timeout(_SWEEP_S):
                    await self._bell.wait()
            except TimeoutError:
                pass
            self._bell.clear()

    async def look_back(self) -> bool:
        """Owe what is in custody and was never owed: the service may have been killed before it could. ``True``.

        Raises StorageError; then nobody knows, and it is to be asked again.
        """
        after: str | None = ""
        while after is not None:
            found, after = await self._work.unknown(after, _PAGE)
            for call_id in found:
                await self._work.owe(call_id, self._clock.now())
        return True

    async def sweep(self) -> None:
        """Note what is owed, take back what dead workers held, tell workers. Raises StorageError."""
        for call_id in list(self._kept):
            await self._work.owe(call_id, self._clock.now())
            del self._kept[call_id]
        await self._bury_workers()
        for work in await self._work.unsent(self._clock.now(), _SEND_AGAIN, _AT_ONCE, _AGAIN_AT_ONCE):
            try:
                await asyncio.to_thread(send, self._app, work)
            except Exception as error:  # brokers' libraries raise whatever they like; the work stays owed
                log.warning("transcription.broker_away", extra={"reason": f"{type(error).__name__}"})
                break
            await self._work.sent(work.call_id, work.leg, self._clock.now())

    async def _bury_workers(self) -> None:
        """A worker whose beat has not gone up for some time is dead; by our own clock, which nobody sets."""
        beats, now = await self._work.beats(), self._steady()
        if now - self._looked > _DEAD_S:  # we stood still, or the database did: their beats may have, too
            self._pulses = {}
        self._looked = now
        pulses = {}
        for worker, beat in beats.items():
            before = self._pulses.get(worker)
            if before is None or before.beat != beat:
                pulses[worker] = _Pulse(beat, now, before is not None)
            elif now - before.seen <= _DEAD_S:
                pulses[worker] = before
            else:
                legs = await self._work.died(worker)
                log.error("worker.died", extra={"worker": worker, "legs": legs})
        self._pulses = pulses

    async def count(self) -> None:
        """Tell the metrics how far it all is. Raises StorageError."""
        now = self._clock.now()
        tally = await self._work.tally(now - _RECENT)
        age_s = max(0.0, (now - tally.oldest).total_seconds()) if tally.oldest else 0.0
        tell = self._exporter.set
        tell(catalogue.TRANSCRIPTION_BACKLOG, age_s)
        tell(catalogue.LEGS_WAITING, tally.waiting)
        tell(catalogue.LEGS_BLOCKED, tally.blocked)
        for result, legs in (("done", tally.done), ("failed", tally.failed), ("quarantined", tally.quarantined)):
            tell(catalogue.LEGS_OVER, legs, result)
        for speech in self._settings.transcription.languages:
            usable = await asyncio.to_thread(_is_there, speech.model, self._settings)
            tell(catalogue.MODEL_THERE, usable, speech.model)


def _is_there(model: str, settings: Settings) -> bool:
    try:
        find_model(model, settings.models_dir)
    except ModelError:
        return False
    return True
