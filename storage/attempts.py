"""What Asterisk tells of attempts to call back, noted beside the ledger in the same transaction (A5)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from calls.events import AnyEvent, CallbackStep, CallbackStepped, RecordingArrived, Source
from calls.ids import attempt_of
from storage.survey_tables import callback_attempts as attempts

_COLUMNS = {
    CallbackStep.AGENT_RANG: attempts.c.agent_rang_at,
    CallbackStep.AGENT_ANSWERED: attempts.c.agent_answered_at,
    CallbackStep.DIALLED: attempts.c.dialled_at,
    CallbackStep.ANSWERED: attempts.c.answered_at,
    CallbackStep.CONNECTED: attempts.c.connected_at,
    CallbackStep.ENDED: attempts.c.ended_at,
}
_BEST = (Source.FILE, Source.SERVICE)


async def note_attempts(connection: AsyncConnection, told: Sequence[AnyEvent]) -> None:
    """Note the steps and recordings of attempts; told again, they change nothing.

    The file's time replaces AMI's. An attempt that is not on the books was made by nobody here: ignored.
    """
    for event in sorted(told, key=lambda event: event.call_id):  # always in order: two never wait for each other
        place = attempt_of(event.call_id)
        values = list(_changes(event))
        if place is None or not values:
            continue
        mine = and_(attempts.c.callback == place[0], attempts.c.attempt == place[1])
        for change, unless in values:
            await connection.execute(update(attempts).where(mine, unless).values(change))


def _changes(event: AnyEvent) -> Iterable[tuple[dict[str, Any], ColumnElement[bool]]]:
    """What to write, and where that is news."""
    if isinstance(event, RecordingArrived):
        yield {"has_recording": True}, ~attempts.c.has_recording
    elif isinstance(event, CallbackStepped) and event.step is CallbackStep.RESULT:
        yield {"said": event.said[:40]}, attempts.c.said == ""
    elif isinstance(event, CallbackStepped):
        column = _COLUMNS[event.step]
        better = column != event.at if event.source in _BEST else column.is_(None)
        yield {column.name: event.at}, or_(column.is_(None), better)
