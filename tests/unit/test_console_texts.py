"""The console's words: the same in both languages, none missing, none left over."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from calls.call import Stage
from calls.custody import AccessKind, Leg
from calls.ids import Language
from calls.live import AgentState, LinkNow
from calls.people import Right, Role
from console import texts as module
from console.navigation import GROUPS
from console.texts import LANGUAGES, choose_language, load_texts

FOLDER = Path(module.__file__).parent
ROOT = FOLDER.parent
ZH, EN = LANGUAGES

_IN_TEMPLATE = re.compile(r"""\bt\(\s*["']([\w.]+)["'](?!\s*~)""")
_IN_CODE = re.compile(r"""\btexts\("([\w.]+)["]""")
_IN_QUOTES = re.compile(r""""(\w+\.\w+)\"""")
"""Whatever may be a key that is handed on: the text that is left for the next page, say."""
_GROUPS_BY_NAME = ("link", "link_banner", "state", "stage", "reason", "language", "figures", "calls")
_GROUPS_BY_NAME += ("column", "result", "outcome", "severity", "leg", "course", "ended_by", "keys", "grain")
_GROUPS_BY_NAME += (
    "nav",
    "attempt_step",
    "failed_at",
    "rating",
    "refusal",
    "role",
    "right",
    "weak",
    "access_kind",
    "access_leg",
)
_GROUPS_BY_NAME += tuple(
    f"desk_{group}"
    for group in (
        *("stage", "result", "matter", "promise", "origin", "outcome", "reason"),
        *("field", "wrong"),
    )
)
_GROUPS_BY_NAME += ("callback_result", "callback_outcome", "outage_reason")
_GROUPS_BY_NAME += tuple(
    f"case_{group}"
    for group in (
        *("field", "wrong", "act", "do", "state", "step", "clock", "channel", "type", "urgency", "importance"),
        *("answer", "reason", "link", "figures"),
    )
)
_GROUPS_BY_NAME += ("order_state",)
_GROUPS_BY_NAME += tuple(
    f"quality_{group}"
    for group in (
        *("flash", "state", "part", "risk", "stratum", "grain", "kind", "outcome", "overrule", "step"),
        *("kappa", "caution", "fault", "plan_fault", "round_fault"),
    )
)
_GROUPS_BY_NAME += ("team_how", "team_step", "menus_kind", "menus_way", "rulebook_severity", "rulebook_outcome")
_GROUPS_BY_NAME += tuple(
    f"ops_{group}" for group in ("grain", "component", "works", "wrong", "leg", "state", "difference")
)
_GROUPS_BY_NAME += ("vault_leg", "because", "weakness")
_GROUPS_BY_NAME += ("public_file", "case_files_kind")
_GROUPS_BY_NAME += tuple(f"intake_{group}" for group in ("type", "wrong", "trouble", "progress", "meaning"))


def placeholders(text: str) -> set[str]:
    return set(re.findall(r"\{(\w+)\}", text))


def test_both_languages_have_the_same_keys_and_the_same_places_to_fill() -> None:
    chinese, english = load_texts(ZH), load_texts(EN)
    assert chinese.keys == english.keys
    for key in chinese.keys:
        assert chinese(key).strip(), key
        assert english(key).strip(), key
        assert placeholders(chinese(key)) == placeholders(english(key)), key


def test_english_is_not_left_untranslated() -> None:
    english = load_texts(EN)
    chinese_signs = re.compile(r"[\u3000-\u9fff\uff00-\uffef]")
    found = [key for key in english.keys if chinese_signs.search(english(key))]
    assert sorted(found) == ["frame.other_language", "page.other_language"]


def used_keys() -> set[str]:
    templates = "".join(path.read_text("utf-8") for path in (FOLDER / "templates").rglob("*.j2"))
    code = "".join(path.read_text("utf-8") for path in FOLDER.rglob("*.py"))
    return set(_IN_TEMPLATE.findall(templates)) | set(_IN_CODE.findall(code))


def test_every_text_that_is_used_exists() -> None:
    keys = used_keys()
    assert len(keys) > 20, "the search finds the uses"
    assert keys <= load_texts(ZH).keys


def test_no_text_is_left_over() -> None:
    by_name = {key for key in load_texts(ZH).keys if key.startswith(tuple(f"{g}." for g in _GROUPS_BY_NAME))}
    code = "".join(path.read_text("utf-8") for path in FOLDER.rglob("*.py"))
    assert load_texts(ZH).keys - used_keys() - set(_IN_QUOTES.findall(code)) - by_name == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_state_stage_and_link_has_a_word(language: Language) -> None:
    texts = load_texts(language)
    for state in AgentState:
        assert texts(f"state.{state}")
    for stage in Stage:
        if stage is not Stage.ENDED:
            assert texts(f"stage.{stage}")
    for link in LinkNow:
        assert texts(f"link.{link}")
        if link is not LinkNow.UP:
            assert texts(f"link_banner.{link}")
    for other in LANGUAGES:
        assert texts.named("language", other) != other


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_role_right_and_kind_of_access_has_a_word(language: Language) -> None:
    texts = load_texts(language)
    for group, names in (("role", Role), ("right", Right), ("access_kind", AccessKind), ("access_leg", Leg)):
        for name in names:
            assert texts(f"{group}.{name.value}")
    for group_of_links in GROUPS:
        assert texts(f"nav.{group_of_links.text}")
        for link in group_of_links.links:
            assert texts(f"nav.{link.text}")


def test_a_name_from_outside_without_a_text_stands_for_itself() -> None:
    assert load_texts(EN).named("reason", "flood drill") == "flood drill"


def test_a_text_that_does_not_exist_is_an_error() -> None:
    with pytest.raises(KeyError):
        load_texts(EN)("page.nonsense")


@pytest.mark.parametrize(
    ("asked", "accept", "chosen"),
    [
        (None, "", ZH),
        (None, "fr-FR, de;q=0.5", ZH),
        (None, "en-GB,en;q=0.9", EN),
        (None, "zh-TW,zh;q=0.9,en;q=0.8", ZH),
        (None, "fr, zh;q=0.3, en;q=0.8", EN),
        (None, "en;q=0, en;q=nonsense", EN),
        ("en", "zh-CN", EN),
        ("zh-CN", "en", ZH),
        ("EN", "zh", EN),
        ("klingon", "en", EN),
    ],
)
def test_the_readers_language(asked: str | None, accept: str, chosen: Language) -> None:
    assert choose_language(asked, accept) == chosen


def test_calling_back_has_one_name() -> None:
    """回拨: in the console, the catalogue, dashboards, reports and alerts. What people say is theirs."""
    told = [*FOLDER.rglob("zh-CN/*.ftl"), ROOT / "README.zh-CN.md", ROOT / "docs" / "kpi.md"]
    told += [file for ending in ("py", "json", "yml", "toml") for file in (ROOT / "metrics").rglob(f"*.{ending}")]
    assert len(told) > 60
    found = [
        f"{file.name}: {line}" for file in told for line in file.read_text("utf-8").splitlines() if "回电" in line
    ]
    assert [line for line in found if "promise_hint" not in line] == []
