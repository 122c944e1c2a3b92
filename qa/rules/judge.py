"""The engine: a rule set and a conversation give verdicts. Pure; the same in gives the same out."""

from __future__ import annotations

from datetime import datetime

from calls.verdicts import Conversation, Verdict
from qa.rules import by_voice, by_words
from qa.rules.finding import Finding
from qa.rules.heard import Heard
from qa.rules.model import (
    InterruptionRule,
    NumberRule,
    PatternRule,
    PhraseRule,
    PromiseRule,
    RateRule,
    RatioRule,
    Rule,
    RuleSet,
    SilenceRule,
)


def judge(rules: RuleSet, conversation: Conversation, at: datetime) -> list[Verdict]:
    """What every rule says that is valid for the call's day, section and direction; ``at`` is when it is said."""
    heard = Heard(conversation, rules.language, rules.limits)
    facts = conversation.facts
    verdicts = []
    for rule in rules.rules:
        if not rule.is_for(facts):
            continue
        found = _finding(rule, heard)
        verdicts.append(
            Verdict(
                call_id=facts.call_id,
                rule=rule.id,
                requirement=rule.requirement,
                rule_set=rules.id,
                outcome=found.outcome,
                severity=rule.severity,
                weight=rule.weight,
                confidence=round(found.confidence, 3),
                evidence=found.evidence,
                explanation=found.explanation,
                judged_at=at,
            )
        )
    return verdicts


def _finding(rule: Rule, heard: Heard) -> Finding:
    match rule:
        case PhraseRule():
            return by_words.phrase(rule, heard)
        case PatternRule():
            return by_words.pattern(rule, heard)
        case NumberRule():
            return by_words.agent_number(rule, heard)
        case InterruptionRule():
            return by_voice.interruption(rule, heard)
        case RateRule():
            return by_voice.speech_rate(rule, heard)
        case SilenceRule():
            return by_voice.dead_air(rule, heard)
        case RatioRule():
            return by_voice.talk_ratio(rule, heard)
        case PromiseRule():
            return by_words.promise(rule, heard)
