"""Figures: what they carry, when they may still change, and what is not asked for in vain (Q5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from calls.errors import FigureError
from calls.figures import Unit
from calls.ids import AgentNumber
from calls.measures import ALL_CALLS, Dimension, Measures, Slice
from calls.outages import EVERYTHING, Component, Maintenance, Outage
from calls.periods import Period
from calls.ports import Tallies, Tally
from calls.presence import Presence, PresenceChange
from calls.workdays import Days, Workdays
from metrics.kpi.catalogue import Catalogue
from metrics.kpi.figures import KpiFigures, Sources
from tests.support_books import SetClock

ZONE = ZoneInfo("Asia/Shanghai")
DAY = Period.parse("2026-11-20", ZONE)
NEXT = DAY.following()
AFTER = NEXT.end.astimezone(UTC)
CALLS = Measures(
    arrived=130,
    asked=100,
    answered=90,
    within={12: 60, 15: 80, 20: 85},
    abandoned=8,
    abandoned_short=3,
    callbacks=2,
    transferred=9,
    talking=10,
    wait_us=900_000_000,
    talk_us=16_000_000_000,
    wrapped=80,
    handled_us=17_200_000_000,
    longest_wait_us=95_500_000,
    offers=120,
    offers_kept={12: 70, 15: 96},
)


class FixedBooks:
    """The same sums for every period, or none."""

    def __init__(self, calls: Measures = CALLS, by: dict[str | None, Measures] | None = None) -> None:
        self._calls = calls
        self._by = by or {}

    async def measures(
        self, periods: Sequence[Period], slice: Slice = ALL_CALLS, by: Dimension | None = None
    ) -> list[dict[str | None, Measures]]:
        return [dict(self._by) if by else {None: self._calls} for _ in periods]


class FixedPresence:
    async def note(self, changes: Sequence[PresenceChange]) -> None:
        raise NotImplementedError

    async def presence_s(self, since: datetime, until: datetime) -> dict[AgentNumber, Presence]:
        passed = (until - since).total_seconds()
        return {AgentNumber("1001"): Presence(passed, passed / 4), AgentNumber("1002"): Presence(passed, 0)}


class FixedOutages:
    """One hour of two components, and one of maintenance, at the beginning of the day."""

    def __init__(self, watched_since: datetime | None) -> None:
        self._watched_since = watched_since

    async def watched(self, since: datetime) -> None:
        raise NotImplementedError

    async def opened(self, component: Component, at: datetime, reason: str) -> None:
        raise NotImplementedError

    async def closed(self, component: Component, at: datetime) -> None:
        raise NotImplementedError

    async def announce(self, window: Maintenance) -> Maintenance:
        raise NotImplementedError

    async def cancel(self, number: int, at: datetime) -> bool:
        raise NotImplementedError

    async def watched_since(self) -> datetime | None:
        return self._watched_since

    async def outages(self, since: datetime, until: datetime) -> list[Outage]:
        start = DAY.start.astimezone(UTC) + timedelta(hours=3)
        both = (Component.AMI, Component.AGI)
        return [Outage(component, start, start + timedelta(hours=1)) for component in both]

    async def maintenance(self, since: datetime, until: datetime) -> list[Maintenance]:
        start = DAY.start.astimezone(UTC) + timedelta(hours=5)
        return [Maintenance(start, start + timedelta(hours=4), EVERYTHING, "new cables")]


class FixedCases:
    async def tallies(
        self, periods: Sequence[Period], slice: Slice = ALL_CALLS, by: Dimension | None = None
    ) -> list[dict[str | None, Tallies]]:
        counts = {Tally.RATED: 40.0, Tally.DISSATISFIED: 2.0, Tally.INVITED: 80.0}
        return [{None: Tallies(counts, settled=frozenset(Tally))} for _ in periods]


def figures(sources: Sources | None = None, *, now: datetime = AFTER, limit_s: float = 15.0) -> KpiFigures:
    return KpiFigures(sources or Sources(FixedBooks()), SetClock(now), Catalogue(limit_s))


@pytest.mark.parametrize(
    ("kpi", "numerator", "denominator", "unit"),
    [
        ("K1", 90, 100, Unit.RATIO),
        ("K2", 80, 100, Unit.RATIO),
        ("K2r", 96, 120, Unit.RATIO),
        ("SL80_20", 85, 100, Unit.RATIO),
        ("ASA", 900, 90, Unit.SECONDS),
        ("AHT", 17200, 80, Unit.SECONDS),
        ("ABR", 8, 100, Unit.RATIO),
        ("ABR5", 5, 97, Unit.RATIO),
        ("TRR", 9, 90, Unit.RATIO),
        ("LW", 95.5, 1, Unit.SECONDS),
        ("N_ARRIVED", 130, 1, Unit.CALLS),
        ("N_CALLBACK", 2, 1, Unit.CALLS),
    ],
)
async def test_each_indicator_is_made_by_its_formula(
    kpi: str, numerator: float, denominator: float, unit: Unit
) -> None:
    [figure] = await figures().figures([kpi], [DAY])
    assert (figure.numerator, figure.denominator, figure.unit) == (numerator, denominator, unit)
    assert figure.value == numerator / denominator
    assert (figure.kpi, figure.period, figure.slice, figure.as_of) == (kpi, DAY, ALL_CALLS, AFTER)


async def test_an_old_period_can_be_shown_under_either_version() -> None:
    under_both = [
        await figures(limit_s=limit_s).figures(["K2"], [DAY], versions={"K2": version})
        for limit_s in (12.0, 15.0)
        for version in (1, 2)
    ]
    assert [(f.version, f.numerator) for [f] in under_both] == [(1, 80), (2, 60)] * 2
    [current] = await figures(limit_s=12.0).figures(["K2"], [DAY])
    assert (current.version, current.numerator) == (2, 60)


async def test_a_month_before_wrap_up_was_kept_is_shown_under_the_version_of_then() -> None:
    before = FixedBooks(replace(CALLS, talking=0, wrapped=0, handled_us=0))
    [current] = await figures(Sources(before)).figures(["AHT"], [DAY])
    [of_then] = await figures(Sources(before)).figures(["AHT"], [DAY], versions={"AHT": 1})
    assert (current.version, current.numerator, current.denominator, current.value) == (2, 0, 0, None)
    assert (of_then.version, of_then.numerator, of_then.denominator) == (1, 16000, 90)


@pytest.mark.parametrize(
    ("now", "calls", "kpi", "provisional"),
    [
        (AFTER, CALLS, "K1", False),
        (NEXT.start.astimezone(UTC), CALLS, "K1", False),
        (NEXT.start.astimezone(UTC) - timedelta(microseconds=1), CALLS, "K1", True),
        (AFTER, replace(CALLS, open_calls=1), "K1", True),
        (AFTER, CALLS, "AHT", True),  # ten calls still talk
        (AFTER, replace(CALLS, talking=0, wrapped=90), "AHT", False),
        (AFTER, replace(CALLS, talking=0, wrapped=89), "AHT", True),  # one agent is still at it
        (AFTER, replace(CALLS, talking=0, wrapped=0, handled_us=0), "AHT", False),  # it was not kept then
        (AFTER, replace(CALLS, open_calls=1), "N_ARRIVED", False),
    ],
)
async def test_what_may_still_change_is_provisional(
    now: datetime, calls: Measures, kpi: str, provisional: bool
) -> None:
    [figure] = await figures(Sources(FixedBooks(calls)), now=now).figures([kpi], [DAY])
    assert figure.provisional is provisional


@pytest.mark.parametrize("kpi", ["K3", "K3p", "K4", "K6", "K7t", "K7s"])
async def test_without_surveys_and_cases_nothing_is_made_up(kpi: str) -> None:
    [figure] = await figures().figures([kpi], [DAY])
    assert (figure.numerator, figure.denominator, figure.value, figure.provisional) == (0, 0, None, True)


async def test_satisfaction_is_one_less_the_dissatisfied_share() -> None:
    sources = Sources(FixedBooks(), cases=FixedCases())
    rate, participation = await figures(sources).figures(["K3", "K3p"], [DAY])
    assert (rate.value, participation.value, rate.provisional) == (1 - 2 / 40, 0.5, False)


async def test_reliability_from_the_union_and_from_the_sum() -> None:
    sources = Sources(FixedBooks(), outages=FixedOutages(DAY.start - timedelta(days=9)))
    union, added = await figures(sources).figures(["K5", "K5sum"], [DAY])
    assert (union.numerator, union.denominator) == (19 * 3600, 20 * 3600)
    assert (added.numerator, added.denominator) == (18 * 3600, 20 * 3600)
    assert (union.value, union.provisional) == (1 - 1 / 20, False)


async def test_reliability_of_time_that_nobody_watched_is_not_claimed() -> None:
    midday = DAY.start.astimezone(UTC) + timedelta(hours=12)
    for since, scheduled_s in ((None, 0), (midday, 12 * 3600), (AFTER, 0)):
        [figure] = await figures(Sources(FixedBooks(), outages=FixedOutages(since))).figures(["K5"], [DAY])
        assert figure.denominator == scheduled_s
        assert figure.provisional is (scheduled_s == 0)


async def test_reliability_counts_only_what_has_passed() -> None:
    now = DAY.start.astimezone(UTC) + timedelta(hours=4)
    sources = Sources(FixedBooks(), outages=FixedOutages(DAY.start))
    [today] = await figures(sources, now=now).figures(["K5"], [DAY])
    assert (today.numerator, today.denominator, today.provisional) == (3 * 3600, 4 * 3600, True)
    [future] = await figures(sources, now=now).figures(["K5"], [NEXT])
    assert future.value is None


async def test_occupancy_is_talk_by_time_logged_in_and_not_paused() -> None:
    sources = Sources(FixedBooks(by={"1001": CALLS}), presence=FixedPresence())
    [whole] = await figures(sources).figures(["OCC"], [DAY])
    assert (whole.numerator, whole.denominator) == (16000, 86400 * 1.75)
    one, other = await figures(sources).figures(["OCC"], [DAY], by=Dimension.AGENT)
    assert (one.slice.agent, one.numerator, one.denominator) == ("1001", 16000, 86400 * 0.75)
    assert (other.slice.agent, other.numerator, other.denominator) == ("1002", 0, 86400)


async def test_by_a_dimension_there_is_a_figure_for_each_value_in_each_period_and_none_for_no_value() -> None:
    parts = {"complaint": CALLS, "inquiry": replace(CALLS, answered=50), None: Measures(arrived=9)}
    told = await figures(Sources(FixedBooks(by=parts))).figures(["K1", "K2"], [DAY, NEXT], by=Dimension.SECTION)
    assert [(f.kpi, f.period, f.slice.section) for f in told] == [
        (kpi, period, section)
        for kpi in ("K1", "K2")
        for period in (DAY, NEXT)
        for section in ("complaint", "inquiry")
    ]
    assert told[1].numerator == 50


@pytest.mark.parametrize(
    ("kpi", "part", "by"),
    [
        ("K1", ALL_CALLS, Dimension.AGENT),
        ("K2", Slice(agent="1001"), None),
        ("K5", Slice(section="inquiry"), None),
        ("K5", Slice(days=Days.WORKING), None),
        ("OCC", ALL_CALLS, Dimension.SECTION),
    ],
)
async def test_a_figure_that_means_nothing_is_refused(kpi: str, part: Slice, by: Dimension | None) -> None:
    with pytest.raises(FigureError, match=kpi):
        await figures().figures([kpi], [DAY], part, by)


@pytest.mark.parametrize(
    ("days", "label", "provisional"),
    [
        (Days.WORKING, "2025", False),
        (Days.WORKING, "2026", False),
        (Days.OFF, "2024", True),
        (Days.UNKNOWN, "2025", True),
    ],
)
async def test_figures_of_working_days_are_provisional_where_the_calendar_is_not_known(
    days: Days, label: str, provisional: bool
) -> None:
    workdays = Workdays(frozenset({date(2025, 10, 1), date(2026, 10, 1)}), frozenset())
    sources = Sources(FixedBooks(), workdays=workdays)
    now = datetime(2030, 1, 1, tzinfo=UTC)
    [figure] = await figures(sources, now=now).figures(["K1"], [Period.parse(label, ZONE)], Slice(days=days))
    assert figure.provisional is provisional
