"""Figures of the quality work: overruled verdicts by rule, what is open; and immediate findings (Q1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Row, and_, func, null, select, tuple_
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncEngine

from calls.ids import AgentNumber, CallId, SectionId, attempt_of
from calls.people import Scope
from calls.quality import ScoreState
from calls.verdicts import Outcome, RuleSetId, Severity
from storage.engine import for_writing
from storage.faults import translated
from storage.quality_codec import rule_set_of
from storage.quality_tables import coaching_tasks, findings_seen, ruling_tallies, rulings, scores
from storage.reach import within
from storage.subjects import attempts_named
from storage.tables import calls
from storage.verdict_figures import OF_ATTEMPTS
from storage.verdict_tables import verdicts


@dataclass(frozen=True, slots=True)
class Overruled:
    """How often people agreed with what a rule said, in the revisions that stand."""

    rule_set: RuleSetId
    rule: str
    outcome: Outcome
    """What the rule said."""
    looked_at: int
    overruled: int


@dataclass(frozen=True, slots=True)
class Objection:
    """One verdict that somebody overruled."""

    score_id: int
    call_id: CallId
    outcome: Outcome
    ruled: Outcome
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Urgent:
    """A broken rule of severity immediate."""

    call_id: CallId
    rule_set: RuleSetId
    rule: str
    ended_at: datetime | None
    """When the call ended."""
    judged_at: datetime
    section: SectionId | None
    agent: AgentNumber | None
    first_s: float | None
    """The second of the recording at which it was heard first."""
    seen_by: str | None = None
    seen_at: datetime | None = None

    @property
    def of_attempt(self) -> bool:
        """Whether it was said while calling back."""
        return attempt_of(self.call_id) is not None


@dataclass(frozen=True, slots=True)
class OpenWork:
    """How much of the quality work is waiting."""

    to_score: int
    to_acknowledge: int
    appeals: int
    coaching: int
    scored: int
    """Scores with a revision, ever."""


class SqlQualityFigures:
    """Counts, and the list of immediate findings. Raises StorageUnavailable or StorageRefused."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._writer = for_writing(engine)
        self._insert = postgresql.insert if engine.dialect.name == "postgresql" else sqlite.insert

    async def overruled(self, scope: Scope, since: datetime) -> list[Overruled]:
        """By rule and what it said, of rulings since that day (UTC); a scope reaches by sections here."""
        t = ruling_tallies.c
        wanted = (
            select(
                t.rule_set,
                t.rule,
                t.outcome,
                func.sum(t.looked_at).label("n"),
                func.sum(t.overruled).label("overruled"),
            )
            .where(t.day >= since.astimezone(UTC).date(), within(scope, t.section, null()))
            .group_by(t.rule_set, t.rule, t.outcome)
            .having(func.sum(t.looked_at) > 0)
            .order_by(t.rule_set, t.rule, t.outcome)
        )
        return [
            Overruled(rule_set_of(row.rule_set), row.rule, Outcome(row.outcome), int(row.n), int(row.overruled))
            for row in await self._rows(wanted)
        ]

    async def objections(self, scope: Scope, rule: str, since: datetime, limit: int = 100) -> list[Objection]:
        """Overruled verdicts of a rule, the newest first."""
        wanted = (
            select(rulings, scores.c.call_id)
            .select_from(_STANDING)
            .where(
                rulings.c.rule == rule,
                rulings.c.at >= since,
                rulings.c.overruled,
                within(scope, scores.c.section, scores.c.agent),
            )
            .order_by(rulings.c.at.desc(), rulings.c.score_id.desc())
            .limit(limit)
        )
        return [
            Objection(
                row.score_id, CallId(row.call_id), Outcome(row.outcome), Outcome(row.ruled), row.reason, row.at
            )
            for row in await self._rows(wanted)
        ]

    async def urgent(
        self, scope: Scope, judged_since: datetime, *, before: tuple[datetime, str] | None = None, limit: int = 50
    ) -> list[Urgent]:
        """Immediate findings since then within reach, the newest first, from before a time and call id on.

        Those made while calling back are among them: they are few, and looked up one by one.
        """
        seen = and_(
            findings_seen.c.call_id == verdicts.c.call_id,
            findings_seen.c.rule_set == verdicts.c.rule_set,
            findings_seen.c.rule == verdicts.c.rule,
        )
        wanted = (
            select(*_FOUND, calls.c.ended_at, calls.c.section, calls.c.agent)
            .select_from(
                verdicts.join(calls, calls.c.call_id == verdicts.c.call_id).outerjoin(findings_seen, seen)
            )
            .where(*_IMMEDIATE, verdicts.c.judged_at >= judged_since)
            .where(within(scope, calls.c.section, calls.c.agent))
            .order_by(verdicts.c.judged_at.desc(), verdicts.c.call_id.desc(), verdicts.c.rule)
            .limit(limit)
        )
        called_back = (
            select(*_FOUND)
            .select_from(verdicts.outerjoin(findings_seen, seen))
            .where(*_IMMEDIATE, verdicts.c.judged_at >= judged_since, OF_ATTEMPTS)
        )
        if before is not None:
            earlier = tuple_(verdicts.c.judged_at, verdicts.c.call_id) < before
            wanted, called_back = wanted.where(earlier), called_back.where(earlier)
        with translated():
            async with self._engine.connect() as connection:
                found = [_urgent(row, row) for row in await connection.execute(wanted)]
                rows = (await connection.execute(called_back)).all()
                attempts = await attempts_named(connection, {CallId(row.call_id) for row in rows})
        for row in rows:
            attempt = attempts.get(CallId(row.call_id))
            if attempt is not None and scope.covers(attempt.section, attempt.agent):
                found.append(_urgent(row, attempt))
        found.sort(key=lambda each: each.rule)
        found.sort(key=lambda each: (each.judged_at, each.call_id), reverse=True)
        return found[:limit]

    async def seen(self, call_id: CallId, rule_set: RuleSetId, rule: str, by: str, at: datetime) -> None:
        """Somebody has taken a finding on; the first who does stands."""
        values = {"call_id": call_id, "rule_set": str(rule_set), "rule": rule, "by": by, "at": at}
        with translated():
            async with self._writer.begin() as connection:
                await connection.execute(self._insert(findings_seen).values(values).on_conflict_do_nothing())

    async def open_work(self) -> OpenWork:
        """What is waiting, over all sections."""
        by_state = select(scores.c.state, func.count().label("n")).group_by(scores.c.state)
        found = {row.state: row.n for row in await self._rows(by_state)}
        waiting = select(func.count().label("n")).where(coaching_tasks.c.done_at.is_(None))
        (coaching,) = await self._rows(waiting)
        return OpenWork(
            to_score=found.get(ScoreState.OPEN.value, 0),
            to_acknowledge=found.get(ScoreState.SCORED.value, 0),
            appeals=found.get(ScoreState.APPEALED.value, 0),
            coaching=coaching.n,
            scored=sum(found.values()) - found.get(ScoreState.OPEN.value, 0),
        )

    async def _rows(self, statement: Any) -> Sequence[Row[Any]]:
        with translated():
            async with self._engine.connect() as connection:
                return (await connection.execute(statement)).all()


_STANDING = rulings.join(
    scores, and_(scores.c.score_id == rulings.c.score_id, scores.c.revision == rulings.c.revision)
)
_IMMEDIATE = (
    verdicts.c.outcome == Outcome.BROKEN.value,
    verdicts.c.severity == Severity.IMMEDIATE.value,
)


_FOUND = (
    *(verdicts.c[name] for name in ("call_id", "rule_set", "rule", "evidence", "judged_at")),
    findings_seen.c.by,
    findings_seen.c.at,
)


def _urgent(row: Any, subject: Any) -> Urgent:
    seconds = [start for _, start, *_ in row.evidence]
    return Urgent(
        call_id=CallId(row.call_id),
        rule_set=rule_set_of(row.rule_set),
        rule=row.rule,
        ended_at=subject.ended_at,
        judged_at=row.judged_at,
        section=SectionId(subject.section) if subject.section else None,
        agent=AgentNumber(subject.agent) if subject.agent else None,
        first_s=min(seconds, default=None),
        seen_by=row.by,
        seen_at=row.at,
    )
