"""Satisfaction asked after the call (Q2): what came of one call's survey, folded from its events (K3, K6)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from calls.events import (
    AnyEvent,
    SparedWhy,
    SurveyAnswered,
    SurveyBegan,
    SurveyInvited,
    SurveyRated,
    SurveyReasonGiven,
    SurveySpared,
)

_WHOLE = 1.0
_ROUNDING = 1e-6


class Invitation(StrEnum):
    """Whether the caller of an answered call was invited to rate, and if not, why not."""

    OPEN = "open"
    """The call goes on."""
    INVITED = "invited"
    SPARED = "spared"
    """The agent hung up first, and the caller was let go: asked only lately."""
    CALLER_LEFT = "caller_left"
    """The caller hung up first, so nobody was there to invite."""
    MISSED = "missed"
    """The caller stayed, and was not invited: handed on, or cut off. Counted against the agent."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One of the four dimensions of Q2, answered."""

    dimension: str
    level: int
    points: float
    weight: float
    """Of all dimensions together 1."""


@dataclass(frozen=True, slots=True)
class Survey:
    """What a caller was asked after the talk, and said."""

    design: str
    """Name and version of the design that it was asked under, ``name@version`` (Q5)."""
    invited_at: datetime | None = None
    spared: SparedWhy | None = None
    spared_at: datetime | None = None
    began_at: datetime | None = None
    """When the caller first pressed a key, a right one or not."""
    rated_at: datetime | None = None
    level: int | None = None
    """1 is the best of the scale."""
    dissatisfied: bool | None = None
    reason_at: datetime | None = None
    """When the caller began to say why; the sound is kept under ``calls.ids.reason_of(call id)``."""
    answers: tuple[Answer, ...] = ()

    @property
    def left_at(self) -> datetime | None:
        """When the agent had left and the caller was still there."""
        return self.invited_at or self.spared_at

    @property
    def points(self) -> float | None:
        """The weighted score (K6); ``None`` unless every dimension was answered."""
        if abs(sum(answer.weight for answer in self.answers) - _WHOLE) > _ROUNDING:
            return None
        return round(sum(answer.weight * answer.points for answer in self.answers), 6)


def survey_of(facts: Sequence[AnyEvent], due: str) -> Survey | None:
    """The survey of one call; ``None`` where none was due under a design and nothing was asked."""
    fields: dict[str, object] = {}
    for event in facts:
        fields.update(_said(event))
    answers = tuple(sorted(_answers(facts), key=lambda answer: answer.dimension))
    if not (due or fields or answers):
        return None
    return Survey(**{"design": due, **fields, "answers": answers})  # type: ignore[arg-type]


def _said(event: AnyEvent) -> dict[str, object]:
    match event:
        case SurveyInvited():
            return {"design": event.design, "invited_at": event.at}
        case SurveySpared():
            return {"spared": event.why, "spared_at": event.at}
        case SurveyBegan():
            return {"began_at": event.at}
        case SurveyRated():
            return {"rated_at": event.at, "level": event.level, "dissatisfied": event.dissatisfied}
        case SurveyReasonGiven():
            return {"reason_at": event.at}
        case _:
            return {}


def _answers(facts: Iterable[AnyEvent]) -> Iterable[Answer]:
    for event in facts:
        if isinstance(event, SurveyAnswered):
            yield Answer(event.dimension, event.level, event.points, event.weight)
