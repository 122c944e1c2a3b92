"""Runs of spoken digits: in figures or words, with fillers in between and with what recognition makes of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

_SURE = {
    **{str(digit): str(digit) for digit in range(10)},
    **dict(zip("零一二三四五六七八九", "0123456789", strict=True)),
    **dict(zip("〇壹贰叁肆伍陆柒捌玖", "0123456789", strict=True)),
    **dict(zip("貳參陸兩两幺", "236221", strict=True)),
    **{"Ｏ": "0", "○": "0"},
}
_LIKELY = {
    letter: digit
    for digit, letters in {
        "0": "灵林铃令另凌临领玲邻靈鈴臨領",
        "1": "么麼麽以已依医衣意易亿义伊宜腰要妖夭邀遥摇醫億義",
        "2": "儿而耳尔二俩兒爾",
        "3": "山散伞三删傘",
        "4": "是死思似斯事式试世寺司",
        "5": "我无午武舞屋物务吴無務",
        "6": "留流刘柳溜硫劉",
        "7": "起其期气妻奇齐去漆棋氣齊",
        "8": "吧巴把爸叭拔扒霸",
        "9": "酒就久旧救韭舅究舊",
    }.items()
    for letter in letters
}
"""Sounds like a digit, and is one between digits."""

_ENGLISH = {
    **dict(zip("zero one two three four five six seven eight nine".split(), "0123456789", strict=True)),
    **{"nought": "0", "niner": "9"},
    **{"ten": "10", "eleven": "11", "twelve": "12", "thirteen": "13", "fourteen": "14", "fifteen": "15"},
    **{"sixteen": "16", "seventeen": "17", "eighteen": "18", "nineteen": "19"},
}
_TENS = {
    name: str(digit)
    for digit, name in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split(), start=2)
}
_ENGLISH_LIKELY = {"oh": "0", "o": "0", "to": "2", "too": "2", "for": "4", "won": "1", "ate": "8", "hundred": "00"}
_TIMES = {"double": 2, "triple": 3, "treble": 3, "两个": 2, "兩個": 2, "三个": 3, "三個": 3, "四个": 4, "四個": 4}
_KOREAN = dict(zip("공영일이삼사오육륙칠팔구", "001234566789", strict=True))

_FILLERS = (
    "那个 那個 这个 這個 就是 然后 然後 嗯 呃 啊 哦 噢 额 額 呢 哎 诶 欸 对 對 好 的 杠 横杠 空格 再 再来 之后 "
    "uh um er erm well and then dash hyphen okay yes 음 어 그 저 다시 에"
).split()
_TOKEN = re.compile(
    "|".join(
        sorted((name for name in (*_TIMES, *_FILLERS) if not name.isascii() and len(name) > 1), key=len)[::-1]
    )
    + r"|[A-Za-z']+|[가-힣]+|.",
    re.DOTALL,
)
_SEPARATORS = frozenset(" ,.，。、-–—_()（）+…/ ~·\t\n")
_RUN = re.compile(r"q?(?:(?<=q)[fs]{0,2})?[dt](?:[fs]{0,8}[dqtX])*")


@dataclass(frozen=True, slots=True)
class Run:
    """Digits that were said one after the other."""

    digits: str
    """May hold an X, which ends some identity cards."""
    start: int
    """In the text."""
    end: int
    likely: int
    """Digits that may have been something else."""


@dataclass(frozen=True, slots=True)
class _Token:
    sort: str
    """``d`` digit, ``q`` likely, ``t`` times, ``f`` filler, ``s`` separator, ``X``, ``o`` other."""
    value: str
    start: int
    end: int
    korean: bool = False
    letter: bool = False
    """A letter that stands alone, or a few capitals: an order's number may begin so."""


