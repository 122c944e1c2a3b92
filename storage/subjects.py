"""What a recording is of: a call that arrived, why its caller is dissatisfied, or an attempt to call back."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from calls.call import Result
from calls.callbacks import AttemptOutcome
from calls.ids import AgentNumber, CallId, Language, SectionId, attempt_id, attempt_of, subject_of
from calls.lists import CallLine, OfCallback
from calls.people import Scope
from storage.faults import translated
from storage.reach import within
from storage.survey_tables import callback_attempts as attempts
from storage.survey_tables import callbacks
from storage.tables import calls

_AT_ONCE = 100
"""Attempts that one statement asks for."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What is known of what was recorded."""

    arrived_at: datetime
    section: SectionId | None
    language: Language | None
    agent: AgentNumber | None
    """Who was heard first."""
    talk_s: float | None = None
    """How long a caller who was called back was spoken with; of calls that arrived the ledger tells that."""
    ended_at: datetime | None = None
    """Of an attempt to call back."""


class SqlSubjects:
    """Reads them. Raises StorageUnavailable."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def of(self, call_id: CallId) -> Subject | None:
        """``None`` if nothing of that id is on the books."""
        wanted = select(calls.c.arrived_at, calls.c.section, calls.c.language, calls.c.agent).where(
            calls.c.call_id == subject_of(call_id)
        )
        with translated():
            async with self._engine.connect() as connection:
                if attempt_of(call_id) is not None:
                    return (await attempts_named(connection, [call_id])).get(call_id)
                row = (await connection.execute(wanted)).one_or_none()
        return Subject(row.arrived_at, row.section, row.language, row.agent) if row else None


async def attempts_named(connection: AsyncConnection, ids: Collection[CallId]) -> dict[CallId, Subject]:
    """The attempts to call back among these ids; other ids name nothing here."""
    places = [place for place in map(attempt_of, ids) if place is not None]
    found: dict[CallId, Subject] = {}
    columns = (callbacks.c.section, callbacks.c.language)
    for begin in range(0, len(places), _AT_ONCE):
        some = places[begin : begin + _AT_ONCE]
        here = or_(*(and_(attempts.c.callback == number, attempts.c.attempt == nth) for number, nth in some))
        for row in await connection.execute(select(attempts, *columns).select_from(_JOINED).where(here)):
            talked = row.connected_at and row.ended_at
            found[attempt_id(row.callback, row.attempt)] = Subject(
                row.began_at,
                row.section,
                row.language,
                row.agent,
                (row.ended_at - row.connected_at).total_seconds() if talked else None,
                row.ended_at,
            )
    return found


async def attempt_line(connection: AsyncConnection, call_id: CallId, scope: Scope) -> CallLine | None:
    """An attempt to call back as a line of its own, under its own id; ``None`` if there is none within the scope.

    It is no call that arrived: no list and no figure shows it.
    """
    place = attempt_of(call_id)
    if place is None:
        return None
    told = _attempt(place, attempts, callbacks.c.section, callbacks.c.language, callbacks.c.telephone)
    told = told.add_columns(callbacks.c.call_id).where(within(scope, callbacks.c.section, attempts.c.agent))
    row = (await connection.execute(told)).one_or_none()
    if row is None:
        return None
    talked = row.connected_at and row.ended_at
    return CallLine(
        call_id=call_id,
        arrived_at=row.began_at,
        trunk="",
        caller=row.telephone,
        section=row.section,
        language=row.language,
        agent=row.agent,
        result=Result.ANSWERED if row.connected_at else Result.CALLBACK,
        wait_s=None,
        waited_s=None,
        talk_s=(row.ended_at - row.connected_at).total_seconds() if talked else None,
        has_recording=row.has_recording,
        of_callback=OfCallback(
            number=place[0],
            about=row.call_id,
            outcome=AttemptOutcome(row.outcome) if row.outcome else None,
        ),
    )


_JOINED = attempts.join(callbacks, callbacks.c.number == attempts.c.callback)


def _attempt(place: tuple[int, int], *columns: Any) -> Select[Any]:
    number, attempt = place
    return (
        select(*columns).select_from(_JOINED).where(attempts.c.callback == number, attempts.c.attempt == attempt)
    )
