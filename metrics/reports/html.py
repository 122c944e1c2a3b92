"""A report as one HTML file that needs nothing else: for the screen, and on A4 for the file."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from metrics.reports import charts
from metrics.reports.charts import Series
from metrics.reports.model import COURSE_KPIS, Distribution, Group, Report
from metrics.reports.words import Words, lasting, number, step_label

_FOLDER = Path(__file__).parent / "templates"

HEADLINES = ("K1", "K2", "K2r", "K5")
"""What a manager looks at first."""
_DISCREPANCIES_SHOWN = 50
_BY_SECTION = ("K1", "K2")


def to_html(report: Report, words: Words) -> bytes:
    """The page, in UTF-8."""
    page = _templates().get_template("report.html.j2")
    text = page.render(
        report=report,
        w=words,
        css=(_FOLDER / "report.css").read_text(encoding="utf-8"),
        charts=_charts(report, words),
        headlines=[line for kpi_id in HEADLINES if (line := report.line(kpi_id))],
        rates=COURSE_KPIS,
        rate_legend=[*_legend(report, words, COURSE_KPIS), *_target(report, words)],
        section_legend=_legend(report, words, _BY_SECTION, ("bar", "hatch")),
        definitions=[line.kpi for line in report.lines],
        shown=_DISCREPANCIES_SHOWN,
        chart_step=words(f"step.{report.kind.course_grain}"),
    )
    return text.encode()


def _legend(
    report: Report, words: Words, kpi_ids: Iterable[str], looks: Iterable[object] = (0, 1, 2)
) -> list[tuple[object, str]]:
    """Indicators and how they look in a chart."""
    lines = ((look, report.line(kpi_id)) for look, kpi_id in zip(looks, kpi_ids, strict=True))
    return [(look, f"{words.of(line.kpi.names)} {line.kpi.id}") for look, line in lines if line]


def _target(report: Report, words: Words) -> list[tuple[object, str]]:
    line = report.line("K1")
    if line is None or line.kpi.target is None:
        return []
    return [("target", words("legend.target", kpi=line.kpi.id, n=number(100 * line.kpi.target, 1)))]


@cache
def _templates() -> Environment:
    made = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(number=number, lasting=lasting, seconds_lasting=lambda s: lasting(timedelta(seconds=s)))
    return made


def _charts(report: Report, words: Words) -> dict[str, str]:
    """Every chart by name, as SVG."""
    steps = [step_label(step.period, report.kind.grain) for step in report.course]
    k1 = [step.figures.get("K1") for step in report.course]
    answered = [figure.numerator if figure else 0 for figure in k1]
    asked = [figure.denominator if figure else 0 for figure in k1]
    line = report.line("K1")
    rates = [
        Series(tuple(figure.value if (figure := step.figures.get(kpi_id)) else None for step in report.course))
        for kpi_id in COURSE_KPIS
    ]
    return {
        "calls": charts.stacked(steps, answered, [a - b for a, b in zip(asked, answered, strict=True)]),
        "rates": charts.lines(steps, rates, line.kpi.target if line else None),
        "waits": _within(report.waits, report.waits_before, report.limit_s),
        "rings": _within(report.rings, report.rings_before, report.limit_s),
        "sections": charts.paired_bars(
            [words.section(group.name) for group in report.sections],
            *(_of_groups(report.sections, kpi_id) for kpi_id in _BY_SECTION),
        ),
    }


def _within(now: Distribution, before: Distribution, limit_s: float) -> str:
    limits = [limit for limit, _ in now.within]
    return charts.shares_within(
        [number(limit, 1) for limit in limits],
        Series(tuple(map(now.share, limits))),
        Series(tuple(map(before.share, limits))),
        marked=number(limit_s, 1),
    )


def _of_groups(groups: Iterable[Group], kpi_id: str) -> Series:
    return Series(tuple(line.now.value if (line := group.line(kpi_id)) else None for group in groups))
