"""Sampling plans and draws in the database (Q1)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Row, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from calls.errors import Overtaken
from calls.ids import AgentNumber, CallId, FormId, SectionId
from calls.quality import ScoreState
from calls.sampling import Draw, Drawn, FrameCall, Part, Picked, Risk, SamplingPlan
from storage.engine import for_writing
from storage.faults import translated
from storage.quality_codec import frame_bytes, frame_of, plan_json, plan_parts, short_json, short_of
from storage.quality_tables import sample_draws as draws
from storage.quality_tables import sampling_plans as plans
from storage.quality_tables import scores


class SqlSamples:
    """Plans, and what was drawn by them. Raises StorageUnavailable or StorageRefused."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._writer = for_writing(engine)

    async def add(self, plan: SamplingPlan) -> SamplingPlan:
        """Store a plan; the one with its number."""
        values = {
            "name": plan.name,
            "form_id": plan.form_id,
            "seed": plan.seed,
            "made_by": plan.made_by,
            "made_at": plan.made_at,
            "content": plan_json(plan),
        }
        with translated():
            async with self._writer.begin() as connection:
                number = await connection.scalar(insert(plans).values(values).returning(plans.c.plan_id))
        assert number is not None, "the database numbers what it stores"
        return replace(plan, plan_id=number)

    async def retire(self, plan_id: int, at: datetime) -> None:
        """Nothing is drawn by it any more; what was drawn stays."""
        mine = (plans.c.plan_id == plan_id) & plans.c.retired_at.is_(None)
        with translated():
            async with self._writer.begin() as connection:
                await connection.execute(update(plans).where(mine).values(retired_at=at))

    async def plans(self) -> list[SamplingPlan]:
        """All plans, the newest first."""
        return [_plan(row) for row in await self._rows(select(plans).order_by(plans.c.plan_id.desc()))]

    async def plan(self, plan_id: int) -> SamplingPlan | None:
        rows = await self._rows(select(plans).where(plans.c.plan_id == plan_id))
        return _plan(rows[0]) if rows else None

    async def earlier(self, plan_id: int, period: str, before_draw: int | None = None) -> list[Picked]:
        """What this plan drew of a period, in draws before that one, or all."""
        wanted = select(scores).where(
            scores.c.plan_id == plan_id, scores.c.period == period, scores.c.draw_id.is_not(None)
        )
        if before_draw is not None:
            wanted = wanted.where(scores.c.draw_id < before_draw)
        return [_picked(row) for row in await self._rows(wanted.order_by(scores.c.score_id))]

    async def of_draw(self, draw_id: int) -> list[Picked]:
        """The calls of one draw."""
        rows = await self._rows(select(scores).where(scores.c.draw_id == draw_id).order_by(scores.c.score_id))
        return [_picked(row) for row in rows]

    async def record(self, draw: Draw, plan: SamplingPlan, frame: Sequence[FrameCall], assigned_to: str) -> int:
        """Store a draw; its calls are to be scored by ``assigned_to``. Its number.

        Raises Overtaken if somebody else drew one of these calls by the same plan in between: nothing is stored.
        """
        row = await asyncio.to_thread(_draw_row, draw, plan, frame)  # compressing takes seconds
        with translated():
            async with self._writer.begin() as connection:
                number = await connection.scalar(insert(draws).values(row).returning(draws.c.draw_id))
                rows = [
                    _score_row(pick, draw, plan.form_id, assigned_to) | {"draw_id": number}
                    for pick in draw.drawn.picked
                ]
                if rows:
                    try:
                        await connection.execute(insert(scores), rows)
                    except IntegrityError as error:
                        raise Overtaken("some of these calls were drawn by somebody else in between") from error
        assert number is not None, "the database numbers what it stores"
        return int(number)

    async def draws(self, plan_id: int, *, before: int | None = None, limit: int = 50) -> list[Draw]:
        """Draws of a plan, the newest first, from the one before ``before`` on; without their calls."""
        wanted = select(*_WITHOUT_FRAME).where(draws.c.plan_id == plan_id)
        if before is not None:
            wanted = wanted.where(draws.c.draw_id < before)
        return [_draw(row) for row in await self._rows(wanted.order_by(draws.c.draw_id.desc()).limit(limit))]

    async def draw(self, draw_id: int) -> Draw | None:
        """A draw with its calls."""
        rows = await self._rows(select(*_WITHOUT_FRAME).where(draws.c.draw_id == draw_id))
        if not rows:
            return None
        found = _draw(rows[0])
        return replace(found, drawn=replace(found.drawn, picked=tuple(await self.of_draw(draw_id))))

    async def frame(self, draw_id: int) -> tuple[SamplingPlan, list[FrameCall]] | None:
        """What a draw drew from, and the plan as it was then."""
        wanted = select(plans, draws.c.frame, draws.c.plan).join(draws, draws.c.plan_id == plans.c.plan_id)
        rows = await self._rows(wanted.where(draws.c.draw_id == draw_id))
        if not rows:
            return None
        frame = await asyncio.to_thread(frame_of, rows[0].frame)
        return replace(_plan(rows[0]), **plan_parts(rows[0].plan)), frame

    async def populations(self, plan_id: int, period: str) -> dict[AgentNumber, int]:
        """Calls of each agent that the plan drew from in a period, as of its last draw that had any of them."""
        wanted = (
            select(draws.c.population)
            .where(draws.c.plan_id == plan_id, draws.c.period == period)
            .order_by(draws.c.draw_id)
        )
        found: dict[AgentNumber, int] = {}
        for row in await self._rows(wanted):
            found |= {AgentNumber(agent): n for agent, n in row.population.items()}
        return found

    async def periods(self, plan_id: int) -> list[str]:
        """Labels of the periods that the plan drew from, the newest first."""
        wanted = (
            select(draws.c.period, func.max(draws.c.since).label("since"))
            .where(draws.c.plan_id == plan_id)
            .group_by(draws.c.period)
            .order_by(func.max(draws.c.since).desc())
        )
        return [row.period for row in await self._rows(wanted)]

    async def _rows(self, statement: Any) -> Sequence[Row[Any]]:
        with translated():
            async with self._engine.connect() as connection:
                return (await connection.execute(statement)).all()


