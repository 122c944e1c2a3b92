"""Child processes of ours: they do not outlive us, and are ended politely, then with force."""

from __future__ import annotations

import asyncio

DIES_WITH_US = ("setpriv", "--pdeathsig", "TERM")
"""Put before a child's command: it is told to end when we are killed without a chance to say so."""


async def end(process: asyncio.subprocess.Process | None, graceful_s: float) -> None:
    """Return when the process is no more; it has ``graceful_s`` seconds to end by itself."""
    if process is None or process.returncode is not None:
        return
    process.terminate()
    try:
        await asyncio.wait_for(process.wait(), graceful_s)
    except TimeoutError:
        process.kill()
        await process.wait()
