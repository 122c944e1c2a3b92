"""A menu on the page and in the terminal: the flowchart, and the walk in text."""

from __future__ import annotations

import re
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from calls.errors import MenuError
from ivr.menu.draw import draw
from ivr.menu.hours import OpeningHours
from ivr.menu.tryout import walk_in_text
from tests.support_menus import menu_with_a_night

SHANGHAI = ZoneInfo("Asia/Shanghai")
HOURS = OpeningHours(SHANGHAI)
NOON = datetime(2026, 11, 18, 12, tzinfo=SHANGHAI)
NIGHT = datetime(2026, 11, 18, 3, tzinfo=SHANGHAI)
MENU = menu_with_a_night()
TEXTS = {"zh-CN": {"welcome": "您好", "sections": "咨询请按1"}, "en": {"sections": "For inquiries press 1"}}


def test_every_node_and_every_way_is_drawn() -> None:
    lines = draw(MENU, "zh-CN", TEXTS["zh-CN"]).splitlines()
    assert lines[0] == "flowchart TD"
    assert (
        sum("-->" in line for line in lines) == 5 + 3 + 3 + 2 + 5
    )  # announcements, language, hours, after-hours, sections
    names = {name: number for number, name in enumerate(MENU.nodes)}
    main, person = f"n{names['sections']}", f"n{names['to-ticketing']}"
    assert f'    {main}{{{{"咨询请按1"}}}}' in lines
    assert f'    {person}(["票务服务科"])' in lines
    assert f'    {main} -->|"按 3"| {person}' in lines
    assert f'    n{names["to-complaint"]}(["投诉处理科<br/>24 小时"])' in lines
    assert f'    n{names["language"]} -->|"按 2 → en"| n{names["recorded"]}' in lines
    assert lines[-1] == '    everywhere>"任意位置<br/>0 人工<br/>* 重听<br/>#35; 返回"]'


def test_the_other_language() -> None:
    picture = draw(MENU, "en")
    assert '(["Ticketing"])' in picture
    assert "人工" not in picture


def test_labels_cannot_break_out_of_the_picture() -> None:
    evil = 'a"] --> b; <script>#`&\nc\\'
    label = re.search(r'n0\["(.*)"\]', draw(MENU, "zh-CN", {"welcome": evil}))
    assert label is not None
    assert label[1] == "a#34;] --#62; b; #60;script#62;#35;#96;#38; c#92;<br/>recorded"


def test_long_prompts_are_cut() -> None:
    assert "长" * 39 + "…" in draw(MENU, "zh-CN", {"welcome": "长" * 41})


def test_a_walk_in_text() -> None:
    assert walk_in_text(MENU, ["1", "9", "3", "0"], NOON, HOURS, TEXTS) == [
        "[welcome]",
        "    您好",
        "    <recorded>",
        "[language]",
        "    <choose-language>",
        "    <choose-language>",
        "  > 1",
        "  (language: zh-CN)",
        "[hours]",
        "[sections]",
        "    咨询请按1",
        "  > 9 (means nothing here)",
        "    <invalid>",
        "    咨询请按1",
        "  > 3",
        "[to-ticketing]",
        "    <transferring>",
        "=> a person of 票务服务科 (queue ticketing, language zh-CN, priority 0): chosen",
        "   keys not needed: 0",
    ]


def test_silence_at_night() -> None:
    lines = walk_in_text(MENU, ["-"], NIGHT, HOURS, TEXTS, priority=True)
    assert "    07:00" in lines
    assert lines.count("  > (silence)") == 3
    assert lines[-1] == "=> a person of 投诉处理科 (queue complaint, language zh-CN, priority 10): gave up"


def test_a_closed_section_is_explained() -> None:
    assert "  (inquiry is closed, complaint answers)" in walk_in_text(MENU, ["0"], NIGHT, HOURS, TEXTS)


@pytest.mark.parametrize("key", ["x", "12", ""])
def test_a_key_that_no_telephone_has(key: str) -> None:
    with pytest.raises(MenuError, match="is not a key"):
        walk_in_text(MENU, ["1", key], NOON, HOURS, TEXTS)
