"""The rule sets that come with the product: each judges its own examples as it says (A2 to A6)."""

from __future__ import annotations

from pathlib import Path

import opencc
import pytest

from qa.rules.examples import failures
from qa.rules.loader import load_rules, packs
from qa.rules.model import Examples, RuleSet


@pytest.mark.parametrize("path", packs(), ids=lambda path: path.stem)
def test_a_pack_judges_its_own_examples_so(path: Path) -> None:
    assert list(failures(load_rules(path))) == []


@pytest.mark.parametrize("script", ["s2t", "s2hk"])
def test_the_mandarin_pack_judges_traditional_script_alike(script: str) -> None:
    """Recognisers write either, and so do people."""
    rules = load_rules(next(path for path in packs() if path.stem == "zh-CN"))
    written = traditional(rules, script)
    assert written.rules != rules.rules
    assert list(failures(written)) == []


def traditional(rules: RuleSet, script: str) -> RuleSet:
    """The rules, whose examples are written in traditional script."""
    convert = opencc.OpenCC(script).convert

    def examples(of: Examples) -> Examples:
        calls = {name: tuple(tuple(map(convert, call)) for call in found) for name, found in of}
        return Examples.model_validate(calls)

    return rules.model_copy(
        update={
            "rules": tuple(rule.model_copy(update={"examples": examples(rule.examples)}) for rule in rules.rules)
        }
    )


def test_the_packs_are_there() -> None:
    assert [path.stem for path in packs()] == ["en", "ko", "zh-CN"]
