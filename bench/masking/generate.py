"""What callers say of themselves, and ordinary numbers, made by a seed: spoken in several ways, with noise."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

from calls.transcript import Word

_PLAIN, _FORMAL = "零一二三四五六七八九", "零幺二三四五六七八九"
_TRADITIONAL_FRAMES = {"电话": "電話", "订单号": "訂單號", "身份证": "身份證", "银行卡号": "銀行卡號", "请": "請"}
_WIDE = "０１２３４５６７８９"
_ENGLISH = "zero one two three four five six seven eight nine".split()
_KOREAN = "공일이삼사오육칠팔구"
_HEARD = ["灵林", "以要腰", "儿而", "山", "是四", "我无", "留", "起期", "吧巴", "酒就"]
_FILLERS = ("嗯", "那个", "呃", "啊")
_SURNAMES, _GIVEN = "王李张刘陈杨赵黄周吴徐孙马朱胡郭何高林罗", "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华"
_FRAMES = {
    "phone": ("我的电话是{}", "你打{}吧", "手机号{}谢谢", "{}", "请记一下{}"),
    "identity": ("身份证号是{}", "{}", "我的身份证{}您查一下"),
    "card": ("银行卡号{}", "{}", "卡号是{}没错"),
    "order": ("订单号{}", "取票号是{}", "我的单号是{}您看看"),
}
_NAME_FRAMES = (
    "我叫{}{}",
    "您好我是{}{}",
    "{}{}先生您好",
    "请问是{}{}女士吗",
    "乘车人是{}{}",
    "我姓{}",
    "{}师傅您好",
    "{}小姐请稍等",
)
_ORDINARY = (
    "我坐G{d4}次列车", "票价{d3}点五元", "一共{d3}块钱", "工号{d4}为您服务", "今天是二零二六年十一月二十三号",
    "八点{d2}分到站",
    "我要{d1}张票", "{d2}号车厢{d1}号座位", "第{d1}站台", "请拨打12306", "等了{d2}分钟",
    "K{d4}晚点{d2}分钟", "百分之{d2}",
    "三号线到五号线怎么走", "手续费百分之五",
    "the train {d4} leaves at {d2}", "it costs {d3} yuan", "先生您好请说",
    "这位女士请稍等", "两个大人一个小孩", "星期一到星期五", "我是想问一下退票",
    "我是在网上买的", "谢谢您的来电再见",
)  # fmt: skip
SAYINGS = ("figures", "wide", "words", "yao", "english", "korean", "double")
NOISES = ("none", "fillers", "heard", "pause", "lost")


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that a speaker says."""

    words: tuple[Word, ...]
    kind: str
    saying: str
    noise: str
    secret: tuple[bool, ...]
    """By word: whether it must not be read any more."""

    @property
    def text(self) -> str:
        return " ".join(word.text for word in self.words)


def secrets(seed: int, number: int) -> Iterator[Item]:
    """Items that hold something to be masked."""
    dice = random.Random(seed)
    for index in range(number):
        kind = ("phone", "identity", "card", "order", "name")[index % 5]
        yield _name(dice) if kind == "name" else _number(dice, kind)


def ordinary(seed: int, number: int) -> Iterator[Item]:
    """Items that hold nothing of the kind."""
    dice = random.Random(seed)
    for _ in range(number):
        text = dice.choice(_ORDINARY)
        for size in range(1, 5):
            digits = "".join(dice.choices("123456789", k=size))
            text = text.replace(f"{{d{size}}}", digits)
        pieces = text.split() if text.isascii() else _pieces(dice, text)
        yield _item(pieces, [False] * len(pieces), "ordinary", "-", "none", set())


def _number(dice: random.Random, kind: str) -> Item:
    digits = {"phone": _phone, "identity": _identity, "card": _card, "order": _order}[kind](dice)
    saying, noise = dice.choice(SAYINGS), dice.choice(NOISES)
    if noise == "lost":
        place = dice.randrange(len(digits))
        digits = digits[:place] + digits[place + 1 :]
    frame = dice.choice(_FRAMES[kind])
    if dice.random() < 0.25:
        for simple, other in _TRADITIONAL_FRAMES.items():
            frame = frame.replace(simple, other)
    before, after = frame.split("{}")
    said = _spoken(dice, digits, saying)
    if noise == "heard":
        said = _misheard(dice, said)
    head = _pieces(dice, before)
    first, pauses = len(head), set[int]()
    place = dice.randrange(1, max(2, len(said)))
    if noise == "fillers":
        said[place:place] = [dice.choice(_FILLERS)]
    if noise == "pause":
        pauses.add(first + place)
    pieces = [*head, *said, *_pieces(dice, after)]
    hidden = [first <= index < first + len(said) and piece not in _FILLERS for index, piece in enumerate(pieces)]
    return _item(pieces, hidden, kind, saying, noise, pauses)


