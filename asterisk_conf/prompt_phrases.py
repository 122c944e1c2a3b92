"""Numbers, times and greetings as sequences of prompts: how each language puts its parts together.

Everything here is pure and returns prompt ids in the order in which they are heard; every id returned
is in the manifest. `PromptError` is raised for what cannot be said: an unknown language, a number out
of range.
"""

from __future__ import annotations

from datetime import time
from typing import TypeAlias

from asterisk_conf.prompt_manifest import Language, PromptId
from calls.errors import PromptError

Phrase: TypeAlias = tuple[PromptId, ...]

CHINESE = "zh-CN"
ENGLISH = "en"


def agent_number(number: str, language: Language) -> Phrase:
    """An agent's number digit by digit; in Chinese 1 is said yāo (A2)."""
    _require_known(language)
    if not (number.isascii() and number.isdigit()):
        raise PromptError(f"an agent's number is made of digits: {number!r}")
    return tuple(f"digit-{digit}" for digit in number)


def agent_at_your_service(number: str, language: Language) -> Phrase:
    """ "工号 1001，为您服务": the part of the greeting that is the same in every section (A2)."""
    return ("agent-before", *agent_number(number, language), "agent-after")


def agent_greeting(number: str, section: str, language: Language) -> Phrase:
    """What the caller hears as an agent answers: "咨询受理科，工号 1001，为您服务" (A2).

    `section` is a section id of the menu, such as ``inquiry``.
    """
    return (f"section-{section}", *agent_at_your_service(number, language))


def people_ahead(count: int, language: Language) -> Phrase:
    """How many callers wait before this one, up to 999."""
    _require_known(language)
    if count == 0:
        return ("people-ahead-none",)
    if count == 1:
        return ("people-ahead-one",)
    counted = ("number-2-counted",) if language == CHINESE and count == 2 else cardinal(count, language)
    return ("people-ahead-before", *counted, "people-ahead-after")


def cardinal(number: int, language: Language) -> Phrase:
    """A cardinal number from 0 to 999, "一百零五", "one hundred five"."""
    _require_known(language)
    if not 0 <= number <= 999:
        raise PromptError(f"cannot say {number}: only 0 to 999")
    if number < 100:
        return _below_hundred(number, language)
    hundreds, rest = number - number % 100, number % 100
    spoken: Phrase = (f"number-{hundreds}",)
    if rest == 0:
        return spoken
    if language == CHINESE and rest < 20:  # 一百零五, 一百一十五: never 一百五, 一百十五
        return (*spoken, f"number-inside-{rest}")
    return (*spoken, *_below_hundred(rest, language))


def clock_time(moment: time, language: Language) -> Phrase:
    """A time of day to the minute: "上午八点三十分", "eight thirty a.m."."""
    _require_known(language)
    return _chinese_time(moment) if language == CHINESE else _english_time(moment)


def _below_hundred(number: int, language: Language) -> Phrase:
    # In Chinese these are recorded whole: a recogniser, and so a caller, mishears 七十 put before 六.
    if language == CHINESE or number <= 20 or number % 10 == 0:
        return (f"number-{number}",)
    return (f"number-{number - number % 10}", f"number-{number % 10}")


def _chinese_time(moment: time) -> Phrase:
    hour = f"hour-{moment.hour}"  # with its part of the day: 凌晨三点, 下午三点
    if moment.minute == 0:
        return (hour,)
    minutes = f"number-inside-{moment.minute}" if moment.minute < 10 else f"number-{moment.minute}"
    return (hour, minutes, "minutes")


def _english_time(moment: time) -> Phrase:
    hour = f"number-{moment.hour % 12 or 12}"
    if moment.minute == 0:
        if moment.hour % 12 == 0:
            return (hour, "noon" if moment.hour else "midnight")
        minutes: Phrase = ()
    else:
        nought = ("oh",) if moment.minute < 10 else ()
        minutes = (*nought, *_below_hundred(moment.minute, ENGLISH))
    return (hour, *minutes, "am" if moment.hour < 12 else "pm")


def _require_known(language: Language) -> None:
    if language not in (CHINESE, ENGLISH):
        raise PromptError(f"no phrases in {language!r}")
