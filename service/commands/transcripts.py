"""``sansheng transcripts``: what was said in a call, masked, and what is still owed, failed or in quarantine."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncEngine

from calls.custody import Access, AccessKind
from calls.errors import TranscriptionError
from calls.ids import CallId
from service.commands.recordings import who
from service.settings import Settings
from storage.work_states import State

_STATES = [state.value for state in State]


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the commands."""
    nouns = commands.add_parser("transcripts", help="what was said: show, list, retry, status")
    verbs = nouns.add_subparsers(required=True, metavar="COMMAND")
    show = verbs.add_parser("show", help="a call's conversation, masked; who reads it goes on record")
    show.add_argument("call")
    show.add_argument("--original", action="store_true", help="not masked; needs --reason, which goes on record")
    show.add_argument("--reason", default="")
    show.set_defaults(run=_show)
    listed = verbs.add_parser("list", help="what is in a state, the oldest first, and why")
    listed.add_argument("state", nargs="?", choices=_STATES, default=State.OWED.value, help="default: owed")
    listed.add_argument("--limit", type=int, default=50)
    listed.set_defaults(run=_list)
    status = verbs.add_parser("status", help="how many wait, since when, and how the rest came out")
    status.set_defaults(run=_status)
    retry = verbs.add_parser("retry", help="owe what failed or is in quarantine again")
    retry.add_argument("calls", nargs="+", metavar="CALL")
    retry.add_argument(
        "--done", action="store_true", help="also what is done, to transcribe it with another model"
    )
    retry.set_defaults(run=_retry)


@contextlib.asynccontextmanager
async def database(settings: Settings) -> AsyncIterator[AsyncEngine]:
    """The database, for one command."""
    from storage.engine import open_engine, upgrade

    await upgrade(settings.ledger_url)
    engine = open_engine(settings.ledger_url)
    try:
        yield engine
    finally:
        await engine.dispose()


def clock(seconds: float) -> str:
    """Minutes and seconds, as ``1:02.5``."""
    minutes, rest = divmod(round(seconds, 1), 60)
    return f"{int(minutes)}:{rest:04.1f}"


def _show(settings: Settings, options: argparse.Namespace) -> int:
    call_id = CallId(options.call)

    async def act() -> int:
        from service.listening import read_masked, read_original
        from service.wiring import SystemClock
        from storage.access import SqlAccessLog

        async with database(settings) as engine:
            accesses = SqlAccessLog(engine, SystemClock())
            access = Access(who(), AccessKind.READ, options.reason, call_id)
            if options.original:
                found = await read_original(engine, accesses, call_id, access, allowed=True)
            else:
                found = await read_masked(engine, accesses, call_id, access)
        for leg in found.legs:
            print(
                f"{leg.leg:6}  {leg.language}, {leg.engine} {leg.model}, {leg.duration_s:.1f} s, "
                f"{leg.speech_s:.1f} s of speech, {leg.bandwidth} band, {len(leg.words)} words"
            )
        for turn in found.turns:
            print(f"{clock(turn.start_s)}  {turn.leg:6}  {turn.text}  ({turn.confidence:.2f})")
        return 0

    return asyncio.run(act())


def _list(settings: Settings, options: argparse.Namespace) -> int:
    async def act() -> int:
        from storage.work import JUDGEMENT, SqlWork

        async with database(settings) as engine:
            found = await SqlWork(engine).in_state(State(options.state), max(1, options.limit) + 1)
        for work in found[: options.limit]:
            since = work.owed_at.astimezone(settings.zone)
            what = "judgement" if work.leg is JUDGEMENT else work.leg.value
            why = f"  {work.error}" if work.error else ""
            print(f"{since:%Y-%m-%d %H:%M}  {work.call_id}  {what:9}  tried {work.attempts}{why}")
        more = " and more" if len(found) > options.limit else ""
        print(f"{min(len(found), options.limit)}{more} {options.state}")
        return 0

    return asyncio.run(act())


def _status(settings: Settings, _options: argparse.Namespace) -> int:
    async def act() -> int:
        from service.wiring import SystemClock
        from storage.work import SqlWork

        now = SystemClock().now()
        async with database(settings) as engine:
            tally = await SqlWork(engine).tally(now - timedelta(days=1))
            workers = await SqlWork(engine).beats()
        since = (
            f", the oldest since {tally.oldest.astimezone(settings.zone):%Y-%m-%d %H:%M}" if tally.oldest else ""
        )
        print(f"waiting      {tally.waiting}{since}; {tally.blocked} tried and put off")
        print(f"done         {tally.done} of the last 24 hours")
        print(f"failed       {tally.failed}")
        print(f"quarantined  {tally.quarantined}")
        print(f"workers      {', '.join(sorted(workers)) or 'none'}")
        return 0

    return asyncio.run(act())


def _retry(settings: Settings, options: argparse.Namespace) -> int:
    states = {State.FAILED, State.QUARANTINED, *({State.DONE} if options.done else ())}

    async def act() -> int:
        from storage.work import SqlWork

        legs = 0
        async with database(settings) as engine:
            work = SqlWork(engine)
            for call in options.calls:
                if not await work.of_call(CallId(call)):
                    raise TranscriptionError(f"no recording of call {call} was ever to be transcribed")
                legs += await work.retry(CallId(call), states)
        print(f"{legs} owed again")
        return 0

    return asyncio.run(act())
