"""Finding and masking, in recognised words and in plain text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from calls.transcript import Span, Word
from qa.masking.model import Flat, Kind, Masked, flat
from qa.masking.names import names
from qa.masking.numbers import numbers

PADDING_S = 0.15
"""Around what is beeped over: the recogniser's times are not that exact."""

PAUSE_S = 1.0
"""Of the speaker within what is masked: a longer one is not beeped over."""

LONGEST_PAUSE_S = 12.0
"""A number does not go on after a longer one."""


def find(words: Sequence[Word]) -> list[Masked]:
    """What identifies the caller in one speaker's words, in order and apart from each other (P3).

    Give all words of the leg at once: a number may go on in the speaker's next turn.
    """
    found: list[Masked] = []
    first = 0
    for end in range(1, len(words) + 1):
        if end == len(words) or words[end].start_s - words[end - 1].end_s > LONGEST_PAUSE_S:
            piece = words[first:end]
            found += (_shifted(_masked(piece, *each), first) for each in _found(flat(piece)))
            first = end
    return found


def mask_words(words: Sequence[Word], found: Sequence[Masked] | None = None) -> tuple[Word, ...]:
    """The words with replacements in place of what ``find`` finds; what stays of a word stays a word."""
    masked: list[Word] = []
    at, skip = 0, 0
    for each in find(words) if found is None else found:
        masked += _rest(words, at, skip, each.first, each.skip)
        covered = words[each.first : each.last + 1]
        masked.append(
            Word(
                each.replacement,
                covered[0].start_s,
                max(word.end_s for word in covered),
                min(word.confidence for word in covered),
            )
        )
        at, skip = each.last, each.until
    masked += _rest(words, at, skip, len(words), 0)
    return tuple(masked)


def mask_text(text: str) -> str:
    """Plain text with replacements."""
    return "".join(word.text for word in mask_words([Word(text, 0.0, 0.0, 1.0)]))


def _rest(words: Sequence[Word], at: int, skip: int, end: int, until: int) -> Iterator[Word]:
    """Words from a letter to another, none of which is masked."""
    for index in range(at, min(end + 1, len(words))):
        word = words[index]
        start, stop = (skip if index == at else 0), (until if index == end else len(word.text))
        if start == 0 and stop == len(word.text):
            yield word
        elif start < stop:
            yield replace(word, text=word.text[start:stop])


def _found(said: Flat) -> list[tuple[int, int, Kind, Flat]]:
    """Apart from each other: where a name and a number meet, they are masked as what comes first."""
    places = sorted(
        [*numbers(said.text), *((start, end, Kind.NAME) for start, end in names(said.text))],
        key=lambda place: (place[0], -place[1]),
    )
    apart: list[tuple[int, int, Kind, Flat]] = []
    for start, end, kind in places:
        if apart and start < apart[-1][1]:
            before = apart.pop()
            apart.append((before[0], max(end, before[1]), before[2], said))
        else:
            apart.append((start, end, kind, said))
    return apart


def _masked(words: Sequence[Word], start: int, end: int, kind: Kind, said: Flat) -> Masked:
    (first, skip), (last, until) = said.places[start], said.places[end - 1]
    return Masked(first, last, skip, until + 1, kind, tuple(_spans(words[first : last + 1])))


def _spans(words: Sequence[Word]) -> Iterator[Span]:
    start, end = words[0].start_s, words[0].end_s
    for word in words[1:]:
        if word.start_s - end > PAUSE_S:
            yield Span(max(0.0, start - PADDING_S), end + PADDING_S)
            start = word.start_s
        end = max(end, word.end_s)
    yield Span(max(0.0, start - PADDING_S), end + PADDING_S)


def _shifted(masked: Masked, by: int) -> Masked:
    return replace(masked, first=masked.first + by, last=masked.last + by)