def runs(text: str) -> Iterator[Run]:
    """All runs, the longest possible, in order."""
    tokens = _settled(list(_tokens(text)))
    sorts = "".join(token.sort for token in tokens)
    for found in _RUN.finditer(sorts):
        said = tokens[found.start() : found.end()]
        lettered = found.start() > 0 and tokens[found.start() - 1].letter
        if said[0].sort == "q" and not lettered and not _may_begin(said):
            said = said[1:]
        while said[0].sort in "fs":
            said = said[1:]
        yield from _run(said)


def _may_begin(tokens: list[_Token]) -> bool:
    """Whether a first word that merely sounds like a digit is one: mobile numbers begin with it."""
    return tokens[0].value == "1" and sum(token.sort in "dqX" for token in tokens) >= _LEAST


def _settled(tokens: list[_Token]) -> list[_Token]:
    """A Korean word that may be a digit is one beside another digit, also at the edge of a run."""
    spoken = [place for place, token in enumerate(tokens) if token.sort not in "fs"]
    for before, after in pairwise(spoken):
        for one, other in ((before, after), (after, before)):
            if tokens[one].korean and tokens[one].sort == "q" and tokens[other].sort in "dq":
                tokens[one] = replace(tokens[one], sort="d")
    return tokens


def _run(tokens: list[_Token]) -> Iterator[Run]:
    while tokens and tokens[-1].sort in "tfs":
        tokens.pop()
    digits, likely, times = "", 0, 1
    for token in tokens:
        if token.sort == "t":
            times = int(token.value)
            continue
        if token.sort not in "dqX":
            continue
        digits += token.value * times
        likely += token.sort == "q"
        times = 1
    # Words that merely sound like digits behind a number, or most of a sentence of them, are no digits.
    while tokens and (tokens[-1].sort in "fs" or (tokens[-1].sort == "q" and len(digits) not in _ENDS)):
        if tokens.pop().sort == "q":
            digits, likely = digits[:-1], likely - 1
    if digits and likely * 2 <= len(digits):
        yield Run(digits, tokens[0].start, tokens[-1].end, likely)


_LEAST = 7
"""Words of a run of which so much is believed."""

_ENDS = (11, 15, 16, 18, 19)
"""Lengths at which a number is complete."""


def _tokens(text: str) -> Iterator[_Token]:
    for found in _TOKEN.finditer(text):
        yield from _read(found[0], found.start())


def _read(said: str, start: int) -> Iterator[_Token]:
    end, small = start + len(said), said.lower()
    if said in _SURE:
        yield _Token("d", _SURE[said], start, end)
    elif small in _ENGLISH:
        yield _Token("d", _ENGLISH[small], start, end)
    elif small in _TENS:
        yield _Token("d", _TENS[small] + "0", start, end)
    elif small in _TIMES:
        yield _Token("t", str(_TIMES[small]), start, end)
    elif said in _LIKELY or small in _ENGLISH_LIKELY:
        yield _Token("q", _LIKELY.get(said) or _ENGLISH_LIKELY[small], start, end)
    elif small in ("x", "叉"):
        yield _Token("X", "X", start, end)
    elif small in _FILLERS:
        yield _Token("f", "", start, end)
    elif said in _SEPARATORS:
        yield _Token("s", "", start, end)
    elif "가" <= said[0] <= "힣":
        yield from _korean(said, start)
    else:
        yield _Token(
            "o", "", start, end, letter=said.isascii() and said.isalpha() and (said.isupper() or len(said) == 1)
        )


def _korean(said: str, start: int) -> Iterator[_Token]:
    number = len(said) - len(said.lstrip("".join(_KOREAN)))
    whole = number == len(said)
    if not whole and number < 3:
        yield _Token("o", "", start, start + len(said))
        return
    for offset, letter in enumerate(said[:number]):
        unsure = whole and number == 1 and letter in "이일오사"
        yield _Token("q" if unsure else "d", _KOREAN[letter], start + offset, start + offset + 1, korean=True)
    if not whole:
        yield _Token("o", "", start + number, start + len(said))
