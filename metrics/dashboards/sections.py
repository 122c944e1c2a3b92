"""Sections and agents: who has how much to do, and how it comes out (A9, K1, K2, K2r)."""

from __future__ import annotations

from grafana_foundation_sdk.builders import table
from grafana_foundation_sdk.models.dashboard import Dashboard

from metrics.dashboards import figures
from metrics.dashboards.frame import IN_SECTION, Board, Name
from metrics.dashboards.look import ABANDONED_IN, AGENT_STATES, GREEN, RESULTS, TARGETS, Look, Text
from metrics.dashboards.panels import Column, Head, Panels, Query, at_least, at_most

NAME = Name(
    "sections",
    Text("三声热线 · 科室与座席", "Sansheng · Sections and agents"),
    Text(
        "各科室的来电、接听与等待，座席的状态与在席人数。",
        "Calls, answers and waits of each section; agents' states and how many serve whom.",
    ),
)

_QUEUES = f'{IN_SECTION},section!="none"'
_SPLIT = f'{IN_SECTION},section!="all",period="today"'


def sections_and_agents(look: Look) -> Dashboard:
    """The board of the four sections."""
    panels = Panels(look)
    board = Board(look, NAME, since="now-6h", refresh="15s", choose_section=True)
    board.add(_table(panels))
    board.row(Text("来电", "Calls"))
    _calls(board, panels)
    _hourly(board, panels)
    board.row(Text("座席", "Agents"))
    _agents(board, panels)
    return board.done()


def _table(panels: Panels) -> table.Panel:
    limit = panels.look.limit_s

    def today(kpi: str, part: str = "value") -> str:
        return figures.by("section", f'kpi="{kpi}",{_SPLIT}', part=part)

    return panels.table(
        Head(
            Text("各科室今日", "The sections today"),
            Text(
                "等待与在席为此刻的实时数；请求、接听与各项比率为今日账册数，附分母（K1、K2、K2r、ASA）。",
                "Waiting and serving are of this moment; calls and rates are today's from the ledger, with what "
                "they are divided by (K1, K2, K2r, ASA).",
            ),
            (24, 8),
        ),
        "section",
        Text("科室", "Section"),
        (
            Column(
                f"sum by (section) (hotline_queue_waiting{{{IN_SECTION}}})",
                Text("等待", "Waiting"),
                steps=at_most(1, 5),
            ),
            Column(f"sum by (section) (hotline_queue_agents{{{IN_SECTION}}})", Text("在席", "Serving")),
            Column(today("K1", "denominator"), Text("请求人工", "Asked")),
            Column(today("K1", "numerator"), Text("已接听", "Answered")),
            Column(today("K1"), Text("K1 接通率", "K1 answer rate"), "percentunit", 1, at_least(TARGETS["K1"])),
            Column(
                today("K2"), Text("K2 三声接起率", "K2 three rings"), "percentunit", 1, at_least(TARGETS["K2"])
            ),
            Column(today("K2r", "denominator"), Text("振铃次数", "Offers")),
            Column(
                today("K2r"), Text("K2r 座席三声", "K2r rings kept"), "percentunit", 1, at_least(TARGETS["K2r"])
            ),
            Column(today("ASA"), Text("平均应答 ASA", "ASA"), "s", 1, at_most(limit * 2 / 3, limit)),
            Column(today("AHT"), Text("平均处理 AHT", "AHT"), "s", 0),
        ),
        panels.look.section_names(),
    )


