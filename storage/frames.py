"""The calls that a sample may be drawn from, with what makes them worth a look (Q1)."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, exists, func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from calls.custody import Leg
from calls.ids import AgentNumber, CallId, SectionId
from calls.people import Scope
from calls.sampling import Candidate, Risk
from calls.verdicts import Outcome, Severity
from storage.custody_tables import recordings
from storage.faults import translated
from storage.reach import within
from storage.sums import TEST
from storage.survey_tables import surveys
from storage.tables import UtcDateTime, calls
from storage.verdict_tables import verdicts

_AGAIN = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which calls: those that arrived from ``since`` on, before ``until``, of the sections (none: all)."""

    since: datetime
    until: datetime
    least_talk_s: float
    scope: Scope
    sections: frozenset[SectionId] = frozenset()


class SqlFrames:
    """Calls that can be scored: answered, ended, recorded, the recording still there; no tests.

    Raises StorageUnavailable or StorageRefused.
    """

    def __init__(
        self, engine: AsyncEngine, complaints: SectionId, interruptions: Collection[str], silences: Collection[str]
    ) -> None:
        """``interruptions`` and ``silences``: ids of the rules about those."""
        self._engine = engine
        self._rules = {Risk.INTERRUPTION: interruptions, Risk.LONG_SILENCE: silences}
        self._complaints = complaints

    async def candidates(self, wanted: Wanted) -> list[Candidate]:
        """All of them, in the order of their ids, with every risk that is known of each."""
        found = select(
            calls.c.call_id, calls.c.agent, calls.c.section, calls.c.arrived_at, calls.c.talk_s, calls.c.caller
        ).where(*_CAN_BE_SCORED, *_of(wanted))
        risks: dict[str, set[Risk]] = {}
        with translated():
            async with self._engine.connect() as connection:
                rows = (await connection.execute(found.order_by(calls.c.call_id))).all()
                for risk, query in self._queries(wanted).items():
                    for call_id in (await connection.execute(query)).scalars():
                        risks.setdefault(call_id, set()).add(risk)
                for call_id in _repeated((await connection.execute(_calls_of_repeaters(wanted))).all()):
                    risks.setdefault(call_id, set()).add(Risk.REPEATED)
        return [
            Candidate(
                CallId(row.call_id),
                AgentNumber(row.agent),
                SectionId(row.section) if row.section else None,
                row.arrived_at,
                row.talk_s,
                frozenset(risks.get(row.call_id, ())),
            )
            for row in rows
        ]

    def _queries(self, wanted: Wanted) -> Mapping[Risk, Select[Any]]:
        """Ids of calls of the period with each risk; of more calls than can be drawn, which does no harm."""
        arrived = (calls.c.arrived_at >= wanted.since, calls.c.arrived_at < wanted.until)
        broken = (
            select(calls.c.call_id)
            .join(verdicts, verdicts.c.call_id == calls.c.call_id)
            .where(*arrived, verdicts.c.outcome == Outcome.BROKEN.value)
            .distinct()
        )
        of_rules = {
            risk: broken.where(verdicts.c.rule.in_(sorted(rules))) for risk, rules in self._rules.items() if rules
        }
        heavy = verdicts.c.severity.in_([Severity.MAJOR.value, Severity.IMMEDIATE.value])
        apart = sorted({rule for rules in self._rules.values() for rule in rules})
        return {
            **of_rules,
            Risk.RULE_BROKEN: broken.where(heavy, verdicts.c.rule.not_in(apart)),
            Risk.DISSATISFIED: select(surveys.c.call_id).where(
                surveys.c.arrived_at >= wanted.since, surveys.c.arrived_at < wanted.until, surveys.c.dissatisfied
            ),
            Risk.COMPLAINT: select(calls.c.call_id).where(*arrived, calls.c.section == self._complaints),
        }


def _calls_of_repeaters(wanted: Wanted) -> Select[Any]:
    """Calls of numbers that called more than once, each with when the same number called before and after."""
    around = (
        calls.c.arrived_at >= wanted.since - _AGAIN,
        calls.c.arrived_at < wanted.until + _AGAIN,
        calls.c.caller.is_not(None),
    )
    again = select(calls.c.caller).where(*around).group_by(calls.c.caller).having(func.count() > 1)
    in_turn: dict[str, Any] = {"partition_by": calls.c.caller, "order_by": (calls.c.arrived_at, calls.c.call_id)}
    return select(
        calls.c.call_id,
        calls.c.arrived_at,
        func.lag(calls.c.arrived_at, type_=UtcDateTime()).over(**in_turn).label("before"),
        func.lead(calls.c.arrived_at, type_=UtcDateTime()).over(**in_turn).label("after"),
    ).where(*around, calls.c.caller.in_(again))


def _repeated(rows: Sequence[Row[Any]]) -> Iterator[str]:
    for row in rows:
        before, after = row.before, row.after
        if (before and row.arrived_at - before <= _AGAIN) or (after and after - row.arrived_at <= _AGAIN):
            yield row.call_id


_RECORDED = exists().where(
    recordings.c.call_id == calls.c.call_id,
    recordings.c.leg == Leg.MIXED.value,
    recordings.c.deleted_at.is_(None),
)
_CAN_BE_SCORED: tuple[ColumnElement[bool], ...] = (
    and_(calls.c.agent.is_not(None), calls.c.talk_s.is_not(None)),
    ~TEST,
    _RECORDED,
)


def _of(wanted: Wanted) -> list[ColumnElement[bool]]:
    found = [
        calls.c.arrived_at >= wanted.since,
        calls.c.arrived_at < wanted.until,
        calls.c.talk_s >= wanted.least_talk_s,
        within(wanted.scope, calls.c.section, calls.c.agent),
    ]
    if wanted.sections:
        found.append(calls.c.section.in_(sorted(wanted.sections)))
    return found
