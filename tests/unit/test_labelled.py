"""The labelled dialogues, and the tables in docs/rules.md that come of them."""

from __future__ import annotations

from collections import Counter

import pytest

from bench.judging import page
from bench.judging.labelled import Labelled, labelled
from bench.judging.score import NOISES, Score, score, verdicts
from calls.verdicts import Outcome
from qa.rules import load_rules, packs


@pytest.fixture(scope="module")
def dialogues() -> list[Labelled]:
    return list(labelled())


def test_there_are_enough_dialogues_at_every_noise(dialogues: list[Labelled]) -> None:
    assert len(dialogues) >= 200
    assert set(Counter(each.noise for each in dialogues)) == set(NOISES)


def test_every_rule_of_the_mandarin_pack_is_broken_and_kept_several_times(dialogues: list[Labelled]) -> None:
    truths = Counter((rule, truth) for each in dialogues if each.conversation.facts.language == "zh-CN"
                     for rule, truth in each.truth.items())  # fmt: skip
    rules = next(load_rules(path) for path in packs() if path.stem == "zh-CN").rules
    assert [rule.id for rule in rules if truths[rule.id, Outcome.BROKEN] < 10] == []
    assert [rule.id for rule in rules if truths[rule.id, Outcome.KEPT] < 5] == []


def test_the_page_has_the_tables_of_these_rules() -> None:
    """If this fails: python -m bench.judging --write, and look at what changed."""
    assert f"Basis: `{page.basis()}`" in page.tables_in(page.FILE.read_text(encoding="utf-8"))


def test_clear_speech_is_hardly_ever_misjudged(dialogues: list[Labelled]) -> None:
    """A few dialogues without noise, so that the dialogues, the engine and the score fit together."""
    clear = [each for each in dialogues if each.noise == "none" and each.conversation.facts.language == "zh-CN"]
    of = score(verdicts(clear[:12], [load_rules(path) for path in packs()]))
    assert of.precision is not None and of.precision > 0.8
    assert of.recall is not None and of.recall > 0.8


def test_what_cannot_be_judged_counts_in_neither_precision_nor_recall() -> None:
    of = Score(verdicts=20, broken=10, found=6, accused=2, missed=2, unjudged=5)
    assert (of.precision, of.recall, of.found_of_all) == (0.75, 0.75, 0.6)
    assert score([]).precision is None


def test_a_page_without_the_marks_is_not_written_to() -> None:
    with pytest.raises(ValueError, match="marks"):
        page.with_tables("# Rules", "| a |")
