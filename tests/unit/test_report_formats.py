"""One report in three formats: the same figures in each, nothing that runs, nothing from outside."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping
from html.parser import HTMLParser
from xml.etree import ElementTree

import openpyxl
import pytest
from openpyxl.worksheet.worksheet import Worksheet

from metrics.reports import charts
from metrics.reports.charts import Series
from metrics.reports.csv_file import COLUMNS, to_csv
from metrics.reports.html import to_html
from metrics.reports.model import Report
from metrics.reports.words import LANGUAGES, Words, load_words, number
from metrics.reports.xlsx import to_xlsx
from tests.support_report_model import made_up_report

NAMES: Mapping[str, Mapping[str, str]] = {"inquiry": {"zh-CN": "咨询受理科", "en": "Inquiries"}}
ZH, EN = (load_words(language, NAMES) for language in LANGUAGES)

Parts = dict[str, tuple[str, str, str]]
"""Numerator, denominator and value of each indicator, as they are written for people."""


@pytest.fixture
async def report() -> Report:
    return await made_up_report()


def rows_of(report: Report) -> list[dict[str, str]]:
    text = to_csv(report).decode()
    assert text.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(text[1:], newline="")))


class Tables(HTMLParser):
    """The cells of all tables, row by row, and everything that would load or run something."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self._inside = False
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attributes)))
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
            self._inside = True

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th"):
            self._inside = False

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.rows[-1][-1] += data


def in_html(report: Report) -> Parts:
    found: Parts = {}
    for row in Tables(to_html(report, EN).decode()).rows:
        told = re.search(r"(\w+) v\d+$", row[0].strip()) if len(row) == 8 else None
        if told:
            found[told[1]] = (row[2], row[3], row[1].replace("provisional", ""))
    return found


def sheet_rows(sheet: Worksheet, head_row: int) -> Iterator[dict[str, object]]:
    heads = [cell.value for cell in sheet[head_row]]
    for row in sheet.iter_rows(min_row=head_row + 1, values_only=True):
        yield {str(name): value for name, value in zip(heads, row, strict=True)}


def charts_on(book: openpyxl.Workbook, name: str) -> int:
    sheet = book[name]
    assert isinstance(sheet, Worksheet)
    return len(sheet._charts)  # type: ignore[attr-defined]


async def test_all_formats_hold_the_same_figures(report: Report) -> None:
    of_report = {line.kpi.id: (line.now.numerator, line.now.denominator, line.now.value) for line in report.lines}
    told = [row for row in rows_of(report) if row["table"] == "summary" and row["compared"] == "now"]
    assert len(of_report) == len(told) == len(report.lines)
    for row in told:
        numerator, denominator, value = of_report[row["id"]]
        assert (float(row["numerator"]), float(row["denominator"])) == (numerator, denominator)
        assert (float(row["value"]) if row["value"] else None) == value

    book = openpyxl.load_workbook(io.BytesIO(to_xlsx(report, EN)), data_only=True)
    in_book = {str(row["Id"]): row for row in sheet_rows(book["Indicators"], 7)}
    assert in_book.keys() == of_report.keys()
    for kpi_id, (numerator, denominator, value) in of_report.items():
        cells = in_book[kpi_id]
        assert (cells["Numerator"], cells["Denominator"]) == (numerator, denominator)
        assert cells["Value"] == ("no data" if value is None else pytest.approx(value, abs=1e-12))

    in_page = in_html(report)
    assert in_page.keys() == of_report.keys()
    for line in report.lines:
        parts = (number(line.now.numerator, 1), number(line.now.denominator, 1), EN.value(line.now))
        assert in_page[line.kpi.id] == parts


async def test_a_value_in_the_workbook_is_the_formula_that_divides_its_neighbours(report: Report) -> None:
    book = openpyxl.load_workbook(io.BytesIO(to_xlsx(report, ZH)))
    summary = book["指标总览"]
    k1 = next(row for row in summary.iter_rows(min_row=8) if row[1].value == "K1")
    numerator, denominator, value = k1[5], k1[6], k1[7]
    assert value.value == f"={numerator.coordinate}/{denominator.coordinate}"
    assert value.number_format.endswith("0.00%")
    assert isinstance(numerator.value, int)
    assert summary.freeze_panes == "B8"
    assert [charts_on(book, name) for name in ("走势", "时长分布")] == [2, 2]


async def test_the_workbook_has_every_part(report: Report) -> None:
    book = openpyxl.load_workbook(io.BytesIO(to_xlsx(report, EN)), data_only=True)
    assert book.sheetnames == [
        *("Indicators", "Course", "Clocks", "Sections", "Agents", "Reliability", "Data quality", "Definitions"),
    ]
    assert {row["Section"] for row in sheet_rows(book["Sections"], 1)} == {"Inquiries", "ticketing", "complaint"}
    assert {row["Agent"] for row in sheet_rows(book["Agents"], 1)} == {"1001", "1002", "1003"}
    assert len(list(sheet_rows(book["Course"], 1))) == 24
    outages = list(sheet_rows(book["Reliability"], 1))
    assert [row["Component"] for row in outages] == ["trunk", "Asterisk’s management link", "disk"]
    assert outages[0]["Lasted in the period (s)"] == 3600
    definitions = {row["Id"]: row for row in sheet_rows(book["Definitions"], 1)}
    assert "÷" in str(definitions["K1"]["Formula"])


