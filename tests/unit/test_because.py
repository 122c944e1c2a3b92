"""Why a rule says what it says, for readers of either language (A2 to A6)."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from calls.custody import Bandwidth
from calls.explanations import Explanation, Reason, Weakness
from calls.ids import Language
from calls.verdicts import Outcome
from console.because import because
from console.texts import LANGUAGES, load_texts
from qa.rules import judge, load_rules, packs
from qa.rules.examples import spoken

TEXTS = {language: load_texts(language) for language in LANGUAGES}
ZH, EN = (TEXTS[language] for language in LANGUAGES)


@pytest.mark.parametrize(
    ("explanation", "chinese", "english"),
    [
        (
            Explanation.of(Reason.NOT_HEARD, phrases=("您好", "早上好"), until_s=12.4),
            "通话开始 12.4 秒内未听到“您好”、“早上好”",
            "In the first 12.4 s of the call, not heard: “您好”, “早上好”",
        ),
        (
            Explanation.of(Reason.NOT_HEARD, phrases=tuple("甲乙丙丁戊己庚"), since_s=61.5).but(Weakness.NARROW),
            "通话第 61.5 秒之后未听到“甲”、“乙”、“丙”、“丁”、“戊”、“己”等，但线路为窄带音质，不足以认定",
            "From second 61.5 of the call on, not heard: “甲”, “乙”, “丙”, “丁”, “戊”, “己” and others; "
            "but the line is narrowband, so nothing is proven",
        ),
        (
            Explanation.of(Reason.HEARD, phrases=("不归我们管",), alike=1.0),
            "听到“不归我们管”（读音相似度 100%）",
            "Heard: “不归我们管” (100% alike by sound)",
        ),
        (
            Explanation.of(Reason.SHARE, share=0.724, least=0.3, most=0.7),
            "座席说话时间占 72%，应为 30% 至 70%",
            "The agent speaks 72% of the time; 30% to 70% are in order",
        ),
        (
            Explanation.of(Reason.OTHER_NUMBER, number="0047"),
            "清楚报出的工号与本人工号 0047 不符",
            "Another number than 0047 was heard, clearly",
        ),
    ],
)
def test_a_reader_reads_it_in_the_own_language(explanation: Explanation, chinese: str, english: str) -> None:
    assert because(ZH, explanation).text == chinese
    assert because(EN, explanation).text == english
    assert because(ZH, explanation).language == "zh-CN"


def test_a_sentence_of_an_older_verdict_stands_as_it_was_written_and_is_masked() -> None:
    told = because(ZH, Explanation.written("heard: 电话 13812345678"))
    assert told.text.startswith("heard: 电话") and "13812345678" not in told.text
    assert told.language == "en"


@pytest.mark.parametrize("path", packs(), ids=lambda path: path.stem)
def test_whatever_the_rules_say_of_their_examples_can_be_told(path: Path) -> None:
    """As spoken, on a narrow line, with unsure words, and with one side missing: every place to fill is filled."""
    rules = load_rules(path)
    seen: set[Reason] = set()
    for rule in rules.rules:
        for outcome in Outcome:
            for lines in getattr(rule.examples, outcome.value):
                as_spoken = spoken(lines, rules.language)
                legs = as_spoken.transcript.legs
                narrow = tuple(replace(leg, bandwidth=Bandwidth.NARROW) for leg in legs)
                for heard in (legs, narrow, legs[:1], legs[1:], ()):
                    call = replace(as_spoken, transcript=replace(as_spoken.transcript, legs=heard))
                    for verdict in judge(rules, call, call.facts.arrived_at):
                        seen.add(verdict.explanation.reason)
                        for texts in TEXTS.values():
                            assert not re.search(r"[{}$]", because(texts, verdict.explanation).text)
    assert len(seen) > 5, seen


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_reason_and_weakness_has_words(language: Language) -> None:
    keys = TEXTS[language].keys
    assert {f"because.{reason}" for reason in Reason if reason is not Reason.WRITTEN} <= keys
    assert {f"weakness.{weakness}" for weakness in Weakness} <= keys
