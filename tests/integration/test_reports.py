"""Reports from a real ledger: every format opened again, and looked at in a real browser (C7, K1 to K7)."""

from __future__ import annotations

import asyncio
import csv
import io
import sys
import unicodedata
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import openpyxl
import pytest
import pytest_asyncio
from playwright.async_api import Browser, ConsoleMessage, Page, Request
from pypdf import PdfReader

from calls.call import Call, Result
from calls.events import AnyEvent
from calls.periods import Period
from metrics.reports.model import ReportKind
from service import reports as command
from service.reports import FORMATS, Wish, make_reports
from service.settings import Settings
from storage.audit import SqlAudit
from storage.engine import open_engine, upgrade
from storage.ledger import SqlLedger
from storage.outages import SqlOutages
from storage.presence import SqlPresence
from tests.support_books import SetClock
from tests.support_chromium import chromium, context_of
from tests.support_reports import STAFF, WRAP_UP_KEPT_SINCE, Past, attendance, put_on_the_books, troubles

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 11, 2, 1, tzinfo=UTC)
MONTH, BEFORE, LAST_YEAR = (Period.parse(label, SHANGHAI) for label in ("2026-10", "2026-09", "2025-10"))


@dataclass(frozen=True)
class Centre:
    """A centre with a past, and its October's report in every format and language."""

    settings: Settings
    told: dict[Period, list[list[AnyEvent]]]
    files: dict[str, dict[str, Path]]
    """By language and format."""

    def calls(self, period: Period) -> list[Call]:
        return [Call.of(events) for events in self.told[period]]


@pytest.fixture(scope="module")
def centre(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Centre]:
    settings = Settings(var_dir=tmp_path_factory.mktemp("centre"))
    past = Past(seed=7)
    told = {
        MONTH: list(past.calls(MONTH, 260)),
        BEFORE: list(past.calls(BEFORE, 200, skill=0.9)),
        LAST_YEAR: list(past.calls(LAST_YEAR, 120, skill=0.8)),
    }
    asyncio.run(fill(settings.ledger_url, told))
    files = {
        language: {
            path.suffix[1:]: path
            for path in make_reports(
                settings, Wish(ReportKind.MONTHLY, formats=FORMATS, language=language), SetClock(NOW)
            )
        }
        for language in ("zh-CN", "en")
    }
    yield Centre(settings, told, files)


async def fill(url: str, told: dict[Period, list[list[AnyEvent]]]) -> None:
    await upgrade(url)
    engine = open_engine(url)
    try:
        for calls in told.values():
            await put_on_the_books(SqlLedger(engine), iter(calls))
        await attendance(SqlPresence(engine), MONTH)
        await troubles(SqlOutages(engine), SqlAudit(engine), Period.parse("2026-10-20", SHANGHAI))
    finally:
        await engine.dispose()


def rows(centre: Centre, table: str) -> list[dict[str, str]]:
    text = centre.files["zh-CN"]["csv"].read_text(encoding="utf-8-sig")
    return [row for row in csv.DictReader(io.StringIO(text, newline="")) if row["table"] == table]


def fraction(row: dict[str, str]) -> tuple[float, float]:
    return float(row["numerator"]), float(row["denominator"])


def test_files_are_named_for_what_is_inside(centre: Centre) -> None:
    assert [path.name for path in centre.files["en"].values()] == [
        f"hotline-95000-monthly-2026-10-en.{ending}" for ending in ("html", "xlsx", "csv")
    ]
    folder = centre.settings.var_dir / "reports"
    assert len(list(folder.iterdir())) == 6  # nothing half-written beside them


@pytest.mark.parametrize(("compared", "period"), [("now", MONTH), ("before", BEFORE), ("year_before", LAST_YEAR)])
def test_figures_are_those_of_the_calls_themselves(centre: Centre, compared: str, period: Period) -> None:
    told = {row["id"]: row for row in rows(centre, "summary") if row["compared"] == compared}
    calls = centre.calls(period)
    asked = [call for call in calls if call.asked_at]
    offers = [offer for call in asked for offer in call.offers]
    answered = [call for call in asked if call.result is Result.ANSWERED]
    kept = [offer for offer in offers if offer.answered_at and (offer.ring_s or 0) <= 15]
    assert len(answered) < len(asked) < len(calls)
    assert fraction(told["N_ARRIVED"]) == (len(calls), 1)
    assert fraction(told["K1"]) == (len(answered), len(asked))
    assert fraction(told["K2"]) == (sum(call.answered_within(15) for call in asked), len(asked))
    assert fraction(told["K2r"]) == (len(kept), len(offers))
    handled_s, count = fraction(told["AHT"])
    known = [call for call in answered if call.wrap_up_s is not None]
    assert len(known) == (len(answered) if period.day.year >= WRAP_UP_KEPT_SINCE else 0)
    assert handled_s == pytest.approx(sum((call.talk_s or 0) + (call.wrap_up_s or 0) for call in known), abs=1e-3)
    assert count == len(known)


