"""The complaint report as a workbook: one sheet for what management reads, one for each table (C7)."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from typing import Any

import xlsxwriter

from calls.case_figures import Facet
from cases.cross import crossed
from cases.forecast import TooLittle
from cases.report.model import Report
from cases.report.words import Words
from cases.statistics import Compared

_WIDE, _NARROW = 34, 13


class _Book:
    """A workbook and the looks that its sheets share."""

    def __init__(self) -> None:
        self.file = io.BytesIO()
        # Nothing that a complainant wrote may become a formula or a link.
        options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
        self.book = xlsxwriter.Workbook(self.file, options)
        self.head = self.book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
        self.title = self.book.add_format({"bold": True, "font_size": 14})
        self.wrap = self.book.add_format({"text_wrap": True, "valign": "top"})
        self.percent = self.book.add_format({"num_format": "0.0%"})

    def sheet(self, name: str, head: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """A sheet with a heading that stays in sight. Shares are told as ``float``, numbers as ``int``."""
        sheet = self.book.add_worksheet(_sheet_name(name))
        sheet.write_row(0, 0, head, self.head)
        sheet.freeze_panes(1, 1)
        sheet.set_column(0, 0, _WIDE)
        sheet.set_column(1, max(1, len(head) - 1), _NARROW)
        for number, row in enumerate(rows, 1):
            for column, value in enumerate(row):
                if value is not None:
                    sheet.write(number, column, value, self.percent if isinstance(value, float) else None)


def to_xlsx(report: Report, words: Words, hotline: str) -> bytes:
    """The workbook."""
    book = _Book()
    _first(book, report, words, hotline)
    facets = {
        Facet.TYPE: (words("part.types"), words("column.type"), report.types),
        Facet.CAUSE: (words("column.cause"), words("column.cause"), report.causes),
        Facet.DEPARTMENT: (words("part.departments"), words("column.department"), report.departments),
        Facet.CHANNEL: (words("part.channels"), words("column.channel"), report.channels),
        Facet.PLACE: (words("part.places"), words("column.place"), report.places),
    }
    for facet, (name, column, lines) in facets.items():
        head = [column, *(words(f"column.{each}") for each in _COLUMNS)]
        book.sheet(name, head, (_row(words.value(facet, line.value), line) for line in lines))
    shares = [words(f"column.{each}") for each in ("cause", "cases", "share", "cumulated")]
    book.sheet(
        words("part.causes"),
        shares,
        ((words.value(Facet.CAUSE, each.value), each.cases, each.share, each.cumulated) for each in report.pareto),
    )
    table = crossed(report.cross, words.value, Facet.DEPARTMENT, Facet.TYPE)
    head = [words("column.department"), *(name for _, name in table.columns), words("column.total")]
    book.sheet(words("part.cross"), head, ((name, *numbers, total) for _, name, numbers, total in table.rows))
    _trend(book, report, words)
    hot = [words(f"column.{each}") for each in ("word", "now", "earlier")]
    book.sheet(words("part.hot"), hot, ((each.word, each.now, each.before) for each in report.hot))
    book.book.close()
    return book.file.getvalue()


_COLUMNS = ("cases", "before", "change", "timeliness", "satisfaction", "again")


def _row(name: str, line: Compared) -> tuple[Any, ...]:
    rates = (line.now.timeliness.value, line.now.satisfaction.value)
    return name, line.now.cases, line.before.cases, line.change, *rates, line.now.again


def _first(book: _Book, report: Report, words: Words, hotline: str) -> None:
    sheet = book.book.add_worksheet(_sheet_name(words("part.findings")))
    sheet.set_column(0, 0, 110)
    lines = [words("head.as_of", moment=words.moment(report.as_of, report.period.zone))]
    if report.provisional:
        lines.append(words("head.provisional"))
    definitions = [words(key) for key in sorted(words.keys) if key.startswith("definition.")]
    sheet.write_string(0, 0, words.title(hotline, report.period), book.title)
    for number, line in enumerate([*lines, "", *words.findings(report), "", *definitions], 1):
        sheet.write_string(number, 0, line, book.wrap)


def _trend(book: _Book, report: Report, words: Words) -> None:
    head = [words(f"column.{each}") for each in ("month", "cases", "expected", "interval")]
    rows: list[Sequence[Any]] = [(month.label, month.cases) for month in report.trend]
    if not isinstance(report.expected, TooLittle):
        rows += [
            (f"+{n}", None, round(each.cases), f"{each.low:.0f} – {each.high:.0f}")
            for n, each in enumerate(report.expected.months, 1)
        ]
    book.sheet(words("part.trend"), head, rows)


def _sheet_name(name: str) -> str:
    """What Excel takes: up to 31 letters, none of ``[]:*?/\\``."""
    return "".join(" " if letter in "[]:*?/\\" else letter for letter in name)[:31]
