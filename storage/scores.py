"""Scores in the database: revisions that are never overwritten, drafts, the record of steps, appeals (Q3)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from calls.errors import Overtaken
from calls.ids import AgentNumber, CallId, FormId, SectionId
from calls.people import Scope
from calls.quality import Appeal, Marked, Revision, Score, ScoreState, Sheet, Step
from calls.sampling import Part, Risk
from storage.burial import is_buried
from storage.engine import for_writing
from storage.faults import translated
from storage.quality_codec import remarks_json, sheet_json, sheet_of
from storage.quality_tables import appeals, rulings, score_drafts, score_revisions, score_steps, scores
from storage.reach import within
from storage.ruling_tallies import count_rulings


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreFilter:
    """Which scores to list; ``None`` leaves nothing out."""

    scope: Scope
    states: Collection[ScoreState] | None = None
    assigned_to: str | None = None
    agent: AgentNumber | None = None
    call_id: CallId | None = None
    plan_id: int | None = None
    period: str | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """What somebody has typed of a sheet so far."""

    sheet: Sheet
    edit: int
    """Goes up with every save: who saves says which one they saw."""
    saved_at: datetime


class SqlScores:
    """Scores. Raises StorageUnavailable, StorageRefused or Overtaken."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._writer = for_writing(engine)

    # ── Reading ──────────────────────────────────────────────────────────────────────────────────────────────

    async def score(self, score_id: int) -> Score | None:
        rows = await self._rows(select(scores).where(scores.c.score_id == score_id))
        return _score(rows[0]) if rows else None

    async def page(self, which: ScoreFilter, *, before: int | None = None, limit: int = 50) -> list[Score]:
        """Scores, the newest first, from the one before number ``before`` on."""
        wanted = select(scores).where(*_conditions(which))
        if before is not None:
            wanted = wanted.where(scores.c.score_id < before)
        return [_score(row) for row in await self._rows(wanted.order_by(scores.c.score_id.desc()).limit(limit))]

    async def count(self, which: ScoreFilter) -> int:
        rows = await self._rows(select(func.count().label("n")).select_from(scores).where(*_conditions(which)))
        return int(rows[0].n)

    async def standing(self, plan_id: int, period: str, scope: Scope) -> list[Score]:
        """All scores of a plan and period that have a revision: what results are made of."""
        which = ScoreFilter(scope=scope, plan_id=plan_id, period=period)
        wanted = select(scores).where(*_conditions(which), scores.c.revision > 0)
        return [_score(row) for row in await self._rows(wanted.order_by(scores.c.agent, scores.c.score_id))]

    async def revisions(self, score_id: int) -> list[Revision]:
        """All of them, the first first."""
        wanted = select(score_revisions).where(score_revisions.c.score_id == score_id)
        return [_revision(row) for row in await self._rows(wanted.order_by(score_revisions.c.revision))]

    async def steps(self, score_id: int) -> list[Step]:
        """What was done to the score, in order."""
        wanted = select(score_steps).where(score_steps.c.score_id == score_id).order_by(score_steps.c.number)
        return [Step(row.at, row.by, row.what, row.note) for row in await self._rows(wanted)]

    async def appeal(self, score_id: int) -> Appeal | None:
        rows = await self._rows(select(appeals).where(appeals.c.score_id == score_id))
        return Appeal(**rows[0]._mapping) if rows else None

    async def draft(self, score_id: int, by: str) -> Draft | None:
        """What this person has typed of it."""
        mine = (score_drafts.c.score_id == score_id) & (score_drafts.c.by == by)
        rows = await self._rows(select(score_drafts).where(mine))
        if not rows:
            return None
        kept = rows[0].sheet
        return Draft(sheet_of(kept["sheet"], kept["remarks"]), rows[0].edit, rows[0].saved_at)

    # ── Writing ──────────────────────────────────────────────────────────────────────────────────────────────

    async def open(self, score: Score) -> int:
        """A call picked by hand is to be scored. The score's number; the one there is if it was picked before."""
        mine = (scores.c.call_id == score.call_id) & (scores.c.form_id == score.form_id)
        with translated():
            async with self._writer.begin() as connection:
                known = await connection.scalar(select(func.min(scores.c.score_id)).where(mine))
                if known is not None:
                    return int(known)
                made = insert(scores).values(_opened(score)).returning(scores.c.score_id)
                return int(await connection.scalar(made) or 0)

    async def assign(self, score_id: int, to: str, step: Step) -> None:
        """Somebody else is to score it. Raises Overtaken if it has been scored."""
        waiting = (scores.c.score_id == score_id) & (scores.c.state == ScoreState.OPEN.value)
        with translated():
            async with self._writer.begin() as connection:
                done = await connection.execute(update(scores).where(waiting).values(assigned_to=to))
                if not done.rowcount:
                    raise Overtaken("it has been scored in between")
                await _add_step(connection, score_id, step)

    async def save_draft(self, score: Score, by: str, sheet: Sheet, seen: int, at: datetime) -> int:
        """Keep what somebody has typed; the draft's next number. ``seen``: the one it builds on, 0 for none.

        Raises Overtaken if the same person saved in between, in another window: that one stays.
        """
        kept = {"sheet": sheet_json(sheet), "remarks": remarks_json(sheet.remarks)}
        mine = (score_drafts.c.score_id == score.score_id) & (score_drafts.c.by == by)
        with translated():
            async with self._writer.begin() as connection:
                now = await connection.scalar(select(score_drafts.c.edit).where(mine).with_for_update())
                if (now or 0) != seen:
                    raise Overtaken("the same sheet is being filled in elsewhere")
                values = {"sheet": kept, "edit": seen + 1, "saved_at": at}
                if now is not None:
                    await connection.execute(update(score_drafts).where(mine).values(values))
                elif not await is_buried(connection, score.call_id):
                    whose = {"score_id": score.score_id, "by": by, "call_id": score.call_id}
                    await connection.execute(insert(score_drafts).values(**whose, **values))
        return seen + 1

    async def hand_in(
        self, seen: Score, revision: Revision, state: ScoreState, step: Step, appeal_until: datetime | None
    ) -> None:
        """Another revision stands from now on; the writer's draft is done with.

        Raises Overtaken if the score is not as it was ``seen``: nothing is written, and the draft stays.
        """
        values = {
            "state": state.value,
            "revision": revision.revision,
            "form_version": revision.form_version,
            "total": revision.marked.total,
            "fatal": bool(revision.marked.fatal),
            "scored_by": revision.by,
            "scored_at": revision.at,
            "appeal_until": appeal_until,
        }
        with translated():
            async with self._writer.begin() as connection:
                await _change(connection, seen, values)
                await count_rulings(connection, seen, revision)
                buried = await is_buried(connection, revision.call_id)
                await connection.execute(insert(score_revisions).values(_revision_row(revision, buried)))
                if said := _rulings(revision):
                    await connection.execute(insert(rulings), said)
                mine = (score_drafts.c.score_id == seen.score_id) & (score_drafts.c.by == revision.by)
                await connection.execute(delete(score_drafts).where(mine))
                if state is ScoreState.CHANGED:
                    await _decide(connection, seen.score_id, step, upheld=False)
                await _add_step(connection, seen.score_id, step)

    async def acknowledge(self, seen: Score, step: Step) -> None:
        """The agent has taken note. Raises Overtaken as ``hand_in`` does."""
        with translated():
            async with self._writer.begin() as connection:
                await _change(connection, seen, {"state": ScoreState.ACKNOWLEDGED.value})
                await _add_step(connection, seen.score_id, step)

    async def object(self, seen: Score, appeal: Appeal, step: Step) -> None:
        """The agent appeals. Raises Overtaken as ``hand_in`` does."""
        values = {"score_id": appeal.score_id, "reason": appeal.reason, "by": appeal.by, "at": appeal.at}
        with translated():
            async with self._writer.begin() as connection:
                await _change(connection, seen, {"state": ScoreState.APPEALED.value})
                await connection.execute(insert(appeals).values(**values, decision=""))
                await _add_step(connection, seen.score_id, step)

    async def uphold(self, seen: Score, step: Step) -> None:
        """The lead leaves the score as it is. Raises Overtaken as ``hand_in`` does."""
        with translated():
            async with self._writer.begin() as connection:
                await _change(connection, seen, {"state": ScoreState.UPHELD.value})
                await _decide(connection, seen.score_id, step, upheld=True)
                await _add_step(connection, seen.score_id, step)

    async def _rows(self, statement: Select[Any]) -> Sequence[Row[Any]]:
        with translated():
            async with self._engine.connect() as connection:
                rows: Sequence[Row[Any]] = (await connection.execute(statement)).all()
        return rows


