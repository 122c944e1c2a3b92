"""What the quality pages and Prometheus need of the rest: rules in force, terms, what is open (Q1, Q3)."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncEngine

from calls.ids import SectionId
from console.quality.terms import QualityTerms
from metrics import catalogue
from metrics.exporter import Exporter
from service.books import workdays_of_china
from service.cases import clocks_of
from service.judging import rule_sets
from service.settings import Settings
from storage.quality_figures import SqlQualityFigures

_COMPLAINTS = SectionId("complaint")
"""Of ``settings.SECTIONS``: takes complaints (A8)."""


def quality_terms(settings: Settings) -> QualityTerms:
    """What the pages go by. Raises RuleError, and SettingsError for special days that cannot be read."""
    return QualityTerms(
        rules=rule_sets(settings),
        workdays=workdays_of_china(),
        kind_of_day=clocks_of(settings).calendar.kind,
        appeal_workdays=settings.quality.appeal_workdays,
        complaints=_COMPLAINTS,
    )


class QualityGauges:
    """Keeps the figures of the quality work in Prometheus, in the background."""

    def __init__(self, engine: AsyncEngine, exporter: Exporter) -> None:
        self._figures = SqlQualityFigures(engine)
        self._exporter = exporter

    async def refresh(self) -> None:
        """Count once. Raises StorageError."""
        found, tell = await self._figures.open_work(), self._exporter.set
        tell(catalogue.SCORES, found.scored)
        tell(catalogue.SCORES_OPEN, found.to_score)
        tell(catalogue.SCORES_UNANSWERED, found.to_acknowledge)
        tell(catalogue.APPEALS_OPEN, found.appeals)
        tell(catalogue.COACHING_OPEN, found.coaching)
