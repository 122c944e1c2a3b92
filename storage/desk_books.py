"""The desk's own books: notes on calls until they are filed, and which calls are not filed yet (A7)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Row,
    Select,
    and_,
    delete,
    exists,
    func,
    or_,
    select,
    text,
    union,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from calls.cases import LinkKind
from calls.filing import DeskFiling, Edit, Kind, Notes, OwnCounts, UnfiledCall, edited
from calls.ids import SYNTHETIC_TRUNK, AgentNumber, CallId, Language, SectionId
from calls.surveys import Invitation
from storage.case_tables import case_links, inquiries, work_orders
from storage.desk_tables import desk_filings, desk_notes
from storage.engine import for_writing
from storage.faults import translated
from storage.survey_tables import callback_attempts, surveys
from storage.tables import calls, offers

_LOCK_SPACE = 7_366_017
_LOCK_CALL = text("SELECT pg_advisory_xact_lock(:space, hashtext(CAST(:call_id AS text)))")


class SqlDeskBooks:
    """Reads and writes. Raises StorageUnavailable or StorageRefused."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._writer = for_writing(engine)
        self._put_filing = _insert(engine, desk_filings).on_conflict_do_nothing(index_elements=["call_id"])

    # ── Notes ────────────────────────────────────────────────────────────────────────────────────────────────

    async def notes(self, call_id: CallId) -> Notes:
        """What was written about a call so far."""
        with translated():
            async with self._engine.connect() as connection:
                return await _notes(connection, call_id)

    async def save(
        self, call_id: CallId, edits: Mapping[str, Edit], kinds: Mapping[str, Kind], login: str, at: datetime
    ) -> Notes:
        """Put a window's edits to what is there; the notes as they are then (``calls.filing.edited``)."""
        with translated():
            async with self._writer.begin() as connection:
                if connection.dialect.name == "postgresql":
                    await connection.execute(_LOCK_CALL, {"space": _LOCK_SPACE, "call_id": call_id})
                before = await _notes(connection, call_id)
                fields = edited(before.fields, edits, kinds)
                after = Notes(call_id, before.version + 1, fields, at, login)
                if before.version and fields == before.fields:
                    return before
                row = {"version": after.version, "fields": fields, "saved_at": at, "saved_by": login}
                put = _insert(self._engine, desk_notes).values(call_id=call_id, **row)
                await connection.execute(put.on_conflict_do_update(index_elements=["call_id"], set_=row))
                return after

    async def forget(self, call_id: CallId, version: int) -> bool:
        """The call is filed; false if something was written after that version, which is kept."""
        gone = delete(desk_notes).where(desk_notes.c.call_id == call_id, desk_notes.c.version <= version)
        with translated():
            async with self._writer.begin() as connection:
                return bool((await connection.execute(gone)).rowcount)

    # ── What is not filed ────────────────────────────────────────────────────────────────────────────────────

    async def unfiled(self, agent: AgentNumber, since: datetime, limit: int = 100) -> list[UnfiledCall]:
        """Calls that this agent answered since then, as the last one who did, the oldest first; not tests."""
        wanted = _answered(agent).where(offers.c.connected_at >= since, ~_filed()).order_by(offers.c.connected_at)
        return [_unfiled(row) for row in await self._rows(wanted.limit(limit))]

    async def answered(self, agent: AgentNumber, call_id: CallId) -> UnfiledCall | None:
        """A call that this agent answered, filed or not; ``None`` if it is somebody else's."""
        rows = await self._rows(_answered(agent, last=False).where(offers.c.call_id == call_id))
        return _unfiled(rows[0]) if rows else None

    async def caller_at(self, agent: AgentNumber, call_id: CallId) -> str | None:
        """The number of a call that was offered to this agent; ``None`` if it was not, or was withheld."""
        wanted = (
            select(calls.c.caller)
            .join_from(offers, calls, offers.c.call_id == calls.c.call_id)
            .where(offers.c.call_id == call_id, offers.c.agent == agent)
            .limit(1)
        )
        rows = await self._rows(wanted)
        return rows[0].caller if rows else None

    async def filed_as(self, call_id: CallId) -> list[str]:
        """The numbers that the call is filed under, and outcomes that have none."""
        parts = (
            select(inquiries.c.number.label("number")).where(inquiries.c.call_id == call_id),
            select(case_links.c.number).where(case_links.c.kind == LinkKind.CALL, case_links.c.ref == call_id),
            select(work_orders.c.number).where(work_orders.c.call_id == call_id),
            select(desk_filings.c.outcome).where(desk_filings.c.call_id == call_id),
        )
        return sorted(row.number for row in await self._rows(union(*parts)))

    async def file(self, filing: DeskFiling) -> None:
        """File a call as something that is no case. Again changes nothing."""
        with translated():
            async with self._writer.begin() as connection:
                await connection.execute(self._put_filing, asdict(filing))

    async def own_counts(self, agent: AgentNumber, since: datetime, until: datetime) -> OwnCounts:
        """What this agent did from ``since`` to before ``until``."""
        reached = callback_attempts.c.connected_at.is_not(None)
        called = select(func.count(), func.count().filter(reached)).where(
            callback_attempts.c.agent == agent,
            callback_attempts.c.began_at >= since,
            callback_attempts.c.began_at < until,
        )
        asked = select(
            func.count().filter(surveys.c.invitation == Invitation.INVITED),
            func.count().filter(surveys.c.invitation == Invitation.MISSED),
        ).where(surveys.c.agent == agent, surveys.c.arrived_at >= since, surveys.c.arrived_at < until)
        (calls_made,), (invitations,) = await self._rows(called), await self._rows(asked)
        return OwnCounts(*calls_made, *invitations)

    async def _rows(self, wanted: Select[*tuple[Any, ...]] | CompoundSelect[Any]) -> Sequence[Row[Any]]:
        with translated():
            async with self._engine.connect() as connection:
                rows: Sequence[Row[Any]] = (await connection.execute(wanted)).all()
        return rows


