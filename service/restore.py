"""A hotline's books and recordings again, from a backup (P2).

Everything is compared with its checksum before it is put in its place; the database comes last, so that a
restore that was interrupted is seen as one, and can be begun again with ``--force``.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import BinaryIO, cast

from sqlalchemy import select, union_all
from sqlalchemy.ext.asyncio import AsyncEngine

from asterisk_conf.render import write_private
from calls.custody import Access, AccessKind
from calls.errors import BackupError, KeyMissing
from calls.ports import Clock
from recordings.sealed import unsealed
from recordings.store import Store, store_of
from service import backup_manifest as kept
from service.anchors import Anchors
from service.backup import Progress
from service.backup_manifest import Manifest, ObjectEntry
from service.custody import key_file, master_keys
from service.databases import is_empty, kind_of, loaded
from service.settings import Settings
from storage.access import SqlAccessLog
from storage.custody_tables import recordings
from storage.engine import open_engine, upgrade
from storage.intake_tables import attachments

log = logging.getLogger(__name__)


def into(settings: Settings, folder: Path, database_url: str = "") -> Settings:
    """The same hotline in another place: nothing of the one that runs is written to."""
    custody = settings.custody.model_copy(update={"store_url": "", "key_file": None})
    place = {"var_dir": folder.resolve(), "database_url": database_url, "custody": custody}
    return settings.model_copy(update=place)


async def restore(
    settings: Settings,
    folder: Path,
    actor: str,
    clock: Clock,
    *,
    keys: Path | None = None,
    force: bool = False,
    progress: Progress = lambda done, total: None,
) -> list[str]:
    """Put a backup back; what is missing or not as it was, in words.

    ``keys`` is a file of master keys, for a place that has none. Raises BackupError, KeyMissing, SettingsError or
    StorageUnavailable, with the database left as it was.
    """
    manifest = kept.read(folder)
    if manifest.database != kind_of(settings.ledger_url):
        raise BackupError(
            f"the backup is of {manifest.database}, the database here is {kind_of(settings.ledger_url)}"
        )
    _check_files(folder, manifest)
    store = store_of(settings.custody.store_url, settings.var_dir / "vault")
    if not force and not (await is_empty(settings.ledger_url) and next(iter(store.places()), None) is None):
        raise BackupError("there are a database or recordings here already: --force replaces them")
    work = settings.var_dir / "restore-work"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True, mode=0o700)
    try:
        _bring_keys(settings, folder, keys)
        plain = _opened(settings, folder, manifest, work)
        wrong = list(_put_objects(store, folder, manifest, progress))
        _put_files(settings, plain)
        await loaded(settings.ledger_url, plain["database"])
    except OSError as error:
        raise BackupError(f"the backup cannot be put back: {error}") from error
    finally:
        shutil.rmtree(work, ignore_errors=True)
    await upgrade(settings.ledger_url)
    wrong += await _looked_at(settings, manifest, store, actor, clock)
    log.info("backup.restored", extra={"recordings": manifest.objects, "wrong": len(wrong)})
    return wrong


def _check_files(folder: Path, manifest: Manifest) -> None:
    for name, entry in manifest.files.items():
        path = folder / entry.path
        if not path.exists() or kept.entry_of(folder, path) != entry:
            raise BackupError(
                f"{name} of the backup is missing or was changed ({entry.path}): nothing was restored"
            )


def _bring_keys(settings: Settings, folder: Path, keys: Path | None) -> None:
    """Put master keys where they belong, if there are none: a new key would open nothing."""
    if settings.custody.key_provider != "file":
        return
    target = key_file(settings)
    source = next((path for path in (keys, folder / kept.KEYS) if path and path.exists()), None)
    if target.exists():
        return
    if source is None:
        raise KeyMissing(
            f"the master keys are not here: put the key file, from where it is kept safe, at {target}, "
            "or name it with --keys"
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    write_private(target, source.read_text(encoding="utf-8"))


def _opened(settings: Settings, folder: Path, manifest: Manifest, work: Path) -> dict[str, Path]:
    """The sealed files in plain, in a private place."""
    name = f"backup/{manifest.folder}"
    key = master_keys(settings).unwrap(bytes.fromhex(manifest.wrapped_key), manifest.key_id, name)
    plain: dict[str, Path] = {}
    for each, entry in manifest.files.items():
        if each == "index":
            continue
        plain[each] = work / each
        sealed = cast(BinaryIO, (folder / entry.path).open("rb"))
        with unsealed(sealed, key, f"{manifest.folder}/{each}") as source, plain[each].open("wb") as target:
            shutil.copyfileobj(source, target, 1 << 20)
    return plain


def _put_objects(store: Store, folder: Path, manifest: Manifest, progress: Progress) -> Iterator[str]:
    with kept.index(folder / manifest.folder / kept.INDEX) as index:
        for number, each in enumerate(index, 1):
            path = kept.object_path(folder, each.sha256)
            if not path.exists():
                yield f"the recording {each.place} is missing in the backup"
            elif kept.digest_of(path) != each.sha256:
                yield f"the recording {each.place} was changed in the backup, and was left out"
            elif not _is_there(store, each):
                with path.open("rb") as file:
                    store.put(each.place, file)
            progress(number, manifest.objects)


def _is_there(store: Store, each: ObjectEntry) -> bool:
    """Whether the object lies there as it should, from a restore that was interrupted."""
    with contextlib.suppress(FileNotFoundError), store.open(each.place) as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == each.sha256  # type: ignore[arg-type]
    return False


def _put_files(settings: Settings, plain: dict[str, Path]) -> None:
    """Secrets, and the settings beside those in use, for a person to compare."""
    if "secrets" in plain:
        write_private(settings.var_dir / "secrets.json", plain["secrets"].read_text(encoding="utf-8"))
    if "settings" in plain:
        write_private(settings.var_dir / "sansheng.toml.restored", plain["settings"].read_text(encoding="utf-8"))


async def _looked_at(settings: Settings, manifest: Manifest, store: Store, actor: str, clock: Clock) -> list[str]:
    """What does not fit together in what was restored; and that it was restored, on record."""
    wrong = []
    async with _engine(settings) as engine:
        accesses = SqlAccessLog(engine, clock)
        chain = await accesses.verify(manifest.audit_hash)
        if not chain.whole:
            wrong.append(f"the access log is broken at entry {chain.broken_at}: {chain.why}")
        async with engine.connect() as connection:
            alive = union_all(
                select(recordings.c.location).where(recordings.c.deleted_at.is_(None)),
                select(attachments.c.location).where(attachments.c.deleted_at.is_(None)),
            )
            places = set((await connection.execute(alive)).scalars())
        there = set(store.places())
        wrong += [
            f"the recording {place} is on the books, but not in the vault" for place in sorted(places - there)
        ]
        wrong += _keys_missing(settings, manifest)
        reason = json.dumps({"backup of": manifest.made_at, "wrong": len(wrong)})
        await accesses.note(Access(actor, AccessKind.RESTORE, reason))
        if chain.whole:  # what this machine noted before knows entries that are not in the backup
            Anchors(settings.var_dir).note(clock.now(), await accesses.verify())
    return wrong


def _keys_missing(settings: Settings, manifest: Manifest) -> list[str]:
    """Master keys that recordings need; those of a key management service cannot be listed."""
    keys = master_keys(settings)
    held = getattr(keys, "keys", None)
    if held is None:
        return []
    return [
        f"master key {key_id} is missing: what it wraps cannot be heard"
        for key_id in manifest.keys_needed
        if key_id not in held
    ]


@contextlib.asynccontextmanager
async def _engine(settings: Settings) -> AsyncIterator[AsyncEngine]:
    engine = open_engine(settings.ledger_url)
    try:
        yield engine
    finally:
        await engine.dispose()
