"""What a report holds, gathered once: every format writes these figures and computes none of its own.

Nothing in it names a caller (P1); calls are named by their id.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from calls.audit import Discrepancy, Repair
from calls.figures import Figure, Unit
from calls.ids import CallId
from calls.outages import Component, Maintenance, Outage, length_s, overlap
from calls.periods import Grain, Period
from metrics.kpi.model import Kpi

COURSE_KPIS = ("K1", "K2", "K2r")
"""The indicators whose course over the period is shown."""


class ReportKind(StrEnum):
    """The regular reports (C7: monthly, quarterly, yearly), each over one period."""

    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"
    QUARTERLY = "quarterly"
    YEARLY = "yearly"

    @property
    def grain(self) -> Grain:
        """The period that one report is about."""
        return _GRAINS[self][0]

    @property
    def course_grain(self) -> Grain:
        """The steps in which the report shows how the period went."""
        return _GRAINS[self][1]


_GRAINS = {
    ReportKind.DAILY: (Grain.DAY, Grain.HOUR),
    ReportKind.WEEKLY: (Grain.WEEK, Grain.DAY),
    ReportKind.MONTHLY: (Grain.MONTH, Grain.DAY),
    ReportKind.QUARTERLY: (Grain.QUARTER, Grain.MONTH),
    ReportKind.YEARLY: (Grain.YEAR, Grain.MONTH),
}


class Trend(StrEnum):
    """What a change means to those who are judged by the figure."""

    BETTER = "better"
    WORSE = "worse"
    SAME = "same"


@dataclass(frozen=True, slots=True)
class Line:
    """One indicator in the report's period, the period before, and the same one last year."""

    kpi: Kpi
    now: Figure
    before: Figure
    year_before: Figure

    @property
    def compared(self) -> Mapping[str, Figure]:
        """The three figures by name: ``now``, ``before``, ``year_before``."""
        return {"now": self.now, "before": self.before, "year_before": self.year_before}

    def change(self, earlier: Figure) -> float | None:
        """The value's difference from an earlier figure, in the figure's unit; ``None`` if either has no data."""
        if self.now.value is None or earlier.value is None:
            return None
        return self.now.value - earlier.value

    def trend(self, earlier: Figure) -> Trend | None:
        """Whether that difference is good; ``None`` if there is none to tell."""
        change = self.change(earlier)
        if change is None or (self.now.unit is Unit.CALLS and not self.kpi.lower_is_better):
            return None  # that more people call is neither good nor bad
        if change == 0:
            return Trend.SAME
        return Trend.BETTER if (change < 0) == self.kpi.lower_is_better else Trend.WORSE


@dataclass(frozen=True, slots=True)
class Group:
    """The indicators of one section or one agent."""

    name: str
    """The section's id or the agent's number."""
    lines: tuple[Line, ...]

    def line(self, kpi_id: str) -> Line | None:
        """The line of an indicator, if the group has it."""
        return next((line for line in self.lines if line.kpi.id == kpi_id), None)


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the course of the period: an hour, a day, a month."""

    period: Period
    figures: Mapping[str, Figure]
    """By the indicator's id."""


@dataclass(frozen=True, slots=True)
class Distribution:
    """How long it took: how many were answered within each limit, out of ``total``."""

    total: int
    """Calls that asked for a person, or offers to agents."""
    done: int | None
    """Of those, answered at all, however late; ``None`` if that is not counted."""
    within: tuple[tuple[float, int], ...]
    """Limits in seconds, rising, and how many were answered within each; one exactly on a limit is within."""

    def share(self, limit_s: float) -> float | None:
        """The share within a limit; ``None`` if there is nothing to divide by, or the limit was not counted."""
        count = dict(self.within).get(limit_s)
        return count / self.total if self.total and count is not None else None


