"""Words as they sound: recognisers write 公号 for 工号, and what was said must be found nevertheless.

Text becomes units: syllables of pinyin without tones for Chinese, syllable blocks for Korean, words else.
Two units are the same, alike (z and zh, n and l, one letter of a Korean block), or different.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import opencc
from pypinyin import lazy_pinyin

ALIKE = 0.5
"""What a unit costs that is alike and not the same; a different one costs 1."""

_DIGITS = dict(zip("0123456789", "零一二三四五六七八九", strict=True))
_DIGITS_KO = dict(zip("0123456789", "공일이삼사오육칠팔구", strict=True))
_FOLDED = (("zh", "z"), ("ch", "c"), ("sh", "s"))
_INITIALS = {"l": "n", "r": "n", "f": "h", "t": "d", "p": "b", "k": "g", "q": "j", "x": "s"}
_HAN = re.compile(r"[\u3400-\u9fff]")
_simplify = opencc.OpenCC("t2s")


def simplified(text: str) -> str:
    """Simplified script, half-width letters, lower case."""
    return str(_simplify.convert(unicodedata.normalize("NFKC", text))).lower()


@lru_cache(maxsize=20_000)
def units(text: str, language: str) -> tuple[str, ...]:
    """A text as it sounds."""
    text = simplified(text)
    if language.startswith("zh"):
        text = "".join(_DIGITS.get(letter, letter) for letter in text).replace("幺", "一").replace("〇", "零")
        kept = "".join(letter if letter.isalnum() else " " for letter in text)
        found: list[str] = []
        for part in re.findall(r"[\u3400-\u9fff]+|[a-z0-9]+", kept):
            found += lazy_pinyin(part) if _HAN.match(part) else [part]
        return tuple(found)
    if language.startswith("ko"):
        text = "".join(_DIGITS_KO.get(letter, letter) for letter in text)
        return tuple(letter for letter in text if letter.isalnum())
    return tuple(re.findall(r"[a-z0-9']+", text))


@lru_cache(maxsize=8)
def digit_units(language: str) -> frozenset[str]:
    """How the ten digits sound."""
    return frozenset(unit for digit in "0123456789" for unit in units(digit, language))


@lru_cache(maxsize=100_000)
def cost(one: str, other: str, language: str) -> float:
    """How far two units are from each other: 0, ``ALIKE`` or 1."""
    if one == other:
        return 0.0
    if language.startswith("zh"):
        return ALIKE if _folded(one) == _folded(other) else 1.0
    if language.startswith("ko"):
        first, second = (unicodedata.normalize("NFD", unit) for unit in (one, other))
        same = sum(a == b for a, b in zip(first, second, strict=False))
        return ALIKE if max(len(first), len(second)) - same <= 1 else 1.0
    return ALIKE if _letters_apart(one, other) <= max(len(one), len(other)) // 4 else 1.0


@dataclass(frozen=True, slots=True)
class Place:
    """Where a phrase was found in a text, in units, and how far off it is: 0 is word for word, 1 is nothing."""

    first: int
    last: int
    distance: float


UNHEARD = "?"
"""A unit of a voice that was not recognised: it may be anything."""


def find(
    phrase: Sequence[str],
    text: Sequence[str],
    language: str,
    limit: float,
    unsure: Sequence[bool] | None = None,
) -> list[Place]:
    """Every place where the phrase is at most ``limit`` off; of those that overlap, the best.

    Distance is by edits of units over the phrase's length. A unit of the text that is ``unsure`` is at most
    ``ALIKE`` off from any other: it may be one that was misheard.
    """
    if not phrase or not text:
        return []
    most = limit * len(phrase)
    dear = [ALIKE if unsure and unsure[column] else 1.0 for column in range(len(text))]
    row = [(0.0, start) for start in range(len(text) + 1)]
    for unit in phrase:
        before, row = row, [(row[0][0] + 1.0, 0)]
        for column, other in enumerate(text, start=1):
            apart = min(cost(unit, other, language), dear[column - 1])
            row.append(
                min(
                    (before[column - 1][0] + apart, before[column - 1][1]),
                    (before[column][0] + 1.0, before[column][1]),
                    (row[column - 1][0] + dear[column - 1], row[column - 1][1]),
                )
            )
    ends = sorted((edits, end, start) for end, (edits, start) in enumerate(row) if edits <= most and end > start)
    found: list[Place] = []
    for edits, end, start in ends:
        if all(end <= place.first or start > place.last for place in found):
            found.append(Place(start, end - 1, edits / len(phrase)))
    return sorted(found, key=lambda place: place.first)


def apart(one: Sequence[str], other: Sequence[str], language: str) -> float:
    """How many units two texts of the same length are apart, those that are alike counted half."""
    return sum(cost(a, b, language) for a, b in zip(one, other, strict=True))


@lru_cache(maxsize=5_000)
def _folded(syllable: str) -> str:
    """A syllable with what dialects and recognisers mix up made one."""
    for double, single in _FOLDED:
        if syllable.startswith(double):
            syllable = single + syllable[2:]
    syllable = _INITIALS.get(syllable[:1], syllable[:1]) + syllable[1:]
    return syllable[:-1] if syllable.endswith("ng") else syllable


def _letters_apart(one: str, other: str) -> int:
    row = list(range(len(other) + 1))
    for number, letter in enumerate(one, start=1):
        before, row = row, [number]
        for column, against in enumerate(other, start=1):
            row.append(min(before[column] + 1, row[-1] + 1, before[column - 1] + (letter != against)))
    return row[-1]
