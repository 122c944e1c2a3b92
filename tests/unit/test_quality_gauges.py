"""What is open in the quality work, in Prometheus."""

from __future__ import annotations

from pathlib import Path

from calls.sampling import Risk
from metrics.exporter import Exporter
from service.quality import QualityGauges, quality_terms
from service.settings import Settings
from storage.engine import open_engine
from storage.scores import SqlScores
from tests.support_prepared import prepared
from tests.support_quality import score


async def test_open_work_is_counted(tmp_path: Path) -> None:
    engine = open_engine(await prepared("sqlite", tmp_path))
    exporter = Exporter(sections=(), limit_s=15.0, build={})
    await SqlScores(engine).open(score())
    await QualityGauges(engine, exporter).refresh()
    told = (await exporter.render()).decode()
    await engine.dispose()
    assert "hotline_scores_open 1.0" in told and "hotline_appeals_open 0.0" in told


def test_the_terms_know_which_rules_are_about_interruptions_and_silence() -> None:
    terms = quality_terms(Settings())
    assert terms.risky_rules == {
        Risk.INTERRUPTION: frozenset({"no-interruption"}),
        Risk.LONG_SILENCE: frozenset({"dead-air"}),
    }
    assert terms.appeal_workdays == 5 and "greeting" in terms.rule_ids
    assert terms.workdays.covers(2026)