async def _change(connection: AsyncConnection, seen: Score, values: dict[str, Any]) -> None:
    as_seen = (
        scores.c.score_id == seen.score_id,
        scores.c.revision == seen.revision,
        scores.c.state == seen.state.value,
    )
    if not (await connection.execute(update(scores).where(*as_seen).values(values))).rowcount:
        raise Overtaken("somebody else has worked on this score in between")


async def _decide(connection: AsyncConnection, score_id: int, step: Step, *, upheld: bool) -> None:
    values = {"decided_by": step.by, "decided_at": step.at, "upheld": upheld, "decision": step.note}
    await connection.execute(update(appeals).where(appeals.c.score_id == score_id).values(values))


async def _add_step(connection: AsyncConnection, score_id: int, step: Step) -> None:
    # Whoever changed the score's row in this transaction holds it: numbers follow each other.
    mine = score_steps.c.score_id == score_id
    last = await connection.scalar(select(func.max(score_steps.c.number)).where(mine))
    values = {"number": (last or 0) + 1, "at": step.at, "by": step.by, "what": step.what, "note": step.note}
    await connection.execute(insert(score_steps).values(score_id=score_id, **values))


def _conditions(which: ScoreFilter) -> list[ColumnElement[bool]]:
    found = [within(which.scope, scores.c.section, scores.c.agent)]
    if which.states is not None:
        found.append(scores.c.state.in_([state.value for state in which.states]))
    for column, value in (
        (scores.c.assigned_to, which.assigned_to),
        (scores.c.agent, which.agent),
        (scores.c.call_id, which.call_id),
        (scores.c.plan_id, which.plan_id),
        (scores.c.period, which.period),
    ):
        if value is not None:
            found.append(column == value)
    return found


