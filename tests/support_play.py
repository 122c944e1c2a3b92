"""Plays a scenario on a hotline and gathers everything that is left of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import select

from calls.call import Call, Result
from calls.custody import Access, AccessKind
from calls.events import AnyEvent, CallEnded, EndedBy
from calls.ids import CallId
from calls.live import AgentNow, AgentState
from ivr.ami.translate import translate
from ivr.cel_file import read_on
from ivr.log_tail import Checkpoint
from recordings.intake import INTERRUPTED
from service.custody import custody_of
from service.wiring import SystemClock
from simulation.people import Outcome, People
from simulation.script import CallerScript, Speak, Step
from storage.engine import open_engine
from storage.ledger import SqlLedger
from storage.tables import calls as calls_table
from tests.support_centre import PATIENCE_S, Centre, within
from tests.support_scenario import Caller, Do, Fault, Scenario, Seat

_LONGEST_S = 300.0


@dataclass
class Evidence:
    """What a scenario left behind. Only what is new since it began."""

    scenario: Scenario
    calls: list[Call] = field(default_factory=list)
    events: dict[CallId, list[AnyEvent]] = field(default_factory=dict)
    outcomes: list[tuple[Caller, Outcome]] = field(default_factory=list)
    done_at: dict[Do, datetime] = field(default_factory=dict)
    increase: dict[str, float] = field(default_factory=dict)
    """Of every counter; since the service's last start if it was started anew."""
    cel: list[AnyEvent] = field(default_factory=list)
    """The calls' events as the file of Asterisk tells them."""
    queue_log: list[list[str]] = field(default_factory=list)
    asterisk_log: list[str] = field(default_factory=list)
    service_log: str = ""
    agents: dict[str, AgentNow] = field(default_factory=dict)
    channels_left: list[str] = field(default_factory=list)
    ami_events: set[str] = field(default_factory=set)


class Marks:
    """Where files, ledger and counters stood when a scenario began."""

    def __init__(self, centre: Centre) -> None:
        self._centre = centre
        self._sizes = {path: path.stat().st_size if path.exists() else 0 for path in self._files()}
        self.known: set[str] = set()
        self.counters: dict[str, float] = {}

    def _files(self) -> tuple[Path, ...]:
        centre = self._centre
        return centre.asterisk_log, centre.queue_log, centre.cel_file, centre.service.log_file

    def new_text(self, path: Path) -> str:
        """What has been appended to a file."""
        if not path.exists():
            return ""
        with path.open("rb") as file:
            file.seek(self._sizes[path])
            return file.read().decode("utf-8", "replace")

    def new_records(self) -> list[AnyEvent]:
        """The events in what has been appended to Asterisk's channel event log."""
        path = self._centre.cel_file
        if not path.exists():
            return []
        records, _ = read_on(path, Checkpoint(path.stat().st_ino, self._sizes[path]))
        return [event for record in records if (event := translate(record))]


@asynccontextmanager
async def ledger_of(centre: Centre) -> AsyncIterator[tuple[SqlLedger, Callable[[], Awaitable[set[str]]]]]:
    """The ledger, read beside the service, and the ids of all calls in it."""
    engine = open_engine(centre.settings.ledger_url)

    async def ids() -> set[str]:
        async with engine.connect() as connection:
            return {row.call_id for row in await connection.execute(select(calls_table.c.call_id))}

    try:
        yield SqlLedger(engine), ids
    finally:
        await engine.dispose()


async def play(centre: Centre, scenario: Scenario) -> Evidence:
    """Play it and return what is left. The hotline is as usual before and after."""
    if not scenario.special_service:
        return await _play(centre, scenario)
    centre.configure(rehearse_at=scenario.rehearse_at, opening=scenario.opening)
    await centre.restart_service()
    try:
        return await _play(centre, scenario)
    finally:
        centre.configure()
        await centre.restart_service()


async def _play(centre: Centre, scenario: Scenario) -> Evidence:
    await centre.home()
    evidence = Evidence(scenario)
    async with ledger_of(centre) as (ledger, ids), centre.people() as people:
        marks = Marks(centre)
        marks.known = await ids()
        marks.counters = await centre.counters()
        centre.events.clear()
        performance = _Performance(centre, people, evidence, marks)
        async with asyncio.timeout(_LONGEST_S):
            await performance.run(scenario)
        if not centre.service.running:
            await centre.start_service()
        await within(lambda: _settled(centre, scenario, ledger, ids, marks), PATIENCE_S)
        await _gather(centre, evidence, ledger, ids, marks)
    return evidence