_WITHOUT_FRAME = [column for column in draws.c if column.name != "frame"]


def _draw_row(draw: Draw, plan: SamplingPlan, frame: Sequence[FrameCall]) -> dict[str, Any]:
    return {
        "plan_id": draw.plan_id,
        "period": draw.period,
        "since": draw.since,
        "until": draw.until,
        "by": draw.by,
        "at": draw.at,
        "sections": None if draw.sections is None else sorted(draw.sections),
        "plan": plan_json(plan),
        "algorithm": draw.drawn.algorithm,
        "seed": draw.drawn.seed,
        "frame_digest": draw.drawn.frame_digest,
        "frame_size": draw.drawn.frame_size,
        "frame": frame_bytes(frame),
        "short": short_json(draw.drawn.short),
        "population": dict(draw.drawn.population),
    }


def _score_row(pick: Picked, draw: Draw, form_id: FormId, assigned_to: str) -> dict[str, Any]:
    return {
        "call_id": pick.call_id,
        "agent": pick.agent,
        "section": pick.section or None,
        "form_id": form_id,
        "assigned_to": assigned_to,
        "opened_at": draw.at,
        "state": ScoreState.OPEN.value,
        "plan_id": draw.plan_id,
        "period": draw.period,
        "part": pick.part.value,
        "stratum": pick.stratum,
        "risks": sorted(pick.risks),
        "revision": 0,
        "fatal": False,
    }


def _plan(row: Row[Any]) -> SamplingPlan:
    return SamplingPlan(
        plan_id=row.plan_id,
        name=row.name,
        form_id=FormId(row.form_id),
        seed=row.seed,
        made_by=row.made_by,
        made_at=row.made_at,
        retired_at=row.retired_at,
        **plan_parts(row.content),
    )


def _draw(row: Row[Any]) -> Draw:
    return Draw(
        draw_id=row.draw_id,
        plan_id=row.plan_id,
        period=row.period,
        since=row.since,
        until=row.until,
        by=row.by,
        at=row.at,
        sections=None if row.sections is None else frozenset(map(SectionId, row.sections)),
        per_agent=row.plan["per_agent"],
        risk_percent=row.plan["risk_percent"],
        drawn=Drawn(
            algorithm=row.algorithm,
            seed=row.seed,
            frame_digest=row.frame_digest,
            frame_size=row.frame_size,
            picked=(),
            short=short_of(row.short),
            population={AgentNumber(agent): n for agent, n in row.population.items()},
        ),
    )


def _picked(row: Row[Any]) -> Picked:
    return Picked(
        call_id=CallId(row.call_id),
        agent=AgentNumber(row.agent),
        section=row.section or "",
        part=Part(row.part),
        stratum=row.stratum,
        risks=frozenset(map(Risk, row.risks)),
    )