async def test_text_that_looks_like_a_formula_stays_text(report: Report) -> None:
    reasons = [row["note"] for row in rows_of(report) if row["table"] in ("outages", "discrepancies")]
    assert "'=cmd|' /C calc'!A1" in reasons
    assert "'+queue_log: ABANDON" in reasons
    assert not [cell for row in rows_of(report) for cell in row.values() if re.match(r"[=+@\t\r]|-\D", cell)]
    book = openpyxl.load_workbook(io.BytesIO(to_xlsx(report, ZH)))
    for sheet in book.worksheets:
        for cell in (cell for row in sheet.iter_rows() for cell in row if cell.data_type == "f"):
            assert re.fullmatch(r"=[A-Z]+\d+/[A-Z]+\d+", str(cell.value)), cell.coordinate
    assert any(cell.value == "=cmd|' /C calc'!A1" for row in book["系统可靠性"].iter_rows() for cell in row)


async def test_the_page_needs_nothing_else_and_runs_nothing(report: Report) -> None:
    page = to_html(report, ZH).decode()
    tags = Tables(page).tags
    names = {tag for tag, _ in tags}
    assert not names & {"script", "link", "iframe", "object", "embed", "img", "base", "form"}
    assert not [attributes for _, attributes in tags if any(name.startswith("on") for name in attributes)]
    assert not re.findall(r"""(?:src|href)=["'](?!#)""", page)
    assert "url(http" not in page and "@import" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


async def test_the_page_can_be_read_aloud(report: Report) -> None:
    page = to_html(report, ZH).decode()
    tags = Tables(page).tags
    assert page.startswith("<!doctype html>")
    assert ("html", {"lang": "zh-CN"}) in tags
    assert sum(tag == "table" for tag, _ in tags) == sum(tag == "caption" for tag, _ in tags)
    assert all(attributes.get("scope") in ("row", "col") for tag, attributes in tags if tag == "th")
    drawings = [attributes for _, attributes in tags if attributes.get("role") == "img"]
    assert len(drawings) == sum(tag == "figure" for tag, _ in tags) == 5
    assert all(attributes["aria-label"] for attributes in drawings)
    ids = [str(attributes["id"]) for _, attributes in tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    pointed_at = {name for _, each in tags for name in re.findall(r"#([\w-]+)", " ".join(map(str, each.values())))}
    assert {name for name in pointed_at if not re.fullmatch("[0-9a-f]{6}", name)} <= set(ids)


async def test_no_data_is_told_and_never_0_percent(report: Report) -> None:
    assert in_html(report)["K4"] == ("0", "0", "no data")
    told = {(row["id"], row["compared"]): row["value"] for row in rows_of(report) if row["table"] == "summary"}
    assert told["K1", "year_before"] == ""
    assert float(told["K1", "now"]) == 115 / 120


async def test_the_csv_file_is_long_and_complete(report: Report) -> None:
    rows = rows_of(report)
    assert tuple(rows[0]) == COLUMNS
    tables = [row["table"] for row in rows]
    assert {name: tables.count(name) for name in dict.fromkeys(tables)} == {
        "summary": 3 * len(report.lines),
        "sections": 3 * 3 * len(report.sections[0].lines),
        "agents": 3 * 3 * len(report.agents[0].lines),
        "course": 24 * 3,
        "waits": 9,
        "rings": 9,
        "outages": 2,
        "maintenance": 1,
        "quality": 4,
        "discrepancies": 1,
    }
    k2 = next(row for row in rows if row["id"] == "K2" and row["section"] == "inquiry")
    assert (k2["version"], k2["official"], k2["limit_s"], k2["unit"]) == ("1", "yes", "15", "ratio")
    assert (k2["start"], k2["end"]) == ("2026-11-21T00:00:00+08:00", "2026-11-22T00:00:00+08:00")
    assert k2["as_of"] == "2026-11-22T04:00:00+00:00"
    assert k2["provisional"] == "no"
    within = next(row for row in rows if row["table"] == "waits" and row["limit_s"] == "12")
    assert (within["numerator"], within["denominator"], float(within["value"])) == ("80", "120", 80 / 120)


@pytest.mark.parametrize("words", [ZH, EN], ids=LANGUAGES)
async def test_the_same_report_gives_the_same_bytes(report: Report, words: Words) -> None:
    again = await made_up_report()
    assert to_html(report, words) == to_html(again, words)
    assert to_xlsx(report, words) == to_xlsx(again, words)
    assert to_csv(report) == to_csv(again)


@pytest.mark.parametrize("words", [ZH, EN], ids=LANGUAGES)
async def test_a_period_without_anything_is_a_report_too(words: Words) -> None:
    from tests.support_report_model import GivenBooks

    empty = await made_up_report(books=GivenBooks([]), troubles=False)
    assert words("note.none") in to_html(empty, words).decode()
    assert openpyxl.load_workbook(io.BytesIO(to_xlsx(empty, words)))
    assert rows_of(empty)


def test_charts_are_drawings_with_gaps_where_there_is_no_data() -> None:
    drawn = charts.lines(["1", "2", "3"], [Series((0.9, None, 1.0))], target=0.95)
    whole = charts.lines(["1", "2", "3"], [Series((0.9, 0.95, 1.0))], target=0.95)
    ElementTree.fromstring(drawn)
    assert drawn.count("<use") == whole.count("<use") - 1  # one marker less
    assert "<text" in drawn  # text stays text
    assert "font-family" not in drawn  # and takes the page's fonts
    assert "#0f4c75" in drawn
    for empty in (
        charts.lines([], []),
        charts.stacked([], [], []),
        charts.paired_bars([], Series(()), Series(())),
    ):
        ElementTree.fromstring(empty)


def test_a_share_of_almost_all_is_not_drawn_as_100() -> None:
    drawn = charts.shares_within(["15"], Series((0.9999,)), Series((None,)), marked="15")
    assert ">99<" in drawn
    assert ">100<" in charts.shares_within(["15"], Series((1.0,)), Series((None,)))