class _Performance:
    """Everything that happens at its moment."""

    def __init__(self, centre: Centre, people: People, evidence: Evidence, marks: Marks) -> None:
        self._centre = centre
        self._people = people
        self._evidence = evidence
        self._marks = marks
        self._begins = 0.0

    async def run(self, scenario: Scenario) -> None:
        if scenario.seats:
            await self._people.register(*(seat.number for seat in scenario.seats))
        for seat in scenario.seats:
            await self._people.agent(seat.number, replace(seat.script, steps=self._here(seat.script.steps)))
            if seat.at_s == 0:
                await self._centre.log_in(seat.number, seat.paused)
        early = [fault for fault in scenario.faults if fault.at_s < 0]
        for fault in early:
            await self._do(fault)
        self._begins = asyncio.get_running_loop().time()
        async with asyncio.TaskGroup() as group:
            for seat in scenario.seats:
                if seat.at_s > 0:
                    group.create_task(self._join(seat))
            for fault in scenario.faults:
                if fault not in early:
                    group.create_task(self._do(fault))
            for caller in scenario.callers:
                group.create_task(self._call(caller))

    def _here(self, steps: tuple[Step, ...]) -> tuple[Step, ...]:
        """The steps with the files that are spoken where they are."""
        folder = self._centre.var_dir
        return tuple(replace(step, file=folder / step.file) if isinstance(step, Speak) else step for step in steps)

    async def _until(self, at_s: float) -> None:
        """The script's own time, not a guess at anybody else's."""
        await asyncio.sleep(max(0.0, self._begins + at_s - asyncio.get_running_loop().time()))

    async def _join(self, seat: Seat) -> None:
        await self._until(seat.at_s)
        await self._centre.log_in(seat.number, seat.paused)

    async def _call(self, caller: Caller) -> None:
        await self._until(caller.at_s)
        script = CallerScript(self._here(caller.steps), number=caller.number, name=caller.name)
        process = await self._people.call(script, calls=caller.calls, per_s=max(1, caller.calls))
        self._evidence.outcomes.append((caller, await self._people.outcome(process)))

    async def _do(self, fault: Fault) -> None:
        if fault.at_s >= 0:
            await self._until(fault.at_s)
        self._evidence.done_at[fault.do] = datetime.now(UTC)
        centre = self._centre
        match fault.do:
            case Do.STOP_SERVICE:
                await centre.service.stop()
                self._evidence.done_at[fault.do] = datetime.now(UTC)  # until then it serves
                self._marks.counters = {}
            case Do.KILL_SERVICE:
                await centre.kill_service()
                self._marks.counters = {}
            case Do.START_SERVICE:
                await centre.start_service()
            case Do.FREEZE_SERVICE:
                centre.freeze_service()
            case Do.THAW_SERVICE:
                await centre.thaw_service()
            case Do.CRASH_ASTERISK:
                await centre.restart_asterisk()


async def _settled(
    centre: Centre,
    scenario: Scenario,
    ledger: SqlLedger,
    ids: Callable[[], Awaitable[set[str]]],
    marks: Marks,
) -> bool:
    """Whether all that belongs to the scenario has reached the books."""
    new = await ids() - marks.known
    if len(new) < sum(caller.calls for caller in scenario.callers) or await ledger.open_calls():
        return False
    calls = [await ledger.call(CallId(call_id)) for call_id in new]
    recorded = all(call.recording for call in calls if call and call.result is Result.ANSWERED)
    kept = not any(centre.asterisk.dirs.intake.iterdir())
    if not recorded or not kept or not await centre.is_quiet():
        return False
    # Asterisk's file, its queues and our counters are told the same, each at its own pace.
    filed = {event.call_id for event in marks.new_records() if isinstance(event, CallEnded)}
    if not all(call.call_id in filed for call in calls if call and call.ended_by is not EndedBy.SYSTEM):
        return False
    if any(agent.state in _ON_THE_TELEPHONE for agent in (await centre.agents()).values()):
        return False
    return scenario.counted_in_part or await _ended(centre, marks) >= len(new)


_ON_THE_TELEPHONE = (AgentState.RINGING, AgentState.TALKING)


async def _ended(centre: Centre, marks: Marks) -> float:
    """Ends of calls that the service has counted since the scenario began."""
    counters = await centre.counters()
    return sum(
        value - marks.counters.get(name, 0)
        for name, value in counters.items()
        if name.startswith("hotline_calls_ended_total")
    )


async def _take_out(centre: Centre, call_id: CallId) -> None:
    """The call's recording, out of the vault, into files that look as they did before they went in (P2)."""
    engine = open_engine(centre.settings.ledger_url)
    try:
        custody = custody_of(centre.settings, engine, SystemClock())
        for one in await custody.recordings(call_id):
            folder = centre.heard / call_id
            folder.mkdir(parents=True, exist_ok=True)
            access = Access("os:test", AccessKind.EXPORT, "a scenario's checks", call_id, one.leg)
            with await custody.open(call_id, one.leg, access) as sound:
                (folder / f"{one.leg}.wav").write_bytes(sound.read())
            if not one.complete:
                (folder / INTERRUPTED).touch()
    finally:
        await engine.dispose()


async def _gather(
    centre: Centre,
    evidence: Evidence,
    ledger: SqlLedger,
    ids: Callable[[], Awaitable[set[str]]],
    marks: Marks,
) -> None:
    for call_id in sorted(await ids() - marks.known):
        events = await ledger.events(CallId(call_id))
        evidence.events[CallId(call_id)] = events
        evidence.calls.append(Call.of(events))
        await _take_out(centre, CallId(call_id))
    counters = await centre.counters()
    evidence.increase = {name: value - marks.counters.get(name, 0) for name, value in counters.items()}
    evidence.cel = marks.new_records()
    evidence.queue_log = [line.split("|") for line in marks.new_text(centre.queue_log).splitlines()]
    evidence.asterisk_log = marks.new_text(centre.asterisk_log).splitlines()
    evidence.service_log = marks.new_text(centre.service.log_file)
    evidence.agents = await centre.agents()
    evidence.channels_left = await centre.channels()
    evidence.ami_events = set(centre.events)
