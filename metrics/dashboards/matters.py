"""What is owed to callers after a call: ratings, call-backs, complaints, work orders (A5, C3, C4, K3)."""

from __future__ import annotations

from typing import Final

from metrics.dashboards import figures
from metrics.dashboards.frame import Board
from metrics.dashboards.look import AMBER, BLUE, DARK_RED, GREEN, GREY, PURPLE, RED, TEAL, YELLOW, Named, Text
from metrics.dashboards.panels import Column, Head, Panels, Query, Steps, at_most, must_be_zero

RATED: Final = (
    Named("satisfied", Text("非不满意", "Not dissatisfied"), GREEN),
    Named("dissatisfied", Text("不满意", "Dissatisfied"), RED),
)
INVITATIONS: Final = (
    Named("invited", Text("已邀请", "Invited"), GREEN),
    Named("spared", Text("近期已邀请过", "Asked only lately"), GREY),
    Named("caller_left", Text("来电人先挂断", "Caller hung up first"), BLUE),
    Named("missed", Text("漏邀请", "Not invited"), RED),
)
ORIGINS: Final = (
    Named("promise", Text("排队时约定", "Promised in the queue"), PURPLE),
    Named("follow_up", Text("投诉回访", "Follow-up of a complaint"), BLUE),
    Named("dissatisfied", Text("评价不满意", "Rated dissatisfied"), RED),
)
ATTEMPTS: Final = (
    Named("reached", Text("接通", "Reached"), GREEN),
    Named("no_answer", Text("无人接听", "No answer"), AMBER),
    Named("busy", Text("占线", "Busy"), YELLOW),
    Named("unreachable", Text("无法接通", "Unreachable"), RED),
    Named("agent_left", Text("座席先挂断", "Agent hung up first"), PURPLE),
    Named("agent_missed", Text("座席话机未接", "Agent did not pick up"), DARK_RED),
    Named("not_dialled", Text("未拨出", "Not dialled"), GREY),
    Named("unknown", Text("结果不明", "Unknown"), TEAL),
)
STATES: Final = (
    Named("registered", Text("已登记，待转办", "Registered"), "text"),
    Named("forwarded", Text("已转办，待部门意见", "Forwarded"), "text"),
    Named("review", Text("待审核意见", "Opinion to be reviewed"), "text"),
    Named("in_work", Text("办理中", "In work"), "text"),
    Named("done", Text("已办，待报结果", "Done, result to be reported"), "text"),
    Named("reported", Text("待反馈投诉人", "To be fed back"), "text"),
    Named("fed_back", Text("已反馈，待回访", "To be followed up"), "text"),
    Named("followed_up", Text("待结案", "To be closed"), "text"),
    Named("dissatisfied", Text("不满意，待重新办理", "Dissatisfied, to be worked again"), "text"),
)
STEPS: Final = (
    Named("forward", Text("转办", "Forward"), "text"),
    Named("opinion", Text("部门意见", "Opinion"), "text"),
    Named("review", Text("审核意见", "Review"), "text"),
    Named("work", Text("办理", "Work"), "text"),
    Named("report", Text("报告结果", "Report the result"), "text"),
    Named("feed_back", Text("反馈投诉人", "Feed back"), "text"),
    Named("follow_up", Text("回访", "Follow up"), "text"),
    Named("close", Text("结案", "Close"), "text"),
)
AGES: Final = {
    "day": Text("一日内", "Up to a day"),
    "week": Text("一周内", "Up to a week"),
    "month": Text("30 日内", "Up to 30 days"),
    "older": Text("30 日以上", "Older"),
}


def matters(board: Board, panels: Panels) -> None:
    """Rows of a board: ratings, call-backs, complaints and work orders."""
    board.row(Text("满意度", "Satisfaction"))
    _ratings(board, panels)
    board.row(Text("回拨", "Call-backs"))
    _call_backs(board, panels)
    board.row(Text("投诉与工单", "Complaints and work orders"))
    _cases(board, panels)


