"""From what Asterisk tells to the books: pipeline and spool, Asterisk's logs, the reconciler, joined."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping, Sequence

from sqlalchemy.ext.asyncio import AsyncEngine

from calls.audit import Difference
from calls.call import Call
from calls.errors import StorageUnavailable
from calls.events import AnyEvent
from calls.ports import Clock, Ledger
from ivr.ami.link import AmiLink, LinkState
from ivr.ami.translate import record_of, translate
from ivr.ami.wire import AmiMessage
from metrics import catalogue
from metrics.exporter import Exporter
from service.asterisk import Dirs
from service.findings import Findings
from service.life import Life
from service.pipeline import Observer, Pipeline
from service.reconcile import GRACE, Reconciler
from service.settings import Settings
from service.sources import CelSource, QueueSource
from service.spool import Spool
from service.wrap_ups import WrapUps
from storage.audit import SqlAudit
from storage.engine import upgrade
from storage.presence import SqlPresence
from storage.wrap_ups import SqlWrapUps

log = logging.getLogger(__name__)

_MEMORY = 20_000
"""Events that wait in memory, before disk and database."""
_MIB = 1 << 20
_JOURNAL_MIB = 64
_SIGN_EVERY_S = 1.0
_RETRY_FIRST_S = 0.2
_RETRY_CAP_S = 5.0


class Bookkeeping:
    """Everything between Asterisk's word and the ledger.

    ``on_open`` gets the open calls as soon as there is a database, ``on_heard`` what the management link tells of
    calls, at once: observers hear it when it is stored.
    """

    def __init__(
        self,
        settings: Settings,
        dirs: Dirs,
        engine: AsyncEngine,
        ledger: Ledger,
        link: AmiLink,
        clock: Clock,
        *,
        observers: Sequence[Observer],
        on_heard: Callable[[AnyEvent], None],
        on_open: Callable[[Sequence[Call]], None],
        on_members: Callable[[list[AmiMessage]], None],
        on_compared: Callable[[], None],
    ) -> None:
        var = settings.var_dir
        self._url = settings.ledger_url
        self._ledger = ledger
        self._link = link
        self._clock = clock
        self._on_heard = on_heard
        self._on_open = on_open
        self._opened = asyncio.Event()
        self._was_up = False
        audit = SqlAudit(engine)
        self._findings = Findings(audit, clock)
        self._spool = Spool(var / "spool" / "waiting", settings.books.spool_limit_mb * _MIB)
        self._limit_bytes = (settings.books.spool_limit_mb + _JOURNAL_MIB) * _MIB
        self._journal = Spool(var / "spool" / "menu", _JOURNAL_MIB * _MIB)
        self.pipeline = Pipeline(
            ledger,
            observers,
            _MEMORY,
            spool=self._spool,
            journal=self._journal,
            opened=self._opened,
            on_refused=self._on_refused,
        )
        self._life = Life(var / "asterisk-life.json", dirs.ends)
        self._cel = CelSource(
            dirs.event_log,
            var / "cel-checkpoint.json",
            self.pipeline,
            self._findings,
            self._life,
        )
        self._queue = QueueSource(
            dirs.log / "queue_log",
            var / "queue-log-checkpoint.json",
            findings=self._findings,
            audit=audit,
            presence=SqlPresence(engine),
            grace=GRACE,
        )
        self._wrap_ups = WrapUps(
            SqlWrapUps(engine, settings.instance), SqlPresence(engine), settings.queueing.wrap_up_s
        )
        self._reconciler = Reconciler(
            link=link,
            cel=self._cel,
            queue=self._queue,
            pipeline=self.pipeline,
            ledger=ledger,
            audit=audit,
            findings=self._findings,
            life=self._life,
            wrap_ups=self._wrap_ups,
            clock=clock,
            every_s=settings.books.reconcile_every_s,
            on_members=on_members,
            on_compared=on_compared,
        )

    @property
    def available(self) -> bool:
        """Whether the database is there and took the last events."""
        return self._opened.is_set() and self.pipeline.available

    async def open(self) -> None:
        """Make the database ready, as soon as there is one. Meanwhile events wait on disk."""
        delay_s = _RETRY_FIRST_S
        while True:
            try:
                await upgrade(self._url)
                await self._wrap_ups.begin(self._clock.now())
                self._on_open(await self._ledger.open_calls())
                break
            except StorageUnavailable as error:
                if delay_s == _RETRY_FIRST_S:
                    log.error("ledger.unavailable", extra={"reason": str(error)})
            await asyncio.sleep(delay_s)
            delay_s = min(delay_s * 2, _RETRY_CAP_S)
        self._opened.set()
        log.info("ledger.open")

    def tasks(self) -> Mapping[str, Coroutine[None, None, None]]:
        """What runs for as long as the service does."""
        return {
            "pipeline": self.pipeline.run(),
            "event log": self._cel.run(),
            "reconcile": self._reconciler.run(),
            "signs of life": self._note_life(),
        }

    async def take(self, message: AmiMessage) -> bool:
        """Take an AMI event that is a record of the event log; whether it was one."""
        record = record_of(message)
        if record is None:
            return False
        # The same record is on its way to disk, with its exact time.
        self._cel.bell.set()
        event = translate(record)
        if event is not None:
            self._on_heard(event)
            await self.pipeline.put(event)
        return True

    def tell(self, event: AnyEvent) -> None:
        """Take an event that nobody but us knows: it survives our end from here on. Never raises, never waits."""
        try:
            self.pipeline.put_nowait(event)
        except asyncio.QueueFull:
            self._findings.differs(
                Difference.MENU_LOST,
                event.key,
                "no room in memory while database and disk are away",
                call_id=event.call_id,
                event_key=event.key,
            )

    def on_link(self, state: LinkState) -> None:
        """The link's state has changed."""
        if self._was_up:
            self._life.sign(self._clock.now())  # it has just fallen
        self._was_up = state is LinkState.UP
        self._reconciler.on_link(state)

    def show(self, exporter: Exporter) -> None:
        """Set the gauges of the books."""
        exporter.set(catalogue.SPOOL_EVENTS, self._spool.events + self._journal.events)
        exporter.set(catalogue.SPOOL_BYTES, self._spool.bytes + self._journal.bytes)
        exporter.set(catalogue.SPOOL_WRITABLE, self.pipeline.disk_ok)
        for source in (self._cel, self._queue):
            exporter.set(catalogue.SOURCE_LAG, source.lag_bytes, source.name)
        for kind in Difference:
            exporter.set(catalogue.DISCREPANCIES, self._findings.open[kind], kind.value)
        for witness, count in self._findings.repaired.items():
            exporter.count(catalogue.REPAIRED, witness.value, by=count)
        self._findings.repaired.clear()

    @property
    def waiting(self) -> tuple[int, int, int]:
        """Events that wait on disk, their bytes, and how many bytes may."""
        spools = (self._spool, self._journal)
        return sum(each.events for each in spools), sum(each.bytes for each in spools), self._limit_bytes

    async def caught_up(self) -> None:
        """Return when all that Asterisk has written by now is on the books. Raises OSError."""
        await self._cel.read_to_end()
        await self.pipeline.drained()

    async def close(self) -> None:
        """Write down how far everything came. Nothing else runs any more."""
        if self.pipeline.pending == 0:
            await self._cel.commit()
        self._spool.close()
        self._journal.close()

    async def _note_life(self) -> None:
        while True:
            if self._link.state is LinkState.UP:
                self._life.sign(self._clock.now())
            await asyncio.to_thread(self._life.store)
            await asyncio.sleep(_SIGN_EVERY_S)

    def _on_refused(self, event: AnyEvent, reason: str) -> None:
        self._findings.differs(Difference.REFUSED, event.key, reason, call_id=event.call_id, event_key=event.key)
