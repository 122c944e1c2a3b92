"""``sansheng report complaints``: the monthly, quarterly and yearly complaint report as files (C7)."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import make_url

from calls.errors import ReportError, StorageError
from calls.periods import Grain, Period
from calls.ports import Clock
from cases.report.model import Report, gather
from cases.report.words import LANGUAGES, Words, load_words
from metrics.reports.files import checked_folder, write_whole
from service.cases import case_catalogue_of
from service.settings import Settings
from storage.case_statistics import SqlCaseStatistics
from storage.engine import open_engine

FORMATS = ("html", "xlsx", "print")
GRAINS = {"monthly": Grain.MONTH, "quarterly": Grain.QUARTER, "yearly": Grain.YEAR}


@dataclass(frozen=True, slots=True)
class ComplaintWish:
    """What the command line asked for."""

    grain: Grain
    period: str | None = None
    """By its label; without it the last whole one."""
    formats: tuple[str, ...] = FORMATS[:1]
    folder: Path | None = None
    language: str = LANGUAGES[0]
    console: str = ""
    """The console's address, for figures to lead to; empty: that of this machine."""


def read_formats(text: str) -> tuple[str, ...]:
    """Names of formats between commas. Raises ReportError for one that does not exist."""
    wanted = tuple(dict.fromkeys(filter(None, re.split("[, ]+", text))))
    if not wanted or set(wanted) - set(FORMATS):
        raise ReportError(f"formats of the complaint report are {', '.join(FORMATS)}, not {text[:40]!r}")
    return wanted


def make_complaint_reports(
    settings: Settings, wish: ComplaintWish, clock: Clock, on_step: Callable[[str], None] = lambda _: None
) -> list[Path]:
    """Make the report in every format wished for; returns the files. It only reads.

    Raises SanshengError; then no half file is left.
    """
    period = _period(wish, settings, clock)
    words = load_words(wish.language, case_catalogue_of(settings))
    folder = checked_folder(wish.folder or settings.var_dir / "reports")
    report = asyncio.run(_gathered(settings, period, clock, on_step))
    console = wish.console or f"http://127.0.0.1:{settings.ports.web}"
    files = []
    for kind in wish.formats:
        name = f"complaints-{settings.hotline_number}-{period.label}-{wish.language}"
        path = folder / f"{name}{_ENDINGS[kind]}"
        write_whole(path, _written(kind, report, words, settings.hotline_number, console))
        files.append(path)
    return files


_ENDINGS = {"html": ".html", "xlsx": ".xlsx", "print": "-print.html"}


def _period(wish: ComplaintWish, settings: Settings, clock: Clock) -> Period:
    zone, now = settings.zone, clock.now()
    if wish.period is None:
        return Period.containing(now, wish.grain, zone).previous()
    period = Period.parse(wish.period, zone)
    if period.grain is not wish.grain:
        example = Period.containing(now, wish.grain, zone).label
        raise ReportError(
            f"{wish.period} is a {period.grain}: a report over a {wish.grain} is of one like {example}"
        )
    if period.start > now:
        raise ReportError(f"{period.label} has not begun yet: there is nothing to report")
    return period


async def _gathered(settings: Settings, period: Period, clock: Clock, on_step: Callable[[str], None]) -> Report:
    address = make_url(settings.ledger_url)
    if address.get_backend_name() == "sqlite" and not Path(address.database or "").exists():
        raise ReportError(f"there is no ledger at {address.database} yet: `sansheng run` makes one")
    engine = open_engine(settings.ledger_url)
    try:
        return await gather(SqlCaseStatistics(engine, clock), period, clock.now(), on_step)
    except StorageError as error:
        raise ReportError(f"{error}: is it running, and has the service of this version been started?") from error
    finally:
        await engine.dispose()


def _written(kind: str, report: Report, words: Words, hotline: str, console: str) -> bytes:
    if kind == "xlsx":
        from cases.report.xlsx import to_xlsx

        return to_xlsx(report, words, hotline)
    from cases.report.html import to_html

    return to_html(report, words, hotline, console, printed=kind == "print")
