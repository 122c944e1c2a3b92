"""Rules about what is said: what they look for, when they would rather not say (A2, A4 to A6)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from math import isfinite

from calls.custody import Leg
from calls.explanations import Explanation, Reason, Value
from calls.transcript import joined
from calls.verdicts import Evidence
from qa.rules.finding import Finding, broken, cannot_judge, kept, not_applicable, whole
from qa.rules.heard import LEAST_SPEECH_S, Heard, Said, Side
from qa.rules.model import NumberRule, PatternRule, PhraseRule, PromiseRule
from qa.rules.sound import apart, digit_units, simplified, units

_NEAR_S = 6.0
"""A time belongs to a promise that is so far away."""


def phrase(rule: PhraseRule, heard: Heard) -> Finding:
    """Words that must be said, or must not be."""
    side = heard.side(rule.speaker)
    if heard.duration_s < rule.least_talk_s:
        return not_applicable(Explanation.of(Reason.SHORT_CALL, least_s=rule.least_talk_s))
    since_s, until_s = _window(side, rule)
    if not rule.must:
        return _forbidden(rule, side, since_s, until_s)
    wanted = rule.any or rule.all or rule.in_order
    found = {each: side.said(each, side.limits.doubt, since_s, until_s) for each in wanted}
    best = {each: min(places, key=lambda said: said.distance) for each, places in found.items() if places}
    sure = {each: said for each, said in best.items() if said.distance <= side.limits.alike}
    enough = bool(sure) if rule.any else len(sure) == len(wanted)
    if enough and _ordered(rule, sure):
        said = tuple(sure.values())
        evidence = tuple(each.evidence for each in said)
        return kept(_told(Reason.HEARD, said), evidence, 1 - said[0].distance)
    if (rule.any and best) or (not rule.any and len(best) == len(wanted)):
        evidence = tuple(each.evidence for each in best.values())
        if enough:
            return cannot_judge(Explanation.of(Reason.OUT_OF_ORDER, phrases=rule.in_order), evidence)
        return cannot_judge(_told(Reason.SOUNDS_LIKE, best.values()), evidence)
    absent = [each for each in wanted if each not in best]
    maybe = [side.maybe_said(each, since_s, until_s) for each in absent]
    told: dict[str, Value] = {"phrases": tuple(each for each in wanted if each not in sure)}
    told |= {"since_s": round(since_s, 1)} if since_s else {}
    told |= {"until_s": round(until_s, 1)} if isfinite(until_s) else {}
    if any(maybe) if rule.any else all(maybe):
        return cannot_judge(Explanation.of(Reason.PARTLY_HEARD, **told))
    if weak := side.weakness(since_s, until_s):
        return cannot_judge(Explanation.of(Reason.NOT_HEARD, **told).but(weak))
    return broken(Explanation.of(Reason.NOT_HEARD, **told), whole(side, since_s, until_s))


def _forbidden(rule: PhraseRule, side: Side, since_s: float, until_s: float) -> Finding:
    doubtful: list[Said] = []
    for each in rule.any:
        for said in side.said(each, side.limits.alike, since_s, until_s):
            if said.distance == 0 and said.evidence.confidence >= side.limits.confidence:
                return broken(_told(Reason.HEARD, [said]), (said.evidence,), said.evidence.confidence)
            doubtful.append(said)
    if doubtful:
        return cannot_judge(_told(Reason.SOUNDS_LIKE, doubtful), tuple(said.evidence for said in doubtful))
    if weak := side.weakness(since_s, until_s):
        if side.leg and side.speech_s(since_s, until_s) < LEAST_SPEECH_S:
            return kept(Reason.NOTHING_SAID)
        return cannot_judge(Explanation(Reason.NONE_HEARD).but(weak))
    return kept(Reason.NONE_HEARD)


def pattern(rule: PatternRule, heard: Heard) -> Finding:
    """A regular expression over what one side said."""
    side = heard.side(rule.speaker)
    text, owners = _text(side)
    if found := re.search(rule.pattern, text):
        words = side.words[owners[found.start()] : owners[max(found.start(), found.end() - 1)] + 1]
        evidence = side.evidence(words)
        if rule.must:
            return kept(Reason.MATCHED, (evidence,), evidence.confidence)
        sure = evidence.confidence >= side.limits.confidence
        return (broken if sure else cannot_judge)(Reason.MATCHED, (evidence,), evidence.confidence)
    if weak := side.weakness():
        if not rule.must and side.leg and side.speech_s() < LEAST_SPEECH_S:
            return kept(Reason.NOTHING_SAID)
        return cannot_judge(Explanation(Reason.NOT_MATCHED).but(weak))
    if rule.must:
        return broken(Reason.NOT_MATCHED, whole(side, 0, heard.duration_s))
    return kept(Reason.NOT_MATCHED)


def agent_number(rule: NumberRule, heard: Heard) -> Finding:
    """The roster's number, spoken (A2)."""
    number = heard.facts.agent
    if number is None:
        return not_applicable(Reason.NO_AGENT)
    side = heard.agent
    if side.leg and (ours := side.leg.announced):
        evidence = Evidence(Leg.AGENT, ours.start_s, ours.end_s, "")
        return kept(Explanation.of(Reason.NUMBER_ANNOUNCED, number=number), (evidence,))
    since_s, until_s = _start(side), _start(side) + rule.within_start_s
    digits = units(" ".join(number), heard.language)
    if said := _digits_said(rule, side, digits, since_s, until_s):
        best = min(said, key=lambda each: each.off)
        sure = best.evidence.confidence
        if best.off == 0:
            return kept(Explanation.of(Reason.NUMBER_HEARD, number=number), (best.evidence,), sure)
        if all(each.is_another and each.evidence.confidence >= side.limits.sure for each in said):
            return broken(Explanation.of(Reason.OTHER_NUMBER, number=number), (best.evidence,), sure)
        return cannot_judge(Explanation.of(Reason.NUMBER_PARTLY, digits=len(digits)), (best.evidence,))
    if side.maybe_said(digits, since_s, until_s) or any(
        side.maybe_said(each, since_s, until_s) for each in rule.before
    ):
        return cannot_judge(Reason.NUMBER_UNSURE)
    told = Explanation.of(Reason.NO_NUMBER, until_s=round(until_s, 1))
    if weak := side.weakness(since_s, until_s):
        return cannot_judge(told.but(weak))
    return broken(told, whole(side, since_s, until_s))


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


