"""Quality and compliance: what the rules found, can the books be trusted, did nothing run out (Q1, Q5, P2).

Satisfaction, call-backs and complaints are rows of their own (``matters``).
"""

from __future__ import annotations

from grafana_foundation_sdk.models.dashboard import Dashboard

from metrics.dashboards import figures
from metrics.dashboards.frame import Board, Name
from metrics.dashboards.look import AMBER, DIFFERENCES, GREEN, LOGS, RED, WITNESSES, Look, Named, Text
from metrics.dashboards.matters import matters
from metrics.dashboards.panels import Column, Head, Panels, Query, at_most, must_be_zero
from metrics.kpi.catalogue import KPIS

NAME = Name(
    "quality",
    Text("三声热线 · 质量与合规", "Sansheng · Quality and compliance"),
    Text(
        "全部指标及其分子分母、质检、满意度、回拨、投诉与工单、录音完整性、账册一致性与各类到期。",
        "Every indicator with what it is made of, rules, satisfaction, call-backs, complaints and work orders, "
        "completeness of recordings, agreement of the books, and what expires when.",
    ),
)


def quality_and_compliance(look: Look) -> Dashboard:
    """The board of the books."""
    panels = Panels(look)
    board = Board(look, NAME, since="now-24h", refresh="1m")
    _must_be_zero(board, panels)
    board.row(Text("指标（账册）：每个数都带分子与分母", "Indicators (ledger), each with what it is made of"))
    _indicators(board, panels)
    board.row(Text("录音、转写与质检（近 24 小时）", "Recordings, transcripts, verdicts (last 24 hours)"))
    _verdicts(board, panels)
    matters(board, panels)
    board.row(Text("账册与来源", "Books and sources"))
    _books(board, panels)
    board.row(Text("到期与新鲜度", "What expires, and how fresh figures are"))
    _expiry(board, panels)
    return board.done()


def _must_be_zero(board: Board, panels: Panels) -> None:
    for title, about, expr in (
        (
            Text("今日缺录音", "Recordings missing today"),
            Text("今日已接听并结束但没有录音的来电（Q1、P2）。", "Answered, ended, and no recording (Q1, P2)."),
            "hotline_recordings_missing",
        ),
        (
            Text("丢失的来电", "Calls lost"),
            Text(
                "所选时段内被系统挂断的排队来电；必须为 0（K1）。",
                "Calls that waited and were ended by us, in the chosen time; must be 0 (K1).",
            ),
            'sum(increase(hotline_calls_ended_total{result="lost"}[$__range]))',
        ),
        (
            Text("账册与文件不一致", "Books and files disagree"),
            Text(
                "与 Asterisk 文件核对后仍未修复的不一致（I1、Q5）。",
                "What the comparison with Asterisk's files found and did not repair (I1, Q5).",
            ),
            "sum(hotline_discrepancies)",
        ),
        (
            Text("两面数据偏差", "Drift of the two planes"),
            Text(
                "实时计数与账册不一致的来电占比（K1、K2、Q5）。",
                "Share of calls in which live counters and ledger differ (K1, K2, Q5).",
            ),
            "max(hotline_kpi_drift_ratio)",
        ),
    ):
        board.add(
            panels.stat(
                Head(title, about, (5, 5)),
                Query(expr),
                unit="percentunit" if "ratio" in expr else "none",
                decimals=0 if "increase" in expr else None,
                steps=must_be_zero(),
                filled=True,
            )
        )
    board.add(
        panels.stat(
            Head(
                Text("转写积压", "Transcripts wait"),
                Text(
                    "最早一段待转写录音的等待时间（Q1）。",
                    "Age of the oldest recording that waits for its transcript (Q1).",
                ),
                (4, 5),
            ),
            Query("hotline_transcription_backlog_age_seconds"),
            unit="s",
            decimals=0,
            steps=at_most(1800, 3600),
            filled=True,
        )
    )


