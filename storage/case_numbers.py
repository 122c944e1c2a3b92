"""Numbers without gaps (C3), and requests that must not be carried out twice."""

from __future__ import annotations

import hashlib
from dataclasses import fields
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import insert, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from calls.cases import CaseNumber, Series, case_number
from calls.errors import CaseConflict
from storage.case_codec import storable
from storage.case_tables import case_keys, case_series

_LOCK_SPACE = 7_366_004


async def next_number(connection: AsyncConnection, series: Series, at: datetime, zone: ZoneInfo) -> CaseNumber:
    """The next number of the local year, in the caller's transaction.

    Whoever else wants one waits until this transaction ends; if it fails, its number is the next one's.
    """
    year = at.astimezone(zone).year
    put = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    row = put(case_series).values(series=series.value, year=year, last=1)
    given = row.on_conflict_do_update(
        index_elements=["series", "year"], set_={"last": case_series.c.last + 1}
    ).returning(case_series.c.last)
    serial = await connection.scalar(given)
    assert serial is not None, "the statement always gives a row"
    return case_number(series, year, serial)


async def done_before(connection: AsyncConnection, key: str, said: Any) -> CaseNumber | None:
    """What came of the same request, if it was carried out; two at once are carried out one after the other.

    Raises CaseConflict if the key stands for another request.
    """
    storable("request", "key", key)
    if connection.dialect.name == "postgresql":
        lock = text("SELECT pg_advisory_xact_lock(:space, hashtext(:key))")
        await connection.execute(lock.bindparams(space=_LOCK_SPACE, key=key))
    found = (await connection.execute(select(case_keys).where(case_keys.c.key == key))).one_or_none()
    if found is None:
        return None
    if found.said != _digest(said):
        raise CaseConflict(0)
    return CaseNumber(found.number)


async def remember(connection: AsyncConnection, key: str, number: CaseNumber, said: Any, at: datetime) -> None:
    """The request was carried out."""
    await connection.execute(insert(case_keys).values(key=key, number=number, said=_digest(said), at=at))


_WHEN = frozenset({"at", "filed_at", "number"})
"""What a request says anew each time it is sent."""


def _digest(said: Any) -> str:
    told = {each.name: getattr(said, each.name) for each in fields(said) if each.name not in _WHEN}
    return hashlib.sha256(f"{type(said).__name__} {told!r}".encode()).hexdigest()
