"""Files of cases in the books: where each lies, its checksum and its wrapped key (C3, P2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from calls.attachments import MOST, Attachment
from calls.cases import CaseNumber, Login
from calls.errors import AttachmentRefused
from storage.case_tables import cases, work_orders
from storage.engine import for_writing
from storage.faults import translated
from storage.intake_tables import attachments


@dataclass(frozen=True, slots=True)
class KeptFile:
    """A file with what is needed to open it."""

    attachment: Attachment
    location: str
    key_id: str
    wrapped_key: bytes


class SqlAttachments:
    """The books of attachments. Raises StorageUnavailable or StorageRefused."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._writer = for_writing(engine)

    async def store(self, kept: KeptFile) -> None:
        """Keep an entry. Raises AttachmentRefused where the case has as many as it may."""
        one = kept.attachment
        mine = (attachments.c.number == one.number, attachments.c.deleted_at.is_(None))
        with translated():
            async with self._writer.begin() as connection:
                for table in (cases, work_orders):  # one at a time counts the files of a case
                    await connection.execute(
                        select(table.c.number).where(table.c.number == one.number).with_for_update()
                    )
                there = await connection.scalar(select(func.count()).select_from(attachments).where(*mine))
                if (there or 0) >= MOST:
                    raise AttachmentRefused("many")
                await connection.execute(insert(attachments).values(_row(kept)))

    async def of_case(self, number: CaseNumber) -> Sequence[Attachment]:
        """See ``calls.attachments.Attachments.of_case``."""
        wanted = select(attachments).where(attachments.c.number == number, attachments.c.deleted_at.is_(None))
        rows = await self._rows(wanted.order_by(attachments.c.added_at, attachments.c.id))
        return [_attachment(row) for row in rows]

    async def find(self, attachment_id: str) -> KeptFile | None:
        """One file; ``None`` if there is none, or it was deleted."""
        rows = await self._rows(select(attachments).where(attachments.c.id == attachment_id))
        if not rows or rows[0].wrapped_key is None:
            return None
        return _kept(rows[0])

    async def wrapped_by_others(self, key_id: str, limit: int = 500) -> list[KeptFile]:
        """Files whose data key another master key wraps."""
        a = attachments.c
        wanted = select(attachments).where(a.key_id != key_id, a.wrapped_key.is_not(None)).limit(limit)
        return [_kept(row) for row in await self._rows(wanted)]

    async def rewrapped(self, kept: KeptFile, key_id: str, wrapped: bytes) -> None:
        """The data key is wrapped by another master key now."""
        mine = (attachments.c.id == kept.attachment.id, attachments.c.key_id == kept.key_id)
        await self._set(mine, key_id=key_id, wrapped_key=wrapped)

    async def due(self, added_before: datetime, limit: int = 200) -> list[KeptFile]:
        """Files so old of complaints that are closed, or of work orders that are answered."""
        a = attachments.c
        over = (
            select(cases.c.number)
            .where(cases.c.closed_at.is_not(None))
            .union_all(select(work_orders.c.number).where(work_orders.c.answered_at.is_not(None)))
        )
        wanted = select(attachments).where(
            a.added_at < added_before, a.wrapped_key.is_not(None), a.number.in_(over)
        )
        return [_kept(row) for row in await self._rows(wanted.order_by(a.added_at).limit(limit))]

    async def bury(self, kept: KeptFile, at: datetime, why: str) -> None:
        """Destroy the key; a tombstone stays, without the name."""
        mine = (attachments.c.id == kept.attachment.id,)
        await self._set(mine, wrapped_key=None, name="", deleted_at=at, deleted_why=why)

    async def _set(self, mine: Any, **values: object) -> None:
        with translated():
            async with self._writer.begin() as connection:
                await connection.execute(update(attachments).where(*mine).values(**values))

    async def _rows(self, wanted: Select[Any]) -> Sequence[Row[Any]]:
        with translated():
            async with self._engine.connect() as connection:
                rows: Sequence[Row[Any]] = (await connection.execute(wanted)).all()
        return rows


def _row(kept: KeptFile) -> dict[str, Any]:
    one = kept.attachment
    return {
        "id": one.id,
        "number": one.number,
        "name": one.name,
        "content_type": one.content_type,
        "size_bytes": one.size_bytes,
        "sha256": one.sha256,
        "added_at": one.added_at,
        "added_by": one.added_by,
        "location": kept.location,
        "key_id": kept.key_id,
        "wrapped_key": kept.wrapped_key,
    }


def _kept(row: Row[Any]) -> KeptFile:
    return KeptFile(_attachment(row), row.location, row.key_id, row.wrapped_key)


def _attachment(row: Row[Any]) -> Attachment:
    return Attachment(
        id=row.id,
        number=CaseNumber(row.number),
        name=row.name,
        content_type=row.content_type,
        size_bytes=row.size_bytes,
        sha256=row.sha256,
        added_at=row.added_at,
        added_by=Login(row.added_by),
    )
