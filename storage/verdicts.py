"""Verdicts, in the database (``calls.ports.VerdictBook``)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Row, delete, exists, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from calls.custody import Leg
from calls.explanations import Explanation, Reason, Weakness
from calls.ids import ATTEMPT, CallId
from calls.verdicts import Evidence, Outcome, RuleSetId, Severity, Verdict
from storage.burial import is_buried
from storage.engine import for_writing
from storage.faults import translated
from storage.ledger import upsert
from storage.subjects import Subject, attempts_named
from storage.tables import calls
from storage.transcript_tables import transcripts
from storage.verdict_figures import Slice
from storage.verdict_tables import earlier_verdicts
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
        at = max((verdict.judged_at for verdict in verdicts), default=None)
        mine = (verdicts_table.c.call_id == call_id) & (verdicts_table.c.rule_set == str(rule_set))
        with translated():
            async with self._writer.begin() as connection:
                if await is_buried(connection, call_id):
                    return  # in between: verdicts quote words (P2)
                found = await connection.execute(select(verdicts_table).where(mine).with_for_update())
                known = {row.rule: row._asdict() for row in found}
                rows = [_row(verdict) for verdict in verdicts]
                new = [row for row in rows if not _says(known.get(row["rule"]), row)]
                said = {verdict.rule for verdict in verdicts}
                gone = [rule for rule in known if rule not in said]
                replaced = [known[rule] for rule in (*gone, *(row["rule"] for row in new)) if rule in known]
                if replaced:
                    over = verdicts_table.c.rule.in_([row["rule"] for row in replaced])
                    await connection.execute(insert(earlier_verdicts), replaced)
                    await connection.execute(delete(verdicts_table).where(mine, over))
                if new:
                    last = await _revisions(connection, call_id, rule_set)
                    new = [row | {"revision": last.get(row["rule"], 0) + 1} for row in new]
                    await connection.execute(insert(verdicts_table), new)
                if verdicts:
                    put = {"call_id": call_id, "rule_set": str(rule_set), "judged_at": at}
                    await connection.execute(self._put, [put])

    async def standing(self, call_id: CallId) -> list[Verdict]:
        """Of each rule set, what the version said that judged last; by rule set and rule."""
        when = select(judged_table).where(judged_table.c.call_id == call_id)
        with translated():
            async with self._engine.connect() as connection:
                judged_at = {row.rule_set: row.judged_at for row in await connection.execute(when)}
        found = await self.verdicts(call_id)
        last: dict[str, tuple[datetime, RuleSetId]] = {}
        for verdict in found:
            at = judged_at.get(str(verdict.rule_set), verdict.judged_at)
            name = verdict.rule_set.name
            if name not in last or last[name][0] < at:
                last[name] = at, verdict.rule_set
        return [verdict for verdict in found if last[verdict.rule_set.name][1] == verdict.rule_set]

    async def earlier(self, call_id: CallId) -> list[Verdict]:
        """What versions of rule sets said before they came to say something else; the oldest first."""
        wanted = (
            select(earlier_verdicts)
            .where(earlier_verdicts.c.call_id == call_id)
            .order_by(earlier_verdicts.c.rule_set, earlier_verdicts.c.rule, earlier_verdicts.c.revision)
        )
        with translated():
            async with self._engine.connect() as connection:
                return [_verdict(row) for row in await connection.execute(wanted)]

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

    async def transcribed_attempts(self, of: Slice) -> list[CallId]:
        """Attempts to call back of the slice with a transcript, in order of their ids."""
        ids = (
            select(transcripts.c.call_id)
            .distinct()
            .where(transcripts.c.call_id.startswith(ATTEMPT, autoescape=True))
        )
        with translated():
            async with self._engine.connect() as connection:
                found = await attempts_named(connection, [CallId(each) for each in await connection.scalars(ids)])
        return sorted(call_id for call_id, attempt in found.items() if _is_of(attempt, of))

    async def count_transcribed(self, of: Slice) -> int:
        """How many calls of the slice have a transcript."""
        wanted = select(func.count()).select_from(calls).where(_TRANSCRIBED, *of.conditions)
        with translated():
            async with self._engine.connect() as connection:
                return int(await connection.scalar(wanted) or 0)


def _is_of(attempt: Subject, of: Slice) -> bool:
    in_time = (
        (of.since or attempt.arrived_at) <= attempt.arrived_at < (of.until or datetime.max.replace(tzinfo=UTC))
    )
    return in_time and of.section in (None, attempt.section) and of.agent in (None, attempt.agent)


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
        revision=row.revision,
    )


def _says(known: Mapping[str, Any] | None, new: Mapping[str, Any]) -> bool:
    """Whether a verdict that is kept says the same as a new one, whenever."""
    return known is not None and all(known[name] == new[name] for name in new if name != "judged_at")


async def _revisions(connection: AsyncConnection, call_id: CallId, rule_set: RuleSetId) -> dict[str, int]:
    """The last revision of each rule that said something else before."""
    mine = (earlier_verdicts.c.call_id == call_id) & (earlier_verdicts.c.rule_set == str(rule_set))
    wanted = select(earlier_verdicts.c.rule, func.max(earlier_verdicts.c.revision).label("last")).where(mine)
    return {row.rule: row.last for row in await connection.execute(wanted.group_by(earlier_verdicts.c.rule))}


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
