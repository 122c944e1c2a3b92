"""What each kind of rule looks for, and when it would rather not say (A2-A6)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from calls.custody import Bandwidth, Leg
from calls.transcript import Span, joined
from calls.verdicts import Evidence, Outcome
from qa.rules.heard import LEAST_SPEECH_S, Heard, Said, Side
from qa.rules.model import (
    InterruptionRule,
    NumberRule,
    PatternRule,
    PhraseRule,
    PromiseRule,
    RateRule,
    RatioRule,
    SilenceRule,
)
from qa.rules.sound import apart, digit_units, simplified, units

_HOLD_S = 10.0
"""Before a silence, within which the caller is asked to wait."""
_NEAR_S = 6.0
"""A time belongs to a promise that is so far away."""
_INTERJECTION_S = 2.0


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule says of a call, before it is a verdict."""

    outcome: Outcome
    explanation: str
    evidence: tuple[Evidence, ...] = ()
    confidence: float = 1.0


def phrase(rule: PhraseRule, heard: Heard) -> Finding:
    """Words that must be said, or must not be."""
    side = heard.side(rule.speaker)
    if heard.duration_s < rule.least_talk_s:
        return Finding(Outcome.NOT_APPLICABLE, f"the call is shorter than {rule.least_talk_s:g} s")
    since_s, until_s = _window(side, rule)
    if not rule.must:
        return _forbidden(rule, side, since_s, until_s)
    wanted = rule.any or rule.all or rule.in_order
    found = {each: side.said(each, side.limits.doubt, since_s, until_s) for each in wanted}
    best = {each: min(places, key=lambda said: said.distance) for each, places in found.items() if places}
    sure = {each: said for each, said in best.items() if said.distance <= side.limits.alike}
    if (rule.any and sure) or (not rule.any and len(sure) == len(wanted) and _ordered(rule, sure)):
        said = tuple(sure.values())
        return Finding(Outcome.KEPT, _told(said), tuple(each.evidence for each in said), 1 - said[0].distance)
    if (rule.any and best) or (not rule.any and len(best) == len(wanted)):
        doubtful = tuple(best.values())
        return Finding(
            Outcome.CANNOT_JUDGE,
            f"something that sounds like it was heard: {_told(doubtful)}",
            tuple(each.evidence for each in doubtful),
            0.5,
        )
    absent = [each for each in wanted if each not in best]
    missing = ", ".join(each for each in wanted if each not in sure)
    maybe = [side.maybe_said(each, since_s, until_s) for each in absent]
    if any(maybe) if rule.any else all(maybe):
        told = f"not heard, but some of it was, and words around it are unsure: {missing}"
        return Finding(Outcome.CANNOT_JUDGE, told, (), 0.5)
    if weak := side.weakness(since_s, until_s):
        return Finding(Outcome.CANNOT_JUDGE, f"not heard, but {weak}: {missing}", (), 0.5)
    return Finding(Outcome.BROKEN, f"not heard: {missing}", _whole(side, since_s, until_s), 0.9)


def _forbidden(rule: PhraseRule, side: Side, since_s: float, until_s: float) -> Finding:
    doubtful: list[Said] = []
    for each in rule.any:
        for said in side.said(each, side.limits.alike, since_s, until_s):
            if said.distance == 0 and said.evidence.confidence >= side.limits.confidence:
                return Finding(Outcome.BROKEN, _told([said]), (said.evidence,), said.evidence.confidence)
            doubtful.append(said)
    if doubtful:
        return Finding(
            Outcome.CANNOT_JUDGE,
            f"something that sounds like it was heard: {_told(doubtful)}",
            tuple(said.evidence for said in doubtful),
            0.5,
        )
    if weak := side.weakness(since_s, until_s):
        if side.leg and side.speech_s(since_s, until_s) < LEAST_SPEECH_S:
            return Finding(Outcome.KEPT, "nothing was said")
        return Finding(Outcome.CANNOT_JUDGE, f"none of the words was heard, but {weak}", (), 0.5)
    return Finding(Outcome.KEPT, "none of the words was heard")


