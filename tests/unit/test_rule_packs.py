"""The rule sets that come with the product: each judges its own examples as it says (A2 to A6)."""

from __future__ import annotations

from pathlib import Path

import pytest

from qa.rules.examples import failures
from qa.rules.loader import load_rules, packs


@pytest.mark.parametrize("path", packs(), ids=lambda path: path.stem)
def test_a_pack_judges_its_own_examples_so(path: Path) -> None:
    assert [str(failure) for failure in failures(load_rules(path))] == []


def test_the_packs_are_there() -> None:
    assert [path.stem for path in packs()] == ["en", "ko", "zh-CN"]
