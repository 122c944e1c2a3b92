"""Reliability: K5, which part was out when, the test calls, and how fast the year's budget burns (K5, I1, I2)."""

from __future__ import annotations

from grafana_foundation_sdk.models.dashboard import Dashboard

from metrics.dashboards import figures
from metrics.dashboards.frame import SCRAPED, Board, Name
from metrics.dashboards.look import AMBER, COMPONENTS, GREEN, GREY, RED, TARGETS, TEST_CALLS, Look, Named, Text
from metrics.dashboards.panels import Head, Panels, Query, at_least, at_most, must_be_zero

NAME = Name(
    "reliability",
    Text("三声热线 · 系统可靠性", "Sansheng · Reliability"),
    Text(
        "系统可靠率 K5、各部件状态、拨测与预算燃烧率。",
        "System reliability K5, the state of each component, test calls and burn rates.",
    ),
)

_UP = (Named("1", Text("正常", "up"), GREEN), Named("0", Text("中断", "down"), RED))


def reliability(look: Look) -> Dashboard:
    """The board of K5."""
    panels = Panels(look)
    board = Board(look, NAME, since="now-24h", refresh="30s")
    _k5(board, panels)
    board.row(Text("部件", "Components"))
    _components(board, panels)
    board.row(Text("错误预算燃烧率", "Burn rates"))
    _burn(board, panels)
    board.row(Text("服务内部", "Inside the service"))
    _inside(board, panels)
    _room(board, panels)
    return board.done()


def _k5(board: Board, panels: Panels) -> None:
    for kpi, period, title in (
        ("K5", "year", Text("K5 本年（并集）", "K5 this year (union)")),
        ("K5sum", "year", Text("K5 本年（累计）", "K5 this year (sum)")),
        ("K5", "month", Text("K5 本月（并集）", "K5 this month (union)")),
    ):
        board.add(
            panels.stat(
                Head(
                    title,
                    Text(
                        "1 − 计划外中断时间 ÷ 计划工作时间（K5，账册）。并集：任一部件中断即计；累计：各部件相加。"
                        "目标 99.9%，即全年 525.6 分钟。",
                        "1 − unplanned outage ÷ scheduled time (K5, ledger). Union: any component down; sum: "
                        "components added up. Target 99.9 %, 525.6 minutes a year.",
                    ),
                    (5, 5),
                ),
                Query(figures.value(kpi, f'section="all",period="{period}"')),
                unit="percentunit",
                decimals=3,
                steps=at_least(TARGETS["K5"], 0.002),
            )
        )
    year = 'section="all",period="year"'
    board.add(
        panels.stat(
            Head(
                Text("本年中断 / 计划时间", "Outage / scheduled time this year"),
                Text(
                    "K5 的两部分：分母减分子，与分母。",
                    "What K5 is made of: denominator less numerator, and denominator.",
                ),
                (5, 5),
            ),
            Query(f"{figures.denominator('K5', year)} - {figures.numerator('K5', year)}", Text("中断", "outage")),
            Query(figures.denominator("K5", year), Text("计划时间", "scheduled")),
            unit="s",
            decimals=1,
        ),
        panels.stat(
            Head(
                Text("最近一次拨测", "Last test call"),
                Text(
                    "真实 SIP 来电经中继走完菜单，是否听到提示音并进入目标队列（K5）。拨测不计入 K1–K4。",
                    "Whether a real SIP call through the trunk heard the prompt and reached its queue (K5). Test "
                    "calls never count in K1–K4.",
                ),
                (4, 5),
            ),
            # Before the first call there is neither success nor failure.
            Query("min(hotline_synthetic_call_success) + 2 * (sum(hotline_synthetic_calls_total) == bool 0)"),
            words=(
                Named("1", Text("成功", "passed"), GREEN),
                Named("0", Text("失败", "failed"), RED),
                Named("2", Text("尚未拨测", "none yet"), GREY),
            ),
            filled=True,
        ),
    )


def _components(board: Board, panels: Panels) -> None:
    board.add(
        panels.states(
            Head(
                Text("部件状态", "State of the components"),
                Text("探针所见；红色为中断（K5）。", "As the probes saw it; red: down (K5)."),
                (14, 9),
            ),
            Query("min by (component) (hotline_component_up)", "{{component}}"),
            words=_UP,
            names=COMPONENTS,
        ),
        panels.bars(
            Head(
                Text("所选时段的计划外中断", "Unplanned outage in the chosen time"),
                Text("每个部件的中断秒数（K5）。", "Seconds that each component was out (K5)."),
                (5, 9),
            ),
            Query(
                'sum by (component) (increase(hotline_outage_seconds_total{planned="false"}[$__range]))',
                "{{component}}",
            ),
            unit="s",
            steps=must_be_zero(),
            names=COMPONENTS,
        ),
        panels.stacked(
            Head(
                Text("拨测结果", "Test calls, by result"),
                Text("每个时间段内的拨测次数（K5）。", "Test calls in each interval (K5)."),
                (5, 9),
            ),
            Query("sum by (result) (increase(hotline_synthetic_calls_total[$__interval]))", "{{result}}"),
            decimals=1,
            names=TEST_CALLS,
        ),
    )


