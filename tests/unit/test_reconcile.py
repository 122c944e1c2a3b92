"""Books and Asterisk compared: what one witness did not tell another mends; what cannot be mended is raised."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from calls.audit import Difference
from calls.call import Call, Result
from calls.errors import AmiLinkDown, StorageUnavailable
from calls.events import CallEnded, EndedBy, LegEnded, Source
from calls.ids import CallId
from ivr.ami.link import LinkState
from ivr.ami.translate import CelRecord, record_of, translate
from ivr.ami.wire import AmiMessage
from service.findings import Findings
from service.life import Life
from service.pipeline import Pipeline
from service.reconcile import GRACE, Reconciler, ends_nobody_saw
from service.sources import CelSource, QueueSource
from service.spool import Spool
from service.wrap_ups import WrapUps
from storage.audit import SqlAudit
from storage.engine import open_engine
from storage.ledger import SqlLedger
from storage.presence import SqlPresence
from storage.wrap_ups import SqlWrapUps
from tests.support_cel import as_ami, as_line
from tests.support_ledger import NOON
from tests.support_prepared import prepared
from tests.unit.test_one_truth import records_example

CALL = CallId("hotline-1.1")
WRAP_UP_S = 10
RECORDS = records_example()
"""An answered call: arrived, asked, rang, answered, connected, both ends."""


class Clock:
    def __init__(self) -> None:
        self.at = NOON + timedelta(hours=1)

    def now(self) -> datetime:
        return self.at


class Asterisk:
    """The link, as far as the reconciler needs it: what Asterisk would answer."""

    def __init__(self) -> None:
        self.state = LinkState.UP
        self.channels: list[dict[str, str]] = []
        self.started = NOON - timedelta(days=1)

    async def query(self, action: str, fields: object = (), *, complete_event: str) -> list[AmiMessage]:
        if self.state is not LinkState.UP:
            raise AmiLinkDown("down")
        if action == "QueueStatus":
            return [AmiMessage.of({"Event": "QueueMember", "Queue": "inquiry"}), AmiMessage.of({"Event": "x"})]
        return [AmiMessage.of({"Event": "CoreShowChannel", **channel}) for channel in self.channels]

    async def call(self, action: str) -> AmiMessage:
        local = self.started.astimezone()
        return AmiMessage.of(
            {"CoreStartupDate": f"{local:%Y-%m-%d}", "CoreStartupTime": f"{local:%H:%M:%S}", "Response": "Success"}
        )


class Centre:
    """Everything between Asterisk's files and a ledger on SQLite; ``start`` is a start of the service."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder = folder
        self.clock, self.asterisk = Clock(), Asterisk()
        self.engine = open_engine(url)
        self.ledger, self.audit = SqlLedger(self.engine), SqlAudit(self.engine)
        self.cel, self.queue_log = folder / "Master.csv", folder / "queue_log"
        self.members: list[AmiMessage] = []
        self._task: asyncio.Task[None] | None = None
        self.start()

    def start(self) -> None:
        self.findings = Findings(self.audit, self.clock)
        self.pipeline = Pipeline(self.ledger, [], spool=Spool(self.folder / "spool", 1 << 20))
        self.life = Life(self.folder / "life.json", self.folder / "ends")
        self.cel_source = CelSource(self.cel, self.folder / "cel.json", self.pipeline, self.findings, self.life)
        self.queue_source = QueueSource(
            self.queue_log,
            self.folder / "queue.json",
            findings=self.findings,
            audit=self.audit,
            presence=SqlPresence(self.engine),
            grace=GRACE,
        )
        self.wrap_ups = WrapUps(SqlWrapUps(self.engine, "hotline"), SqlPresence(self.engine), WRAP_UP_S)
        self.reconciler = Reconciler(
            link=self.asterisk,  # type: ignore[arg-type]
            cel=self.cel_source,
            queue=self.queue_source,
            pipeline=self.pipeline,
            ledger=self.ledger,
            audit=self.audit,
            findings=self.findings,
            life=self.life,
            wrap_ups=self.wrap_ups,
            clock=self.clock,
            every_s=3600,
            on_members=lambda members: setattr(self, "members", members),
            on_compared=lambda: None,
        )
        self._task = asyncio.create_task(self.pipeline.run())

    async def kill(self) -> None:
        assert self._task
        self._task.cancel()
        await asyncio.wait({self._task})

    async def ami(self, *records: CelRecord) -> None:
        """AMI tells these."""
        for record in records:
            message = record_of(as_ami(replace(record, at=record.at + timedelta(microseconds=300))))
            event = translate(message) if message else None
            if event:
                await self.pipeline.put(event)
        await self.pipeline.drained()

    def file(self, *records: CelRecord) -> None:
        """The file tells these."""
        with self.cel.open("a") as file:
            file.writelines(map(as_line, records))

    def queue(self, *lines: str) -> None:
        with self.queue_log.open("a") as file:
            file.writelines(f"{line}\n" for line in lines)

    async def audited(self) -> None:
        await self.reconciler._audit_once()

    async def reconnected(self) -> None:
        await self.reconciler._catch_up()

    async def call(self) -> Call:
        found = await self.ledger.call(CALL)
        assert found
        return found

    async def repairs(self) -> list[tuple[str, Source]]:
        return [(r.what, r.source) for r in await self.audit.repairs(NOON, NOON + timedelta(days=1))]

    async def raised(self) -> list[Difference]:
        return [found.kind for found in await self.audit.discrepancies()]