def _name(dice: random.Random) -> Item:
    frame = dice.choice(_NAME_FRAMES)
    surname = dice.choice(_SURNAMES)
    given = "".join(dice.choices(_GIVEN, k=dice.choice((1, 2))))
    before, after = frame.split("{}", 1)
    named = surname + given if "{}" in after else surname
    after = after.replace("{}", "")
    pieces = [*([before] if before else []), *dice.choice(([named], list(named))), *([after] if after else [])]
    hidden = [piece not in (before, after) for piece in pieces]
    return _item(pieces, hidden, "name", "-", "none", set())


def _spoken(dice: random.Random, digits: str, saying: str) -> list[str]:
    """As the recogniser gives it: words of one or more digits."""
    if saying == "english":
        return [_ENGLISH[int(each)] if each.isdecimal() else each.lower() for each in digits]
    if saying == "double":
        pieces: list[str] = []
        for each in digits:
            name = _PLAIN[int(each)] if each.isdecimal() else each
            if pieces and pieces[-1] == name and dice.random() < 0.7:
                pieces[-1] = "两个" + name
            else:
                pieces.append(name)
        return pieces
    letters = {"figures": "0123456789", "wide": _WIDE, "words": _PLAIN, "yao": _FORMAL, "korean": _KOREAN}[saying]
    return _pieces(dice, "".join(letters[int(each)] if each.isdecimal() else each for each in digits))


def _misheard(dice: random.Random, said: list[str]) -> list[str]:
    """One or two digits, not the first or last, come out as another word that sounds alike."""
    text = list(enumerate(said))
    for index, piece in dice.sample(text[1:-1], k=min(2, len(text) - 2)):
        for digit, name in enumerate(_PLAIN):
            if name in piece:
                said[index] = piece.replace(name, dice.choice(_HEARD[digit]), 1)
                break
    return said


def _pieces(dice: random.Random, text: str) -> list[str]:
    """Cut anywhere: what the recogniser takes for a word."""
    pieces: list[str] = []
    while text:
        size = dice.choice((1, 1, 2, 3, 4))
        pieces.append(text[:size])
        text = text[size:]
    return pieces


def _item(pieces: list[str], hidden: list[bool], kind: str, saying: str, noise: str, pauses: set[int]) -> Item:
    words: list[Word] = []
    at = 1.0
    for index, piece in enumerate(pieces):
        at += 4.0 if index in pauses else 0.05
        end = at + 0.2 * len(piece)
        words.append(Word(piece, at, end, 0.9))
        at = end
    return Item(tuple(words), kind, saying, noise, tuple(hidden))


def _phone(dice: random.Random) -> str:
    digits = "".join(dice.choices("0123456789", k=12))
    return dice.choice(("1" + dice.choice("3456789") + digits[:9], "1" + dice.choice("358") + digits[:9],
                        "010" + "6" + digits[:7], "0755" + "8" + digits[:7], "400" + digits[:7]))  # fmt: skip


def _identity(dice: random.Random) -> str:
    body = (
        dice.choice(("110105", "310104", "440106", "510107"))
        + f"{dice.randint(1950, 2012)}{dice.randint(1, 12):02}{dice.randint(1, 28):02}{dice.randint(0, 999):03}"
    )
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return body + "10X98765432"[sum(int(a) * b for a, b in zip(body, weights, strict=True)) % 11]


def _card(dice: random.Random) -> str:
    body = "62" + "".join(dice.choices("0123456789", k=dice.choice((13, 16))))
    total = 0
    for place, digit in enumerate(reversed(body)):
        twice = int(digit) * (1 if place % 2 else 2)
        total += twice - 9 * (twice > 9)
    return body + str(-total % 10)


def _order(dice: random.Random) -> str:
    digits = "".join(dice.choices("0123456789", k=9))
    return dice.choice(("EA" + digits, "E" + digits, digits))
