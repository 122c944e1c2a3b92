"""The survey after the call, as the dialplan is given it, which asks by itself: the service may be down (Q2)."""

from __future__ import annotations

from dataclasses import dataclass

from cases.surveys.design import SurveyDesign, load_design
from service.prompts import prompts_available
from service.settings import Settings

_ANSWER_S = 5
"""Silence after a question until it counts as none."""
_DAY_S = 86_400
_ASKING_S = 20
"""A question with its answer takes no longer."""
_PERMILLE = 1000


@dataclass(frozen=True, slots=True)
class SurveyPlan:
    """What the dialplan's templates need."""

    design: SurveyDesign
    every_s: int
    """A caller is invited once in so many seconds; 0: after every call."""
    share_permille: int
    """Of callers who rated, so many are asked the dimensions as well."""
    answer_s: int
    reason_s: int
    """A reason may take so long."""
    longest_s: int
    """After so many seconds the call ends, whatever it is doing."""

    @property
    def points(self) -> str:
        """The points of every key, the first key's first, as ``CUT`` reads them."""
        return ":".join(f"{level.points:g}" for level in self.design.levels)


def design_of(settings: Settings) -> SurveyDesign:
    """The design in force. Raises SurveyError with every finding."""
    return load_design(settings.survey.file, prompts_available())


def survey_plan(settings: Settings) -> SurveyPlan | None:
    """What to ask after the call; ``None`` where nothing is asked. Raises SurveyError."""
    survey = settings.survey
    if not survey.enabled:
        return None
    design = design_of(settings)
    return SurveyPlan(
        design=design,
        every_s=survey.every_days * _DAY_S,
        share_permille=round(survey.dimensions_share * _PERMILLE),
        answer_s=_ANSWER_S,
        reason_s=survey.reason_longest_s,
        longest_s=survey.reason_longest_s + 2 * _ASKING_S * (2 + len(design.dimensions)),
    )
