"""Backups: everything that cannot be made again, sealed, in a folder that can be checked to the last byte (P2).

A backup folder holds one state, that of the last whole backup; each run copies only recordings that it does not
hold yet, and lets go of those whose keys were destroyed since (P1). Whatever instant a run is killed at, the
manifest names a whole backup: the one before, or this one.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import hashlib
import json
import logging
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, cast

from sqlalchemy import select, union, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from asterisk_conf.render import write_private
from calls.custody import Access, AccessKind, Leg
from calls.errors import BackupError
from calls.ids import CallId
from recordings.keys import MasterKeys
from recordings.sealed import new_key, seal
from recordings.store import SUFFIX, Store
from service import backup_manifest as kept
from service.attachments import FOLDER
from service.backup_manifest import FileEntry, Index, Manifest, ObjectEntry
from service.custody import Custody, key_file
from service.databases import copied, kind_of
from service.settings import Settings
from storage.access_tables import access_log
from storage.attachments import SqlAttachments
from storage.custody_tables import recordings
from storage.intake_tables import attachments

log = logging.getLogger(__name__)

LAST = "backup.json"
"""In var_dir: when the last backup was made."""

Progress = Callable[[int, int], None]
"""Told how many recordings of how many are done."""


@dataclass(frozen=True, slots=True)
class Made:
    """A backup that was made."""

    manifest: Manifest
    copied: int
    """Recordings that were not in the folder before."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What else the copied database says."""

    audit_entries: int
    audit_hash: str
    keys_needed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Copied:
    """What the manifest tells of the copy."""

    at: datetime
    database: str
    facts: Facts
    absent: list[str]


async def back_up(
    settings: Settings,
    custody: Custody,
    folder: Path,
    actor: str,
    *,
    settings_file: Path | None = None,
    with_keys: bool = False,
    progress: Progress = lambda done, total: None,
) -> Made:
    """Make a backup; the last one stands if it cannot be made.

    Raises BackupError, StorageUnavailable, CustodyError or KeyMissing.
    """
    now = custody.clock.now()
    with _alone(settings.var_dir), _alone(folder), _workplace(settings) as work:
        # First, so that the copy tells of it, too.
        await custody.accesses.note(Access(actor, AccessKind.PROCESS, "backup"))
        before = kept.read(folder) if (folder / kept.NAME).exists() else None
        books = folder / f"{now:%Y%m%dT%H%M%S%fZ}"
        books.mkdir(mode=0o700)
        async with copied(settings.ledger_url, work / "database") as connection:
            await _list_objects(connection, books / kept.INDEX)
            facts = await _facts(connection)
        sources = {"database": work / "database", "secrets": settings.var_dir / "secrets.json"}
        if settings_file:
            sources["settings"] = settings_file

        new, absent = await asyncio.to_thread(_copy_objects, custody.store, folder, books, before, progress)
        absent = await _still_wanted(custody, custody.files, absent)

        def finish() -> Made:
            if with_keys:
                _copy_keys(settings, folder)
            database = kind_of(settings.ledger_url)
            manifest = _sealed(custody.keys, folder, books, sources, _Copied(now, database, facts, absent))
            kept.write(folder, manifest)
            _let_go(folder, books, before)
            return Made(manifest, new)

        made = await asyncio.to_thread(finish)
    note = json.dumps({"at": now.isoformat(), "folder": str(folder)})
    (settings.var_dir / LAST).write_text(note, encoding="utf-8")
    log.info("backup.made", extra={"recordings": made.manifest.objects, "new": made.copied})
    return made


def _copy_keys(settings: Settings, folder: Path) -> None:
    provider = settings.custody.key_provider
    if provider != "file":
        raise BackupError(f"--with-keys: the master keys come from {provider}, not from a file")
    write_private(folder / kept.KEYS, key_file(settings).read_text(encoding="utf-8"))


async def _still_wanted(custody: Custody, attached: SqlAttachments, places: list[str]) -> list[str]:
    """Those of the objects not found that were not deleted while the backup was made."""
    wanted = []
    for place in places:
        *_, call, name = place.split("/")
        if place.startswith(f"{FOLDER}/"):
            if await attached.find(name.removesuffix(SUFFIX)):
                wanted.append(place)
            continue
        found = await custody.books.find(CallId(call), Leg(name.removesuffix(SUFFIX)))
        if found and found.wrapped_key is not None:
            wanted.append(place)
    return wanted


