"""The access log: who saw what of which caller, when and why (P1, P4); and legal holds.

Append-only and hash-chained: every entry's hash covers the entry and the hash before it, so that an entry that
was changed, left out or put in between breaks the chain from there on. That the newest entries were cut off is
seen by comparing with an anchor, a number and hash that somebody noted elsewhere.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from calls.custody import Access, AccessKind, Leg
from calls.errors import AccessDenied
from calls.ids import CallId
from calls.ports import Clock
from storage.access_tables import access_log, holds
from storage.engine import for_writing
from storage.faults import translated

LONGEST = 500
"""Letters of a reason or an actor."""

_FIRST = "0" * 64
_LOCK = 7_366_003
_AT_ONCE = 1000
_NEED_A_REASON = frozenset(
    {AccessKind.LISTEN_ORIGINAL, AccessKind.READ_ORIGINAL, AccessKind.EXPORT, AccessKind.DELETE, AccessKind.HOLD}
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the log."""

    number: int
    at: datetime
    access: Access
    previous: str
    hash: str


@dataclass(frozen=True, slots=True)
class Chain:
    """What a check of the log found."""

    entries: int
    last_hash: str
    broken_at: int | None = None
    """The first entry that does not fit."""
    why: str = ""

    @property
    def whole(self) -> bool:
        return self.broken_at is None


@dataclass(frozen=True, slots=True)
class _Fields:
    """What the hash of an entry covers, in this order."""

    number: int
    at: datetime
    actor: str
    kind: str
    call_id: str | None
    leg: str | None
    reason: str
    previous: str


class SqlAccessLog:
    """The log in the database (``calls.ports.AccessLog``)."""

    def __init__(self, engine: AsyncEngine, clock: Clock) -> None:
        self._engine = engine
        self._writer = for_writing(engine)
        self._clock = clock

    async def note(self, access: Access) -> None:
        """See ``calls.ports.AccessLog.note``. Raises AccessDenied for a missing or overlong reason or actor."""
        await self.note_all([access])

    async def note_all(self, accesses: Sequence[Access]) -> None:
        """See ``calls.ports.AccessLog.note_all``. Raises AccessDenied as ``note`` does."""
        with translated():
            async with self._writer.begin() as connection:
                for access in accesses:
                    await append(connection, self._clock.now(), access)

    async def entries(
        self,
        *,
        call_id: CallId | None = None,
        actor: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        after: int = 0,
        limit: int = 1000,
    ) -> list[Entry]:
        """Entries in their order, from the one behind number ``after`` on."""
        wanted = select(access_log).where(access_log.c.number > after).order_by(access_log.c.number).limit(limit)
        if call_id is not None:
            wanted = wanted.where(access_log.c.call_id == call_id)
        if actor is not None:
            wanted = wanted.where(access_log.c.actor == actor)
        if since is not None:
            wanted = wanted.where(access_log.c.at >= since)
        if until is not None:
            wanted = wanted.where(access_log.c.at < until)
        return [entry_of(row) for row in await self._rows(wanted)]

    async def verify(self, anchor: str | None = None) -> Chain:
        """Follow the chain from its beginning. ``anchor`` is a hash that must be in it."""
        number, previous, seen = 0, _FIRST, anchor is None
        in_order = select(access_log).order_by(access_log.c.number).limit(_AT_ONCE)
        while rows := await self._rows(in_order.where(access_log.c.number > number)):
            for row in rows:
                if row.number != number + 1:
                    return Chain(number, previous, number + 1, "an entry is missing")
                if row.previous != previous:
                    return Chain(number, previous, row.number, "it does not follow the entry before it")
                if row.hash != _hash(row):
                    return Chain(number, previous, row.number, "it was changed after it was written")
                number, previous = row.number, row.hash
                seen = seen or previous == anchor
        if not seen:
            return Chain(number, previous, number + 1, "the entry of the anchor is missing: the end was cut off")
        return Chain(number, previous)

    async def _rows(self, wanted: Select[Any]) -> Sequence[Row[Any]]:
        with translated():
            async with self._engine.connect() as connection:
                rows: Sequence[Row[Any]] = (await connection.execute(wanted)).all()
        return rows


