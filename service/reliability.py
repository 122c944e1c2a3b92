"""Watching what works, and putting on record what did not (K5).

Every component is probed in a task of its own. What a probe cannot see is known otherwise: a service that did not
run could not probe, so its own parts (menu server, management link, console) count as out from its last sign of
life, a file that it touches every second, until they work again. What was out when the service stopped stays out
until a probe finds it working.

Facts wait on disk until the database has taken them, the outage of the database itself among them.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncEngine

from calls.errors import PromptError, StorageError, StorageRefused
from calls.ids import SectionId
from calls.outages import Component, Maintenance, SyntheticResult
from calls.ports import Change, Clock, OutageBook
from ivr.ami.link import AmiLink
from ivr.menu.hours import OpeningHours
from ivr.menu.model import Menu
from metrics import catalogue
from metrics.exporter import Exporter
from service.asterisk import Dirs
from service.probes import (
    NotKnownYet,
    Probe,
    agi_answers,
    ami_answers,
    console_answers,
    database_answers,
    disk_takes,
    sip_answers,
)
from service.settings import Settings
from service.synthetic import SyntheticCaller, plan_call
from service.watch import Fact, Journal, Moment, Told, Watch
from storage.outages import SqlOutages

log = logging.getLogger(__name__)

OWN_PARTS = (Component.AGI, Component.AMI, Component.CONSOLE)
"""What does not work while the service does not run."""

_BEAT_S = 1.0
_STORE_EVERY_S = 5.0
_FIRST_CALL_S = 10.0
_CALL_AGAIN_S = 30.0
"""After a call that failed."""
_TRUNK_WORKS = frozenset({SyntheticResult.SUCCESS, SyntheticResult.NOT_IN_BOOKS})
"""Results that say that the trunk works."""


@dataclass(frozen=True, slots=True)
class Timing:
    """How often and how patiently, in seconds; see ``service.settings.Reliability``."""

    probe_every_s: float
    probe_timeout_s: float
    failures: int
    synthetic_every_s: float
    begin_s: float = 3.0
    """How long the first probe waits for the database."""
    still_s: float = 5.0
    """Without a beat for so long, the service stood still: nobody was served."""


class Reliability:
    """Runs the probes and the synthetic caller, keeps the outage book and the metrics of K5.

    ``folder`` holds the journal and the sign of life. Without a ``caller`` the trunk is not watched.
    """

    def __init__(
        self,
        book: OutageBook,
        probes: Mapping[Component, Probe],
        caller: SyntheticCaller | None,
        exporter: Exporter,
        clock: Clock,
        folder: Path,
        timing: Timing,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self._book = book
        self._probes = dict(probes)
        self._caller = caller
        self._exporter = exporter
        self._clock = clock
        self._steady = steady
        self._timing = timing
        self._alive = folder / "alive"
        self._journal_file = folder / "outages.jsonl"
        self._told: asyncio.Queue[Fact] = asyncio.Queue()
        watched = [*self._probes, *([Component.TRUNK] if caller else [])]
        self._watch = Watch(watched, timing.failures, self._tell)
        self._journal: Journal | None = None
        self._pen = asyncio.Lock()
        """Held while the journal's file is written."""
        self._news = asyncio.Event()
        self._asked_book = asyncio.Event()
        """The book has been turned to once; it may have been away."""
        self._resumed = False
        self._windows: list[Maintenance] = []
        self._counted_s: dict[Component, float] = {}

    def on_change(self, change: Change) -> None:
        """A call has changed in the ledger."""
        if self._caller:
            self._caller.on_change(change)

    def working(self, component: Component) -> bool | None:
        """Whether it works; ``None`` if it is not in service or nobody knows yet."""
        return self._watch.working(component)

    async def run(self) -> None:
        """Watch until cancelled."""
        self._journal = await asyncio.to_thread(Journal, self._journal_file)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._store(), name="outage book")
            await self._begin()
            for component, probe in self._probes.items():
                group.create_task(self._look_at(component, probe), name=f"probe {component}")
            group.create_task(self._beat(), name="sign of life")
            group.create_task(self._write_down(), name="outage journal")
            if self._caller:
                group.create_task(self._ring(self._caller), name="synthetic caller")

    # ── Starting ─────────────────────────────────────────────────────────────────────────────────────────────

    async def _begin(self) -> None:
        now = self._moment()
        last_beat = await asyncio.to_thread(_last_beat, self._alive)
        # Away: the outages that have no end are looked up when it is back. Only the waiting is broken off: a fact
        # whose line is just being struck from the journal must not be struck twice.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._timing.begin_s):
                await self._asked_book.wait()
        if last_beat is None:
            self._told.put_nowait(Fact(Told.WATCHED, now.wall))
            return
        gap_s = max((now.wall - last_beat) / timedelta(seconds=1), 0.0)
        since = Moment(now.wall - timedelta(seconds=gap_s), now.steady_s - gap_s)
        for component in OWN_PARTS:
            self._watch.was_out(component, since, "the service was not running")

    async def _resume(self) -> None:
        now = self._moment()
        self._watch.resume(await self._book.outages(now.wall, now.wall + timedelta(microseconds=1)), now)
        self._resumed = True

    # ── Looking ──────────────────────────────────────────────────────────────────────────────────────────────

    async def _look_at(self, component: Component, probe: Probe) -> None:
        while True:
            began = self._moment()
            try:
                async with asyncio.timeout(self._timing.probe_timeout_s):
                    await probe()
            except NotKnownYet:
                pass
            except TimeoutError:
                self._watch.failed(component, began, f"no answer in {self._timing.probe_timeout_s:g} s")
            except Exception as error:  # whatever a look at it raises, it does not work
                self._watch.failed(component, began, f"{type(error).__name__}: {error}"[:200])
            else:
                self._watch.succeeded(component, self._moment())
            await asyncio.sleep(self._timing.probe_every_s)

    async def _ring(self, caller: SyntheticCaller) -> None:
        since_s = await asyncio.to_thread(caller.last_call_s)
        every_s = self._timing.synthetic_every_s
        # Restarts neither put the next call off nor bring it forward.
        first_s = every_s if math.isinf(since_s) else max(every_s - since_s, min(_FIRST_CALL_S, every_s))
        await asyncio.sleep(first_s)
        while True:
            began = self._moment()
            result = await _call(caller)
            self._exporter.count(catalogue.SYNTHETIC_CALLS, result)
            self._exporter.set(catalogue.SYNTHETIC_SUCCESS, result is SyntheticResult.SUCCESS)
            log.info("synthetic.called", extra={"result": result})
            if result in _TRUNK_WORKS:
                self._watch.succeeded(Component.TRUNK, self._moment())
            else:
                self._watch.failed(Component.TRUNK, began, f"synthetic call: {result}")
            good = result is SyntheticResult.SUCCESS
            await asyncio.sleep(every_s if good else min(every_s, _CALL_AGAIN_S))

    async def _beat(self) -> None:
        last = self._moment()
        while True:
            now = self._moment()
            if now.steady_s - last.steady_s > self._timing.still_s:
                for component in OWN_PARTS:
                    self._watch.was_out(component, last, "the service stood still")
            try:
                await asyncio.to_thread(self._alive.touch)
            except OSError as error:
                log.error("reliability.no_sign_of_life", extra={"reason": str(error)})
            self._show(now)
            last = now
            await asyncio.sleep(_BEAT_S)

    def _show(self, now: Moment) -> None:
        """Set the metrics to what is known now."""
        for component in Component:
            works = self._watch.working(component)
            self._exporter.set(catalogue.COMPONENT_UP, math.nan if works is None else works, component)
        for component, began in self._watch.out.items():
            self._count(component, began, now)

    def _count(self, component: Component, began: Moment, until: Moment) -> None:
        """Add what an outage has lasted beyond what was counted of it."""
        counted_s = max(self._counted_s.get(component, began.steady_s), began.steady_s)
        planned = any(
            component in window.components and window.starts_at <= until.wall < window.ends_at
            for window in self._windows
        )
        self._exporter.count(
            catalogue.OUTAGE_SECONDS,
            component,
            "true" if planned else "false",
            by=max(until.steady_s - counted_s, 0.0),
        )
        self._counted_s[component] = until.steady_s

    # ── Keeping ──────────────────────────────────────────────────────────────────────────────────────────────

    def _tell(self, fact: Fact) -> None:
        """Also of outages that began and ended between two signs of life all seconds are counted."""
        began = self._watch.out.get(fact.component) if fact.component else None
        if fact.told is Told.CLOSED and fact.component and began:
            lasted_s = (fact.at - began.wall) / timedelta(seconds=1)
            self._count(fact.component, began, Moment(fact.at, began.steady_s + lasted_s))
        self._told.put_nowait(fact)

    async def _write_down(self) -> None:
        """Every fact to the disk, in order, as soon as it is told."""
        while True:
            fact = await self._told.get()
            assert self._journal, "begun"
            async with self._pen:
                await asyncio.to_thread(self._journal.add, fact)
            self._news.set()

    async def _store(self) -> None:
        """From the disk into the book, whenever the database takes it."""
        while True:
            try:
                await self._turn_to_book()
            except StorageError as error:
                log.warning("outage.book_unavailable", extra={"reason": str(error)})
            self._asked_book.set()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_STORE_EVERY_S):
                    await self._news.wait()
            self._news.clear()

    async def _turn_to_book(self) -> None:
        """Store what waits, and read what the book alone knows. Raises StorageError."""
        await self._store_waiting()
        if not self._resumed:
            await self._resume()
        now = self._clock.now()
        self._windows = await self._book.maintenance(now, now + timedelta(seconds=2 * _STORE_EVERY_S))

    async def _store_waiting(self) -> None:
        assert self._journal, "begun"
        while self._journal.waiting:
            fact = self._journal.waiting[0]
            try:
                await self._put(fact)
            except StorageRefused as error:
                # It will never be taken; those behind it are.
                log.error("outage.refused", extra={"fact": fact.line(), "reason": str(error)})
            async with self._pen:
                await asyncio.to_thread(self._journal.stored, 1)

    async def _put(self, fact: Fact) -> None:
        match fact:
            case Fact(Told.OPENED, at, Component() as component, reason):
                await self._book.opened(component, at, reason)
            case Fact(Told.CLOSED, at, Component() as component):
                await self._book.closed(component, at)
            case Fact(Told.WATCHED, at):
                await self._book.watched(at)

    def _moment(self) -> Moment:
        return Moment(self._clock.now(), self._steady())


