"""Logged-in and paused time: a table of steps in, seconds out; the same from the database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calls.ids import AgentNumber, SectionId
from calls.presence import Presence, PresenceChange, PresenceStep, presence_of
from storage.engine import open_engine
from storage.presence import SqlPresence
from tests.support_prepared import prepared

START = datetime(2026, 11, 24, 1, tzinfo=UTC)
JOINED, LEFT, PAUSED, UNPAUSED = PresenceStep


def step(
    after_s: int, kind: PresenceStep, queue: str = "q", agent: str = "1001", position: int = 0
) -> PresenceChange:
    at = START + timedelta(seconds=after_s)
    return PresenceChange(at, position or after_s + 10_000, AgentNumber(agent), SectionId(queue), kind)


def period(since_s: int, until_s: int) -> tuple[datetime, datetime]:
    return START + timedelta(seconds=since_s), START + timedelta(seconds=until_s)


TABLE = [
    ("a whole shift", [step(0, JOINED), step(100, LEFT)], (0, 200), Presence(100, 0)),
    ("still there at the end", [step(0, JOINED)], (0, 200), Presence(200, 0)),
    ("there before the beginning", [step(-500, JOINED), step(50, LEFT)], (0, 200), Presence(50, 0)),
    ("a break", [step(0, JOINED), step(30, PAUSED), step(50, UNPAUSED)], (0, 100), Presence(100, 20)),
    ("paused before the beginning", [step(-9, JOINED), step(-5, PAUSED)], (0, 100), Presence(100, 100)),
    (
        "paused in one of two queues is not paused",
        [step(0, JOINED), step(0, JOINED, "r"), step(10, PAUSED)],
        (0, 100),
        Presence(100, 0),
    ),
    (
        "paused in both",
        [step(0, JOINED), step(0, JOINED, "r"), step(10, PAUSED), step(30, PAUSED, "r")],
        (0, 100),
        Presence(100, 70),
    ),
    (
        "left one queue while paused there",
        [step(0, JOINED), step(0, JOINED, "r"), step(10, PAUSED), step(30, LEFT)],
        (0, 100),
        Presence(100, 0),
    ),
    (
        "logging in ends a pause",
        [step(0, JOINED), step(1, PAUSED), step(2, LEFT), step(3, JOINED)],
        (0, 9),
        Presence(8, 1),
    ),
    (
        "the order within a second is the file's",
        [step(5, LEFT, position=1), step(5, JOINED, position=2)],
        (0, 10),
        Presence(5, 0),
    ),
    ("what comes later does not count", [step(0, JOINED), step(150, PAUSED)], (0, 100), Presence(100, 0)),
]


@pytest.mark.parametrize(("steps", "when", "expected"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
async def test_presence(
    steps: list[PresenceChange], when: tuple[int, int], expected: Presence, tmp_path: Path
) -> None:
    assert presence_of(steps, *period(*when)) == {"1001": expected}
    url = await prepared("sqlite", tmp_path)
    engine = open_engine(url)
    book = SqlPresence(engine)
    await book.note(steps)
    await book.note(steps)  # told again
    assert await book.presence_s(*period(*when)) == {"1001": expected}
    await engine.dispose()


def test_who_was_never_there_is_left_out() -> None:
    assert presence_of([step(0, JOINED), step(5, LEFT)], *period(10, 20)) == {}
    assert presence_of([], *period(0, 20)) == {}


changes = st.lists(
    st.builds(
        step,
        st.integers(-60, 120),
        st.sampled_from(PresenceStep),
        st.sampled_from("qr"),
        st.sampled_from(["1001", "1002"]),
        st.integers(1, 9999),
    ),
    max_size=12,
    unique_by=lambda change: change.position,
)


@settings(max_examples=200)
@given(told=changes, data=st.data())
def test_any_order_and_repetition_gives_the_same_and_periods_add_up(
    told: list[PresenceChange], data: st.DataObject
) -> None:
    whole = presence_of(told, *period(0, 100))
    again = data.draw(
        st.permutations([*told, *data.draw(st.lists(st.sampled_from(told)) if told else st.just([]))])
    )
    assert presence_of(again, *period(0, 100)) == whole
    cut = data.draw(st.integers(0, 100))
    parts = [presence_of(told, *period(0, cut)), presence_of(told, *period(cut, 100))]
    for agent in ("1001", "1002"):
        number = AgentNumber(agent)
        total = whole.get(number, Presence())
        assert total.logged_in_s == sum(part.get(number, Presence()).logged_in_s for part in parts)
        assert total.paused_s == sum(part.get(number, Presence()).paused_s for part in parts)
