"""The watcher with real sockets, a real disk and a real PostgreSQL that is stopped and started (K5)."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import cast

import pytest
from aiohttp import web

from calls.errors import AmiLinkDown, SanshengError
from calls.ids import SectionId
from calls.outages import EVERYTHING, Component, Maintenance, Outage, SyntheticResult
from ivr.agi.application import Ended, Refused
from ivr.agi.server import AgiServer
from ivr.ami.link import AmiLink
from ivr.ami.sink import EventSink
from metrics.exporter import Exporter
from service.probes import (
    Probe,
    ProbeFailed,
    agi_answers,
    ami_answers,
    console_answers,
    database_answers,
    disk_takes,
    sip_answers,
)
from service.reliability import OWN_PARTS, Reliability, Timing
from service.synthetic import Plan, SyntheticCaller
from service.watch import Fact, Told
from service.wiring import SystemClock
from storage.engine import open_engine, upgrade
from storage.outages import SqlOutages
from tests.support_centre import within
from tests.support_postgres import PostgresServer

CLOCK = SystemClock()
PATIENCE_S = 180
"""What is waited for takes a second; the machine may be busy."""
QUICK = Timing(
    probe_every_s=0.02,
    probe_timeout_s=PATIENCE_S,
    failures=2,
    synthetic_every_s=0.02,
    begin_s=PATIENCE_S,
    still_s=PATIENCE_S,
)
"""What is out here says so at once; that the machine is slow is no outage."""


# ── Probes ───────────────────────────────────────────────────────────────────────────────────────────────────


class Counting:
    """An observer who counts what it is told."""

    def __init__(self) -> None:
        self.told = 0

    def connection_refused(self, why: Refused) -> None:
        self.told += 1

    def session_started(self) -> None:
        self.told += 1

    def session_ended(self, how: Ended) -> None:
        self.told += 1

    def turn_taken(self, seconds: float) -> None:
        self.told += 1


async def test_the_menus_server_is_asked_and_counts_nothing() -> None:
    observer = Counting()
    server = AgiServer("127.0.0.1", 0, {}, observer=observer)
    await server.start()
    probe = agi_answers("127.0.0.1", server.port)
    for _ in range(3):
        await probe()
    assert observer.told == 0
    await server.drain(1)
    with pytest.raises((OSError, ProbeFailed)):
        await probe()


async def test_a_server_that_takes_connections_but_serves_nobody_has_failed() -> None:
    server = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", 0)
    with pytest.raises(ProbeFailed):
        await agi_answers("127.0.0.1", server.sockets[0].getsockname()[1])()
    server.close()


class Peer(asyncio.DatagramProtocol):
    """Answers each packet with the same."""

    def __init__(self, answer: bytes) -> None:
        self._answer = answer
        self.heard: list[bytes] = []
        self.closed = asyncio.Event()

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed.set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.heard.append(data)
        self._transport.sendto(self._answer, addr)


@pytest.mark.parametrize(("answer", "works"), [(b"SIP/2.0 401 Unauthorized\r\n", True), (b"hello", False)])
async def test_sip_is_asked(answer: bytes, works: bool) -> None:
    loop = asyncio.get_running_loop()
    transport, peer = await loop.create_datagram_endpoint(lambda: Peer(answer), local_addr=("127.0.0.1", 0))
    host, port = transport.get_extra_info("sockname")
    if works:
        await sip_answers(host, port)()
    else:
        with pytest.raises(ProbeFailed):
            await sip_answers(host, port)()
    assert peer.heard[0].startswith(b"OPTIONS sip:127.0.0.1:")
    transport.close()
    await peer.closed.wait()
    with pytest.raises(ProbeFailed, match="nobody listens"):
        await sip_answers(host, port)()


async def test_the_web_server_is_asked() -> None:
    app = web.Application()

    async def alive(_request: web.Request) -> web.Response:
        return web.Response(status=status)

    app.add_routes([web.get("/healthz", alive)])
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    status = 200
    await console_answers(port)()
    status = 500
    with pytest.raises(ProbeFailed, match="500"):
        await console_answers(port)()
    await runner.cleanup()


async def test_a_link_that_is_down_does_not_answer() -> None:
    link = AmiLink("127.0.0.1", 1, "name", "secret", events=EventSink())
    with pytest.raises(AmiLinkDown):
        await ami_answers(link)()


async def test_the_disk_is_written_to(tmp_path: Path) -> None:
    await disk_takes([tmp_path], 0)()
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ProbeFailed, match="free"):
        await disk_takes([tmp_path], 0.9999999)()
    with pytest.raises(OSError):
        await disk_takes([tmp_path / "gone"], 0)()


async def test_a_database_that_takes_nothing_has_failed() -> None:
    async def answers() -> None:
        return None

    await database_answers(answers, lambda: True)()
    with pytest.raises(ProbeFailed, match="stored"):
        await database_answers(answers, lambda: False)()


async def test_a_look_that_hangs_is_not_begun_again() -> None:
    begun = 0
    may_end = asyncio.Event()

    async def hangs() -> None:
        nonlocal begun
        begun += 1
        await may_end.wait()

    probe = database_answers(hangs, lambda: True)
    for _ in range(3):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(probe(), 0.01)
    assert begun == 1
    may_end.set()
    await probe()
    await probe()
    assert begun == 2


# ── The watcher ──────────────────────────────────────────────────────────────────────────────────────────────


class Switch:
    """A component that works until it is told not to."""

    def __init__(self) -> None:
        self.works = True

    async def __call__(self) -> None:
        if not self.works:
            raise SanshengError("switched off")


class Rehearsed(SyntheticCaller):
    """Whose calls come out as they are told."""

    def __init__(self, folder: Path) -> None:
        super().__init__(lambda: Plan((), ()), SectionId("complaint"), folder, folder)
        self.result = SyntheticResult.SUCCESS
        self.calls = 0

    def last_call_s(self) -> float:
        return float("inf")

    async def call(self) -> SyntheticResult:
        self.calls += 1
        return self.result


class Stand:
    """One watcher that can be stopped and started again on the same folder and database."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url, self.folder = url, folder
        self.engine = open_engine(url, patience_s=PATIENCE_S)
        self.book = SqlOutages(self.engine)
        self.switches = {component: Switch() for component in (*OWN_PARTS, Component.DISK)}
        self.caller = Rehearsed(folder)
        self.exporter = Exporter(sections=(), limit_s=15, build={})

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Reliability]:
        probes: dict[Component, Probe] = dict(self.switches)
        probes[Component.DATABASE] = database_answers(self.book.answers, lambda: True)
        watcher = Reliability(self.book, probes, self.caller, self.exporter, CLOCK, self.folder, QUICK)
        loop, before = asyncio.get_running_loop(), asyncio.all_tasks()
        loop.set_default_executor(threads := ThreadPoolExecutor())
        task = asyncio.create_task(watcher.run())
        try:
            yield watcher
        finally:
            task.cancel()
            await asyncio.wait({task})
            if looks := asyncio.all_tasks() - before:
                await asyncio.wait(looks)  # they cannot be broken off, and have a connection
            threads.shutdown()  # a file that one of them is writing belongs to this run, not to the next
            loop.set_default_executor(ThreadPoolExecutor())
            assert task.cancelled(), task.exception()

    async def outages(self, component: Component) -> list[Outage]:
        day = timedelta(days=1)
        found = await self.book.outages(CLOCK.now() - day, CLOCK.now())
        return [outage for outage in found if outage.component is component]

    def waiting(self) -> list[tuple[Told, Component | None]]:
        """What the journal holds."""
        facts = map(Fact.of_line, (self.folder / "outages.jsonl").read_text().splitlines())
        return [(fact.told, fact.component) for fact in facts]

    async def series(self) -> dict[str, str]:
        lines = (await self.exporter.render()).decode().splitlines()
        return dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    """One of our own: it is stopped."""
    server = PostgresServer()
    yield server
    server.remove()


