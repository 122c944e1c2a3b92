"""A conversation as rules look at it: who said what, as it sounds, how surely it was heard."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from calls.custody import Bandwidth, Leg
from calls.transcript import LegTranscript, Span, Word, joined
from calls.verdicts import Conversation, Evidence
from qa.rules.model import Limits
from qa.rules.sound import find, units

_LEAST_WORDS_A_SECOND = 0.6
"""Of voice; fewer means that most of what was said was not recognised."""
_LEAST_UNITS = 4


@dataclass(frozen=True, slots=True)
class Said:
    """A phrase, found."""

    phrase: str
    distance: float
    evidence: Evidence


class Side:
    """One speaker."""

    def __init__(self, leg: LegTranscript | None, which: Leg, language: str, limits: Limits) -> None:
        self.leg = leg
        self.which = which
        self.language = language
        self.limits = limits

    @property
    def voice(self) -> tuple[Span, ...]:
        return self.leg.voice if self.leg else ()

    @property
    def words(self) -> tuple[Word, ...]:
        return self.leg.words if self.leg else ()

    @cached_property
    def _sounds(self) -> tuple[list[str], list[int]]:
        """Every unit, and the number of its word."""
        found: list[str] = []
        owners: list[int] = []
        for number, word in enumerate(self.words):
            mine = units(word.text, self.language)
            found += mine
            owners += [number] * len(mine)
        return found, owners

    @cached_property
    def unit_count(self) -> int:
        """Syllables or words that were heard."""
        return len(self._sounds[0])

    def said(self, phrase: str, limit: float, since_s: float = 0.0, until_s: float = float("inf")) -> list[Said]:
        """Where a phrase was said within a time, at most ``limit`` off."""
        sounds, owners = self._sounds
        wanted = units(phrase, self.language)
        if len(wanted) < _LEAST_UNITS:  # half of a short phrase is in every other sentence
            limit = min(limit, self.limits.alike)
        found = []
        for place in find(wanted, sounds, self.language, limit):
            words = self.words[owners[place.first] : owners[place.last] + 1]
            if words[0].start_s >= since_s and words[-1].start_s <= until_s:
                found.append(Said(phrase, place.distance, self.evidence(words)))
        return found

    def evidence(self, words: tuple[Word, ...]) -> Evidence:
        """Words as evidence."""
        sure = sum(word.confidence for word in words) / len(words)
        text = joined(word.text for word in words)
        return Evidence(self.which, words[0].start_s, max(word.end_s for word in words), text, round(sure, 3))

    def between(self, since_s: float, until_s: float) -> tuple[Word, ...]:
        """The words that begin within a time."""
        return tuple(word for word in self.words if since_s <= word.start_s <= until_s)

    def weakness(self, since_s: float = 0.0, until_s: float = float("inf")) -> str | None:
        """Why nothing can be concluded from what was *not* heard within a time; ``None`` if it can."""
        if self.leg is None:
            return "no transcript"
        if self.leg.bandwidth is Bandwidth.NARROW:
            return "a narrowband line"
        words = self.between(since_s, until_s)
        window = Span(since_s, min(until_s, self.leg.duration_s)) if since_s < self.leg.duration_s else None
        speech_s = sum(span.overlap_s(window) for span in self.voice) if window else 0.0
        if speech_s < 0.5:
            return "hardly any speech"
        if len(words) < speech_s * _LEAST_WORDS_A_SECOND:
            return "most of the speech was not recognised"
        if sum(word.confidence for word in words) / len(words) < self.limits.confidence:
            return "the words were recognised with little confidence"
        return None


class Heard:
    """Both speakers."""

    def __init__(self, conversation: Conversation, language: str, limits: Limits) -> None:
        self.facts = conversation.facts
        self.agent = Side(conversation.transcript.leg(Leg.AGENT), Leg.AGENT, language, limits)
        self.caller = Side(conversation.transcript.leg(Leg.CALLER), Leg.CALLER, language, limits)
        self.language = language
        self.limits = limits

    def side(self, which: Leg) -> Side:
        return self.agent if which is Leg.AGENT else self.caller

    @property
    def duration_s(self) -> float:
        return max((side.leg.duration_s for side in (self.agent, self.caller) if side.leg), default=0.0)
