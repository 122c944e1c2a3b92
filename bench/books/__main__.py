"""``python -m bench.books``: see bench/README.md. ``QUICK=1`` in the environment makes it short and small."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import os
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncEngine

from bench.books.simulate import DAYS, simulate
from calls.errors import SanshengError
from calls.measures import Dimension, Measures
from calls.periods import Grain, Period
from metrics.kpi.catalogue import Catalogue
from metrics.kpi.figures import KpiFigures
from metrics.kpi.figures import Sources as KpiSources
from metrics.reports.gather import Order, Sources, gather
from metrics.reports.model import ReportKind
from service.books import workdays_of_china
from service.settings import SECTIONS
from storage.audit import SqlAudit
from storage.books import SqlBooks
from storage.engine import open_engine, upgrade
from storage.ledger import SqlLedger
from storage.outages import SqlOutages
from storage.presence import SqlPresence
from storage.rollups import RollUps

ZONE = ZoneInfo("Asia/Shanghai")
LIMIT_S = 15.0
YEAR = Period.parse("2025", ZONE)
DATABASES = ("sqlite", "postgresql")
LONG, QUICK = (10_000, 100_000, 1_000_000, 10_000_000), (10_000, 100_000)
_REPEATS = 5
_PATIENCE_S = 3600.0
_COMPARED = (None, Dimension.SECTION, Dimension.AGENT, Dimension.LANGUAGE, Dimension.TRUNK)


class After:
    """A clock that stands still a few days after the year."""

    def now(self) -> datetime:
        return datetime(2026, 1, 5, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Measured:
    """One size on one database."""

    simulate_s: float
    roll_up_s: float
    report_s: float
    """Median of five reports."""
    raw_s: float
    """One of the comparisons: every call counted, by month and section."""


@contextlib.asynccontextmanager
async def database(kind: str, folder: Path) -> AsyncIterator[AsyncEngine]:
    """An empty ledger."""
    from tests.support_postgres import PostgresServer

    server = PostgresServer() if kind == "postgresql" else None
    url = server.create_database() if server else f"sqlite:///{folder}/ledger.db"
    engine = open_engine(url, patience_s=_PATIENCE_S)
    try:
        await upgrade(url)
        yield engine
    finally:
        await engine.dispose()
        if server:
            server.remove()
        for file in folder.glob("ledger.db*"):
            file.unlink()


async def measure(kind: str, number: int, folder: Path) -> Measured:
    """Fill a ledger, make its roll-ups, time the report, compare. Raises SanshengError if the sums differ."""
    async with database(kind, folder) as engine:
        began = time.perf_counter()
        await simulate(engine, number)
        simulated = time.perf_counter()
        await roll_up(engine)
        rolled_up = time.perf_counter()
        report_s = statistics.median([await report(engine) for _ in range(_REPEATS)])
        raw_s = await compare(engine)
    return Measured(simulated - began, rolled_up - simulated, report_s, raw_s)


async def roll_up(engine: AsyncEngine) -> None:
    rollups = RollUps(engine, ZONE, LIMIT_S, After())
    while stale := await rollups.stale():
        for period in stale:
            await rollups.make(period)


async def report(engine: AsyncEngine) -> float:
    """Seconds to gather everything that ``sansheng report yearly`` shows."""
    books = SqlBooks(engine, ZONE, LIMIT_S, workdays_of_china())
    kpis = KpiSources(books, SqlPresence(engine), SqlOutages(engine), workdays=workdays_of_china())
    figures = KpiFigures(kpis, After(), Catalogue(LIMIT_S))
    sources = Sources(figures, books, SqlOutages(engine), SqlAudit(engine), SqlLedger(engine))
    order = Order(
        kind=ReportKind("yearly"),
        period=YEAR,
        hotline="95000",
        limit_s=LIMIT_S,
        kpis=figures.catalogue.current(),
        sections=SECTIONS,
        agents=(),
    )
    began = time.perf_counter()
    await gather(order, sources, After().now())
    return time.perf_counter() - began


async def compare(engine: AsyncEngine) -> float:
    """Raise SanshengError unless roll-ups and calls give the same sums, by month and every dimension.

    Gives the seconds that counting every call took, by month and section.
    """
    books = SqlBooks(engine, ZONE, LIMIT_S, workdays_of_china())
    raw = SqlBooks(engine, ZONE, LIMIT_S, workdays_of_china(), rolled_up=False)
    months = YEAR.split(Grain.MONTH)
    took: dict[Dimension | None, float] = {}
    for by in _COMPARED:
        began = time.perf_counter()
        counted = await raw.measures(months, by=by)
        took[by] = time.perf_counter() - began
        if await books.measures(months, by=by) != counted:
            raise SanshengError(f"roll-ups and calls differ by {by or 'month'}")
        if by is None:
            _check_year(await books.measures([YEAR]), counted)
    return took[Dimension.SECTION]


def _check_year(year: Sequence[dict[str | None, Measures]], months: Sequence[dict[str | None, Measures]]) -> None:
    added = sum((month[None] for month in months), Measures())
    if year[0][None] != added:
        raise SanshengError("the year is not the sum of its months")


async def run(sizes: Sequence[int], kinds: Sequence[str], folder: Path) -> dict[str, str]:
    """Every size on every database, told as it comes."""
    titles = ("database", "simulated", "rolled up", "report", "every call")
    _say(" ".join(f"{title:>10}" for title in ("calls", *titles)) + " ratio")
    slowest = 0.0
    for number in sizes:
        slowest = 0.0
        for kind in kinds:
            found = await measure(kind, number, folder)
            slowest = max(slowest, found.report_s)
            _say(
                f"{number:10} {kind:>10} {found.simulate_s:8.1f} s {found.roll_up_s:8.1f} s"
                f" {found.report_s:8.3f} s {found.raw_s:8.2f} s {found.raw_s / found.report_s:5.1f} equal"
            )
    return {"calls": str(sizes[-1]), "year_report_s": f"{slowest:.3f}"}


def _say(line: str) -> None:
    print(line, flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench.books", description="A year's report at up to ten million calls.")
    parser.add_argument("--folder", type=Path, help="where SQLite's file goes (some 8 GB at ten million calls)")
    parser.add_argument("--sizes", type=int, nargs="+", help="numbers of calls; no RESULT line")
    parser.add_argument("--database", choices=DATABASES, help="only this one; no RESULT line")
    options = parser.parse_args()
    logging.basicConfig(level=logging.CRITICAL)
    quick = os.environ.get("QUICK") == "1"
    sizes = options.sizes or (QUICK if quick else LONG)
    _say(
        f"bench/books ({'QUICK' if quick else 'long'}), {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}"
    )
    _say(f"{DAYS} days, every report five times\n")
    try:
        with tempfile.TemporaryDirectory(dir=options.folder, prefix="sansheng-books-") as folder:
            kinds = (options.database,) if options.database else DATABASES
            found = asyncio.run(run(sizes, kinds, Path(folder)))
    except (SanshengError, OSError) as error:
        print(f"bench/books could not measure: {error or type(error).__name__}", file=sys.stderr)
        return 1
    if not options.sizes and not options.database:
        _say("RESULT name=books " + " ".join(f"{key}={value}" for key, value in found.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
