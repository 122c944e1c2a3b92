"""When the work after a talk is over: a table of what agents do, and what must hold whatever they do (AHT)."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calls.ids import AgentNumber, SectionId
from calls.presence import PresenceChange, PresenceStep
from calls.wrap_up import AFTER_CALL_WORK, WrapUpTime, in_force, wrapped_up_at
from tests.support_ledger import NOON

JOINED, LEFT, PAUSED, UNPAUSED = PresenceStep
WORK, LUNCH = AFTER_CALL_WORK, "meal"
GIVEN_S = 10
KNOWN_S = 1000


def at(after_s: float) -> datetime:
    """So long after the end of the talk, which lies in the middle of a second, as ends do."""
    return NOON + timedelta(seconds=after_s)


def step(
    after_s: float, kind: PresenceStep, reason: str = "", queue: str = "q", position: int = 0
) -> PresenceChange:
    position = position or round(after_s * 10) + 100_000
    return PresenceChange(at(after_s), position, AgentNumber("1001"), SectionId(queue), kind, reason)


def in_both(after_s: float, kind: PresenceStep, reason: str = "") -> list[PresenceChange]:
    """A line for each queue, as Asterisk writes them."""
    return [step(after_s, kind, reason, queue) for queue in ("q", "r")]


HERE = in_both(-500, JOINED)
TABLE = [
    ("who does nothing has the time that queues give", HERE, GIVEN_S),
    ("of whom nothing was ever told, too", [], GIVEN_S),
    ("paperwork within that time goes on", [*HERE, *in_both(4, PAUSED, WORK), *in_both(90, UNPAUSED)], 90),
    ("paperwork chosen while talking", [*HERE, *in_both(-20, PAUSED, WORK), *in_both(90, UNPAUSED)], 90),
    ("paperwork that is over sooner", [*HERE, *in_both(2, PAUSED, WORK), *in_both(5, UNPAUSED)], 10),
    ("on and off", [*HERE, *in_both(2, PAUSED, WORK), *in_both(5, UNPAUSED), *in_both(9, PAUSED, WORK),
                    *in_both(30, UNPAUSED)], 30),
    ("paperwork begun later belongs to no call", [*HERE, *in_both(11, PAUSED, WORK), *in_both(90, UNPAUSED)], 10),
    ("a meal ends it", [*HERE, *in_both(4, PAUSED, LUNCH)], 4),
    ("a meal chosen while talking leaves none", [*HERE, *in_both(-20, PAUSED, LUNCH)], 0),
    ("a meal after paperwork", [*HERE, *in_both(4, PAUSED, WORK), *in_both(60, PAUSED, LUNCH)], 60),
    ("a log-out ends it", [*HERE, *in_both(4, PAUSED, WORK), *in_both(60, LEFT)], 60),
    ("logged out while talking", [*HERE, *in_both(-20, LEFT)], 0),
    ("a pause in one of two queues is none", [*HERE, step(4, PAUSED, WORK), step(90, UNPAUSED)], 10),
    ("who is still at it", [*HERE, *in_both(4, PAUSED, WORK)], None),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "over_s"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_the_work_is_over(changes: list[PresenceChange], over_s: float | None) -> None:
    over = wrapped_up_at(NOON, GIVEN_S, changes, at(KNOWN_S))
    assert over == (None if over_s is None else at(over_s))


def test_the_next_caller_ends_it_whatever_the_telephone_says() -> None:
    still_at_it = [*HERE, *in_both(4, PAUSED, WORK)]
    assert wrapped_up_at(NOON, GIVEN_S, still_at_it, at(KNOWN_S), turned_at=at(50)) == at(50)
    assert wrapped_up_at(NOON, GIVEN_S, HERE, at(KNOWN_S), turned_at=at(3)) == at(3)
    assert wrapped_up_at(NOON, GIVEN_S, HERE, at(KNOWN_S), turned_at=at(50)) == at(10)


def test_nothing_is_told_before_the_log_has_been_read_so_far() -> None:
    assert wrapped_up_at(NOON, GIVEN_S, HERE, at(GIVEN_S)) is None
    assert wrapped_up_at(NOON, GIVEN_S, HERE, at(GIVEN_S + 0.1)) == at(GIVEN_S)


def test_the_time_given_is_that_of_the_day_of_the_talk() -> None:
    times = [WrapUpTime(at(100), 30.0), WrapUpTime(at(0), 10.0)]
    assert [in_force(times, at(s)) for s in (-1, 0, 99, 100, 500)] == [None, 10.0, 10.0, 30.0, 30.0]


steps = st.lists(
    st.builds(
        step,
        st.integers(-60, 120),
        st.sampled_from(PresenceStep),
        st.sampled_from([WORK, LUNCH]),
        st.sampled_from(["q", "r"]),
        st.integers(1, 1000),
    ),
    max_size=12,
)


@given(steps, st.none() | st.integers(1, 120), st.integers(0, 150), st.integers(0, 150), st.randoms())
def test_what_is_told_once_stays_so(
    changes: list[PresenceChange], turned_s: int | None, known_s: int, more_s: int, order: object
) -> None:
    """However far the log is read on, in whatever order and how often the same lines come."""
    turned_at = None if turned_s is None else at(turned_s)

    def told(until_s: int, lines: list[PresenceChange]) -> datetime | None:
        known = [line for line in lines if line.at < at(until_s)]
        return wrapped_up_at(NOON, GIVEN_S, known, at(until_s), turned_at)

    first = told(known_s, changes)
    again = [*changes, *changes]
    order.shuffle(again)  # type: ignore[attr-defined]
    assert told(known_s, again) == first
    if first is not None:
        assert NOON <= first <= at(120 if turned_at or changes else GIVEN_S)
        assert told(known_s + more_s, again) == first
