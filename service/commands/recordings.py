"""``sansheng recordings``: what is in the vault, whether it is whole, and giving it out."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import getpass
import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from calls.custody import Access, AccessKind, Leg, Recording
from calls.errors import CustodyError, SanshengError
from calls.ids import CallId
from service.attachments import attachments_beside
from service.custody import Custody, custody_of, new_master_key
from service.settings import Settings

_EVER, _NEVER = datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the commands."""
    nouns = commands.add_parser("recordings", help="the vault: list, show, check, export, rotate-key")
    verbs = nouns.add_subparsers(required=True, metavar="COMMAND")
    listed = verbs.add_parser("list", help="the recordings of a day")
    listed.add_argument("--day", help="as 2026-11-23; default: today")
    listed.set_defaults(run=_list)
    show = verbs.add_parser("show", help="what there is of a call")
    show.add_argument("call")
    show.set_defaults(run=_show)
    check = verbs.add_parser("check", help="look at checksums; the exit status is 1 if one does not match")
    check.add_argument("calls", nargs="*", help="default: all")
    check.set_defaults(run=_check)
    export = verbs.add_parser("export", help="write the original sound into a file; the reason goes on record")
    export.add_argument("call")
    export.add_argument("leg", choices=[leg.value for leg in Leg])
    export.add_argument("file", type=Path)
    export.add_argument("--reason", required=True)
    export.set_defaults(run=_export)
    rotate = verbs.add_parser("rotate-key", help="make a new master key, and wrap every data key by it")
    rotate.set_defaults(run=_rotate)


def who() -> str:
    """The person at the command line, as the access log names them."""
    try:
        name = getpass.getuser()
    except (OSError, KeyError):  # a user without a name
        name = str(os.getuid())
    return f"os:{name}"


@contextlib.asynccontextmanager
async def vault(settings: Settings) -> AsyncIterator[Custody]:
    """The vault, for one command."""
    from service.wiring import SystemClock
    from storage.engine import open_engine, upgrade

    await upgrade(settings.ledger_url)
    engine = open_engine(settings.ledger_url)
    try:
        yield custody_of(settings, engine, SystemClock())
    finally:
        await engine.dispose()


def _with(settings: Settings, action: Callable[[Custody], Awaitable[int]]) -> int:
    async def act() -> int:
        async with vault(settings) as custody:
            return await action(custody)

    return asyncio.run(act())


def _list(settings: Settings, options: argparse.Namespace) -> int:
    try:
        day = datetime.fromisoformat(options.day) if options.day else datetime.now(settings.zone)
    except ValueError:
        raise SanshengError(f"{options.day!r} is no day; write it as 2026-11-23") from None
    start = day.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=settings.zone)

    async def act(custody: Custody) -> int:
        after, number = ("", ""), 0
        while found := await custody.books.between(start, start + timedelta(days=1), after):
            for one in found:
                print(f"{one.call_id}  {one.leg:7}  {one.duration_s:8.1f} s  {one.sample_rate_hz} Hz")
            number += len(found)
            after = (found[-1].call_id, found[-1].leg.value)
        print(f"{number} recordings on {start:%Y-%m-%d}")
        return 0

    return _with(settings, act)


def _show(settings: Settings, options: argparse.Namespace) -> int:
    async def act(custody: Custody) -> int:
        found = 0
        for leg in Leg:
            kept = await custody.books.find(CallId(options.call), leg)
            if kept is None:
                continue
            found += 1
            one = kept.recording
            state = f"deleted: {kept.deleted_why}" if kept.wrapped_key is None else f"sealed by key {one.key_id}"
            print(f"{leg:7} {one.duration_s:.1f} s, {one.sample_rate_hz} Hz, {one.size_bytes} bytes, {state}")
            print(f"        sha256 {one.sha256}\n        at     {one.location}")
        if not found:
            raise CustodyError(f"there is no recording of call {options.call}")
        return 0

    return _with(settings, act)


def _check(settings: Settings, options: argparse.Namespace) -> int:
    from tqdm import tqdm

    async def act(custody: Custody) -> int:
        bad = number = 0
        with tqdm(
            total=None if options.calls else await custody.books.count(), unit=" files", disable=None
        ) as bar:
            async for one in _wanted(custody, [CallId(call) for call in options.calls]):
                if not await custody.is_whole(one):
                    bad += 1
                    bar.write(f"{one.call_id} {one.leg}: what lies in the vault is not what was put there")
                number += 1
                bar.update()
        print(f"{number} recordings, {bad} damaged")
        return 1 if bad else 0

    return _with(settings, act)


async def _wanted(custody: Custody, calls: list[CallId]) -> AsyncIterator[Recording]:
    """The recordings of these calls, or all there are."""
    for call in calls:
        found = await custody.recordings(call)
        if not found:
            raise CustodyError(f"there is no recording of call {call}")
        for one in found:
            yield one
    after = ("", "")
    while not calls and (found := await custody.books.between(_EVER, _NEVER, after)):
        for one in found:
            yield one
        after = (found[-1].call_id, found[-1].leg.value)


def _export(settings: Settings, options: argparse.Namespace) -> int:
    async def act(custody: Custody) -> int:
        call, leg = CallId(options.call), Leg(options.leg)
        access = Access(who(), AccessKind.EXPORT, options.reason, call, leg)
        sound = await custody.open(call, leg, access)
        try:
            with sound, options.file.open("xb") as file:
                shutil.copyfileobj(sound, file)
        except FileExistsError:
            raise CustodyError(f"{options.file} is there already") from None
        except OSError as error:
            raise CustodyError(f"cannot write {options.file}: {error.strerror}") from error
        print(options.file)
        return 0

    return _with(settings, act)


def _rotate(settings: Settings, _options: argparse.Namespace) -> int:
    new_master_key(settings)

    async def act(custody: Custody) -> int:
        keys = await custody.rewrap() + await attachments_beside(custody).rewrap()
        print(f"{keys} data keys are wrapped by master key {custody.keys.current} now")
        return 0

    return _with(settings, act)
