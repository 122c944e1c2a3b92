"""Verdicts, in the database (``calls.ports.VerdictBook``)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, delete, exists, func, insert, select
from sqlalchemy.ext.asyncio import AsyncEngine

from calls.custody import Leg
from calls.explanations import Explanation, Reason, Weakness
from calls.ids import CallId
from calls.verdicts import Evidence, Outcome, RuleSetId, Severity, Verdict
from storage.burial import is_buried
from storage.engine import for_writing
from storage.faults import translated
from storage.ledger import upsert
from storage.tables import calls
from storage.transcript_tables import transcripts
from storage.verdict_figures import Slice
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
                if await is_buried(connection, call_id):
                    return  # in between: verdicts quote words (P2)
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

    async def transcribed(self, of: Slice, after: str = "", limit: int = 200) -> list[CallId]:
        """Calls of the slice with a transcript, in order of their ids, from the one behind ``after`` on."""
        wanted = (
            select(calls.c.call_id)
            .where(calls.c.call_id > after, _TRANSCRIBED, *of.conditions)
            .order_by(calls.c.call_id)
            .limit(limit)
        )
        with translated():
            async with self._engine.connect() as connection:
                return [CallId(row.call_id) for row in await connection.execute(wanted)]

    async def count_transcribed(self, of: Slice) -> int:
        """How many calls of the slice have a transcript."""
        wanted = select(func.count()).select_from(calls).where(_TRANSCRIBED, *of.conditions)
        with translated():
            async with self._engine.connect() as connection:
                return int(await connection.scalar(wanted) or 0)


_TRANSCRIBED = exists().where(transcripts.c.call_id == calls.c.call_id)


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
        "explanation": _told(verdict.explanation),
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
        explanation=_explanation(row.explanation),
        judged_at=row.judged_at,
    )


def _told(explanation: Explanation) -> str:
    if explanation.reason is Reason.WRITTEN:
        return str(explanation.values["text"])
    told = {"reason": explanation.reason.value, **explanation.values}
    if explanation.weakness is not None:
        told["weakness"] = explanation.weakness.value
    return json.dumps(told, ensure_ascii=False)


def _explanation(told: str) -> Explanation:
    """What is kept: JSON; older verdicts have an English sentence, those of deleted recordings nothing."""
    if not told.startswith("{"):
        return Explanation.written(told)
    kept = json.loads(told)
    reason, weakness = Reason(kept.pop("reason")), kept.pop("weakness", None)
    values = {name: tuple(value) if isinstance(value, list) else value for name, value in kept.items()}
    return Explanation(reason, values, Weakness(weakness) if weakness else None)
