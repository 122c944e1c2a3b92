"""What surrounds the panels of every dashboard: its name, its time, the sections to choose from, the marks of what
happened, and the way to the other dashboards."""

from __future__ import annotations

from dataclasses import dataclass

from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import dashboard as model

from metrics.dashboards.look import AMBER, BLUE, PURPLE, RED, ZH_CN, Look, Text
from metrics.dashboards.panels import DATASOURCE

TAG = "sansheng"

IN_SECTION = 'section=~"$section"'
"""The label matcher of the section that the reader chose."""

SCRAPED = 'job="sansheng"'
"""The label matcher of the service, as Prometheus's configuration names it."""


@dataclass(frozen=True, slots=True)
class Name:
    """A dashboard's name in addresses, its title, and what it is for."""

    slug: str
    title: Text
    about: Text


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened, shown on every panel with a time axis."""

    name: Text
    expr: str
    color: str
    title: str
    text: str
    tags: str


MARKS = (
    Mark(
        Text("告警（事件）", "Incidents: alerts"),
        'ALERTS{alertstate="firing"}',
        RED,
        "{{alertname}}",
        "{{severity}} {{kpi}}{{section}}{{component}}",
        "alertname,severity",
    ),
    Mark(
        Text("系统中断", "Incidents: outages"),
        "hotline_component_up == 0",
        AMBER,
        "{{component}}",
        "",
        "component",
    ),
    # A version that the last day has not seen. A pause of the scrapes is no deployment.
    Mark(
        Text("版本上线", "Deployments"),
        "hotline_build_info unless on (version) last_over_time(hotline_build_info[1d] offset 2m)",
        BLUE,
        "{{version}}",
        "",
        "version",
    ),
    Mark(
        Text("服务启动", "Service starts"),
        f"time() - process_start_time_seconds{{{SCRAPED}}} < 60",
        PURPLE,
        "{{job}}",
        "",
        "job",
    ),
)


class Board:
    """A dashboard in the making. Panels flow from left to right, 24 columns to a row."""

    def __init__(self, look: Look, name: Name, *, since: str, refresh: str, choose_section: bool = False) -> None:
        self._look = look
        self._placed: list[model.Panel | model.RowPanel] = []
        language = look.language
        self._made = (
            build.Dashboard(name.title.of(language))
            .uid(f"sansheng-{name.slug}-{language.lower()}")
            .description(name.about.of(language))
            .tags([TAG, language])
            .timezone(look.timezone)
            .week_start("monday")
            .time(since, "now")
            .timepicker(build.TimePicker().refresh_intervals(["5s", "15s", "1m", "5m"]))
            .refresh(refresh)
            .readonly()
            .tooltip(model.DashboardCursorSync.CROSSHAIR)
            .annotations([self._mark(mark) for mark in MARKS])
            .link(self._others())
        )
        if choose_section:
            self._made = self._made.with_variable(self._sections())

    def row(self, title: Text) -> None:
        """Begin a row with a heading of its own."""
        self._made = self._made.with_row(build.Row(title.of(self._look.language)))

    def add(self, *panels: Builder[model.Panel]) -> None:
        """The next panels."""
        for panel in panels:
            self._made = self._made.with_panel(panel)

    def put(self, panel: Builder[model.Panel], *, x: int, y: int) -> None:
        """A panel in a gap that the flow leaves."""
        placed = panel.build()
        assert placed.grid_pos
        placed.grid_pos.x, placed.grid_pos.y = x, y
        self._placed.append(placed)

    def done(self) -> model.Dashboard:
        """The dashboard, its panels numbered."""
        made = self._made.build()
        made.panels = [*(made.panels or ()), *self._placed]
        for number, panel in enumerate(made.panels, start=1):
            panel.id_val = number
        return made

    def _mark(self, mark: Mark) -> build.AnnotationQuery:
        return (
            build.AnnotationQuery()
            .name(mark.name.of(self._look.language))
            .datasource(DATASOURCE)
            .enable(True)
            .icon_color(mark.color)
            .expr(mark.expr)
            .step("15s")
            .title_format(mark.title)
            .text_format(mark.text)
            .tag_keys(mark.tags)
        )

    def _others(self) -> build.DashboardLink:
        return (
            build.DashboardLink(Text("三声热线", "Sansheng").of(self._look.language))
            .type(model.DashboardLinkType.DASHBOARDS)
            .tags([TAG, self._look.language])
            .as_dropdown(False)
            .keep_time(True)
            .include_vars(True)
        )

    def _sections(self) -> build.CustomVariable:
        """All sections, or one: under its name, with its id as the value."""
        language = self._look.language
        every = Text("全部科室", "All sections").of(language)
        values = ", ".join(
            text.of(language).replace(",", "\\,") + f" : {section}"
            for section, text in self._look.sections.items()
        )
        return (
            build.CustomVariable("section")
            .label("科室" if language == ZH_CN else "Section")
            .values(values)
            .include_all(True)
            .all_value(".+")
            .current(model.VariableOption(selected=True, text=every, value="$__all"))
        )
