"""Cells of a workbook: numbers as numbers, quotients as formulas over them, text as nothing but text."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.utility import xl_rowcol_to_cell
from xlsxwriter.worksheet import Worksheet

from calls.figures import Figure, Unit
from calls.periods import Period
from metrics.kpi.model import Kpi
from metrics.reports.model import Line
from metrics.reports.words import Words

OPTIONS = {
    "in_memory": True,
    # A cell's text is text, whatever it begins with.
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}
_SHOWN_AS = {
    # As on the page: the last tenth of a percent has more decimals.
    Unit.RATIO: "[>=1]0.00%;[>=0.999]0.0000%;0.00%",
    Unit.SECONDS: "#,##0.0",
    Unit.CALLS: "#,##0",
    Unit.SCORE: "#,##0.0",
}
_HEAD = {
    "font_size": 10,
    "bold": True,
    "font_color": "#FFFFFF",
    "bg_color": "#0F4C75",
    "text_wrap": True,
    "align": "center",
    "valign": "vcenter",
}
_LINED = {"font_size": 10, "valign": "top", "bottom": 1, "bottom_color": "#D7DFE6"}
_A4 = 9


class Cells:
    """Writes into the sheets of one workbook, in one language and time zone."""

    def __init__(self, book: xlsxwriter.Workbook, words: Words, period: Period) -> None:
        self._book = book
        self._w = words
        self._zone = period.zone
        self._formats: dict[tuple[tuple[str, Any], ...], Format] = {}

    def sheet(self, name: str, columns: Sequence[str], widths: Sequence[int], head_row: int = 0) -> Worksheet:
        """A sheet with its columns' heads, which stay in sight and are printed on every page."""
        sheet = self._book.add_worksheet(name)
        head = self._book.add_format(_HEAD)
        for column, (title, width) in enumerate(zip(columns, widths, strict=True)):
            sheet.write_string(head_row, column, title, head)
            sheet.set_column(column, column, width)
        sheet.freeze_panes(head_row + 1, 1)
        sheet.repeat_rows(head_row)
        sheet.set_landscape()
        sheet.set_paper(_A4)
        sheet.fit_to_pages(1, 0)
        sheet.set_footer("&L&A&R&P / &N")
        return sheet

    def text(self, sheet: Worksheet, row: int, column: int, text: str, **properties: Any) -> None:
        """A text, with properties of its format."""
        sheet.write_string(row, column, text, self._format(**properties))

    def number(self, sheet: Worksheet, row: int, column: int, value: float | None, unit: Unit) -> None:
        """A number, or that there is no data, which is not 0."""
        if value is None:
            self.text(sheet, row, column, self._w("mark.no_data"), italic=True, align="right")
        else:
            sheet.write_number(row, column, value, self._format(num_format=_SHOWN_AS[unit]))

    def version(self, sheet: Worksheet, row: int, column: int, kpi: Kpi) -> None:
        """The version of a definition."""
        sheet.write_number(row, column, kpi.version, self._format(num_format="0", align="center"))

    def limit(self, sheet: Worksheet, row: int, column: int, limit_s: float) -> None:
        """A limit in seconds."""
        sheet.write_number(row, column, limit_s, self._format(num_format="General", align="center"))

    def moment(self, sheet: Worksheet, row: int, column: int, moment: datetime) -> None:
        """A moment as the operator's clocks show it: Excel knows no time zones."""
        local = moment.astimezone(self._zone).replace(tzinfo=None)
        sheet.write_datetime(row, column, local, self._format(num_format="yyyy-mm-dd hh:mm:ss", align="left"))

    def figure(self, sheet: Worksheet, row: int, column: int, figure: Figure) -> None:
        """Numerator, denominator, and the value, in three cells."""
        self.quotient(sheet, row, column, (figure.numerator, figure.denominator), figure.unit)

    def quotient(
        self, sheet: Worksheet, row: int, column: int, parts: tuple[float, float], unit: Unit = Unit.RATIO
    ) -> None:
        """Two numbers, and beside them the formula that divides them (with its result, for who cannot compute)."""
        for at, part in enumerate(parts, start=column):
            whole = float(part).is_integer()
            sheet.write_number(row, at, part, self._format(num_format="#,##0" if whole else "#,##0.0"))
        if not parts[1]:
            self.number(sheet, row, column + 2, None, unit)
            return
        above, below = (xl_rowcol_to_cell(row, at) for at in (column, column + 1))
        shown = self._format(num_format=_SHOWN_AS[unit], bold=True)
        sheet.write_formula(row, column + 2, f"={above}/{below}", shown, parts[0] / parts[1])

    def change(self, sheet: Worksheet, row: int, column: int, line: Line, earlier: Figure) -> None:
        """The difference as a number (points of a rate), and what it means in a word, in two cells."""
        change = line.change(earlier)
        if change is None:
            self.text(sheet, row, column, "")
            self.text(sheet, row, column + 1, "")
            return
        digits = {Unit.RATIO: "0.00", Unit.CALLS: "0"}.get(line.now.unit, "0.0")
        shown = self._format(num_format=f"+#,##{digits};-#,##{digits};0")
        sheet.write_number(row, column, 100 * change if line.now.unit is Unit.RATIO else change, shown)
        self.text(sheet, row, column + 1, self._w.trend(line, earlier))

    def _format(self, **properties: Any) -> Format:
        key = tuple(sorted(properties.items()))
        if key not in self._formats:
            self._formats[key] = self._book.add_format(_LINED | properties)
        return self._formats[key]