def promise(rule: PromiseRule, heard: Heard) -> Finding:
    """An answer that is put off has a time, and a call back on the books (A5)."""
    side = heard.agent
    put_off = [said for words in rule.deferring for said in side.said(words, side.limits.alike)]
    if not put_off:
        if side.leg is None:
            return cannot_judge(Reason.NO_TRANSCRIPT, confidence=0.0)
        return not_applicable(Reason.NOTHING_PUT_OFF)
    evidence = tuple(said.evidence for said in put_off)
    if not any(_names_time(rule, side, said) for said in put_off):
        if weak := side.weakness():
            return cannot_judge(Explanation(Reason.NO_TIME).but(weak), evidence)
        if not any(_surely_put_off(side, said) for said in put_off):
            return cannot_judge(Reason.NO_TIME_UNSURE, evidence)
        return broken(Reason.NO_TIME, evidence, 0.8)
    match heard.facts.has_callback:
        case True:
            return kept(Reason.PROMISE_ON_BOOKS, evidence)
        case False:
            return broken(Reason.PROMISE_NOT_ON_BOOKS, evidence)
        case None:
            return cannot_judge(Reason.PROMISE_UNKNOWN, evidence)


def _surely_put_off(side: Side, said: Said) -> bool:
    """Whether these words are exact, and those around them sure."""
    return (
        said.distance == 0
        and said.evidence.confidence >= side.limits.confidence
        and side.unsure_run(said.evidence.start_s - _NEAR_S, said.evidence.end_s + _NEAR_S) < 2
    )


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


def _told(reason: Reason, found: Iterable[Said]) -> Explanation:
    said = list(found)
    alike = 1 - max(each.distance for each in said)
    return Explanation.of(
        reason, phrases=tuple(dict.fromkeys(each.phrase for each in said)), alike=round(alike, 2)
    )


def _text(side: Side) -> tuple[str, list[int]]:
    """What a side said in simplified script, and the number of each letter's word."""
    text = ""
    owners: list[int] = []
    for number, word in enumerate(side.words):
        more = joined((text, simplified(word.text)))[len(text) :] if text else simplified(word.text)
        text += more
        owners += [number] * len(more)
    return text, owners
