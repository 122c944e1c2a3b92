"""The ledger in a database: ``calls.ports.Ledger`` for SQLite and PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache
from typing import Any
from zlib import crc32

from sqlalchemy import ARRAY, Integer, Select, Table, bindparam, insert, select, text, true
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from calls.call import Call
from calls.events import AnyEvent, prevailing
from calls.ids import CallId, is_beside_calls
from calls.ports import Change, DayFigures
from storage.attempts import note_attempts
from storage.codec import event_of, event_row
from storage.engine import for_writing
from storage.faults import translated
from storage.figures import figures_of, figures_query
from storage.rollups import mark
from storage.rows import call_row, offer_rows, survey_row
from storage.survey_tables import surveys
from storage.tables import calls, events, offers

_IDS_PER_QUERY = 50
"""Few, so that the rows of one statement are read within a few milliseconds, callers waiting meanwhile."""
_LOCKS = 1024
"""Calls share this many locks, so that a batch of any size takes a bounded number of them."""
_LOCK_SPACE = 7_366_002
_EVENTS = select(events.c.kind, events.c.call_id, events.c.at, events.c.data, events.c.source).order_by(
    events.c.at, events.c.key
)
# Always in rising order, so that two recorders never wait for each other.
_LOCK_CALLS = text(
    "SELECT pg_advisory_xact_lock(:space, lock) FROM unnest(CAST(:locks AS integer[])) AS lock"
).bindparams(bindparam("locks", type_=ARRAY(Integer)))


class SqlLedger:
    """The books in a database that ``storage.engine.upgrade`` has prepared (``calls.ports.Ledger``).

    Any number of processes may record at once. Raises StorageUnavailable or StorageRefused, never a driver's
    error.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._writer = for_writing(engine)
        self._put_calls = upsert(calls, engine.dialect.name)
        self._put_offers = upsert(offers, engine.dialect.name)
        self._put_surveys = upsert(surveys, engine.dialect.name)
        self._correct_events = upsert(events, engine.dialect.name)

    async def record(self, events: Sequence[AnyEvent]) -> list[Change]:
        """See ``calls.ports.Ledger.record``."""
        told = _by_call(event for event in events if not is_beside_calls(event.call_id))
        beside = [event for event in events if is_beside_calls(event.call_id)]
        if not told and not beside:
            return []
        with translated():
            async with self._writer.begin() as connection:
                await note_attempts(connection, beside)
                await self._lock(connection, told)
                known = await events_of_calls(connection, list(told))
                changes = []
                for call_id, news in told.items():
                    if change := _change(known.get(call_id, []), news):
                        changes.append(change)
                    await asyncio.sleep(0)  # callers in the menu are served in between
                await self._store(connection, changes)
        return changes

    async def call(self, call_id: CallId) -> Call | None:
        """See ``calls.ports.Ledger.call``."""
        known = await self.events(call_id)
        return Call.of(known) if known else None

    async def events(self, call_id: CallId) -> list[AnyEvent]:
        """See ``calls.ports.Ledger.events``."""
        with translated():
            async with self._engine.connect() as connection:
                return (await events_of_calls(connection, [call_id])).get(call_id, [])

    async def open_calls(self) -> list[Call]:
        """See ``calls.ports.Ledger.open_calls``; the oldest first."""
        return await self._calls(
            select(calls.c.call_id).where(calls.c.ended_at.is_(None)).order_by(calls.c.arrived_at, calls.c.call_id)
        )

    async def figures(self, since: datetime, until: datetime, limit_s: float) -> DayFigures:
        """See ``calls.ports.Ledger.figures`` (K1, K2, K2r).

        An offer counts in K2r once it was answered or is over, whatever ended it.
        """
        with translated():
            async with self._engine.connect() as connection:
                return figures_of((await connection.execute(*figures_query(since, until, limit_s))).one_or_none())

    async def missing_recordings(self, ended_before: datetime, limit: int) -> list[Call]:
        """See ``calls.ports.Ledger.missing_recordings``."""
        return await self._calls(
            select(calls.c.call_id)
            .where(calls.c.recording_missing == true(), calls.c.ended_at < ended_before)
            .order_by(calls.c.ended_at.desc(), calls.c.call_id)
            .limit(limit)
        )

    async def _calls(self, wanted: Select[tuple[str]]) -> list[Call]:
        with translated():
            async with self._engine.connect() as connection:
                ids = [CallId(row.call_id) for row in await connection.execute(wanted)]
                known = await events_of_calls(connection, ids)
        return [Call.of(known[call_id]) for call_id in ids]

    async def _lock(self, connection: AsyncConnection, call_ids: Iterable[CallId]) -> None:
        """Keep other recorders off these calls until the transaction ends (SQLite: it has begun so)."""
        if connection.dialect.name == "postgresql":
            locks = sorted({crc32(call_id.encode()) % _LOCKS for call_id in call_ids})
            await connection.execute(_LOCK_CALLS, {"space": _LOCK_SPACE, "locks": locks})

    async def _store(self, connection: AsyncConnection, changes: Sequence[Change]) -> None:
        for statement, rows in (
            (self._put_calls, [call_row(change.after) for change in changes]),
            (self._put_offers, [row for change in changes for row in offer_rows(change.after)]),
            (self._put_surveys, [row for change in changes if (row := survey_row(change.after))]),
            (insert(events), [event_row(event) for change in changes for event in change.events]),
            (self._correct_events, [event_row(event) for change in changes for event in change.corrected]),
        ):
            if rows:
                await connection.execute(statement, rows)
        if changes:
            await mark(connection, changes)


def _by_call(told: Iterable[AnyEvent]) -> dict[CallId, dict[str, AnyEvent]]:
    """The events of each call by key, both in the order in which they were told."""
    found: dict[CallId, list[AnyEvent]] = {}
    for event in told:
        found.setdefault(event.call_id, []).append(event)
    return {call_id: prevailing(events) for call_id, events in found.items()}


def _change(known: list[AnyEvent], told: dict[str, AnyEvent]) -> Change | None:
    """What the events that were told change in a call of which ``known`` is stored."""
    stored = {event.key: event for event in known}
    new = tuple(event for key, event in told.items() if key not in stored)
    corrected = tuple(
        event for key, event in told.items() if key in stored and event.precedence < stored[key].precedence
    )
    if not new and not corrected:
        return None
    return Change(
        before=Call.of(known) if known else None,
        after=Call.of([*known, *new, *corrected]),
        events=new,
        corrected=corrected,
    )


async def events_of_calls(connection: AsyncConnection, call_ids: Sequence[CallId]) -> dict[CallId, list[AnyEvent]]:
    """What is stored of each call, in order of time."""
    found: dict[CallId, list[AnyEvent]] = {}
    for start in range(0, len(call_ids), _IDS_PER_QUERY):
        some = call_ids[start : start + _IDS_PER_QUERY]
        for row in await connection.execute(_EVENTS.where(events.c.call_id.in_(some))):
            event = event_of(row.kind, row.call_id, row.at, row.data, row.source)
            found.setdefault(event.call_id, []).append(event)
        await asyncio.sleep(0)
    return found


@cache
def upsert(table: Table, dialect: str) -> Any:
    """Insert rows, or replace those with the same primary key."""
    statement = postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)
    keys = [column.name for column in table.primary_key]
    rest = {column.name: statement.excluded[column.name] for column in table.c if column.name not in keys}
    return statement.on_conflict_do_update(index_elements=keys, set_=rest)