def _calls(board: Board, panels: Panels) -> None:
    sections = panels.look.section_names()
    board.add(
        panels.stacked(
            Head(
                Text("请求人工的来电（每小时，滑动 15 分钟）", "Calls for a person per hour (sliding 15 minutes)"),
                Text("按科室；K1、K2 的分母。", "By section; the denominator of K1 and K2."),
                (8, 8),
            ),
            Query(
                f"3600 * sum by (section) (rate(hotline_calls_offered_total{{{_QUEUES}}}[15m]))",
                "{{section}}",
            ),
            bars=False,
            names=sections,
        ),
        panels.stacked(
            Head(
                Text("来电结果", "How calls came out"),
                Text(
                    "结束的来电按结果；“丢失”必须为 0（K1）。",
                    "Calls that ended, by result; “lost” must stay 0 (K1).",
                ),
                (8, 8),
            ),
            Query(
                f"sum by (result) (increase(hotline_calls_ended_total{{{IN_SECTION}}}[$__interval]))",
                "{{result}}",
            ),
            decimals=1,
            names=RESULTS,
        ),
        panels.stacked(
            Head(
                Text("放弃发生在哪一步", "Where callers gave up"),
                Text(
                    "排队中，或座席话机正在振铃时（K1）。",
                    "In the queue, or while an agent's telephone rang (K1).",
                ),
                (8, 8),
            ),
            Query(
                f"sum by (stage) (increase(hotline_calls_abandoned_total{{{IN_SECTION}}}[$__interval]))",
                "{{stage}}",
            ),
            decimals=1,
            names=ABANDONED_IN,
        ),
    )


def _hourly(board: Board, panels: Panels) -> None:
    """From the recording rules: each point looks back for an hour."""
    sections = panels.look.section_names()
    board.add(
        panels.lines(
            Head(
                Text("接通率 K1（滑动 1 小时）", "Answer rate K1 (sliding hour)"),
                Text("实时计数；虚线为目标 95%。", "Live counters; dashed: the target of 95 %."),
                (8, 8),
            ),
            Query(f"section:hotline_calls_answered:ratio_rate1h{{{_QUEUES}}}", "{{section}}"),
            unit="percentunit",
            most=1,
            limits=((TARGETS["K1"], GREEN),),
            names=sections,
        ),
        panels.lines(
            Head(
                Text("三声接起率 K2（滑动 1 小时）", "Three-ring rate K2 (sliding hour)"),
                Text("来电人时钟；虚线为目标。", "By the caller's clock; dashed: the target."),
                (8, 8),
            ),
            Query(f"section:hotline_calls_within_limit:ratio_rate1h{{{_QUEUES}}}", "{{section}}"),
            unit="percentunit",
            most=1,
            limits=((TARGETS["K2"], GREEN),),
            names=sections,
        ),
        panels.lines(
            Head(
                Text("等待时长 95%（滑动 1 小时）", "Wait, 95 % (sliding hour)"),
                Text(
                    "95% 的来电人等待不超过此值（由直方图估计）；虚线为三声（A1）。",
                    "95 % of callers waited no longer (estimated from the histogram); dashed: three rings (A1).",
                ),
                (8, 8),
            ),
            Query(f"section:hotline_caller_wait_seconds:p95_1h{{{_QUEUES}}}", "{{section}}"),
            unit="s",
            limits=((panels.look.limit_s, "red"),),
            names=sections,
        ),
    )


def _agents(board: Board, panels: Panels) -> None:
    board.add(
        panels.stacked(
            Head(
                Text("座席状态", "Agents by state"),
                Text(
                    "名册上的座席按状态。逐人数据见实时页面与报表：指标中不含工号。",
                    "The roster by state. Single agents are on the live page and in the reports: no metric "
                    "carries an agent's number.",
                ),
                (12, 9),
            ),
            Query("sum by (state) (hotline_agents)", "{{state}}"),
            bars=False,
            decimals=0,
            names=AGENT_STATES,
        ),
        panels.lines(
            Head(
                Text("各科室在席座席", "Agents who serve each section"),
                Text(
                    "已登录、话机在线且未示忙的座席；一人可属多个科室。",
                    "Logged in, reachable and not paused; an agent may serve several sections.",
                ),
                (12, 9),
            ),
            Query(f"sum by (section) (hotline_queue_agents{{{IN_SECTION}}})", "{{section}}"),
            decimals=0,
            names=panels.look.section_names(),
        ),
    )
