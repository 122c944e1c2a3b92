"""A conversation as rules look at it: who said what, as it sounds, how surely it was heard."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from calls.custody import Bandwidth, Leg
from calls.explanations import Weakness
from calls.transcript import LegTranscript, Span, Word, joined
from calls.verdicts import Conversation, Evidence
from qa.rules.model import Limits
from qa.rules.sound import UNHEARD, find, units

_LEAST_WORDS_A_SECOND = 0.6
"""Of voice; fewer means that most of what was said was not recognised."""
_LEAST_UNITS = 5
LEAST_SPEECH_S = 0.5
"""Less is no speech."""
_UNIT_S = 0.25
"""Of one unit of sound, at an ordinary rate."""
_GAP_S = 0.1
"""Between two words that follow each other, at most."""


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
    def _maybe(self) -> tuple[list[str], list[bool], list[tuple[float, float]]]:
        """Every unit, and those of the voice that no word was recognised for; whether it is unsure; its time."""
        found: list[str] = []
        unsure: list[bool] = []
        times: list[tuple[float, float]] = []
        for start_s, end_s, text, sure in sorted([*self._spoken(), *self._unheard()]):
            mine = (
                (UNHEARD,) * int((end_s - start_s) / _UNIT_S + 0.5)
                if text == UNHEARD
                else units(text, self.language)
            )
            found += mine
            unsure += [not sure] * len(mine)
            times += [(start_s, end_s)] * len(mine)
        return found, unsure, times

    def _spoken(self) -> list[tuple[float, float, str, bool]]:
        return [(word.start_s, word.end_s, word.text, word.confidence >= self.limits.sure) for word in self.words]

    def _unheard(self) -> list[tuple[float, float, str, bool]]:
        """Where there is a voice and no word: by time, the text that stands for it, and that it is not sure."""
        gaps = []
        for span in self.voice:
            at_s = span.start_s
            for word in self.between(span.start_s - 3.0, span.end_s):
                if word.start_s - at_s > _GAP_S and word.end_s > span.start_s:
                    gaps.append((at_s, min(word.start_s, span.end_s), UNHEARD, False))
                at_s = max(at_s, word.end_s)
            if span.end_s - at_s > _GAP_S:
                gaps.append((at_s, span.end_s, UNHEARD, False))
        return [gap for gap in gaps if gap[1] - gap[0] > _GAP_S]

    def maybe_said(self, phrase: str | tuple[str, ...], since_s: float, until_s: float) -> bool:
        """Whether a phrase, or its units, may have been said within a time, as far as words are sure."""
        sounds, unsure, times = self._maybe
        wanted = units(phrase, self.language) if isinstance(phrase, str) else phrase
        return any(
            times[place.last][1] >= since_s and times[place.first][0] <= until_s
            for place in find(wanted, sounds, self.language, self.limits.maybe, unsure)
        )

    def unsure_run(self, since_s: float, until_s: float) -> int:
        """The most units in a row, within a time, that may have been others."""
        _, unsure, times = self._maybe
        longest = run = 0
        for is_unsure, (start_s, end_s) in zip(unsure, times, strict=True):
            run = run + 1 if is_unsure and end_s >= since_s and start_s <= until_s else 0
            longest = max(longest, run)
        return longest

    @cached_property
    def unit_count(self) -> int:
        """Syllables or words that were heard."""
        return len(self._sounds[0])

    def said(
        self,
        phrase: str,
        limit: float,
        since_s: float = 0.0,
        until_s: float = float("inf"),
        sounds_as: tuple[str, ...] | None = None,
    ) -> list[Said]:
        """Where a phrase, or what ``sounds_as`` that, was said within a time, at most ``limit`` off."""
        sounds, owners = self._sounds
        wanted = sounds_as or units(phrase, self.language)
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

    def after(self, since_s: float, until_s: float) -> tuple[Word, ...]:
        """The words that begin within a time, or as the word before it ends."""
        return tuple(word for word in self.between(since_s - 0.01, until_s) if word.end_s > since_s)

    def run_of(self, words: tuple[Word, ...], known: frozenset[str]) -> tuple[list[str], tuple[Word, ...]]:
        """The first units in a row that are among the known ones, and their words."""
        found: list[str] = []
        owners: list[Word] = []
        for word in words:
            mine = units(word.text, self.language)
            if not mine or not set(mine) <= known:
                if found:
                    break
                continue
            found += mine
            owners.append(word)
        return found, tuple(owners)

    def speech_s(self, since_s: float = 0.0, until_s: float = float("inf")) -> float:
        """Seconds of voice within a time."""
        window = Span(since_s, until_s)
        return sum(span.overlap_s(window) for span in self.voice)

    def weakness(self, since_s: float = 0.0, until_s: float = float("inf")) -> Weakness | None:
        """Why nothing can be concluded from what was *not* heard within a time; ``None`` if it can."""
        if self.leg is None:
            return Weakness.NO_TRANSCRIPT
        if self.leg.bandwidth is Bandwidth.NARROW:
            return Weakness.NARROW
        words = self.between(since_s, until_s)
        speech_s = self.speech_s(since_s, until_s)
        if speech_s < LEAST_SPEECH_S:
            return Weakness.HARDLY_ANY_SPEECH
        if len(words) < speech_s * _LEAST_WORDS_A_SECOND:
            return Weakness.NOT_RECOGNISED
        if sum(word.confidence for word in words) / len(words) < self.limits.confidence:
            return Weakness.LITTLE_CONFIDENCE
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
