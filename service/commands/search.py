"""``sansheng search``: who said what, and at which second. Everything is masked (P3)."""

from __future__ import annotations

import argparse
import asyncio

from calls.custody import SPOKEN_LEGS, Leg
from calls.ids import AgentNumber, SectionId
from service.commands.audit import moment
from service.commands.listen import vault_and_search
from service.commands.recordings import who
from service.settings import Settings


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    search = commands.add_parser("search", help="find what was said in calls, the newest first")
    search.add_argument("text", help="every word, between blanks, must be in the turn")
    search.add_argument("--section")
    search.add_argument("--agent", metavar="NUMBER")
    search.add_argument("--speaker", choices=[leg.value for leg in SPOKEN_LEGS])
    search.add_argument("--since", help="the call arrived then or later: 2026-11-23 or 2026-11-23T10:00, local")
    search.add_argument("--until", help="the call arrived before then")
    search.add_argument("--limit", type=int, default=20, help="how many to show; default: 20")
    search.add_argument("--before", type=int, metavar="NUMBER", help="go on where the last search ended")
    search.set_defaults(run=_search)


def _search(settings: Settings, options: argparse.Namespace) -> int:
    from service.listening import search_turns
    from storage.search import Query

    query = Query(
        options.text,
        section=options.section and SectionId(options.section),
        agent=options.agent and AgentNumber(options.agent),
        speaker=Leg(options.speaker) if options.speaker else None,
        since=moment(settings, options.since),
        until=moment(settings, options.until),
    )

    async def act() -> int:
        async with vault_and_search(settings) as (custody, search):
            page = await search_turns(
                search, custody.accesses, who(), query, before=options.before, limit=max(1, options.limit)
            )
        for hit in page.hits:
            when = hit.arrived_at.astimezone(settings.zone)
            print(f"{when:%Y-%m-%d %H:%M}  {hit.call_id}  {hit.leg:6} {_clock(hit.start_s)}  {hit.snippet}")
        more = f"; go on with --before {page.before}" if page.before is not None else ""
        print(f"{len(page.hits)} found{more}")
        return 0

    return asyncio.run(act())


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{seconds % 60:04.1f}"