def test_sections_agents_and_days_add_up_to_the_whole(centre: Centre) -> None:
    def total(table: str, kpi: str, part: str) -> float:
        return sum(
            float(row[part]) for row in rows(centre, table) if row["id"] == kpi and row["compared"] == "now"
        )

    for kpi in ("K1", "K2", "K2r"):
        for part in ("numerator", "denominator"):
            whole = total("summary", kpi, part)
            assert total("sections", kpi, part) == total("course", kpi, part) == whole > 0
    assert total("agents", "K2r", "denominator") == total("summary", "K2r", "denominator")
    assert len([row for row in rows(centre, "course") if row["id"] == "K1"]) == 31


def test_agents_have_their_time(centre: Centre) -> None:
    told = [row for row in rows(centre, "agents") if row["compared"] == "now"]
    occupancy = {row["agent"]: fraction(row) for row in told if row["id"] == "OCC"}
    for agent in (agent for section in STAFF.values() for agent in section):
        mine = [call for call in centre.calls(MONTH) if call.connected and call.connected.agent == agent]
        talk_s, there_s = occupancy[agent]
        assert there_s == 31 * 11 * 3600
        assert talk_s == pytest.approx(sum(call.talk_s or 0 for call in mine), abs=1e-3)
    assert occupancy["9001"] == (0, 0)  # on the roster, never logged in


def test_reliability_and_data_quality(centre: Centre) -> None:
    told = {row["id"]: row for row in rows(centre, "summary") if row["compared"] == "now"}
    scheduled = 31 * 86400 - 3600  # an hour of announced maintenance
    assert fraction(told["K5"]) == (scheduled - 45 * 60, scheduled)
    assert fraction(told["K5sum"]) == (scheduled - 60 * 60, scheduled)
    assert [(row["id"], float(row["numerator"])) for row in rows(centre, "outages")] == [
        ("trunk", 2700),
        ("ami", 900),
    ]
    assert [row["id"] for row in rows(centre, "maintenance")] == ["asterisk"]
    quality = {row["id"]: row for row in rows(centre, "quality")}
    unrecorded = [
        call for call in centre.calls(MONTH) if call.result is Result.ANSWERED and call.recording is None
    ]
    assert float(quality["missing_recordings"]["numerator"]) == len(unrecorded)
    assert float(quality["repaired_calls"]["numerator"]) == 1


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_the_workbook_opens_with_the_same_figures(centre: Centre, language: str) -> None:
    book = openpyxl.load_workbook(centre.files[language]["xlsx"], data_only=True)
    summary = {row[1]: row for row in book.worksheets[0].iter_rows(min_row=8, values_only=True)}
    for row in rows(centre, "summary"):
        if row["compared"] == "now":
            assert (summary[row["id"]][5], summary[row["id"]][6]) == pytest.approx(fraction(row))
    assert [len(getattr(sheet, "_charts", ())) for sheet in book.worksheets[1:3]] == [2, 2]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as browser:
        yield browser


@asynccontextmanager
async def page_of(browser: Browser, **options: Any) -> AsyncIterator[Page]:
    context = await context_of(browser, **options)
    yield await context.new_page()
    await context.close()


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("language", ["zh-CN", "en"])
async def test_the_page_shows_the_same_figures_and_asks_for_nothing_else(
    centre: Centre, browser: Browser, language: str
) -> None:
    async with page_of(browser, viewport={"width": 1060, "height": 900}) as page:
        troubles_seen: list[str] = []
        asked: list[str] = []

        def on_console(message: ConsoleMessage) -> None:
            troubles_seen.append(message.text)

        def on_request(request: Request) -> None:
            asked.append(request.url)

        page.on("console", on_console)
        page.on("request", on_request)
        page.on("pageerror", lambda error: troubles_seen.append(str(error)))
        address = centre.files[language]["html"].as_uri()
        await page.goto(address)
        assert (troubles_seen, asked) == ([], [address])
        shown = await summary_on(page)
        for row in rows(centre, "summary"):
            if row["compared"] == "now":
                assert shown[row["id"]] == pytest.approx(fraction(row), abs=0.051)
        assert await page.locator("figure svg").count() >= 5
        wide = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
        assert not await page.evaluate(wide)
        assert len(await page.screenshot(full_page=True)) > 50_000


