"""Three rings: both clocks, never mixed, and where the time went when the limit was not kept (A1, K2, K2r)."""

from __future__ import annotations

from grafana_foundation_sdk.models.dashboard import Dashboard

from metrics import catalogue
from metrics.catalogue import Metric
from metrics.dashboards import figures
from metrics.dashboards.frame import IN_SECTION, Board, Name
from metrics.dashboards.look import (
    AMBER,
    BLUE,
    GREEN,
    OFFER_RESULTS,
    PURPLE,
    RED,
    TARGETS,
    TEAL,
    YELLOW,
    Look,
    Named,
    Text,
)
from metrics.dashboards.panels import Head, Panels, Query, at_least, at_most

NAME = Name(
    "rings",
    Text("三声热线 · 三声接听", "Sansheng · Three rings"),
    Text(
        "来电人时钟（K2）与座席时钟（K2r）的分布、达标率与未达标原因。",
        "The caller's clock (K2) and the agent's clock (K2r): how they spread, how often they keep the limit, and "
        "what became of the rest.",
    ),
)

_RING_COLORS = (GREEN, TEAL, YELLOW, "#c0a020", "#b08020")

WITHIN = f"hotline_calls_within_limit_total{{{IN_SECTION}}}"
SETTLED = f"hotline_calls_settled_total{{{IN_SECTION}}}"
KEPT_OFFERS = f'hotline_offers_total{{result="answered_in_time",{IN_SECTION}}}'
OFFERS = f"hotline_offers_total{{{IN_SECTION}}}"


def three_rings(look: Look) -> Dashboard:
    """The board of A1."""
    panels = Panels(look)
    board = Board(look, NAME, since="now-6h", refresh="15s", choose_section=True)
    _shares(board, panels)
    _shares_in_detail(board, panels)
    board.row(
        Text("来电人时钟：从转人工到听见座席（K2）", "The caller's clock: from asking to hearing a person (K2)")
    )
    _clock(board, panels, catalogue.WAIT, Text("来电人等待", "Caller's wait"), "K2")
    board.row(Text("座席时钟：话机振铃到接起（K2r）", "The agent's clock: from ringing to picking up (K2r)"))
    _clock(board, panels, catalogue.RING, Text("座席振铃", "Agent's ring"), "K2r")
    board.row(Text("未达标的去向", "What became of the rest"))
    _rest(board, panels)
    return board.done()


def share_of(part: str, whole: str, over: str, by: str = "") -> str:
    """A part of a whole, both counters, over a time; nothing where nothing was counted."""
    group = f" by ({by})" if by else ""
    return f"sum{group} (increase({part}[{over}])) / (sum{group} (increase({whole}[{over}])) > 0)"


def _shares(board: Board, panels: Panels) -> None:
    live = Text("；实时计数，所选时段", "; live counters, chosen time")
    for kpi, title, part, whole, about in (
        (
            "K2",
            Text("三声接起率 K2", "Three-ring rate, K2"),
            WITHIN,
            SETTLED,
            Text("三声内听见座席 ÷ 请求人工", "Heard a person within three rings ÷ asked for one"),
        ),
        (
            "K2r",
            Text("座席三声接听率 K2r", "Rings kept, K2r"),
            KEPT_OFFERS,
            OFFERS,
            Text("三声内接起 ÷ 向座席的振铃", "Offers answered within three rings ÷ offers to an agent"),
        ),
    ):
        board.add(
            panels.stat(
                Head(title, Text(about.zh + live.zh + "（A1）。", about.en + live.en + " (A1)."), (4, 5)),
                Query(share_of(part, whole, "$__range")),
                unit="percentunit",
                decimals=1,
                steps=at_least(TARGETS[kpi]),
            )
        )


def _shares_in_detail(board: Board, panels: Panels) -> None:
    board.add(
        panels.lines(
            Head(
                Text("达标率（滑动 15 分钟）", "Shares within the limit (sliding 15 minutes)"),
                Text(
                    "K2 来电人时钟，K2r 座席时钟；虚线为目标。没有来电的时段没有数值。",
                    "K2 by the caller's clock, K2r by the agent's; dashed: the target. No value without calls.",
                ),
                (10, 5),
            ),
            Query(share_of(WITHIN, SETTLED, "15m"), "K2"),
            Query(share_of(KEPT_OFFERS, OFFERS, "15m"), "K2r"),
            unit="percentunit",
            most=1,
            limits=((TARGETS["K2"], GREEN),),
            names=(
                Named("K2", Text("K2 来电人", "K2 caller"), BLUE),
                Named("K2r", Text("K2r 座席", "K2r agent"), PURPLE),
            ),
        ),
        panels.bars(
            Head(
                Text("今日 K2（各科室）", "K2 today, by section"),
                Text(
                    "账册中今日各科室的三声接起率（K2）。",
                    "Today's three-ring rate of each section, from the ledger (K2).",
                ),
                (6, 5),
            ),
            Query(figures.by("section", f'kpi="K2",period="today",{IN_SECTION},section!="all"'), "{{section}}"),
            unit="percentunit",
            most=1,
            steps=at_least(TARGETS["K2"]),
            names=panels.look.section_names(),
        ),
    )


