"""Panels of Grafana's types from a few words each; what is the same on every panel is said here once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from grafana_foundation_sdk.builders import (
    bargauge,
    heatmap,
    prometheus,
    stat,
    statetimeline,
    table,
    timeseries,
)
from grafana_foundation_sdk.builders import common as make
from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.models import common as of
from grafana_foundation_sdk.models import dashboard as model
from grafana_foundation_sdk.models.heatmap import HeatmapColorMode, HeatmapColorScale
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from metrics.dashboards.look import AMBER, GREEN, GREY, RED, Look, Named, Text

DATASOURCE_UID = "sansheng-prometheus"
DATASOURCE = of.DataSourceRef(type_val="prometheus", uid=DATASOURCE_UID)

Steps = tuple[tuple[float | None, str], ...]
"""Colours from a value upwards; the first, without a value, from below."""

Size = tuple[int, int]
"""Width in columns (24 make a row), height in units of 30 pixels and a gap."""

_KEY_PX = 230
"""Width of the column that says what a row is about."""

NOTHING = Text("无数据", "no data")

BAR = "1m"
"""What a bar or a cell holds at least: calls are few, and a shorter time has too few scrapes for an increase."""

UNWATCHED = Text("未监测", "not watched")

_P = TypeVar("_P", bargauge.Panel, heatmap.Panel, stat.Panel, statetimeline.Panel, table.Panel, timeseries.Panel)


@dataclass(frozen=True, slots=True)
class Query:
    """An expression, and what its series are called: words, or Grafana's ``{{label}}``."""

    expr: str
    legend: Text | str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: what fills it, its head, and how its numbers are shown."""

    expr: str
    head: Text
    unit: str = "none"
    decimals: int | None = None
    steps: Steps = ()


@dataclass(frozen=True, slots=True)
class Head:
    """What a panel is called and what it shows; the size goes with it."""

    title: Text
    about: Text
    size: Size


def at_least(target: float, margin: float = 0.05) -> Steps:
    """Green from the target on, amber a margin below it, red further down."""
    return ((None, RED), (round(target - margin, 6), AMBER), (target, GREEN))


def at_most(amber: float, red: float) -> Steps:
    """Green below, then amber, then red."""
    return ((None, GREEN), (amber, AMBER), (red, RED))


def must_be_zero() -> Steps:
    """Green at 0, red above."""
    return ((None, GREEN), (1e-9, RED))


class Panels:
    """Makes the panels of one look."""

    def __init__(self, look: Look) -> None:
        self.look = look

    def say(self, text: Text | str) -> str:
        """The words in this look's language."""
        return text if isinstance(text, str) else text.of(self.look.language)

    # ── Figures ──────────────────────────────────────────────────────────────────────────────────────────────

    def stat(
        self,
        head: Head,
        *queries: Query,
        unit: str = "none",
        decimals: int | None = None,
        steps: Steps = ((None, "text"),),
        filled: bool = False,
        words: Sequence[Named] = (),
        named: bool = False,
    ) -> stat.Panel:
        """One big figure or a few; `filled` in the colour of its step, `words` instead of certain values.

        Several are `named`, one only if asked.
        """
        panel = self._dressed(stat.Panel(), head, queries, instant=True, unit=unit, decimals=decimals)
        panel = (
            panel.thresholds(_thresholds(steps))
            .color_mode(of.BigValueColorMode.BACKGROUND_SOLID if filled else of.BigValueColorMode.VALUE)
            .graph_mode(of.BigValueGraphMode.NONE)
            .text_mode(
                of.BigValueTextMode.VALUE_AND_NAME if named or len(queries) > 1 else of.BigValueTextMode.VALUE
            )
            .justify_mode(of.BigValueJustifyMode.CENTER)
            .orientation(of.VizOrientation.AUTO)
            .reduce_options(make.ReduceDataOptions().calcs(["lastNotNull"]))
        )
        return panel.mappings([self._words(words)]) if words else panel

    def bars(
        self,
        head: Head,
        *queries: Query,
        unit: str = "none",
        steps: Steps = ((None, "blue"),),
        most: float | None = None,
        names: Sequence[Named] = (),
    ) -> bargauge.Panel:
        """A bar for each series' value of now."""
        panel = self._dressed(bargauge.Panel(), head, queries, instant=True, unit=unit)
        panel = (
            panel.thresholds(_thresholds(steps))
            .min(0)
            .display_mode(of.BarGaugeDisplayMode.BASIC)
            .orientation(of.VizOrientation.HORIZONTAL)
            .value_mode(of.BarGaugeValueMode.COLOR)
            .name_placement(of.BarGaugeNamePlacement.LEFT)
            .max_viz_height(40)
            .reduce_options(make.ReduceDataOptions().calcs(["lastNotNull"]))
        )
        if most is not None:
            panel = panel.max(most)
        return self._named(panel, names, colored=False)

    # ── Over time ────────────────────────────────────────────────────────────────────────────────────────────

    def lines(
        self,
        head: Head,
        *queries: Query,
        unit: str = "none",
        limits: Steps = (),
        most: float | None = None,
        decimals: int | None = None,
        names: Sequence[Named] = (),
    ) -> timeseries.Panel:
        """A line for each series; `limits` are drawn as dashed lines."""
        panel = self._dressed(timeseries.Panel(), head, queries, unit=unit, decimals=decimals)
        return self._named(self._plot(panel, limits, most).line_width(2).fill_opacity(0), names)

    def stacked(
        self,
        head: Head,
        *queries: Query,
        unit: str = "none",
        bars: bool = True,
        decimals: int | None = None,
        names: Sequence[Named] = (),
    ) -> timeseries.Panel:
        """Series on top of each other: bars for what happened in ``$__interval``, areas for what was there."""
        panel = self._dressed(timeseries.Panel(), head, queries, unit=unit, decimals=decimals)
        panel = (
            self._plot(panel)
            .stacking(make.StackingConfig().mode(of.StackingMode.NORMAL).group("A"))
            .draw_style(of.GraphDrawStyle.BARS if bars else of.GraphDrawStyle.LINE)
            .line_interpolation(of.LineInterpolation.STEP_AFTER)
            .line_width(0 if bars else 1)
            .fill_opacity(90 if bars else 70)
        )
        return self._named(panel.interval(BAR) if bars else panel, names)

    def heatmap(self, head: Head, bucket_increase: str) -> heatmap.Panel:
        """Where the observations of a histogram lie over time; grouped by ``le``, over ``$__interval``."""
        panel = self._framed(heatmap.Panel(), head)
        target = self._target("A", Query(bucket_increase, "{{le}}")).range().format(PromQueryFormat.HEATMAP)
        return (
            panel.with_target(target)
            .interval(BAR)
            .calculate(False)
            .cell_gap(1)
            # Few calls must be seen beside many: the scale is a square root.
            .color(
                heatmap.HeatmapColorOptions()
                .mode(HeatmapColorMode.SCHEME)
                .scheme("YlOrRd")
                .scale(HeatmapColorScale.EXPONENTIAL)
                .exponent(0.5)
                .steps(64)
            )
            .filter_values(heatmap.FilterValueRange().le(1e-9))
            .y_axis(heatmap.YAxisConfig().unit("s").decimals(0))
            .show_legend()
        )

    def states(
        self, head: Head, *queries: Query, words: Sequence[Named], names: Sequence[Named] = ()
    ) -> statetimeline.Panel:
        """A band for each series, coloured by its state."""
        panel = self._dressed(statetimeline.Panel(), head, queries)
        panel = (
            panel.mappings([self._words(words), self._unknown()])
            .color_scheme(build.FieldColor().mode(model.FieldColorModeId.THRESHOLDS))
            .thresholds(_thresholds(((None, "text"),)))
            .merge_values(True)
            .show_value(of.VisibilityMode.NEVER)
            .row_height(0.8)
            .fill_opacity(85)
            .line_width(0)
            .legend(self._legend())
        )
        return self._named(panel, names, colored=False)

    # ── Tables ───────────────────────────────────────────────────────────────────────────────────────────────

    def table(
        self, head: Head, key: str, key_head: Text, columns: Sequence[Column], names: Sequence[Named]
    ) -> table.Panel:
        """A row for each value of the label `key` (in the order of `names`), a column for each expression."""
        panel = self._framed(table.Panel(), head).cell_height(of.TableCellHeight.MD)
        panel = panel.show_header(True).cell_options(of.TableAutoCellOptions()).min_width(60)
        refs = [chr(ord("A") + place) for place in range(len(columns))]
        heads = {key: self.say(key_head)}
        for ref, column in zip(refs, columns, strict=True):
            panel = panel.with_target(
                self._target(ref, Query(column.expr)).instant().format(PromQueryFormat.TABLE)
            )
            heads[f"Value #{ref}"] = self.say(column.head)
            panel = panel.override_by_name(heads[f"Value #{ref}"], _cells(column))
        panel = panel.override_by_name(
            heads[key],
            [
                model.DynamicConfigValue("mappings", [self._words(names, colored=False)]),
                model.DynamicConfigValue("custom.width", _KEY_PX),
            ],
        )
        return panel.with_transformation(model.DataTransformerConfig("merge", options={})).with_transformation(
            model.DataTransformerConfig(
                "organize",
                options={
                    "excludeByName": {"Time": True},
                    "includeByName": {},
                    "indexByName": {name: place for place, name in enumerate(heads)},
                    "renameByName": heads,
                },
            )
        )

    # ── What they have in common ─────────────────────────────────────────────────────────────────────────────

    def _target(self, ref: str, query: Query) -> prometheus.Dataquery:
        target = prometheus.Dataquery().ref_id(ref).expr(query.expr).datasource(DATASOURCE)
        return target.legend_format(self.say(query.legend)) if query.legend else target

    def _framed(self, panel: _P, head: Head) -> _P:
        width, height = head.size
        return (
            panel.title(self.say(head.title))
            .description(self.say(head.about))
            .datasource(DATASOURCE)
            .span(width)
            .height(height)
            .no_value(self.say(NOTHING))
        )

    def _dressed(
        self,
        panel: _P,
        head: Head,
        queries: Sequence[Query],
        *,
        instant: bool = False,
        unit: str = "none",
        decimals: int | None = None,
    ) -> _P:
        panel = self._framed(panel, head).unit(unit)
        if decimals is not None:
            panel = panel.decimals(decimals)
        for place, query in enumerate(queries):
            target = self._target(chr(ord("A") + place), query)
            panel = panel.with_target(target.instant() if instant else target.range())
        return panel

    def _plot(self, panel: timeseries.Panel, limits: Steps = (), most: float | None = None) -> timeseries.Panel:
        panel = panel.legend(self._legend()).show_points(of.VisibilityMode.NEVER).span_nulls(False)
        panel = panel.color_scheme(build.FieldColor().mode(model.FieldColorModeId.PALETTE_CLASSIC))
        panel = panel.tooltip(make.VizTooltipOptions().mode(of.TooltipDisplayMode.MULTI)).min(0)
        if most is not None:
            panel = panel.max(most)
        if limits:
            style = make.GraphThresholdsStyleConfig().mode(of.GraphThresholdsStyleMode.DASHED)
            panel = panel.thresholds(_thresholds(((None, "transparent"), *limits))).thresholds_style(style)
        return panel

    def _legend(self) -> make.VizLegendOptions:
        return (
            make.VizLegendOptions()
            .display_mode(of.LegendDisplayMode.LIST)
            .placement(of.LegendPlacement.BOTTOM)
            .show_legend(True)
            .calcs([])
        )

    def _named(self, panel: _P, names: Sequence[Named], *, colored: bool = True) -> _P:
        for named in names:
            how = [model.DynamicConfigValue("displayName", self.say(named.text))]
            if colored:
                how.append(model.DynamicConfigValue("color", {"mode": "fixed", "fixedColor": named.color}))
            panel = panel.override_by_name(named.value, how)
        return panel

    def _unknown(self) -> model.SpecialValueMap:
        """For a series that is there and says nothing: what nobody watches is neither up nor down."""
        return model.SpecialValueMap(
            model.DashboardSpecialValueMapOptions(
                match=model.SpecialValueMatch.NULL_AND_NAN,
                result=model.ValueMappingResult(text=self.say(UNWATCHED), color=GREY),
            )
        )

    def _words(self, words: Sequence[Named], *, colored: bool = True) -> model.ValueMap:
        return model.ValueMap(
            {
                named.value: model.ValueMappingResult(
                    text=self.say(named.text), color=named.color if colored else None, index=place
                )
                for place, named in enumerate(words)
            }
        )


def _thresholds(steps: Steps) -> build.ThresholdsConfig:
    return (
        build.ThresholdsConfig()
        .mode(model.ThresholdsMode.ABSOLUTE)
        .steps([model.Threshold(value, color) for value, color in steps])
    )


def _cells(column: Column) -> list[model.DynamicConfigValue]:
    """How a column's numbers are written, and coloured where it has steps."""
    how = [model.DynamicConfigValue("unit", column.unit)]
    if column.decimals is not None:
        how.append(model.DynamicConfigValue("decimals", column.decimals))
    if column.steps:
        how += [
            model.DynamicConfigValue("thresholds", _thresholds(column.steps).build()),
            model.DynamicConfigValue("custom.cellOptions", {"type": "color-text"}),
        ]
    return how
