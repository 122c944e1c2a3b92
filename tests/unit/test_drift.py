"""Drift between counters and ledger: silent whatever comes late or twice, loud when one plane loses a call."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from calls.call import Call
from calls.errors import StorageUnavailable
from calls.events import AnyEvent
from calls.ids import CallId, SectionId
from calls.measures import Measures
from calls.periods import Grain, Period
from calls.ports import Change
from calls.workdays import Workdays
from metrics.drift import BooksTotals, DriftWatch, Totals
from metrics.exporter import Exporter
from storage.books import SqlBooks
from storage.engine import open_engine
from storage.ledger import SqlLedger
from tests.support_books import SetClock
from tests.support_ledger import NOON, MemoryLedger, Ring, events_of_call, story
from tests.support_prepared import prepared
from tests.support_virtual_time import run_virtual

SHANGHAI = ZoneInfo("Asia/Shanghai")
LIMIT_S = 15.0
ANSWERED = Ring("1001", rang=6, answered=8, connected=8.5, ended=30)
LATE = Ring("1001", rang=6, answered=28, connected=28.5, ended=40)


@dataclass
class Planes:
    """A ledger in memory and the counters beside it, as the pipeline keeps them, and the watch over both."""

    ledger: MemoryLedger = field(default_factory=MemoryLedger)
    in_flight: int = 0
    in_between: Callable[[], Awaitable[None]] | None = None
    """What happens while the ledger is being read."""

    def __post_init__(self) -> None:
        self._calls: dict[CallId, Call] = {}
        self.restart()

    def restart(self) -> None:
        """The service starts anew; the ledger stays."""
        self.registry = CollectorRegistry()
        self.exporter = Exporter(
            sections=[SectionId("inquiries")], limit_s=LIMIT_S, build={}, registry=self.registry
        )
        self.watch = DriftWatch(self, self.exporter, lambda: self.in_flight)

    async def totals(self) -> Totals:
        """The ledger's side, counted one by one."""
        self.ledger._check()
        calls = list(self._calls.values())
        settled = [call for call in calls if call.connected or (call.asked_at and call.ended_at)]
        totals = Totals(
            len(settled),
            sum(call.connected is not None for call in calls),
            sum(call.answered_within(LIMIT_S) for call in calls),
        )
        if self.in_between:
            await self.in_between()
        return totals

    async def tell(self, events: Sequence[AnyEvent], *, counted: bool = True) -> None:
        """Events come in; without ``counted`` the counters miss what they change."""
        for change in await self.ledger.record(events):
            self._calls[change.after.call_id] = change.after
            if counted:
                self.exporter.on_change(change)

    def lose(self, call_id: str) -> None:
        """The ledger forgets a call."""
        del self._calls[CallId(call_id)]

    async def drift(self) -> dict[str, float | None]:
        await self.watch.compare()
        return {
            kpi: self.registry.get_sample_value("hotline_kpi_drift_ratio", {"kpi": kpi}) for kpi in ("K1", "K2")
        }


NONE = {"K1": 0.0, "K2": 0.0}