async def _notes(connection: AsyncConnection, call_id: CallId) -> Notes:
    row = (await connection.execute(select(desk_notes).where(desk_notes.c.call_id == call_id))).one_or_none()
    return Notes(call_id, row.version, row.fields, row.saved_at, row.saved_by) if row else Notes(call_id)


def _answered(agent: AgentNumber, *, last: bool = True) -> Select[Any]:
    """Calls that an agent answered; with ``last`` only those that nobody answered after them."""
    later = offers.alias("later")
    wanted = (
        select(
            calls.c.call_id,
            calls.c.arrived_at,
            offers.c.connected_at,
            calls.c.ended_at,
            calls.c.caller,
            calls.c.section,
            calls.c.language,
            calls.c.trunk,
            calls.c.priority,
            exists().where(desk_notes.c.call_id == calls.c.call_id).label("has_notes"),
        )
        .join_from(offers, calls, offers.c.call_id == calls.c.call_id)
        .where(
            offers.c.agent == agent,
            offers.c.connected_at.is_not(None),
            calls.c.trunk != SYNTHETIC_TRUNK,
        )
    )
    if not last:
        return wanted.order_by(offers.c.connected_at.desc()).limit(1)
    after = and_(later.c.call_id == offers.c.call_id, later.c.connected_at > offers.c.connected_at)
    return wanted.where(~exists().where(after))


def _filed() -> ColumnElement[bool]:
    linked = and_(case_links.c.kind == LinkKind.CALL, case_links.c.ref == calls.c.call_id)
    own = (exists().where(table.c.call_id == calls.c.call_id) for table in (inquiries, work_orders, desk_filings))
    return or_(exists().where(linked), *own)


def _insert(engine: AsyncEngine, table: Any) -> Any:
    return postgresql.insert(table) if engine.dialect.name == "postgresql" else sqlite.insert(table)


def _unfiled(row: Row[Any]) -> UnfiledCall:
    return UnfiledCall(
        call_id=CallId(row.call_id),
        arrived_at=row.arrived_at,
        connected_at=row.connected_at,
        ended_at=row.ended_at,
        caller=row.caller,
        section=SectionId(row.section) if row.section else None,
        language=Language(row.language) if row.language else None,
        trunk=row.trunk,
        priority=row.priority,
        has_notes=row.has_notes,
    )
