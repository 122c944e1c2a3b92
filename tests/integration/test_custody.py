"""Custody on a real database and disk: taken in once, whole, whenever the process is killed (P1, P2)."""

from __future__ import annotations

import asyncio
import wave
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO

import pytest
import pytest_asyncio
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from calls.custody import SPOKEN_LEGS, Access, AccessKind, Leg
from calls.errors import AccessDenied, AudioDamaged, AudioGone, CustodyError, RecordingError
from calls.ids import CallId
from metrics import catalogue
from metrics.exporter import Exporter
from recordings.keys import keys_of_file, rotated
from recordings.store import FolderStore, Store
from service import custody as custody_module
from service.custodian import Custodian
from service.custody import Custody, by_service
from storage.access import SqlAccessLog
from storage.attachments import SqlAttachments
from storage.custody import SqlRecordings
from tests.support_prepared import dropped, patient_engine, prepared

CALL = CallId("hotline-1795000000.7")
NOW = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
LISTENER = Access("os:li", AccessKind.LISTEN_ORIGINAL, "complaint 12", CALL, Leg.AGENT)


class Clock:
    def now(self) -> datetime:
        return NOW


@pytest_asyncio.fixture(params=["sqlite", "postgresql"])
async def engine(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    url = await prepared(request.param, tmp_path)
    engine = patient_engine(url)
    yield engine
    await engine.dispose()
    dropped(url)


@pytest.fixture
def custody(engine: AsyncEngine, tmp_path: Path) -> Custody:
    return Custody(
        FolderStore(tmp_path / "vault"),
        keys_of_file(tmp_path / "keys.json"),
        SqlRecordings(engine),
        SqlAccessLog(engine, Clock()),
        Clock(),
        SqlAttachments(engine),
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A finished recording in the intake: a second of sound that differs from leg to leg."""
    path = tmp_path / "recordings" / "intake" / CALL
    path.mkdir(parents=True)
    for number, leg in enumerate(Leg, start=1):
        with wave.open(str(path / f"{leg}.wav"), "wb") as audio:
            audio.setparams((1, 2, 16_000, 0, "NONE", ""))
            audio.writeframes(bytes([number]) * 32_000)
    return path


async def sound(custody: Custody, leg: Leg = Leg.AGENT) -> bytes:
    with await custody.open(CALL, leg, replace(LISTENER, leg=leg)) as file:
        return file.read()


def body_of(store: Store, place: str) -> bytes:
    with store.open(place) as file:
        return file.read()


async def test_a_recording_is_sealed_and_the_plain_files_go(
    custody: Custody, folder: Path, tmp_path: Path
) -> None:
    plain = {leg: (folder / f"{leg}.wav").read_bytes() for leg in Leg}
    kept = {each.leg: each for each in await custody.ingest(folder)}
    assert not folder.exists()
    for leg in Leg:
        assert await sound(custody, leg) == plain[leg]
        assert kept[leg].duration_s == 1.0 and kept[leg].sample_rate_hz == 16_000 and kept[leg].complete
    for path in (tmp_path / "vault").rglob("*"):
        assert not path.is_file() or bytes([1]) * 100 not in path.read_bytes()
    assert [each.leg for each in await custody.recordings(CALL)] == sorted(Leg)


@pytest.mark.parametrize("step", ["store.put", "books.store", "_remove"])
@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_kill_at_any_step_ends_in_the_same_state(
    custody: Custody, folder: Path, step: str, when: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = (folder / "agent.wav").read_bytes()

    class Killed(BaseException):
        pass

    def killing(work: Callable[..., Any]) -> Callable[..., Any]:
        def act(*arguments: Any) -> Any:
            if when == "after":
                work(*arguments)
            raise Killed

        async def act_async(*arguments: Any) -> Any:
            if when == "after":
                await work(*arguments)
            raise Killed

        return act_async if step == "books.store" else act

    with monkeypatch.context() as patch:
        owner: Any = {"store.put": FolderStore, "books.store": SqlRecordings, "_remove": custody_module}[step]
        name = step.rpartition(".")[2]
        work = getattr(owner, name)
        patch.setattr(owner, name, killing(work) if step == "_remove" else _method(killing, work))
        with pytest.raises(Killed):
            await custody.ingest(folder)
    if step == "_remove" and when == "after":
        with pytest.raises(FileNotFoundError):
            await custody.ingest(folder)
    else:
        await custody.ingest(folder)
    assert not folder.exists()
    assert await sound(custody) == whole
    assert len(list(custody.store.places())) == 3 and len(await custody.recordings(CALL)) == 3


def _method(killing: Callable[..., Any], work: Callable[..., Any]) -> Callable[..., Any]:
    """A method in place of ``work`` that kills."""
    made = killing(work)
    return lambda self, *arguments: made(self, *arguments)


async def test_a_full_disk_loses_nothing_and_is_tried_again(
    custody: Custody, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Store, place: str, sealed: BinaryIO) -> None:
        raise CustodyError("the store of recordings failed: No space left on device")

    kept: list[CallId] = []
    exporter = Exporter(sections=(), limit_s=15.0, build={})
    custodian = Custodian(custody, folder.parent, exporter, timedelta(days=1), kept.append)
    custodian.arrived(CALL)
    with monkeypatch.context() as patch:
        patch.setattr(FolderStore, "put", full)
        assert await custodian._take_in()
    assert folder.exists() and exporter.total(catalogue.INGEST_ERRORS) == 1
    assert not await custodian._take_in()
    assert kept == [CALL] and not folder.exists() and exporter.total(catalogue.RECORDINGS_STORED) == 1


async def test_what_is_no_recording_stays_for_a_person_to_look_at(custody: Custody, folder: Path) -> None:
    (folder / "agent.wav").write_bytes(b"junk")
    with pytest.raises(RecordingError):
        await custody.ingest(folder)
    assert folder.exists()


async def test_damage_is_found_told_and_noted(custody: Custody, folder: Path, tmp_path: Path) -> None:
    await custody.ingest(folder)
    one = next(each for each in await custody.recordings(CALL) if each.leg is Leg.AGENT)
    assert await custody.is_whole(one)
    path = tmp_path / "vault" / one.location
    body = path.read_bytes()
    path.write_bytes(body[:100] + bytes([body[100] ^ 1]) + body[101:])
    assert not await custody.is_whole(one)
    assert await custody.books.damaged() == [one]
    with pytest.raises(AudioDamaged):
        await sound(custody)
    path.unlink()
    assert not await custody.is_whole(one)
    path.write_bytes(body)
    assert await custody.is_whole(one) and not await custody.books.damaged()


async def test_a_new_master_key_wraps_what_the_old_one_did(custody: Custody, folder: Path, tmp_path: Path) -> None:
    await custody.ingest(folder)
    sealed = {place: body_of(custody.store, place) for place in custody.store.places()}
    renewed = replace(custody, keys=rotated(tmp_path / "keys.json"))
    assert await renewed.rewrap() == 3 and await renewed.rewrap() == 0
    assert {each.key_id for each in await custody.recordings(CALL)} == {renewed.keys.current}
    assert sealed == {place: body_of(custody.store, place) for place in custody.store.places()}
    assert (await sound(renewed))[:4] == b"RIFF"


async def test_deletion_destroys_the_key_and_leaves_a_tombstone(custody: Custody, folder: Path) -> None:
    await custody.ingest(folder)
    await custody.bury(CALL, Access("service:retention", AccessKind.DELETE, "90 days are over", CALL))
    assert not list(custody.store.places()) and not await custody.recordings(CALL)
    with pytest.raises(AudioGone, match="90 days are over"):
        await custody.open(CALL, Leg.AGENT, LISTENER)
    kept = await custody.books.find(CALL, Leg.AGENT)
    assert kept and kept.wrapped_key is None and kept.recording.sha256


async def test_nothing_is_heard_that_is_not_on_record_first(custody: Custody, folder: Path) -> None:
    await custody.ingest(folder)
    with pytest.raises(AccessDenied, match="a reason is needed"):
        await custody.open(CALL, Leg.AGENT, replace(LISTENER, reason=" "))
    await sound(custody)
    for leg in SPOKEN_LEGS:
        (await custody.open(CALL, leg, by_service("transcription", "transcription", CALL, leg))).close()
    log = custody.accesses
    assert isinstance(log, SqlAccessLog)
    assert [entry.access.actor for entry in await log.entries(call_id=CALL)] == [
        "os:li",
        "service:transcription",
        "service:transcription",
    ]


# ── The access log ───────────────────────────────────────────────────────────────────────────────────────────


@pytest_asyncio.fixture
async def written(engine: AsyncEngine) -> SqlAccessLog:
    log = SqlAccessLog(engine, Clock())
    for number in range(5):
        await log.note(replace(LISTENER, reason=f"reason {number} \u200b'; --"))
    return log


async def test_a_chain_is_whole_and_knows_its_anchor(written: SqlAccessLog) -> None:
    chain = await written.verify()
    assert chain.whole and chain.entries == 5
    assert (await written.verify(chain.last_hash)).whole
    assert (await written.verify("f" * 64)).why.startswith("the entry of the anchor is missing")


async def test_entries_are_found_by_call_person_and_time(written: SqlAccessLog) -> None:
    assert len(await written.entries(call_id=CALL, actor="os:li", since=NOW)) == 5
    assert await written.entries(until=NOW) == [] == await written.entries(actor="os:wang")


@pytest.mark.parametrize("change", ["UPDATE access_log SET reason = 'x'", "DELETE FROM access_log"])
async def test_the_database_refuses_to_change_the_log(
    written: SqlAccessLog, engine: AsyncEngine, change: str
) -> None:
    with pytest.raises(DBAPIError, match="append-only"):
        async with engine.begin() as connection:
            await connection.execute(text(change))
    assert (await written.verify()).entries == 5


@pytest.mark.parametrize(
    ("change", "broken_at"),
    [
        ("UPDATE access_log SET reason = 'x' WHERE number = 3", 3),
        ("UPDATE access_log SET kind = 'nonsense' WHERE number = 2", 2),
        ("DELETE FROM access_log WHERE number = 4", 4),
        ("UPDATE access_log SET number = number + 10 WHERE number > 1", 2),
        ("DELETE FROM access_log WHERE number = 1", 1),
    ],
)
async def test_who_gets_past_the_database_breaks_the_chain(
    written: SqlAccessLog, engine: AsyncEngine, change: str, broken_at: int
) -> None:
    async with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            await connection.execute(text("ALTER TABLE access_log DISABLE TRIGGER ALL"))
        else:
            for act in ("update", "delete"):
                await connection.execute(text(f"DROP TRIGGER access_log_no_{act}"))
        await connection.execute(text(change))
    assert (await written.verify()).broken_at == broken_at


@pytest.mark.parametrize(
    "access",
    [
        replace(LISTENER, reason=""),
        replace(LISTENER, reason="x" * 501),
        replace(LISTENER, reason="two\nlines"),
        replace(LISTENER, actor=" "),
        replace(LISTENER, actor="a\x00b"),
    ],
)
async def test_what_cannot_be_kept_is_refused(engine: AsyncEngine, access: Access) -> None:
    log = SqlAccessLog(engine, Clock())
    with pytest.raises(AccessDenied):
        await log.note(access)
    assert (await log.verify()).entries == 0


async def test_two_who_write_at_once_make_one_chain(engine: AsyncEngine) -> None:
    logs = [SqlAccessLog(engine, Clock()) for _ in range(8)]
    await asyncio.gather(*(log.note(LISTENER) for log in logs for _ in range(3)))
    chain = await logs[0].verify()
    assert chain.whole and chain.entries == 24
