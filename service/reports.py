"""``sansheng report``: from words on the command line to files (C7, K1 to K7).

A report only reads. It can be made while the service runs, or without it.
"""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from sqlalchemy import make_url
from tqdm import tqdm

from calls.errors import ReportError, StorageError
from calls.periods import Grain, Period
from calls.ports import Clock
from ivr.menu.loader import read_menu
from metrics.kpi.catalogue import Catalogue
from metrics.kpi.model import Kpi
from metrics.reports.files import checked_folder, file_name, write_whole
from metrics.reports.gather import STEPS, Order, Sources, gather
from metrics.reports.model import Report, ReportKind
from metrics.reports.words import LANGUAGES, Words, load_words
from service.books import books_of, kpi_figures_of
from service.settings import SECTIONS, Settings
from storage.audit import SqlAudit
from storage.engine import open_engine
from storage.ledger import SqlLedger
from storage.outages import SqlOutages

FORMATS = ("html", "xlsx", "csv")


@dataclass(frozen=True, slots=True)
class Wish:
    """What the command line asked for."""

    kind: ReportKind
    day: str | None = None
    """A day inside the period, by its label."""
    period: str | None = None
    """The period by its label; with neither, the last whole one."""
    formats: tuple[str, ...] = FORMATS[:1]
    folder: Path | None = None
    """``None``: ``reports`` in the settings' ``var_dir``."""
    language: str = LANGUAGES[0]
    versions: Mapping[str, int] = field(default_factory=dict)
    """Versions of indicators other than the current ones (Q5)."""


def read_wish(
    kind: str,
    *,
    date: str | None,
    period: str | None,
    formats: str,
    folder: Path | None,
    language: str,
    versions: Sequence[str],
) -> Wish:
    """The words of the command line. Raises ReportError for one that means nothing, and says what would."""
    wanted = tuple(dict.fromkeys(filter(None, re.split("[, ]+", formats))))
    unknown = [name for name in wanted if name not in FORMATS]
    if unknown or not wanted:
        named = ", ".join(unknown) or repr(formats)
        raise ReportError(f"there is no format {named}: choose from {', '.join(FORMATS)}")
    return Wish(
        kind=ReportKind(kind),
        day=date,
        period=period,
        formats=wanted,
        folder=folder,
        language=language,
        versions=dict(map(_version, versions)),
    )


def _version(text: str) -> tuple[str, int]:
    found = re.fullmatch("([A-Za-z0-9_]+)=([0-9]{1,6})", text)
    if not found:
        raise ReportError(f"{text[:40]!r} is not an indicator's version: write K2=1")
    return found[1], int(found[2])


def make_reports(settings: Settings, wish: Wish, clock: Clock) -> list[Path]:
    """Make the report in every format wished for; returns the files.

    Raises SanshengError in the reader's terms: a period that does not exist or has not begun, an unknown
    indicator, a folder that cannot be written to, a database that is away. Then no half file is left.
    """
    period = chosen_period(wish, settings, clock.now())
    menu = read_menu(settings.menu_file)
    names = {section.id: section.names for section in menu.sections.values()}
    words = load_words(wish.language, names)
    folder = checked_folder(wish.folder or settings.var_dir / "reports")
    total = len(STEPS) + len(wish.formats)
    with tqdm(total=total, delay=_LONG_S, leave=False, disable=None, file=sys.stderr, bar_format=_BAR) as bar:

        def on_step(name: str) -> None:
            bar.set_description(name)
            bar.update()

        report = asyncio.run(_gathered(settings, wish, period, clock, on_step))
        files = []
        for ending in wish.formats:
            on_step(ending)
            path = folder / file_name(report, wish.language, f".{ending}")
            write_whole(path, written(report, words, ending))
            files.append(path)
    return files


_LONG_S = 0.5
"""What takes longer shows a bar, if standard error is a terminal."""
_BAR = "{desc:>10} {bar:40} {n_fmt}/{total_fmt} {elapsed}"


def chosen_period(wish: Wish, settings: Settings, now: datetime) -> Period:
    """The period of the report. Raises ReportError or PeriodError if there is none such."""
    zone, grain = settings.zone, wish.kind.grain
    if wish.period is not None:
        chosen = Period.parse(wish.period, zone)
        if chosen.grain is not grain:
            example = Period.containing(now, grain, zone).label
            raise ReportError(
                f"a {wish.kind} report is about a {grain}, and {wish.period} is a {chosen.grain}: write {example},"
                " or give --date with any day in it"
            )
    elif wish.day is not None:
        day = Period.parse(wish.day, zone)
        if day.grain is not Grain.DAY:
            raise ReportError(f"--date wants a day, such as 2026-11-21, and {wish.day} is a {day.grain}")
        chosen = Period.containing(day.start, grain, zone)
    else:
        chosen = Period.containing(now, grain, zone).previous()
    if chosen.start > now:
        raise ReportError(f"{chosen.label} has not begun yet: there is nothing to report")
    return chosen


async def _gathered(
    settings: Settings, wish: Wish, period: Period, clock: Clock, on_step: Callable[[str], None]
) -> Report:
    address = make_url(settings.ledger_url)
    if address.get_backend_name() == "sqlite" and not Path(address.database or "").exists():
        raise ReportError(f"there is no ledger at {address.database} yet: `sansheng run` makes one")
    engine = open_engine(settings.ledger_url)
    try:
        figures = kpi_figures_of(settings, engine, clock)
        sources = Sources(
            figures, books_of(settings, engine), SqlOutages(engine), SqlAudit(engine), SqlLedger(engine)
        )
        kpis = _kpis(figures.catalogue, wish.versions)
        order = Order(
            kind=wish.kind,
            period=period,
            hotline=settings.hotline_number,
            limit_s=settings.rings.limit_s,
            kpis=kpis,
            sections=SECTIONS,
            agents=tuple(sorted(agent.number for agent in settings.agents)),
        )
        return await gather(order, sources, clock.now(), on_step)
    except StorageError as error:
        raise ReportError(f"{error}: is it running, and has the service of this version been started?") from error
    finally:
        await engine.dispose()


def _kpis(catalogue: Catalogue, versions: Mapping[str, int]) -> tuple[Kpi, ...]:
    """Every indicator, in the version wished for. Raises FigureError for one that does not exist."""
    for kpi_id in versions:
        catalogue.kpi(kpi_id)
    return tuple(catalogue.kpi(kpi_id, versions.get(kpi_id)) for kpi_id in catalogue.ids)


def written(report: Report, words: Words, ending: str) -> bytes:
    """The report in one format."""
    # Each format brings a library of its own, which takes a moment to load.
    match ending:
        case "html":
            from metrics.reports.html import to_html

            return to_html(report, words)
        case "xlsx":
            from metrics.reports.xlsx import to_xlsx

            return to_xlsx(report, words)
        case "csv":
            from metrics.reports.csv_file import to_csv

            return to_csv(report)
    raise ReportError(f"there is no format {ending}: choose {', '.join(FORMATS)}")
