"""One run: the plan is played, healed, and the books are compared with what SIPp's logs say."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import aiohttp
from sqlalchemy import select

from bench.faults.compare import Comparison, Figures, compare
from bench.faults.ears import ears
from bench.faults.ground import Ground
from bench.faults.people import People
from bench.faults.plan import FaultPlan, Plan
from bench.faults.stage import Stage, stage
from bench.faults.truth import Attempt, Ring, Seen, seen
from calls.audit import Discrepancy, Repair
from calls.call import Call
from calls.errors import SanshengError, StorageError
from calls.ids import CallId
from calls.measures import Dimension
from calls.periods import Grain, Period
from service.books import kpi_figures_of
from service.wiring import SystemClock
from storage.audit import SqlAudit
from storage.engine import open_engine
from storage.ledger import SqlLedger
from storage.tables import calls as calls_table

_QUIET_WITHIN_S = 90.0
_QUIET_FOR_S = 3.0
_LOOK_EVERY_S = 1.0
_KPIS = ("K1", "K2", "K2r")


@dataclass(frozen=True, slots=True)
class Books:
    """What the books hold in the end, and what they say of their own quality."""

    calls: tuple[Call, ...]
    figures: Figures
    repairs: tuple[Repair, ...]
    open: tuple[Discrepancy, ...]


@dataclass(frozen=True, slots=True)
class Run:
    """What a run left behind."""

    plan: Plan
    faults: tuple[tuple[datetime, FaultPlan], ...]
    attempts: tuple[Attempt, ...]
    truth: tuple[Seen, ...]
    books: Books
    comparison: Comparison

    def near(self, number: str) -> list[str]:
        """The faults during a call and shortly before it, for the report."""
        one = next((one for one in self.truth if one.number == number), None)
        if one is None:
            return []
        margin = timedelta(seconds=5)
        return [
            f"{fault.kind.value} {(at - one.arrived_at).total_seconds():+.2f} s"
            for at, fault in self.faults
            if one.arrived_at - margin <= at <= one.ended_at + margin
        ]


async def perform(
    plan: Plan,
    ground: Ground,
    clock_limit_ms: float,
    *,
    tell: Callable[[str], None] = lambda _line: None,
    ahead: bool = False,
) -> Run:
    """Play the plan; ``tell`` gets a line for every fault; ``ahead``: before the machine's other programs.

    Raises SanshengError for what could not be played.
    """
    async with stage(ground, plan, ahead=ahead) as hotline:
        began = datetime.now(UTC)
        async with ears(ground.asterisk[0], ground.callers) as hearing:
            people = People(ground, hearing, hotline.asterisk.secrets().phones)
            try:
                await people.seat(plan)
                await _play(plan, hotline, people, tell)
                rings = await people.rings()
            finally:
                await people.send_home()
        truth = _truth(people.attempts, rings, hotline)
        books = await _books(hotline, began, {one.number for one in truth})
    comparison = compare(
        truth,
        [attempt.number for attempt in people.attempts if not attempt.taken],
        books.calls,
        books.figures,
        hotline.settings.rings.limit_s,
        clock_limit_ms,
    )
    return Run(plan, tuple(hotline.done), tuple(people.attempts), tuple(truth), books, comparison)


async def _play(plan: Plan, hotline: Stage, people: People, tell: Callable[[str], None]) -> None:
    """Everything at its moment, until every call is over and every fault healed."""
    begins = asyncio.get_running_loop().time()

    async def until(at_s: float) -> None:
        await asyncio.sleep(max(0.0, begins + at_s - asyncio.get_running_loop().time()))

    async def fail(fault: FaultPlan) -> None:
        await until(fault.at_s)
        tell(f"{fault.at_s:6.1f} s  {fault.kind.value}, {people.over} calls over, {people.present} going on")
        await hotline.suffer(fault)

    supervisor = asyncio.create_task(hotline.keep_agents())
    try:
        async with asyncio.TaskGroup() as group:
            for fault in plan.faults:
                group.create_task(fail(fault))
            for call in plan.calls:
                await until(call.at_s)
                group.create_task(people.call(call))
    except* SanshengError as errors:
        raise errors.exceptions[0] from None
    finally:
        supervisor.cancel()
        await asyncio.gather(supervisor, return_exceptions=True)


def _truth(attempts: Sequence[Attempt], rings: Sequence[tuple[str, Ring]], hotline: Stage) -> list[Seen]:
    by_number: dict[str, list[Ring]] = defaultdict(list)
    for number, ring in rings:
        by_number[number].append(ring)
    return [
        seen(attempt, by_number[attempt.number], hotline.deaths)
        for attempt in sorted(attempts, key=lambda attempt: attempt.number)
        if attempt.taken
    ]


async def _books(hotline: Stage, since: datetime, numbers: set[str]) -> Books:
    """The books, once they are quiet, or as they are when that takes too long."""
    settings = hotline.settings
    engine = open_engine(settings.ledger_url)
    ledger, audit, kpis = SqlLedger(engine), SqlAudit(engine), kpi_figures_of(settings, engine, SystemClock())
    until = since + timedelta(days=1)
    year = [Period.containing(since, Grain.YEAR, settings.zone)]

    async def read() -> Books:
        async with engine.connect() as connection:
            ids = [CallId(row.call_id) for row in await connection.execute(select(calls_table.c.call_id))]
        calls = [call for call_id in sorted(ids) if (call := await ledger.call(call_id))]
        day = await ledger.figures(since, until, settings.rings.limit_s)
        of_all = await kpis.figures(_KPIS, year)
        of_sections = await kpis.figures(_KPIS, year, by=Dimension.SECTION)
        figures = Figures(day, (*of_all, *of_sections))
        repairs, raised = await audit.repairs(since, until), await audit.discrepancies()
        return Books(tuple(calls), figures, tuple(repairs), tuple(raised))

    try:
        ends, quiet_since = time.monotonic() + _QUIET_WITHIN_S, time.monotonic()
        before: tuple[Call, ...] = ()
        while time.monotonic() < ends:
            calls: tuple[Call, ...] = ()
            with contextlib.suppress(StorageError):
                calls = (await read()).calls
            whole = numbers <= {call.caller for call in calls} and all(call.ended_at for call in calls)
            if not whole or calls != before or not await _is_ready(hotline):
                quiet_since = time.monotonic()
            if time.monotonic() - quiet_since > _QUIET_FOR_S:
                break
            before = calls
            await asyncio.sleep(_LOOK_EVERY_S)
        return await read()
    finally:
        await engine.dispose()


async def _is_ready(hotline: Stage) -> bool:
    url = f"http://127.0.0.1:{hotline.settings.ports.web}/readyz"
    try:
        async with aiohttp.ClientSession() as web, web.get(url) as answer:
            return answer.status == 200
    except aiohttp.ClientError:
        return False
