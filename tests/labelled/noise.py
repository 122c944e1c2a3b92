"""What a recogniser makes of words: sound-alikes, gaps, words out of nowhere, confidence lost. Seeded.

Errors come word by word. Substitutes sound the same (another character of the same syllable), nearly the same
(z for zh, n for l, n for ng, one letter of a Korean block), or are any other word.
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from random import Random

from pypinyin import lazy_pinyin

Heard = tuple[str, float, float, float]
"""A word, the seconds of its beginning and end, confidence."""


@dataclass(frozen=True, slots=True)
class Strength:
    """Shares of the words that are heard otherwise."""

    name: str
    same: float = 0.0
    near: float = 0.0
    other: float = 0.0
    gone: float = 0.0
    added: float = 0.0
    sure: tuple[float, float] = (0.95, 1.0)
    """Confidence of words that are right, from and to."""
    unsure: tuple[float, float] = (0.5, 0.9)
    """Confidence of words that are wrong."""
    narrow: bool = False


STRENGTHS = (
    Strength("none"),
    Strength("light", 0.03, 0.02, 0.01, 0.01, 0.005, (0.85, 1.0), (0.45, 0.9)),
    Strength("medium", 0.06, 0.05, 0.03, 0.03, 0.01, (0.7, 1.0), (0.35, 0.85)),
    Strength("strong", 0.10, 0.10, 0.09, 0.08, 0.03, (0.45, 0.95), (0.2, 0.75)),
    Strength("narrow", 0.08, 0.07, 0.05, 0.05, 0.02, (0.6, 1.0), (0.3, 0.85), narrow=True),
)

_NEAR = (
    ("zh", "z"),
    ("ch", "c"),
    ("sh", "s"),
    ("n", "l"),
    ("h", "f"),
    ("ang", "an"),
    ("eng", "en"),
    ("ing", "in"),
)


def heard(words: list[Heard], language: str, strength: Strength, random: Random) -> list[Heard]:
    """The words as a recogniser at that strength of noise gives them."""
    found: list[Heard] = []
    for text, start_s, end_s, _ in words:
        draw = random.random()
        wrong = text
        if (draw := draw - strength.gone) < 0:
            continue
        if (draw := draw - strength.same) < 0:
            wrong = _instead(text, language, 0, random)
        elif (draw := draw - strength.near) < 0:
            wrong = _instead(text, language, 1, random)
        elif draw - strength.other < 0:
            wrong = _instead(text, language, 2, random)
        low, high = strength.sure if wrong == text else strength.unsure
        found.append((wrong, start_s, end_s, round(random.uniform(low, high), 2)))
        if random.random() < strength.added:
            extra = _instead(text, language, 2, random)
            found.append((extra, end_s, end_s, round(random.uniform(*strength.unsure), 2)))
    return found


def _instead(text: str, language: str, how: int, random: Random) -> str:
    if language.startswith("zh"):
        return "".join(_han(letter, how, random) for letter in text)
    if language.startswith("ko"):
        place = random.randrange(len(text))
        block = _block(text[place], how, random)
        return text[:place] + block + text[place + 1 :]
    return _english(text, how, random)


def _han(letter: str, how: int, random: Random) -> str:
    by_sound = _characters()
    sounds = lazy_pinyin(letter)[0]
    if how == 1:
        near = [
            other
            for one, two in _NEAR
            for here, there in ((one, two), (two, one))
            for other in (
                [there + sounds[len(here) :]] if sounds.startswith(here) and len(here) < 3 and here != "h" else []
            )
            + ([sounds[: -len(here)] + there] if sounds.endswith(here) else [])
            if other in by_sound and other != sounds
        ]
        sounds = random.choice(near) if near else sounds
    elif how == 2:
        sounds = random.choice(sorted(by_sound))
    choice = [other for other in by_sound.get(sounds, [letter]) if other != letter]
    return random.choice(choice) if choice else letter


@cache
def _characters() -> dict[str, list[str]]:
    """The 3,755 commonest characters (GB 2312, level 1), by syllable."""
    found: dict[str, list[str]] = defaultdict(list)
    for row in range(0xB0, 0xD8):
        for cell in range(0xA1, 0xFF):
            if row == 0xD7 and cell > 0xF9:
                break
            letter = bytes((row, cell)).decode("gb2312")
            found[lazy_pinyin(letter)[0]].append(letter)
    return dict(found)


def _block(letter: str, how: int, random: Random) -> str:
    if not "가" <= letter <= "힣":
        return letter
    if how == 2:
        return chr(random.randrange(ord("가"), ord("힣") + 1))
    parts = list(unicodedata.normalize("NFD", letter))
    vowels = "ᅢᅦᅩᅥᅳᅮ"
    parts[1] = random.choice([vowel for vowel in vowels if vowel != parts[1]])
    return unicodedata.normalize("NFC", "".join(parts))


_COMMON = """
a about after again all and answer any are ask at back be been better but by call can centre change could
day do down else five for four from get give go good had hail hall have he hear help here hour how i if
in is it its know late later like line little look low made make man many may me more morning much my
name need new night no not now of off on one only or other our out over own pen peas place plays please
price problem quick quite right rude said say see self sir so some song sorry still stop such take tank
tell ten than that thank thanks the their them then there they thing think this three time to too train
two under up us very wait want was way we week welcome well were what when where which while who why will
with work would yes you your
""".split()


def _english(text: str, how: int, random: Random) -> str:
    near = [word for word in get_close_matches(text, _COMMON, 4, 0.6 if how < 2 else 0.0) if word != text]
    if how == 2 or not near:
        near = [word for word in _COMMON if word != text]
    return random.choice(near)
