"""The workbook's charts, Excel's own, over the cells beside them; told apart without colour as well."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import xlsxwriter
from xlsxwriter.worksheet import Worksheet

_BLUE, _AMBER, _GREEN = "#0F4C75", "#B26A00", "#0E6A3D"
_SOLID: Mapping[str, Any] = {"fill": {"color": _BLUE}}
_HATCHED: Mapping[str, Any] = {
    "pattern": {"pattern": "wide_upward_diagonal", "fg_color": _AMBER, "bg_color": "#FFFFFF"},
    "border": {"color": _AMBER},
}
_LINES = ((_BLUE, "solid", "circle"), (_AMBER, "dash", "square"), (_GREEN, "round_dot", "triangle"))

Column = tuple[str, int]
"""The name of a series, and the column that its values are in."""


def bars(
    book: xlsxwriter.Workbook,
    sheet: Worksheet,
    *,
    title: str,
    rows: tuple[int, int],
    columns: tuple[Column, Column],
    stacked: bool,
) -> Any:
    """Two series as bars, the first solid, the second hatched; the categories are in column 1."""
    chart = book.add_chart({"type": "column", **({"subtype": "stacked"} if stacked else {})})
    for (name, column), look in zip(columns, (_SOLID, _HATCHED), strict=True):
        chart.add_series({**_series(sheet, rows, name, column), **look, "gap": 60})
    if not stacked:
        chart.set_y_axis({"num_format": "0%", "min": 0, "max": 1, "major_gridlines": _GRID})
    else:
        chart.set_y_axis({"num_format": "#,##0", "major_gridlines": _GRID})
    return _titled(chart, title)


def lines(
    book: xlsxwriter.Workbook,
    sheet: Worksheet,
    *,
    title: str,
    rows: tuple[int, int],
    columns: Sequence[Column],
    begin: float,
) -> Any:
    """At most three shares as lines, each with dashes and markers of its own; the axis begins at ``begin``."""
    chart = book.add_chart({"type": "line"})
    for (name, column), (colour, dash, marker) in zip(columns, _LINES, strict=False):
        filled = {"color": colour}
        chart.add_series(
            {
                **_series(sheet, rows, name, column),
                "line": {"color": colour, "dash_type": dash, "width": 1.75},
                "marker": {"type": marker, "size": 5, "fill": filled, "border": filled},
            }
        )
    chart.set_y_axis({"num_format": "0%", "min": begin, "max": 1, "major_gridlines": _GRID})
    chart.show_blanks_as("gap")
    return _titled(chart, title)


_GRID = {"visible": True, "line": {"color": "#D7DFE6", "width": 0.5}}


def _series(sheet: Worksheet, rows: tuple[int, int], name: str, column: int) -> dict[str, Any]:
    first, last = rows
    at = sheet.get_name()
    return {"name": name, "categories": [at, first, 1, last, 1], "values": [at, first, column, last, column]}


def _titled(chart: Any, title: str) -> Any:
    chart.set_title({"name": title, "name_font": {"size": 11}})
    chart.set_legend({"position": "bottom"})
    chart.set_size({"width": 760, "height": 320})
    return chart
