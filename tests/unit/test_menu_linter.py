"""Each finding of the linter has a menu that deserves it, and the shipped menu deserves none."""

from __future__ import annotations

from collections.abc import Mapping, Set

import pytest

from ivr.menu.linter import Code, Finding, lint
from ivr.menu.loader import HOTLINE, parse_menu, read_menu

MANIFEST = """
    welcome choose-language recorded sections invalid no-input transferring too-many-tries
    closed open-hours-are to holiday complaints-always goodbye
"""
AVAILABLE: Mapping[str, Set[str]] = {language: frozenset(MANIFEST.split()) for language in ("zh-CN", "en")}

CLEAN = """
languages = ["zh-CN", "en"]
start = "welcome"
default_section = "inquiry"
complaints_section = "complaint"
transfer = ["transferring"]
keys = { person = "0", repeat = "*", back = "#" }

[sections.inquiry]
names = { zh-CN = "咨询", en = "Inquiries" }
queue = "inquiry"
schedule = "daily"
[sections.complaint]
names = { zh-CN = "投诉", en = "Complaints" }
queue = "complaint"
always_open = true

[schedules.daily]
hours.every_day = ["07:00-22:00"]
holidays = "closed"
makeup_workdays = "as-usual"

[nodes.welcome]
kind = "announce"
say = ["welcome"]
next = "fork"
[nodes.fork]
kind = "hours"
schedule = "daily"
open = "main"
closed = "night"
holiday = "night"
[nodes.main]
kind = "choose"
say = ["sections"]
choices = { 1 = "inquiry", 2 = "complaint", 9 = "bye" }
tries = 3
timeout_s = 5
on_invalid = ["invalid"]
on_giving_up = "inquiry"
[nodes.night]
kind = "announce"
say = ["closed", { hours = "daily" }]
next = "complaint"
[nodes.inquiry]
kind = "to-person"
section = "inquiry"
[nodes.complaint]
kind = "to-person"
section = "complaint"
[nodes.bye]
kind = "goodbye"
say = ["goodbye"]
"""

CHOICES = '{ 1 = "inquiry", 2 = "complaint", 9 = "bye" }'
CAROUSEL = """
[nodes.round]
kind = "announce"
say = ["holiday"]
next = "about"
[nodes.about]
kind = "announce"
say = ["holiday"]
next = "round"
"""


def found(text: str, available: Mapping[str, Set[str]] = AVAILABLE) -> list[Finding]:
    return lint(parse_menu(text, "test"), available)


def test_the_shipped_menu_is_clean() -> None:
    assert lint(read_menu(HOTLINE), AVAILABLE) == []


