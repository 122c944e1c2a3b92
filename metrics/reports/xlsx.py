"""A report as an Excel workbook: a sheet for each part of it."""

from __future__ import annotations

import io
from collections.abc import Iterator

import xlsxwriter
from xlsxwriter.worksheet import Worksheet

from calls.figures import Unit
from metrics.kpi.model import Kpi
from metrics.reports.model import COURSE_KPIS, Report
from metrics.reports.words import Words, axis_begin, number, step_label
from metrics.reports.xlsx_cells import OPTIONS, Cells
from metrics.reports.xlsx_charts import bars, lines


def to_xlsx(report: Report, words: Words) -> bytes:
    """The workbook. The same report gives the same bytes."""
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, OPTIONS) as book:
        made_at = report.made_at.astimezone(report.period.zone).replace(tzinfo=None)
        book.set_properties({"title": words.title(report.hotline, report.kind, report.period), "created": made_at})
        _Sheets(book, report, words).write()
    return content.getvalue()


class _Sheets:
    def __init__(self, book: xlsxwriter.Workbook, report: Report, words: Words) -> None:
        self._book = book
        self._report = report
        self._w = words
        self._cells = Cells(book, words, report.period)

    def write(self) -> None:
        self._summary()
        self._course()
        self._clocks()
        self._groups("section")
        self._groups("agent")
        self._outages()
        self._quality()
        self._definitions()

    def _sheet(self, part: str, columns: dict[str, int], head_row: int = 0) -> Worksheet:
        return self._cells.sheet(self._w(f"part.{part}"), list(columns), list(columns.values()), head_row)

    def _column(self, *names: str) -> str:
        """The head of a column, put together from words."""
        return " ".join(self._w(f"column.{name}") for name in names)

    def _summary(self) -> None:
        w, report, cells, column = self._w, self._report, self._cells, self._column
        columns = {
            column("kpi"): 30,
            column("id"): 15,
            column("version"): 7,
            column("basis"): 16,
            column("unit"): 8,
        }
        columns |= {column(part): 13 for part in ("numerator", "denominator", "value")}
        columns |= {column("remark"): 11}
        for earlier, change in (("before", "change_before"), ("year_before", "change_year")):
            columns |= {column(earlier, part): 13 for part in ("numerator", "denominator", "value")}
            columns |= {column(change): 12, column(change, "trend"): 10}
        head_row = 6
        sheet = self._sheet("summary", columns, head_row)
        for row, text in enumerate(_head(report, w)):
            cells.text(sheet, row, 0, text, bottom=0, **({} if row else {"bold": True, "font_size": 14}))
        sheet.set_row(0, 22)
        for row, line in enumerate(report.lines, start=head_row + 1):
            cells.text(sheet, row, 0, w.of(line.kpi.names))
            cells.text(sheet, row, 1, line.kpi.id)
            cells.version(sheet, row, 2, line.kpi)
            cells.text(sheet, row, 3, w("part.official" if line.kpi.official else "part.adjusted"))
            cells.text(sheet, row, 4, w(f"unit.{line.now.unit}"))
            cells.figure(sheet, row, 5, line.now)
            cells.text(sheet, row, 8, w("mark.provisional") if line.now.provisional else "")
            for at, earlier_figure in ((9, line.before), (14, line.year_before)):
                cells.figure(sheet, row, at, earlier_figure)
                cells.change(sheet, row, at + 3, line, earlier_figure)

    def _course(self) -> None:
        w, report, cells, column = self._w, self._report, self._cells, self._column
        shown = [line for kpi_id in COURSE_KPIS if (line := report.line(kpi_id))]
        columns = {column("period"): 24, w(f"step.{report.kind.course_grain}"): 8, column("unanswered"): 12}
        for line in shown:
            columns |= {f"{line.kpi.id} {column(part)}": 13 for part in ("numerator", "denominator", "value")}
        sheet = self._sheet("course", columns)
        for row, step in enumerate(report.course, start=1):
            cells.text(sheet, row, 0, w.period(step.period))
            cells.text(sheet, row, 1, step_label(step.period, report.kind.grain), align="center")
            k1 = step.figures.get("K1")
            cells.number(sheet, row, 2, k1.denominator - k1.numerator if k1 else None, Unit.CALLS)
            for place, line in enumerate(shown):
                if line.kpi.id in step.figures:
                    cells.figure(sheet, row, 3 + 3 * place, step.figures[line.kpi.id])
        self._course_charts(sheet, shown_names=[f"{w.of(line.kpi.names)} {line.kpi.id}" for line in shown])

    def _course_charts(self, sheet: Worksheet, shown_names: list[str]) -> None:
        w, report = self._w, self._report
        step = w(f"step.{report.kind.course_grain}")
        rows = (1, len(report.course))
        values = [figure.value for each in report.course for figure in each.figures.values()]
        calls = bars(
            self._book,
            sheet,
            title=w("chart.course_calls", step=step),
            rows=rows,
            columns=((w("legend.answered"), 3), (w("legend.unanswered"), 2)),
            stacked=True,
        )
        rates = lines(
            self._book,
            sheet,
            title=w("chart.course_rates", step=step),
            rows=rows,
            columns=[(name, 5 + 3 * place) for place, name in enumerate(shown_names)],
            begin=axis_begin(min((value for value in values if value is not None), default=0.0)),
        )
        right = 4 + 3 * len(shown_names)
        sheet.insert_chart(1, right, calls)
        sheet.insert_chart(18, right, rates)

    def _clocks(self) -> None:
        w, report, cells, column = self._w, self._report, self._cells, self._column
        columns = {column("clock"): 24, column("limit_s"): 12, column("numerator"): 12, column("denominator"): 12}
        columns |= {column("cumulative"): 14, column("before", "cumulative"): 20}
        sheet = self._sheet("clocks", columns)
        row = 1
        clocks = (("waits", report.waits, report.waits_before), ("rings", report.rings, report.rings_before))
        for place, (clock, now, before) in enumerate(clocks):
            first = row
            for limit, count in now.within:
                cells.text(sheet, row, 0, w(f"clock.{clock}"))
                cells.limit(sheet, row, 1, limit)
                cells.quotient(sheet, row, 2, (count, now.total))
                cells.number(sheet, row, 5, before.share(limit), Unit.RATIO)
                row += 1
            chart = bars(
                self._book,
                sheet,
                title=w(f"chart.{clock}"),
                rows=(first, max(first, row - 1)),
                columns=((w("legend.this_period"), 4), (w("legend.before"), 5)),
                stacked=False,
            )
            sheet.insert_chart(1 + 17 * place, 7, chart)

    def _groups(self, part: str) -> None:
        """Sections or agents: a row for each of their indicators."""
        w, report, cells, column = self._w, self._report, self._cells, self._column
        columns = {column(part): 20, column("kpi"): 28, column("id"): 12, column("version"): 7, column("unit"): 8}
        columns |= {column(name): 13 for name in ("numerator", "denominator", "value", "remark")}
        for earlier, change in (("before", "change_before"), ("year_before", "change_year")):
            columns |= {column(earlier, "value"): 16, column(change): 12, column(change, "trend"): 10}
        sheet = self._sheet(f"{part}s", columns)
        groups = report.sections if part == "section" else report.agents
        told = [(group.name, line) for group in groups for line in group.lines]
        for row, (name, line) in enumerate(told, start=1):
            cells.text(sheet, row, 0, w.section(name) if part == "section" else name)
            cells.text(sheet, row, 1, w.of(line.kpi.names))
            cells.text(sheet, row, 2, line.kpi.id)
            cells.version(sheet, row, 3, line.kpi)
            cells.text(sheet, row, 4, w(f"unit.{line.now.unit}"))
            cells.figure(sheet, row, 5, line.now)
            cells.text(sheet, row, 8, w("mark.provisional") if line.now.provisional else "")
            for at, earlier_figure in ((9, line.before), (12, line.year_before)):
                cells.number(sheet, row, at, earlier_figure.value, line.now.unit)
                cells.change(sheet, row, at + 1, line, earlier_figure)
        sheet.autofilter(0, 0, max(len(told), 1), len(columns) - 1)

    def _outages(self) -> None:
        w, report, cells, column = self._w, self._report, self._cells, self._column
        columns = {column("component"): 24, column("basis"): 20, column("began"): 20, column("ended"): 20}
        columns |= {column("lasted_s"): 18, column("reason"): 50}
        sheet = self._sheet("outages", columns)
        for row, outage in enumerate(report.outages.outages, start=1):
            cells.text(sheet, row, 0, w.named("component", outage.component))
            cells.text(sheet, row, 1, w("reliability.planned" if outage.planned else "reliability.unplanned"))
            cells.moment(sheet, row, 2, outage.began_at)
            if outage.ended_at:
                cells.moment(sheet, row, 3, outage.ended_at)
            else:
                cells.text(sheet, row, 3, w("mark.going_on"))
            cells.number(sheet, row, 4, report.outages.duration(outage).total_seconds(), Unit.SECONDS)
            cells.text(sheet, row, 5, outage.reason)

    def _quality(self) -> None:
        cells, column = self._cells, self._column
        sheet = self._sheet("quality", {column("item"): 44, column("number"): 12, column("detail"): 70})
        for row, (name, count, detail) in enumerate(_quality_items(self._report, self._w), start=1):
            cells.text(sheet, row, 0, name)
            cells.number(sheet, row, 1, count, Unit.CALLS)
            cells.text(sheet, row, 2, detail)

    def _definitions(self) -> None:
        w, cells, column = self._w, self._cells, self._column
        columns = {column("kpi"): 26, column("id"): 14, column("version"): 7, column("formula"): 44}
        columns |= {column(name): 40 for name in ("numerator", "denominator", "excluded", "why")}
        columns |= {column("unit"): 8, column("source"): 22}
        sheet = self._sheet("definitions", columns)
        for row, line in enumerate(self._report.lines, start=1):
            cells.text(sheet, row, 0, w.of(line.kpi.names))
            cells.text(sheet, row, 1, line.kpi.id)
            cells.version(sheet, row, 2, line.kpi)
            for at, text in enumerate(_definition(line.kpi, w), start=3):
                cells.text(sheet, row, at, text, text_wrap=True)


