"""Figures over verdicts: how often each rule is broken, how much is judged, and the calls behind it (Q1, Q5)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, exists, func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from calls.custody import Leg
from calls.ids import ATTEMPT, AgentNumber, CallId, SectionId
from calls.verdicts import Outcome, RuleSetId, Severity
from storage.custody_tables import recordings
from storage.faults import translated
from storage.subjects import attempts_named
from storage.tables import calls
from storage.verdict_tables import judged as judged_table
from storage.verdict_tables import verdicts

OF_ATTEMPTS: ColumnElement[bool] = verdicts.c.call_id.startswith(ATTEMPT, autoescape=True)
"""Verdicts on calling back, which are in no figure of calls."""
_BOTH = calls.join(verdicts, verdicts.c.call_id == calls.c.call_id)


@dataclass(frozen=True, slots=True)
class Slice:
    """Calls that arrived from ``since`` on, before ``until``, in a section, heard first by an agent."""

    since: datetime | None = None
    until: datetime | None = None
    section: SectionId | None = None
    agent: AgentNumber | None = None

    @property
    def conditions(self) -> list[ColumnElement[bool]]:
        """What a call must be like."""
        found = []
        if self.since is not None:
            found.append(calls.c.arrived_at >= self.since)
        if self.until is not None:
            found.append(calls.c.arrived_at < self.until)
        if self.section is not None:
            found.append(calls.c.section == self.section)
        if self.agent is not None:
            found.append(calls.c.agent == self.agent)
        return found


@dataclass(frozen=True, slots=True)
class Finding:
    """A verdict, and the call that it is on."""

    call_id: CallId
    arrived_at: datetime
    section: SectionId | None
    agent: AgentNumber | None
    rule: str
    severity: Severity


class SqlVerdictFigures:
    """Counts verdicts of rule sets. Raises StorageUnavailable or StorageRefused."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def tally(self, rule_sets: Sequence[RuleSetId], of: Slice) -> Counter[tuple[str, str, Outcome]]:
        """Verdicts by rule set (``name@version``), rule and outcome."""
        wanted = (
            select(verdicts.c.rule_set, verdicts.c.rule, verdicts.c.outcome, func.count().label("n"))
            .select_from(_BOTH)
            .where(_of(rule_sets), *of.conditions)
            .group_by(verdicts.c.rule_set, verdicts.c.rule, verdicts.c.outcome)
        )
        found: Counter[tuple[str, str, Outcome]] = Counter()
        for row in await self._rows(wanted):
            found[row.rule_set, row.rule, Outcome(row.outcome)] = row.n
        return found

    async def findings(
        self,
        rule_sets: Sequence[RuleSetId],
        outcome: Outcome,
        of: Slice,
        *,
        rule: str | None = None,
        severity: Severity | None = None,
        limit: int = 100,
    ) -> list[Finding]:
        """Calls with such a verdict, the newest first."""
        wanted = (
            select(
                calls.c.call_id,
                calls.c.arrived_at,
                calls.c.section,
                calls.c.agent,
                verdicts.c.rule,
                verdicts.c.severity,
            )
            .select_from(_BOTH)
            .where(_of(rule_sets), verdicts.c.outcome == outcome.value, *of.conditions)
            .order_by(calls.c.arrived_at.desc(), calls.c.call_id, verdicts.c.rule)
            .limit(limit)
        )
        if rule is not None:
            wanted = wanted.where(verdicts.c.rule == rule)
        if severity is not None:
            wanted = wanted.where(verdicts.c.severity == severity.value)
        return [
            Finding(CallId(row.call_id), row.arrived_at, row.section, row.agent, row.rule, Severity(row.severity))
            for row in await self._rows(wanted)
        ]

    async def coverage(self, rule_sets: Sequence[RuleSetId], since: datetime) -> tuple[int, int]:
        """Calls that arrived since then and have a recording, and how many of them are judged (Q1)."""
        recorded = exists().where(
            recordings.c.call_id == calls.c.call_id,
            recordings.c.leg == Leg.MIXED.value,
            recordings.c.deleted_at.is_(None),
        )
        by_these = exists().where(
            judged_table.c.call_id == calls.c.call_id,
            judged_table.c.rule_set.in_([str(each) for each in rule_sets]),
        )
        wanted = select(func.count()).select_from(calls).where(calls.c.arrived_at >= since, recorded)
        with translated():
            async with self._engine.connect() as connection:
                all_of_them = int(await connection.scalar(wanted) or 0)
                return all_of_them, int(await connection.scalar(wanted.where(by_these)) or 0)

    async def immediate(self, judged_since: datetime, arrived_since: datetime) -> int:
        """Broken rules of severity ``immediate``, found since then; not on old calls that were judged again."""
        wanted = (
            select(func.count())
            .select_from(_BOTH)
            .where(
                verdicts.c.outcome == Outcome.BROKEN.value,
                verdicts.c.severity == Severity.IMMEDIATE.value,
                verdicts.c.judged_at >= judged_since,
                calls.c.arrived_at >= arrived_since,
            )
        )
        called_back = select(verdicts.c.call_id).where(
            verdicts.c.outcome == Outcome.BROKEN.value,
            verdicts.c.severity == Severity.IMMEDIATE.value,
            verdicts.c.judged_at >= judged_since,
            OF_ATTEMPTS,
        )
        with translated():
            async with self._engine.connect() as connection:
                ids = [CallId(each) for each in await connection.scalars(called_back)]
                attempts = await attempts_named(connection, set(ids))
                lately = {each for each, attempt in attempts.items() if attempt.arrived_at >= arrived_since}
                return int(await connection.scalar(wanted) or 0) + sum(each in lately for each in ids)

    async def _rows(self, wanted: Any) -> Sequence[Any]:
        with translated():
            async with self._engine.connect() as connection:
                return (await connection.execute(wanted)).all()


def _of(rule_sets: Sequence[RuleSetId]) -> ColumnElement[bool]:
    return verdicts.c.rule_set.in_([str(each) for each in rule_sets])
