"""Recognition errors must not become accusations: what each kind of rule makes of weak evidence (A2 to A6)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from calls.custody import Bandwidth, Leg
from calls.ids import AgentNumber
from calls.transcript import LegTranscript, Word
from calls.verdicts import Conversation, Outcome, Verdict
from qa.rules import RuleSet, judge, load_rules, packs
from qa.rules.examples import spoken

ZH: RuleSet = next(rules for path in packs() if (rules := load_rules(path)).language == "zh-CN")
LONG = "0 caller: 我昨天买的票日期不对想改签"
FILLER = "20 agent: 查到了票还有两张"
KEPT, BROKEN, CANNOT = Outcome.KEPT, Outcome.BROKEN, Outcome.CANNOT_JUDGE


def verdict(rule: str, conversation: Conversation) -> Verdict:
    found = judge(ZH, conversation, conversation.facts.arrived_at)
    return next(each for each in found if each.rule == rule)


def outcome(rule: str, conversation: Conversation) -> Outcome:
    return verdict(rule, conversation).outcome


def call(*lines: str, unsure: str = "", gone: str = "", narrow: bool = False) -> Conversation:
    """A call; the agent's words in `unsure` were recognised so-so, and those in `gone` not at all."""
    conversation = spoken(lines, "zh-CN")

    def changed(leg: LegTranscript) -> LegTranscript:
        if leg.leg is not Leg.AGENT:
            return leg
        words = [replace(word, confidence=0.7) if word.text in unsure else word for word in leg.words]
        kept = tuple(word for word in words if word.text not in gone)
        return replace(leg, words=kept, bandwidth=Bandwidth.NARROW if narrow else Bandwidth.WIDE)

    legs = tuple(changed(leg) for leg in conversation.transcript.legs)
    return replace(conversation, transcript=replace(conversation.transcript, legs=legs))


