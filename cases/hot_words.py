"""Words that callers use more than the week before, from what cases say and what was said in calls (C7).

Only words leave here, never whose they are: people's names and numbers are no words. A word counts once for each
case or call that has it: one caller who says it twenty times is one caller.
"""

from __future__ import annotations

import logging
import math
import re
import warnings
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

from calls.case_figures import Wording

LEAST = 3
"""Cases or calls that must have a word before it is anything but chance."""

_WORD = re.compile(r"[\u3400-\u9fff]{2,8}|[A-Za-z][A-Za-z-]{2,20}")
_STOP = frozenset(
    "我们 你们 他们 这个 那个 什么 怎么 怎么样 没有 可以 不能 不是 就是 但是 因为 所以 如果 还是 已经 "
    "现在 今天 昨天 明天 时候 一个 一下 一直 知道 觉得 请问 谢谢 您好 你好 再见 对不起 不好意思 麻烦 "
    "需要 应该 自己 这样 那样 这边 那边 这里 那里 问题 情况 时间 工作人员 电话 客服 反映 投诉 咨询 希望 "
    "要求 表示 进行 处理 解决 先生 女士 然后 或者 而且 为什么 是不是 有没有 能不能 多少 哪里 出来 起来 "
    "之后 之前 "
    "the and for that this with you are was not but have has had can could would should will from they "
    "there what when how why please thank thanks hello yes our your his her its all any one out get ".split()
)
"""Words that every text of a hotline has."""

_KINDS = ("n", "v", "a", "eng", "l", "i", "j")
"""Parts of speech that mean something, as jieba names them; ``nr`` are people's names."""


@dataclass(frozen=True, slots=True)
class HotWord:
    """One word, this week and the last."""

    word: str
    now: int
    """Cases and calls that have it."""
    before: int
    lift: float
    """How much more frequent it became among all texts; 1: as before."""


def hot_words(now: Iterable[Wording], before: Iterable[Wording], limit: int = 20) -> list[HotWord]:
    """The words that came up most, by how unlikely it is that they did so by chance."""
    (seen, texts), (earlier, texts_before) = _counted(now), _counted(before)
    found = []
    for word, number in seen.items():
        if number < LEAST:
            continue
        # Half a text is added to each side: a word that was never there before is not infinitely hotter.
        rate = (number + 0.5) / (texts + 1)
        rate_before = (earlier[word] + 0.5) / (texts_before + 1)
        if rate > rate_before:
            surprise = _surprise(number, texts, earlier[word], texts_before)
            found.append((surprise, HotWord(word, number, earlier[word], rate / rate_before)))
    found.sort(key=lambda each: (-each[0], -each[1].now, each[1].word))
    return [word for _, word in found[:limit]]


def words_of(text: str) -> set[str]:
    """The words of a text that may mean something."""
    # Digits and masks never count: they are somebody's number (P3).
    return {
        word.lower()
        for word, kind in _cutter().cut(text)
        if kind.startswith(_KINDS) and not kind.startswith("nr")
        if _WORD.fullmatch(word) and word.lower() not in _STOP
    }


def _counted(texts: Iterable[Wording]) -> tuple[Counter[str], int]:
    by_source: dict[str, set[str]] = {}
    for each in texts:
        by_source.setdefault(each.source, set()).update(words_of(each.text))
    counted: Counter[str] = Counter()
    for words in by_source.values():
        counted.update(words)
    return counted, len(by_source)


def _surprise(one: int, ones: int, other: int, others: int) -> float:
    """Dunning's log-likelihood of two frequencies under one rate."""
    whole = (one + other) / (ones + others)
    return 2 * sum(
        part * math.log(part / (size * whole)) for part, size in ((one, ones), (other, others)) if part and size
    )


@cache
def _cutter() -> Any:
    """Loading the dictionary takes a second: once, and only for who asks."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import jieba
        from jieba import posseg

    jieba.setLogLevel(logging.WARNING)
    cutter = posseg.POSTokenizer(jieba.Tokenizer())
    cutter.initialize()
    return cutter
