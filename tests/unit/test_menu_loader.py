"""Menu files: what they turn into, and how their faults are named."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from calls.errors import MenuError
from ivr.menu.loader import HOTLINE, load_menu, parse_menu, read_menu
from ivr.menu.model import Choose, HoursPrompt, Keys, Priority, Prompt, Section, Span, Target

SMALL = """
languages = ["zh-CN"]
start = "main"
default_section = "desk"
complaints_section = "desk"
[priority]
level = 5
numbers_file = "vip.txt"
[defaults]
tries = 2
timeout_s = 4
on_timeout = ["no-input"]
[sections.desk]
names = { zh-CN = "服务台" }
queue = "desk-queue"
schedule = "office"
[schedules.office]
hours = { workdays = ["08:30-12:00", "13:30-17:30"], friday = ["08:30-24:00"], weekends = "closed" }
holidays = "closed"
makeup_workdays = ["08:30-12:00"]
special_days = { 2026-02-16 = ["09:00-10:00"], 2026-02-14 = "closed" }
[nodes.main]
kind = "choose"
say = ["sections", { prompt = "welcome", language = "en" }, { hours = "office" }]
choices = { 1 = "person", "*" = { node = "main", language = "en" } }
timeout_s = 6.5
on_giving_up = "person"
[nodes.person]
kind = "to-person"
section = "desk"
"""
MORNING, AFTERNOON = Span(510, 720), Span(810, 1050)


def problems(text: str) -> list[str]:
    with pytest.raises(MenuError) as caught:
        parse_menu(text, "small.toml")
    return str(caught.value).splitlines()


def test_a_file_becomes_a_menu() -> None:
    menu = parse_menu(SMALL, "small.toml")
    office = menu.schedules["office"]
    assert office.weekdays == (*[(MORNING, AFTERNOON)] * 4, (Span(510, 1440),), (), ())
    assert (office.holidays, office.makeup_workdays) == ((), (MORNING,))
    assert office.special_days == {date(2026, 2, 16): (Span(540, 600),), date(2026, 2, 14): ()}
    assert menu.sections == {"desk": Section("desk", {"zh-CN": "服务台"}, "desk-queue", "office")}
    assert menu.nodes["main"] == Choose(
        id="main",
        prompts=(Prompt("sections"), Prompt("welcome", "en"), HoursPrompt("office")),
        choices={"1": Target("person"), "*": Target("main", "en")},
        tries=2,
        timeout_s=6.5,
        on_invalid=(),
        on_timeout=(Prompt("no-input"),),
        on_giving_up=Target("person"),
    )
    assert menu.priority == Priority(5, "vip.txt")
    assert menu.keys == Keys("0", "*", "#")


def test_keys_are_configurable() -> None:
    menu = parse_menu('keys = { person = "9", repeat = "8", back = "*" }\n' + SMALL, "small.toml")
    assert menu.keys == Keys("9", "8", "*")


def test_a_menu_cannot_be_changed() -> None:
    menu = read_menu(HOTLINE)
    with pytest.raises(TypeError):
        menu.nodes["main"] = menu.nodes["welcome"]  # type: ignore[index]


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ('start = "main"', "", "key 'start' is missing"),
        ('start = "main"', 'start = "main"\nstrat = "x"', "key 'strat' is not known here"),
        ('languages = ["zh-CN"]', "languages = []", "key 'languages' must not be empty"),
        ("level = 5", "level = 0", "key 'priority.level' is too small"),
        ("tries = 2", 'tries = "2"', "key 'defaults.tries' must be a whole number"),
        ("timeout_s = 6.5", 'timeout_s = "6"', "node 'main', key 'timeout_s' must be a number"),
        ("timeout_s = 6.5", "wait_s = 6", "node 'main', key 'wait_s' is not known here"),
        ('on_giving_up = "person"', "", "node 'main', key 'on_giving_up' is missing"),
        (
            'kind = "choose"',
            "",
            "node 'main' must name its kind: announce, choose, hours, to-person or goodbye",
        ),
        (
            'kind = "choose"',
            'kind = "chose"',
            "node 'main' is of an unknown kind: announce, choose, hours, to-person and goodbye are known",
        ),
        ('"sections", {', "7, {", "node 'main', key 'say', item 1 must be a name in quotes, or a table"),
        (
            '{ hours = "office" }',
            "{}",
            "node 'main', key 'say', item 3 must name either a prompt or the hours of a schedule",
        ),
        (
            '{ hours = "office" }',
            '{ hours = "office", language = "en" }',
            "node 'main', key 'say', item 3 cannot fix a language: hours are said in the caller's",
        ),
        (
            "1 = ",
            "12 = ",
            "node 'main', key 'choices.12' must be one key of a telephone: one of 0123456789*#",
        ),
        ('1 = "person"', "1 = 5", "node 'main', key 'choices.1' must be a name in quotes, or a table"),
        ('queue = "desk-queue"', 'queue = ""', "section 'desk', key 'queue' must not be empty"),
        (
            'schedule = "office"',
            'schedule = "office"\nalways_open = true',
            "section 'desk' must have either a schedule or always_open = true",
        ),
        ('schedule = "office"', "", "section 'desk' must have either a schedule or always_open = true"),
        ('holidays = "closed"\n', "", "schedule 'office', key 'holidays' is missing"),
        (
            'holidays = "closed"',
            'holidays = "open"',
            "schedule 'office', key 'holidays' must be \"closed\" or a list such as "
            '["08:30-12:00", "13:30-17:30"]',
        ),
        (
            '["08:30-24:00"]',
            '["8:30-24:00"]',
            "schedule 'office', key 'hours.friday' must look like \"08:30-17:30\"",
        ),
        (
            '["08:30-24:00"]',
            '["22:00-06:00"]',
            "schedule 'office', key 'hours.friday' must open before it closes, within one day from 00:00 to 24:00",
        ),
        (
            '["08:30-24:00"]',
            '["08:30-12:00", "11:00-13:00"]',
            "schedule 'office', key 'hours.friday' has hours that overlap",
        ),
        (
            '{ workdays = ["08:30-12:00", "13:30-17:30"], friday = ["08:30-24:00"], weekends = "closed" }',
            "{}",
            "schedule 'office', key 'hours' must be open on at least one day of the week",
        ),
        (
            "2026-02-16 =",
            "2026-02-30 =",
            "schedule 'office', key 'special_days.2026-02-30' must be a date such as 2026-10-01",
        ),
    ],
)
def test_a_fault_is_named_in_the_words_of_the_file(old: str, new: str, problem: str) -> None:
    assert SMALL.count(old) == 1, f"{old!r} must say where the fault is"
    assert problems(SMALL.replace(old, new)) == [f"small.toml: {problem}"]


def test_all_problems_are_listed_at_once() -> None:
    assert problems(SMALL.replace('start = "main"', "").replace("tries = 2", "tries = true")) == [
        "small.toml: key 'start' is missing",
        "small.toml: key 'defaults.tries' must be a whole number",
    ]


def test_a_key_given_twice() -> None:
    (problem,) = problems(SMALL.replace("[sections.desk]", "[defaults]\n[sections.desk]"))
    assert problem.startswith("small.toml: is not valid TOML: ")


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_an_unreadable_file(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "menu.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(MenuError, match="cannot be read"):
        read_menu(path)


def test_the_linter_has_the_last_word(tmp_path: Path) -> None:
    path = tmp_path / "menu.toml"
    path.write_text(SMALL.replace('"*" =', "5 =").replace('language = "en"', 'language = "zh-CN"'), "utf-8")
    available = {"zh-CN": {"sections", "welcome", "to"}}
    with pytest.raises(MenuError) as caught:
        load_menu(path, available)
    assert str(caught.value).splitlines() == [
        "menu.toml: node 'main': the prompt 'no-input' does not exist in zh-CN [prompt-missing]",
        "menu.toml: the complaints section 'desk' is not always open; complaints are taken 24 hours a day "
        "[complaints-not-always-open]",
    ]
    path.write_text(path.read_text("utf-8").replace('schedule = "office"', "always_open = true"), "utf-8")
    assert load_menu(path, {"zh-CN": available["zh-CN"] | {"no-input"}}).start == "main"
