"""What stands beside the official indicators: the usual call-centre figures, under their own ids."""

from __future__ import annotations

from collections.abc import Callable

from calls.figures import Unit
from calls.measures import SHORT_S, Dimension, Measures
from calls.ports import Tally
from metrics.kpi.model import ALL_DIMENSIONS, OF_CALLERS, Basis, Facts, Kpi, Text, text
from metrics.kpi.official import ASKED, OUT_OF_CALLS, WHY_OUT_OF_CALLS, joined, open_calls

_CUSTOM = "call-centre custom"
_ANSWERED = text("座席接听的来电", "calls answered")
_TESTS = text("拨测和座席试拨的来电", "test calls")
_NOT_ANSWERED = text("未被接听的来电", "calls nobody answered")
_NOT_SERVICE = text("测试不是服务", "a test is no service")
_SERVICE_LEVEL_S = 20.0


def _unfinished(facts: Facts) -> bool:
    return facts.calls.open_calls > 0 or facts.calls.talking > 0


def _never(_facts: Facts) -> bool:
    return False


_SL = Kpi(
    id="SL80_20",
    names=text("服务水平 80/20", "service level 80/20"),
    formula=text(
        "等待不超过 20 秒即被接听的来电 ÷ 要求人工服务的来电；目标 80%",
        "calls answered within 20 s ÷ calls that asked for an agent; aim 80 %",
    ),
    numerator=text(
        "自要求人工至听到座席不超过 20 秒（含）的来电", "calls with at most 20 s from asking to hearing an agent"
    ),
    denominator=ASKED,
    excluded=OUT_OF_CALLS,
    why=WHY_OUT_OF_CALLS,
    source=_CUSTOM,
    target=0.8,
    limit_s=_SERVICE_LEVEL_S,
    parts=lambda facts: (facts.calls.within.get(_SERVICE_LEVEL_S, 0), facts.calls.asked),
    unsettled=open_calls,
)
_ASA = Kpi(
    id="ASA",
    names=text("平均应答速度", "average speed of answer"),
    formula=text("被接听来电的等待时间之和 ÷ 被接听的来电", "waiting of answered calls ÷ answered calls"),
    numerator=text("自要求人工至听到座席的秒数之和", "seconds from asking for an agent to hearing one, added up"),
    denominator=_ANSWERED,
    excluded=joined(_NOT_ANSWERED, _TESTS),
    why=text(
        "没有应答就没有应答速度；放弃者见 ABR",
        "what was not answered has no speed of answer; who gave up is in ABR",
    ),
    unit=Unit.SECONDS,
    source=_CUSTOM,
    lower_is_better=True,
    dimensions=ALL_DIMENSIONS,
    parts=lambda facts: (facts.calls.wait_sum_s, facts.calls.answered),
    unsettled=open_calls,
)
_TALK_1 = Kpi(
    id="AHT",
    names=text("平均处理时长（仅通话）", "average handle time (talk only)"),
    formula=text("通话时间之和 ÷ 已结束的被接听来电", "talk time ÷ answered calls that have ended"),
    numerator=text(
        "自听到座席至来电结束的秒数之和，含保持和转接后的通话",
        "seconds from hearing an agent to the end of the call, hold and talk after a transfer included",
    ),
    denominator=text("已结束的被接听来电", "answered calls that have ended"),
    excluded=joined(
        _NOT_ANSWERED,
        text("通话中的来电", "calls in talk"),
        text("话后处理时间", "paper work after the call"),
        _TESTS,
    ),
    why=text(
        "版本 2 计入话后处理；此版本用于话后处理尚未记录的时段。转接的通话全部归首位接听的座席",
        "version 2 counts paper work; this one is for periods in which that was not kept. A call that was passed"
        " on belongs to the agent heard first",
    ),
    unit=Unit.SECONDS,
    source=_CUSTOM,
    lower_is_better=True,
    dimensions=ALL_DIMENSIONS,
    parts=lambda facts: (facts.calls.talk_sum_s, facts.calls.talks),
    unsettled=_unfinished,
)
_HANDLED = Kpi(
    id="AHT",
    version=2,
    names=text("平均处理时长", "average handling time"),
    formula=text(
        "（通话 + 保持 + 话后处理时间）之和 ÷ 已结束且话后处理已知的被接听来电",
        "talk + hold + work after the talk ÷ answered calls that have ended and whose work after it is known",
    ),
    numerator=text(
        "自听到座席至来电结束的秒数（含保持和转接后的通话），加所有接听座席的话后处理秒数。话后处理：自座席通话结束，"
        "至排队系统给的整理时间已过且在此时间内开始的“处理工单”示忙已结束；其间因其他原因示忙、签出或转向下一来电人即止",
        "seconds from hearing an agent to the end of the call, hold and talk after a transfer included, and"
        " seconds of work after the talk of all agents who were heard. That work lasts from the end of the agent's"
        " talk until the time that queues give for it is over and so is a paperwork pause begun within it; a pause"
        " for another reason, a log-out or turning to the next caller ends it at once",
    ),
    denominator=text(
        "已结束且话后处理已知的被接听来电", "answered calls that have ended and whose work after the talk is known"
    ),
    excluded=joined(
        _NOT_ANSWERED,
        text("通话中的来电", "calls in talk"),
        text(
            "话后处理未知的来电（升级之前的、仍在处理的）",
            "calls whose work after the talk is not known: those before this was kept, and those still at work",
        ),
        _TESTS,
    ),
    why=text(
        "未知的不当作零：分子分母都不计，部分已知的时段为暂定；旧时段用版本 1。"
        "示忙以 Asterisk 排队日志为准，精确到秒。之后另写的工单不属于某一来电。转接的通话全部归首位接听的座席",
        "what is not known is no zero: it counts on neither side, a period of which only a part is known stays"
        " provisional, and version 1 is for those before. Pauses are those of Asterisk's queue log, in whole"
        " seconds. Paper work begun later belongs to no call. A call that was passed on belongs to the agent heard"
        " first",
    ),
    unit=Unit.SECONDS,
    source=_CUSTOM,
    lower_is_better=True,
    dimensions=ALL_DIMENSIONS,
    parts=lambda facts: (facts.calls.handled_sum_s, facts.calls.wrapped),
    unsettled=lambda facts: _unfinished(facts) or 0 < facts.calls.wrapped < facts.calls.talks,
)
_OCC = Kpi(
    id="OCC",
    names=text("通话利用率", "occupancy"),
    formula=text("通话时间 ÷ 登录且未示忙的时间", "talk time ÷ time logged in and not paused"),
    numerator=text(
        "本期呼入且已结束的来电的通话秒数", "seconds of talk of calls that arrived in the period and have ended"
    ),
    denominator=text("座席登录且未示忙的秒数", "seconds that agents were logged in and not paused"),
    excluded=joined(text("示忙（休息、培训、文书）", "pauses: break, meal, training, paper work"), _TESTS),
    why=text(
        "示忙时不派话。跨期的通话全部归呼入之期，故短时段可能超过 100%",
        "who is paused gets no calls. A talk over the end of a period belongs to the one it arrived in, so a short"
        " period may exceed 100 %",
    ),
    source=_CUSTOM,
    basis=Basis.PRESENCE,
    dimensions=frozenset({Dimension.AGENT}),
    parts=lambda f: (f.calls.talk_sum_s, f.presence.logged_in_s - f.presence.paused_s),
    unsettled=_unfinished,
)
_ABR = Kpi(
    id="ABR",
    names=text("放弃率", "abandon rate"),
    formula=text(
        "接听前挂断的来电 ÷ 要求人工服务的来电", "calls given up before an answer ÷ calls that asked for an agent"
    ),
    numerator=text(
        "要求人工后、听到座席前由来电人挂断的来电",
        "calls whose caller hung up after asking and before hearing an agent",
    ),
    denominator=ASKED,
    excluded=OUT_OF_CALLS,
    why=WHY_OUT_OF_CALLS,
    source=_CUSTOM,
    lower_is_better=True,
    parts=lambda facts: (facts.calls.abandoned, facts.calls.asked),
    unsettled=open_calls,
)
_ABR5 = Kpi(
    id="ABR5",
    names=text("放弃率（不计 5 秒内）", "abandon rate without calls under 5 s"),
    formula=text(
        "接听前挂断且等待满 5 秒的来电 ÷ 除 5 秒内挂断者外要求人工服务的来电",
        "calls given up after 5 s or more ÷ calls that asked for an agent, less those given up sooner",
    ),
    numerator=text("等待满 5 秒后由来电人挂断的来电", "calls whose caller hung up after waiting 5 s or more"),
    denominator=text(
        "要求人工服务且结果已定、并非 5 秒内挂断的来电", "calls that asked, fate known, not given up within 5 s"
    ),
    excluded=joined(text("等待不足 5 秒即挂断的来电", "calls given up in less than 5 s"), OUT_OF_CALLS),
    why=text(
        "几乎没有等待，多为误拨；官方口径（K1）不作此剔除",
        "hardly anybody could have answered, and many are misdialled; the official rate (K1) leaves them in",
    ),
    source=_CUSTOM,
    lower_is_better=True,
    limit_s=SHORT_S,
    parts=lambda facts: (
        facts.calls.abandoned - facts.calls.abandoned_short,
        facts.calls.asked - facts.calls.abandoned_short,
    ),
    unsettled=open_calls,
)
_TRR = Kpi(
    id="TRR",
    names=text("转接率", "transfer rate"),
    formula=text("转接的来电 ÷ 被接听的来电", "calls passed on ÷ calls answered"),
    numerator=text("接听后至少转接一次的来电", "answered calls that an agent passed on at least once"),
    denominator=_ANSWERED,
    excluded=joined(_NOT_ANSWERED, _TESTS),
    why=text(
        "转接以接听为前提；溢出到其他座席不是转接", "only who answers can pass a call on; overflow is no transfer"
    ),
    source=_CUSTOM,
    lower_is_better=True,
    dimensions=ALL_DIMENSIONS,
    parts=lambda facts: (facts.calls.transferred, facts.calls.answered),
    unsettled=_unfinished,
)
_LW = Kpi(
    id="LW",
    names=text("最长等待", "longest wait"),
    formula=text("等待时间的最大值", "the longest waiting of any caller"),
    numerator=text(
        "自要求人工至听到座席、获得回拨承诺或挂断的最长秒数",
        "most seconds from asking for an agent to hearing one, being promised a call back, or hanging up",
    ),
    denominator=text("1；无人要求人工时为 0", "1; 0 if nobody asked"),
    excluded=OUT_OF_CALLS,
    why=text("仍在等待者见实时页", "who still waits is on the live page"),
    unit=Unit.SECONDS,
    source=_CUSTOM,
    lower_is_better=True,
    parts=lambda facts: (facts.calls.longest_wait_s, 1 if facts.calls.asked else 0),
    unsettled=open_calls,
)


