"""The live page's figures of a day: K1, K2 and K2r, made of the same sums as every other figure."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select

from calls.ports import DayFigures, Ratio
from storage.sums import counted, parameters

_NEEDED = (
    *("arrived", "asked", "answered", "within_own", "abandoned", "callbacks", "missing_recordings"),
    *("offers", "kept_own"),
)


def figures_query(since: datetime, until: datetime, limit_s: float) -> tuple[Select[Any], dict[str, object]]:
    """A statement and its parameters: at most one row, which ``figures_of`` reads, with all counts over calls
    that arrived in ``[since, until)``.

    One statement, so that every count sees the same state of the ledger.
    """
    return counted(measures=_NEEDED), parameters([since, until], limit_s)


def figures_of(row: Row[Any] | None) -> DayFigures:
    """The figures in the row that ``figures_query`` gives; no row: no calls."""
    if row is None:
        return DayFigures(Ratio(0, 0), Ratio(0, 0), Ratio(0, 0), 0, 0, 0, 0)
    return DayFigures(
        answered=Ratio(row.answered, row.asked),
        within_limit=Ratio(row.within_own, row.asked),
        rings_kept=Ratio(row.kept_own, row.offers),
        arrived=row.arrived,
        abandoned=row.abandoned,
        callbacks=row.callbacks,
        missing_recordings=row.missing_recordings,
    )
