"""The texts of the prompts, and which file is played for each."""

from __future__ import annotations

from pathlib import Path

import pytest

from asterisk_conf.prompt_manifest import (
    generated_file,
    load_manifest,
    prompt_file,
    studio_file,
    to_be_spoken,
)
from calls.errors import PromptError

TWO_PROMPTS = """
languages = ["zh-CN", "en"]
[prompts.welcome]
zh-CN = "您好。"
en = "Hello."
[parts]
minutes = { zh-CN = "分，" }
[pronunciations.zh-CN]
"分" = "fēn"
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "prompts.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_manifest_is_read(tmp_path: Path) -> None:
    manifest = load_manifest(written(tmp_path, TWO_PROMPTS))
    assert manifest.languages == ("zh-CN", "en")
    assert manifest.texts == {"zh-CN": {"welcome": "您好。", "minutes": "分，"}, "en": {"welcome": "Hello."}}
    assert manifest.available == {"zh-CN": {"welcome", "minutes"}, "en": {"welcome"}}
    assert manifest.pronunciations == {"zh-CN": {"分": "fēn"}}


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ("[prompts.welcome]", "[[prompts.welcome", "prompts.toml"),
        ('en = "Hello."', "", "no text in en"),
        ('en = "Hello."', 'en = " "', "no text for 'en'"),
        ('en = "Hello."', 'en = "Hello."\nfr = "Bonjour."', "unknown language 'fr'"),
        ("minutes =", "welcome =", "both a prompt and a part"),
        ("[pronunciations.zh-CN]", "[pronounciations.zh-CN]", "unknown key 'pronounciations'"),
        ("[prompts.welcome]", "[prompts]", "table of tables"),
    ],
)
def test_a_faulty_manifest_is_refused_and_says_why(tmp_path: Path, right: str, wrong: str, said: str) -> None:
    assert right in TWO_PROMPTS
    with pytest.raises(PromptError, match=said):
        load_manifest(written(tmp_path, TWO_PROMPTS.replace(right, wrong)))


def test_a_manifest_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PromptError, match=r"nowhere\.toml"):
        load_manifest(tmp_path / "nowhere.toml")


def test_a_studio_recording_wins_file_by_file(tmp_path: Path) -> None:
    for path in (generated_file("en", "welcome", tmp_path), generated_file("en", "goodbye", tmp_path)):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    assert prompt_file("en", "welcome", tmp_path) == tmp_path / "en" / "welcome.wav"
    studio = studio_file("en", "welcome", tmp_path)
    studio.parent.mkdir()
    studio.touch()
    assert prompt_file("en", "welcome", tmp_path) == tmp_path / "en" / "studio" / "welcome.wav"
    assert prompt_file("en", "goodbye", tmp_path) == tmp_path / "en" / "goodbye.wav"


def test_a_prompt_without_any_recording_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(PromptError, match="'welcome' has no recording in en"):
        prompt_file("en", "welcome", tmp_path)


def test_the_generator_leaves_studio_recordings_alone(tmp_path: Path) -> None:
    manifest = load_manifest(written(tmp_path, TWO_PROMPTS))
    everything = [
        ("zh-CN", "welcome", "您好。"),
        ("zh-CN", "minutes", "分，"),
        ("en", "welcome", "Hello."),
    ]
    assert to_be_spoken(manifest, root=tmp_path) == everything
    studio = studio_file("zh-CN", "welcome", tmp_path)
    studio.parent.mkdir(parents=True)
    studio.touch()
    assert to_be_spoken(manifest, root=tmp_path) == everything[1:]
    assert to_be_spoken(manifest, ["welcome"], tmp_path) == everything[2:]


def test_the_generator_speaks_what_is_missing_or_what_it_is_told(tmp_path: Path) -> None:
    manifest = load_manifest(written(tmp_path, TWO_PROMPTS))
    generated_file("en", "welcome", tmp_path).parent.mkdir()
    generated_file("en", "welcome", tmp_path).touch()
    assert [entry[:2] for entry in to_be_spoken(manifest, root=tmp_path)] == [
        ("zh-CN", "welcome"),
        ("zh-CN", "minutes"),
    ]
    assert [entry[:2] for entry in to_be_spoken(manifest, ["welcome"], tmp_path)] == [
        ("zh-CN", "welcome"),
        ("en", "welcome"),
    ]


def test_the_generator_refuses_an_unknown_prompt(tmp_path: Path) -> None:
    with pytest.raises(PromptError, match="no prompt 'welcom'"):
        to_be_spoken(load_manifest(written(tmp_path, TWO_PROMPTS)), ["welcom"], tmp_path)
