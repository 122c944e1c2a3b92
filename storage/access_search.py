"""Who saw what of this caller, and when: one question to the access log (P4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from calls.cases import contact_key
from calls.custody import AccessKind
from calls.ids import CallId
from storage.access import Entry, entry_of
from storage.access_tables import access_log
from storage.case_tables import cases, inquiries, work_orders
from storage.faults import translated
from storage.tables import calls

_OF_CASES = (AccessKind.READ_CASE, AccessKind.CHANGE_CASE, AccessKind.REFUSED)
_MOST_CASES = 200
"""Of one caller."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessQuery:
    """What is asked; what is ``None`` does not matter."""

    call_id: CallId | None = None
    caller: str | None = None
    """A telephone number: every call that came from it, and every case under it."""
    case: str | None = None
    """The number of a complaint, inquiry or work order."""
    actor: str | None = None
    kind: AccessKind | None = None
    since: datetime | None = None
    until: datetime | None = None


class SqlAccessSearch:
    """Reads the log from its end. Raises StorageUnavailable."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def page(self, query: AccessQuery, *, before: int | None = None, limit: int = 50) -> list[Entry]:
        """Entries, the newest first, from the one in front of number ``before`` on."""
        wanted = select(access_log).order_by(access_log.c.number.desc()).limit(limit)
        if before is not None:
            wanted = wanted.where(access_log.c.number < before)
        for column, value in (("call_id", query.call_id), ("actor", query.actor), ("kind", query.kind)):
            if value is not None:
                wanted = wanted.where(access_log.c[column] == value)
        if query.since is not None:
            wanted = wanted.where(access_log.c.at >= query.since)
        if query.until is not None:
            wanted = wanted.where(access_log.c.at < query.until)
        with translated():
            async with self._engine.connect() as connection:
                wanted = await _of_caller(connection, wanted, query)
                return [entry_of(row) for row in await connection.execute(wanted)]


async def _of_caller(connection: AsyncConnection, wanted: Select[Any], query: AccessQuery) -> Select[Any]:
    if query.case is not None:
        wanted = wanted.where(_about([query.case]))
    if query.caller is None:
        return wanted
    theirs = select(calls.c.call_id).where(calls.c.caller == query.caller)
    numbers: list[str] = []
    for table in (cases, inquiries, work_orders):
        found = select(table.c.number).where(table.c.contact_key == contact_key(query.caller)).limit(_MOST_CASES)
        numbers += (await connection.execute(found)).scalars()
    return wanted.where(or_(access_log.c.call_id.in_(theirs), *([_about(numbers)] if numbers else [])))


def _about(numbers: Sequence[str]) -> ColumnElement[bool]:
    """Entries on cases begin with the case's number; what else they say follows after a space."""
    reason = access_log.c.reason
    named = or_(reason.in_(numbers), *(reason.startswith(f"{number} ", autoescape=True) for number in numbers))
    return access_log.c.kind.in_(_OF_CASES) & named
