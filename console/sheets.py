"""Tables as files that leave the centre: CSV and XLSX, of text and numbers, never of formulas (P3)."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import xlsxwriter
from aiohttp import web

from calls.errors import FigureError
from metrics.reports.xlsx_cells import OPTIONS

Cell = str | float | int | datetime | None

MOST_ROWS = 20_000
"""Of one file."""

_BOM = "\ufeff"
"""Without it Excel takes UTF-8 for the machine's old code page."""
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table."""

    name: str
    """Of the file, without its ending: letters, digits, hyphens."""
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    notes: Sequence[str] = ()
    """Sentences below the table: what was left out."""


async def answer(sheet: Sheet, kind: str, zone: ZoneInfo) -> web.Response:
    """The file as an answer, made in a thread. Raises FigureError for another kind than csv and xlsx."""
    if kind not in _TYPES:
        raise FigureError("a table is given out as csv or xlsx")
    body = await asyncio.to_thread(to_csv if kind == "csv" else to_xlsx, sheet, zone)
    headers = {"Content-Type": _TYPES[kind], "Content-Disposition": f'attachment; filename="{sheet.name}.{kind}"'}
    return web.Response(body=body, headers=headers)


def to_csv(sheet: Sheet, zone: ZoneInfo) -> bytes:
    """UTF-8 with a byte-order mark."""
    written = io.StringIO(newline="")
    writer = csv.writer(written)
    writer.writerow([safe(title) for title in sheet.columns])
    writer.writerows([_plain(cell, zone) for cell in row] for row in sheet.rows)
    writer.writerows([safe(note)] for note in sheet.notes)
    return (_BOM + written.getvalue()).encode()


def to_xlsx(sheet: Sheet, zone: ZoneInfo) -> bytes:
    """A workbook of one sheet."""
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, OPTIONS) as book:
        table = book.add_worksheet()
        head = book.add_format({"bold": True, "bg_color": "#0F4C75", "font_color": "#FFFFFF"})
        times = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        for column, title in enumerate(sheet.columns):
            table.write_string(0, column, title, head)
        table.set_column(0, max(0, len(sheet.columns) - 1), 18)
        table.freeze_panes(1, 0)
        for number, row in enumerate(sheet.rows, start=1):
            for column, cell in enumerate(row):
                match cell:
                    case None:
                        pass
                    case datetime():
                        table.write_datetime(number, column, cell.astimezone(zone).replace(tzinfo=None), times)
                    case str():
                        table.write_string(number, column, cell)
                    case _:
                        table.write_number(number, column, cell)
        for number, note in enumerate(sheet.notes, start=len(sheet.rows) + 2):
            table.write_string(number, 0, note)
    return content.getvalue()


def safe(text: str) -> str:
    """Text that a spreadsheet would run as a formula begins with a ``'``."""
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def _plain(cell: Cell, zone: ZoneInfo) -> str:
    match cell:
        case None:
            return ""
        case datetime():
            return f"{cell.astimezone(zone):%Y-%m-%d %H:%M:%S}"
        case str():
            return safe(cell)
        case _:
            return repr(cell)
