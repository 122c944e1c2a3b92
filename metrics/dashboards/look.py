"""What all dashboards share: words in two languages, colours that mean the same everywhere, targets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from calls.ids import Language, SectionId

ZH_CN: Final = Language("zh-CN")
ENGLISH: Final = Language("en")
LANGUAGES: Final = (ZH_CN, ENGLISH)

GREEN: Final = "green"
AMBER: Final = "orange"
RED: Final = "red"
BLUE: Final = "blue"
PURPLE: Final = "purple"
YELLOW: Final = "yellow"
GREY: Final = "#7b8087"
TEAL: Final = "#2f9e8f"
DARK_RED: Final = "dark-red"
LIGHT_BLUE: Final = "super-light-blue"

TARGETS: Final = {"K1": 0.95, "K2": 0.90, "K2r": 0.90, "K5": 0.999}
"""Shares to be reached: K1 of GB/T 33358, the others our own; the alerts' burn rates use the same."""


@dataclass(frozen=True, slots=True)
class Text:
    """The same words in both languages."""

    zh: str
    en: str

    def __str__(self) -> str:
        raise TypeError("say in which language")

    def of(self, language: Language) -> str:
        """The words in a language."""
        return self.zh if language == ZH_CN else self.en


@dataclass(frozen=True, slots=True)
class Named:
    """How a label's value is shown: its words and its colour."""

    value: str
    text: Text
    color: str


@dataclass(frozen=True, slots=True)
class Look:
    """For whom a set of dashboards is made.

    `ring_s` is one ring in seconds, `rings` how many of them A1 allows, `sections` their names in the order shown.
    """

    language: Language
    ring_s: float = 5.0
    rings: int = 3
    timezone: str = "Asia/Shanghai"
    sections: Mapping[SectionId, Text] = field(default_factory=dict)

    @property
    def limit_s(self) -> float:
        """A1's limit in seconds."""
        return self.rings * self.ring_s

    def section_names(self) -> tuple[Named, ...]:
        """The sections, and the two values of the label that are none."""
        colors = ("#5794f2", "#ff9830", "#b877d9", "#37b3a4", "#f2cc0c", "#e0699b")
        return (
            *(
                Named(section, text, colors[place % len(colors)])
                for place, (section, text) in enumerate(self.sections.items())
            ),
            Named("all", Text("全中心", "Whole centre"), "text"),
            Named("none", Text("未转人工", "Menu only"), GREY),
        )


AGENT_STATES: Final = (
    Named("ready", Text("空闲", "Ready"), GREEN),
    Named("ringing", Text("振铃", "Ringing"), YELLOW),
    Named("talking", Text("通话", "Talking"), BLUE),
    Named("wrap_up", Text("话后整理", "Wrap-up"), LIGHT_BLUE),
    Named("paused", Text("示忙", "Paused"), AMBER),
    Named("unreachable", Text("话机离线", "Unreachable"), RED),
    Named("logged_out", Text("未登录", "Logged out"), GREY),
)

STAGES: Final = (
    Named("menu", Text("语音菜单", "Menu"), GREY),
    Named("queue", Text("排队", "Queue"), AMBER),
    Named("talk", Text("通话", "Talk"), BLUE),
    Named("survey", Text("评价", "Rating"), TEAL),
)

RESULTS: Final = (
    Named("answered", Text("已接听", "Answered"), GREEN),
    Named("abandoned", Text("放弃", "Abandoned"), AMBER),
    Named("callback", Text("约定回呼", "Call-back"), PURPLE),
    Named("self_served", Text("菜单自助", "Self-served"), GREY),
    Named("lost", Text("丢失", "Lost"), RED),
)

OFFER_RESULTS: Final = (
    Named("answered_in_time", Text("三声内接起", "Within three rings"), GREEN),
    Named("answered_late", Text("接起已迟", "Answered late"), AMBER),
    Named("let_it_ring", Text("三声未接", "Let it ring"), RED),
    Named("rejected", Text("拒接", "Rejected"), DARK_RED),
    Named("caller_gone", Text("来电人已挂", "Caller gone"), GREY),
)

ABANDONED_IN: Final = (
    Named("queue", Text("排队中放弃", "In the queue"), AMBER),
    Named("ringing", Text("振铃中放弃", "While it rang"), RED),
)

TEST_CALLS: Final = (
    Named("success", Text("成功", "Passed"), GREEN),
    Named("no_answer", Text("无应答", "No answer"), RED),
    Named("wrong_prompt", Text("提示音不符", "Wrong prompt"), AMBER),
    Named("wrong_section", Text("科室不符", "Wrong section"), PURPLE),
    Named("not_in_books", Text("未入账", "Not in the books"), DARK_RED),
)

DIFFERENCES: Final = (
    Named("not_in_books", Text("账册缺失", "Not in the books"), RED),
    Named("differs", Text("与来源不符", "Differs from the source"), BLUE),
    Named("source_lost", Text("来源文件丢失", "Source lost"), DARK_RED),
    Named("line_unreadable", Text("行无法读取", "Line unreadable"), AMBER),
    Named("refused", Text("数据库拒收", "Refused by the database"), PURPLE),
    Named("menu_lost", Text("菜单步骤丢失", "Menu step lost"), YELLOW),
)

WITNESSES: Final = (
    Named("ami", Text("管理连接 AMI", "AMI"), BLUE),
    Named("queue_log", Text("队列日志 queue_log", "queue_log"), TEAL),
    Named("estimate", Text("推定", "Estimate"), AMBER),
)

LOGS: Final = (
    Named("cel", Text("通道事件 CEL", "CEL"), BLUE),
    Named("queue_log", Text("队列日志 queue_log", "queue_log"), TEAL),
)

COMPONENTS: Final = (
    Named("asterisk", Text("Asterisk 交换", "Asterisk"), BLUE),
    Named("ami", Text("管理连接 AMI", "AMI link"), "#ff9830"),
    Named("agi", Text("菜单服务 AGI", "FastAGI menu"), "#b877d9"),
    Named("database", Text("数据库", "Database"), "#37b3a4"),
    Named("trunk", Text("中继线路", "Trunk"), "#f2cc0c"),
    Named("transcription", Text("语音转写", "Transcription"), "#e0699b"),
    Named("disk", Text("磁盘", "Disk"), "#8ab8ff"),
    Named("console", Text("控制台", "Console"), "#96d98d"),
)