def last_backup(settings: Settings) -> datetime | None:
    """When the last whole backup was made, as far as this machine knows."""
    try:
        stored = json.loads((settings.var_dir / LAST).read_text(encoding="utf-8"))
        return datetime.fromisoformat(stored["at"])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        log.warning("backup.note_unreadable", extra={"reason": type(error).__name__})
        return None


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with (folder / ".backup.lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise BackupError(f"another backup is being made ({folder})") from None
            yield
    except OSError as error:
        raise BackupError(f"cannot write into {folder}: {error.strerror or error}") from error


@contextlib.contextmanager
def _workplace(settings: Settings) -> Iterator[Path]:
    """Where the plain copy of the database is until it is sealed: never on the backup's disk."""
    place = settings.var_dir / "backup-work"
    shutil.rmtree(place, ignore_errors=True)  # of a run that was killed
    place.mkdir(parents=True, mode=0o700)
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


async def _list_objects(connection: AsyncConnection, path: Path) -> None:
    alive = union_all(
        select(recordings.c.location, recordings.c.stored_at).where(recordings.c.deleted_at.is_(None)),
        select(attachments.c.location, attachments.c.added_at).where(attachments.c.deleted_at.is_(None)),
    )
    with kept.index(path) as index:
        rows = await connection.stream(alive)
        async for some in rows.partitions(1000):
            index.expect([(row.location, row.stored_at.isoformat()) for row in some])


async def _facts(connection: AsyncConnection) -> Facts:
    newest = select(access_log.c.number, access_log.c.hash).order_by(access_log.c.number.desc()).limit(1)
    last = (await connection.execute(newest)).one()
    ids = union(
        select(recordings.c.key_id).where(recordings.c.deleted_at.is_(None)),
        select(attachments.c.key_id).where(attachments.c.deleted_at.is_(None)),
    )
    keys = sorted((await connection.execute(ids)).scalars())
    return Facts(last.number, last.hash, tuple(keys))


def _copy_objects(
    store: Store, folder: Path, books: Path, before: Manifest | None, progress: Progress
) -> tuple[int, list[str]]:
    """Copy what is not here yet; how many those were, and what is not in the store."""
    new = 0
    with contextlib.ExitStack() as stack:
        index = stack.enter_context(kept.index(books / kept.INDEX))
        old = stack.enter_context(kept.index(folder / before.folder / kept.INDEX)) if before else None
        total = len(index)
        for number, wanted in enumerate(index, 1):
            had = old.find(wanted.place) if old else None
            # An object is written once. Stored anew, it was sealed anew: then it is another.
            if had and had.stored_at == wanted.stored_at and kept.object_path(folder, had.sha256).exists():
                index.found(had)
            else:
                new += _copy(store, folder, wanted, index)
            progress(number, total)
        absent = index.drop_absent()
    return new, absent


def _copy(store: Store, folder: Path, wanted: ObjectEntry, index: Index) -> bool:
    try:
        source = store.open(wanted.place)
    except FileNotFoundError:
        return False  # deleted since the database was copied, or lost: the books tell which
    waiting = folder / kept.OBJECTS
    waiting.mkdir(exist_ok=True, mode=0o700)
    digest, size = hashlib.sha256(), 0
    with source, tempfile.NamedTemporaryFile(dir=waiting, prefix=".", delete=False) as file:
        try:
            while block := source.read(1 << 20):
                digest.update(block)
                size += file.write(block)
            file.flush()
            kept.flush(Path(file.name))
            target = kept.object_path(folder, digest.hexdigest())
            target.parent.mkdir(parents=True, exist_ok=True)
            Path(file.name).replace(target)
        except BaseException:
            Path(file.name).unlink(missing_ok=True)
            raise
    kept.flush(target.parent)
    index.found(ObjectEntry(wanted.place, wanted.stored_at, digest.hexdigest(), size))
    return True


def _sealed(keys: MasterKeys, folder: Path, books: Path, sources: dict[str, Path], copied: _Copied) -> Manifest:
    """Seal what is personal or secret, and list all."""
    key, files = new_key(), dict[str, FileEntry]()
    with kept.index(books / kept.INDEX) as index:
        objects = len(index)
    files["index"] = kept.entry_of(folder, books / kept.INDEX)
    for name, source in sources.items():
        if source.exists():
            target = books / f"{name}.sealed"
            with source.open("rb") as plain, target.open("wb") as sealed:
                seal(cast(BinaryIO, plain), cast(BinaryIO, sealed), key, f"{books.name}/{name}")
            kept.flush(target)
            files[name] = kept.entry_of(folder, target)
    kept.flush(books)
    return Manifest(
        made_at=copied.at.isoformat(),
        folder=books.name,
        database=copied.database,
        key_id=keys.current,
        wrapped_key=keys.wrap(key, f"backup/{books.name}").hex(),
        files=files,
        objects=objects,
        audit_entries=copied.facts.audit_entries,
        audit_hash=copied.facts.audit_hash,
        keys_needed=copied.facts.keys_needed,
        absent=tuple(copied.absent),
    )


def _let_go(folder: Path, books: Path, before: Manifest | None) -> None:
    """What the new manifest does not name: earlier books, and recordings that are gone."""
    if before:
        with kept.index(folder / before.folder / kept.INDEX) as old, kept.index(books / kept.INDEX) as new:
            for entry in old:
                if not new.holds(entry.sha256):
                    kept.object_path(folder, entry.sha256).unlink(missing_ok=True)
    for path in folder.iterdir():
        if kept.BOOKS.fullmatch(path.name) and path.name != books.name:
            shutil.rmtree(path)


def problems(folder: Path, progress: Progress = lambda done, total: None) -> Iterator[str]:
    """What of a backup is not as it was written, in words. Raises BackupError if there is none."""
    manifest = kept.read(folder)
    for name, entry in manifest.files.items():
        path = folder / entry.path
        if not path.exists():
            yield f"{name} is missing: {entry.path}"
        elif kept.entry_of(folder, path) != entry:
            yield f"{name} was changed: {entry.path}"
    index_path = folder / manifest.folder / kept.INDEX
    if not index_path.exists() or kept.entry_of(folder, index_path) != manifest.files["index"]:
        return  # told above
    with kept.index(index_path) as index:
        for number, each in enumerate(index, 1):
            path = kept.object_path(folder, each.sha256)
            if not path.exists():
                yield f"the recording {each.place} is missing"
            elif path.stat().st_size != each.size or kept.digest_of(path) != each.sha256:
                yield f"the recording {each.place} was changed"
            progress(number, manifest.objects)
    for place in manifest.absent:
        yield f"the recording {place} was not in the vault when the backup was made"
