"""``sansheng backup`` and ``sansheng restore`` (P2)."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

from calls.errors import BackupError, SettingsError
from service.settings import Settings, default_path


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the commands."""
    backup = commands.add_parser("backup", help="make a backup into a folder; backup verify FOLDER checks one")
    backup.add_argument("words", nargs="+", metavar="[verify] FOLDER")
    backup.add_argument("--with-keys", action="store_true", help="the master keys, too: who has it can hear all")
    backup.set_defaults(run=_backup)
    restore = commands.add_parser("restore", help="put a backup back; stop the service before")
    restore.add_argument("folder", type=Path)
    restore.add_argument("--into", type=Path, metavar="DIR", help="a var_dir of its own, for a drill")
    restore.add_argument("--database", default="", metavar="URL", help="with --into: PostgreSQL to restore into")
    restore.add_argument("--keys", type=Path, metavar="FILE", help="master keys, for a place that has none")
    restore.add_argument("--force", action="store_true", help="replace what is there")
    restore.set_defaults(run=_restore)


@contextlib.contextmanager
def _bar(what: str) -> Iterator[Callable[[int, int], None]]:
    from tqdm import tqdm

    with tqdm(unit=" recordings", desc=what, disable=None) as bar:

        def progress(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        yield progress


def _backup(settings: Settings, options: argparse.Namespace) -> int:
    match options.words:
        case ["verify", folder]:
            return _verify(Path(folder))
        case [folder] if folder != "verify":
            return _make(settings, options, Path(folder))
    raise BackupError("write: sansheng backup FOLDER, or: sansheng backup verify FOLDER")


def _make(settings: Settings, options: argparse.Namespace, folder: Path) -> int:
    from service.backup import Made, back_up
    from service.commands.recordings import vault, who

    async def act() -> Made:
        async with vault(settings) as custody:
            with _bar("backup") as progress:
                return await back_up(
                    settings,
                    custody,
                    folder,
                    who(),
                    settings_file=options.config or default_path(),
                    with_keys=options.with_keys,
                    progress=progress,
                )

    made = asyncio.run(act())
    for place in made.manifest.absent:
        print(f"not in the vault: {place}")
    print(f"{made.manifest.objects} recordings, {made.copied} of them copied now")
    print(f"anchor of the access log: {made.manifest.audit_hash}")
    if not options.with_keys:
        print("the master keys are not in it: keep them elsewhere, nothing can be restored without them")
    return 1 if made.manifest.absent else 0


def _verify(folder: Path) -> int:
    from service.backup import problems

    with _bar("verify") as progress:
        found = list(problems(folder, progress))
    return _told(found, "the backup is whole")


def _restore(settings: Settings, options: argparse.Namespace) -> int:
    from service.commands.recordings import who
    from service.restore import into, restore
    from service.wiring import SystemClock

    if options.database and not options.into:
        raise SettingsError("--database goes with --into; else the database of the settings is restored")
    place = into(settings, options.into, options.database) if options.into else settings
    with _bar("restore") as progress:
        found = asyncio.run(
            restore(
                place,
                options.folder,
                who(),
                SystemClock(),
                keys=options.keys,
                force=options.force,
                progress=progress,
            )
        )
    return _told(found, f"restored into {place.var_dir}: every recording and the access log are whole")


def _told(wrong: list[str], else_: str) -> int:
    for line in wrong:
        print(line)
    print(f"{len(wrong)} problem{'' if len(wrong) == 1 else 's'}" if wrong else else_)
    return 1 if wrong else 0
