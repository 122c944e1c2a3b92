"""How often something may be asked by whoever it is: a bucket of permits for each key, refilled as time passes."""

from __future__ import annotations

import math
from collections import OrderedDict
from datetime import datetime

from calls.ports import Clock

_MOST_KEYS = 50_000
"""Keys remembered; whoever comes with more addresses than that pushes out the oldest only."""


class Throttle:
    """``many`` at once, then one more every ``every_s`` seconds, for each key."""

    def __init__(self, many: int, every_s: float, clock: Clock) -> None:
        self._many = many
        self._every_s = every_s
        self._clock = clock
        self._left: OrderedDict[str, tuple[float, datetime]] = OrderedDict()

    def wait_s(self, key: str) -> int:
        """Take a permit: 0 when there was one, else whole seconds until there will be."""
        now, left = self._clock.now(), self._now(key)
        self._left.pop(key, None)
        taken = left >= 1
        self._left[key] = (left - 1 if taken else left, now)
        if len(self._left) > _MOST_KEYS:
            self._left.popitem(last=False)
        return 0 if taken else max(1, math.ceil((1 - left) * self._every_s))

    def spent(self, key: str) -> bool:
        """Whether no permit is left; none is taken."""
        return self._now(key) < 1

    def _now(self, key: str) -> float:
        now = self._clock.now()
        left, since = self._left.get(key, (float(self._many), now))
        passed = max(0.0, (now - since).total_seconds())  # the clock may have been set back
        return min(float(self._many), left + passed / self._every_s)
