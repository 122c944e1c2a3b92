"""Lets a run go before the machine's other programs, whose load would pass for errors of the books."""

from __future__ import annotations

import os
from pathlib import Path

AHEAD = -10
"""Of nice, for Asterisk and SIPp."""
BEHIND = -5
"""For the service, whose starts want a whole processor for seconds."""


def go_ahead(pid: int, nice: int) -> bool:
    """Give a process and its session this priority; whether that was allowed."""
    try:
        os.setpriority(os.PRIO_PROCESS, pid, nice)
        # Linux shares the processors out by session first; then nice counts only within one.
        session = Path(f"/proc/{pid}/autogroup")
        if session.exists():
            session.write_text(str(nice))
    except OSError:  # not allowed, or the process has just ended
        return False
    return True