_PK = Kpi(
    id="PK",
    names=text("回拨承诺兑现率", "call-backs kept"),
    formula=text("按时兑现的回拨承诺 ÷ 到期的回拨承诺", "promised call-backs kept in time ÷ those that fell due"),
    numerator=text(
        "在承诺时限内听到座席的来电人", "callers promised a call back who heard an agent before it was due"
    ),
    denominator=text("本期到期的回拨承诺", "promised call-backs whose time ended in the period"),
    excluded=joined(text("尚未到期的承诺；回访和不满意回拨", "promises not due yet; other call-backs"), _TESTS),
    why=text(
        "只有排队中作出的承诺才是对来电人的时限承诺；归属到期之日",
        "only what was promised in the queue is a caller's to expect; belongs to the day on which it fell due",
    ),
    source="A5",
    basis=Basis.CASES,
    dimensions=ALL_DIMENSIONS - {Dimension.TRUNK},
    parts=lambda f: (f.tallies.of(Tally.PROMISES_KEPT), f.tallies.of(Tally.PROMISES_DUE)),
    unsettled=_never,
)


def _count(
    kpi_id: str,
    names: Text,
    what: Text,
    number: Callable[[Measures], int],
    *,
    lower_is_better: bool = False,
    unsettled: Callable[[Facts], bool] = open_calls,
) -> Kpi:
    """A plain count of calls."""
    return Kpi(
        id=kpi_id,
        names=names,
        formula=what,
        numerator=what,
        denominator=text("1", "1"),
        excluded=_TESTS,
        why=_NOT_SERVICE,
        unit=Unit.CALLS,
        source="I2",
        lower_is_better=lower_is_better,
        dimensions=OF_CALLERS,
        parts=lambda facts: (number(facts.calls), 1),
        unsettled=unsettled,
    )