@pytest_asyncio.fixture
async def centre(tmp_path: Path) -> AsyncIterator[Centre]:
    url = await prepared("sqlite", tmp_path)
    centre = Centre(tmp_path, url)
    yield centre
    await centre.kill()
    await centre.engine.dispose()


def truth() -> Call:
    return Call.of([event for record in RECORDS if (event := translate(record))])


S = int(NOON.timestamp())
QUEUE_LINES = (
    f"{S + 11}|{CALL}|inquiry|NONE|ENTERQUEUE||13900001234|1",
    f"{S + 15}|{CALL}|inquiry|1002|CONNECT|4|hotline-2.3|4",
    f"{S + 48}|{CALL}|inquiry|1002|COMPLETECALLER|4|33|1",
)


async def test_what_both_told_is_in_the_books_as_the_file_has_it(centre: Centre) -> None:
    await centre.ami(*RECORDS)
    centre.file(*RECORDS)
    centre.queue(*QUEUE_LINES)
    await centre.audited()
    assert await centre.call() == truth()
    assert {event.source for event in await centre.ledger.events(CALL)} == {Source.FILE}
    assert (await centre.repairs(), await centre.raised()) == ([], [])


async def test_what_ami_did_not_tell_comes_from_the_file(centre: Centre) -> None:
    await centre.ami(RECORDS[0])
    centre.file(*RECORDS)
    await centre.reconnected()
    assert await centre.call() == truth()
    assert [message.event for message in centre.members] == ["QueueMember"]


async def test_what_the_file_did_not_take_is_in_the_books_by_ami_and_noted(centre: Centre) -> None:
    await centre.ami(*RECORDS)
    centre.file(*RECORDS[:3])  # then its disk was full
    await centre.audited()
    assert (await centre.call()).result is Result.ANSWERED
    assert await centre.repairs() == [
        (kind, Source.AMI) for kind in ("answered", "connected", "ended", "leg_ended")
    ]
    assert centre.findings.repaired == {Source.AMI: 4}
    await centre.audited()
    assert centre.findings.repaired == {Source.AMI: 4}  # noted once


async def test_what_only_the_queue_log_saw_is_mended_from_it_after_a_while(centre: Centre) -> None:
    centre.asterisk.channels = [{"Uniqueid": CALL, "Linkedid": CALL, "Context": "person"}]
    centre.queue(*QUEUE_LINES)
    centre.clock.at = NOON + timedelta(seconds=22)
    await centre.audited()
    assert (await centre.call()).result is Result.IN_PROGRESS  # the connection is not old enough to be missed
    centre.clock.at = NOON + timedelta(minutes=5)
    await centre.audited()
    call = await centre.call()
    assert (call.result, call.section, call.wait_s, call.ended_by) == (
        Result.ANSWERED,
        "inquiry",
        4.0,
        EndedBy.CALLER,
    )
    assert {source for _, source in await centre.repairs()} == {Source.QUEUE_LOG}
    centre.file(*RECORDS)  # a rotated file was found again, say
    await centre.audited()
    assert await centre.call() == truth()


async def test_who_was_logged_in_is_noted(centre: Centre) -> None:
    centre.queue(f"{S}|MANAGER|inquiry|1001|ADDMEMBER|", f"{S + 60}|NONE|inquiry|1001|PAUSE|Auto-Pause")
    await centre.audited()
    book = SqlPresence(centre.engine)
    (presence,) = (await book.presence_s(NOON, NOON + timedelta(seconds=100))).values()
    assert (presence.logged_in_s, presence.paused_s) == (100, 40)


