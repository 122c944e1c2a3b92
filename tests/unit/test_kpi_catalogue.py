"""The catalogue says all of every indicator, and the document says what the catalogue says (K1 to K7, Q5)."""

from __future__ import annotations

from pathlib import Path

import pytest

from calls.errors import FigureError
from calls.measures import LIMITS_S, Dimension
from metrics.kpi.catalogue import KPIS, Catalogue, kpi
from metrics.kpi.document import document
from metrics.kpi.model import LANGUAGES, Facts, Kpi

DOCUMENT = Path(__file__).parents[2] / "docs" / "kpi.md"
every_kpi = pytest.mark.parametrize("one", KPIS, ids=lambda one: f"{one.id}-v{one.version}")


def test_each_version_of_each_indicator_is_defined_once() -> None:
    known = [(one.id, one.version) for one in KPIS]
    assert len(set(known)) == len(known)


def test_every_indicator_of_the_rule_books_is_there() -> None:
    official = {one.id for one in KPIS if one.official}
    assert {"K1", "K2", "K2r", "K3", "K4", "K5", "K5sum", "K6", "K7t", "K7s"} <= official
    adjusted = {one.id for one in KPIS if not one.official}
    assert {"SL80_20", "ASA", "AHT", "OCC", "ABR", "ABR5", "TRR", "LW"} <= adjusted


@every_kpi
def test_every_definition_is_complete_in_both_languages(one: Kpi) -> None:
    for words in (one.names, one.formula, one.numerator, one.denominator, one.excluded, one.why):
        assert set(words) == set(LANGUAGES)
        assert all(text.strip() for text in words.values())
    assert one.source


@every_kpi
def test_of_nothing_no_share_is_made_up(one: Kpi) -> None:
    numerator, denominator = one.parts(Facts())
    assert numerator == 0
    assert denominator == (1 if one.unit == "calls" else 0)


def test_the_operators_limit_decides_which_version_of_k2_is_current() -> None:
    assert [(kpi("K2", limit_s=s).version, kpi("K2", limit_s=s).limit_s) for s in (15, 12, 21)] == [
        (1, 15),
        (2, 12),
        (1021, 21),
    ]
    assert kpi("K2r", limit_s=12).version == 2
    assert kpi("K1", limit_s=12).version == 1


def test_a_version_fixes_its_limit_whatever_is_current() -> None:
    for current_s in (12.0, 15.0, 21.0):
        catalogue = Catalogue(current_s)
        assert (catalogue.kpi("K2", 1).limit_s, catalogue.kpi("K2", 2).limit_s) == (15, 12)
        assert "15" in catalogue.kpi("K2", 1).formula["en"]


def test_any_limit_that_the_books_count_has_a_version() -> None:
    assert [kpi("K2", 1000 + int(limit_s)).limit_s for limit_s in LIMITS_S] == list(LIMITS_S)


@pytest.mark.parametrize(
    ("name", "version"),
    [("K9", None), ("", None), ("k1", None), ("K1", 2), ("K2", 0), ("K2", 3), ("K2", 1021), ("K2", -5)],
)
def test_what_is_not_defined_is_refused(name: str, version: int | None) -> None:
    with pytest.raises(FigureError):
        kpi(name, version)


def test_a_call_nobody_answered_belongs_to_no_agent_so_rates_over_all_calls_are_not_split_by_agent() -> None:
    split = {one.id for one in KPIS if Dimension.AGENT in one.dimensions}
    assert {"K2r", "AHT", "ASA", "TRR", "OCC"} <= split
    assert not split & {"K1", "K2", "SL80_20", "ABR", "ABR5", "K5"}


def test_the_document_is_up_to_date() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == document(), "run: sansheng kpi > docs/kpi.md"
