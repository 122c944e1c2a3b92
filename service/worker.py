"""A worker process: transcribes and judges, at low priority, several legs at a time in threads."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
import threading
import uuid
from collections.abc import Iterator

from celery import signals

from calls.custody import Leg
from calls.errors import SanshengError
from calls.ids import CallId
from service.engines import threads_of
from service.jobs import TASK, celery_of
from service.priority import stand_back
from service.settings import Settings
from service.transcribing import Transcriber, next_leg, run_leg
from storage.engine import open_engine, upgrade
from storage.work import SqlWork

log = logging.getLogger(__name__)

BEAT_S = 2.0
_LEAVE_S = 8.0


class Turnstile:
    """Lets in many at a time, or one who must be alone."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._inside = 0
        self._alone = False
        self._waiting_alone = 0

    @contextlib.contextmanager
    def passed(self, *, alone: bool) -> Iterator[None]:
        """Wait for one's turn; who must be alone goes before those who come later."""
        with self._changed:
            if alone:
                self._waiting_alone += 1
                self._changed.wait_for(lambda: not self._inside and not self._alone)
                self._waiting_alone -= 1
                self._alone = True
            else:
                self._changed.wait_for(lambda: not self._alone and not self._waiting_alone)
                self._inside += 1
        try:
            yield
        finally:
            with self._changed:
                if alone:
                    self._alone = False
                else:
                    self._inside -= 1
                self._changed.notify_all()


def work(settings: Settings) -> int:
    """Work until told to stop; the exit status."""
    from service.wiring import SystemClock

    stand_back()
    asyncio.run(upgrade(settings.ledger_url))
    name = f"{socket.gethostname()[:60]}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
    transcriber = Transcriber(settings, SystemClock(), name)
    app = celery_of(settings)

    hands = Hands(transcriber, threads_of(settings))

    @app.task(name=TASK)  # type: ignore[untyped-decorator]
    def transcribe(call_id: str, leg: str, alone: bool, again: bool = False) -> None:
        hands.told_of(CallId(call_id), Leg(leg), alone=alone, again=again)

    pulse = Pulse(settings, name)
    signals.worker_shutting_down.connect(lambda **_: _leave(hands, pulse), weak=False)
    pulse.start()
    threads = str(hands.threads)
    log.info("worker.ready", extra={"worker": name, "threads": threads})
    app.worker_main(
        [
            *("worker", "-P", "threads", "-c", threads, "-n", name.replace(":", "-"), "--loglevel=WARNING"),
            *("--without-gossip", "--without-mingle", "--without-heartbeat"),
        ]
    )
    pulse.leave()
    return 0


class Hands:
    """Threads that do what is owed, the newest first: a job is a hint that there is something to do.

    One place more than there are threads is kept for calls that have just ended: they do not wait until an hour's
    recording is done (Q1). In it neither what has waited for long nor what takes long is done.
    """

    def __init__(self, transcriber: Transcriber, threads: int) -> None:
        self.threads = threads + 1
        """How many jobs can be taken at a time."""
        self._transcriber = transcriber
        self._turnstile = Turnstile()
        self._places = threading.Semaphore(threads)
        self._leaving = threading.Event()

    def leave(self) -> None:
        """Begin nothing more."""
        self._leaving.set()

    def told_of(self, call_id: CallId, leg: Leg, *, alone: bool = False, again: bool = False) -> None:
        """Do what is owed until there is nothing left for this place.

        What killed a worker is done ``alone``. What was put off is tried ``again`` when we are told so.
        """
        if alone:
            with self._turnstile.passed(alone=True):
                return run_leg(self._transcriber, call_id, leg, alone=True)
        any_place = self._places.acquire(blocking=False)
        try:
            found: tuple[CallId, Leg] | None = (call_id, leg) if again and any_place else self._next(any_place)
            while found is not None and not self._leaving.is_set():
                with self._turnstile.passed(alone=False):
                    run_leg(self._transcriber, *found, alone=False)
                found = self._next(any_place)
        finally:
            if any_place:
                self._places.release()
        return None

    def _next(self, any_place: bool) -> tuple[CallId, Leg] | None:
        return next_leg(self._transcriber, only_fresh=not any_place)


def _leave(hands: Hands, pulse: Pulse) -> None:
    hands.leave()
    pulse.leave_in(_LEAVE_S)


class Pulse(threading.Thread):
    """Shows that this process lives, for as long as it does."""

    def __init__(self, settings: Settings, name: str) -> None:
        super().__init__(daemon=True, name="pulse")
        self._settings = settings
        self._worker = name
        self._leaving = threading.Event()

    def run(self) -> None:
        """Beat until it is time to leave."""
        asyncio.run(self._beat())

    def leave(self) -> None:
        """Give back what is in hand; nothing is held against it, for we were told to stop."""
        self._leaving.set()
        self.join(_LEAVE_S)
        try:
            asyncio.run(self._leave())
        except SanshengError as error:  # it counts as dead in a while: nothing is lost
            log.warning("worker.not_left", extra={"reason": str(error)})

    def leave_in(self, seconds: float) -> None:
        """Leave if what is in hand is not done by then: the recording of an hour takes minutes."""

        def now() -> None:
            self.leave()
            os._exit(0)

        timer = threading.Timer(seconds, now)
        timer.daemon = True
        timer.start()

    async def _beat(self) -> None:
        engine = open_engine(self._settings.ledger_url)
        work = SqlWork(engine)
        while not self._leaving.is_set():
            try:
                await work.beat(self._worker)
            except SanshengError as error:
                log.warning("worker.beat_failed", extra={"reason": str(error)})
            await asyncio.to_thread(self._leaving.wait, BEAT_S)
        await engine.dispose()

    async def _leave(self) -> None:
        engine = open_engine(self._settings.ledger_url)
        try:
            await SqlWork(engine).left(self._worker)
        finally:
            await engine.dispose()
