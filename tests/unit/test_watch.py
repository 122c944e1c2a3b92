"""From probes to outages: hysteresis, two clocks, and facts that wait on disk (K5)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calls.outages import Component, Outage
from service.watch import Fact, Journal, Moment, Told, Watch

ZERO = datetime(2026, 11, 22, tzinfo=UTC)


def at(seconds: float, wall: float | None = None) -> Moment:
    """So many seconds after the start; ``wall`` where the wall clock says otherwise."""
    return Moment(ZERO + timedelta(seconds=seconds if wall is None else wall), 1000 + seconds)


def watch(failures: int = 2) -> tuple[Watch, list[Fact]]:
    told: list[Fact] = []
    return Watch([Component.DISK, Component.AGI], failures, told.append), told


def essence(told: list[Fact]) -> list[tuple[Told, float]]:
    return [(fact.told, (fact.at - ZERO).total_seconds()) for fact in told]


def test_an_outage_opens_after_some_failures_as_of_the_first_and_closes_with_the_first_success() -> None:
    look, told = watch(failures=3)
    for second in (5, 10):
        look.failed(Component.DISK, at(second), "full")
    assert told == [] and look.working(Component.DISK) is None
    look.failed(Component.DISK, at(15), "full")
    look.failed(Component.DISK, at(20), "full")
    assert look.working(Component.DISK) is False
    look.succeeded(Component.DISK, at(25))
    look.succeeded(Component.DISK, at(30))
    assert essence(told) == [(Told.OPENED, 5), (Told.CLOSED, 25)]
    assert look.working(Component.DISK) is True and told[0].reason == "full"


def test_a_single_failure_is_none() -> None:
    look, told = watch()
    for second in range(10):
        look.failed(Component.DISK, at(second), "slow")
        look.succeeded(Component.DISK, at(second + 0.5))
    assert told == [] and look.working(Component.DISK) is True


def test_what_nobody_looks_at_is_neither_up_nor_down() -> None:
    look, _ = watch()
    assert look.working(Component.TRANSCRIPTION) is None


@pytest.mark.parametrize("wall", [-7200.0, 10.0, 7200.0])
def test_a_clock_that_was_set_changes_no_outages_length(wall: float) -> None:
    look, told = watch(failures=1)
    look.failed(Component.DISK, at(10), "full")
    look.succeeded(Component.DISK, at(70, wall=wall))
    assert essence(told) == [(Told.OPENED, 10), (Told.CLOSED, 70)]


def test_an_outage_that_the_last_process_left_goes_on() -> None:
    look, told = watch()
    look.resume([Outage(Component.DISK, ZERO, None), Outage(Component.AGI, ZERO, ZERO)], at(100))
    assert set(look.out) == {Component.DISK}
    look.failed(Component.DISK, at(105), "full")
    look.succeeded(Component.DISK, at(110))
    assert essence(told) == [(Told.CLOSED, 110)]


def test_one_that_seems_to_begin_in_the_future_ends_when_it_began() -> None:
    """The clock was set back while the service was down: never a negative length."""
    look, told = watch()
    look.resume([Outage(Component.DISK, ZERO + timedelta(hours=1), None)], at(0))
    look.succeeded(Component.DISK, at(0))
    assert essence(told) == [(Told.CLOSED, 3600)]


def test_what_was_out_while_nobody_could_look() -> None:
    look, told = watch()
    look.failed(Component.DISK, at(100), "full")
    look.failed(Component.DISK, at(101), "full")
    for component in (Component.DISK, Component.AGI):
        look.was_out(component, at(50), "the service was not running")
    look.succeeded(Component.AGI, at(102))
    assert [(fact.component, *pair) for fact, pair in zip(told, essence(told), strict=True)] == [
        (Component.DISK, Told.OPENED, 100),
        (Component.AGI, Told.OPENED, 50),
        (Component.AGI, Told.CLOSED, 102),
    ]


@given(st.lists(st.tuples(st.booleans(), st.floats(0.1, 60), st.floats(-5000, 5000))), st.integers(1, 4))
def test_facts_alternate_and_no_outage_is_negative(steps: list[tuple[bool, float, float]], failures: int) -> None:
    look, told = watch(failures)
    now = 0.0
    for works, later, wall in steps:
        now += later
        if works:
            look.succeeded(Component.DISK, at(now, wall=wall))
        else:
            look.failed(Component.DISK, at(now, wall=wall), "")
    kinds = [fact.told for fact in told]
    assert kinds == [Told.OPENED, Told.CLOSED] * (len(kinds) // 2) + [Told.OPENED] * (len(kinds) % 2)
    for opened, closed in zip(told[::2], told[1::2], strict=False):
        assert opened.at <= closed.at


OPENED = Fact(Told.OPENED, ZERO, Component.DATABASE, "gone, 没有了\nyes")
CLOSED = Fact(Told.CLOSED, ZERO + timedelta(seconds=5), Component.DATABASE)
WATCHED = Fact(Told.WATCHED, ZERO)


def test_facts_wait_on_disk_until_they_are_stored(tmp_path: Path) -> None:
    path = tmp_path / "outages.jsonl"
    journal = Journal(path)
    for fact in (WATCHED, OPENED, CLOSED):
        journal.add(fact)
    assert Journal(path).waiting == [WATCHED, OPENED, CLOSED]
    journal.stored(2)
    assert Journal(path).waiting == journal.waiting == [CLOSED]
    journal.stored(1)
    journal.add(OPENED)
    assert Journal(path).waiting == [OPENED]


def test_a_line_that_was_cut_off_takes_no_other_with_it(tmp_path: Path) -> None:
    path = tmp_path / "outages.jsonl"
    path.write_text(f"{OPENED.line()}\n{CLOSED.line()[:20]}")
    journal = Journal(path)
    assert journal.waiting == [OPENED]
    journal.add(WATCHED)
    assert Journal(path).waiting == [OPENED, WATCHED]


def test_a_disk_that_takes_nothing_is_no_reason_to_forget(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "missing" / "outages.jsonl")
    journal.add(OPENED)
    assert journal.waiting == [OPENED]
    journal.stored(1)
    assert journal.waiting == []
