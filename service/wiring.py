"""The one place where the parts are joined: the service process from settings to running tasks."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from pathlib import Path

from aiohttp import web

from calls.call import Call
from calls.errors import AmiError, RuleError, SettingsError, StorageError
from calls.ids import AgentNumber, CallId, Language, SectionId
from calls.live import LinkNow
from calls.ports import Clock
from console.app import Now
from console.assets import Assets
from console.limits import Limits
from console.ops.ports import Waiting
from console.view import Board
from ivr.agi.application import Route
from ivr.agi.guard import TakeoverGuard
from ivr.agi.menu import MenuCaller
from ivr.agi.server import AgiServer
from ivr.ami.link import AmiLink, LinkState
from ivr.ami.sink import EventSink
from ivr.ami.wire import AmiMessage
from ivr.menu.hours import OpeningHours
from ivr.menu.loader import load_menu
from ivr.menu.model import Menu
from ivr.snapshot import AgentBoard
from metrics.exporter import Exporter
from recordings.intake import IntakeDirs, any_quiet, arrived, rescue
from service.asterisk import AMI_USER, Dirs
from service.back_room import BackRoom
from service.bookkeeping import Bookkeeping
from service.books import BooksElsewhere, RollUpKeeper, books_of, kpi_figures_of
from service.callback_agi import NUMBER, TAKE, CallbackNumber, CallbackTaking
from service.callback_list import CallbackKeeper
from service.callbacks import CallbackDesk
from service.cases import CaseKeeper
from service.clock import RehearsalClock
from service.clock import SystemClock as SystemClock
from service.console import console_of, parts_of
from service.console_desk import at_telephones
from service.custodian import Custodian
from service.custody import custody_of
from service.desk import TranscriptionDesk
from service.dossiers import Dossiers
from service.gauges import Gauges, every
from service.inside import Inside
from service.judging import JudgingGauges
from service.live import LivePicture
from service.main_loop import MainLoop
from service.prompts import InstalledPrompts, prompts_available
from service.quality import QualityGauges
from service.reliability import reliability_of
from service.safekeeping import Safekeeping
from service.screen_pop import ScreenPop
from service.secrets import load_secrets
from service.settings import SECTIONS, Settings
from service.survey_links import LinkMaker
from service.webhooks import Webhooks
from storage.access import SqlAccessLog
from storage.callers import SqlCallers
from storage.engine import open_engine
from storage.ledger import SqlLedger
from storage.outbox import SqlOutbox

log = logging.getLogger(__name__)

_INTAKE_EVERY_S = 0.5
_INTAKE_RETRY_S = 5.0
_RESCUE_EVERY_S = 5.0
_GAUGES_EVERY_S = 1.0
_VERDICTS_S = 10.0
_DRAIN_S = 5.0
_OPEN_S = 3.0


def menu_of(settings: Settings) -> Menu:
    """The menu, read and linted. Raises MenuError with every finding."""
    return load_menu(settings.menu_file, prompts_available())


class Hotline:
    """The service: AMI link, FastAGI server, pipeline, live picture, web server."""

    def __init__(self, settings: Settings, menu: Menu, version: str) -> None:
        self._settings = settings
        self._version = version
        self._clock: Clock = SystemClock()
        moment = settings.menu_now
        self._menu_clock: Clock = RehearsalClock(moment) if moment else self._clock
        self._dirs = Dirs(settings.var_dir / "pbx", settings.recordings_dir)
        secrets = load_secrets(settings.var_dir / "secrets.json", [])
        self._engine = open_engine(settings.ledger_url)
        self._ledger = SqlLedger(self._engine)
        self._room = BackRoom()
        self._room_engine = open_engine(settings.ledger_url)
        self._figures = kpi_figures_of(settings, self._room_engine, self._clock, self._room)
        sections = tuple(SectionId(section) for section in SECTIONS)
        self._board = AgentBoard(
            (AgentNumber(agent.number) for agent in settings.agents),
            settings.queueing.wrap_up_s,
            self._clock.now(),
        )
        limit_s = settings.rings.limit_s
        self._live = LivePicture(self._ledger, self._board, sections, self._clock, settings.zone, limit_s)
        accesses = SqlAccessLog(self._room_engine, self._clock)
        self._priority = _priority_numbers(settings.priority_numbers_file)
        self._pop = ScreenPop(
            self._board,
            Dossiers(self._room, SqlCallers(self._room_engine), self._clock, self._priority.__contains__).look_up,
            self._ledger.events,
            lambda access: self._room.run(accesses.note(access)),
            self._clock,
        )
        self._exporter = Exporter(sections=sections, limit_s=limit_s, build={"version": version})
        custody = custody_of(settings, self._engine, self._clock)
        self._safekeeping = Safekeeping(settings, self._engine, custody, self._exporter, self._clock)
        self._custodian = Custodian(
            custody,
            self._dirs.intake,
            self._exporter,
            timedelta(days=settings.custody.check_every_days),
            on_kept=self._on_kept,
        )
        self._desk = (
            TranscriptionDesk(settings, self._engine, self._exporter, self._clock)
            if settings.transcription.enabled
            else None
        )
        self._judging = JudgingGauges(settings, self._engine, self._exporter, self._clock)
        self._webhooks = Webhooks(settings, SqlOutbox(self._room_engine), self._exporter, self._clock)
        self._scores = QualityGauges(self._engine, self._exporter)
        self._cases = CaseKeeper(settings, self._room_engine, self._exporter, self._clock)
        self._sink = EventSink()
        self._link = AmiLink(
            "127.0.0.1",
            settings.ports.ami,
            AMI_USER,
            secrets.ami,
            events=self._sink,
            on_state=self._on_link,
        )
        self._books = Bookkeeping(
            settings,
            self._dirs,
            self._engine,
            self._ledger,
            self._link,
            self._clock,
            observers=[
                self._exporter.on_change,
                self._live.on_change,
                self._pop.on_change,
                lambda change: self._reliability.on_change(change),
                lambda change: self._callback_list.on_change(change),
            ],
            on_heard=self._pop.hear,
            on_open=self._on_open,
            on_members=self._on_members,
            on_compared=lambda: self._show_link(LinkNow.UP),
        )
        self._callbacks = CallbackDesk(settings, self._engine, self._link, self._clock, self._exporter)
        self._callback_list = CallbackKeeper(
            settings,
            self._callbacks,
            self._clock,
            self._exporter,
            self._live.picture,
            self._live.set_callbacks,
            self._books.caught_up,
        )
        self._guard = TakeoverGuard(self._push_timeout, settings.menu_takeover_s)
        self._page = Board(
            section_names={
                SectionId(section.id): {Language(tag): name for tag, name in section.names.items()}
                for section in menu.sections.values()
            },
            time_zone=settings.timezone,
            ring_s=settings.rings.cycle_s,
            rings=settings.rings.count,
        )
        self._gauges = Gauges(
            settings,
            self._figures,
            BooksElsewhere(self._room, books_of(settings, self._room_engine)),
            self._exporter,
            self._clock,
            lambda: self._books.pipeline.pending,
        )
        self._agi = self._make_agi(menu)
        self._agi_ready = False
        self._reliability = reliability_of(
            settings,
            menu,
            self._dirs,
            self._engine,
            self._link,
            lambda: self._books.available,
            self._desk.works if self._desk else None,
            self._exporter,
            self._clock,
            self._menu_clock,
        )

    def _make_agi(self, menu: Menu) -> AgiServer:
        caller = MenuCaller(
            menu,
            OpeningHours(self._settings.zone),
            InstalledPrompts(self._dirs.sounds, menu.languages),
            self._guard,
            self._clock,
            menu_clock=self._menu_clock,
            is_priority=self._priority.__contains__,
            on_event=self._books.tell,
        )
        routes: dict[str, Route] = {
            "menu": caller,
            NUMBER: CallbackNumber(self._callbacks),
            TAKE: CallbackTaking(self._callbacks),
        }
        return AgiServer("127.0.0.1", self._settings.ports.agi, routes, observer=self._exporter.agi)

    async def run(self, stop: asyncio.Event) -> None:
        """Serve until ``stop`` is set, then drain. Raises SanshengError if it cannot begin."""
        self._dirs.make()
        await self._agi.start()
        self._agi_ready = True
        async with contextlib.AsyncExitStack() as stack:
            await stack.enter_async_context(self._room)
            stack.push_async_callback(lambda: self._room.run(self._room_engine.dispose()))
            await stack.enter_async_context(self._web())
            group = await stack.enter_async_context(asyncio.TaskGroup())
            database = group.create_task(self._books.open(), name="database")
            await asyncio.wait({database}, timeout=_OPEN_S)  # if it is away, the rest works without it
            tasks = [database] + [
                group.create_task(work, name=name)
                for name, work in {
                    "ami link": self._link.run(),
                    "ami events": self._consume(),
                    **self._books.tasks(),
                    "guard": self._guard.run(),
                    "figures": self._live.run(),
                    "screen pop": self._pop.run(),
                    "intake": self._watch_intake(),
                    "rescue": self._rescue_recordings(),
                    "custodian": self._custodian.run(),
                    "checksums": self._custodian.check(),
                    **self._safekeeping.tasks(),
                    **({"transcription": self._desk.run()} if self._desk else {}),
                    "verdicts": every(_VERDICTS_S, self._count_verdicts),
                    "cases": self._room.run(every(self._settings.cases.look_every_s, self._cases.refresh)),
                    "webhooks": self._room.run(self._webhooks.run()),
                    "call-backs": self._callback_list.run(),
                    "survey links": LinkMaker(self._settings, self._engine, self._clock).run(),
                    "gauges": self._keep_gauges(),
                    **self._gauges.tasks(),
                    "reliability": self._reliability.run(),
                    "roll-ups": self._room.run(RollUpKeeper(self._settings, self._room_engine, self._clock).run()),
                }.items()
            ]
            log.info("service.ready")
            await stop.wait()
            log.info("service.draining")
            self._agi_ready = False
            await self._agi.drain(_DRAIN_S)
            await self._link.close()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._books.pipeline.drained(), _DRAIN_S)
            for task in tasks:
                task.cancel()
        await self._books.close()
        await self._engine.dispose()
        log.info("service.stopped", extra={"events_not_stored": self._books.pipeline.pending})

    @contextlib.asynccontextmanager
    async def _web(self) -> AsyncIterator[None]:
        assets = Assets()
        now = Now(self._live, self._exporter.render, self.health, self._page, assets=assets)
        names = self._page.section_names
        desks = at_telephones(self._settings, self._pop, self._link, self._callbacks, self._clock)
        loop = MainLoop()
        loop.begin()
        inside = Inside(
            loop,
            self._live.picture,
            self._reliability.working,
            lambda: Waiting(*self._books.waiting),
            self._version,
        )
        parts = parts_of(
            self._settings, self._room_engine, self._clock, names, assets, desks, inside, self._menu_clock
        )
        app = console_of(parts, now, self._room.run, Limits(self._settings.console.requests_per_s))
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", self._settings.ports.web).start()
            yield
        finally:
            self._pop.close()
            await runner.cleanup()

    def health(self) -> dict[str, bool]:
        """What must work for calls to be served and kept; the reasons behind ``/readyz``."""
        return {
            "ledger": self._books.available,
            "ami": self._link.state is LinkState.UP,
            "agi": self._agi_ready,
        }

    # ── Asterisk ─────────────────────────────────────────────────────────────────────────────────────────────

    async def _push_timeout(self, channel: str, seconds: float) -> object:
        return await self._link.call(
            "Setvar",
            {"Channel": channel, "Variable": "TIMEOUT(absolute)", "Value": f"{seconds:.1f}"},
            timeout_s=1.0,
        )

    async def _consume(self) -> None:
        while True:
            message = await self._sink.get()
            if not await self._books.take(message) and self._board.apply(message, self._clock.now()):
                self._live.touch()
                self._pop.agent_changed(AgentNumber(message.get("MemberName", "")))

    def _on_link(self, state: LinkState) -> None:
        self._show_link(LinkNow.STALE if state is LinkState.UP else LinkNow.DOWN)
        self._books.on_link(state)

    def _show_link(self, link: LinkNow) -> None:
        self._live.set_link(link)
        self._pop.set_link(link)

    def _on_open(self, calls: Sequence[Call]) -> None:
        self._live.open_calls(calls)
        self._pop.open_calls(calls)

    def _on_members(self, members: list[AmiMessage]) -> None:
        self._board.reset(members, self._clock.now())
        self._pop.agents_changed()

    def _on_kept(self, call_id: CallId) -> None:
        if self._desk:
            self._desk.owed(call_id)

    async def _count_verdicts(self) -> None:
        try:
            await self._judging.refresh()
            await self._scores.refresh()
        except (StorageError, RuleError) as error:
            log.warning("verdicts.unavailable", extra={"reason": str(error)})

    async def _live_channels(self) -> set[str]:
        channels = await self._link.query("CoreShowChannels", complete_event="CoreShowChannelsComplete")
        return {message.get("Uniqueid", "") for message in channels}

    # ── Recordings, gauges ───────────────────────────────────────────────────────────────────────────────────

    async def _watch_intake(self) -> None:
        known: set[str] = set()
        seen_mtime = 0
        while True:
            try:
                mtime = self._dirs.intake.stat().st_mtime_ns
                if mtime != seen_mtime:
                    for event in await asyncio.to_thread(lambda: list(arrived(self._dirs.intake, known))):
                        await self._books.pipeline.put(event)
                        self._custodian.arrived(event.call_id)
                    seen_mtime = mtime
            except OSError as error:
                # Calls go on; what is not taken in counts as missing until the folder can be read again.
                log.error("recording.intake_unreadable", extra={"reason": str(error)})
                await asyncio.sleep(_INTAKE_RETRY_S)
            await asyncio.sleep(_INTAKE_EVERY_S)

    async def _rescue_recordings(self) -> None:
        """Take over what a dead Asterisk left half-written, once nobody can be writing to it any more.

        Only what two looks in a row find dead: a call that has just ended moves its files by itself.
        """
        dirs = IntakeDirs(self._dirs.recording, self._dirs.intake)
        before: set[str] | None = None
        while True:
            await asyncio.sleep(_RESCUE_EVERY_S)
            now = self._clock.now()
            live: set[str] | None = None
            try:
                if await asyncio.to_thread(any_quiet, dirs, now):
                    live = await self._live_channels()
                    if before is not None:
                        await asyncio.to_thread(rescue, dirs, live | before, now)
            except (AmiError, OSError) as error:
                log.warning("recording.rescue_later", extra={"reason": str(error)})
            before = live

    async def _keep_gauges(self) -> None:
        while True:
            self._exporter.on_backlog(self._books.pipeline.pending, self._sink.pauses)
            self._exporter.on_picture(self._live.picture())
            self._books.show(self._exporter)
            await asyncio.sleep(_GAUGES_EVERY_S)


def _priority_numbers(path: Path | None) -> frozenset[str]:
    """The numbers of callers who go first. Raises SettingsError if the file cannot be read."""
    if path is None:
        return frozenset()
    try:
        lines = path.read_text(encoding="utf-8").split()
    except OSError as error:
        raise SettingsError(f"cannot read priority_numbers_file {path}: {error.strerror}") from error
    return frozenset(line for line in lines if not line.startswith("#"))
