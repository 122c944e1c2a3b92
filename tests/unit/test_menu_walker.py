"""Walks through menus as tables: what the caller does, where the call ends (A1, A8, A9)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, time
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.menu.actions import (
    Action,
    Ask,
    Connect,
    GaveUp,
    Hangup,
    KeyPressed,
    KeyRefused,
    LanguageSet,
    NodeVisited,
    Play,
    SayPrompt,
    SayTime,
    SectionReplaced,
    TimedOut,
    Why,
)
from ivr.menu.hours import OpeningHours
from ivr.menu.loader import parse_menu
from ivr.menu.model import TELEPHONE_KEYS, Menu, Prompt
from ivr.menu.walker import MAX_STEPS, Walk
from tests.support_menus import menu_with_a_night

SHANGHAI = ZoneInfo("Asia/Shanghai")
HOURS = OpeningHours(SHANGHAI)
NOON = datetime(2026, 11, 18, 12, tzinfo=SHANGHAI)
NIGHT = datetime(2026, 11, 18, 3, tzinfo=SHANGHAI)
NATIONAL_DAY = datetime(2026, 10, 1, 12, tzinfo=SHANGHAI)
HOTLINE_MENU = menu_with_a_night()


def answer(walk: Walk, keys: str) -> Action:
    """Answers each question with the next key (a space: silence), then stays silent."""
    ahead = list(keys)
    while isinstance(walk.action, Play | Ask):
        key = ahead.pop(0) if isinstance(walk.action, Ask) and ahead else " "
        walk.feed(None if key == " " else key)
    assert not ahead, f"the call ended before {ahead} could be pressed"
    return walk.action


def stay(walk: Walk, keys: str) -> Play | Ask:
    """Like `answer`, but only until the keys are used up and the next question is put."""
    ahead = list(keys)
    while isinstance(walk.action, Play) or ahead:
        key = ahead.pop(0) if isinstance(walk.action, Ask) else " "
        walk.feed(None if key == " " else key)
    assert isinstance(walk.action, Ask)
    return walk.action


def prompts(action: Action) -> list[str]:
    return [said.prompt if isinstance(said, SayPrompt) else f"{said.time:%H:%M}" for said in action.say]


@pytest.mark.parametrize(
    ("when", "keys", "section", "language", "why"),
    [
        (NOON, "11", "inquiry", "zh-CN", Why.CHOSEN),
        (NOON, "12", "complaint", "zh-CN", Why.CHOSEN),
        (NOON, "13", "ticketing", "zh-CN", Why.CHOSEN),
        (NOON, "14", "coordination", "zh-CN", Why.CHOSEN),
        (NOON, "23", "ticketing", "en", Why.CHOSEN),
        (NOON, " 3", "ticketing", "zh-CN", Why.CHOSEN),  # silence: the first language
        (NOON, "93", "ticketing", "zh-CN", Why.CHOSEN),  # a language that is not there: the same
        (NOON, "0", "inquiry", "zh-CN", Why.ASKED),
        (NOON, "20", "inquiry", "en", Why.ASKED),
        (NOON, "", "inquiry", "zh-CN", Why.GAVE_UP),  # never a key
        (NOON, "1999", "inquiry", "zh-CN", Why.GAVE_UP),  # wrong to the limit
        (NOON, "19 9", "inquiry", "zh-CN", Why.GAVE_UP),  # wrong and silent count alike
        (NOON, "1993", "ticketing", "zh-CN", Why.CHOSEN),  # right at the last try
        (NOON, "1*9*9*4", "coordination", "zh-CN", Why.CHOSEN),  # hearing it again is no try
        (NOON, "1#23", "ticketing", "en", Why.CHOSEN),  # back to the languages
        (NOON, "##12", "complaint", "zh-CN", Why.CHOSEN),  # back at the start: again
        (NIGHT, "12", "complaint", "zh-CN", Why.CHOSEN),
        (NIGHT, "10", "complaint", "zh-CN", Why.ASKED),
        (NIGHT, "0", "complaint", "zh-CN", Why.ASKED),  # before the hours were looked at
        (NIGHT, "2", "complaint", "en", Why.GAVE_UP),
        (NATIONAL_DAY, "12", "complaint", "zh-CN", Why.CHOSEN),
        (NATIONAL_DAY, "21", "inquiry", "en", Why.CHOSEN),
        (NATIONAL_DAY, "10", "inquiry", "zh-CN", Why.ASKED),
        (NATIONAL_DAY, "", "inquiry", "zh-CN", Why.GAVE_UP),
    ],
)
def test_the_hotline(when: datetime, keys: str, section: str, language: str, why: Why) -> None:
    end = answer(Walk(HOTLINE_MENU, when, HOURS), keys)
    assert isinstance(end, Connect)
    assert (end.section, end.queue, end.language, end.why) == (section, section, language, why)
    assert end.say == (SayPrompt("transferring", language),)


def test_each_language_is_offered_in_itself() -> None:
    walk = Walk(HOTLINE_MENU, NOON, HOURS)
    assert walk.action == Play(
        "welcome", (SayPrompt("welcome", "zh-CN"), SayPrompt("recorded", "zh-CN")), keys="0*#"
    )
    languages = (SayPrompt("choose-language", "zh-CN"), SayPrompt("choose-language", "en"))
    assert walk.feed(None) == Ask("language", languages, timeout_s=5)


def test_what_was_wrong_is_said_before_the_question() -> None:
    walk = Walk(HOTLINE_MENU, NOON, HOURS)
    assert prompts(stay(walk, "1")) == ["sections"]
    assert prompts(walk.feed("9")) == ["invalid", "sections"]
    assert prompts(walk.feed(None)) == ["no-input", "sections"]
    assert prompts(walk.feed("9")) == ["too-many-tries"]


def test_hours_are_composed_in_the_callers_language() -> None:
    walk = Walk(HOTLINE_MENU, NIGHT, HOURS)
    stay(walk, "")
    walk.feed("2")
    closed = walk.feed(None)
    assert closed.say == (
        SayPrompt("closed", "en"),
        SayPrompt("open-hours-are", "en"),
        SayTime(time(7), "en"),
        SayPrompt("to", "en"),
        SayTime(time(22), "en"),
    )


def test_a_holiday_is_announced_then_the_sections_follow() -> None:
    walk = Walk(HOTLINE_MENU, NATIONAL_DAY, HOURS)
    stay(walk, "")
    assert prompts(walk.feed("1")) == ["holiday"]
    assert prompts(walk.feed(None)) == ["sections"]


@pytest.mark.parametrize(
    ("key", "kind", "node"),
    [
        ("0", Connect, None),
        ("*", Play, "holiday"),
        ("#", Ask, "language"),
        ("7", Ask, "sections"),  # means nothing there: the walk goes on
    ],
)
def test_keys_in_an_announcement(key: str, kind: type[Action], node: str | None) -> None:
    walk = Walk(HOTLINE_MENU, NATIONAL_DAY, HOURS)
    stay(walk, "")
    assert prompts(walk.feed("1")) == ["holiday"]
    after = walk.feed(key)
    assert isinstance(after, kind)
    assert getattr(after, "node", None) == node


def test_the_person_key_asks_for_the_section_of_the_node() -> None:
    nodes = dict(HOTLINE_MENU.nodes)
    nodes["sections"] = replace(nodes["sections"], section="ticketing")  # type: ignore[arg-type]
    end = answer(Walk(replace(HOTLINE_MENU, nodes=nodes), NOON, HOURS), "10")
    assert isinstance(end, Connect)
    assert (end.section, end.why) == ("ticketing", Why.ASKED)


def test_priority_is_passed_through() -> None:
    assert HOTLINE_MENU.priority is not None
    told = replace(HOTLINE_MENU.priority, prompts=(Prompt("welcome"),))
    menu = replace(HOTLINE_MENU, priority=told)
    first, ordinary = (answer(Walk(menu, NOON, HOURS, priority=priority), "11") for priority in (True, False))
    assert isinstance(first, Connect)
    assert isinstance(ordinary, Connect)
    assert (first.priority, prompts(first)) == (told.level, ["transferring", "welcome"])
    assert (ordinary.priority, prompts(ordinary)) == (0, ["transferring"])


def test_a_priority_caller_of_a_menu_without_priority_is_an_ordinary_one() -> None:
    end = answer(Walk(replace(HOTLINE_MENU, priority=None), NOON, HOURS, priority=True), "11")
    assert isinstance(end, Connect)
    assert end.priority == 0


def test_what_happened_is_told_in_the_past_tense() -> None:
    walk = Walk(HOTLINE_MENU, NIGHT, HOURS)
    answer(walk, "29 ")
    assert walk.steps == (
        NodeVisited("welcome"),
        NodeVisited("language"),
        KeyPressed("language", "2"),
        LanguageSet("en"),
        NodeVisited("recorded"),
        NodeVisited("hours"),
        NodeVisited("closed"),
        NodeVisited("after-hours"),
        KeyRefused("after-hours", "9"),
        TimedOut("after-hours"),
        GaveUp("after-hours"),
        NodeVisited("to-complaint"),
    )


def test_a_closed_section_is_replaced_and_told() -> None:
    walk = Walk(HOTLINE_MENU, NIGHT, HOURS)
    answer(walk, "0")
    assert walk.steps[-2:] == (KeyPressed("language", "0"), SectionReplaced("inquiry", "complaint"))


def test_an_ended_walk_takes_no_more() -> None:
    walk = Walk(HOTLINE_MENU, NOON, HOURS)
    answer(walk, "0")
    with pytest.raises(ValueError, match="ended"):
        walk.feed("1")


GOODBYE_MENU = parse_menu(
    """
    languages = ["zh-CN"]
    start = "main"
    default_section = "complaint"
    complaints_section = "complaint"
    sections.complaint = { names = { zh-CN = "投诉" }, queue = "c", always_open = true }
    schedules = {}
    [nodes.main]
    kind = "choose"
    say = ["sections"]
    choices = { 1 = "person", 3 = "other", 9 = "bye" }
    on_giving_up = "person"
    [nodes.other]
    kind = "choose"
    say = ["other"]
    choices = { 1 = "main", 2 = "person", 4 = "deep" }
    on_giving_up = "person"
    [nodes.deep]
    kind = "choose"
    say = ["deep"]
    choices = { 2 = "person" }
    on_giving_up = "person"
    [nodes.person]
    kind = "to-person"
    section = "complaint"
    [nodes.bye]
    kind = "goodbye"
    say = ["goodbye"]
    """,
    "test",
)


def test_a_caller_may_end_the_call() -> None:
    assert answer(Walk(GOODBYE_MENU, NOON, HOURS), "319") == Hangup("bye", (SayPrompt("goodbye", "zh-CN"),))


def test_back_goes_through_the_choices_one_by_one() -> None:
    walk = Walk(GOODBYE_MENU, NOON, HOURS)
    visited = [walk.feed(key).node for key in "34###"]  # type: ignore[union-attr]
    assert visited == ["other", "deep", "other", "main", "main"]


@pytest.mark.parametrize("keys", ["*", "31", "3#", "#"])
def test_a_caller_who_goes_round_for_ever_is_given_a_person(keys: str) -> None:
    walk = Walk(GOODBYE_MENU, NOON, HOURS)
    for key in keys * MAX_STEPS:
        if isinstance(walk.feed(key), Connect):
            break
    assert isinstance(walk.action, Connect)
    assert walk.action.why is Why.TOO_LONG


@given(
    menu=st.sampled_from([HOTLINE_MENU, GOODBYE_MENU]),
    when=st.sampled_from([NOON, NIGHT, NATIONAL_DAY]),
    keys=st.lists(st.one_of(st.none(), st.sampled_from(TELEPHONE_KEYS)), max_size=300),
)
def test_any_keys_then_silence_end_with_a_person_or_a_goodbye(
    menu: Menu, when: datetime, keys: list[str | None]
) -> None:
    walk = Walk(menu, when, HOURS)
    silence_needed = 0
    while isinstance(walk.action, Play | Ask):
        walk.feed(keys.pop(0) if keys else None)
        silence_needed += not keys
    assert isinstance(walk.action, Connect | Hangup)
    # Once a caller falls silent, no more than every node's tries, once.
    assert silence_needed <= sum(getattr(node, "tries", 1) for node in menu.nodes.values()) + 1
    assert len(walk.steps) <= MAX_STEPS + 3
    if isinstance(walk.action, Connect):
        assert HOURS.section_is_open(menu.sections[walk.action.section], menu.schedules, when)
