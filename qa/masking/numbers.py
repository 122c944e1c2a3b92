"""Which runs of digits identify a caller, by length, check digit, and the words before and behind."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

from qa.masking.digits import Run, runs
from qa.masking.model import Kind

_BEFORE = 14
"""Letters before a run in which a keyword belongs to it (English: twice as many)."""

_KEYWORDS = (
    (
        Kind.IDENTITY,
        r"身份证|身份證|证件号|證件號|护照|護照|id card|identity card|id number|passport|주민등록|주민번호",
    ),
    (Kind.CARD, r"银行卡|銀行卡|信用卡|储蓄卡|卡号|卡號|尾号|尾號|bank card|credit card|card number|카드"),
    (
        Kind.ORDER,
        r"订单|訂單|取票号|取票號|取票码|单号|單號|票号|票號|工单|工單|预订号|流水号|order|booking|"
        r"reference|ticket number|confirmation|예약번호|주문번호",
    ),
    (
        Kind.PHONE,
        r"电话|電話|手机|手機|号码|號碼|座机|联系方式|聯繫方式|打给我|回电|微信|phone|mobile|cell|call me|"
        r"call back|contact number|전화|연락처|핸드폰|휴대폰",
    ),
)
_KEYWORD = [(kind, re.compile(words, re.IGNORECASE)) for kind, words in _KEYWORDS]
_ORDINARY = re.compile(
    r"(工号|工號|车次|車次|agent number|badge|train(?: number)?)\W*(?:是|为|為|is)?\W*$", re.IGNORECASE
)
_MEASURE = re.compile(
    r"\s*(元|块|塊|万|萬|千|百|点|點|分|年|月|日|岁|歲|公里|人|张|張|次|度|%|percent|yuan|dollars|원|시|분|년|월)"
)
_FILLED = r"(?:[\s-]|嗯|那个|那個|呃|啊)*"
_LETTERS = re.compile(
    rf"(?:(?<![A-Za-z])[A-Z]{{1,3}}|(?<![A-Za-z])[A-Za-z](?:{_FILLED}(?<![A-Za-z])[A-Za-z]){{0,2}}){_FILLED}$"
)
_MOBILE = re.compile(r"(?:86)?1[3-9]\d{9}")
_ABROAD = re.compile(r"010\d{8}")
_SERVICE = re.compile(r"(?:400|800)\d{7}|95\d{3,6}")
_LEAST = 7
"""Digits of a run that is masked whatever it may be."""

_LEAST_NAMED = 4
_ORDER_LEAST = 6
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def numbers(text: str) -> Iterator[tuple[int, int, Kind]]:
    """Start, end and kind of everything in ``text`` that must not be read."""
    behind = 0
    for run in runs(text):
        start = run.start
        letters = _LETTERS.search(text, max(behind, start - 12), start)
        kind = _kind(run, text, behind, letters is not None)
        if kind is not None:
            if kind is Kind.ORDER and letters is not None:
                start = letters.start()
            yield start, run.end, kind
        behind = run.end


def _kind(run: Run, text: str, behind: int, lettered: bool) -> Kind | None:
    digits, number = run.digits, len(run.digits)
    reach = _BEFORE * (2 if run.start and text[max(0, run.start - 4) : run.start].isascii() else 1)
    before = text[max(behind, run.start - reach) : run.start]
    if number <= 6 and _ORDINARY.search(before):
        return None
    named = _named(before)
    if is_identity(digits):
        return Kind.IDENTITY
    if named is not None and number >= _LEAST_NAMED and not _MEASURE.match(text, run.end):
        return named
    if lettered:
        return Kind.ORDER if number >= _ORDER_LEAST else None
    return None if _is_measure(run, text) else _by_form(digits)


def _named(before: str) -> Kind | None:
    """The keyword nearest to the digits."""
    last = [(found[-1].end(), kind) for kind, words in _KEYWORD if (found := list(words.finditer(before)))]
    return max(last, key=lambda each: each[0])[1] if last else None


def _is_measure(run: Run, text: str) -> bool:
    return len(run.digits) < 9 and _MEASURE.match(text, run.end) is not None


def _by_form(digits: str) -> Kind | None:
    number = len(digits)
    if _SERVICE.fullmatch(digits) or _ABROAD.fullmatch(digits):
        return Kind.PHONE
    if number < _LEAST or (number == 8 and _is_date(digits, 1900)):
        return None
    if 16 <= number <= 20 and any(is_card(digits[-size:]) or is_card(digits[:size]) for size in range(16, 20)):
        return Kind.CARD
    if number in (17, 18, 19) and _is_date(digits[6:14], 1900):
        return Kind.IDENTITY
    if _MOBILE.search(digits) or number <= 13:
        return Kind.PHONE
    return Kind.CARD if number in range(15, 21) else Kind.NUMBER


def is_identity(digits: str) -> bool:
    """Whether it is an identity card's number: 18 with a check digit, or 15 as they once were."""
    if len(digits) == 15 and digits.isdecimal():
        return digits[0] in "12345678" and _is_date("19" + digits[6:12], 1900)
    if len(digits) != 18 or not digits[:17].isdecimal() or not _is_date(digits[6:14], 1900):
        return False
    total = sum(int(digit) * weight for digit, weight in zip(digits, _WEIGHTS, strict=False))
    return digits[17] == "10X98765432"[total % 11]


def is_card(digits: str) -> bool:
    """Whether it is a bank card's number: 16 to 19 digits that pass Luhn's check."""
    if not 16 <= len(digits) <= 19 or not digits.isdecimal() or digits[0] not in "3456":
        return False
    total = 0
    for place, digit in enumerate(reversed(digits)):
        twice = int(digit) * 2
        total += twice - 9 * (twice > 9) if place % 2 else int(digit)
    return total % 10 == 0


def _is_date(digits: str, earliest: int) -> bool:
    if not digits.isdecimal():
        return False
    try:
        return earliest <= date(int(digits[:4]), int(digits[4:6]), int(digits[6:8])).year < 2100
    except ValueError:
        return False