async def summary_on(page: Page) -> dict[str, tuple[float, float]]:
    """Numerators and denominators that the page shows, by indicator."""
    told: list[list[str]] = await page.locator("tr[data-kpi]").evaluate_all(
        "rows => rows.map(r => [r.dataset.kpi, r.cells[2].innerText, r.cells[3].innerText])"
    )
    return {kpi: (float(above.replace(",", "")), float(below.replace(",", ""))) for kpi, above, below in told}


@pytest.mark.asyncio(loop_scope="module")
async def test_it_prints_on_a4_with_nothing_cut_off(centre: Centre, browser: Browser, tmp_path: Path) -> None:
    async with page_of(browser) as page:
        await page.goto(centre.files["zh-CN"]["html"].as_uri())
        printed = tmp_path / "report.pdf"
        await page.pdf(path=printed, prefer_css_page_size=True)
        await page.emulate_media(media="print")
        await page.set_viewport_size({"width": 703, "height": 1000})  # A4 without its margins, at 96 to the inch
        over = (
            "[...document.querySelectorAll('table, figure')].filter(e => e.scrollWidth > e.clientWidth + 1).length"
        )
        assert await page.evaluate(over) == 0
    pages = PdfReader(printed).pages
    assert 5 <= len(pages) <= 12
    assert {(round(each.mediabox.width), round(each.mediabox.height)) for each in pages} <= {
        (595, 842),
        (594, 841),
    }
    # Fonts may have one drawing for two signs that look the same.
    text = "".join(unicodedata.normalize("NFKC", "".join(each.extract_text() for each in pages)).split())
    assert "接通率" in text and "咨询受理科" in text and "2026年10月" in text


def test_the_same_again_is_the_same_file(centre: Centre) -> None:
    path = centre.files["en"]["html"]
    before = path.read_bytes()
    assert make_reports(centre.settings, Wish(ReportKind.MONTHLY, language="en"), SetClock(NOW)) == [path]
    assert path.read_bytes() == before
    assert b"The period is not over" not in before


def test_a_month_that_is_going_on_says_so(centre: Centre, tmp_path: Path) -> None:
    inside = SetClock(datetime(2026, 10, 20, 4, tzinfo=UTC))
    wish = Wish(ReportKind.MONTHLY, period="2026-10", language="en", folder=tmp_path / "new" / "folder")
    (path,) = make_reports(centre.settings, wish, inside)
    assert path.parent == tmp_path / "new" / "folder"
    assert "The period is not over: these are the figures as of 2026-10-20 12:00:00" in path.read_text("utf-8")


@pytest.mark.parametrize(
    ("kind", "label"),
    [("daily", "2026-10-20"), ("weekly", "2026-W43"), ("quarterly", "2026-Q3"), ("yearly", "2025")],
)
def test_every_kind_can_be_made(centre: Centre, kind: str, label: str) -> None:
    files = make_reports(centre.settings, Wish(ReportKind(kind), period=label, formats=FORMATS), SetClock(NOW))
    assert [path.name for path in files] == [f"hotline-95000-{kind}-{label}-zh-CN.{end}" for end in FORMATS]
    assert all(path.stat().st_size > 5_000 for path in files)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_long_one_shows_its_progress_on_a_terminal_only(centre: Centre, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "_LONG_S", 0)
    wish = Wish(ReportKind.DAILY, period="2026-10-20", formats=("csv",))
    for error, shown in ((Terminal(), True), (io.StringIO(), False)):
        monkeypatch.setattr(sys, "stderr", error)
        make_reports(centre.settings, wish, SetClock(NOW))
        assert ("quality" in error.getvalue()) is shown
        assert bool(error.getvalue()) is shown
