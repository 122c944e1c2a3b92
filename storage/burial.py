"""Whether a call's recording was deleted: nothing that was said in it may be written again after that (P2)."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from calls.ids import CallId
from storage.custody_tables import recordings


async def is_buried(connection: AsyncConnection, call_id: CallId) -> bool:
    """Whether it is, or is being: then this waits for the end of it, and a burial waits for who has asked this."""
    mine = select(recordings.c.deleted_at).where(recordings.c.call_id == call_id).with_for_update(read=True)
    return any(row.deleted_at is not None for row in await connection.execute(mine))
