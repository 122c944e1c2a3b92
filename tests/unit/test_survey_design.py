"""The survey as data: read, linted, and put into a dialplan that asks by itself (Q2, Q5)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from asterisk_conf.install import AsteriskBuild
from calls.errors import SurveyError
from cases.surveys.design import AFTER_CALL, load_design
from service.asterisk import Asterisk
from service.prompts import prompts_available
from service.settings import Settings
from service.surveys import survey_plan
from service.wiring import menu_of

SHIPPED = AFTER_CALL.read_text(encoding="utf-8")
BUILD = AsteriskBuild(("/bin/false",), Path("/usr/lib/asterisk/modules"), Path("/usr/share/asterisk"), "22.0")


def test_what_is_shipped() -> None:
    design = load_design(AFTER_CALL, prompts_available())
    assert (design.id, design.keys, design.dissatisfied_keys) == ("after-call@1", "12345", "45")
    assert [level.names["zh-CN"] for level in design.levels] == [
        *("非常满意", "满意", "一般", "不满意", "非常不满意")
    ]
    assert [dimension.id for dimension in design.dimensions] == ["attitude", "efficiency", "solving", "accuracy"]
    with pytest.raises(SurveyError):
        design.level(6)


@pytest.mark.parametrize(
    ("good", "bad", "said"),
    [
        ("weight = 0.3", "weight = 0.4", "add up to 1"),
        ('id = "solving"', 'id = "attitude"', "twice"),
        ('id = "solving"', 'id = "Solving,System(x)"', "small letters"),
        ('name = "after-call"', 'name = "after call"', "small letters"),
        ("points = 75", "points = 10", "best to the worst"),
        ("points = 75", "points = 101", "less than or equal"),
        ("dissatisfied = true", "dissatisfied = false", "say dissatisfied"),
        ("points = 0\ndissatisfied = true", "points = 0\ndissatisfied = false", "stands below"),
        ('prompt = "survey-solving"', 'prompt = "survey-nothing"', "no prompt 'survey-nothing' in en"),
        ('en = "Very satisfied"', 'fr = "Très satisfait"', "missing in en: 非常满意"),
        ("version = 1", "version = 0", "version"),
        ("version = 1", "version = 1\ncolour = 1", "colour"),
        ("version = 1", "version = ", "Invalid value"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, good: str, bad: str, said: str) -> None:
    assert good in SHIPPED
    count = -1 if said == "say dissatisfied" else 1
    (tmp_path / "x.toml").write_text(SHIPPED.replace(good, bad, count), encoding="utf-8")
    with pytest.raises(SurveyError, match=re.escape(said)):
        load_design(tmp_path / "x.toml", prompts_available())


def test_a_design_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SurveyError, match=r"x\.toml"):
        load_design(tmp_path / "x.toml", prompts_available())


def dialplan(tmp_path: Path, **survey: object) -> str:
    settings = Settings.model_validate({"var_dir": str(tmp_path), "survey": survey})
    asterisk = Asterisk(settings, menu_of(settings))
    asterisk.prepare(BUILD)
    return (asterisk.dirs.etc / "extensions.conf").read_text(encoding="utf-8")


def test_the_dialplan_asks_as_the_design_says(tmp_path: Path) -> None:
    text = dialplan(tmp_path)
    assert text.count("?survey,s,1)") == text.count(",Queue(") == 4
    assert "ASKED,${ASK_SECTION}|${CHANNEL(language)}|${ASK_PRIORITY}|${ASK_BY}|after-call@1)" in text
    assert "Set(POINTS=100:75:50:25:0)" in text
    for dimension, weight in (("attitude", 0.3), ("efficiency", 0.2), ("solving", 0.3), ("accuracy", 0.2)):
        assert f"SURVEY_ANSWERED,{dimension}|${{KEY}}|${{CUT(POINTS,:,${{KEY}})}}|{weight})" in text
    # No agent, no service and no variable of the management link has a say in it.
    survey = text[text.index("[survey]") : text.index("[connected]")]
    assert "AGI(" not in survey and "AGENT" not in survey


def test_where_nobody_is_asked_the_call_ends_with_the_talk(tmp_path: Path) -> None:
    text = dialplan(tmp_path, enabled=False)
    assert "survey" not in text.replace("survey-", "") and "Queue(${SECTION},nr,,," in text
    assert survey_plan(Settings.model_validate({"survey": {"enabled": False}})) is None


def test_where_everybody_is_asked_every_time_no_number_is_remembered(tmp_path: Path) -> None:
    text = dialplan(tmp_path, every_days=0)
    assert "SHA1" not in text and "SURVEY_INVITED" in text