@settings(max_examples=40)
@given(st.lists(st.integers(0, 3), min_size=1, max_size=4), st.randoms(use_true_random=False), st.data())
def test_nothing_that_comes_late_twice_or_in_any_order_is_drift(
    calls: list[int], dice: random.Random, data: st.DataObject
) -> None:
    told = [event for number in calls for event in data.draw(events_of_call(f"1.{number}"))]
    told += dice.sample(told, len(told) // 2)
    dice.shuffle(told)

    async def scene() -> None:
        planes = Planes()
        await planes.tell(told[: len(told) // 3])
        planes.restart()
        while told:
            size = dice.randint(1, 4)
            await planes.tell(told[:size])
            del told[:size]
            assert await planes.drift() == NONE

    run_virtual(scene())


async def test_a_back_fill_of_last_weeks_calls_is_no_drift() -> None:
    planes = Planes()
    await planes.tell(story("1.1", asked=5, rings=[ANSWERED], ended=30))
    assert await planes.drift() == NONE
    for day in range(1, 8):
        await planes.tell(story(f"0.{day}", start=NOON - timedelta(days=day), asked=5, rings=[LATE], ended=50))
    assert await planes.drift() == NONE


async def test_a_restart_is_no_drift() -> None:
    planes = Planes()
    for number in range(50):
        await planes.tell(story(f"1.{number}", asked=5, rings=[ANSWERED], ended=30))
    planes.restart()
    assert await planes.drift() == NONE
    await planes.tell(story("2.1", asked=5, ended=30))
    assert await planes.drift() == NONE


async def test_counters_that_miss_one_call_in_a_hundred_drift() -> None:
    planes = Planes()
    assert await planes.drift() == NONE
    for number in range(100):
        await planes.tell(story(f"1.{number}", asked=5, rings=[ANSWERED], ended=30), counted=number != 40)
    assert await planes.drift() == {"K1": pytest.approx(1 / 99), "K2": pytest.approx(1 / 99)}
    # It does not go away by itself.
    await planes.tell(story("2.1", asked=5, rings=[ANSWERED], ended=30))
    assert await planes.drift() == {"K1": pytest.approx(1 / 100), "K2": pytest.approx(1 / 100)}


async def test_a_ledger_that_loses_a_call_drifts() -> None:
    planes = Planes()
    for number in range(10):
        await planes.tell(story(f"1.{number}", asked=5, ended=30))
    assert await planes.drift() == NONE
    planes.lose("1.3")
    assert await planes.drift() == {"K1": 0.1, "K2": 0.1}


async def test_counters_that_miss_only_that_it_was_in_time_drift_in_k2_alone() -> None:
    planes = Planes()
    await planes.tell(story("1.1", asked=5, rings=[LATE], ended=50))
    assert await planes.drift() == NONE
    call = Call.of(story("1.1", asked=20, rings=[LATE], ended=50))
    planes._calls[call.call_id] = call  # corrected, and nobody told the counters
    assert await planes.drift() == {"K1": 0.0, "K2": 1.0}


async def test_a_wait_that_was_corrected_is_no_drift() -> None:
    planes = Planes()
    await planes.tell(story("1.1", asked=5, rings=[ANSWERED], ended=50))
    assert await planes.drift() == NONE
    before = planes._calls[CallId("1.1")]
    after = Call.of(story("1.1", asked=5, rings=[LATE], ended=50))
    planes._calls[after.call_id] = after
    planes.exporter.on_change(Change(before, after, ()))
    assert await planes.drift() == NONE


async def test_what_is_told_while_the_ledger_is_read_is_no_drift() -> None:
    planes = Planes()
    assert await planes.drift() == NONE

    async def meanwhile() -> None:
        await planes.tell(story("1.1", asked=5, rings=[ANSWERED], ended=30))

    planes.in_between = meanwhile
    assert await planes.drift() == NONE
    planes.in_between = None
    assert await planes.drift() == NONE


async def test_what_is_stored_and_not_counted_yet_is_no_drift() -> None:
    planes = Planes()
    assert await planes.drift() == NONE
    events = story("1.1", asked=5, rings=[ANSWERED], ended=30)
    changes = await planes.ledger.record(events)
    planes._calls[changes[0].after.call_id] = changes[0].after
    planes.in_flight = len(events)
    assert await planes.drift() == NONE
    planes.exporter.on_change(changes[0])
    planes.in_flight = 0
    assert await planes.drift() == NONE


async def test_a_ledger_that_is_away_changes_nothing() -> None:
    planes = Planes()
    await planes.tell(story("1.1", asked=5, rings=[ANSWERED], ended=30))
    assert await planes.drift() == NONE
    planes.lose("1.1")
    assert await planes.drift() == {"K1": 1.0, "K2": 1.0}
    planes.ledger.gone = True
    with pytest.raises(StorageUnavailable):
        await planes.totals()
    assert await planes.drift() == {"K1": 1.0, "K2": 1.0}


# ── The ledger's totals ──────────────────────────────────────────────────────────────────────────────────────


async def test_the_books_totals_are_what_the_counters_count(tmp_path: Path) -> None:
    """Over a real ledger, with calls of last year among them."""
    engine = open_engine(await prepared("sqlite", tmp_path))
    ledger = SqlLedger(engine)
    exporter = Exporter(sections=[SectionId("inquiries")], limit_s=LIMIT_S, build={})
    books = SqlBooks(engine, SHANGHAI, LIMIT_S, Workdays(frozenset(), frozenset()))
    totals = BooksTotals(books, SetClock(NOON), SHANGHAI, LIMIT_S)
    watch = DriftWatch(totals, exporter, lambda: 0)
    try:
        assert await totals.totals() == Totals(0, 0, 0)
        await watch.compare()
        told = [
            story("1.1", asked=5, rings=[ANSWERED], ended=30),
            story("1.2", asked=5, rings=[LATE], ended=50),
            story("1.3", asked=5, rings=[ANSWERED]),
            story("1.4", asked=5, ended=30),
            story("1.5", asked=5),
            story("1.6", ended=30),
            story("0.1", start=NOON - timedelta(days=330), asked=5, rings=[ANSWERED], ended=30),
        ]
        for events in told:
            for change in await ledger.record(events):
                exporter.on_change(change)
        assert await totals.totals() == Totals(settled=5, answered=4, within=3)
        await watch.compare()
        assert exporter._registry.get_sample_value("hotline_kpi_drift_ratio", {"kpi": "K2"}) == 0
    finally:
        await engine.dispose()


async def test_new_year_takes_no_call_out_of_the_totals() -> None:
    asked: list[list[str]] = []

    class Books:
        async def measures(self, periods: Sequence[Period], *_: object) -> list[dict[str | None, Measures]]:
            assert all(period.grain is Grain.YEAR for period in periods)
            asked.append([period.label for period in periods])
            return [{None: Measures(asked=1)} for _ in periods]

    clock = SetClock(datetime(2026, 12, 31, 15, 59, tzinfo=UTC))
    totals = BooksTotals(Books(), clock, SHANGHAI, LIMIT_S)
    before = await totals.totals()
    clock.moment += timedelta(minutes=1)
    after = await totals.totals()
    assert asked == [["2025", "2026"], ["2025", "2026", "2027"]]
    assert (before.settled, after.settled) == (2, 3)
