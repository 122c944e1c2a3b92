"""K1 to K7: the indicators that the rule books demand, unadjusted (``requirements``, K)."""

from __future__ import annotations

from collections.abc import Callable

from calls.figures import Unit
from calls.measures import Dimension
from calls.ports import Tally
from metrics.kpi.model import ALL_DIMENSIONS, Basis, Facts, Fraction, Kpi, Text, text

OWN_LIMIT = 1000
"""K2 and K2r under a limit that no standard sets: the version is 1000 plus the limit in seconds."""

_STANDARDS = {
    1: (15.0, "GB/T 33358-2016", text("三声，每声 5 秒", "three rings of 5 s")),
    2: (12.0, "State Grid 95598", text("四声，每声 3 秒", "four rings of 3 s")),
}
"""Versions of K2 and K2r whose limit a standard sets: the limit in seconds, the standard, what it stands for."""

_TESTS = text("拨测和座席试拨的来电", "test calls: the synthetic caller's and those of agents' own telephones")
_OPEN = text("结果尚未确定的来电", "calls whose fate is not known yet")
_NEVER_ASKED = text("未要求人工服务的来电", "calls that never asked for a person")


def joined(*parts: Text) -> Text:
    """Several exclusions as one list."""
    return text("；".join(part["zh-CN"] for part in parts), "; ".join(part["en"] for part in parts))


OUT_OF_CALLS = joined(_NEVER_ASKED, _OPEN, _TESTS)
"""What every indicator over calls for a person leaves out."""
WHY_OUT_OF_CALLS = text(
    "未要求人工者不可能被接听；未定者待定后计入其呼入当日；测试不是服务。短时放弃不剔除",
    "who never asked cannot be answered; what is open counts, once known, on the day it arrived; a test is no"
    " service. Calls given up quickly stay in",
)
ASKED = text("要求人工服务且结果已定的来电", "calls that asked for a person and whose fate is known")


def open_calls(facts: Facts) -> bool:
    """Some calls may still become numerator or denominator."""
    return facts.calls.open_calls > 0


def _open_or_talking(facts: Facts) -> bool:
    return facts.calls.open_calls > 0 or facts.calls.talking > 0


def _until(*tallies: Tally) -> Callable[[Facts], bool]:
    """Not settled while one of these may still change."""
    return lambda facts: not facts.tallies.settled.issuperset(tallies)


def _ongoing(facts: Facts) -> bool:
    return facts.reliability.ongoing or not facts.reliability.scheduled_s


_K1 = Kpi(
    id="K1",
    names=text("接通率", "answer rate"),
    formula=text("座席接听的来电 ÷ 要求人工服务的来电", "calls an agent answered ÷ calls that asked for an agent"),
    numerator=text("来电人听到座席的来电", "calls in which the caller heard an agent"),
    denominator=ASKED,
    excluded=OUT_OF_CALLS,
    why=WHY_OUT_OF_CALLS,
    source="K1",
    official=True,
    target=0.95,
    parts=lambda facts: (facts.calls.answered, facts.calls.asked),
    unsettled=open_calls,
)


def k2(version: int, limit_s: float, source: str, note: Text) -> Kpi:
    """The three-ring rate under one limit."""

    def parts(facts: Facts) -> Fraction:
        return facts.calls.within.get(limit_s, 0), facts.calls.asked

    return Kpi(
        id="K2",
        version=version,
        names=text("三声接起率", "three-ring rate"),
        formula=text(
            f"来电人等待不超过 {limit_s:g} 秒即被接听的来电 ÷ 要求人工服务的来电（{note['zh-CN']}）",
            f"calls answered within {limit_s:g} s by the caller's clock ÷ calls that asked for an agent"
            f" ({note['en']})",
        ),
        numerator=text(
            f"自要求人工至听到座席不超过 {limit_s:g} 秒（含）的来电",
            f"calls with at most {limit_s:g} s from asking for an agent to hearing one",
        ),
        denominator=ASKED,
        excluded=OUT_OF_CALLS,
        why=WHY_OUT_OF_CALLS,
        source=source,
        official=True,
        limit_s=limit_s,
        parts=parts,
        unsettled=open_calls,
    )