async def test_a_contradiction_is_raised_until_somebody_settles_it(
    centre: Centre, caplog: pytest.LogCaptureFixture
) -> None:
    centre.file(*RECORDS)
    centre.queue(f"{S + 30}|{CALL}|inquiry|NONE|ABANDON|1|1|19")
    await centre.audited()
    assert await centre.raised() == [Difference.DIFFERS]
    assert centre.findings.open == {Difference.DIFFERS: 1}
    assert "books.differ" in [entry.message for entry in caplog.records]
    assert "13900001234" not in str([vars(entry) for entry in caplog.records])  # P1
    (found,) = await centre.audit.discrepancies()
    assert found.call_id == CALL
    assert await centre.audit.settle(centre.clock.now(), [found.key]) == 1
    await centre.audited()
    assert centre.findings.open == {}


async def test_a_lost_file_and_unreadable_lines_are_raised_once(centre: Centre) -> None:
    centre.file(*RECORDS[:2])
    with centre.cel.open("a") as file:
        file.write("no record\n")
    await centre.audited()
    assert await centre.raised() == [Difference.LINE_UNREADABLE]
    centre.cel.unlink()
    for _ in range(2):
        await centre.audited()
    assert await centre.raised() == [Difference.LINE_UNREADABLE, Difference.SOURCE_LOST]


async def test_reading_goes_on_after_a_kill_where_the_books_stand(centre: Centre) -> None:
    centre.file(*RECORDS[:3])
    await centre.audited()
    await centre.kill()
    centre.cel.rename(centre.cel.with_name("Master.csv.1"))
    centre.file(*RECORDS[3:])
    centre.start()
    await centre.reconnected()
    assert await centre.call() == truth()
    assert await centre.raised() == []


async def test_a_checkpoint_that_cannot_be_written_costs_nothing_but_time(
    centre: Centre, caplog: pytest.LogCaptureFixture
) -> None:
    blocked = centre.folder / ".cel.json"
    blocked.mkdir()
    centre.file(*RECORDS[:3])
    await centre.audited()
    centre.file(*RECORDS[3:])
    await centre.audited()
    assert [entry.message for entry in caplog.records].count("tail.checkpoint_not_stored") == 1
    blocked.rmdir()
    await centre.kill()
    centre.start()
    await centre.audited()
    assert await centre.call() == truth()
    assert (centre.folder / "cel.json").exists()


async def test_a_call_that_asterisk_died_with_ends_at_its_last_sign_of_life(centre: Centre) -> None:
    centre.file(*RECORDS[:5])
    died = NOON + timedelta(seconds=31.25)
    centre.life.sign(NOON + timedelta(seconds=30))
    (centre.folder / "ends").write_text(f"{died.timestamp():.6f}\n")
    centre.asterisk.started = NOON + timedelta(seconds=33)
    other = [replace(r, unique_id="hotline-9.1", linked_id="hotline-9.1") for r in RECORDS[:1]]
    centre.file(replace(other[0], at=NOON + timedelta(seconds=40)))  # a call of the new Asterisk, and it lives
    centre.asterisk.channels = [{"Uniqueid": "hotline-9.1"}]
    await centre.reconnected()
    call = await centre.call()
    assert (call.ended_at, call.ended_by, call.result) == (died, EndedBy.SYSTEM, Result.ANSWERED)
    assert [offer.ended_at for offer in call.offers] == [died]
    assert await centre.repairs() == [("ended", Source.ESTIMATE), ("leg_ended", Source.ESTIMATE)]
    # Computed again, by the next process, it is the same; and what the file tells goes before it.
    await centre.kill()
    centre.start()
    await centre.reconnected()
    assert (await centre.call()).ended_at == died
    centre.file(*RECORDS[5:])
    await centre.audited()
    assert await centre.call() == truth()


async def test_a_call_without_a_channel_is_closed_at_the_second_look_only(centre: Centre) -> None:
    centre.file(*RECORDS[:5])
    await centre.audited()
    assert (await centre.call()).ended_at is None
    await centre.audited()
    assert (await centre.call()).ended_at == RECORDS[
        4
    ].at  # Asterisk lives: its own last fact is all that is known


async def test_a_caller_whom_the_books_do_not_know_is_raised_and_heals(centre: Centre) -> None:
    centre.asterisk.channels = [{"Uniqueid": CALL, "Linkedid": CALL, "Context": "person"}]
    await centre.audited()
    assert await centre.raised() == []
    await centre.audited()
    assert await centre.raised() == [Difference.NOT_IN_BOOKS]
    centre.file(*RECORDS)
    await centre.audited()
    assert await centre.raised() == []
    (settled,) = await centre.audit.discrepancies(NOON, NOON + timedelta(days=1))
    assert settled.settled_at == centre.clock.now()


