"""Whether an answer that was put off in a call is on the books (A5): as a call-back, or as a work order."""

from __future__ import annotations

from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncEngine

from calls.ids import CallId
from storage.case_tables import inquiries, work_orders
from storage.faults import translated
from storage.survey_tables import callbacks


async def promise_on_record(engine: AsyncEngine, call_id: CallId) -> bool | None:
    """True: it is. False: the call was filed as answered, and nothing was promised. ``None``: nobody knows yet.

    Raises StorageUnavailable.
    """
    kept = select(
        exists().where(callbacks.c.call_id == call_id) | exists().where(work_orders.c.call_id == call_id)
    )
    filed = select(exists().where(inquiries.c.call_id == call_id))
    with translated():
        async with engine.connect() as connection:
            if await connection.scalar(kept):
                return True
            return False if await connection.scalar(filed) else None
