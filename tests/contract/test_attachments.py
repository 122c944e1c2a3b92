"""Files of cases: kept like recordings, refused where they could do harm, let go when it is time (C3, P2)."""

from __future__ import annotations

import asyncio
import io
import zipfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from calls.attachments import LARGEST, MOST
from calls.cases import Login
from calls.errors import AttachmentRefused, AudioDamaged, AudioGone
from recordings.file_kinds import harmless_name, kind_of_file
from recordings.keys import keys_of_file, rotated
from recordings.store import FolderStore
from service.attachments import AttachmentVault
from storage.access import SqlAccessLog
from storage.attachments import SqlAttachments
from storage.cases import SqlCases
from tests.support_cases import CLOCKS, SHANGHAI, ZERO, SetClock, registered, steps
from tests.support_prepared import dropped, patient_engine, prepared

LI = Login("li")
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40


@dataclass
class Stand:
    vault: AttachmentVault
    cases: SqlCases
    clock: SetClock
    folder: Path
    engine: AsyncEngine


@pytest_asyncio.fixture(params=["sqlite", "postgresql"])
async def stand(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Stand]:
    address = await prepared(request.param, tmp_path)
    engine, clock = patient_engine(address), SetClock()
    vault = AttachmentVault(
        FolderStore(tmp_path / "vault"),
        keys_of_file(tmp_path / "keys.json"),
        SqlAttachments(engine),
        SqlAccessLog(engine, clock),
        clock,
    )
    yield Stand(vault, SqlCases(engine, SHANGHAI, CLOCKS), clock, tmp_path, engine)
    await engine.dispose()
    dropped(address)


async def test_a_file_comes_back_as_it_was_and_lies_sealed(stand: Stand) -> None:
    case = await stand.cases.register(registered(), "k")
    kept = await stand.vault.add(case.number, "C:\\照片\\扶梯 <1>.PNG", PNG, LI)
    assert kept.name == "扶梯 _1_.png" and kept.content_type == "image/png"
    with await stand.vault.open(kept) as file:
        assert file.read() == PNG
    assert list(await stand.vault.of_case(case.number)) == [kept] and await stand.vault.find(kept.id) == kept
    (sealed,) = (path for path in (stand.folder / "vault").rglob("*.sealed"))
    assert PNG[8:300] not in sealed.read_bytes()


async def test_one_that_was_changed_does_not_open(stand: Stand) -> None:
    case = await stand.cases.register(registered(), "k")
    kept = await stand.vault.add(case.number, "a.png", PNG, LI)
    (sealed,) = (stand.folder / "vault").rglob("*.sealed")
    body = bytearray(sealed.read_bytes())
    body[-5] ^= 1
    sealed.write_bytes(body)
    with pytest.raises(AudioDamaged):
        await stand.vault.open(kept)
    sealed.unlink()
    with pytest.raises(AudioDamaged):
        await stand.vault.open(kept)


async def test_what_cannot_be_taken_is_refused_and_leaves_nothing(stand: Stand) -> None:
    case = await stand.cases.register(registered(), "k")
    for body, why in ((b"", "empty"), (PNG + bytes(LARGEST), "large"), (b"<html>", "kind"), (b"MZ\x90", "kind")):
        with pytest.raises(AttachmentRefused) as refused:
            await stand.vault.add(case.number, "x", body, LI)
        assert refused.value.why == why
    assert not list((stand.folder / "vault").rglob("*.sealed"))


async def test_a_case_has_so_many_files_and_no_more_whoever_adds_them_at_once(stand: Stand) -> None:
    case = await stand.cases.register(registered(), "k")

    async def add(n: int) -> bool:
        try:
            await stand.vault.add(case.number, f"{n}.png", PNG, LI)
        except AttachmentRefused as refused:
            assert refused.why == "many"
            return False
        return True

    done = await asyncio.gather(*map(add, range(MOST + 5)))
    assert sum(done) == MOST == len(list((stand.folder / "vault").rglob("*.sealed")))


async def test_a_new_master_key_wraps_them_too(stand: Stand) -> None:
    case = await stand.cases.register(registered(), "k")
    kept = await stand.vault.add(case.number, "a.png", PNG, LI)
    new = AttachmentVault(
        stand.vault.store,
        rotated(stand.folder / "keys.json"),
        stand.vault.books,
        stand.vault.accesses,
        stand.clock,
    )
    assert await new.rewrap() == 1 and await new.rewrap() == 0
    with await new.open(kept) as file:
        assert file.read() == PNG


async def test_they_go_when_the_case_is_settled_and_old_and_that_is_on_record(stand: Stand) -> None:
    settled = await stand.cases.register(registered(), "a")
    running = await stand.cases.register(registered(content="另一件"), "b")
    gone = await stand.vault.add(settled.number, "张三的信.png", PNG, LI)
    stays = await stand.vault.add(running.number, "b.png", PNG, LI)
    for event in steps([ZERO]):
        settled = await stand.cases.append(settled.number, settled.version, event)
    stand.clock.pass_(days=9)
    assert await stand.vault.let_go(10) == 0
    stand.clock.pass_(days=2)
    assert await stand.vault.let_go(10) == 1 and await stand.vault.let_go(10) == 0
    assert await stand.vault.find(gone.id) is None and await stand.vault.find(stays.id) == stays
    with pytest.raises(AudioGone):
        await stand.vault.open(gone)
    assert len(list((stand.folder / "vault").rglob("*.sealed"))) == 1
    async with stand.engine.connect() as connection:
        rows = await connection.execute(text("SELECT name FROM attachments WHERE wrapped_key IS NULL"))
        assert rows.scalars().all() == [""]
        kinds = await connection.execute(text("SELECT kind FROM access_log"))
        assert kinds.scalars().all() == ["delete"]


def archive(*names: str) -> bytes:
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as made:
        for name in names:
            made.writestr(name, "x")
    return body.getvalue()


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"\xff\xd8\xff\xe0rest", "image/jpeg"),
        (b"%PDF-1.7", "application/pdf"),
        (b"RIFF\x00\x00\x00\x00WAVEfmt ", "audio/wav"),
        (b"RIFF\x00\x00\x00\x00AVI LIST", None),
        ("投诉信".encode(), "text/plain"),
        (b"\n <script>alert(1)</script>", None),
        (b"a\x00b", None),
        (archive("word/document.xml"), "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        (archive("word/document.xml", "word/vbaProject.bin"), None),
        (archive("evil.exe"), None),
        (b"PK\x03\x04broken", None),
        (b'<svg onload="x">', None),
    ],
)
def test_a_kind_is_known_by_what_is_in_it(body: bytes, kind: str | None) -> None:
    assert kind_of_file(body) == kind


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("../../etc/passwd", "passwd.txt"),
        ("信.html", "信.txt"),
        ("", "file.txt"),
        ("...", "file.txt"),
        ("a\r\nSet-Cookie: x.txt", "aSet-Cookie_ x.txt"),
        ("abc\u202egnp.exe", "abcgnp.txt"),
        ("长" * 300, "长" * 115 + ".txt"),
    ],
)
def test_a_name_does_no_harm(name: str, shown: str) -> None:
    assert harmless_name(name, "text/plain") == shown
