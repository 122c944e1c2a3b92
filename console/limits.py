"""How much one session, and one address, may ask in a time: more is answered 429 (token buckets)."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable

_MOST = 10_000
"""Buckets that are kept; the one that was asked of longest ago goes first."""


class Limit:
    """So many requests a second in the long run, and ``burst`` at once, for each key."""

    def __init__(self, per_s: float, burst: float, now: Callable[[], float] = time.monotonic) -> None:
        self._per_s = per_s
        self._burst = burst
        self._now = now
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()
        """What is left, and when that was counted."""

    def wait_s(self, key: str) -> float:
        """0 if this request is within the limit, and then it is counted; else seconds until one would be."""
        now = self._now()
        left, at = self._buckets.pop(key, (self._burst, now))
        left = min(self._burst, left + (now - at) * self._per_s)
        allowed = left >= 1
        self._buckets[key] = (left - 1 if allowed else left, now)
        if len(self._buckets) > _MOST:
            self._buckets.popitem(last=False)
        return 0.0 if allowed else (1 - left) / self._per_s


class Limits:
    """Both limits; an address may be that of a whole office, and has ten times as much."""

    def __init__(self, per_s: float, now: Callable[[], float] = time.monotonic) -> None:
        self._sessions = Limit(per_s, 3 * per_s, now)
        self._addresses = Limit(10 * per_s, 30 * per_s, now)

    def wait_s(self, address: str, session: str) -> float:
        """As ``Limit.wait_s``, for a request from an address, in a session or (empty) none."""
        return self._addresses.wait_s(address) or (self._sessions.wait_s(session) if session else 0.0)