async def _call(caller: SyntheticCaller) -> SyntheticResult:
    try:
        return await caller.call()
    except PromptError as error:
        log.error("synthetic.prompt_missing", extra={"reason": str(error)})
        return SyntheticResult.WRONG_PROMPT
    except OSError as error:
        log.error("synthetic.not_placed", extra={"reason": str(error)})
        return SyntheticResult.NO_ANSWER


def _last_beat(alive: Path) -> datetime | None:
    """When the service last showed that it lives; ``None`` if it never ran here."""
    try:
        return datetime.fromtimestamp(alive.stat().st_mtime, UTC)
    except FileNotFoundError:
        return None


def reliability_of(
    settings: Settings,
    menu: Menu,
    dirs: Dirs,
    engine: AsyncEngine,
    link: AmiLink,
    stores: Callable[[], bool],
    transcribes: Probe | None,
    exporter: Exporter,
    clock: Clock,
    menu_clock: Clock,
) -> Reliability:
    """The watcher of one hotline. ``stores``: whether the last attempt to store events did not fail.

    ``transcribes``: the probe of the workers; ``None`` if nothing is transcribed.
    """
    rules, book = settings.reliability, SqlOutages(engine)
    folder = settings.var_dir / "reliability"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    section = SectionId(rules.synthetic_section)
    hours = OpeningHours(settings.zone)
    caller: SyntheticCaller | None = None
    if rules.synthetic_every_s and not settings.synthetic_trunk_is_ours:
        log.warning("synthetic.off", extra={"reason": "a trunk takes calls from Asterisk's own address"})
    elif rules.synthetic_every_s:
        caller = SyntheticCaller(
            lambda: plan_call(menu, menu_clock.now(), hours, rules.synthetic_keys, section),
            section,
            dirs.spool,
            folder,
        )
    return Reliability(
        book,
        {
            Component.ASTERISK: sip_answers(settings.sip.address, settings.sip.port),
            Component.AMI: ami_answers(link),
            Component.AGI: agi_answers("127.0.0.1", settings.ports.agi),
            Component.DATABASE: database_answers(book.answers, stores),
            Component.DISK: disk_takes((settings.var_dir, settings.recordings_dir), rules.disk_free_share),
            Component.CONSOLE: console_answers(settings.ports.web),
            **({Component.TRANSCRIPTION: transcribes} if transcribes else {}),
        },
        caller,
        exporter,
        clock,
        folder,
        Timing(rules.probe_every_s, rules.probe_timeout_s, rules.failures, rules.synthetic_every_s),
    )
