"""``sansheng audit``: who saw what of whom, when and why; and whether that record is whole (P1, P4)."""

from __future__ import annotations

import argparse
import asyncio
from datetime import datetime

from calls.errors import SanshengError
from calls.ids import CallId
from service.settings import Settings
from storage.access import Chain, SqlAccessLog


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the commands."""
    verbs = commands.add_parser("audit", help="the access log: verify, show").add_subparsers(
        required=True, metavar="COMMAND"
    )
    verify = verbs.add_parser("verify", help="follow its chain; the exit status is 1 if it is broken")
    verify.add_argument("--anchor", metavar="HASH", help="a hash that must be in it; default: the last noted")
    verify.set_defaults(run=_verify)
    show = verbs.add_parser("show", help="who saw what")
    show.add_argument("--call")
    show.add_argument("--actor")
    show.add_argument("--since", help="as 2026-11-23 or 2026-11-23T10:00, local")
    show.add_argument("--until")
    show.set_defaults(run=_show)


def _verify(settings: Settings, options: argparse.Namespace) -> int:
    from service.safekeeping import followed
    from service.wiring import SystemClock
    from storage.engine import upgrade

    async def act() -> Chain:
        await upgrade(settings.ledger_url)
        return await followed(settings, SystemClock(), options.anchor)

    chain = asyncio.run(act())
    if chain.whole:
        print(f"the access log is whole: {chain.entries} entries, the last {chain.last_hash}")
        return 0
    print(f"the access log is broken at entry {chain.broken_at}: {chain.why}")
    return 1


def _show(settings: Settings, options: argparse.Namespace) -> int:
    from service.wiring import SystemClock
    from storage.engine import open_engine, upgrade

    async def act() -> int:
        await upgrade(settings.ledger_url)
        engine = open_engine(settings.ledger_url)
        since, until = moment(settings, options.since), moment(settings, options.until)
        number = after = 0
        try:
            book = SqlAccessLog(engine, SystemClock())
            while found := await book.entries(
                call_id=options.call and CallId(options.call),
                actor=options.actor,
                since=since,
                until=until,
                after=after,
            ):
                for entry in found:
                    one = entry.access
                    print(
                        f"{entry.number:8}  {entry.at.astimezone(settings.zone):%Y-%m-%d %H:%M:%S}  {one.actor}  "
                        f"{one.kind}  {one.call_id or '-'} {one.leg or ''}  {one.reason}"
                    )
                number, after = number + len(found), found[-1].number
        finally:
            await engine.dispose()
        print(f"{number} entries")
        return 0

    return asyncio.run(act())


def moment(settings: Settings, text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise SanshengError(f"{text!r} is no time; write it as 2026-11-23T10:00") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=settings.zone)