def _clock(board: Board, panels: Panels, metric: Metric, clock: Text, kpi: str) -> None:
    limit = panels.look.limit_s
    buckets = f"sum by (le) (rate({metric.name}_bucket{{{IN_SECTION}}}[5m]))"
    board.add(
        panels.heatmap(
            Head(
                Text(f"{clock.zh}分布", f"{clock.en}: spread"),
                Text(
                    f"每格为该时段内落入该时长区间的次数；三声为 {limit:g} 秒（A1、{kpi}）。只含听见座席的来电。",
                    f"How many fell into each span of seconds; three rings are {limit:g} s (A1, {kpi}). Answered "
                    "only.",
                ),
                (8, 8),
            ),
            f"sum by (le) (increase({metric.name}_bucket{{{IN_SECTION}}}[$__interval]))",
        ),
        panels.lines(
            Head(
                Text(f"{clock.zh}：中位、90%、95%（滑动 5 分钟）", f"{clock.en}: median, 90 %, 95 % (5 minutes)"),
                Text(
                    f"分位数（由直方图估计）；虚线为三声 {limit:g} 秒（A1、{kpi}）。",
                    f"Quantiles, estimated from the histogram; dashed: three rings, {limit:g} s (A1, {kpi}).",
                ),
                (8, 8),
            ),
            *(
                Query(f"histogram_quantile({share}, {buckets})", legend)
                for share, legend in ((0.5, "50 %"), (0.9, "90 %"), (0.95, "95 %"))
            ),
            unit="s",
            limits=((limit, RED),),
            names=(
                Named("50 %", Text("中位", "median"), GREEN),
                Named("90 %", Text("90%", "90 %"), YELLOW),
                Named("95 %", Text("95%", "95 %"), AMBER),
            ),
        ),
        panels.stacked(
            Head(
                Text(f"{clock.zh}：第几声", f"{clock.en}: on which ring"),
                Text(
                    f"按第几声接听分组的次数；红色为超过 {limit:g} 秒（A1、{kpi}）。",
                    f"Counts by the ring on which it was answered; red: after {limit:g} s (A1, {kpi}).",
                ),
                (8, 8),
            ),
            *_by_ring(panels.look, metric),
            decimals=1,
            names=_ring_names(panels.look, metric),
        ),
    )


def ring_limits(look: Look, metric: Metric) -> list[tuple[int, float]]:
    """The rings whose end is among the histogram's limits, with that limit in seconds; the last one always is."""
    ends = [(ring, ring * look.ring_s) for ring in range(1, look.rings + 1)]
    return [(ring, end) for ring, end in ends if end in metric.buckets]


def _by_ring(look: Look, metric: Metric) -> list[Query]:
    """One query for each ring: what lies below its end and not below the end of the one before."""

    def below(end: float | None) -> str:
        series = f"{metric.name}_bucket" if end else f"{metric.name}_count"
        le = f'le="{end!r}",' if end else ""
        return f"sum(increase({series}{{{le}{IN_SECTION}}}[$__interval]))"

    queries = []
    previous: float | None = None
    for ring, end in (*ring_limits(look, metric), (0, None)):
        expr = f"{below(end)} - {below(previous)}" if previous else below(end)
        queries.append(Query(expr, f"ring {ring}" if ring else "late"))
        previous = end
    return queries


def _ring_names(look: Look, metric: Metric) -> tuple[Named, ...]:
    ordinals = {1: "first ring", 2: "second ring", 3: "third ring"}
    return (
        *(
            Named(
                f"ring {ring}",
                Text(f"第 {ring} 声", ordinals.get(ring, f"{ring}th ring")),
                _RING_COLORS[min(place, len(_RING_COLORS) - 1)],
            )
            for place, (ring, _end) in enumerate(ring_limits(look, metric))
        ),
        Named("late", Text("已超限", "after the limit"), RED),
    )


def _rest(board: Board, panels: Panels) -> None:
    board.add(
        panels.stacked(
            Head(
                Text("振铃结果", "Offers to agents, by result"),
                Text(
                    "向座席的每次振铃的结果；只有“三声内接起”计入 K2r 分子。",
                    "How each offer came out; only those within three rings count for K2r.",
                ),
                (8, 8),
            ),
            Query(f"sum by (result) (increase({OFFERS}[$__interval]))", "{{result}}"),
            decimals=1,
            names=OFFER_RESULTS,
        ),
        panels.bars(
            Head(
                Text("三声未接占比（各科室）", "Let it ring, by section"),
                Text(
                    "所选时段内，振铃满三声无人接的次数 ÷ 向座席的振铃（A1）。",
                    "Offers that rang for three rings unanswered ÷ offers, in the chosen time (A1).",
                ),
                (8, 8),
            ),
            Query(
                share_of(
                    f'hotline_offers_total{{result="let_it_ring",{IN_SECTION}}}', OFFERS, "$__range", "section"
                ),
                "{{section}}",
            ),
            unit="percentunit",
            most=1,
            steps=at_most(0.02, 0.1),
            names=panels.look.section_names(),
        ),
        panels.lines(
            Head(
                Text(
                    "溢出与约定回呼（每小时，滑动 15 分钟）",
                    "Overflow and call-backs per hour (sliding 15 minutes)",
                ),
                Text(
                    "转入溢出组的来电与承诺的回呼（A1、A5）。",
                    "Calls opened to the overflow group, and call-backs promised (A1, A5).",
                ),
                (8, 8),
            ),
            Query(
                f"3600 * sum(rate(hotline_calls_overflowed_total{{{IN_SECTION}}}[15m]))",
                "overflowed",
            ),
            Query(
                f"3600 * sum(rate(hotline_callbacks_promised_total{{{IN_SECTION}}}[15m]))",
                "call-backs",
            ),
            names=(
                Named("overflowed", Text("溢出", "overflowed"), AMBER),
                Named("call-backs", Text("约定回呼", "call-backs"), PURPLE),
            ),
        ),
    )
