"""Calls after which the caller is asked to rate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from calls.events import (
    AnyEvent,
    EndedBy,
    PersonAsked,
    SparedWhy,
    SurveyAnswered,
    SurveyBegan,
    SurveyInvited,
    SurveyRated,
    SurveyReasonGiven,
    SurveySpared,
)
from calls.ids import CallId, Language, SectionId
from tests.support_ledger import NOON, Ring, story

DESIGN = "after-call@1"
WEIGHTS = {"attitude": 0.3, "efficiency": 0.2, "solving": 0.3, "accuracy": 0.2}


def surveyed(
    call_id: str,
    *,
    start: datetime = NOON,
    agent: str = "1001",
    section: str = "inquiry",
    language: str = "zh-CN",
    trunk: str = "city",
    invited: bool = True,
    spared: bool = False,
    level: int | None = None,
    answers: Mapping[str, float] | None = None,
    reason: bool = False,
    ended: float | None = 60,
    by: EndedBy = EndedBy.SYSTEM,
    due: str = DESIGN,
) -> list[AnyEvent]:
    """A call whose talk lasts from second 10 to second 40, and what is asked after it."""
    call = CallId(call_id)

    def at(second: float) -> datetime:
        return start + timedelta(seconds=second)

    ring = Ring(agent, rang=6, answered=9, connected=10, ended=40, cause=16)
    told = [
        replace(event, survey=due, section=SectionId(section), language=Language(language))
        if isinstance(event, PersonAsked)
        else event
        for event in story(call_id, start=start, asked=5, rings=[ring], ended=ended, by=by, trunk=trunk)
    ]
    if spared:
        told.append(SurveySpared(call_id=call, at=at(40.02), why=SparedWhy.RECENT))
    elif invited:
        told.append(SurveyInvited(call_id=call, at=at(40.02), design=DESIGN))
    if level is not None:
        told.append(SurveyBegan(call_id=call, at=at(45)))
        told.append(SurveyRated(call_id=call, at=at(45.01), level=level, dissatisfied=level >= 4))
    if reason:
        told.append(SurveyReasonGiven(call_id=call, at=at(46)))
    for number, (dimension, points) in enumerate((answers or {}).items()):
        told.append(
            SurveyAnswered(
                call_id=call,
                at=at(50 + number),
                dimension=dimension,
                level=int(5 - points // 25),
                points=points,
                weight=WEIGHTS[dimension],
            )
        )
    return told
