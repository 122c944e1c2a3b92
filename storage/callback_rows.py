"""Call-backs and attempts as rows and back, who is wanted on the list, and the one way to change a row."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, exists, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from calls.callbacks import Attempt, AttemptOutcome, CallBack, CallbackState, Origin
from calls.errors import CallbackError
from calls.ids import DIGITS, SYNTHETIC_TRUNK, CallId, Language, SectionId
from storage.rejudging import judge_again
from storage.survey_tables import callback_steps as steps
from storage.survey_tables import callbacks, surveys
from storage.tables import calls

AT_ONCE = 200
"""Rows of one look."""

NO_TEST = and_(calls.c.trunk != SYNTHETIC_TRUNK, func.substr(calls.c.trunk, 1, 1).not_in(DIGITS))


@dataclass(frozen=True, slots=True)
class Wanted:
    """A call whose caller is to be called back and is not on the list yet."""

    origin: Origin
    call_id: CallId
    telephone: str
    language: Language
    section: SectionId | None
    priority: bool
    place: datetime
    since: datetime
    """When the promise was made, or the rating given."""


def _listed(origin: Origin) -> ColumnElement[bool]:
    return exists().where(callbacks.c.origin == origin.value, callbacks.c.about == calls.c.call_id)


def promises(since: datetime) -> Select[Any]:
    """Promises since then that are not on the list."""
    return (
        select(calls, calls.c.callback_number.label("telephone"), calls.c.callback_promised_at.label("begun"))
        .where(calls.c.callback_promised_at >= since, NO_TEST, ~_listed(Origin.PROMISE))
        .order_by(calls.c.callback_promised_at, calls.c.call_id)
        .limit(AT_ONCE)
    )


def unhappy(since: datetime) -> Select[Any]:
    """Ratings of the dissatisfied since then that are not on the list, where a number is known."""
    return (
        select(calls, calls.c.caller.label("telephone"), surveys.c.rated_at.label("begun"))
        .join(surveys, surveys.c.call_id == calls.c.call_id)
        .where(
            surveys.c.dissatisfied,
            surveys.c.rated_at >= since,
            calls.c.caller.is_not(None),
            NO_TEST,
            ~_listed(Origin.DISSATISFIED),
        )
        .order_by(surveys.c.rated_at, calls.c.call_id)
        .limit(AT_ONCE)
    )


def wanted_of(origin: Origin, row: Row[Any]) -> Wanted:
    """Who a row of these is."""
    # A promise keeps the place that the caller had in line; a rating has none before it is given.
    waits = row.asked_at if origin is Origin.PROMISE else None
    return Wanted(
        origin=origin,
        call_id=CallId(row.call_id),
        telephone=row.telephone or "",
        language=Language(row.language or ""),
        section=SectionId(row.section) if row.section else None,
        priority=row.priority,
        place=waits or row.begun,
        since=row.begun,
    )


IDLE = (CallbackState.WAITING.value, CallbackState.TAKEN.value)
"""In these it is not itself dialled."""
IN_HAND = (CallbackState.TAKEN.value, CallbackState.DIALLING.value)

_other = callbacks.alias("other")
_same_number = and_(_other.c.telephone == callbacks.c.telephone, _other.c.number != callbacks.c.number)
NUMBER_IN_HAND = exists().where(_same_number, _other.c.state.in_(IN_HAND)).correlate(callbacks)
"""Somebody has another call-back of that number in hand: two agents never call one person."""
DIALLED_ALONG = (
    exists()
    .where(_same_number, _other.c.state == CallbackState.DIALLING.value, _other.c.agent == callbacks.c.agent)
    .correlate(callbacks)
)
"""Its agent has that number on the telephone for another call-back, and what comes of that is waited for."""


async def move_on(connection: AsyncConnection, before: CallBack, after: CallBack, actor: str, why: str) -> None:
    """Change a row that is still as it was. Raises CallbackError if it is not."""
    changed = {
        name: value.value if isinstance(value := getattr(after, name), CallbackState) else value
        for name in ("state", "since", "agent", "attempts", "tries", "not_before", "reached_at", "note")
    }
    as_it_was = and_(
        callbacks.c.number == before.number,
        callbacks.c.state == before.state.value,
        callbacks.c.attempts == before.attempts,
        callbacks.c.tries == before.tries,
        callbacks.c.agent.is_(None) if before.agent is None else callbacks.c.agent == before.agent,
    )
    done = await connection.execute(update(callbacks).where(as_it_was).values(**changed))
    if done.rowcount != 1:
        raise CallbackError(f"call-back {before.number}: somebody else was faster")
    await note_step(connection, after, actor, why)
    if after.state is CallbackState.WITHDRAWN:
        await judge_again(connection, after.call_id, after.since)


async def note_step(connection: AsyncConnection, after: CallBack, actor: str, why: str) -> None:
    """Note a change in the history."""
    row = {"callback": after.number, "at": after.since, "state": after.state.value, "actor": actor, "why": why}
    await connection.execute(insert(steps).values(**row))


def along_with(attempt: Attempt) -> str:
    """How the history of a call-back names the attempt for another that served it, too."""
    return f"attempt {attempt.id}"


def callback_of(row: Row[Any]) -> CallBack:
    """The call-back that a row holds."""
    values = {field.name: getattr(row, field.name) for field in fields(CallBack)}
    return replace(CallBack(**values), origin=Origin(values["origin"]), state=CallbackState(values["state"]))


def attempt_in(row: Row[Any]) -> Attempt:
    """The attempt that a row holds."""
    values = {field.name: getattr(row, field.name) for field in fields(Attempt)}
    outcome = values["outcome"]
    return replace(Attempt(**values), outcome=AttemptOutcome(outcome) if outcome else None)
