"""How numbers, times and greetings are put together (A2), as tables of what is heard."""

from __future__ import annotations

from datetime import time

import pytest

from asterisk_conf.prompt_manifest import load_manifest
from asterisk_conf.prompt_phrases import (
    Phrase,
    agent_greeting,
    agent_number,
    cardinal,
    clock_time,
    people_ahead,
)
from calls.errors import PromptError

TEXTS = load_manifest().texts


def said(phrase: Phrase, language: str) -> str:
    """The phrase as its texts read one after another; a part that the manifest lacks is a KeyError."""
    between = "" if language == "zh-CN" else " "
    return between.join(TEXTS[language][prompt].rstrip("，。,") for prompt in phrase)


@pytest.mark.parametrize(
    ("number", "chinese", "english"),
    [
        (0, "零", "zero"),
        (1, "一", "one"),
        (2, "二", "two"),
        (10, "十", "ten"),
        (12, "十二", "twelve"),
        (20, "二十", "twenty"),
        (21, "二十一", "twenty one"),
        (99, "九十九", "ninety nine"),
        (100, "一百", "one hundred"),
        (105, "一百零五", "one hundred five"),
        (110, "一百一十", "one hundred ten"),
        (112, "一百一十二", "one hundred twelve"),
        (120, "一百二十", "one hundred twenty"),
        (202, "两百零二", "two hundred two"),
        (345, "三百四十五", "three hundred forty five"),
        (999, "九百九十九", "nine hundred ninety nine"),
    ],
)
def test_cardinal(number: int, chinese: str, english: str) -> None:
    assert said(cardinal(number, "zh-CN"), "zh-CN") == chinese
    assert said(cardinal(number, "en"), "en") == english


@pytest.mark.parametrize(
    ("moment", "chinese", "english"),
    [
        (time(0, 0), "凌晨零点", "twelve midnight"),
        (time(0, 5), "凌晨零点零五分", "twelve oh five a.m."),
        (time(2, 0), "凌晨两点", "two a.m."),
        (time(5, 59), "凌晨五点五十九分", "five fifty nine a.m."),
        (time(6, 0), "上午六点", "six a.m."),
        (time(8, 30), "上午八点三十分", "eight thirty a.m."),
        (time(11, 10), "上午十一点十分", "eleven ten a.m."),
        (time(12, 0), "中午十二点", "twelve noon"),
        (time(12, 5), "中午十二点零五分", "twelve oh five p.m."),
        (time(14, 2), "下午两点零二分", "two oh two p.m."),
        (time(17, 45), "下午五点四十五分", "five forty five p.m."),
        (time(18, 0), "晚上六点", "six p.m."),
        (time(22, 0), "晚上十点", "ten p.m."),
        (time(23, 59, 59), "晚上十一点五十九分", "eleven fifty nine p.m."),
    ],
)
def test_clock_time(moment: time, chinese: str, english: str) -> None:
    assert said(clock_time(moment, "zh-CN"), "zh-CN") == chinese
    assert said(clock_time(moment, "en"), "en") == english


@pytest.mark.parametrize(
    ("number", "section", "chinese", "english"),
    [
        ("1001", "inquiry", "咨询受理科工号幺零零幺为您服务",
         "Inquiries Agent one zero zero one at your service."),
        ("2035", "complaint", "投诉处理科工号二零三五为您服务",
         "Complaints and suggestions Agent two zero three five at your service."),
        ("07", "ticketing", "票务服务科工号零七为您服务", "Ticketing Agent zero seven at your service."),
        ("9", "coordination", "综合协调科工号九为您服务", "Coordination Agent nine at your service."),
    ],
)  # fmt: skip
def test_an_agent_greets_with_section_and_number(number: str, section: str, chinese: str, english: str) -> None:
    assert said(agent_greeting(number, section, "zh-CN"), "zh-CN") == chinese
    assert said(agent_greeting(number, section, "en"), "en") == english


@pytest.mark.parametrize(
    ("count", "chinese", "english"),
    [
        (0, "下一位就是您，请稍候", "You are next in line. Please hold."),
        (1, "您前面还有一位客户在等候", "There is one caller ahead of you."),
        (2, "您前面还有两位客户在等候", "There are two callers ahead of you."),
        (12, "您前面还有十二位客户在等候", "There are twelve callers ahead of you."),
        (102, "您前面还有一百零二位客户在等候", "There are one hundred two callers ahead of you."),
    ],
)
def test_people_ahead(count: int, chinese: str, english: str) -> None:
    assert said(people_ahead(count, "zh-CN"), "zh-CN") == chinese
    assert said(people_ahead(count, "en"), "en") == english


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_every_number_and_every_minute_can_be_said(language: str) -> None:
    for number in range(1000):
        said(cardinal(number, language), language)
    for minute in range(24 * 60):
        said(clock_time(time(*divmod(minute, 60)), language), language)
    said(agent_number("0123456789", language), language)


@pytest.mark.parametrize("number", [-1, 1000])
def test_a_number_out_of_range_is_refused(number: int) -> None:
    with pytest.raises(PromptError, match="0 to 999"):
        cardinal(number, "en")


@pytest.mark.parametrize("number", ["", "10a1", "１００１", "-1", "１"])
def test_an_agent_number_is_made_of_plain_digits(number: str) -> None:
    with pytest.raises(PromptError):
        agent_number(number, "zh-CN")


def test_an_unknown_language_is_refused() -> None:
    with pytest.raises(PromptError, match="fr"):
        clock_time(time(8, 0), "fr")
