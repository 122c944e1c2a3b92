"""A judgement that rests on what is on the books is owed anew when that changes (A5).

It is part of the transaction that files or withdraws something for a call, so no crash can leave a verdict that
says of a promise what is not so any more. The sweeper that says what is owed does the rest.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import exists, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from calls.custody import Leg
from calls.ids import CallId
from storage.transcript_tables import transcription_work as work
from storage.verdict_tables import verdicts
from storage.work_states import State

_TELLS_OF_PROMISES = or_(
    verdicts.c.explanation.startswith('{"reason": "promise_', autoescape=True),
    verdicts.c.explanation.startswith("a time was named", autoescape=True),  # until there were reasons
    verdicts.c.explanation.startswith("whether a call back", autoescape=True),
)


async def judge_again(connection: AsyncConnection, call_id: CallId | None, at: datetime) -> None:
    """Something was filed or withdrawn for a call: owe its judgement again if what it says may have changed."""
    if not call_id:
        return
    mine = (work.c.call_id == call_id) & (work.c.leg == Leg.MIXED.value)
    # Locked also while it is only owed: who judges waits, and looks at the books when this is in them.
    state = await connection.scalar(select(work.c.state).where(mine).with_for_update())
    if state == State.DONE:
        rests_on_it = select(exists().where(verdicts.c.call_id == call_id, _TELLS_OF_PROMISES))
        if not await connection.scalar(rests_on_it):
            return
    elif state != State.STARTED:
        return
    # Who is at it now may have looked before: it finds its work taken away, and the call is judged once more.
    afresh = {"state": State.OWED.value, "owed_at": at, "sent_at": None, "worker": None, "error": None}
    await connection.execute(update(work).where(mine).values(afresh))