async def test_agents_and_helpers_channels_are_nobodys_call(centre: Centre) -> None:
    centre.asterisk.channels = [
        {"Uniqueid": "hotline-7.1", "Linkedid": CALL, "Context": "from-agents"},
        {"Uniqueid": "hotline-7.2", "Linkedid": "hotline-7.2", "Context": "agent-login"},
    ]
    for _ in range(3):
        await centre.audited()
    assert await centre.raised() == []


async def test_without_asterisk_the_files_are_compared_all_the_same(centre: Centre) -> None:
    centre.asterisk.state = LinkState.DOWN
    centre.file(*RECORDS)
    centre.queue(*QUEUE_LINES)
    await centre.audited()
    assert await centre.call() == truth()


async def test_it_runs_by_itself_when_the_link_comes_up(centre: Centre) -> None:
    compared = asyncio.Event()
    centre.reconciler._on_compared = compared.set
    centre.file(*RECORDS)
    task = asyncio.create_task(centre.reconciler.run())
    centre.reconciler.on_link(LinkState.UP)
    await asyncio.wait_for(compared.wait(), 60)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    assert await centre.call() == truth()


# --- ends that nobody saw ---


@pytest.mark.parametrize(
    ("restarted_after_s", "ends_s", "ended_after_s"),
    [
        (None, (), 15.4),
        (None, (60,), 15.4),
        (60.0, (), 47.5),
        (60.0, (47.7,), 47.7),
        (60.0, (3, 47.7, 55, 70), 47.7),
        (60.0, (3, 70), 47.5),
    ],
)
def test_the_best_knowable_end(
    tmp_path: Path, restarted_after_s: float | None, ends_s: tuple[float, ...], ended_after_s: float
) -> None:
    """The end of Asterisk that somebody saw; else its last sign of life; else the call's own last fact."""
    events = [event for record in RECORDS[:5] if (event := translate(record))]
    ends = tmp_path / "ends"
    ends.write_text("".join(f"{NOON.timestamp() + after_s:.6f}\n" for after_s in ends_s))
    life = Life(tmp_path / "life.json", ends)
    life.look()
    for after_s in (16, 47.5, 90):
        life.sign(NOON + timedelta(seconds=after_s))
    started = NOON + timedelta(seconds=restarted_after_s) if restarted_after_s else NOON - timedelta(days=1)
    leg, end = ends_nobody_saw(Call.of(events), events, life, started)
    assert isinstance(leg, LegEnded)
    assert isinstance(end, CallEnded)
    assert leg.at == end.at == NOON + timedelta(seconds=ended_after_s)
    assert (end.by, leg.source, end.source) == (EndedBy.SYSTEM, Source.ESTIMATE, Source.ESTIMATE)


def test_the_last_sign_of_life_is_remembered(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path, ends = tmp_path / "life.json", tmp_path / "ends"
    hour = NOON + timedelta(hours=1)
    life = Life(path, ends)
    assert life.end_of(NOON, hour) is None
    for ms in (0, 50, 100, 5000):
        life.sign(NOON + timedelta(milliseconds=ms))
    life.store()
    assert Life(path, ends).end_of(NOON, hour) == NOON + timedelta(seconds=5)
    assert life.end_of(NOON, NOON + timedelta(seconds=4)) == NOON + timedelta(milliseconds=100)
    for damage in ("", "{}", '{"at": 5}', "[]"):
        path.write_text(damage)
        assert Life(path, ends).end_of(NOON, hour) is None
    ends.write_text("soon\n")
    life.look()
    assert {entry.message for entry in caplog.records} == {"life.damaged"}
    assert all(entry.levelno == logging.WARNING for entry in caplog.records)


async def test_findings_wait_while_the_database_is_away(tmp_path: Path) -> None:
    class Away:
        def __init__(self) -> None:
            self.gone = True

        async def raised(self, found: Sequence[Any]) -> list[Any]:
            if self.gone:
                raise StorageUnavailable("away")
            return list(found)

        async def repaired(self, repairs: Sequence[Any]) -> list[Any]:
            return list(repairs)

    book = Away()
    findings = Findings(book, Clock())  # type: ignore[arg-type]
    findings.differs(Difference.LINE_UNREADABLE, "cel/1/2", "x")
    findings.differs(Difference.LINE_UNREADABLE, "cel/1/2", "x")
    assert not await findings.flush()
    assert findings.waiting == 1
    book.gone = False
    assert await findings.flush()
    assert findings.waiting == 0
