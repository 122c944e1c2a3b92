"""A dialogue as it was really spoken, with what is true of it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from random import Random

from tests.labelled.noise import Heard

KEPT, BROKEN, NOT_APPLICABLE = "kept", "broken", "not_applicable"

_UNIT_S = {"zh-CN": 0.22, "en": 0.36, "ko": 0.17}
_CLAUSE_PAUSE_S = 0.15
_VOICE_MARGIN_S = 0.1
_VOICE_GAP_S = 0.3


@dataclass(frozen=True, slots=True)
class Line:
    """What one person says at a stretch; clauses are divided by commas."""

    who: str
    text: str
    gap_s: float = 0.6
    """From the end of all that was said before; with ``over_s`` it counts for nothing."""
    over_s: float | None = None
    """Spoken while the line before is: so long after its beginning."""
    pace: float = 1.0
    """Times as slow as usual."""


@dataclass(slots=True)
class Script:
    """A dialogue in the making. A template writes the lines and, from what it writes, the truth."""

    language: str
    agent: str
    truth: dict[str, str]
    opening: list[Line] = field(default_factory=list)
    middle: list[Line] = field(default_factory=list)
    closing: list[Line] = field(default_factory=list)
    has_callback: bool = False
    planted: list[str] = field(default_factory=list)

    def broken(self, *rules: str) -> None:
        for rule in rules:
            self.truth[rule] = BROKEN


@dataclass(slots=True)
class Leg:
    """One side, timed."""

    voice: list[tuple[float, float]] = field(default_factory=list)
    words: list[Heard] = field(default_factory=list)


def timed(script: Script, random: Random) -> dict[str, Leg]:
    """When every word is said, and where there is a voice."""
    legs = {"agent": Leg(), "caller": Leg()}
    start_s, end_s = 0.0, 1.0
    for line in (*script.opening, *script.middle, *script.closing):
        at = start_s + line.over_s if line.over_s is not None else end_s + line.gap_s
        start_s = at
        unit_s = _UNIT_S[script.language] * line.pace * random.uniform(0.95, 1.05)
        leg = legs[line.who]
        for clause in line.text.split("，"):
            first = at
            for word in _words(clause, script.language):
                until = at + unit_s * _length(word, script.language)
                leg.words.append((word, round(at, 2), round(until, 2), 1.0))
                at = until
            leg.voice.append((round(first - _VOICE_MARGIN_S, 2), round(at + _VOICE_MARGIN_S, 2)))
            at += _CLAUSE_PAUSE_S
        end_s = max(end_s, at - _CLAUSE_PAUSE_S)
    for leg in legs.values():
        leg.words.sort(key=lambda word: word[1])
        leg.voice = _merged(leg.voice)
    return legs


def _words(text: str, language: str) -> list[str]:
    if language != "zh-CN":
        return text.split()
    return [word for part in text.split() for word in re.findall(r"\d+|[^\d]{1,2}", part)]


def _length(word: str, language: str) -> float:
    return float(len(word)) if language != "en" else max(0.5, len(word) / 5)


def _merged(spans: list[tuple[float, float]]) -> list[tuple[float, float]]:
    found: list[tuple[float, float]] = []
    for start, end in sorted(spans):
        if found and start - found[-1][1] < _VOICE_GAP_S:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found
