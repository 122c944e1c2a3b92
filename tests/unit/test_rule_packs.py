"""The rule sets that come with the product: each judges its own examples as it says (A2 to A6)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import opencc
import pytest

from calls.verdicts import Outcome
from qa.rules.examples import failures, spoken
from qa.rules.judge import judge
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


def test_who_calls_back_is_judged_by_what_can_be_demanded_there() -> None:
    """No greeting, no number, told at length: that is no broken rule of who calls; an insult is."""
    rules = load_rules(next(path for path in packs() if path.stem == "zh-CN"))
    lines = ["agent: 你的票已经退好了 钱三天之内退到卡上 你注意查收 你听不懂人话吗", "caller: 知道了"]
    call = spoken(lines, rules.language)
    back = replace(call, facts=replace(call.facts, outbound=True))
    answering = {each.rule: each.outcome for each in judge(rules, call, call.facts.arrived_at)}
    calling = {each.rule: each.outcome for each in judge(rules, back, call.facts.arrived_at)}
    assert answering["greeting"] is answering["agent-number"] is answering["no-insult"] is Outcome.BROKEN
    only_in = {"greeting", "agent-number", "section-named", "listening", "anything-else", "thanks"}
    assert answering.keys() - calling.keys() == only_in and calling.keys() < answering.keys()
    assert all(answering[rule] is outcome for rule, outcome in calling.items())
    assert calling["no-insult"] is Outcome.BROKEN
    outbound = replace_direction(rules, "outbound")
    assert {each.rule for each in judge(outbound, back, call.facts.arrived_at)} == answering.keys()
    assert judge(outbound, call, call.facts.arrived_at) == []
    assert list(failures(outbound)) == [], "its examples are calls back"


def replace_direction(rules: RuleSet, direction: str) -> RuleSet:
    changed = tuple(rule.model_copy(update={"direction": direction}) for rule in rules.rules)
    return rules.model_copy(update={"rules": changed})


def test_the_packs_are_there() -> None:
    assert [path.stem for path in packs()] == ["en", "ko", "zh-CN"]