def _indicators(board: Board, panels: Panels) -> None:
    seconds = "|".join(sorted({kpi.id for kpi in KPIS if kpi.unit == "seconds"}))
    for title, pick, unit, digits, width in (
        (Text("比率", "Rates"), f'kpi!~"{seconds}"', "percentunit", 2, 13),
        (Text("时长", "Times"), f'kpi=~"{seconds}"', "s", 1, 11),
    ):

        def of(period: str, part: str = "value", pick: str = pick) -> str:
            return figures.by("kpi", f'{pick},section="all",period="{period}"', part=part)

        board.add(
            panels.table(
                Head(
                    title,
                    Text(
                        "全中心，按目录当前版本的定义（Q5）；没有分母的时段为空。",
                        "The whole centre, by the current version of the catalogue's definitions (Q5); empty "
                        "where there is nothing to divide by.",
                    ),
                    (width, 12),
                ),
                "kpi",
                Text("指标", "Indicator"),
                (
                    Column(of("today", "numerator"), Text("今日分子", "Numerator"), decimals=0),
                    Column(of("today", "denominator"), Text("今日分母", "Denominator"), decimals=0),
                    Column(of("today"), Text("今日", "Today"), unit, digits),
                    Column(of("yesterday"), Text("昨日", "Yesterday"), unit, digits),
                    Column(of("month"), Text("本月", "Month"), unit, digits),
                    Column(of("year"), Text("本年", "Year"), unit, digits),
                ),
                figures.kpi_names(),
            )
        )


def _verdicts(board: Board, panels: Panels) -> None:
    judged = 'hotline_rule_verdicts{outcome!="not_applicable"}'
    for title, about, expr, steps in (
        (
            Text("质检覆盖率", "Judged"),
            Text(
                "有录音的来电中已按现行规则质检的占比（Q1）。",
                "Of the calls with a recording, those that the rules in force have judged (Q1).",
            ),
            "hotline_judged_calls / (hotline_recorded_calls > 0)",
            ((None, "text"),),
        ),
        (
            Text("无法判定", "Cannot be judged"),
            Text(
                "证据不足、不作结论的占比（A2–A6）；线路窄带或模型不佳时升高。",
                "Share of verdicts on weak evidence, which accuse nobody (A2 to A6); narrow lines and poor models "
                "raise it.",
            ),
            f'sum(hotline_rule_verdicts{{outcome="cannot_judge"}}) / (sum({judged}) > 0)',
            at_most(0.15, 0.3),
        ),
        (
            Text("坐席窄带", "Agents on narrow lines"),
            Text(
                "坐席话路为窄带的占比：窄带上识别错误成倍增加。",
                "Share of agents' legs that came narrowband: recognition errs several times as often there.",
            ),
            'sum(hotline_agent_legs{bandwidth="narrow"}) / (sum(hotline_agent_legs{bandwidth!="unknown"}) > 0)',
            at_most(0.05, 0.2),
        ),
    ):
        board.add(
            panels.stat(Head(title, about, (4, 5)), Query(expr), unit="percentunit", decimals=1, steps=steps)
        )
    for title, about, expr in (
        (
            Text("立即处理", "Immediate"),
            Text("近十五分钟发现的“立即”级违规（Q1）。", "Found within 15 minutes, to be known at once (Q1)."),
            "hotline_immediate_findings",
        ),
        (
            Text("录音损坏", "Recordings damaged"),
            Text("与入库时不一致的录音（P2）。", "In the vault, and not what was put there (P2)."),
            "hotline_recordings_damaged",
        ),
        (
            Text("转写隔离", "In quarantine"),
            Text("两次使转写进程崩溃的录音。", "Recordings that killed their worker twice."),
            'hotline_transcription_legs{result="quarantined"}',
        ),
    ):
        board.add(
            panels.stat(Head(title, about, (4, 5)), Query(expr), decimals=0, steps=must_be_zero(), filled=True)
        )

    def outcome(name: str) -> str:
        return f'sum by (rule) (hotline_rule_verdicts{{outcome="{name}"}})'

    board.add(
        panels.bars(
            Head(
                Text("违规按规则", "Broken, by rule"),
                Text("每条现行规则被违反的来电数（A2–A6）。", "Calls that broke each rule in force (A2 to A6)."),
                (12, 11),
            ),
            Query(f"sort_desc({outcome('broken')})", "{{rule}}"),
        ),
        panels.table(
            Head(
                Text("质检结论按规则", "Verdicts, by rule"),
                Text(
                    "无法判定与不适用不计入遵守率。",
                    "What cannot be judged or does not apply counts for neither side.",
                ),
                (12, 11),
            ),
            "rule",
            Text("规则", "Rule"),
            (
                Column(outcome("broken"), Text("违反", "Broken"), decimals=0),
                Column(outcome("kept"), Text("遵守", "Kept"), decimals=0),
                Column(outcome("cannot_judge"), Text("无法判定", "Cannot judge"), decimals=0),
                Column(outcome("not_applicable"), Text("不适用", "Not applicable"), decimals=0),
            ),
            (),
        ),
    )


