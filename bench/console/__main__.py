"""``python -m bench.console``: see bench/README.md. ``QUICK=1`` in the environment makes it short and small."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import logging
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from bench.books.__main__ import database, roll_up
from bench.books.simulate import simulate
from bench.console.fill import judge_and_speak
from bench.console.pages import Reader, pages_of
from bench.listening.opening import Opened, open_calls
from calls.errors import SanshengError
from service.settings import Settings
from storage.tables import calls
from tests.support_books import SetClock
from tests.support_player import NOW, parts_for

LONG, QUICK = 10_000_000, 20_000
_JUDGED = 50_000
_TIMES = {LONG: 40}
_FEW = 15
KINDS = ("sqlite", "postgresql")
_AIM_MS = 150.0


async def fill(kind: str, engine: AsyncEngine, number: int) -> None:
    """A ledger with so many calls, the newest of them judged and transcribed, rolled up."""
    began = time.perf_counter()
    await simulate(engine, number)
    await judge_and_speak(engine, min(_JUDGED, number // 10))
    await roll_up(engine)
    _say(f"{kind}: {number} calls written and rolled up in {time.perf_counter() - began:.0f} s")


async def measure(engine: AsyncEngine, number: int, folder: Path) -> dict[str, list[float]]:
    """Milliseconds of every asking of every page, by the page's name."""
    parts = parts_for(Settings(var_dir=folder), engine, SetClock(NOW))
    async with engine.connect() as connection:
        newest = select(calls.c.call_id).where(calls.c.has_recording).order_by(calls.c.arrived_at.desc())
        call_id = str(await connection.scalar(newest.limit(1)))
    reader, times = Reader(parts), _TIMES.get(number, _FEW)
    gc.collect()
    gc.freeze()  # as the service does
    found: dict[str, list[float]] = {}
    for page in pages_of(call_id):
        await reader.read(page, 1)  # templates are compiled, statements are made
        found[page.name] = await reader.read(page, times)
    return found


def at_95(took: list[float]) -> float:
    """The 95th percentile."""
    return sorted(took)[max(0, -(-95 * len(took) // 100) - 1)]


async def run(number: int, folder: Path, kinds: Sequence[str] = KINDS) -> dict[str, str]:
    """Every page on the databases, and the call of an hour; told as it comes."""
    async with contextlib.AsyncExitStack() as stack:
        engines = {kind: await stack.enter_async_context(database(kind, folder)) for kind in kinds}
        for kind, engine in engines.items():
            await fill(kind, engine, number)
        _say(f"load {os.getloadavg()[0]:.1f}")
        found = {kind: await measure(engine, number, folder) for kind, engine in engines.items()}
    _say(f"\n{'page (95th percentile, ms)':32}" + "".join(f"{kind:>12}" for kind in kinds))
    worst = 0.0
    for name in found[kinds[0]]:
        values = [at_95(found[kind][name]) for kind in kinds]
        worst = max(worst, *values)
        _say(
            f"{name:32}" + "".join(f"{value:12.1f}" for value in values) + (" !" if max(values) > _AIM_MS else "")
        )
    hour, _ = await open_calls(5)
    _tell(hour)
    return {
        "calls": str(number),
        "page_p95_ms": f"{worst:.1f}",
        "hour_page_s": f"{hour.page_s:.3f}",
        "hour_open_s": f"{hour.browser_s:.3f}",
    }


def _tell(hour: Opened) -> None:
    _say("\na call of an hour (9,000 words, 60 marks)")
    for what, seconds in (
        ("page", hour.page_s),
        ("first piece of sound", hour.sound_s),
        ("a piece from the middle", hour.seek_s),
        ("browser, until it can be listened to", hour.browser_s),
    ):
        _say(f"{what:36}{seconds:10.3f} s")
    _say("")


def _say(line: str) -> None:
    print(line, flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench.console", description="The console's pages at ten million calls.")
    parser.add_argument("--folder", type=Path, help="where SQLite's file goes (some 10 GB at ten million calls)")
    parser.add_argument("--calls", type=int, help="another number of calls; no RESULT line")
    parser.add_argument("--database", choices=KINDS, help="this one alone; no RESULT line")
    options = parser.parse_args()
    logging.basicConfig(level=logging.CRITICAL)
    quick = os.environ.get("QUICK") == "1"
    number = options.calls or (QUICK if quick else LONG)
    load = os.getloadavg()[0]
    _say(f"bench/console ({'QUICK' if quick else 'long'}), {os.cpu_count()} processors, load {load:.1f}\n")
    try:
        with tempfile.TemporaryDirectory(dir=options.folder, prefix="sansheng-console-") as folder:
            found = asyncio.run(run(number, Path(folder), [options.database] if options.database else KINDS))
    except (SanshengError, OSError) as error:
        print(f"bench/console could not measure: {error or type(error).__name__}", file=sys.stderr)
        return 1
    if not (options.calls or options.database):
        _say("RESULT name=console " + " ".join(f"{key}={value}" for key, value in found.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
