"""A team at telephones, and books with something in them, for tests of the supervisor's and operations' pages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from calls.audit import Difference, Discrepancy
from calls.errors import AmiRefused
from calls.ids import AgentNumber, CallId, SectionId
from calls.live import AgentNow, AgentState, LinkNow, Picture
from calls.outages import Component, Maintenance
from calls.presence import PresenceChange, PresenceStep
from console.parts import Parts
from storage.audit import SqlAudit
from storage.ledger import SqlLedger
from storage.outages import SqlOutages
from storage.presence import SqlPresence
from storage.transcript_tables import transcription_work, workers
from tests.support_ledger import Ring, story

NOW = datetime(2026, 11, 23, 7, 30, tzinfo=UTC)
"""15:30 in Shanghai, a Monday."""
MORNING = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
"""09:00 in Shanghai."""


@dataclass
class Team:
    """Agents' states that the telephones change; ``console.team.ports.Now`` and ``Telephones``."""

    agents: dict[str, AgentNow] = field(default_factory=dict)
    refuses: str = ""
    done: list[str] = field(default_factory=list)

    async def picture(self) -> Picture:
        return Picture(at=NOW, link=LinkNow.UP, agents=tuple(self.agents.values()))

    async def log_in(self, agent: AgentNumber) -> None:
        self._set(agent, AgentState.READY)

    async def log_out(self, agent: AgentNumber) -> None:
        self._set(agent, AgentState.LOGGED_OUT)

    async def pause(self, agent: AgentNumber, reason: str) -> None:
        self._set(agent, AgentState.PAUSED, reason)

    async def unpause(self, agent: AgentNumber) -> None:
        self._set(agent, AgentState.READY)

    def _set(self, agent: AgentNumber, state: AgentState, reason: str | None = None) -> None:
        if self.refuses:
            raise AmiRefused(self.refuses)
        self.done.append(f"{agent} {state.value} {reason or ''}".strip())
        self.agents[agent] = replace(self.agents[agent], state=state, since=NOW, reason=reason)


def a_team() -> Team:
    """One in every state, of the default roster."""

    def one(number: str, state: AgentState, minutes: int, reason: str | None = None) -> AgentNow:
        return AgentNow(AgentNumber(number), state, NOW - timedelta(minutes=minutes), reason=reason)

    agents = [
        one("1001", AgentState.TALKING, 4),
        one("1002", AgentState.PAUSED, 12, "let-it-ring"),
        one("2001", AgentState.READY, 1),
        one("3001", AgentState.LOGGED_OUT, 600),
        one("4001", AgentState.WRAP_UP, 0),
        one("9001", AgentState.READY, 30),
    ]
    return Team({agent.number: agent for agent in agents})


def with_team(team: Team) -> Callable[[Parts], Parts]:
    """Puts the team in place of the one that a service that runs would have."""
    return lambda parts: replace(parts, team=replace(parts.team, now=team, telephones=team))


async def ring_some(
    engine: AsyncEngine, section: str = "inquiry", agents: Sequence[str] = ("1001", "1002")
) -> None:
    """A morning: of eight offers to each agent three are kept, three ring out, one is late, one is cut short."""
    ledger = SqlLedger(engine)
    for number, agent in enumerate(agents):
        for call in range(3):  # rings out at the first agent, kept by the same one a little later
            start = MORNING + timedelta(hours=call, minutes=7 * number)
            rings = [Ring(agent, 1, ended=16), Ring(agent, 20, answered=24, connected=24.5, ended=60)]
            await ledger.record(
                story(f"177.{agent}{call}", start=start, asked=0, rings=rings, ended=61, section=section)
            )
        late = [Ring(agent, 1, answered=19.5, connected=20, ended=80)]
        start = MORNING + timedelta(hours=4, minutes=number)
        await ledger.record(story(f"178.{agent}", start=start, asked=0, rings=late, ended=81, section=section))
        short = [Ring(agent, 1, ended=5)]
        await ledger.record(story(f"179.{agent}", start=start, asked=0, rings=short, ended=5, section=section))


async def something_in_the_books(engine: AsyncEngine) -> None:
    """Outages, maintenance, differences, stuck legs, a worker, presence."""
    book = SqlOutages(engine)
    await book.watched(NOW - timedelta(days=20))
    await book.opened(Component.DATABASE, NOW - timedelta(days=2), "OperationalError")
    await book.closed(Component.DATABASE, NOW - timedelta(days=2) + timedelta(minutes=12))
    await book.opened(Component.TRANSCRIPTION, NOW - timedelta(minutes=25), "no worker transcribes")
    night = NOW + timedelta(hours=11)
    await book.announce(Maintenance(night, night + timedelta(hours=1), frozenset({Component.TRUNK}), "线路割接"))
    await SqlAudit(engine).raised(
        [
            Discrepancy("differs/177.001", Difference.DIFFERS, NOW, "queue log: answered; books: abandoned"),
            Discrepancy("line/9", Difference.LINE_UNREADABLE, NOW, "a line of 40 bytes", CallId("177.001")),
        ]
    )
    stuck = [
        ("177.001", "caller", "quarantined", 2),
        ("177.011", "agent", "failed", 1),
        ("177.021", "caller", "owed", 0),
    ]
    async with engine.begin() as connection:
        for call, leg, state, deaths in stuck:
            await connection.execute(
                insert(transcription_work).values(
                    call_id=call,
                    leg=leg,
                    state=state,
                    owed_at=NOW - timedelta(minutes=40),
                    attempts=2,
                    deaths=deaths,
                    error="the worker died" if deaths else None,
                )
            )
        await connection.execute(insert(workers).values(worker="worker-1", beat=512))
    steps = [(0, PresenceStep.JOINED, ""), (30, PresenceStep.PAUSED, "break"), (45, PresenceStep.UNPAUSED, "")]
    await SqlPresence(engine).note(
        [
            PresenceChange(MORNING + timedelta(minutes=m), m, AgentNumber("1001"), SectionId("inquiry"), step, why)
            for m, step, why in steps
        ]
    )
