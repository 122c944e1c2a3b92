"""Which process goes first where the processors are short: callers and agents before everything else."""

from __future__ import annotations

import os
from pathlib import Path

AHEAD = -10
"""Of nice: Asterisk, and in measurements SIPp, go before the machine's other programs."""
BEHIND = -5
"""For the service there, whose starts want a whole processor for seconds."""
LAST = 10
"""For who transcribes: callers and agents come first."""


def set_priority(pid: int, nice: int) -> bool:
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


def stand_back(nice: int = LAST) -> None:
    """Let all others go before this process. Its session, too, if that is its own and no person's terminal."""
    if os.getsid(0) != os.getpid() or not set_priority(os.getpid(), nice):
        os.nice(max(0, nice - os.nice(0)))
