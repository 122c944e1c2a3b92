"""The complaint report as one HTML file that needs nothing else: for the screen, or for A4 (``printed``)."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from calls.case_figures import Facet
from cases.cross import CrossTable, crossed
from cases.forecast import TooLittle
from cases.report.charts import pareto_chart, trend_chart
from cases.report.model import Report
from cases.report.words import Words

_FOLDER = Path(__file__).parent / "templates"


def to_html(report: Report, words: Words, hotline: str, console: str = "", *, printed: bool = False) -> bytes:
    """The page, in UTF-8. Figures lead into the console at that address; on paper they lead nowhere."""

    def cases(**filters: str | None) -> str:
        """Where the cases behind a figure are listed."""
        told = {name: value or "-" for name, value in filters.items()}
        first, last = report.period.span
        days = {"since": f"{first.astimezone(report.period.zone):%Y-%m-%d}"}
        days["until"] = f"{last.astimezone(report.period.zone):%Y-%m-%d}"
        return f"{console}/cases?{urlencode({**told, **days})}"

    def cross() -> CrossTable:
        return crossed(report.cross, lambda facet, value: words.value(facet, value), Facet.DEPARTMENT, Facet.TYPE)

    page = _templates().get_template("report.html.j2")
    text = page.render(
        report=report,
        w=words,
        hotline=hotline,
        css=(_FOLDER / "report.css").read_text(encoding="utf-8"),
        printed=printed,
        links=bool(console) and not printed,
        cases=cases,
        cross=cross(),
        Facet=Facet,
        too_little=isinstance(report.expected, TooLittle),
        pareto_chart=pareto_chart(report.pareto, lambda value: words.value(Facet.CAUSE, value)),
        trend_chart=trend_chart(report.trend, report.expected),
    )
    return text.encode()


@cache
def _templates() -> Environment:
    return Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