@dataclass(frozen=True, slots=True)
class Hold:
    """A call whose recording must stay, whatever its retention."""

    call_id: CallId
    since: datetime
    by: str
    reason: str


class SqlHolds:
    """Legal holds. Raises StorageUnavailable or StorageRefused."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._writer = for_writing(engine)

    async def hold(self, hold: Hold) -> None:
        """From now on nothing of the call is deleted. A call may be held for several reasons."""
        with translated():
            async with self._writer.begin() as connection:
                await one_at_a_time(connection)  # a burial that has begun is over before this says that it holds
                await connection.execute(
                    insert(holds).values(call_id=hold.call_id, since=hold.since, by=hold.by, reason=hold.reason)
                )

    async def release(self, call_id: CallId, at: datetime, by: str) -> int:
        """End all holds of a call; how many there were."""
        with translated():
            async with self._writer.begin() as connection:
                ended = await connection.execute(
                    update(holds)
                    .where(holds.c.call_id == call_id, holds.c.released_at.is_(None))
                    .values(released_at=at, released_by=by)
                )
                return int(ended.rowcount)

    async def standing(self) -> list[Hold]:
        """Those that have not been released, the oldest first."""
        with translated():
            async with self._engine.connect() as connection:
                rows = await connection.execute(
                    select(holds).where(holds.c.released_at.is_(None)).order_by(holds.c.since, holds.c.number)
                )
                return [Hold(CallId(row.call_id), row.since, row.by, row.reason) for row in rows]


def _check(access: Access) -> None:
    for what, words in (("reason", access.reason), ("name", access.actor)):
        if len(words) > LONGEST:
            raise AccessDenied(f"the {what} is longer than {LONGEST} letters")
        if any(ord(letter) < 32 for letter in words):
            raise AccessDenied(f"the {what} has control characters in it")
    if not access.actor.strip():
        raise AccessDenied("who asks must be known")
    if access.kind in _NEED_A_REASON and not access.reason.strip():
        raise AccessDenied(f"a reason is needed for this ({access.kind.value})")


async def append(connection: AsyncConnection, at: datetime, access: Access) -> None:
    """Write an entry in the writer's own transaction, so that it stands exactly if what it tells of was done.

    Raises AccessDenied as ``SqlAccessLog.note`` does.
    """
    _check(access)
    await one_at_a_time(connection)
    newest = select(access_log.c.number, access_log.c.hash).order_by(access_log.c.number.desc()).limit(1)
    last = (await connection.execute(newest)).one_or_none()
    number, previous = (last.number + 1, last.hash) if last else (1, _FIRST)
    leg = access.leg.value if access.leg else None
    entry = _Fields(number, at, access.actor, access.kind.value, access.call_id, leg, access.reason, previous)
    await connection.execute(insert(access_log).values(**asdict(entry), hash=_hash(entry)))


async def one_at_a_time(connection: AsyncConnection) -> None:
    """What follows in this transaction follows what others do so, whole (SQLite has one writer as it is)."""
    if connection.dialect.name == "postgresql":
        await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)").bindparams(lock=_LOCK))


def _hash(entry: _Fields | Row[Any]) -> str:
    """Of what the entry says and of the hash before it; the fields are set apart beyond doubt by JSON."""
    said = [getattr(entry, each.name) for each in fields(_Fields)]
    said[1] = entry.at.isoformat()
    return hashlib.sha256(json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()


def entry_of(row: Row[Any]) -> Entry:
    """A row of the log."""
    access = Access(
        actor=row.actor,
        kind=AccessKind(row.kind),
        reason=row.reason,
        call_id=CallId(row.call_id) if row.call_id is not None else None,
        leg=Leg(row.leg) if row.leg is not None else None,
    )
    return Entry(row.number, row.at, access, row.previous, row.hash)
