"""Rules about who speaks when and how much: what they look for, when they would rather not say (A3, A4)."""

from __future__ import annotations

from calls.custody import Bandwidth, Leg
from calls.explanations import Explanation, Reason
from calls.transcript import Span, joined
from calls.verdicts import Evidence
from qa.rules.finding import Finding, broken, cannot_judge, kept, not_applicable, whole
from qa.rules.heard import LEAST_SPEECH_S, Heard, Side
from qa.rules.model import InterruptionRule, RateRule, RatioRule, SilenceRule
from qa.rules.sound import units

_HOLD_S = 10.0
"""Before a silence, within which the caller is asked to wait."""
_INTERJECTION_S = 2.0


def interruption(rule: InterruptionRule, heard: Heard) -> Finding:
    """The agent's voice over the caller's (A3)."""
    if heard.agent.leg is None or heard.caller.leg is None:
        return cannot_judge(Reason.ONE_SIDE, confidence=0.0)
    found: list[Evidence] = []
    doubtful: list[Evidence] = []
    for agent in heard.agent.voice:
        for caller in heard.caller.voice:
            begins_over = caller.start_s + rule.lead_s <= agent.start_s < caller.end_s
            if not begins_over or agent.overlap_s(caller) < rule.overlap_s:
                continue
            listens = _back_channel(rule, heard.agent, agent)
            if listens is True:
                continue
            words = joined(word.text for word in heard.agent.between(agent.start_s - 0.2, agent.end_s))
            evidence = Evidence(Leg.AGENT, agent.start_s, min(agent.end_s, caller.end_s), words)
            (found if listens is False else doubtful).append(evidence)
    told = Explanation.of(Reason.INTERRUPTED, found=len(found), overlap_s=rule.overlap_s, most=rule.most)
    if len(found) > rule.most:
        return broken(told, tuple(found))
    if len(found) + len(doubtful) > rule.most:
        return cannot_judge(
            Explanation.of(Reason.MAY_INTERRUPT, **told.values, doubtful=len(doubtful)), tuple(doubtful)
        )
    return kept(told, tuple(found), 0.9)


def _back_channel(rule: InterruptionRule, side: Side, span: Span) -> bool | None:
    """Whether it only says that one listens; ``None``: it is short, and nobody knows what it says."""
    words = side.between(span.start_s - 0.2, span.end_s)
    allowed = {unit for each in rule.back_channel for unit in units(each, side.language)}
    if words and all(set(units(word.text, side.language)) <= allowed for word in words):
        return True
    others = [word for word in words if not set(units(word.text, side.language)) <= allowed]
    all_sounds, other_sounds = (
        sum(len(units(word.text, side.language)) for word in some) for some in (words, others)
    )
    # Mostly such words, or nothing but such words that is sure: what stands between them may be misheard.
    mostly = 2 * other_sounds < all_sounds
    unsure = len(others) < len(words) and all(word.confidence < side.limits.sure for word in others)
    if rule.back_channel and (mostly or unsure):
        return None
    if rule.back_channel and not words and span.length_s <= _INTERJECTION_S:
        return None
    return False


def speech_rate(rule: RateRule, heard: Heard) -> Finding:
    """Units of sound in a minute of the agent's voice (A4)."""
    side = heard.agent
    speech_s = side.leg.speech_s if side.leg else 0.0
    if speech_s < rule.least_speech_s:
        return not_applicable(Explanation.of(Reason.LITTLE_SPEECH, least_s=rule.least_speech_s))
    rate = side.unit_count / speech_s * 60
    told = Explanation.of(Reason.RATE, rate=round(rate), least=rule.least, most=rule.most)
    if rule.least <= rate <= rule.most:
        return kept(told)
    if weak := side.weakness():
        return cannot_judge(told.but(weak))
    return broken(told, whole(side, 0, heard.duration_s), 0.8)


def dead_air(rule: SilenceRule, heard: Heard) -> Finding:
    """Silence of both, unless the agent asked to wait."""
    if heard.agent.leg is None or heard.caller.leg is None:
        return cannot_judge(Reason.ONE_SIDE, confidence=0.0)
    spans = sorted((*heard.agent.voice, *heard.caller.voice))
    if not spans:
        return not_applicable(Reason.NOBODY_SPEAKS)
    too_long, doubtful, longest, end_s = [], [], 0.0, spans[0].end_s
    for span in spans[1:]:
        silence_s = span.start_s - end_s
        longest = max(longest, silence_s)
        if silence_s > rule.most_s:
            held = any(
                heard.agent.said(each, heard.limits.alike, end_s - _HOLD_S, end_s) for each in rule.hold_phrases
            )
            evidence = Evidence(Leg.AGENT, end_s, span.start_s, "")
            if silence_s > rule.most_after_hold_s or not (held or _may_hold(rule, heard.agent, end_s)):
                too_long.append(evidence)
            elif not held:
                doubtful.append(evidence)
        end_s = max(end_s, span.end_s)
    told = Explanation.of(
        Reason.SILENCE_MAY_HOLD if doubtful and not too_long else Reason.SILENCE,
        longest_s=round(longest, 1),
        most_s=rule.most_s,
        most_on_hold_s=rule.most_after_hold_s,
    )
    if too_long:
        return broken(told, tuple(too_long))
    if doubtful:
        return cannot_judge(told, tuple(doubtful))
    return kept(told, (), 0.9)


def _may_hold(rule: SilenceRule, side: Side, until_s: float) -> bool:
    """Whether the agent may have asked to wait before that moment, as far as words are sure."""
    since_s = until_s - _HOLD_S
    if side.leg and side.leg.bandwidth is Bandwidth.NARROW and rule.hold_phrases:
        return side.speech_s(since_s, until_s) >= LEAST_SPEECH_S
    return any(side.maybe_said(each, since_s, until_s) for each in rule.hold_phrases)


def talk_ratio(rule: RatioRule, heard: Heard) -> Finding:
    """The agent's share of the speech."""
    if heard.agent.leg is None or heard.caller.leg is None:
        return cannot_judge(Reason.ONE_SIDE, confidence=0.0)
    agent_s, caller_s = heard.agent.leg.speech_s, heard.caller.leg.speech_s
    if agent_s + caller_s < rule.least_speech_s:
        return not_applicable(Explanation.of(Reason.LITTLE_SPEECH, least_s=rule.least_speech_s))
    share = agent_s / (agent_s + caller_s)
    told = Explanation.of(Reason.SHARE, share=round(share, 3), least=rule.least, most=rule.most)
    if rule.least <= share <= rule.most:
        return kept(told, (), 0.9)
    return broken(told, ())
