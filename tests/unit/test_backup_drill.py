"""The drill (P2): record, back up, be killed, lose everything, restore elsewhere, compare every row and byte."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO

import pytest
from sqlalchemy import select

from calls.custody import Access, AccessKind, Leg
from calls.errors import BackupError, KeyMissing
from calls.ids import CallId
from recordings.keys import rotated
from recordings.store import Store
from service import backup_manifest as kept
from service.backup import back_up, last_backup, problems
from service.restore import into, restore
from service.settings import Settings
from storage.access import SqlAccessLog
from storage.engine import open_engine
from storage.schema import metadata
from tests.support_books import SetClock
from tests.support_postgres import postgres
from tests.support_vault import NOW, Scene, scene

ME = "os:me"


@pytest.fixture(params=["sqlite", "postgresql"])
def urls(request: pytest.FixtureRequest) -> Iterator[tuple[str, str]]:
    """A database to lose, and an empty one."""
    if request.param == "sqlite":
        yield "", ""
    else:
        both = postgres().create_database(), postgres().create_database()
        yield both
        for url in both:
            postgres().drop_database(url)


async def rows(settings: Settings) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table."""
    engine = open_engine(settings.ledger_url)
    found = {}
    async with engine.connect() as connection:
        for table in metadata.sorted_tables:
            found[table.name] = sorted((tuple(row) for row in await connection.execute(select(table))), key=repr)
    await engine.dispose()
    return found


async def sounds(at: Scene, calls: list[CallId]) -> dict[tuple[str, str], bytes]:
    """Every plain byte of these calls."""
    found = {}
    for call in calls:
        for leg in Leg:
            with await at.custody.open(call, leg, Access(ME, AccessKind.LISTEN_ORIGINAL, "drill")) as sound:
                found[call, leg.value] = sound.read()
    return found


class Killed(BaseException):
    pass


class Dying:
    """A store whose reader is killed at the n-th object."""

    def __init__(self, store: Store, after: int) -> None:
        self._store, self._left = store, after

    def open(self, place: str) -> BinaryIO:
        self._left -= 1
        if self._left < 0:
            raise Killed
        return self._store.open(place)


async def test_drill(urls: tuple[str, str], tmp_path: Path) -> None:
    folder = tmp_path / "backup"
    async with scene(urls[0], tmp_path) as at:
        calls = [await at.recorded(f"1.{number}", number, "complaint") for number in range(3)]
        gone = await at.recorded("1.7", 900, "inquiry")
        await at.retention.believe(NOW)
        (at.settings.var_dir / "secrets.json").write_text('{"ami": "x"}')
        first = await back_up(at.settings, at.custody, folder, ME)
        assert (first.manifest.objects, first.copied) == (12, 12)
        # A day later: one call more, one less; killed in the middle, and begun again.
        at.clock.moment += timedelta(days=1)
        calls.append(await at.recorded("2.1", 0))
        assert await at.keeper.keep() == 1
        dying = replace(at.custody, store=Dying(at.custody.store, 2))  # type: ignore[arg-type]
        with pytest.raises(Killed):
            await back_up(at.settings, dying, folder, ME)
        assert kept.read(folder) == first.manifest
        assert list(problems(folder)) == []
        heard = await sounds(at, calls)
        at.clock.moment += timedelta(seconds=1)
        second = await back_up(at.settings, at.custody, folder, ME)
        assert (second.manifest.objects, second.copied) == (12, 3)
        assert last_backup(at.settings) == at.clock.now()
        assert list(problems(folder)) == []
        assert sum(path.is_file() for path in (folder / kept.OBJECTS).rglob("*")) == 12
        before = await rows(at.settings)
        keys = (tmp_path / "safe" / "keys.json", at.settings.var_dir / "keys.json")
        keys[0].parent.mkdir()
        shutil.copy(keys[1], keys[0])
        shutil.copy(at.settings.var_dir / "secrets.json", keys[0].parent)
        lost = at.settings
    shutil.rmtree(lost.var_dir)

    place = into(lost, tmp_path / "elsewhere", urls[1])
    clock = SetClock(NOW + timedelta(days=2))
    with pytest.raises(KeyMissing, match="the master keys are not here"):
        await restore(place, folder, ME, clock)
    assert await restore(place, folder, ME, clock, keys=keys[0]) == []
    after = await rows(place)
    [restored] = [row for row in after["access_log"] if row[3] == "restore"]
    after["access_log"].remove(restored)
    assert after == before
    assert (place.var_dir / "secrets.json").read_bytes() == (keys[0].parent / "secrets.json").read_bytes()
    async with scene(urls[1], tmp_path, place) as again:
        assert await sounds(again, calls) == heard
        assert gone not in again.objects()
        assert (await SqlAccessLog(again.engine, clock).verify(second.manifest.audit_hash)).whole
    with pytest.raises(BackupError, match="--force"):
        await restore(place, folder, ME, clock)
    assert await restore(place, folder, ME, clock, force=True) == []


async def test_what_was_changed_in_a_backup_is_found_and_said(tmp_path: Path) -> None:
    folder = tmp_path / "backup"
    async with scene("", tmp_path) as at:
        await at.recorded("1.1", 1)
        await back_up(at.settings, at.custody, folder, ME, with_keys=True)
        rotated(at.settings.var_dir / "keys.json")
    manifest = kept.read(folder)
    one, two, _ = sorted(path for path in (folder / kept.OBJECTS).rglob("*") if path.is_file())
    one.write_bytes(one.read_bytes()[:-1] + b"!")
    two.unlink()
    found = sorted(problems(folder))
    assert len(found) == 2
    assert all("was changed" in line or "is missing" in line for line in found)
    place = into(at.settings, tmp_path / "elsewhere")
    wrong = await restore(place, folder, ME, SetClock(NOW))
    assert len([line for line in wrong if "in the backup" in line]) == 2
    assert len([line for line in wrong if "on the books, but not in the vault" in line]) == 2
    database = folder / manifest.files["database"].path
    database.write_bytes(database.read_bytes()[:-1])
    assert any(line.startswith("database was changed") for line in problems(folder))
    with pytest.raises(BackupError, match="nothing was restored"):
        await restore(into(at.settings, tmp_path / "third"), folder, ME, SetClock(NOW))
    assert not (tmp_path / "third").exists()


async def test_a_recording_that_the_vault_has_lost_is_named(tmp_path: Path) -> None:
    async with scene("", tmp_path) as at:
        call = await at.recorded("1.1", 1)
        [lost, *_] = at.custody.store.places()
        at.custody.store.delete(lost)
        made = await back_up(at.settings, at.custody, tmp_path / "backup", ME)
        assert made.manifest.absent == (lost,)
        assert call in next(problems(tmp_path / "backup"))


async def test_nothing_in_a_backup_folder_that_is_not_ours_is_touched(tmp_path: Path) -> None:
    folder = tmp_path / "backup"
    (folder / "photographs").mkdir(parents=True)
    async with scene("", tmp_path) as at:
        for _ in range(2):
            at.clock.moment += timedelta(hours=1)
            await back_up(at.settings, at.custody, folder, ME)
    assert (folder / "photographs").is_dir()
    assert len([path for path in folder.iterdir() if kept.BOOKS.fullmatch(path.name)]) == 1
    with pytest.raises(BackupError, match="no whole backup"):
        kept.read(tmp_path)
