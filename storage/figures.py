"""K1, K2 and K2r as one statement over the read model."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, func, or_, select, true

from calls.call import Result
from calls.ports import DayFigures, Ratio
from storage.tables import calls, offers

_HEARD = calls.c.connected_at.is_not(None)
_ASKED_AND_ENDED = and_(calls.c.asked_at.is_not(None), calls.c.ended_at.is_not(None))
_FATE_KNOWN = or_(_HEARD, _ASKED_AND_ENDED)
_PICKED_UP = offers.c.answered_at.is_not(None)
# An offer may still ring although its call has been answered (a transfer): nobody knows yet how it comes out.
_OFFER_OVER = or_(_PICKED_UP, offers.c.ended_at.is_not(None), calls.c.ended_at.is_not(None))


def _count(name: str, *conditions: ColumnElement[bool]) -> ColumnElement[int]:
    return func.count().filter(and_(*conditions)).label(name)


def figures_query(since: datetime, until: datetime, limit_s: float) -> Select[Any]:
    """One row that ``figures_of`` reads: all counts over calls that arrived in ``[since, until)``.

    One statement, so that every count sees the same state of the ledger.
    """
    arrived = and_(calls.c.arrived_at >= since, calls.c.arrived_at < until)
    of_calls = (
        select(
            func.count().label("arrived"),
            _count("counted", _FATE_KNOWN),
            _count("answered", _HEARD),
            _count("in_time", _HEARD, calls.c.wait_s <= limit_s),
            _count("abandoned", calls.c.result == Result.ABANDONED),
            _count("callbacks", calls.c.result == Result.CALLBACK),
            _count("missing_recordings", calls.c.recording_missing),
        )
        .where(arrived)
        .subquery("of_calls")
    )
    of_offers = (
        select(func.count().label("offered"), _count("kept", _PICKED_UP, offers.c.ring_s <= limit_s))
        .select_from(offers.join(calls))
        .where(arrived, _FATE_KNOWN, _OFFER_OVER)
        .subquery("of_offers")
    )
    return select(of_calls, of_offers).select_from(of_calls.join(of_offers, true()))


def figures_of(row: Row[Any]) -> DayFigures:
    """The figures in the row that ``figures_query`` gives."""
    return DayFigures(
        answered=Ratio(row.answered, row.counted),
        within_limit=Ratio(row.in_time, row.counted),
        rings_kept=Ratio(row.kept, row.offered),
        arrived=row.arrived,
        abandoned=row.abandoned,
        callbacks=row.callbacks,
        missing_recordings=row.missing_recordings,
    )
