"""The wallboard: what matters at this moment, to be read from the other end of the room."""

from __future__ import annotations

from grafana_foundation_sdk.models.dashboard import Dashboard

from metrics.dashboards import figures
from metrics.dashboards.frame import Board, Name
from metrics.dashboards.look import AGENT_STATES, AMBER, BLUE, GREEN, GREY, RED, STAGES, TARGETS, Look, Named, Text
from metrics.dashboards.panels import Head, Panels, Query, at_least, at_most

NAME = Name(
    "wallboard",
    Text("三声热线 · 大屏", "Sansheng · Wallboard"),
    Text(
        "此刻的排队、座席与今日指标，供大屏远距离观看。",
        "Queue, agents and today's figures at a glance, for the screen on the wall.",
    ),
)

LINK = (
    Named("1", Text("正常", "up"), GREEN),
    Named("0", Text("中断", "down"), RED),
)


def wallboard(look: Look) -> Dashboard:
    """The board of the moment (I2)."""
    panels = Panels(look)
    board = Board(look, NAME, since="now-1h", refresh="5s")
    _now(board, panels)
    _today(board, panels)
    _parts(board, panels)
    _lately(board, panels)
    return board.done()


def _now(board: Board, panels: Panels) -> None:
    limit = panels.look.limit_s
    board.add(
        panels.stat(
            Head(
                Text("等待人工", "Waiting"),
                Text("此刻等待人工接听的来电（A1）。", "Calls that wait for a person at this moment (A1)."),
                (4, 7),
            ),
            Query("sum(hotline_queue_waiting)"),
            steps=at_most(1, 5),
            filled=True,
        ),
        panels.stat(
            Head(
                Text("此刻最长等待", "Longest wait now"),
                Text(
                    f"此刻仍在等待的来电中最长的等待，自转人工起。三声为 {limit:g} 秒（A1）。",
                    f"How long the caller who waits longest at this moment has waited since asking for a person. "
                    f"Three rings are {limit:g} s (A1).",
                ),
                (4, 7),
            ),
            Query("max(hotline_queue_longest_wait_seconds)"),
            unit="s",
            decimals=0,
            steps=at_most(limit * 2 / 3, limit),
            filled=True,
        ),
        panels.stat(
            Head(
                Text("今日最长等待", "Longest wait today"),
                Text(
                    f"今日从转人工到听见座席、获回呼承诺或挂断的最长等待（LW，账册）。三声为 {limit:g} 秒（A1）。",
                    f"Today's longest wait from asking for a person to hearing one, being promised a call back or "
                    f"hanging up (LW, ledger). Three rings are {limit:g} s (A1).",
                ),
                (4, 7),
            ),
            Query(figures.value("LW")),
            unit="s",
            decimals=0,
            steps=at_most(limit * 2 / 3, limit),
            filled=True,
        ),
        *(
            panels.stat(
                Head(
                    title,
                    Text(f"{title.zh}的座席数。", f"Agents who are {title.en.lower()}."),
                    (3, 7),
                ),
                Query(f'sum(hotline_agents{{state=~"{states}"}})'),
                steps=steps,
                filled=True,
            )
            for title, states, steps in (
                (Text("空闲", "Ready"), "ready", ((None, RED), (1, GREEN))),
                (Text("通话", "Talking"), "ringing|talking|wrap_up", ((None, GREY), (1, BLUE))),
                (Text("示忙", "Paused"), "paused|unreachable", ((None, GREY), (1, AMBER))),
            )
        ),
        panels.stat(
            Head(
                Text("与 Asterisk 连接", "Link to Asterisk"),
                Text(
                    "管理连接（AMI）是否在线并已核对。中断时来电仍由拨号方案接入，但本屏看不见。",
                    "Whether the management link is up and compared. While it is down callers are still served, "
                    "but this board is blind.",
                ),
                (3, 7),
            ),
            Query("hotline_ami_link_up"),
            words=LINK,
            filled=True,
        ),
    )


