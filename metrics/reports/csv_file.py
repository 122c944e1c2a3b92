"""A report as CSV in the long format: a row for each figure, for spreadsheets and programs."""

from __future__ import annotations

import csv
import io
from dataclasses import astuple, fields
from datetime import datetime

from metrics.reports.model import Report
from metrics.reports.rows import Row, rows_of

COLUMNS = tuple(field.name for field in fields(Row))

_BOM = "\ufeff"
"""Without it Excel takes UTF-8 for the machine's old code page."""
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


def to_csv(report: Report) -> bytes:
    """The file, in UTF-8 with a byte-order mark. The columns and their words are the same in every language."""
    written = io.StringIO(newline="")
    writer = csv.writer(written)
    writer.writerow(COLUMNS)
    writer.writerows(map(_cell, astuple(row)) for row in rows_of(report))
    return (_BOM + written.getvalue()).encode()


def _cell(value: object) -> str:
    """A value as a program reads it back; text that a spreadsheet would run as a formula begins with a ``'``."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case datetime():
            return value.isoformat(timespec="seconds")
        case float():
            return repr(int(value)) if value.is_integer() else repr(value)
        case int():
            return repr(value)
        case _:
            text = str(value)
            return f"'{text}" if text.startswith(_FORMULA_STARTS) else text