def k2r(version: int, limit_s: float, source: str, note: Text) -> Kpi:
    """Rings kept under one limit."""

    def parts(facts: Facts) -> Fraction:
        return facts.calls.offers_kept.get(limit_s, 0), facts.calls.offers

    return Kpi(
        id="K2r",
        version=version,
        names=text("座席三声接听率", "rings kept"),
        formula=text(
            f"振铃不超过 {limit_s:g} 秒即接听的派话 ÷ 派给座席的来电（{note['zh-CN']}）",
            f"offers answered within {limit_s:g} s of ringing ÷ offers made to an agent ({note['en']})",
        ),
        numerator=text(
            f"座席话机振铃不超过 {limit_s:g} 秒（含）即摘机的派话",
            f"offers picked up after at most {limit_s:g} s of ringing",
        ),
        denominator=text(
            "已有结果的派话（来电结果已定）", "offers that came to an end, of calls whose fate is known"
        ),
        excluded=joined(text("仍在振铃的派话", "offers that still ring"), _OPEN, _TESTS),
        why=text(
            "结果未知。来电人先挂断、话机忙或不通的派话计入分母",
            "nobody knows yet how they come out. Offers cut short by the caller, refused or not reachable stay in",
        ),
        source=source,
        official=True,
        limit_s=limit_s,
        dimensions=ALL_DIMENSIONS,
        parts=parts,
        unsettled=_open_or_talking,
    )


def under_limit(kpi_id: str, version: int) -> Kpi | None:
    """K2 or K2r under a version that fixes a limit; ``None`` if no limit has that version."""
    make = {"K2": k2, "K2r": k2r}[kpi_id]
    if version in _STANDARDS:
        limit, standard, note = _STANDARDS[version]
        return make(version, limit, f"{kpi_id}, A1, {standard}", note)
    if version <= OWN_LIMIT:
        return None
    own_s = float(version - OWN_LIMIT)
    return make(version, own_s, f"{kpi_id}, A1", text("运营方自定时限", "the operator's own limit"))


def version_of(limit_s: float) -> int:
    """The version of K2 and K2r that fixes a limit, in seconds."""
    for version, (standard_s, _, _) in _STANDARDS.items():
        if standard_s == limit_s:
            return version
    return OWN_LIMIT + int(limit_s)


_LATER = text(
    "数日后方能结算，按来电或个案开始之日归属", "settles days later; belongs to the day the call or case began"
)

