"""What was said in a call, by whom and when. All times are seconds from the beginning of the recording."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from calls.custody import Bandwidth, Leg
from calls.ids import CallId

PAUSE_S = 0.8
"""Of one speaker: a longer pause ends a turn."""


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A stretch of time, ``start_s`` before ``end_s``."""

    start_s: float
    end_s: float

    @property
    def length_s(self) -> float:
        return self.end_s - self.start_s

    def overlap_s(self, other: Span) -> float:
        """Seconds that lie in both."""
        return max(0.0, min(self.end_s, other.end_s) - max(self.start_s, other.start_s))


@dataclass(frozen=True, slots=True)
class Word:
    """One recognised word; in Chinese one word of the recogniser, of one or several characters."""

    text: str
    start_s: float
    end_s: float
    confidence: float
    """From 0 to 1, as the engine says."""


@dataclass(frozen=True, slots=True)
class LegTranscript:
    """One speaker's words, and when there was a voice."""

    leg: Leg
    language: str
    """The language that it was transcribed in (BCP 47)."""
    engine: str
    """``vosk`` or ``whisper``."""
    model: str
    """Name and version of the model."""
    duration_s: float
    bandwidth: Bandwidth
    voice: tuple[Span, ...]
    """Where there is a voice, by voice activity, not by words; in order, apart from each other."""
    words: tuple[Word, ...]
    """In order of their beginning."""
    announced: Span | None = None
    """Where our announcement of the agent's number is (A2), which is nobody's voice and not among the words."""

    @property
    def text(self) -> str:
        return joined(word.text for word in self.words)

    @property
    def speech_s(self) -> float:
        return sum(span.length_s for span in self.voice)


@dataclass(frozen=True, slots=True)
class Turn:
    """What one speaker says without a longer pause."""

    leg: Leg
    words: tuple[Word, ...]

    @property
    def start_s(self) -> float:
        return self.words[0].start_s

    @property
    def end_s(self) -> float:
        return max(word.end_s for word in self.words)

    @property
    def text(self) -> str:
        return joined(word.text for word in self.words)

    @property
    def confidence(self) -> float:
        """Mean over the words."""
        return sum(word.confidence for word in self.words) / len(self.words)


@dataclass(frozen=True, slots=True)
class Transcript:
    """A whole conversation; a leg may be missing (quarantined, not transcribed yet)."""

    call_id: CallId
    legs: tuple[LegTranscript, ...]

    def leg(self, leg: Leg) -> LegTranscript | None:
        return next((each for each in self.legs if each.leg is leg), None)

    @property
    def turns(self) -> tuple[Turn, ...]:
        """The conversation, in order of the turns' beginning."""
        found = [turn for leg in self.legs for turn in turns_of(leg)]
        return tuple(sorted(found, key=lambda turn: (turn.start_s, turn.leg)))


def turns_of(leg: LegTranscript, pause_s: float = PAUSE_S) -> Iterator[Turn]:
    """One speaker's words, cut at the pauses."""
    if not leg.words:
        return
    first = 0
    for index, (before, after) in enumerate(pairwise(leg.words), start=1):
        if after.start_s - before.end_s > pause_s:
            yield Turn(leg.leg, leg.words[first:index])
            first = index
    yield Turn(leg.leg, leg.words[first:])


def joined(words: Iterable[str]) -> str:
    """Words as text: a space between them, but none between Chinese ones."""
    text = ""
    for word in words:
        text += gap(text, word) + word
    return text


def gap(text: str, word: str) -> str:
    """What stands between a text and the word behind it."""
    return " " if text and word and not (_is_han(text[-1]) and _is_han(word[0])) else ""


def _is_han(letter: str) -> bool:
    return "\u3400" <= letter <= "\u9fff" or "\u3000" <= letter <= "\u303f" or "\uff00" <= letter <= "\uffef"
