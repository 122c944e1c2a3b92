"""The real things: logs rotated under a running Asterisk, a PostgreSQL that is stopped and started again."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio

from calls.events import MenuChosen
from calls.ids import CallId
from ivr import queue_log
from ivr.cel_file import record_of_line
from ivr.log_tail import Checkpoint, read_piece
from service.asterisk import Asterisk
from service.pipeline import Pipeline
from service.settings import Settings
from service.spool import Spool
from service.wiring import Hotline, menu_of
from simulation.people import People
from simulation.script import CallerScript, HangUp, Wait
from storage.engine import open_engine, upgrade
from storage.ledger import SqlLedger
from tests.integration.test_asterisk_start import make_asterisk
from tests.support_centre import own_worker, within
from tests.support_ledger import NOON, story
from tests.support_ports import free_port
from tests.support_postgres import PostgresServer

pytestmark = pytest.mark.asyncio(loop_scope="module")

PATIENCE_S = 180
_FIRST_PORT = 18100 + 1000 * own_worker()
"""Of callers: of several workers each may have an Asterisk, and all call from the same address."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def asterisk() -> AsyncIterator[Asterisk]:
    folder = Path(tempfile.mkdtemp(prefix="sl-"))  # short: a socket lies below it
    asterisk = make_asterisk(folder)
    try:
        await asterisk.start()
        yield asterisk
    finally:
        await asterisk.stop()
        shutil.rmtree(folder)


