"""The service's side of transcription: what is owed is sent to workers until it is done, whoever dies."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncEngine

from calls.custody import SPOKEN_LEGS
from calls.errors import StorageError
from calls.ids import CallId
from calls.ports import Clock
from metrics import catalogue
from metrics.exporter import Exporter
from service.jobs import celery_of, send
from service.settings import Settings
from service.worker import BEAT_S
from storage.transcripts import SqlTranscripts, SqlWork, State

log = logging.getLogger(__name__)

_SWEEP_S = 2.0
_SEND_AGAIN = timedelta(seconds=60)
_AT_ONCE = 200
_DEAD_S = 6 * BEAT_S


@dataclass(frozen=True, slots=True)
class _Pulse:
    beat: int
    seen: float
    """By a clock that nobody sets."""


class TranscriptionDesk:
    """Owes, sends, watches workers, and counts."""

    def __init__(self, settings: Settings, engine: AsyncEngine, exporter: Exporter, clock: Clock) -> None:
        self._work = SqlWork(engine)
        self._transcripts = SqlTranscripts(engine)
        self._exporter = exporter
        self._clock = clock
        self._app = celery_of(settings)
        self._pulses: dict[str, _Pulse] = {}
        self._kept: dict[CallId, None] = {}
        self._bell = asyncio.Event()

    def owed(self, call_id: CallId) -> None:
        """The call's recording is in the vault: its legs are to be transcribed."""
        self._kept[call_id] = None
        self._bell.set()

    async def run(self) -> None:
        """Sweep until cancelled, at every bell and every two seconds."""
        while True:
            try:
                async with asyncio.timeout(_SWEEP_S):
                    await self._bell.wait()
            except TimeoutError:
                pass
            self._bell.clear()
            try:
                await self.sweep()
            except StorageError as error:
                log.warning("transcription.sweep_later", extra={"reason": str(error)})

    async def sweep(self) -> None:
        """Note what is owed, take back what dead workers held, tell workers, count. Raises StorageError."""
        for call_id in list(self._kept):
            await self._work.owe(call_id, SPOKEN_LEGS, self._clock.now())
            del self._kept[call_id]
        await self._bury_workers()
        for work in await self._work.unsent(self._clock.now() - _SEND_AGAIN, _AT_ONCE):
            try:
                await asyncio.to_thread(send, self._app, work)
            except Exception as error:  # brokers' libraries raise whatever they like; the work stays owed
                log.warning("transcription.broker_away", extra={"reason": str(error)[:200]})
                break
            await self._work.sent(work.call_id, work.leg, self._clock.now())
        await self._count()

    async def _bury_workers(self) -> None:
        """A worker whose beat has not gone up for some time is dead; by our own clock, which nobody sets."""
        now = time.monotonic()
        beats: dict[str, int] = {}
        for work in await self._work.started():
            beats[work.worker or ""] = beats.get(work.worker or "", 0) + work.beat
        pulses = {}
        for worker, beat in beats.items():
            before = self._pulses.get(worker)
            pulses[worker] = before if before and before.beat == beat else _Pulse(beat, now)
            if now - pulses[worker].seen > _DEAD_S:
                legs = await self._work.died(worker)
                log.error("worker.died", extra={"worker": worker, "legs": legs})
                del pulses[worker]
        self._pulses = pulses

    async def _count(self) -> None:
        tally, oldest = await self._work.tally()
        waiting = tally.get(State.OWED, 0) + tally.get(State.STARTED, 0)
        age_s = max(0.0, (self._clock.now() - oldest).total_seconds()) if oldest else 0.0
        self._exporter.set(catalogue.TRANSCRIPTION_BACKLOG, age_s)
        self._exporter.set(catalogue.LEGS_WAITING, waiting)
        for state, name in ((State.DONE, "done"), (State.FAILED, "failed"), (State.QUARANTINED, "quarantined")):
            self._exporter.set(catalogue.LEGS_OVER, tally.get(state, 0), name)
        self._exporter.set(catalogue.NARROW_AGENTS, await self._transcripts.narrow_agents())
