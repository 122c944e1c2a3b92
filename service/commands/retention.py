"""``sansheng retention``: how long recordings are kept, what is due, and legal holds (P2)."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from calls.custody import Access, AccessKind, Leg
from calls.errors import CustodyError
from calls.ids import CallId
from service.settings import Settings

if TYPE_CHECKING:
    from service.custody import Custody
    from service.retention import RetentionKeeper
    from storage.access import SqlHolds


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the commands."""
    noun = commands.add_parser("retention", help="how long recordings are kept: show, run, hold, release, holds")
    verbs = noun.add_subparsers(required=True, metavar="COMMAND")
    show = verbs.add_parser("show", help="the policies, and how much is due")
    show.set_defaults(run=_show)
    run = verbs.add_parser("run", help="delete what is due, as the service does by itself")
    run.add_argument("--dry-run", action="store_true", help="only say what would be deleted")
    run.add_argument("--force", action="store_true", help="the clock is right, and so much is to be deleted")
    run.set_defaults(run=_run)
    for verb, does, text in (
        ("hold", _hold, "nothing of this call is deleted until it is released"),
        ("release", _release, "end every hold of this call"),
    ):
        parser = verbs.add_parser(verb, help=text)
        parser.add_argument("call")
        parser.add_argument("--reason", required=True)
        parser.set_defaults(run=does)
    holds = verbs.add_parser("holds", help="the calls that are held, since when, by whom and why")
    holds.set_defaults(run=_holds)


@contextlib.asynccontextmanager
async def _open(settings: Settings) -> AsyncIterator[tuple[RetentionKeeper, SqlHolds, Custody]]:
    from service.custody import custody_of
    from service.retention import keeper_of
    from service.wiring import SystemClock
    from storage.access import SqlHolds
    from storage.engine import open_engine, upgrade

    await upgrade(settings.ledger_url)
    engine = open_engine(settings.ledger_url)
    try:
        custody = custody_of(settings, engine, SystemClock())
        yield keeper_of(settings, engine, custody, SystemClock()), SqlHolds(engine), custody
    finally:
        await engine.dispose()


def _show(settings: Settings, _options: argparse.Namespace) -> int:
    from service.retention import policies_of

    async def act() -> int:
        for policy in policies_of(settings.retention).policies:
            about = ", ".join(sorted(policy.sections)) or "every section"
            print(f"{policy.name:24} {policy.days:6} days  {about}{_PROMISED if policy.promised_only else ''}")
        async with _open(settings) as (keeper, holds, _):
            found = await keeper.look()
            print(f"the longest that applies wins; held: {len({hold.call_id for hold in await holds.standing()})}")
        print(f"due now: {found.due} calls" + (f"; to be confirmed: {found.doubt}" if found.doubt else ""))
        return 0

    return asyncio.run(act())


_PROMISED = ", a call back was promised"


def _run(settings: Settings, options: argparse.Namespace) -> int:
    from tqdm import tqdm

    from service.commands.recordings import who

    async def act() -> int:
        async with _open(settings) as (keeper, _, _custody):
            if options.dry_run:
                due = await keeper.due()
                for call_id, policy in due:
                    print(f"{call_id}  {policy}")
                print(f"{len(due)} calls would be deleted")
                return 0
            found = await keeper.look()
            with tqdm(total=found.due, unit=" calls", disable=None) as bar:

                def tell(_: CallId) -> None:
                    bar.update()

                done = await keeper.keep(actor=who(), force=options.force, tell=tell)
        print(f"{done} calls deleted")
        return 0

    return asyncio.run(act())


def _hold(settings: Settings, options: argparse.Namespace) -> int:
    from service.commands.recordings import who
    from storage.access import Hold

    async def act() -> int:
        call_id = CallId(options.call)
        async with _open(settings) as (_, holds, custody):
            await custody.accesses.note(Access(who(), AccessKind.HOLD, options.reason, call_id))
            await holds.hold(Hold(call_id, custody.clock.now(), who(), options.reason))
            # Looked at afterwards: a burial may have been quicker, and a hold may come before the recording.
            if await custody.recordings(call_id):
                print(f"{call_id} is held")
                return 0
            for leg in Leg:
                kept = await custody.books.find(call_id, leg)
                if kept is not None:
                    raise CustodyError(f"{call_id} is held, but its recording is gone: {kept.deleted_why}")
            print(f"{call_id} is held; there is no recording of it in the vault yet")
            return 0

    return asyncio.run(act())


def _release(settings: Settings, options: argparse.Namespace) -> int:
    from service.commands.recordings import who

    async def act() -> int:
        call_id = CallId(options.call)
        async with _open(settings) as (_, holds, custody):
            if call_id not in {hold.call_id for hold in await holds.standing()}:
                raise CustodyError(f"{call_id} is not held")
            await custody.accesses.note(Access(who(), AccessKind.RELEASE, options.reason, call_id))
            ended = await holds.release(call_id, custody.clock.now(), who())
        print(f"{call_id}: {ended} hold{'' if ended == 1 else 's'} ended")
        return 0

    return asyncio.run(act())


def _holds(settings: Settings, _options: argparse.Namespace) -> int:
    async def act() -> int:
        async with _open(settings) as (_, holds, _custody):
            found = await holds.standing()
        for hold in found:
            since = f"{hold.since.astimezone(settings.zone):%Y-%m-%d %H:%M}"
            print(f"{hold.call_id}  since {since}  {hold.by}  {hold.reason}")
        print(f"{len(found)} holds")
        return 0

    return asyncio.run(act())