def _books(board: Board, panels: Panels) -> None:
    board.add(
        panels.stacked(
            Head(
                Text("补记的事实", "Facts mended"),
                Text(
                    "磁盘上的通道事件未记、由其他见证补记的来电事实，按见证（I1、Q5）。",
                    "Facts of calls that the event log on disk did not tell, by the witness that told them "
                    "(I1, Q5).",
                ),
                (8, 8),
            ),
            Query("sum by (source) (increase(hotline_calls_repaired_total[$__interval]))", "{{source}}"),
            decimals=1,
            names=WITNESSES,
        ),
        panels.lines(
            Head(
                Text("不一致按种类", "Disagreements, by kind"),
                Text(
                    "账册与文件核对的结果，应全部为 0（I1）。", "What the comparison found; all should be 0 (I1)."
                ),
                (8, 8),
            ),
            Query("sum by (kind) (hotline_discrepancies)", "{{kind}}"),
            decimals=0,
            names=DIFFERENCES,
        ),
        panels.lines(
            Head(
                Text("来源读取滞后", "Sources: not yet read"),
                Text("CEL 与 queue_log 中尚未读取的字节（I1）。", "Bytes of CEL and queue_log not read yet (I1)."),
                (8, 8),
            ),
            Query("max by (source) (hotline_source_lag_bytes)", "{{source}}"),
            unit="bytes",
            names=LOGS,
        ),
    )


def _expiry(board: Board, panels: Panels) -> None:
    board.add(
        panels.stat(
            Head(
                Text("法定节假日已知至", "Public holidays known until"),
                Text(
                    "距已知节假日安排用尽的时间；不足 31 天告警（A8、C4）。",
                    "Time until the known public holidays run out; alarmed on below 31 days (A8, C4).",
                ),
                (8, 5),
            ),
            Query("hotline_calendar_known_until_timestamp_seconds - time()"),
            unit="s",
            decimals=0,
            steps=((None, RED), (31 * 86400.0, AMBER), (62 * 86400.0, GREEN)),
        ),
        panels.stat(
            Head(
                Text("账册指标距今", "Age of the ledger's figures"),
                Text(
                    "今日指标上次从账册计算至今的时间；超过 5 分钟告警（Q5）。",
                    "Since today's figures were taken; alarmed on above 5 minutes (Q5).",
                ),
                (8, 5),
            ),
            Query('time() - hotline_kpi_as_of_seconds{period="today"}'),
            unit="s",
            decimals=0,
            steps=at_most(60, 300),
        ),
        panels.lines(
            Head(
                Text("入账事件（每分钟）", "Events stored, per minute"),
                Text("新写入账册的事件（I1）。", "Events that were new to the ledger (I1)."),
                (8, 5),
            ),
            Query("60 * rate(hotline_events_stored_total[$__rate_interval])", Text("事件", "events")),
            names=(Named("events", Text("事件", "events"), GREEN),),
        ),
    )