_K3 = Kpi(
    id="K3",
    names=text("服务满意率", "satisfaction rate"),
    formula=text("1 − 评价不满意的来电 ÷ 作出评价的来电", "1 − calls rated dissatisfied ÷ calls rated"),
    numerator=text("作出评价且并非不满意的来电", "calls rated, and not dissatisfied"),
    denominator=text("作出评价的来电", "calls rated"),
    excluded=text("未作评价的来电；拨测", "calls without a rating; tests"),
    why=text("沉默不是评价；参评率另列（K3p）", "silence is no rating; participation is shown beside it (K3p)"),
    source="K3, Q2",
    official=True,
    basis=Basis.CASES,
    dimensions=ALL_DIMENSIONS,
    parts=lambda f: (f.tallies.of(Tally.RATED) - f.tallies.of(Tally.DISSATISFIED), f.tallies.of(Tally.RATED)),
    unsettled=_until(Tally.RATED, Tally.DISSATISFIED),
)
_K3P = Kpi(
    id="K3p",
    names=text("参评率", "participation"),
    formula=text("作出评价的来电 ÷ 邀请评价的来电", "calls rated ÷ calls invited to rate"),
    numerator=text("作出评价的来电", "calls rated"),
    denominator=text("邀请评价的来电", "calls invited"),
    excluded=text("未邀请的来电；拨测", "calls not invited; tests"),
    why=text("无从评价", "they could not rate"),
    source="K3",
    official=True,
    basis=Basis.CASES,
    dimensions=ALL_DIMENSIONS,
    parts=lambda f: (f.tallies.of(Tally.RATED), f.tallies.of(Tally.INVITED)),
    unsettled=_until(Tally.RATED, Tally.INVITED),
)
_K4 = Kpi(
    id="K4",
    names=text("咨询一次答复率", "first-call resolution"),
    formula=text("1 − 转为工单的咨询 ÷ 咨询", "1 − inquiries dispatched as work orders ÷ inquiries"),
    numerator=text("一次答复的咨询", "inquiries that did not become a work order"),
    denominator=text("咨询", "inquiries"),
    excluded=text("拨测", "tests"),
    why=_LATER,
    source="K4, C10",
    official=True,
    basis=Basis.CASES,
    dimensions=ALL_DIMENSIONS,
    parts=lambda f: (
        f.tallies.of(Tally.INQUIRIES) - f.tallies.of(Tally.DISPATCHED),
        f.tallies.of(Tally.INQUIRIES),
    ),
    unsettled=_until(Tally.INQUIRIES, Tally.DISPATCHED),
)
_MAINTENANCE = text(
    "预先公告的检修时间；尚未到来的时间；开始监测之前的时间",
    "maintenance announced beforehand; time still to come; time before anybody watched",
)
_WHY_MAINTENANCE = text(
    "公告的检修不是应运行时间；未监测的时间无从断言",
    "announced maintenance is no scheduled working time; of what nobody watched nothing is claimed",
)
_SCHEDULED = text("应运行的秒数", "seconds of scheduled working time")
_K5 = Kpi(
    id="K5",
    names=text("系统可靠率（并集）", "system reliability (union)"),
    formula=text(
        "1 − 至少一个部件中断的时间 ÷ 应运行时间",
        "1 − time in which at least one component was down ÷ scheduled time",
    ),
    numerator=text("所有部件均正常的应运行秒数", "scheduled seconds in which no component was down"),
    denominator=_SCHEDULED,
    excluded=_MAINTENANCE,
    why=_WHY_MAINTENANCE,
    source="K5",
    official=True,
    target=0.999,
    basis=Basis.OUTAGES,
    dimensions=frozenset(),
    parts=lambda f: (f.reliability.scheduled_s - f.reliability.union_s, f.reliability.scheduled_s),
    unsettled=_ongoing,
)
_K5SUM = Kpi(
    id="K5sum",
    names=text("系统可靠率（累计）", "system reliability (sum)"),
    formula=text(
        "1 − 各部件中断时间之和 ÷ 应运行时间", "1 − down time of each component, added up ÷ scheduled time"
    ),
    numerator=text(
        "应运行秒数减各部件中断秒数之和（可为负）",
        "scheduled seconds less every component's down time (may be negative)",
    ),
    denominator=_SCHEDULED,
    excluded=_MAINTENANCE,
    why=_WHY_MAINTENANCE,
    source="K5",
    official=True,
    basis=Basis.OUTAGES,
    dimensions=frozenset(),
    parts=lambda f: (f.reliability.scheduled_s - f.reliability.sum_s, f.reliability.scheduled_s),
    unsettled=_ongoing,
)
_K6 = Kpi(
    id="K6",
    names=text("客户满意度指数", "customer-satisfaction index"),
    formula=text("各项加权得分之和 ÷ 问卷数", "weighted points of all surveys ÷ surveys"),
    numerator=text("问卷加权得分之和", "weighted points of all surveys"),
    denominator=text("收回的问卷", "surveys answered"),
    excluded=text("未作答的问卷；拨测", "surveys not answered; tests"),
    why=_LATER,
    unit=Unit.SCORE,
    source="K6, Q2",
    official=True,
    basis=Basis.CASES,
    dimensions=ALL_DIMENSIONS,
    parts=lambda f: (f.tallies.of(Tally.SURVEY_POINTS), f.tallies.of(Tally.SURVEYS)),
    unsettled=_until(Tally.SURVEY_POINTS, Tally.SURVEYS),
)
_OF_COMPLAINTS = frozenset({Dimension.SECTION, Dimension.LANGUAGE})
_K7T = Kpi(
    id="K7t",
    names=text("投诉处理及时率", "complaint timeliness"),
    formula=text("按期完成的环节 ÷ 到期的环节", "steps in time ÷ steps due"),
    numerator=text("在规定工作日内完成的环节", "steps done within their working days"),
    denominator=text("已到期的环节", "steps due"),
    excluded=text(
        "尚未到期的环节；节假日未公布年份的时限", "steps not due yet; clocks that need holidays not published yet"
    ),
    why=_LATER,
    source="K7, C4",
    official=True,
    basis=Basis.CASES,
    dimensions=_OF_COMPLAINTS,
    parts=lambda f: (f.tallies.of(Tally.STEPS_IN_TIME), f.tallies.of(Tally.STEPS_DUE)),
    unsettled=_until(Tally.STEPS_IN_TIME, Tally.STEPS_DUE),
)
_K7S = Kpi(
    id="K7s",
    names=text("投诉满意率", "complaint satisfaction"),
    formula=text("满意的投诉人 ÷ 回访的投诉人", "satisfied complainants ÷ complainants asked"),
    numerator=text("表示满意的投诉人", "complainants who said that they were satisfied"),
    denominator=text("回访中问到的投诉人", "complainants asked"),
    excluded=text("未回访的投诉人", "complainants not asked"),
    why=_LATER,
    source="K7, C4",
    official=True,
    basis=Basis.CASES,
    dimensions=_OF_COMPLAINTS,
    parts=lambda f: (f.tallies.of(Tally.COMPLAINANTS_SATISFIED), f.tallies.of(Tally.COMPLAINANTS_ASKED)),
    unsettled=_until(Tally.COMPLAINANTS_SATISFIED, Tally.COMPLAINANTS_ASKED),
)

OFFICIAL: tuple[Kpi, ...] = (
    _K1,
    *(kpi for name in ("K2", "K2r") for version in _STANDARDS if (kpi := under_limit(name, version))),
    *(_K3, _K3P, _K4, _K5, _K5SUM, _K6, _K7T, _K7S),
)
"""Every version that a standard sets; K2 and K2r under other limits are made by ``under_limit``."""