@dataclass(frozen=True, slots=True)
class Outages:
    """What was out of order during the period (K5)."""

    since: datetime
    until: datetime
    """The end of the period, or the moment up to which it is known. Both in UTC."""
    watched_since: datetime | None
    """Since when somebody has looked; ``None`` if nobody has yet."""
    outages: tuple[Outage, ...]
    maintenance: tuple[Maintenance, ...]
    """Windows that were announced beforehand."""

    def of(self, planned: bool) -> tuple[Outage, ...]:
        """What was out inside announced maintenance, or everything else, the earliest first."""
        return tuple(outage for outage in self.outages if outage.planned == planned)

    def duration(self, outage: Outage) -> timedelta:
        """How long an outage lasted within the period; one that has no end lasts until ``until``."""
        return timedelta(seconds=length_s(overlap([outage.span(self.until)], [(self.since, self.until)])))

    @property
    def by_component(self) -> tuple[tuple[Component, int, timedelta], ...]:
        """Unplanned outages of each component that had any: how many, and how long within the period."""
        told = self.of(planned=False)
        return tuple(
            (component, len(mine), sum(map(self.duration, mine), timedelta()))
            for component in Component
            if (mine := [outage for outage in told if outage.component is component])
        )

    @property
    def unwatched(self) -> bool:
        """Whether part of the period lies before anybody looked."""
        return self.watched_since is None or self.watched_since > self.since


@dataclass(frozen=True, slots=True)
class Quality:
    """How far the report's own data can be trusted."""

    answered: int
    missing_recordings: int
    """Answered and ended calls without a recording, out of ``answered``."""
    unrecorded_calls: tuple[CallId, ...]
    """Some of them by id, the newest first."""
    open_calls: int
    """Calls whose fate is not known yet."""
    tests: int
    """Test calls, which no figure counts."""
    repairs: tuple[Repair, ...]
    """Facts that were mended from another witness."""
    discrepancies: tuple[Discrepancy, ...]
    """Differences between the books and Asterisk's files that a person should know of."""

    @property
    def repaired_calls(self) -> int:
        """Calls of which at least one fact was repaired."""
        return len({repair.call_id for repair in self.repairs})

    @property
    def repairs_by_kind(self) -> tuple[tuple[tuple[str, str], int], ...]:
        """How many facts, by who told them and what they are, the most first."""
        return tuple(Counter((repair.source.value, repair.what) for repair in self.repairs).most_common())


@dataclass(frozen=True, slots=True)
class Report:
    """A whole report."""

    hotline: str
    kind: ReportKind
    period: Period
    made_at: datetime
    as_of: datetime
    limit_s: float
    """A1's limit in seconds."""
    lines: tuple[Line, ...]
    sections: tuple[Group, ...]
    agents: tuple[Group, ...]
    course: tuple[Step, ...]
    waits: Distribution
    waits_before: Distribution
    rings: Distribution
    rings_before: Distribution
    outages: Outages
    quality: Quality

    @property
    def ongoing(self) -> bool:
        """Whether the period was not over when the report was made."""
        return self.made_at < self.period.end

    @property
    def provisional(self) -> bool:
        """Whether a figure of the summary may still change."""
        return self.ongoing or any(line.now.provisional and line.now.value is not None for line in self.lines)

    @property
    def official(self) -> tuple[Line, ...]:
        """The indicators that a rule book demands, unadjusted."""
        return tuple(line for line in self.lines if line.kpi.official)

    @property
    def adjusted(self) -> tuple[Line, ...]:
        """Rates and times that stand beside the official ones."""
        return tuple(line for line in self.lines if not line.kpi.official and line.now.unit is not Unit.CALLS)

    @property
    def counts(self) -> tuple[Line, ...]:
        """Plain numbers of calls."""
        return tuple(line for line in self.lines if line.now.unit is Unit.CALLS)

    def line(self, kpi_id: str) -> Line | None:
        """The line of an indicator, if the report has it."""
        return next((line for line in self.lines if line.kpi.id == kpi_id), None)