def _burn(board: Board, panels: Panels) -> None:
    """1 is the rate at which the target is just met; each line is a window of the alerts."""
    for kpi, metric, title, factors in (
        ("K1", "hotline_calls_unanswered", Text("K1 未接", "K1: unanswered"), (("5m", "1h", "6h", "1d"), 10)),
        ("K2", "hotline_calls_late", Text("K2 超时", "K2: late"), (("5m", "1h", "6h", "1d"), 6)),
        ("K5", "hotline_outage", Text("K5 中断", "K5: outage"), (("5m", "1h", "6h", "3d"), 14.4)),
    ):
        windows, fast = factors
        budget = 1 - TARGETS[kpi]
        board.add(
            panels.lines(
                Head(
                    Text(f"{title.zh}：燃烧率", f"{title.en}, burn rate"),
                    Text(
                        f"实际失败占比 ÷ 允许占比 {budget:.3g}；1 为恰好达标，虚线 {fast:g} 为立即告警（{kpi}）。",
                        f"Share that failed ÷ {budget:.3g}, the share that may; 1 just meets the target, dashed "
                        f"{fast:g} pages at once ({kpi}).",
                    ),
                    (8, 8),
                ),
                *(Query(f"centre:{metric}:ratio_rate{window} / {budget:.6g}", window) for window in windows),
                decimals=1,
                limits=((1, AMBER), (fast, RED)),
            )
        )


def _inside(board: Board, panels: Panels) -> None:
    board.add(
        panels.lines(
            Head(
                Text("菜单应答时间（99%）", "Menu turns (99 %)"),
                Text(
                    "Asterisk 的答复到我们下一条命令的时间；虚线 20 毫秒。",
                    "From Asterisk's reply to our next command; dashed: 20 ms.",
                ),
                (6, 8),
            ),
            Query(
                "histogram_quantile(0.99, sum by (le) (rate(hotline_agi_turn_seconds_bucket[$__rate_interval])))",
                "99 %",
            ),
            Query(
                "histogram_quantile(0.5, sum by (le) (rate(hotline_agi_turn_seconds_bucket[$__rate_interval])))",
                "50 %",
            ),
            unit="s",
            limits=((0.02, RED),),
        ),
        panels.lines(
            Head(
                Text("待入账事件", "Events that wait for the ledger"),
                Text(
                    "内存中待入账与数据库不可用时落盘的事件（I1）。",
                    "In memory, and on disk while the database is away (I1).",
                ),
                (6, 8),
            ),
            Query("sum(hotline_events_pending)", Text("内存", "in memory")),
            Query("sum(hotline_spool_events)", Text("落盘", "on disk")),
            decimals=0,
        ),
        panels.lines(
            Head(
                Text("菜单会话结束与拒绝", "Menu sessions that went wrong"),
                Text(
                    "每分钟未正常结束的会话与被拒绝的连接，以及改由拨号方案接入的来电。",
                    "Per minute: sessions that did not end well and connections refused; calls that the dialplan "
                    "took over.",
                ),
                (6, 8),
            ),
            Query(
                '60 * sum(rate(hotline_agi_sessions_total{reason!~"done|hung_up"}[$__rate_interval]))',
                Text("异常会话", "sessions"),
            ),
            Query(
                "60 * sum(rate(hotline_menu_fallbacks_total[$__rate_interval]))",
                Text("拨号方案接管", "taken over"),
            ),
        ),
        panels.lines(
            Head(
                Text("服务进程", "The service process"),
                Text("处理器（核）与内存。", "Processor (cores) and memory."),
                (6, 8),
            ),
            Query(
                f"rate(process_cpu_seconds_total{{{SCRAPED}}}[$__rate_interval])", Text("处理器（核）", "cores")
            ),
            Query(f"process_resident_memory_bytes{{{SCRAPED}}} / 1e9", Text("内存（GB）", "memory (GB)")),
            decimals=2,
        ),
    )


def _room(board: Board, panels: Panels) -> None:
    board.add(
        panels.stat(
            Head(
                Text("磁盘剩余", "Disk free"),
                Text("录音与账册所在磁盘（P2）。", "Of the disk that holds recordings and books (P2)."),
                (6, 4),
            ),
            Query("min(hotline_disk_free_bytes / hotline_disk_total_bytes)"),
            unit="percentunit",
            decimals=0,
            steps=at_least(0.15, 0.1),
        ),
        panels.stat(
            Head(
                Text("抓取样本数", "Samples in a scrape"),
                Text("一次抓取的样本数，上限 2,000（I2）。", "Samples in one scrape, at most 2,000 (I2)."),
                (6, 4),
            ),
            Query(f"scrape_samples_scraped{{{SCRAPED}}}"),
            decimals=0,
            steps=at_most(1800, 2000),
        ),
        panels.stat(
            Head(
                Text("管理连接背压", "AMI reading paused"),
                Text(
                    "所选时段内因账册未跟上而暂停读取的次数。",
                    "Times that reading waited for the ledger, in the chosen time.",
                ),
                (6, 4),
            ),
            Query("sum(increase(hotline_ami_backpressure_total[$__range]))"),
            decimals=0,
        ),
        panels.stat(
            Head(
                Text("运行版本", "Version that runs"),
                Text("hotline_build_info 的版本。", "As hotline_build_info says."),
                (6, 4),
            ),
            Query("hotline_build_info", "{{version}}"),
            words=(Named("1", Text("运行中", "running"), GREEN),),
            named=True,
        ),
    )
