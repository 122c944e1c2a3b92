"""From a plan and a period to a sample: the frame out of the books, the draw, its record, its repetition (Q1)."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from calls.ids import AgentNumber
from calls.people import Person, Right, Scope
from calls.periods import Period
from calls.sampling import Candidate, Draw, Drawn, FrameCall, Part, Picked, SamplingPlan
from console.quality.desk import Desk
from qa.sampling import digest, draw, length_of, shift_of
from storage.frames import Wanted


@dataclass(frozen=True, slots=True)
class AgentLine:
    """What a sample holds of one agent."""

    agent: AgentNumber
    population: int
    random: int
    risk: int
    short: int
    """Calls that the plan asks for and there were not."""


@dataclass(frozen=True, slots=True)
class Preview:
    """What a draw would come to now."""

    period: Period
    drawn: Drawn
    frame: tuple[FrameCall, ...]
    running: bool
    """The period is not over: what is drawn now is of the calls so far only."""


@dataclass(frozen=True, slots=True)
class Repeated:
    """A recorded draw, done again from what was kept of it."""

    same_frame: bool
    same_sample: bool


class Drawing:
    """Draws samples."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def preview(self, plan: SamplingPlan, period: Period, person: Person) -> Preview:
        """Draw without recording: the same as ``record`` would, as long as no call comes in between."""
        since, until = period.span
        scope = person.scope(Right.SCORE)
        wanted = Wanted(since, min(until, self._desk.now()), plan.least_talk_s, scope, plan.sections)
        frame = await self._frame(plan, wanted)
        earlier = await self._desk.samples.earlier(plan.plan_id, period.label)
        drawn = await asyncio.to_thread(
            draw, plan, period.label, frame, scope=scope, earlier=earlier, not_agent=person.agent
        )
        own = tuple(call for call in frame if call.agent != person.agent)
        return Preview(period, drawn, own, running=until > self._desk.now())

    async def record(self, plan: SamplingPlan, period: Period, person: Person, at: datetime) -> int | None:
        """Draw, and keep all that is needed to repeat it; the draw's number, ``None`` if there is nothing to draw.

        Raises Overtaken if somebody else drew at the same time.
        """
        found = await self.preview(plan, period, person)
        if not found.drawn.picked:
            return None
        scope = person.scope(Right.SCORE)
        since, until = period.span
        done = Draw(
            draw_id=0,
            plan_id=plan.plan_id,
            period=period.label,
            since=since,
            until=min(until, at),
            by=person.login,
            at=at,
            sections=None if scope.everything else scope.sections,
            per_agent=plan.per_agent,
            risk_percent=plan.risk_percent,
            drawn=found.drawn,
        )
        return await self._desk.samples.record(done, plan, found.frame, person.login)

    async def repeat(self, recorded: Draw) -> Repeated:
        """Draw again from the frame that was kept, under the seed that was noted, and compare."""
        kept = await self._desk.samples.frame(recorded.draw_id)
        assert kept is not None, "a draw has its frame"
        plan, frame = kept
        earlier = await self._desk.samples.earlier(recorded.plan_id, recorded.period, recorded.draw_id)
        # The frame holds what the drawer could see, and nothing of their own.
        again = await asyncio.to_thread(
            draw, plan, recorded.period, frame, scope=Scope(everything=True), earlier=earlier
        )
        return Repeated(
            same_frame=digest(frame) == recorded.drawn.frame_digest,
            same_sample=_ids(again.picked) == _ids(recorded.drawn.picked),
        )

    async def _frame(self, plan: SamplingPlan, wanted: Wanted) -> list[FrameCall]:
        found = await self._desk.frames.candidates(wanted)
        return await asyncio.to_thread(_sorted_in, plan, found, self._desk.parts.zone)


def by_agent(drawn: Drawn) -> list[AgentLine]:
    """A sample, counted."""
    parts = Counter((pick.agent, pick.part) for pick in drawn.picked)
    short: Counter[AgentNumber] = Counter()
    for each in drawn.short:
        short[each.agent] += each.wanted - each.got
    return [
        AgentLine(agent, calls, parts[agent, Part.RANDOM], parts[agent, Part.RISK], short[agent])
        for agent, calls in sorted(drawn.population.items())
    ]


def _sorted_in(plan: SamplingPlan, found: Sequence[Candidate], zone: tzinfo) -> list[FrameCall]:
    return [
        FrameCall(
            call_id=each.call_id,
            agent=each.agent,
            section=each.section or "",
            shift=shift_of(plan, each.arrived_at, zone),
            length=length_of(plan, each.talk_s),
            risks=each.risks,
        )
        for each in found
    ]


def _ids(picked: Sequence[Picked]) -> set[tuple[str, Part]]:
    return {(pick.call_id, pick.part) for pick in picked}
