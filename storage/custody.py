"""Recordings in custody, in the database (P2). The keys lie here wrapped; the sound lies in the store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Row, func, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from calls.custody import Leg, Recording
from calls.ids import CallId
from storage.custody_tables import recordings
from storage.engine import for_writing
from storage.faults import translated
from storage.ledger import upsert

_ALIVE = recordings.c.deleted_at.is_(None)


@dataclass(frozen=True, slots=True)
class Kept:
    """A recording and its wrapped data key; ``None`` once it is destroyed."""

    recording: Recording
    wrapped_key: bytes | None = field(repr=False)
    deleted_why: str | None = None


class SqlRecordings:
    """What is in custody (``calls.ports.RecordingBook``). Raises StorageUnavailable or StorageRefused."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._writer = for_writing(engine)
        self._put = upsert(recordings, engine.dialect.name)

    async def store(self, kept: Sequence[Kept]) -> None:
        """Put recordings on the books, in place of earlier entries, unless they are tombstones."""
        rows = [_row(each) for each in kept]
        with translated():
            async with self._writer.begin() as connection:
                for row in rows:
                    here = (recordings.c.call_id == row["call_id"]) & (recordings.c.leg == row["leg"])
                    buried = await connection.scalar(select(func.count()).where(here, ~_ALIVE))
                    if not buried:
                        await connection.execute(self._put, [row])

    async def of_call(self, call_id: CallId) -> list[Recording]:
        """See ``calls.ports.RecordingBook.of_call``; in order of the legs' names."""
        with translated():
            async with self._engine.connect() as connection:
                found = await connection.execute(
                    select(recordings).where(recordings.c.call_id == call_id, _ALIVE).order_by(recordings.c.leg)
                )
                return [_recording(row) for row in found]

    async def find(self, call_id: CallId, leg: Leg) -> Kept | None:
        """A recording or its tombstone; ``None`` if it never was in custody."""
        with translated():
            async with self._engine.connect() as connection:
                row = (
                    await connection.execute(
                        select(recordings).where(recordings.c.call_id == call_id, recordings.c.leg == leg)
                    )
                ).one_or_none()
        return Kept(_recording(row), row.wrapped_key, row.deleted_why) if row else None

    async def between(
        self, since: datetime, until: datetime, after: tuple[str, str] = ("", ""), limit: int = 500
    ) -> list[Recording]:
        """Those recorded in ``[since, until)``, by call and leg, from the one behind ``after`` on."""
        key = (recordings.c.call_id, recordings.c.leg)
        rows = await self._rows(
            select(recordings)
            .where(recordings.c.recorded_at >= since, recordings.c.recorded_at < until, _ALIVE)
            .where((key[0] > after[0]) | ((key[0] == after[0]) & (key[1] > after[1])))
            .order_by(*key)
            .limit(limit)
        )
        return [_recording(row) for row in rows]

    async def least_checked(self, before: datetime, limit: int) -> list[Recording]:
        """Those whose checksum nobody has looked at since ``before``, the longest first."""
        looked = func.coalesce(recordings.c.checked_at, recordings.c.stored_at)
        rows = await self._rows(select(recordings).where(_ALIVE, looked < before).order_by(looked).limit(limit))
        return [_recording(row) for row in rows]

    async def checked(self, call_id: CallId, leg: Leg, at: datetime, *, whole: bool) -> None:
        """Note how a check of the checksum came out. Damage stays noted until the recording is whole again."""
        damaged = None if whole else func.coalesce(recordings.c.damaged_at, at)
        await self._change(
            update(recordings)
            .where(recordings.c.call_id == call_id, recordings.c.leg == leg)
            .values(checked_at=at, damaged_at=damaged)
        )

    async def damaged(self) -> list[Recording]:
        """Those whose checksum did not match when it was last looked at."""
        rows = await self._rows(
            select(recordings)
            .where(recordings.c.damaged_at.is_not(None), _ALIVE)
            .order_by(recordings.c.damaged_at)
        )
        return [_recording(row) for row in rows]

    async def bury(self, call_id: CallId, at: datetime, why: str) -> list[str]:
        """Destroy the keys of a call's recordings and leave tombstones; where their objects lie."""
        mine = recordings.c.call_id == call_id
        await self._change(
            update(recordings).where(mine, _ALIVE).values(deleted_at=at, deleted_why=why, wrapped_key=None)
        )
        rows = await self._rows(select(recordings.c.location).where(mine, recordings.c.removed_at.is_(None)))
        return [row.location for row in rows]

    async def unremoved(self, limit: int = 500) -> list[str]:
        """Objects of tombstones that may still lie in the store."""
        rows = await self._rows(
            select(recordings.c.location).where(~_ALIVE, recordings.c.removed_at.is_(None)).limit(limit)
        )
        return [row.location for row in rows]

    async def removed(self, location: str, at: datetime) -> None:
        """The object of a tombstone is gone from the store."""
        await self._change(
            update(recordings).where(recordings.c.location == location, ~_ALIVE).values(removed_at=at)
        )

    async def wrapped_by_others(self, key_id: str, limit: int = 500) -> list[Kept]:
        """Recordings whose data key another master key than ``key_id`` wraps."""
        rows = await self._rows(
            select(recordings)
            .where(_ALIVE, recordings.c.key_id != key_id)
            .order_by(recordings.c.call_id)
            .limit(limit)
        )
        return [Kept(_recording(row), row.wrapped_key) for row in rows]

    async def rewrapped(self, call_id: CallId, leg: Leg, old_key_id: str, key_id: str, wrapped: bytes) -> None:
        """Another master key wraps the data key from now on; nothing if somebody else did so first."""
        await self._change(
            update(recordings)
            .where(
                recordings.c.call_id == call_id, recordings.c.leg == leg, recordings.c.key_id == old_key_id, _ALIVE
            )
            .values(key_id=key_id, wrapped_key=wrapped)
        )

    async def count(self) -> int:
        """How many are in custody."""
        rows = await self._rows(select(func.count().label("n")).select_from(recordings).where(_ALIVE))
        return int(rows[0].n)

    async def _rows(self, wanted: Any) -> Sequence[Row[Any]]:
        with translated():
            async with self._engine.connect() as connection:
                rows: Sequence[Row[Any]] = (await connection.execute(wanted)).all()
        return rows

    async def _change(self, statement: Any) -> None:
        with translated():
            async with self._writer.begin() as connection:
                await connection.execute(statement)


def _row(kept: Kept) -> dict[str, Any]:
    one = kept.recording
    return {
        "call_id": one.call_id,
        "leg": one.leg.value,
        "format": one.format,
        "sample_rate_hz": one.sample_rate_hz,
        "duration_s": one.duration_s,
        "size_bytes": one.size_bytes,
        "sha256": one.sha256,
        "complete": one.complete,
        "recorded_at": one.recorded_at,
        "stored_at": one.stored_at,
        "location": one.location,
        "key_id": one.key_id,
        "wrapped_key": kept.wrapped_key,
    }


def _recording(row: Row[Any]) -> Recording:
    return Recording(
        call_id=CallId(row.call_id),
        leg=Leg(row.leg),
        format=row.format,
        sample_rate_hz=row.sample_rate_hz,
        duration_s=row.duration_s,
        size_bytes=row.size_bytes,
        sha256=row.sha256,
        recorded_at=row.recorded_at,
        stored_at=row.stored_at,
        location=row.location,
        key_id=row.key_id,
        complete=row.complete,
    )
