"""Retention in the database: which calls' recordings are due, and their burial (P2).

What was said in a call goes with its sound, in the transaction in which the keys do: rows of every table whose
``info`` has ``words_of_calls`` are deleted; where only some columns quote words, ``words_in_columns`` names them
with what they hold from then on. The entry in the access log is of the same transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import ColumnElement, and_, delete, exists, false, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from calls.custody import Access, AccessKind
from calls.ids import CallId
from storage.access import append, one_at_a_time
from storage.access_tables import access_log, holds, retention_seen
from storage.custody_tables import recordings
from storage.engine import for_writing
from storage.faults import translated
from storage.schema import metadata
from storage.tables import calls

WORDS_OF_CALLS = "words_of_calls"
"""In a table's ``info``: its rows, by ``call_id``, hold what was said, and go with the recording."""

WORDS_IN_COLUMNS = "words_in_columns"
"""In a table's ``info``: columns that quote what was said, and their value once the recording is gone."""

_ALIVE = recordings.c.deleted_at.is_(None)
_HELD = exists().where(holds.c.call_id == recordings.c.call_id, holds.c.released_at.is_(None))


class Cutoff(Protocol):
    """Calls of one sort that are due (``recordings.retention.Cutoff``)."""

    @property
    def section(self) -> str | None: ...
    @property
    def promised(self) -> bool: ...
    @property
    def before(self) -> datetime: ...


@dataclass(frozen=True, slots=True)
class Due:
    """A call whose recording has been kept long enough."""

    call_id: CallId
    known: bool
    """Whether the call is on the books; nothing is known of its sort otherwise."""
    section: str | None
    promised: bool


class SqlRetention:
    """What is due, and its burial. Raises StorageUnavailable or StorageRefused."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._writer = for_writing(engine)

    async def due(
        self, cutoffs: Sequence[Cutoff], unknown_before: datetime, *, after: str = "", limit: int = 200
    ) -> list[Due]:
        """Calls that are due and not held, in the order of their ids, from the one behind ``after`` on."""
        wanted = (
            select(
                recordings.c.call_id, calls.c.call_id.label("known"), calls.c.section, calls.c.callback_promised_at
            )
            .select_from(_WITH_CALLS)
            .where(_is_due(cutoffs, unknown_before), recordings.c.call_id > after)
            .distinct()
            .order_by(recordings.c.call_id)
            .limit(limit)
        )
        rows = await self._rows(wanted)
        return [
            Due(CallId(row.call_id), row.known is not None, row.section, row.callback_promised_at is not None)
            for row in rows
        ]

    async def count(self, cutoffs: Sequence[Cutoff], unknown_before: datetime) -> tuple[int, int]:
        """Calls that are due, and calls in custody."""
        number = func.count(recordings.c.call_id.distinct()).label("n")
        of_due = select(number).select_from(_WITH_CALLS).where(_is_due(cutoffs, unknown_before))
        due = int((await self._rows(of_due))[0].n)
        if not due:
            return 0, 0
        return due, int((await self._rows(select(number).where(_ALIVE)))[0].n)

    async def bury(self, call_id: CallId, at: datetime, actor: str, why: str) -> list[str]:
        """Destroy the call's keys, and what was said; where its objects lie that are to be removed.

        Nothing of this is done if the call is held, also by somebody who came in between: then the list is empty.
        """
        with translated():
            async with self._writer.begin() as connection:
                await one_at_a_time(connection)
                mine = recordings.c.call_id == call_id
                buried = await connection.execute(
                    update(recordings)
                    .where(mine, _ALIVE, ~_HELD)
                    .values(deleted_at=at, deleted_why=why, wrapped_key=None)
                    .returning(recordings.c.location)
                )
                places = [row.location for row in buried]
                if places:
                    await self._forget(connection, call_id)
                    await append(connection, at, Access(actor, AccessKind.DELETE, why, call_id))
        return places

    async def believed(self) -> datetime | None:
        """The newest time that retention believed; before it ever did, that the books tell of, if any."""
        for newest in (retention_seen.c.at, recordings.c.recorded_at, access_log.c.at):
            found: datetime | None = (await self._rows(select(func.max(newest).label("at"))))[0].at
            if found is not None:
                return found
        return None

    async def believe(self, at: datetime) -> None:
        """The clock was right at this time."""
        with translated():
            async with self._writer.begin() as connection:
                await one_at_a_time(connection)
                await connection.execute(delete(retention_seen))
                await connection.execute(insert(retention_seen).values(at=at))

    async def _forget(self, connection: AsyncConnection, call_id: CallId) -> None:
        for table in metadata.sorted_tables:
            if table.info.get(WORDS_OF_CALLS):
                await connection.execute(delete(table).where(table.c.call_id == call_id))
            elif empty := table.info.get(WORDS_IN_COLUMNS):
                await connection.execute(update(table).where(table.c.call_id == call_id).values(empty))

    async def _rows(self, wanted: Any) -> Sequence[Any]:
        with translated():
            async with self._engine.connect() as connection:
                return (await connection.execute(wanted)).all()


_WITH_CALLS = recordings.outerjoin(calls, calls.c.call_id == recordings.c.call_id)


def _is_due(cutoffs: Sequence[Cutoff], unknown_before: datetime) -> ColumnElement[bool]:
    """Anything may be due only of what the shortest policy lets go: this is what the index is asked for."""
    named = [cutoff.section for cutoff in cutoffs if cutoff.section is not None]
    other = or_(calls.c.section.is_(None), calls.c.section.not_in(named)) if named else ~false()
    sorts = [
        and_(
            calls.c.call_id.is_not(None),
            other if cutoff.section is None else calls.c.section == cutoff.section,
            calls.c.callback_promised_at.is_not(None)
            if cutoff.promised
            else calls.c.callback_promised_at.is_(None),
            recordings.c.recorded_at < cutoff.before,
        )
        for cutoff in cutoffs
    ]
    sorts.append(and_(calls.c.call_id.is_(None), recordings.c.recorded_at < unknown_before))
    newest = max([unknown_before, *(cutoff.before for cutoff in cutoffs)])
    return and_(recordings.c.recorded_at < newest, _ALIVE, ~_HELD, or_(*sorts))
