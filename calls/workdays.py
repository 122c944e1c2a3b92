"""The working-day calendar: weekdays, public holidays, and weekend days worked for them (调休; C4, K7).

The State Council publishes each year's holidays in the November before. Until then nobody knows which of that
year's days are worked, and nothing here guesses: such a day is ``UNKNOWN``.
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class Days(StrEnum):
    """What a local day is to those who work office hours."""

    WORKING = "working"
    OFF = "off"
    UNKNOWN = "unknown"
    """The year's public holidays are not published."""


@dataclass(frozen=True, slots=True)
class Workdays:
    """Public holidays and make-up workdays, as far as they are published."""

    days_off: Set[date]
    makeup_workdays: Set[date]

    def kind(self, day: date) -> Days:
        """What a local day is."""
        if day in self.makeup_workdays:
            return Days.WORKING
        if day in self.days_off:
            return Days.OFF
        if not self.covers(day.year):
            return Days.UNKNOWN
        return Days.OFF if day.weekday() >= 5 else Days.WORKING

    def covers(self, year: int) -> bool:
        """Whether this year's holidays are published."""
        # January and December prove nothing: a break around New Year is published with the other year.
        return any(day.year == year and 2 <= day.month <= 11 for day in self.days_off)
