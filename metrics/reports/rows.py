"""A report as rows, one figure each: what is left of it when it is read by a program."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from calls.figures import Figure, Unit
from metrics.kpi.model import Kpi
from metrics.reports.model import Distribution, Line, Report


@dataclass(frozen=True, slots=True)
class Row:
    """One figure. The fields are the columns of the CSV file, in this order; ``docs/reports.md`` explains them."""

    table: str
    compared: str
    id: str
    version: int | None
    official: bool | None
    grain: str
    period: str
    start: datetime
    end: datetime | None
    section: str | None
    agent: str | None
    limit_s: float | None
    numerator: float
    denominator: float | None
    value: float | None
    unit: str
    as_of: datetime
    provisional: bool
    note: str = ""


def rows_of(report: Report) -> Iterator[Row]:
    """Every figure of the report, in its order."""
    for line in report.lines:
        yield from _of_line("summary", line)
    for table, groups in (("sections", report.sections), ("agents", report.agents)):
        for group in groups:
            for line in group.lines:
                yield from _of_line(table, line)
    kpis = {line.kpi.id: line.kpi for line in report.lines}
    for step in report.course:
        for figure in step.figures.values():
            yield _of_figure("course", "now", kpis[figure.kpi], figure)
    yield from _of_clock(report, "waits", report.waits)
    yield from _of_clock(report, "rings", report.rings)
    yield from _outages(report)
    yield from _quality(report)


def _of_line(table: str, line: Line) -> Iterator[Row]:
    for compared, figure in line.compared.items():
        yield _of_figure(table, compared, line.kpi, figure)


def _of_figure(table: str, compared: str, kpi: Kpi, figure: Figure) -> Row:
    return Row(
        table=table,
        compared=compared,
        id=figure.kpi,
        version=figure.version,
        official=kpi.official,
        grain=figure.period.grain,
        period=figure.period.label,
        start=figure.period.start,
        end=figure.period.end,
        section=figure.slice.section,
        agent=figure.slice.agent,
        limit_s=kpi.limit_s,
        numerator=figure.numerator,
        denominator=figure.denominator,
        value=figure.value,
        unit=figure.unit,
        as_of=figure.as_of,
        provisional=figure.provisional,
    )


def _plain(report: Report, table: str, what: str, number: float, **more: object) -> Row:
    """A number of the report's own period."""
    fields: dict[str, object] = {
        "table": table,
        "compared": "now",
        "id": what,
        "version": None,
        "official": None,
        "grain": report.period.grain,
        "period": report.period.label,
        "start": report.period.start,
        "end": report.period.end,
        "section": None,
        "agent": None,
        "limit_s": None,
        "numerator": number,
        "denominator": None,
        "value": number,
        "unit": Unit.CALLS,
        "as_of": report.as_of,
        "provisional": report.ongoing,
    }
    return Row(**{**fields, **more})  # type: ignore[arg-type]


def _of_clock(report: Report, table: str, clock: Distribution) -> Iterator[Row]:
    for limit, count in clock.within:
        yield _plain(
            report,
            table,
            "within",
            count,
            limit_s=limit,
            denominator=clock.total,
            value=count / clock.total if clock.total else None,
            unit=Unit.RATIO,
            provisional=report.ongoing or report.quality.open_calls > 0,
        )


def _outages(report: Report) -> Iterator[Row]:
    for outage in report.outages.outages:
        lasted_s = report.outages.duration(outage).total_seconds()
        yield _plain(
            report,
            "maintenance" if outage.planned else "outages",
            outage.component,
            lasted_s,
            start=outage.began_at.astimezone(report.period.zone),
            end=outage.ended_at.astimezone(report.period.zone) if outage.ended_at else None,
            unit=Unit.SECONDS,
            provisional=outage.ended_at is None,
            note=outage.reason,
        )


def _quality(report: Report) -> Iterator[Row]:
    quality = report.quality
    yield _plain(
        report,
        "quality",
        "missing_recordings",
        quality.missing_recordings,
        denominator=quality.answered,
        value=quality.missing_recordings / quality.answered if quality.answered else None,
        unit=Unit.RATIO,
    )
    yield _plain(report, "quality", "open_calls", quality.open_calls)
    yield _plain(report, "quality", "repaired_calls", quality.repaired_calls)
    yield _plain(report, "quality", "tests", quality.tests)
    for found in quality.discrepancies:
        seen_at = found.seen_at.astimezone(report.period.zone)
        settled_at = found.settled_at.astimezone(report.period.zone) if found.settled_at else None
        yield _plain(report, "discrepancies", found.kind, 1, start=seen_at, end=settled_at, note=found.detail)