def pattern(rule: PatternRule, heard: Heard) -> Finding:
    """A regular expression over what one side said."""
    side = heard.side(rule.speaker)
    text, owners = _text(side)
    if found := re.search(rule.pattern, text):
        words = side.words[owners[found.start()] : owners[max(found.start(), found.end() - 1)] + 1]
        evidence = side.evidence(words)
        if rule.must:
            return Finding(Outcome.KEPT, f"heard: {evidence.text}", (evidence,), evidence.confidence)
        unsure = evidence.confidence < side.limits.confidence
        outcome = Outcome.CANNOT_JUDGE if unsure else Outcome.BROKEN
        return Finding(outcome, f"heard: {evidence.text}", (evidence,), evidence.confidence)
    if weak := side.weakness():
        if not rule.must and side.leg and side.speech_s() < LEAST_SPEECH_S:
            return Finding(Outcome.KEPT, "nothing was said")
        return Finding(Outcome.CANNOT_JUDGE, f"not heard, but {weak}", (), 0.5)
    if rule.must:
        return Finding(Outcome.BROKEN, "not heard", _whole(side, 0, heard.duration_s), 0.9)
    return Finding(Outcome.KEPT, "not heard")


def agent_number(rule: NumberRule, heard: Heard) -> Finding:
    """The roster's number, spoken (A2)."""
    number = heard.facts.agent
    if number is None:
        return Finding(Outcome.NOT_APPLICABLE, "no agent is known to have answered")
    side = heard.agent
    if side.leg and (ours := side.leg.announced):
        evidence = Evidence(Leg.AGENT, ours.start_s, ours.end_s, "")
        return Finding(Outcome.KEPT, f"the number {number} was announced as the agent answered", (evidence,))
    since_s, until_s = _start(side), _start(side) + rule.within_start_s
    digits = units(" ".join(number), heard.language)
    said = _digits_said(rule, side, digits, since_s, until_s)
    if said and min(each.off for each in said) == 0:
        best = min(said, key=lambda each: each.off)
        return Finding(Outcome.KEPT, f"the number {number} was heard", (best.evidence,), best.evidence.confidence)
    if said:
        best = min(said, key=lambda each: each.off)
        if all(each.is_another and each.evidence.confidence >= side.limits.sure for each in said):
            told = f"another number than {number} was heard, clearly"
            return Finding(Outcome.BROKEN, told, (best.evidence,), best.evidence.confidence)
        told = f"a number was heard, and not all of the {len(digits)} digits are as they should be"
        return Finding(Outcome.CANNOT_JUDGE, told, (best.evidence,), 0.5)
    if side.maybe_said(digits, since_s, until_s) or any(
        side.maybe_said(each, since_s, until_s) for each in rule.before
    ):
        return Finding(Outcome.CANNOT_JUDGE, "something like the number was heard, and words are unsure", (), 0.5)
    if weak := side.weakness(since_s, until_s):
        return Finding(Outcome.CANNOT_JUDGE, f"no number was heard, but {weak}", (), 0.5)
    text = f"no number was heard in the first {rule.within_start_s:g} s"
    return Finding(Outcome.BROKEN, text, _whole(side, since_s, until_s), 0.9)


@dataclass(frozen=True, slots=True)
class _Digits:
    """What may be the agent's number."""

    off: float
    """Digits that are not as they should be; those that sound alike count half."""
    is_another: bool
    """Whether it is as long as the roster's, all digits, and more than one of them is another by sound, too."""
    evidence: Evidence


def _digits_said(
    rule: NumberRule, side: Side, digits: tuple[str, ...], since_s: float, until_s: float
) -> list[_Digits]:
    """Every place where the number was said, and what else was said after the words that announce one."""
    found = [
        _Digits(0.0, False, said.evidence) for said in side.said(" ".join(digits), 0.0, since_s, until_s, digits)
    ]
    known = digit_units(side.language)
    for before in rule.before:
        for said in side.said(before, side.limits.doubt, since_s, until_s):
            words = side.after(said.evidence.end_s, said.evidence.end_s + 6.0)
            spoken, owners = side.run_of(words, known)
            evidence = side.evidence((*side.between(said.evidence.start_s, said.evidence.end_s), *owners))
            if len(spoken) == len(digits):
                off = apart(digits, spoken, side.language)
                found.append(_Digits(off, off > 1 and said.distance == 0, evidence))
            else:
                found.append(_Digits(float(len(digits)), False, evidence))
    return found