@pytest.fixture(params=["sqlite", "postgresql"])
async def stand(request: pytest.FixtureRequest, tmp_path: Path, server: PostgresServer) -> AsyncIterator[Stand]:
    sqlite = request.param == "sqlite"
    url = f"sqlite:///{tmp_path}/ledger.db" if sqlite else server.create_database()
    await upgrade(url)
    stand = Stand(url, tmp_path)
    yield stand
    await stand.engine.dispose()


async def ended(stand: Stand, component: Component, count: int = 1) -> bool:
    found = await stand.outages(component)
    return len([outage for outage in found if outage.ended_at]) >= count


def eventually(so: Callable[[], bool]) -> Awaitable[bool]:
    async def look() -> bool:
        return so()

    return within(look, PATIENCE_S)


async def test_an_outage_from_probe_to_book_and_metrics(stand: Stand) -> None:
    async with stand.running() as watcher:
        assert await eventually(lambda: watcher.working(Component.DISK) is True)
        before = CLOCK.now()
        stand.switches[Component.DISK].works = False
        assert await eventually(lambda: watcher.working(Component.DISK) is False)

        async def shown() -> bool:
            series = await stand.series()
            counted = series['hotline_outage_seconds_total{component="disk",planned="false"}']
            return series['hotline_component_up{component="disk"}'] == "0.0" and float(counted) > 0

        assert await within(shown, PATIENCE_S)
        stand.switches[Component.DISK].works = True
        assert await within(lambda: ended(stand, Component.DISK), PATIENCE_S)
        (outage,) = await stand.outages(Component.DISK)
        assert outage.ended_at and before <= outage.began_at < outage.ended_at <= CLOCK.now()
        assert outage.reason == "SanshengError: switched off"
        series = await stand.series()
        assert series['hotline_outage_seconds_total{component="disk",planned="true"}'] == "0.0"
        counted = float(series['hotline_outage_seconds_total{component="disk",planned="false"}'])
        assert counted == pytest.approx((outage.ended_at - outage.began_at).total_seconds(), abs=0.001)
        assert series['hotline_component_up{component="transcription"}'] == "NaN", "not in service"
        assert await stand.outages(Component.AGI) == [], "it never ran before: nothing was out"
        assert await stand.book.watched_since()


