"""From a score to its acknowledgement, or to a decision on an appeal: which step follows which, until when."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta, tzinfo
from enum import StrEnum

from calls.errors import NotNow
from calls.periods import midnight
from calls.quality import Score, ScoreState
from calls.workdays import Days


class Act(StrEnum):
    """What can be done to a score."""

    HAND_IN = "hand_in"
    """The first revision."""
    REVISE = "revise"
    """Another one, by the scorer, before the agent has said anything."""
    ACKNOWLEDGE = "acknowledge"
    APPEAL = "appeal"
    UPHOLD = "uphold"
    CHANGE = "change"
    """The lead decides for the agent and hands in another revision."""


_STEPS: dict[tuple[ScoreState, Act], ScoreState] = {
    (ScoreState.OPEN, Act.HAND_IN): ScoreState.SCORED,
    (ScoreState.SCORED, Act.REVISE): ScoreState.SCORED,
    (ScoreState.SCORED, Act.ACKNOWLEDGE): ScoreState.ACKNOWLEDGED,
    (ScoreState.SCORED, Act.APPEAL): ScoreState.APPEALED,
    (ScoreState.APPEALED, Act.UPHOLD): ScoreState.UPHELD,
    (ScoreState.APPEALED, Act.CHANGE): ScoreState.CHANGED,
}
"""One appeal for each score: what was decided stands."""


def following(state: ScoreState, act: Act) -> ScoreState:
    """The state after an act. Raises NotNow if it does not follow."""
    try:
        return _STEPS[state, act]
    except KeyError:
        raise NotNow(f"{act.value} does not follow {state.value}") from None


def after(score: Score, act: Act, now: datetime) -> ScoreState:
    """As ``following``, and an appeal within its term only. Raises NotNow."""
    state = following(score.state, act)
    if act is Act.APPEAL and (score.appeal_until is None or now >= score.appeal_until):
        raise NotNow("the term for an appeal is over")
    return state


def can(score: Score, act: Act, now: datetime) -> bool:
    """Whether the act is open now."""
    try:
        after(score, act, now)
    except NotNow:
        return False
    return True


def term_end(scored_at: datetime, days: int, kind_of: Callable[[date], Days], zone: tzinfo) -> datetime:
    """The moment before which an appeal must come: the end of the last of so many working days after the day.

    ``kind_of`` tells what a day is, by the operator's calendar.
    Days of a year whose public holidays are not published yet count as working from Monday to Friday.
    """
    day, left = scored_at.astimezone(zone).date(), days
    while left > 0:
        day += timedelta(days=1)
        kind = kind_of(day)
        if kind is Days.WORKING or (kind is Days.UNKNOWN and day.weekday() < 5):
            left -= 1
    return midnight(day + timedelta(days=1), zone)