def _opened(score: Score) -> dict[str, Any]:
    return {
        "call_id": score.call_id,
        "agent": score.agent,
        "section": score.section,
        "form_id": score.form_id,
        "assigned_to": score.assigned_to,
        "opened_at": score.opened_at,
        "state": ScoreState.OPEN.value,
        "period": score.period,
        "stratum": score.stratum,
        "risks": sorted(score.risks),
        "revision": 0,
        "fatal": False,
    }


def _score(row: Row[Any]) -> Score:
    return Score(
        score_id=row.score_id,
        call_id=CallId(row.call_id),
        agent=AgentNumber(row.agent),
        section=SectionId(row.section) if row.section else None,
        form_id=FormId(row.form_id),
        assigned_to=row.assigned_to,
        opened_at=row.opened_at,
        state=ScoreState(row.state),
        plan_id=row.plan_id,
        period=row.period,
        part=Part(row.part) if row.part else None,
        stratum=row.stratum,
        risks=frozenset(map(Risk, row.risks)),
        revision=row.revision,
        form_version=row.form_version,
        total=row.total,
        fatal=row.fatal,
        scored_by=row.scored_by,
        scored_at=row.scored_at,
        appeal_until=row.appeal_until,
    )


def _revision_row(revision: Revision, buried: bool) -> dict[str, Any]:
    return {
        "score_id": revision.score_id,
        "revision": revision.revision,
        "call_id": revision.call_id,
        "form_id": revision.form_id,
        "form_version": revision.form_version,
        "sheet": sheet_json(revision.sheet),
        "remarks": [] if buried else remarks_json(revision.sheet.remarks),
        "total": revision.marked.total,
        "by_section": dict(revision.marked.by_section),
        "fatal": list(revision.marked.fatal),
        "by": revision.by,
        "at": revision.at,
        "why": revision.why,
    }


def _revision(row: Row[Any]) -> Revision:
    return Revision(
        score_id=row.score_id,
        revision=row.revision,
        call_id=CallId(row.call_id),
        form_id=FormId(row.form_id),
        form_version=row.form_version,
        sheet=sheet_of(row.sheet, row.remarks),
        marked=Marked(row.total, row.by_section, tuple(row.fatal)),
        by=row.by,
        at=row.at,
        why=row.why,
    )


def _rulings(revision: Revision) -> list[dict[str, Any]]:
    return [
        {
            "score_id": revision.score_id,
            "revision": revision.revision,
            "rule_set": str(ruling.rule_set),
            "rule": ruling.rule,
            "outcome": ruling.outcome.value,
            "ruled": ruling.ruled.value,
            "overruled": ruling.overruled,
            "reason": ruling.reason,
            "at": revision.at,
        }
        for ruling in revision.sheet.rulings
    ]