def test_the_menu_of_these_tests_is_clean() -> None:
    assert found(CLEAN) == []


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        # ways that lead nowhere, and nodes to which none leads
        ('start = "welcome"', 'start = "entry"', {(Code.NO_SUCH_TARGET, None)}),
        ('9 = "bye"', '8 = "operator", 9 = "bye"', {(Code.NO_SUCH_TARGET, "main")}),
        (', 9 = "bye"', "", {(Code.UNREACHABLE, "bye")}),
        (
            CHOICES,
            "{}",
            {(Code.DEAD_END, "main"), (Code.UNREACHABLE, "bye"), (Code.COMPLAINTS_OUT_OF_REACH, None)},
        ),
        # other references
        ('default_section = "inquiry"', 'default_section = "sales"', {(Code.NO_SUCH_SECTION, None)}),
        (
            'complaints_section = "complaint"',
            'complaints_section = "sales"',
            {(Code.NO_SUCH_SECTION, None), (Code.COMPLAINTS_OUT_OF_REACH, None)},
        ),
        (
            'kind = "to-person"\nsection = "inquiry"',
            'kind = "to-person"\nsection = "sales"',
            {(Code.NO_SUCH_SECTION, "inquiry")},
        ),
        ("timeout_s = 5", 'section = "sales"', {(Code.NO_SUCH_SECTION, "main")}),
        ('schedule = "daily"\nopen', 'schedule = "week"\nopen', {(Code.NO_SUCH_SCHEDULE, "fork")}),
        ('schedule = "daily"\n[sections', 'schedule = "week"\n[sections', {(Code.NO_SUCH_SCHEDULE, None)}),
        ('{ hours = "daily" }', '{ hours = "week" }', {(Code.NO_SUCH_SCHEDULE, "night")}),
        ('9 = "bye"', '9 = { node = "bye", language = "fr" }', {(Code.NO_SUCH_LANGUAGE, "main")}),
        (
            'say = ["welcome"]',
            'say = [{ prompt = "welcome", language = "fr" }]',
            {(Code.NO_SUCH_LANGUAGE, "welcome")},
        ),
        # loops
        (
            'next = "fork"',
            'next = "welcome"',
            {
                (Code.ENDLESS_LOOP, "welcome"),
                (Code.NO_PERSON, "welcome"),
                (Code.COMPLAINTS_OUT_OF_REACH, None),
                *((Code.UNREACHABLE, node) for node in ("fork", "main", "night", "inquiry", "complaint", "bye")),
            },
        ),
        (
            'kind = "goodbye"\nsay = ["goodbye"]\n',
            'kind = "announce"\nsay = ["goodbye"]\nnext = "round"\n' + CAROUSEL,
            {(Code.ENDLESS_LOOP, "round")},
        ),
        ('on_giving_up = "inquiry"', 'on_giving_up = "welcome"', {(Code.SILENT_LOOP, "welcome")}),
        ('on_giving_up = "inquiry"', 'on_giving_up = "main"', {(Code.SILENT_LOOP, "main")}),
        ('9 = "bye"', '7 = "welcome", 9 = "bye"', set()),  # going round by one's own choice is fine
        # keys
        ('9 = "bye"', '0 = "bye"', {(Code.KEY_CLASH, "main")}),
        ('9 = "bye"', '"#" = "bye"', {(Code.KEY_CLASH, "main")}),
        ('back = "#"', 'back = "*"', {(Code.KEY_CLASH, None)}),
        # what is said
        ('say = ["welcome"]', 'say = ["greeting"]', {(Code.PROMPT_MISSING, "welcome")}),
        ('on_invalid = ["invalid"]', 'on_timeout = ["wake-up"]', {(Code.PROMPT_MISSING, "main")}),
        ('say = ["goodbye"]', 'say = ["farewell"]', {(Code.PROMPT_MISSING, "bye")}),
        ('transfer = ["transferring"]', 'transfer = ["one-moment"]', {(Code.PROMPT_MISSING, None)}),
        ('say = ["welcome"]', "say = []", {(Code.SAYS_NOTHING, "welcome")}),
        ('zh-CN = "咨询", ', "", {(Code.NAME_MISSING, None)}),
        # ways to a person
        (
            'next = "complaint"',
            'next = "bye"',
            {
                (Code.NO_PERSON, "night"),
                (Code.HANGS_UP_TOO_SOON, "bye"),
                (Code.COMPLAINTS_OUT_OF_REACH, None),
            },
        ),
        # limits
        ("tries = 3", "tries = 0", {(Code.TRIES_OUT_OF_RANGE, "main")}),
        ("tries = 3", "tries = 6", {(Code.TRIES_OUT_OF_RANGE, "main")}),
        ("timeout_s = 5", "timeout_s = 1.9", {(Code.TIMEOUT_OUT_OF_RANGE, "main")}),
        ("timeout_s = 5", "timeout_s = 15.1", {(Code.TIMEOUT_OUT_OF_RANGE, "main")}),
        ("timeout_s = 5", "timeout_s = nan", {(Code.TIMEOUT_OUT_OF_RANGE, "main")}),
        # complaints (A8)
        ("always_open = true", 'schedule = "daily"', {(Code.COMPLAINTS_NOT_ALWAYS_OPEN, None)}),
        (
            ', 2 = "complaint"',
            "",
            {(Code.COMPLAINTS_OUT_OF_REACH, None)},
        ),
    ],
)
def test_one_fault_and_its_findings(old: str, new: str, expected: set[tuple[Code, str | None]]) -> None:
    assert CLEAN.count(old) == 1, f"{old!r} must say where the fault is"
    assert {(finding.code, finding.node) for finding in found(CLEAN.replace(old, new))} == expected


def test_a_prompt_that_one_language_lacks() -> None:
    without = {**AVAILABLE, "en": AVAILABLE["en"] - {"closed", "to"}}
    assert [str(finding) for finding in found(CLEAN, without)] == [
        "node 'night': the prompt 'closed' does not exist in en [prompt-missing]",
        "node 'night': the prompt 'to' does not exist in en [prompt-missing]",
    ]


def test_a_prompt_of_a_fixed_language_is_needed_in_that_one_only() -> None:
    text = CLEAN.replace('["welcome"]', '[{ prompt = "welcome", language = "en" }]')
    assert found(text, {**AVAILABLE, "zh-CN": AVAILABLE["zh-CN"] - {"welcome"}}) == []


def test_messages_are_for_supervisors() -> None:
    text = CLEAN.replace(', 2 = "complaint"', "").replace('on_giving_up = "inquiry"', 'on_giving_up = "fork"')
    assert [str(finding) for finding in found(text)] == [
        "node 'fork': a caller who presses nothing goes round through 'fork', 'main' for ever [silent-loop]",
        "no choice leads to the complaints section by way of the branch 'open' [complaints-out-of-reach]",
    ]


def test_every_finding_has_a_menu() -> None:
    mark = test_one_fault_and_its_findings.pytestmark[0]  # type: ignore[attr-defined]
    assert {code for *_, expected in mark.args[1] for code, _ in expected} == set(Code)