COUNTS: tuple[Kpi, ...] = (
    _count(
        "N_ARRIVED",
        text("呼入量", "calls arrived"),
        text("呼入的来电", "calls that arrived"),
        lambda m: m.arrived,
        unsettled=_never,
    ),
    _count("N_ASKED", text("人工请求量", "calls for a person"), ASKED, lambda m: m.asked),
    _count("N_ANSWERED", text("接听量", "calls answered"), _ANSWERED, lambda m: m.answered),
    _count(
        "N_ABANDONED",
        text("放弃量", "calls given up"),
        _ABR.numerator,
        lambda m: m.abandoned,
        lower_is_better=True,
    ),
    _count(
        "N_CALLBACK",
        text("承诺回拨量", "call-backs promised"),
        text("未接听而承诺回拨的来电", "calls promised a call back instead of an answer"),
        lambda m: m.callbacks,
        lower_is_better=True,
    ),
    _count(
        "N_LOST",
        text("丢失量", "calls lost"),
        text(
            "要求人工后被系统中断的来电；必须为 0", "calls for a person that we ended before an answer; must be 0"
        ),
        lambda m: m.lost,
        lower_is_better=True,
    ),
    _count(
        "N_SELF",
        text("自助量", "calls self-served"),
        text("未要求人工即结束的来电", "calls that ended without asking for a person"),
        lambda m: m.self_served,
    ),
    _count(
        "N_OVERFLOW",
        text("溢出量", "calls overflowed"),
        text("向溢出组开放的来电", "calls opened to the overflow group"),
        lambda m: m.overflowed,
        lower_is_better=True,
    ),
    _count(
        "N_UNRECORDED",
        text("缺录音量", "recordings missing"),
        text("已接听并结束而无录音的来电", "answered and ended calls without a recording"),
        lambda m: m.missing_recordings,
        lower_is_better=True,
        unsettled=_unfinished,
    ),
)

ADJUSTED: tuple[Kpi, ...] = (_SL, _ASA, _TALK_1, _HANDLED, _OCC, _ABR, _ABR5, _TRR, _LW, _PK, *COUNTS)
