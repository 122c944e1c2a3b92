"""Outages as intervals, and what they are of the scheduled time (K5)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calls.errors import SettingsError
from calls.outages import (
    EVERYTHING,
    Component,
    DailyHours,
    Maintenance,
    Outage,
    Reliability,
    Span,
    apart,
    length_s,
    merged,
    minus,
    overlap,
    reliability,
)

ZERO = datetime(2026, 11, 22, tzinfo=UTC)
AROUND_THE_CLOCK = DailyHours(UTC)
SHANGHAI = ZoneInfo("Asia/Shanghai")


def at(seconds: float) -> datetime:
    return ZERO + timedelta(seconds=seconds)


def out(component: Component, begin: float, end: float | None) -> Outage:
    return Outage(component, at(begin), None if end is None else at(end))


def window(begin: float, end: float, *components: Component) -> Maintenance:
    return Maintenance(at(begin), at(end), frozenset(components) or EVERYTHING, "works")


def figures(
    outages: list[Outage],
    windows: list[Maintenance],
    since: float = 0,
    until: float = 1000,
    hours: DailyHours = AROUND_THE_CLOCK,
) -> Reliability:
    told = [piece for outage in outages for piece in apart(outage, windows, at(until))]
    return reliability(told, windows, at(since), at(until), hours)


moments = st.integers(0, 2000)
spans = st.lists(st.tuples(moments, moments).map(lambda two: (at(min(two)), at(max(two)))), max_size=8)


@st.composite
def some_outages(draw: st.DrawFn) -> list[Outage]:
    """Of one component they do not overlap; the last may have no end."""
    found: list[Outage] = []
    for component in draw(st.sets(st.sampled_from(list(Component)))):
        edges = sorted(draw(st.sets(moments, max_size=6)))
        found += [out(component, a, b) for a, b in zip(edges[::2], edges[1::2], strict=False)]
        if len(edges) % 2:
            found.append(out(component, edges[-1], None))
    return found


@st.composite
def some_windows(draw: st.DrawFn) -> list[Maintenance]:
    found = []
    for _ in range(draw(st.integers(0, 4))):
        begin, end = sorted((draw(moments), draw(moments)))
        components = draw(
            st.one_of(st.just(EVERYTHING), st.frozensets(st.sampled_from(list(Component)), min_size=1))
        )
        found.append(Maintenance(at(begin), at(end), components, "works"))
    return found


some_hours = st.sampled_from(
    [AROUND_THE_CLOCK, DailyHours(UTC, 5, 20), DailyHours(SHANGHAI, 8 * 60 + 3, 8 * 60 + 9)]
)


def test_the_union_counts_a_moment_once_and_the_sum_every_component() -> None:
    told = [out(Component.ASTERISK, 100, 200), out(Component.TRUNK, 150, 250), out(Component.DISK, 400, 410)]
    assert figures(told, []) == Reliability(1000, 160, 210, 0, False)


def test_planned_maintenance_is_kept_apart() -> None:
    """Of the named components no outage; of all of them no scheduled time either."""
    told = [out(Component.DATABASE, 100, 300), out(Component.TRUNK, 100, 300)]
    named = figures(told, [window(150, 250, Component.DATABASE)])
    assert named == Reliability(1000, 200, 300, 100, False)
    everything = figures(told, [window(150, 250)])
    assert everything == Reliability(900, 100, 200, 100, False)


def test_an_outage_without_an_end_lasts_until_now() -> None:
    assert figures([out(Component.AGI, 900, None)], []) == Reliability(1000, 100, 100, 0, True)
    planned = figures([out(Component.AGI, 900, None)], [window(800, 2000)])
    assert planned == Reliability(800, 0, 0, 100, False)


def test_an_outage_that_reaches_over_a_window_is_told_in_pieces() -> None:
    pieces = apart(out(Component.DISK, 0, None), [window(10, 20), window(15, 30, Component.DISK)], at(40))
    assert [(p.began_at, p.ended_at, p.planned) for p in pieces] == [
        (at(0), at(10), False),
        (at(10), at(30), True),
        (at(30), None, False),
    ]
    assert apart(out(Component.DISK, 5, 5), [window(0, 10)], at(40)) == [
        Outage(Component.DISK, at(5), at(5), planned=True)
    ]


@given(some_outages(), some_windows(), some_hours)
def test_union_sum_and_scheduled_time_keep_their_order(
    told: list[Outage], windows: list[Maintenance], hours: DailyHours
) -> None:
    found = figures(told, windows, 0, 2000, hours)
    assert 0 <= found.union_s <= found.sum_s
    assert found.union_s <= found.scheduled_s <= 2000
    assert found.sum_s <= len({outage.component for outage in told}) * found.scheduled_s
    assert found.planned_s <= 2000


@given(some_outages(), some_windows(), some_hours, moments)
def test_adjoining_stretches_add_up(
    told: list[Outage], windows: list[Maintenance], hours: DailyHours, cut: int
) -> None:
    def of(since: float, until: float) -> tuple[float, ...]:
        # "Now" is the same for all: an open outage reaches to the end of each stretch.
        pieces = [piece for outage in told for piece in apart(outage, windows, at(2000))]
        found = reliability(pieces, windows, at(since), at(until), hours)
        return found.scheduled_s, found.union_s, found.sum_s, found.planned_s

    first, second, whole = of(0, cut), of(cut, 2000), of(0, 2000)
    assert [a + b for a, b in zip(first, second, strict=True)] == pytest.approx(whole)


@given(some_outages(), some_windows())
def test_pieces_are_the_whole_outage_and_do_not_overlap(told: list[Outage], windows: list[Maintenance]) -> None:
    for outage in told:
        pieces = apart(outage, windows, at(3000))
        assert sum(length_s([piece.span(at(3000))]) for piece in pieces) == length_s([outage.span(at(3000))])
        assert merged(piece.span(at(3000)) for piece in pieces) == merged([outage.span(at(3000))])


@given(spans, spans)
def test_spans_are_sets_of_seconds(some: list[Span], others: list[Span]) -> None:
    def seconds(listed: list[Span]) -> set[int]:
        whole = [(round((a - ZERO).total_seconds()), round((b - ZERO).total_seconds())) for a, b in listed]
        return {second for begin, end in whole for second in range(begin, end)}

    assert seconds(merged(some)) == seconds(some)
    assert seconds(overlap(some, others)) == seconds(some) & seconds(others)
    assert seconds(minus(some, others)) == seconds(some) - seconds(others)
    assert length_s(merged(some)) == len(seconds(some))


def test_working_hours_follow_the_operators_clock_over_its_changes() -> None:
    """24 hours a day is what passes; a span is what the clock on the wall says."""
    berlin = ZoneInfo("Europe/Berlin")
    since, until = (
        datetime(2026, 3, 28, tzinfo=berlin),
        datetime(2026, 3, 31, tzinfo=berlin),
    )  # one day of 23 hours
    assert length_s(DailyHours(berlin).spans(since, until)) == 71 * 3600
    assert length_s(DailyHours.parse("00:00-24:00", berlin).spans(since, until)) == 71 * 3600
    assert length_s(DailyHours.parse("01:00-24:00", berlin).spans(since, until)) == (23 + 22 + 23) * 3600
    assert length_s(DailyHours.parse("07:00-22:00", berlin).spans(since, until)) == 3 * 15 * 3600


@pytest.mark.parametrize(
    "text", ["7:00-22:00", "22:00-07:00", "07:00-24:01", "07:00", "07:00-07:00", "24:00-24:00"]
)
def test_hours_that_make_no_sense_are_refused(text: str) -> None:
    with pytest.raises(SettingsError):
        DailyHours.parse(text, UTC)
