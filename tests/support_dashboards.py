"""Our dashboards as tests and pictures need them: every query with its place, evaluated as Grafana would."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from calls.ids import Language
from metrics.dashboards.files import BOARDS, to_json
from metrics.dashboards.look import Look
from service.dashboards import look_of
from service.settings import Settings
from service.wiring import menu_of
from tests.support_prometheus import PrometheusApi

Json = dict[str, Any]


@dataclass(frozen=True)
class Asked:
    """One query of a dashboard."""

    place: str
    """Dashboard, panel and reference: what a failing test names."""
    expr: str
    instant: bool
    legend: str = ""
    least_step_s: int = 0
    """How much time one value stands for at least."""


def dashboards(language: str = "zh-CN", look: Look | None = None) -> dict[str, Json]:
    """Every dashboard as its JSON says, by its name in addresses."""
    settings = Settings()
    look = look or look_of(settings, menu_of(settings), Language(language))
    return {slug: json.loads(to_json(board(look))) for slug, board in BOARDS.items()}


def panels(dashboard: Json) -> list[Json]:
    """The panels that show something; headings of rows do not."""
    return [panel for panel in dashboard["panels"] if panel["type"] != "row"]


def asked(slug: str, dashboard: Json) -> Iterator[Asked]:
    """Every query of a dashboard: those of its panels, marks and variables."""
    for panel in panels(dashboard):
        for target in panel["targets"]:
            place = f"{slug} / {panel['title']} / {target['refId']}"
            yield asked_by(panel, target, place)
    for mark in dashboard["annotations"]["list"]:
        yield Asked(f"{slug} / mark {mark['name']}", mark["expr"], instant=False)
    for variable in dashboard.get("templating", {}).get("list", ()):
        assert variable["type"] == "custom", f"{variable['name']}: a variable that asks Prometheus is not tested"


def asked_by(panel: Json, target: Json, place: str) -> Asked:
    """One query of a panel."""
    return Asked(
        place,
        target["expr"],
        target.get("instant", False),
        target.get("legendFormat", ""),
        {"": 0, "1m": 60}[panel.get("interval", "")],
    )


ALL_SECTIONS = ".+"
"""What the section is while the reader has not chosen one."""


def filled(expr: str, *, span_s: int, step_s: int, section: str) -> str:
    """An expression with Grafana's variables replaced, as Grafana does for scrapes every `step_s` seconds."""
    for name, value in {
        "$__rate_interval": f"{4 * step_s}s",
        "$__interval": f"{step_s}s",
        "$__range": f"{span_s}s",
        "$section": section,
    }.items():
        expr = expr.replace(name, value)
    assert "$" not in expr, f"unknown variable in {expr}"
    return expr


async def answer(
    prometheus: PrometheusApi,
    query: Asked,
    since: float,
    until: float,
    step_s: int,
    section: str = ALL_SECTIONS,
) -> list[Json]:
    """What Prometheus answers to a query over a time, or at its end; the last value is always of the end."""
    step_s = max(step_s, query.least_step_s)
    expr = filled(query.expr, span_s=math.ceil(until - since), step_s=step_s, section=section)
    if query.instant:
        return await prometheus.query(expr, until)
    steps = math.floor((until - since) / step_s)
    return await prometheus.query_range(expr, until - steps * step_s, until, step_s)


def trouble(query: Asked, series: list[Json]) -> str | None:
    """What is wrong with an answer; ``None`` if it has data and the labels that the legend shows."""
    if not any(math.isfinite(float(value)) for one in series for _, value in one.get("values") or [one["value"]]):
        return f"{query.place}: no data for {query.expr}"
    for label in re.findall(r"{{(\w+)}}", query.legend):
        if any(label not in one["metric"] for one in series):
            return f"{query.place}: not every series has the legend's label {label}"
    return None