def _today(board: Board, panels: Panels) -> None:
    """The official rates; none is shown without what it is made of (Q5)."""
    board.add(
        *(
            panels.stat(
                Head(title, about, (6, 7)),
                Query(figures.value(kpi)),
                unit="percentunit",
                decimals=1,
                steps=at_least(TARGETS[kpi]),
                filled=True,
            )
            for kpi, title, about in (
                (
                    "K1",
                    Text("今日接通率 K1", "Answer rate today, K1"),
                    Text(
                        "座席接听的来电 ÷ 请求人工的来电（K1，账册）。目标 95%（GB/T 33358）。",
                        "Calls an agent answered ÷ calls that asked for one (K1, ledger). Target 95 %, "
                        "GB/T 33358.",
                    ),
                ),
                (
                    "K2",
                    Text("今日三声接起率 K2（来电人时钟）", "Three-ring rate today, K2 (caller's clock)"),
                    Text(
                        "三声内听见座席的来电 ÷ 请求人工的来电（K2，账册）。",
                        "Calls that heard a person within three rings ÷ calls that asked for one (K2, ledger).",
                    ),
                ),
                (
                    "K2r",
                    Text("今日座席三声接听率 K2r（座席时钟）", "Rings kept today, K2r (agent's clock)"),
                    Text(
                        "三声内接起的振铃 ÷ 向座席的振铃（K2r，账册）。",
                        "Offers answered within three rings ÷ offers made to an agent (K2r, ledger).",
                    ),
                ),
            )
        ),
        panels.stat(
            Head(
                Text("今日人工来电", "Calls for a person today"),
                Text(
                    "今日请求人工且结果已定的来电，其中接听与放弃（K1、ABR，账册）。",
                    "Today's calls that asked for a person and whose fate is known; of them answered and given up "
                    "(K1, ABR, ledger).",
                ),
                (6, 10),
            ),
            Query(figures.denominator("K1"), Text("请求人工", "asked")),
            Query(figures.numerator("K1"), Text("已接听", "answered")),
            Query(figures.numerator("ABR"), Text("放弃", "given up")),
        ),
    )


def _parts(board: Board, panels: Panels) -> None:
    """Below each rate, what it is made of."""
    for place, (kpi, above, below) in enumerate(
        (
            ("K1", Text("已接听", "answered"), Text("请求人工", "asked")),
            ("K2", Text("三声内", "in three rings"), Text("请求人工", "asked")),
            ("K2r", Text("三声内接起", "kept"), Text("振铃次数", "offers")),
        )
    ):
        parts = panels.stat(
            Head(
                Text(f"{kpi} 分子 / 分母", f"{kpi}: numerator / denominator"),
                Text(f"{kpi} 由这两个数相除得出。", f"What {kpi} above is made of."),
                (6, 3),
            ),
            Query(figures.numerator(kpi), above),
            Query(figures.denominator(kpi), below),
        )
        board.put(parts, x=6 * place, y=14)


def _lately(board: Board, panels: Panels) -> None:
    board.add(
        panels.stacked(
            Head(
                Text("进行中的来电", "Calls in progress"),
                Text("按所处阶段：菜单、等待人工、通话、评价。", "By stage: menu, waiting, talk, rating."),
                (8, 10),
            ),
            Query("sum by (stage) (hotline_calls_in_stage)", "{{stage}}"),
            bars=False,
            decimals=0,
            names=STAGES,
        ),
        panels.stacked(
            Head(
                Text("座席状态", "Agents"),
                Text("名册上的座席按状态。", "The agents of the roster by state."),
                (8, 10),
            ),
            Query("sum by (state) (hotline_agents)", "{{state}}"),
            bars=False,
            decimals=0,
            names=AGENT_STATES,
        ),
        panels.lines(
            Head(
                Text("各科室等待人工", "Waiting, by section"),
                Text("此刻在各科室等待的来电。", "Calls that wait for a person of each section."),
                (8, 10),
            ),
            Query("sum by (section) (hotline_queue_waiting)", "{{section}}"),
            decimals=0,
            names=panels.look.section_names(),
        ),
    )
