"""What callers said of their calls, as lists of calls ask and tell it (K3, K6, Q2)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Table, and_, exists, func, literal, not_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from calls.ids import CallId
from calls.lists import Rating
from calls.ports import Tally
from storage.survey_tables import surveys
from storage.tables import calls

_RATED: ColumnElement[bool] = surveys.c.rated_at.is_not(None)
_UNHAPPY: ColumnElement[bool] = func.coalesce(surveys.c.dissatisfied, False)

OF_SURVEYS: Mapping[str, ColumnElement[bool]] = {
    Tally.INVITED: surveys.c.invited_at.is_not(None),
    Tally.RATED: _RATED,
    Tally.DISSATISFIED: _UNHAPPY,
    Tally.SURVEYS: surveys.c.points.is_not(None),
}
"""Which surveys, tests apart, each tally counts; lists of calls show the calls of the same ones."""


def surveyed(tally: str) -> ColumnElement[bool]:
    """Calls whose survey a tally counts."""
    return _with_survey(calls, OF_SURVEYS[tally])


def rated(rating: Rating, of: Table = calls) -> ColumnElement[bool]:
    """Calls that were rated so; with ``of``, rows of another table that has a ``call_id``."""
    match rating:
        case Rating.SATISFIED:
            return _with_survey(of, and_(_RATED, not_(_UNHAPPY)))
        case Rating.DISSATISFIED:
            return _with_survey(of, and_(_RATED, _UNHAPPY))
        case Rating.NONE:
            return ~_with_survey(of, _RATED)


async def ratings(connection: AsyncConnection, ids: Collection[CallId]) -> dict[CallId, Rating]:
    """What the callers of these calls said; whoever said nothing is left out."""
    if not ids:
        return {}
    wanted = select(surveys.c.call_id, _UNHAPPY.label("unhappy")).where(surveys.c.call_id.in_(ids), _RATED)
    rows = await connection.execute(wanted)
    return {CallId(row.call_id): Rating.DISSATISFIED if row.unhappy else Rating.SATISFIED for row in rows}


def _with_survey(of: Table, which: ColumnElement[Any]) -> ColumnElement[bool]:
    own = surveys.c.call_id == of.c.call_id
    return exists(select(literal(1)).select_from(surveys).where(own, which).correlate(of))
