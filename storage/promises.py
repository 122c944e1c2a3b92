"""Whether an answer that was put off is on the books (A5): as a call-back, a work order or a complaint."""

from __future__ import annotations

from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncEngine

from calls.callbacks import CallbackState
from calls.cases import LinkKind
from calls.ids import CallId
from calls.inquiries import OrderState
from storage.case_tables import case_links, cases, inquiries, work_orders
from storage.faults import translated
from storage.survey_tables import callbacks


async def promise_on_record(engine: AsyncEngine, call_id: CallId) -> bool | None:
    """True: it is. False: the call was filed as answered, and nothing was promised. ``None``: nobody knows yet.

    What was withdrawn or cancelled is not on the books any more. Whoever files or withdraws something tells
    ``storage.rejudging``. Raises StorageUnavailable.
    """
    called_back = exists().where(
        callbacks.c.call_id == call_id, callbacks.c.state != CallbackState.WITHDRAWN.value
    )
    ordered = exists().where(work_orders.c.call_id == call_id, work_orders.c.state != OrderState.CANCELLED.value)
    complaint = exists().where(
        case_links.c.kind == LinkKind.CALL.value,
        case_links.c.ref == call_id,
        cases.c.number == case_links.c.number,
    )
    kept = select(called_back | ordered | complaint)
    filed = select(exists().where(inquiries.c.call_id == call_id))
    with translated():
        async with engine.connect() as connection:
            if await connection.scalar(kept):
                return True
            return False if await connection.scalar(filed) else None