def _ratings(board: Board, panels: Panels) -> None:
    for title, about, kpi in (
        (
            Text("今日满意率 K3", "Satisfaction K3, today"),
            Text("1 − 不满意 ÷ 已评价，取自账册。", "1 − dissatisfied ÷ rated, from the ledger (K3)."),
            "K3",
        ),
        (
            Text("今日参评率 K3p", "Participation K3p, today"),
            Text("已评价 ÷ 已邀请；满意率须与它一起看（K3）。", "Rated ÷ invited; read K3 beside it."),
            "K3p",
        ),
    ):
        board.add(
            panels.stat(Head(title, about, (4, 4)), Query(figures.value(kpi)), unit="percentunit", decimals=1)
        )
    board.add(
        panels.stat(
            Head(
                Text("今日评价数", "Rated today"),
                Text("K3 的分子与分母。", "What K3 is made of: not dissatisfied, and all that were rated."),
                (4, 4),
            ),
            Query(figures.numerator("K3"), Text("非不满意", "Not dissatisfied")),
            Query(figures.denominator("K3"), Text("已评价", "Rated")),
            decimals=0,
        ),
        panels.stacked(
            Head(
                Text("评价", "Ratings"),
                Text("按是否不满意（K3、Q2）。", "By whether the caller was dissatisfied (K3, Q2)."),
                (6, 8),
            ),
            Query("sum by (verdict) (increase(hotline_ratings_total[$__interval]))", "{{verdict}}"),
            decimals=1,
            names=RATED,
        ),
        panels.stacked(
            Head(
                Text("邀请评价", "Invitations to rate"),
                Text(
                    "通话结束时是否邀请；“漏邀请”计在座席名下（Q2）。",
                    "What became of them as talks ended; “not invited” counts against the agent (Q2).",
                ),
                (6, 8),
            ),
            Query("sum by (invitation) (increase(hotline_surveys_total[$__interval]))", "{{invitation}}"),
            decimals=1,
            names=INVITATIONS,
        ),
    )


def _call_backs(board: Board, panels: Panels) -> None:
    zero = must_be_zero()
    plain: Steps = ((None, "text"),)
    for title, about, expr, steps in (
        (
            Text("今日兑现", "Kept today"),
            Text(
                "今日到期且按时接通的回拨承诺（A5）。", "Promises due today whose caller was reached in time (A5)."
            ),
            'sum(hotline_callback_promises_due_today{result="kept"})',
            plain,
        ),
        (
            Text("今日违约", "Broken today"),
            Text("今日到期而未按时接通的回拨承诺（A5）。", "Promises due today, and not kept in time (A5)."),
            'sum(hotline_callback_promises_due_today{result="broken"})',
            zero,
        ),
        (
            Text("逾期未回", "Overdue"),
            Text("已过约定时间仍未回拨的承诺（A5）。", "Promised call-backs, open after their time (A5)."),
            "hotline_callbacks_overdue",
            zero,
        ),
        (
            Text("今日放弃", "Given up today"),
            Text(
                "多次未接通或号码不允许呼叫（A5）。", "Tried as often as is allowed, or a number not called (A5)."
            ),
            "hotline_callbacks_given_up_today",
            at_most(1, 10),
        ),
    ):
        board.add(
            panels.stat(Head(title, about, (3, 8)), Query(expr), decimals=0, steps=steps, filled=steps != plain)
        )
    board.add(
        panels.stacked(
            Head(
                Text("待回拨", "Waiting to be called"),
                Text("未完成的回拨，按来由（A5、C4）。", "Open call-backs, by why they are owed (A5, C4)."),
                (6, 8),
            ),
            Query("sum by (origin) (hotline_callbacks_open)", "{{origin}}"),
            bars=False,
            decimals=0,
            names=ORIGINS,
        ),
        panels.stacked(
            Head(
                Text("回拨结果", "Attempts"),
                Text("每次呼叫的结果（A5）。", "What came of each attempt (A5)."),
                (6, 8),
            ),
            Query("sum by (outcome) (increase(hotline_callback_attempts_total[$__interval]))", "{{outcome}}"),
            decimals=1,
            names=ATTEMPTS,
        ),
    )


def _cases(board: Board, panels: Panels) -> None:
    board.add(
        panels.table(
            Head(
                Text("未结投诉", "Open complaints"),
                Text("按环节与已历时长（C3）。", "By state and by how long they have been open (C3)."),
                (12, 11),
            ),
            "state",
            Text("状态", "State"),
            tuple(
                Column(
                    f'sum by (state) (hotline_cases_open{{age="{age}"}})',
                    head,
                    decimals=0,
                    steps=at_most(1, 5) if age == "older" else (),
                )
                for age, head in AGES.items()
            ),
            STATES,
        ),
        panels.bars(
            Head(
                Text("超期环节", "Steps that are late"),
                Text("已过时限而未完成的环节（C4）。", "Should be done, and are not (C4)."),
                (7, 11),
            ),
            Query("sum by (step) (hotline_case_steps_late)", "{{step}}"),
            steps=must_be_zero(),
            names=STEPS,
        ),
        panels.stat(
            Head(
                Text("工单承诺", "Promises of work orders"),
                Text(
                    "24 小时内到期、已逾期未答复、近 30 日违约（A5、C10）。",
                    "Due within 24 hours, late and not answered, broken within 30 days (A5, C10).",
                ),
                (5, 11),
            ),
            Query("hotline_work_order_promises_soon", Text("将到期", "Soon")),
            Query("hotline_work_order_promises_late", Text("已逾期", "Late")),
            Query("hotline_work_order_promises_broken", Text("违约", "Broken")),
            decimals=0,
        ),
    )
