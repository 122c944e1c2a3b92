"""From a leg's sound to its transcript, whatever the engine."""

from __future__ import annotations

from dataclasses import dataclass

from calls.custody import Leg
from calls.ports import Pcm, Recogniser
from calls.transcript import LegTranscript, Span, Word
from recordings.transcription.voice import bandwidth, voice

_PAD_S = 0.2
_LEAST_S = 0.09
"""Voices begin and end softly, before and after a detector is sure of them."""


def transcribe(
    pcm: Pcm, leg: Leg, language: str, recogniser: Recogniser, announcement: Span | None = None
) -> LegTranscript:
    """The transcript of one leg, but for our announcement in it. Raises TranscriptionError if the engine fails."""
    spans = _without(voice(pcm), announcement)
    words = recogniser.words(pcm, spans) if spans else []
    return LegTranscript(
        leg=leg,
        language=language,
        engine=recogniser.engine,
        model=recogniser.model,
        duration_s=round(pcm.duration_s, 3),
        bandwidth=bandwidth(pcm, spans),
        voice=spans,
        words=tuple(_in_order(words, pcm.duration_s)),
        announced=announcement,
    )


def _without(spans: tuple[Span, ...], announcement: Span | None) -> tuple[Span, ...]:
    """The voices outside of the announcement; what follows it closely loses a little silence, not a voice."""
    if announcement is None:
        return spans
    found = []
    for span in spans:
        for start, end in (
            (span.start_s, min(span.end_s, announcement.start_s)),
            (max(span.start_s, announcement.end_s + _PAD_S), span.end_s),
        ):
            if end - start >= _LEAST_S:
                found.append(Span(round(start, 3), round(end, 3)))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Stitched:
    """Only what has a voice in it, with short silences between, and where each piece was."""

    sound: bytes
    pieces: tuple[tuple[float, Span], ...]
    """Where a piece begins in ``sound``, and where it lies in the recording, in seconds."""

    def placed(self, word: Word) -> Word:
        """The word at its time in the recording, from its time in ``sound``.

        Engines let a word begin in the silence before it: it belongs to the piece that most of it is in.
        """
        begins, piece = max(self.pieces, key=lambda each: _nearness(each[0], each[1].length_s, word))
        start = min(piece.start_s + max(0.0, word.start_s - begins), piece.end_s)
        end = min(max(start, piece.start_s + word.end_s - begins), piece.end_s)
        return Word(word.text, start, end, word.confidence)


def _nearness(begins_s: float, length_s: float, word: Word) -> float:
    """Seconds that a word lies in a piece; below 0, how far it is from it."""
    return min(word.end_s, begins_s + length_s) - max(word.start_s, begins_s)


def stitch(audio: Pcm, spans: tuple[Span, ...], between_s: float) -> Stitched:
    """The voice of a leg, each stretch with some more on either side, those that touch then joined."""
    sound = bytearray()
    pieces: list[tuple[float, Span]] = []
    for span in _padded(spans, audio.duration_s):
        first, last = int(span.start_s * audio.rate_hz), int(span.end_s * audio.rate_hz)
        pieces.append((len(sound) / 2 / audio.rate_hz, Span(first / audio.rate_hz, last / audio.rate_hz)))
        sound += audio.samples[first * 2 : last * 2]
        sound += bytes(int(between_s * audio.rate_hz) * 2)
    return Stitched(bytes(sound), tuple(pieces))


def _padded(spans: tuple[Span, ...], end_s: float) -> list[Span]:
    found: list[Span] = []
    for span in spans:
        start, end = max(0.0, span.start_s - _PAD_S), min(end_s, span.end_s + _PAD_S)
        if found and start <= found[-1].end_s:
            found[-1] = Span(found[-1].start_s, max(found[-1].end_s, end))
        else:
            found.append(Span(start, end))
    return found


def _in_order(words: list[Word], end_s: float) -> list[Word]:
    """Engines' times may lie a little outside; no word does, nor does one end before it begins."""
    inside = []
    for word in words:
        start = min(max(word.start_s, 0.0), end_s)
        end = min(max(word.end_s, start), end_s)
        confidence = min(max(word.confidence, 0.0), 1.0)
        inside.append(Word(word.text, round(start, 3), round(end, 3), round(confidence, 3)))
    return sorted(inside, key=lambda word: (word.start_s, word.end_s))