def interruption(rule: InterruptionRule, heard: Heard) -> Finding:
    """The agent's voice over the caller's (A3)."""
    if heard.agent.leg is None or heard.caller.leg is None:
        return Finding(Outcome.CANNOT_JUDGE, "the voices of both are needed", (), 0.0)
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
            words = _words_in(heard.agent, agent)
            evidence = Evidence(Leg.AGENT, agent.start_s, min(agent.end_s, caller.end_s), words)
            (found if listens is False else doubtful).append(evidence)
    told = f"{len(found)} of at least {rule.overlap_s:g} s, {rule.most} tolerated"
    if len(found) > rule.most:
        return Finding(Outcome.BROKEN, told, tuple(found), 0.9)
    if len(found) + len(doubtful) > rule.most:
        return Finding(Outcome.CANNOT_JUDGE, f"{told}; {len(doubtful)} may only say that one listens",
                       tuple(doubtful), 0.5)  # fmt: skip
    return Finding(Outcome.KEPT, told, tuple(found), 0.9)


def speech_rate(rule: RateRule, heard: Heard) -> Finding:
    """Units of sound in a minute of the agent's voice (A4)."""
    side = heard.agent
    speech_s = side.leg.speech_s if side.leg else 0.0
    if speech_s < rule.least_speech_s:
        return Finding(Outcome.NOT_APPLICABLE, f"less than {rule.least_speech_s:g} s of speech")
    rate = side.unit_count / speech_s * 60
    told = f"{rate:.0f} a minute; {rule.least:g} to {rule.most:g} are in order"
    if rule.least <= rate <= rule.most:
        return Finding(Outcome.KEPT, told)
    if weak := side.weakness():
        return Finding(Outcome.CANNOT_JUDGE, f"{told}; but {weak}", (), 0.5)
    return Finding(Outcome.BROKEN, told, _whole(side, 0, heard.duration_s), 0.8)


def dead_air(rule: SilenceRule, heard: Heard) -> Finding:
    """Silence of both, unless the agent asked to wait."""
    if heard.agent.leg is None or heard.caller.leg is None:
        return Finding(Outcome.CANNOT_JUDGE, "the voices of both are needed", (), 0.0)
    spans = sorted((*heard.agent.voice, *heard.caller.voice))
    if not spans:
        return Finding(Outcome.NOT_APPLICABLE, "nobody speaks")
    broken, doubtful, longest, end_s = [], [], 0.0, spans[0].end_s
    for span in spans[1:]:
        silence_s = span.start_s - end_s
        longest = max(longest, silence_s)
        if silence_s > rule.most_s:
            held = any(
                heard.agent.said(each, heard.limits.alike, end_s - _HOLD_S, end_s) for each in rule.hold_phrases
            )
            evidence = Evidence(Leg.AGENT, end_s, span.start_s, "")
            if silence_s > rule.most_after_hold_s or not (held or _may_hold(rule, heard.agent, end_s)):
                broken.append(evidence)
            elif not held:
                doubtful.append(evidence)
        end_s = max(end_s, span.end_s)
    allowed = f"{rule.most_s:g} s, on hold {rule.most_after_hold_s:g} s"
    told = f"the longest silence is {longest:.1f} s; in order are {allowed}"
    if doubtful and not broken:
        told += "; the caller may have been asked to wait"
        return Finding(Outcome.CANNOT_JUDGE, told, tuple(doubtful), 0.5)
    return Finding(Outcome.BROKEN if broken else Outcome.KEPT, told, tuple(broken), 0.9)


def _may_hold(rule: SilenceRule, side: Side, until_s: float) -> bool:
    """Whether the agent may have asked to wait before that moment, as far as words are sure."""
    since_s = until_s - _HOLD_S
    if side.leg and side.leg.bandwidth is Bandwidth.NARROW and rule.hold_phrases:
        return side.speech_s(since_s, until_s) >= LEAST_SPEECH_S
    return any(side.maybe_said(each, since_s, until_s) for each in rule.hold_phrases)