async def test_the_time_in_which_the_service_did_not_run(stand: Stand) -> None:
    async with stand.running() as watcher:
        assert await eventually(lambda: all(watcher.working(part) for part in OWN_PARTS))
        assert await eventually((stand.folder / "alive").exists)
    last = (stand.folder / "alive").stat().st_mtime
    died = datetime.fromtimestamp(last - 60, CLOCK.now().tzinfo)
    os.utime(stand.folder / "alive", (last - 60, last - 60))
    async with stand.running() as watcher:
        assert await eventually(lambda: all(watcher.working(part) for part in OWN_PARTS))
        for part in OWN_PARTS:
            assert await within(partial(ended, stand, part), PATIENCE_S)
            (outage,) = await stand.outages(part)
            assert outage.began_at == died and outage.ended_at and outage.ended_at > died + timedelta(seconds=60)
    assert await stand.outages(Component.DISK) == [], "nobody knows"


async def test_an_outage_outlives_the_process_that_saw_it_begin(stand: Stand) -> None:
    stand.switches[Component.DISK].works = False
    async with stand.running() as watcher:
        assert await eventually(lambda: watcher.working(Component.DISK) is False)

        async def stored() -> bool:
            return bool(await stand.outages(Component.DISK))

        assert await within(stored, PATIENCE_S)
    (before,) = await stand.outages(Component.DISK)
    async with stand.running() as watcher:
        assert await eventually(lambda: watcher.working(Component.DISK) is False)
        stand.switches[Component.DISK].works = True
        assert await within(lambda: ended(stand, Component.DISK), PATIENCE_S)
    (after,) = await stand.outages(Component.DISK)
    assert after.began_at == before.began_at and before.ended_at is None and after.ended_at


async def test_an_outage_between_two_signs_of_life_is_counted(stand: Stand) -> None:
    """One outage after the other, each as short as can be: not one second of any is left out."""
    async with stand.running() as watcher:
        for nth in range(1, 4):
            assert await eventually(lambda: watcher.working(Component.DISK) is True)
            stand.switches[Component.DISK].works = False
            assert await eventually(lambda: watcher.working(Component.DISK) is False)
            stand.switches[Component.DISK].works = True
            assert await within(partial(ended, stand, Component.DISK, nth), PATIENCE_S)
        lasted = sum(
            (outage.ended_at - outage.began_at).total_seconds()
            for outage in await stand.outages(Component.DISK)
            if outage.ended_at
        )
        series = await stand.series()
        counted = float(series['hotline_outage_seconds_total{component="disk",planned="false"}'])
        assert counted == pytest.approx(lasted, abs=0.001)