def _head(report: Report, w: Words) -> Iterator[str]:
    """What stands above the summary."""
    as_of = w.moment(report.as_of, report.period)
    yield w.title(report.hotline, report.kind, report.period)
    yield f"{w('head.period')}: {w.span(report.period)}, {report.period.zone}"
    yield f"{w('head.as_of')}: {as_of}"
    yield f"{w('head.limit')}: {w('head.limit_text', s=number(report.limit_s, 1))}"
    if report.ongoing:
        yield w("head.ongoing", as_of=as_of)
    elif report.provisional:
        yield w("head.provisional")


def _quality_items(report: Report, w: Words) -> Iterator[tuple[str, int, str]]:
    """What, how many, and in detail."""
    quality = report.quality
    unrecorded = " ".join(quality.unrecorded_calls)
    yield w("quality.missing_recordings"), quality.missing_recordings, f"/ {number(quality.answered)} {unrecorded}"
    yield w("quality.open_calls"), quality.open_calls, ""
    yield w("quality.repaired"), quality.repaired_calls, ""
    for (source, what), count in quality.repairs_by_kind:
        yield w("quality.repair", what=w.named("event", what), source=w.named("witness", source)), count, ""
    yield w("quality.discrepancies"), len(quality.discrepancies), ""
    for found in quality.discrepancies:
        seen_at = w.moment(found.seen_at, report.period)
        yield w.named("difference", found.kind), 1, f"{seen_at} {found.detail}"
    yield w("quality.tests"), quality.tests, ""


def _definition(kpi: Kpi, w: Words) -> tuple[str, ...]:
    texts = (kpi.formula, kpi.numerator, kpi.denominator, kpi.excluded, kpi.why)
    return (*map(w.of, texts), w(f"unit.{kpi.unit}"), kpi.source)
