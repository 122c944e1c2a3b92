"""Verdicts, in the database (``calls.ports.VerdictBook``)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncEngine

from calls.custody import Leg
from calls.ids import CallId
from calls.verdicts import Evidence, Outcome, RuleSetId, Severity, Verdict
from storage.engine import for_writing
from storage.faults import translated
from storage.ledger import upsert
from storage.transcript_tables import transcripts
from storage.verdict_tables import judged as judged_table
from storage.verdict_tables import verdicts as verdicts_table


class SqlVerdicts:
    """What the rules say. Raises StorageUnavailable or StorageRefused."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._writer = for_writing(engine)
        self._put = upsert(judged_table, engine.dialect.name)

    async def judged(self, call_id: CallId, rule_set: RuleSetId, verdicts: Sequence[Verdict]) -> None:
        """See ``calls.ports.VerdictBook.judged``."""
        rows = [_row(verdict) for verdict in verdicts]
        at = max((verdict.judged_at for verdict in verdicts), default=None)
        mine = (verdicts_table.c.call_id == call_id) & (verdicts_table.c.rule_set == str(rule_set))
        with translated():
            async with self._writer.begin() as connection:
                await connection.execute(delete(verdicts_table).where(mine))
                if rows:
                    await connection.execute(insert(verdicts_table), rows)
                    put = {"call_id": call_id, "rule_set": str(rule_set), "judged_at": at}
                    await connection.execute(self._put, [put])

    async def verdicts(self, call_id: CallId, rule_set: RuleSetId | None = None) -> list[Verdict]:
        """See ``calls.ports.VerdictBook.verdicts``; by rule set and rule."""
        wanted = (
            select(verdicts_table)
            .where(verdicts_table.c.call_id == call_id)
            .order_by(verdicts_table.c.rule_set, verdicts_table.c.rule)
        )
        if rule_set is not None:
            wanted = wanted.where(verdicts_table.c.rule_set == str(rule_set))
        with translated():
            async with self._engine.connect() as connection:
                return [_verdict(row) for row in await connection.execute(wanted)]

    async def tally(self, rule_sets: Sequence[RuleSetId]) -> Counter[tuple[str, Outcome]]:
        """Verdicts of these rule sets, by rule and outcome."""
        wanted = (
            select(verdicts_table.c.rule, verdicts_table.c.outcome, func.count().label("n"))
            .where(verdicts_table.c.rule_set.in_([str(each) for each in rule_sets]))
            .group_by(verdicts_table.c.rule, verdicts_table.c.outcome)
        )
        found: Counter[tuple[str, Outcome]] = Counter()
        with translated():
            async with self._engine.connect() as connection:
                for row in await connection.execute(wanted):
                    found[row.rule, Outcome(row.outcome)] += row.n
        return found

    async def judged_calls(self) -> int:
        """Calls that any rules have judged."""
        with translated():
            async with self._engine.connect() as connection:
                wanted = select(func.count(judged_table.c.call_id.distinct()))
                return int(await connection.scalar(wanted) or 0)

    async def transcribed(self, after: str = "", limit: int = 200) -> list[CallId]:
        """Calls with a transcript, in order of their ids, from the one behind ``after`` on."""
        wanted = (
            select(transcripts.c.call_id)
            .where(transcripts.c.call_id > after)
            .distinct()
            .order_by(transcripts.c.call_id)
            .limit(limit)
        )
        with translated():
            async with self._engine.connect() as connection:
                return [CallId(row.call_id) for row in await connection.execute(wanted)]

    async def count_transcribed(self) -> int:
        """How many calls have a transcript."""
        with translated():
            async with self._engine.connect() as connection:
                return int(await connection.scalar(select(func.count(transcripts.c.call_id.distinct()))) or 0)


def _row(verdict: Verdict) -> dict[str, Any]:
    return {
        "call_id": verdict.call_id,
        "rule_set": str(verdict.rule_set),
        "rule": verdict.rule,
        "requirement": verdict.requirement,
        "outcome": verdict.outcome.value,
        "severity": verdict.severity.value,
        "weight": verdict.weight,
        "confidence": verdict.confidence,
        "evidence": [
            [each.leg.value, each.start_s, each.end_s, each.text, each.confidence] for each in verdict.evidence
        ],
        "explanation": verdict.explanation,
        "judged_at": verdict.judged_at,
    }


def _verdict(row: Row[Any]) -> Verdict:
    name, _, version = row.rule_set.partition("@")
    return Verdict(
        call_id=CallId(row.call_id),
        rule=row.rule,
        requirement=row.requirement,
        rule_set=RuleSetId(name, version),
        outcome=Outcome(row.outcome),
        severity=Severity(row.severity),
        weight=row.weight,
        confidence=row.confidence,
        evidence=tuple(
            Evidence(Leg(leg), start, end, text, confidence) for leg, start, end, text, confidence in row.evidence
        ),
        explanation=row.explanation,
        judged_at=row.judged_at,
    )