async def test_maintenance_is_counted_apart(stand: Stand) -> None:
    now, hour = CLOCK.now(), timedelta(hours=1)
    await stand.book.announce(Maintenance(now - hour, now + hour, EVERYTHING, "works"))
    stand.switches[Component.DISK].works = False

    async def counted() -> bool:
        series = await stand.series()
        assert series['hotline_outage_seconds_total{component="disk",planned="false"}'] == "0.0"
        return float(series['hotline_outage_seconds_total{component="disk",planned="true"}']) > 0

    async def stored() -> bool:
        return bool(await stand.outages(Component.DISK))

    async with stand.running():
        assert await within(counted, PATIENCE_S)
        assert await within(stored, PATIENCE_S)
    assert [outage.planned for outage in await stand.outages(Component.DISK)] == [True]


async def test_the_synthetic_caller_watches_the_trunk(stand: Stand) -> None:
    async with stand.running() as watcher:
        assert await eventually(lambda: watcher.working(Component.TRUNK) is True)
        stand.caller.result = SyntheticResult.WRONG_PROMPT
        assert await eventually(lambda: watcher.working(Component.TRUNK) is False)
        assert (await stand.series())["hotline_synthetic_call_success"] == "0.0"
        stand.caller.result = SyntheticResult.NOT_IN_BOOKS  # the trunk's part was all right
        assert await within(lambda: ended(stand, Component.TRUNK), PATIENCE_S)
        stand.caller.result = SyntheticResult.SUCCESS
        calls = stand.caller.calls
        assert await eventually(lambda: stand.caller.calls > calls + 1)
        series = await stand.series()
        assert series["hotline_synthetic_call_success"] == "1.0"
        assert float(series['hotline_synthetic_calls_total{result="wrong_prompt"}']) >= 2
        assert float(series['hotline_synthetic_calls_total{result="not_in_books"}']) >= 1
    (outage,) = await stand.outages(Component.TRUNK)
    assert outage.reason == "synthetic call: wrong_prompt"


async def test_the_outage_of_the_database_itself_waits_on_disk(server: PostgresServer, tmp_path: Path) -> None:
    """Also over a restart of the service, while the database is still away."""
    url = server.create_database()
    await upgrade(url)
    stand = Stand(url, tmp_path)
    began = CLOCK.now()
    async with stand.running() as watcher:
        assert await eventually(lambda: watcher.working(Component.DATABASE) is True)

        async def settled() -> bool:
            """That the watching began, told as it did, waits no longer."""
            return await stand.book.watched_since() is not None and stand.waiting() == []

        assert await within(settled, PATIENCE_S)
        server.stop()
        try:
            assert await eventually(lambda: watcher.working(Component.DATABASE) is False)
            stand.switches[Component.DISK].works = False
            assert await eventually(lambda: watcher.working(Component.DISK) is False)
            stand.switches[Component.DISK].works = True
            assert await eventually(lambda: watcher.working(Component.DISK) is True)
            told = [
                (Told.OPENED, Component.DATABASE),
                (Told.OPENED, Component.DISK),
                (Told.CLOSED, Component.DISK),
            ]
            assert await eventually(lambda: stand.waiting() == told)
        finally:
            server.start()
    async with stand.running():
        assert await within(lambda: ended(stand, Component.DATABASE), PATIENCE_S)
        assert await eventually(lambda: stand.waiting() == [])
    (database,) = await stand.outages(Component.DATABASE)
    (disk,) = await stand.outages(Component.DISK)
    assert database.ended_at and disk.ended_at
    # Not when the server was stopped: a probe that was under way began a moment before.
    assert began <= database.began_at < disk.began_at
    assert disk.began_at < disk.ended_at < database.ended_at
    await stand.engine.dispose()
