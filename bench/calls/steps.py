"""One step of load: so many calls a second for so long, and whether that was sustained.

Judged by three who do not know of each other: SIPp (failed calls, messages sent again), Asterisk's own channel
event log (was everybody connected, did that take longer and longer) and, for our path, the ledger.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

from bench.calls.probe import cpu_s
from bench.calls.sipp import Crowd, Crowds, Tally
from bench.calls.stand import BARE, FULL, Stand
from calls.call import Call
from calls.events import AnyEvent, AskedBy
from calls.ids import CallId
from ivr.ami.translate import translate
from ivr.cel_file import read_on
from ivr.log_tail import Checkpoint
from simulation.script import CallerScript, HangUp, Press, Wait
from storage.engine import open_engine
from storage.ledger import SqlLedger

DRIFT_S = 0.1
"""A call's way to the agent may take so much longer at the end of a step than at its beginning."""
_BOOKS_WITHIN_S = 5.0
_EMPTY_WITHIN_S = 60.0
_VARIANTS = {"full": FULL, "bare": BARE}


@dataclass(frozen=True, slots=True)
class Connection:
    """A call as Asterisk's log tells it."""

    arrived_at: datetime
    setup_s: float | None
    """From arrival to hearing an agent; ``None`` if the caller never did."""
    asked_by: AskedBy | None


@dataclass(frozen=True, slots=True)
class Step:
    """What one step came to. ``why`` is empty if the rate was sustained."""

    variant: str
    per_s: float
    calls: int
    setup_ms: float
    cpu_ms: dict[str, float]
    """Processor time for each call, by process."""
    why: str


class CallLog:
    """The calls in Asterisk's channel event log since it was last cleared."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read = Checkpoint()
        self._events: dict[CallId, list[AnyEvent]] = {}

    def clear(self) -> None:
        """Forget everything up to now."""
        self.calls()
        self._events.clear()

    def calls(self) -> list[Connection]:
        """The calls by arrival, those that are going on as far as they have come."""
        records, self._read = read_on(self._path, self._read)
        for record in records:
            if event := translate(record):
                self._events.setdefault(event.call_id, []).append(event)
        found = (_connection(Call.of(told)) for told in self._events.values())
        return sorted(found, key=lambda connection: connection.arrived_at)


class Load:
    """Places calls of either variant on a stand; keeps the service running for ours only."""

    def __init__(self, stand: Stand, crowds: Crowds, agents: Crowd) -> None:
        self._stand = stand
        self._crowds = crowds
        self._agents = agents
        self.log = CallLog(stand.asterisk.dirs.log / "cel-custom" / "Master.csv")

    async def step(self, variant: str, per_s: float, seconds: float) -> Step:
        """Run one step and judge it."""
        await self.ready(variant)
        since, agents_before = datetime.now(UTC), self._agents.tally()
        pids = self._stand.pids()
        used = {name: -cpu_s(pid) for name, pid in pids.items()}
        calls = round(per_s * seconds)
        callers = await self.place(variant, per_s, "-m", str(calls))
        tally = await callers.end()
        why = await self._books(since, calls) if variant == "full" else ""
        await self.emptied()
        used = {name: (used[name] + cpu_s(pid)) * 1000 / calls for name, pid in pids.items()}
        connections = self.log.calls()
        agents = self._agents.tally().since(agents_before)
        return Step(
            variant=variant,
            per_s=per_s,
            calls=calls,
            setup_ms=median([c.setup_s for c in connections if c.setup_s] or [0.0]) * 1000,
            cpu_ms=used,
            why=_judge(tally, agents, connections, calls) or why,
        )

    async def ready(self, variant: str) -> None:
        """The service as the variant wants it, agents seated, the calls before forgotten."""
        if variant == "full":
            await self._stand.start_service()
        else:
            await self._stand.stop_service()
        await self._stand.seat_agents()
        self.log.clear()

    async def place(self, variant: str, per_s: float, *options: str) -> Crowd:
        """Callers who take both choices without hearing them out, hear the agent's number to its end, hang up."""
        steps = (Wait(1), Press("1"), Wait(0.5), Press("1"), Wait(5), HangUp())
        script = CallerScript(steps=steps, dialled=_VARIANTS[variant])
        return await self._crowds.callers(script, "-r", f"{per_s:g}", *options)

    async def cleared(self) -> None:
        """End every call, and return when Asterisk has none left."""
        await self._stand.asterisk.command("channel request hangup all")
        await self.emptied()

    async def emptied(self) -> None:
        """Return when Asterisk has no call left."""
        async with asyncio.timeout(_EMPTY_WITHIN_S):
            while "0 active channels" not in (
                await self._stand.asterisk.command("core show channels count") or ""
            ):
                await asyncio.sleep(0.5)

    async def _books(self, since: datetime, calls: int) -> str:
        """Whether the ledger has every call since then, answered and recorded."""
        engine = open_engine(self._stand.settings.ledger_url)
        ledger, deadline = SqlLedger(engine), time.monotonic() + _BOOKS_WITHIN_S
        try:
            while True:
                figures = await ledger.figures(since, since + timedelta(hours=1), 15.0)
                booked = figures.answered.numerator - figures.missing_recordings
                if booked >= calls:
                    return ""
                if time.monotonic() > deadline:
                    return f"ledger {booked}/{calls}"
                await asyncio.sleep(0.25)
        finally:
            await engine.dispose()


def _connection(call: Call) -> Connection:
    at = call.connected.connected_at if call.connected else None
    return Connection(
        arrived_at=call.arrived_at,
        setup_s=(at - call.arrived_at).total_seconds() if at else None,
        asked_by=call.asked_by,
    )


def _judge(callers: Tally, agents: Tally, connections: Sequence[Connection], calls: int) -> str:
    """Why a step was not sustained; empty if it was."""
    times = [connection.setup_s for connection in connections if connection.setup_s is not None]
    third = max(len(times) // 3, 1)
    drift_s = median(times[-third:]) - median(times[:third]) if times else 0.0
    fallbacks = sum(connection.asked_by is AskedBy.FALLBACK for connection in connections)
    faults = {
        f"{callers.failed + agents.failed} failed": callers.failed + agents.failed,
        f"{callers.repeats + agents.repeats} sent again": callers.repeats + agents.repeats,
        f"{calls - len(times)} not connected": len(times) != calls,
        f"{fallbacks} taken over by the dialplan": fallbacks,
        f"set-up drifts by {drift_s * 1000:.0f} ms": drift_s > DRIFT_S,
    }
    return ", ".join(text for text, found in faults.items() if found)