def talk_ratio(rule: RatioRule, heard: Heard) -> Finding:
    """The agent's share of the speech."""
    if heard.agent.leg is None or heard.caller.leg is None:
        return Finding(Outcome.CANNOT_JUDGE, "the voices of both are needed", (), 0.0)
    agent_s, caller_s = heard.agent.leg.speech_s, heard.caller.leg.speech_s
    if agent_s + caller_s < rule.least_speech_s:
        return Finding(Outcome.NOT_APPLICABLE, f"less than {rule.least_speech_s:g} s of speech")
    share = agent_s / (agent_s + caller_s)
    told = f"the agent speaks {share:.0%} of the time; {rule.least:.0%} to {rule.most:.0%} are in order"
    kept = rule.least <= share <= rule.most
    return Finding(Outcome.KEPT if kept else Outcome.BROKEN, told, confidence=0.9)


def promise(rule: PromiseRule, heard: Heard) -> Finding:
    """An answer that is put off has a time, and a call back on the books (A5)."""
    side = heard.agent
    put_off = [said for words in rule.deferring for said in side.said(words, side.limits.alike)]
    if not put_off:
        if side.leg is None:
            return Finding(Outcome.CANNOT_JUDGE, "no transcript", (), 0.0)
        return Finding(Outcome.NOT_APPLICABLE, "no answer was put off")
    evidence = tuple(said.evidence for said in put_off)
    if not any(_names_time(rule, side, said) for said in put_off):
        if weak := side.weakness():
            return Finding(Outcome.CANNOT_JUDGE, f"no time was heard, but {weak}", evidence, 0.5)
        sure = [
            said
            for said in put_off
            if said.distance == 0
            and said.evidence.confidence >= side.limits.confidence
            and side.unsure_run(said.evidence.start_s - _NEAR_S, said.evidence.end_s + _NEAR_S) < 2
        ]
        if not sure:
            return Finding(Outcome.CANNOT_JUDGE, "no time was heard, but words near it are unsure", evidence, 0.5)
        return Finding(Outcome.BROKEN, "an answer was put off and no time was named", evidence, 0.8)
    match heard.facts.has_callback:
        case True:
            return Finding(Outcome.KEPT, "a time was named, and the call back is on the books", evidence)
        case False:
            return Finding(Outcome.BROKEN, "a time was named, and no call back is on the books", evidence, 0.9)
        case None:
            return Finding(Outcome.CANNOT_JUDGE, "whether a call back is on the books is not known", evidence, 0.5)


def _names_time(rule: PromiseRule, side: Side, said: Said) -> bool:
    """Whether a time is named near the words that put the answer off, before them or after."""
    words = side.between(said.evidence.start_s - _NEAR_S, said.evidence.end_s + _NEAR_S)
    return re.search(rule.times, simplified(joined(word.text for word in words))) is not None


# ── Helpers ──────────────────────────────────────────────────────────────────────────────────────────────────


def _window(side: Side, rule: PhraseRule) -> tuple[float, float]:
    first, last = _start(side), max((span.end_s for span in side.voice), default=0.0)
    since_s = max(0.0, last - rule.within_end_s) if rule.within_end_s else 0.0
    until_s = first + rule.within_start_s if rule.within_start_s else float("inf")
    return since_s, until_s


def _start(side: Side) -> float:
    return side.voice[0].start_s if side.voice else 0.0


def _ordered(rule: PhraseRule, sure: dict[str, Said]) -> bool:
    starts = [sure[each].evidence.start_s for each in rule.in_order]
    return starts == sorted(starts)


def _whole(side: Side, since_s: float, until_s: float) -> tuple[Evidence, ...]:
    """The seconds in which something was missed."""
    end_s = side.leg.duration_s if side.leg else 0.0
    return (Evidence(side.which, round(since_s, 3), round(min(until_s, end_s), 3), ""),)


def _told(found: Iterable[Said]) -> str:
    return "; ".join(f"{said.phrase} ({1 - said.distance:.0%})" for said in found)


def _text(side: Side) -> tuple[str, list[int]]:
    """What a side said in simplified script, and the number of each letter's word."""
    text = ""
    owners: list[int] = []
    for number, word in enumerate(side.words):
        more = joined((text, simplified(word.text)))[len(text) :] if text else simplified(word.text)
        text += more
        owners += [number] * len(more)
    return text, owners


def _words_in(side: Side, span: Span) -> str:
    return joined(word.text for word in side.between(span.start_s - 0.2, span.end_s))


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
