"""``sansheng listen``: a call's sound as a file, beeped over where it must be (P3)."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

from calls.custody import Access, AccessKind, Leg
from calls.errors import CustodyError
from calls.ids import CallId
from service.commands.recordings import who
from service.custody import Custody, custody_of
from service.settings import Settings
from storage.search import SqlSearch


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    listen = commands.add_parser("listen", help="write a call's masked sound into a file")
    listen.add_argument("call")
    listen.add_argument("--leg", choices=[leg.value for leg in Leg], default=Leg.MIXED.value)
    listen.add_argument("--out", type=Path, required=True, metavar="FILE")
    listen.add_argument("--original", action="store_true", help="not masked; needs --reason, which goes on record")
    listen.add_argument("--reason", default="")
    listen.set_defaults(run=_listen)


@contextlib.asynccontextmanager
async def vault_and_search(settings: Settings) -> AsyncIterator[tuple[Custody, SqlSearch]]:
    """Both, for one command."""
    from service.wiring import SystemClock
    from storage.engine import open_engine, upgrade

    await upgrade(settings.ledger_url)
    engine = open_engine(settings.ledger_url)
    try:
        yield custody_of(settings, engine, SystemClock()), SqlSearch(engine)
    finally:
        await engine.dispose()


def _listen(settings: Settings, options: argparse.Namespace) -> int:
    from service.listening import open_masked, open_original

    call, leg = CallId(options.call), Leg(options.leg)

    async def act() -> int:
        async with vault_and_search(settings) as (custody, search):
            access = Access(who(), AccessKind.LISTEN, options.reason, call, leg)
            if options.original:
                # Who may read the key file has the right; the console asks its roles.
                sound = await open_original(custody, call, leg, access, allowed=True)
            else:
                sound = await open_masked(custody, search, call, leg, access)
            try:
                with sound, options.out.open("xb") as file:
                    shutil.copyfileobj(sound, file)
            except FileExistsError:
                raise CustodyError(f"{options.out} is there already") from None
            except OSError as error:
                raise CustodyError(f"cannot write {options.out}: {error.strerror}") from error
        print(options.out)
        return 0

    return asyncio.run(act())
