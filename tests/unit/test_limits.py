"""How much may be asked in a time (P1)."""

from __future__ import annotations

import itertools

from console.limits import Limit, Limits


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_burst_then_a_rate() -> None:
    clock = Clock()
    limit = Limit(2, 3, clock)
    assert [limit.wait_s("a") for _ in range(3)] == [0, 0, 0]
    assert limit.wait_s("a") == 0.5
    assert limit.wait_s("b") == 0, "another's bucket is full"
    clock.now += 0.5
    assert limit.wait_s("a") == 0
    assert limit.wait_s("a") == 0.5
    clock.now += 3600
    assert [limit.wait_s("a") for _ in range(4)] == [0, 0, 0, 0.5], "never more than the burst"


def test_an_address_has_more_than_a_session_and_bounds_many_sessions() -> None:
    limits = Limits(1, Clock())
    names = itertools.count()
    assert sum(limits.wait_s("a", "s") == 0 for _ in range(10)) == 3
    assert sum(limits.wait_s("a", f"s{next(names)}") == 0 for _ in range(100)) == 20
    assert limits.wait_s("b", "s9") == 0


def test_memory_is_bounded() -> None:
    limit = Limit(1, 1, Clock())
    for number in range(30_000):
        limit.wait_s(str(number))
    assert len(limit._buckets) == 10_000