@pytest.mark.parametrize(
    ("rule", "conversation", "wanted"),
    [
        ("greeting", call("agent: 您猫铁路客服中心"), BROKEN),  # clearly something else
        ("greeting", call("agent: 您猫铁路客服中心", unsure="猫"), CANNOT),
        ("greeting", call("agent: 您好铁路客服中心", gone="好"), CANNOT),
        ("greeting", call("agent: 铁路客服中心请讲什么事", unsure="铁路客"), BROKEN),  # nothing of it was heard
        ("greeting", call("agent: 什么事快点说我很忙没有时间", narrow=True), CANNOT),
        ("goodbye", call("agent: 您好", "20 agent: 就这样了挂了"), BROKEN),
        ("goodbye", call("agent: 您好", "20 agent: 就这样了再键挂", unsure="键"), KEPT),
        ("goodbye", call("agent: 您好", "20 agent: 就这样了再杯挂", unsure="杯"), CANNOT),
        ("agent-number", call("agent: 您好一零零一为您服务"), KEPT),
        ("agent-number", call("agent: 您好工号幺〇〇幺为您服务"), KEPT),
        ("agent-number", call("agent: 您好工號1001為您服務"), KEPT),
        ("agent-number", call("agent: 您好工号二零三五为您服务"), BROKEN),
        ("agent-number", call("agent: 您好工号二零三五为您服务", unsure="二零三五"), CANNOT),
        ("agent-number", call("agent: 您好工号一零零七为您服务"), CANNOT),  # one digit: it may be misheard
        ("agent-number", call("agent: 您好工号一零为您服务"), CANNOT),
        ("agent-number", call("agent: 您好很高兴为您服务"), BROKEN),
        ("agent-number", call("agent: 您好工号一零零一为您服务", gone="零"), CANNOT),
        ("no-shirking", call("agent: 这个不归我们管"), BROKEN),
        ("no-shirking", call("agent: 这个不归我们管", unsure="不归我们管"), BROKEN),  # 0.7 is confident enough
        ("no-shirking", call("agent: 这个不归我们馆"), BROKEN),  # the same sound
        ("no-shirking", call("agent: 这个不回我们管"), CANNOT),
        ("no-shirking", call("agent: 您好请讲我帮您查询一下"), KEPT),
        ("no-shirking", call("agent: 您好请讲我帮您查询一下", narrow=True), CANNOT),
        ("no-dialect", call("agent: 您好请讲我帮您查询一下", narrow=True), CANNOT),
        ("no-shirking", call("caller: 您好我的票丢了怎么办", narrow=True), KEPT),  # the agent said nothing
        ("dead-air", call("0 agent: 您好", "30 agent: 您还在吗"), BROKEN),
        ("dead-air", call("0 agent: 请您稍瞪我看看", "30 agent: 您还在吗", unsure="瞪"), KEPT),
        ("dead-air", call("0 agent: 请您杯猫我看看", "30 agent: 您还在吗", unsure="杯猫"), CANNOT),
        (
            "dead-air",
            call("0 agent: 请您杯猫我看看", "99 agent: 您还在吗", unsure="杯猫"),
            BROKEN,
        ),  # too long anyhow
        ("promise-kept", call("agent: 我们给您答复", FILLER), BROKEN),
        ("promise-kept", call("agent: 我们三天内给您答复", "callback: yes"), KEPT),
        ("promise-kept", call("agent: 我们三天内给您答复", "callback: no"), BROKEN),
        ("promise-kept", call("agent: 我们猫杯内给您答复", unsure="猫杯"), CANNOT),
        ("promise-kept", call("agent: 我们给您答复", "40 agent: 开车是在后天"), BROKEN),  # another matter's time
        (
            "no-interruption",
            call("0 caller: 我昨天买的票日期不对想改签", "1.5 agent: 嗯嗯猫嗯嗯", unsure="猫"),
            CANNOT,
        ),
        (
            "no-interruption",
            call("0 caller: 我昨天买的票日期不对想改签", "1.5 agent: 是的猫我明白好的"),  # sure, and misheard
            CANNOT,
        ),
        ("no-interruption", call("0 caller: 我昨天买的票日期不对想改签", "1.5 agent: 你先等一下我问你"), BROKEN),
    ],
)
def test_weak_evidence_accuses_nobody(rule: str, conversation: Conversation, wanted: Outcome) -> None:
    found = verdict(rule, conversation)
    assert found.outcome is wanted, found.explanation


@pytest.mark.parametrize("rule", [rule.id for rule in ZH.rules])
def test_no_rule_accuses_where_there_is_nothing(rule: str) -> None:
    """No legs, one leg, no voice, no words, no confidence: never broken, never an exception."""
    whole = spoken(["agent: 您好", "caller: 您好", "agent: 查到了"], "zh-CN")
    agent, caller = (whole.transcript.leg(leg) for leg in (Leg.AGENT, Leg.CALLER))
    assert agent and caller
    nothing = replace(agent, words=(), voice=(), duration_s=0.0)
    unsure = replace(agent, words=tuple(replace(word, confidence=0.0) for word in agent.words))
    voice_only = replace(agent, words=())
    odd = replace(agent, words=(Word("", 0.0, 0.0, 0.0), Word("!?", 5.0, 5.0, 1.0)), voice=())
    for legs in ((), (caller,), (nothing, caller), (unsure, caller), (voice_only, caller), (odd,)):
        conversation = replace(whole, transcript=replace(whole.transcript, legs=legs))
        assert outcome(rule, conversation) is not BROKEN, legs


def test_the_agent_that_the_roster_does_not_know_is_not_judged() -> None:
    conversation = call("agent: 您好工号一零零一为您服务")
    nobody = replace(conversation, facts=replace(conversation.facts, agent=None))
    assert outcome("agent-number", nobody) is Outcome.NOT_APPLICABLE
    other = replace(conversation, facts=replace(conversation.facts, agent=AgentNumber("2035")))
    assert outcome("agent-number", other) is BROKEN
