"""What is masked, and the text that it is looked for in."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from calls.transcript import Span, Word


class Kind(StrEnum):
    """What was said. Its value stands in the text in its place."""

    PHONE = "电话"
    IDENTITY = "证件号"
    CARD = "银行卡号"
    NAME = "姓名"
    ORDER = "订单号"
    NUMBER = "号码"

    @property
    def replacement(self) -> str:
        return f"【{self.value}】"


@dataclass(frozen=True, slots=True)
class Masked:
    """A stretch of words that hides behind a replacement."""

    first: int
    """Index of the first word."""
    last: int
    """Index of the last word, which is masked too."""
    skip: int
    """Letters of the first word that stay."""
    until: int
    """Letters of the last word that go; the rest stays."""
    kind: Kind
    spans: tuple[Span, ...]
    """Seconds to beep over, a little wider than the words; more than one if the speaker paused."""

    @property
    def replacement(self) -> str:
        return self.kind.replacement


@dataclass(frozen=True, slots=True)
class Flat:
    """Words as one text, in which every letter knows its word. Wide letters are narrow, capitals stay."""

    text: str
    places: tuple[tuple[int, int], ...]
    """Word and letter in it; a blank that was put between words belongs to the word before."""


def flat(words: Sequence[Word]) -> Flat:
    """Blanks stand between words, except between Chinese ones and between digits."""
    letters: list[str] = []
    places: list[tuple[int, int]] = []
    for index, word in enumerate(words):
        if letters and word.text and _is_latin(letters[-1]) and _is_latin(word.text[0]):
            letters.append(" ")
            places.append((index - 1, max(0, len(words[index - 1].text) - 1)))
        for offset, letter in enumerate(word.text):
            alike = unicodedata.normalize("NFKC", letter)
            letters.append(alike if len(alike) == 1 else letter)
            places.append((index, offset))
    return Flat("".join(letters), tuple(places))


def _is_latin(letter: str) -> bool:
    return not ("\u3400" <= letter <= "\u9fff")
