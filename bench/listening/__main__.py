"""``python -m bench.listening``: see bench/README.md. ``QUICK=1`` in the environment makes it short."""

from __future__ import annotations

import asyncio
import logging
import os
import sys

from bench.listening.opening import Opened, open_calls
from calls.errors import SanshengError

LONG, QUICK = 20, 3


def _tell(hour: Opened, minute: Opened) -> None:
    rows = [
        ("page", hour.page_s, minute.page_s),
        ("first piece of sound", hour.sound_s, minute.sound_s),
        ("a piece from the middle", hour.seek_s, minute.seek_s),
        ("browser, until it can be listened to", hour.browser_s, minute.browser_s),
        ("the same, worst", hour.browser_worst_s, minute.browser_worst_s),
    ]
    print(f"{'seconds, medians':40}{'an hour':>12}{'a minute':>12}")
    for what, long, short in rows:
        print(f"{what:40}{long:12.3f}{short:12.3f}")
    print(flush=True)


def main() -> int:
    logging.basicConfig(level=logging.CRITICAL)
    quick = os.environ.get("QUICK") == "1"
    times, load = QUICK if quick else LONG, os.getloadavg()[0]
    print(f"bench/listening ({'QUICK' if quick else 'long'}), {os.cpu_count()} processors, load {load:.1f}\n")
    try:
        hour, minute = asyncio.run(open_calls(times))
    except (SanshengError, OSError) as error:
        print(f"bench/listening could not measure: {error or type(error).__name__}", file=sys.stderr)
        return 1
    _tell(hour, minute)
    found = {
        "open_ms": f"{1000 * hour.browser_s:.0f}",
        "open_worst_ms": f"{1000 * hour.browser_worst_s:.0f}",
        "minute_open_ms": f"{1000 * minute.browser_s:.0f}",
        "page_ms": f"{1000 * hour.page_s:.0f}",
        "load": f"{load:.1f}",
    }
    print("RESULT name=listening " + " ".join(f"{key}={value}" for key, value in found.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