class Log:
    """A log of the running Asterisk, from where it stands now, read on."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.at = Checkpoint()
        self.lines: list[bytes] = []
        self.losses = 0
        self.read()
        self.lines.clear()
        self.losses = 0

    def read(self) -> None:
        while True:
            piece = read_piece(self.path, self.at)
            self.losses += bool(piece.loss)
            self.lines += [line.data for line in piece.lines]
            if not piece.lines and piece.after == self.at:
                return
            self.at = piece.after

    async def has(self, text: str, count: int) -> bool:
        """Whether so many lines with a text come."""

        async def look() -> bool:
            self.read()
            return sum(text.encode() in line for line in self.lines) >= count

        return await within(look, PATIENCE_S)


async def one_call(asterisk: Asterisk) -> None:
    """A caller who hangs up after a second."""
    sip = asterisk.settings.sip
    async with People((sip.address, sip.port), "127.0.0.2", "127.0.0.3", {}, _FIRST_PORT) as people:
        caller = await people.call(CallerScript(steps=(Wait(1), HangUp())))
        outcome = await asyncio.wait_for(people.outcome(caller), PATIENCE_S)
        assert outcome.ok, outcome.log


@pytest_asyncio.fixture(loop_scope="module")
async def event_log(asterisk: Asterisk) -> Log:
    return Log(asterisk.dirs.event_log)


async def test_the_event_log_is_opened_anew_for_every_record(asterisk: Asterisk, event_log: Log) -> None:
    """So it can be renamed at any time, without a word to Asterisk."""
    for generation in range(3):
        await one_call(asterisk)
        assert await event_log.has('"LINKEDID_END"', generation + 1)
        event_log.path.rename(event_log.path.with_name(f"Master.csv-2026112{generation}"))
    await one_call(asterisk)
    assert await event_log.has('"LINKEDID_END"', 4)
    assert event_log.losses == 0
    assert len(set(event_log.lines)) == len(event_log.lines)
    assert all(record_of_line(line) for line in event_log.lines)


async def test_an_event_log_that_was_removed_is_a_loss_and_is_begun_again(
    asterisk: Asterisk, event_log: Log
) -> None:
    await one_call(asterisk)
    assert await event_log.has('"LINKEDID_END"', 1)
    for path in event_log.path.parent.iterdir():
        path.unlink()
    before = len(event_log.lines)
    await one_call(asterisk)
    assert await event_log.has('"LINKEDID_END"', 2)
    assert event_log.losses == 1
    assert len(event_log.lines) > before


async def test_the_queue_log_rotated_by_asterisk(asterisk: Asterisk) -> None:
    log = Log(asterisk.dirs.log / "queue_log")
    for number in ("1001", "1002", "2001"):
        assert await asterisk.command(f"queue add member PJSIP/{number} to inquiry") is not None
        assert await log.has("ADDMEMBER", {"1001": 1, "1002": 2, "2001": 3}[number])
        assert await asterisk.command("logger rotate") is not None
    assert await asterisk.command("queue pause member PJSIP/1001 queue inquiry reason meal") is not None
    assert await log.has("|PAUSE|meal", 1)
    assert log.losses == 0
    assert (asterisk.dirs.log / "queue_log.2").exists()
    records = [queue_log.record_of_line(line, 0) for line in log.lines]
    steps = [change for record in records if record and (change := queue_log.presence_of_record(record))]
    assert [(step.agent, step.step, step.reason) for step in steps] == [
        ("1001", "joined", ""),
        ("1002", "joined", ""),
        ("2001", "joined", ""),
        ("1001", "paused", "meal"),
    ]


async def test_events_wait_on_disk_while_postgresql_is_stopped(tmp_path: Path) -> None:
    server = await asyncio.to_thread(PostgresServer)
    try:
        url = await asyncio.to_thread(server.create_database)
        await upgrade(url)
        engine = open_engine(url)
        told = [event for number in range(50) for event in story(f"1.{number}", asked=2, ended=9)]

        def pipeline() -> Pipeline:
            return Pipeline(SqlLedger(engine), [], spool=Spool(tmp_path / "spool", 1 << 20))

        first = pipeline()
        running = asyncio.create_task(first.run())
        for event in told[:60]:
            await first.put(event)
        await first.drained()
        await asyncio.to_thread(server.stop)
        for event in told[60:]:
            await first.put(event)
        await first.kept()
        assert (first.available, first.pending) == (False, len(told) - 60)
        running.cancel()  # as by SIGKILL
        await asyncio.wait({running})
        second = pipeline()
        assert second.pending == len(told) - 60
        running = asyncio.create_task(second.run())
        await asyncio.to_thread(server.start)
        await second.drained()
        assert (second.available, second.pending, second.stored) == (True, 0, len(told) - 60)
        assert await SqlLedger(engine).open_calls() == []
        running.cancel()
        await asyncio.wait({running})
        await engine.dispose()
    finally:
        await asyncio.to_thread(server.remove)


async def test_the_service_starts_while_its_database_is_away(tmp_path: Path) -> None:
    """Callers are served, what they do waits on disk, and ``/readyz`` says what is missing."""
    server = await asyncio.to_thread(PostgresServer)
    try:
        url = await asyncio.to_thread(server.create_database)
        await asyncio.to_thread(server.stop)
        ports = {name: free_port() for name in ("ami", "agi", "web")}
        settings = Settings.model_validate(
            {"var_dir": tmp_path, "database_url": url, "ports": ports, "reliability": {"synthetic_every_s": 0}}
        )
        hotline, stop = Hotline(settings, menu_of(settings), "0"), asyncio.Event()
        serving = asyncio.create_task(hotline.run(stop))

        async def health() -> dict[str, bool]:
            try:
                async with (
                    aiohttp.ClientSession() as web,
                    web.get(f"http://127.0.0.1:{ports['web']}/readyz") as said,
                ):
                    return dict(await said.json())
            except aiohttp.ClientError:
                return {}

        async def serves() -> bool:
            return (await health()).get("agi", False)

        async def stores() -> bool:
            return (await health()).get("ledger", False)

        assert await within(serves, PATIENCE_S)
        assert not (await health())["ledger"]
        hotline._books.tell(MenuChosen(call_id=CallId("1.1"), at=NOON, step=1, node="language", choice="1"))
        assert list((tmp_path / "spool" / "menu").iterdir())
        await asyncio.to_thread(server.start)
        assert await within(stores, PATIENCE_S)
        engine = open_engine(url)
        ledger = SqlLedger(engine)

        async def stored() -> bool:
            return [event.kind for event in await ledger.events(CallId("1.1"))] == ["menu"]

        assert await within(stored, PATIENCE_S)
        stop.set()
        await serving
        await engine.dispose()
        assert not [path for path in (tmp_path / "spool").rglob("*") if path.is_file()]
    finally:
        await asyncio.to_thread(server.remove)
