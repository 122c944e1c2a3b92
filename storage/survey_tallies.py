"""What surveys and promises add up to: ``calls.ports.OtherSources`` for K3, K3p, K6 and promises kept (A5).

A survey belongs to the period in which its call arrived, as the call itself does; a promise to the one in which it
fell due. Tests count nowhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, false, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from calls.ids import DIGITS, SYNTHETIC_TRUNK, AgentNumber
from calls.measures import ALL_CALLS, Dimension, Slice
from calls.periods import Grain, Period
from calls.ports import Clock, Tallies, Tally
from calls.surveys import Invitation
from calls.workdays import Workdays
from storage.faults import translated
from storage.promises_counted import OF_PROMISES, PROMISED
from storage.ratings import OF_SURVEYS
from storage.survey_tables import callbacks, surveys

_Sums = dict[str | None, dict[Tally, float]]
_Span = tuple[datetime, datetime]

_NO_TEST = and_(surveys.c.trunk != SYNTHETIC_TRUNK, func.substr(surveys.c.trunk, 1, 1).not_in(DIGITS))
"""As ``calls.ids.is_test_trunk``."""


SURVEY_TALLIES = frozenset(
    {Tally.RATED, Tally.DISSATISFIED, Tally.INVITED, Tally.SURVEY_POINTS, Tally.SURVEYS}
    | {Tally.PROMISES_DUE, Tally.PROMISES_KEPT}
)
"""What is counted here; all of it settles together."""


@dataclass(frozen=True, slots=True)
class Invitations:
    """How the answered calls of one agent ended for the survey: nobody skips an invitation unseen (Q2)."""

    invited: int = 0
    spared: int = 0
    """Callers who stayed and had been asked lately."""
    caller_left: int = 0
    missed: int = 0
    """Callers who did not hang up first, and were not invited."""
    began: int = 0
    rated: int = 0

    @property
    def due(self) -> int:
        """Callers who should have been invited."""
        return self.invited + self.missed


class SqlSurveyTallies:
    """Counts in the database. ``links_live`` is how long a one-time link may still bring an answer."""

    def __init__(
        self, engine: AsyncEngine, clock: Clock, workdays: Workdays, links_live: timedelta = timedelta()
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._workdays = workdays
        self._links_live = links_live

    async def tallies(
        self, periods: Sequence[Period], slice: Slice = ALL_CALLS, by: Dimension | None = None
    ) -> list[dict[str | None, Tallies]]:
        """See ``calls.ports.OtherSources.tallies``. Raises StorageUnavailable."""
        now = self._clock.now()
        found = []
        with translated():
            async with self._engine.connect() as connection:
                for period in periods:
                    sums = await self._of_period(connection, period, slice, by)
                    settled = SURVEY_TALLIES if await self._settled(connection, period, now) else frozenset()
                    found.append({value: Tallies(counts, settled) for value, counts in sums.items()})
        return found

    async def invitations(self, since: datetime, until: datetime) -> dict[AgentNumber, Invitations]:
        """What became of the calls that arrived in ``[since, until)``, by the agent who was heard first."""
        ways = {
            each.value: func.count().filter(surveys.c.invitation == each.value)
            for each in (Invitation.INVITED, Invitation.SPARED, Invitation.CALLER_LEFT, Invitation.MISSED)
        }
        wanted = (
            select(
                surveys.c.agent,
                *(count.label(name) for name, count in ways.items()),
                func.count(surveys.c.began_at).label("began"),
                func.count(surveys.c.rated_at).label("rated"),
            )
            .where(_within(surveys.c.arrived_at, [(since, until)]), _NO_TEST, surveys.c.agent.is_not(None))
            .group_by(surveys.c.agent)
            .order_by(surveys.c.agent)
        )
        with translated():
            async with self._engine.connect() as connection:
                rows = (await connection.execute(wanted)).all()
        return {AgentNumber(row.agent): Invitations(*row[1:]) for row in rows}

    async def _of_period(
        self, connection: AsyncConnection, period: Period, part: Slice, by: Dimension | None
    ) -> _Sums:
        spans = list(self._spans(period, part))
        sums: _Sums = {} if by else {None: {}}
        for statement in (_of_surveys(spans, part, by), _of_promises(spans, part, by)):
            if statement is None:
                continue
            for row in (await connection.execute(statement)).mappings():
                value = row["value"] or None if by else None
                counted = {tally: float(row[tally] or 0) for tally in Tally if tally.value in row}
                if by is None or any(counted.values()):
                    sums.setdefault(value, {}).update(counted)
        return sums

    def _spans(self, period: Period, part: Slice) -> Iterator[_Span]:
        """The period, or of it the days of the wanted kind, those that adjoin as one."""
        if part.days is None:
            yield period.span
            return
        days = period.split(Grain.DAY) if period.grain is not Grain.HOUR else [period]
        last: _Span | None = None
        for day in days:
            if self._workdays.kind(day.day) is not part.days:
                continue
            start, end = day.span
            if last and last[1] == start:
                last = last[0], end
                continue
            if last:
                yield last
            last = start, end
        if last:
            yield last

    async def _settled(self, connection: AsyncConnection, period: Period, now: datetime) -> bool:
        """Whether no survey of the period can change: all calls have ended, and no link can be used."""
        start, end = period.span
        if end + self._links_live > now.astimezone(UTC):
            return False
        going_on = select(func.count()).where(
            surveys.c.arrived_at >= start,
            surveys.c.arrived_at < end,
            surveys.c.invitation == Invitation.OPEN.value,
        )
        return not await connection.scalar(going_on)


def _of_surveys(spans: Sequence[_Span], part: Slice, by: Dimension | None) -> Select[Any] | None:
    keys = {dimension: surveys.c[dimension.value] for dimension in Dimension}
    sums = {
        **{Tally(tally): func.count().filter(which) for tally, which in OF_SURVEYS.items()},
        Tally.SURVEY_POINTS: func.sum(surveys.c.points),
    }
    return _summed(sums, keys, _within(surveys.c.arrived_at, spans), _NO_TEST, part=part, by=by)


def _of_promises(spans: Sequence[_Span], part: Slice, by: Dimension | None) -> Select[Any] | None:
    keys = {dimension: callbacks.c[dimension.value] for dimension in Dimension if dimension.value in callbacks.c}
    sums = {Tally(tally): func.count().filter(which) for tally, which in OF_PROMISES.items()}
    return _summed(sums, keys, _within(callbacks.c.due_at, spans), PROMISED, part=part, by=by)


def _summed(
    sums: Mapping[Tally, ColumnElement[Any]],
    keys: Mapping[Dimension, ColumnElement[Any]],
    *where: ColumnElement[bool],
    part: Slice,
    by: Dimension | None,
) -> Select[Any] | None:
    """Sums by a dimension; ``None`` where what is asked is not known of these rows."""
    if (part.held() | ({by} if by else set())) - keys.keys():
        return None
    held = [keys[dimension] == part.value(dimension) for dimension in sorted(part.held())]
    totals = [total.label(tally.value) for tally, total in sums.items()]
    if by is None:
        return select(*totals).where(*where, *held)
    value = keys[by].label("value")
    return select(value, *totals).where(*where, *held).group_by(keys[by])


def _within(column: ColumnElement[Any], spans: Sequence[_Span]) -> ColumnElement[bool]:
    return or_(false(), *(and_(column >= start, column < end) for start, end in spans))
