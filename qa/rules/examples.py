"""Rules' own examples, which run as tests: short calls written down as text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from calls.custody import SPOKEN_LEGS, Bandwidth, Leg
from calls.errors import RuleError
from calls.explanations import Explanation
from calls.ids import AgentNumber, CallId
from calls.transcript import LegTranscript, Span, Transcript, Word
from calls.verdicts import CallFacts, Conversation, Outcome
from qa.rules.judge import judge
from qa.rules.model import Rule, RuleSet
from qa.rules.sound import units

AGENT = AgentNumber("1001")
"""Who answers in examples."""

_LINE = re.compile(r"(?:(\d+(?:\.\d+)?) )?(agent|caller)( fast| slow)?: (.+)")
_CALLBACK = {"callback: yes": True, "callback: no": False}
"""Lines that say whether a call back is on the books."""
_UNIT_S = {None: 0.25, " fast": 0.12, " slow": 0.6}
_PAUSE_S = 0.5


@dataclass(frozen=True, slots=True)
class Failure:
    """An example that the rule judges otherwise."""

    rule: str
    lines: tuple[str, ...]
    wanted: Outcome
    got: Outcome
    explanation: Explanation


def failures(rules: RuleSet) -> Iterator[Failure]:
    """The examples of a rule set that fail. Raises RuleError for one that cannot be read."""
    for rule in rules.rules:
        for wanted, examples in _examples(rule):
            for lines in examples:
                conversation = _in_direction(spoken(lines, rules.language), rule)
                for verdict in judge(rules, conversation, conversation.facts.arrived_at):
                    if verdict.rule == rule.id and verdict.outcome is not wanted:
                        yield Failure(rule.id, lines, wanted, verdict.outcome, verdict.explanation)


def spoken(lines: Sequence[str], language: str, *, confidence: float = 1.0) -> Conversation:
    """A call from its lines, clearly recognised, at an ordinary rate. Raises RuleError."""
    said: dict[Leg, list[Word]] = {leg: [] for leg in SPOKEN_LEGS}
    end_s, has_callback = 0.0, None
    for line in lines:
        if line in _CALLBACK:
            has_callback = _CALLBACK[line]
            continue
        found = _LINE.fullmatch(line)
        if not found:
            raise RuleError(f"an example's line is `agent: …` or `12 caller: …`, not {line!r}")
        at = float(found[1]) if found[1] else end_s + _PAUSE_S
        for text in _words(found[4], language):
            length_s = max(1, len(units(text, language))) * _UNIT_S[found[3]]
            said[Leg(found[2])].append(Word(text, at, at + length_s, confidence))
            at += length_s
        end_s = max(end_s, at)
    legs = tuple(
        LegTranscript(
            leg, language, "text", "example", end_s + _PAUSE_S, Bandwidth.WIDE, _voice(words), tuple(words)
        )
        for leg, words in said.items()
    )
    now = datetime(2026, 11, 23, tzinfo=UTC)
    facts = CallFacts(CallId("example-1.1"), now, None, language, AGENT, end_s, has_callback)
    return Conversation(facts, Transcript(facts.call_id, legs))


def _in_direction(conversation: Conversation, rule: Rule) -> Conversation:
    """An example of a rule for calling back is a call back."""
    return replace(conversation, facts=replace(conversation.facts, outbound=rule.direction == "outbound"))


def _examples(rule: Rule) -> Iterator[tuple[Outcome, tuple[tuple[str, ...], ...]]]:
    for outcome in Outcome:
        yield outcome, getattr(rule.examples, outcome.value)


def _words(text: str, language: str) -> list[str]:
    """As a recogniser gives them: Chinese letter by letter, others by spaces."""
    if not language.startswith("zh"):
        return text.split()
    return re.findall(r"[0-9a-zA-Z]+|[〇\u3400-\u9fff]", text)


def _voice(words: list[Word]) -> tuple[Span, ...]:
    spans: list[Span] = []
    for word in words:
        if spans and word.start_s - spans[-1].end_s < 0.3:
            spans[-1] = Span(spans[-1].start_s, word.end_s)
        else:
            spans.append(Span(word.start_s, word.end_s))
    return tuple(spans)
