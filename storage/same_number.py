"""What belongs together as it is one telephone number: call-backs, attempts, and calls that came meanwhile."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncEngine

from calls.callbacks import CallBack, Origin
from calls.ids import CallId, attempt_of
from storage.callback_rows import AT_ONCE, DIALLED_ALONG, IDLE, IN_HAND, NO_TEST, callback_of
from storage.faults import translated
from storage.survey_tables import callback_steps as steps
from storage.survey_tables import callbacks
from storage.tables import calls

_again = calls.alias("again")
_BEFORE = ("", "+86", "86", "0086")
"""How the network may write the country before a number that is on the list without it."""


class SqlSameNumber:
    """Raises StorageUnavailable or StorageRefused."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def together(self, callback: CallBack) -> list[CallBack]:
        """The others that one dialling serves with it: in hand with it, or reached with it."""
        if not callback.open and callback.reached_at is None:
            return []
        same = and_(
            callbacks.c.telephone == callback.telephone,
            callbacks.c.agent == callback.agent,
            callbacks.c.number != callback.number,
            callbacks.c.state.in_(IN_HAND) if callback.open else callbacks.c.reached_at == callback.reached_at,
        )
        wanted = select(callbacks).where(same).order_by(callbacks.c.place, callbacks.c.number)
        return [callback_of(row) for row in await self._rows(wanted)]

    async def served_by(self, number: int) -> list[tuple[int, int]]:
        """Attempts of others that served a call-back, too: call-back and attempt, in order."""
        wanted = select(steps.c.why).where(steps.c.callback == number, steps.c.why.like("attempt %"))
        rows = await self._rows(wanted.order_by(steps.c.position))
        places = (attempt_of(CallId(row.why.removeprefix("attempt "))) for row in rows)
        return [place for place in places if place]

    async def served_meanwhile(self) -> list[tuple[CallBack, CallId]]:
        """Promises of the queue whose caller called again and heard a person of the same section, with that call.

        A promise about something (made by an agent, or for a case) is owed all the same.
        """
        wanted = (
            select(callbacks, func.min(_again.c.call_id).label("served_in"))
            .join(calls, calls.c.call_id == callbacks.c.about)
            .join(_again, _called(_again.c.caller))
            .where(
                callbacks.c.state.in_(IDLE),
                callbacks.c.origin == Origin.PROMISE.value,
                calls.c.callback_promised_at.is_not(None),
                _again.c.arrived_at > calls.c.arrived_at,
                _again.c.connected_at > calls.c.callback_promised_at,
                _again.c.section == callbacks.c.section,
                ~DIALLED_ALONG,
            )
            .group_by(*callbacks.c)
            .limit(AT_ONCE)
        )
        return [(callback_of(row), CallId(row.served_in)) for row in await self._rows(wanted)]

    async def called_again(self, listed: Collection[CallBack]) -> dict[int, datetime]:
        """Who of these has called again since they are on the list, and when last."""
        wanted = (
            select(callbacks.c.number, func.max(calls.c.arrived_at).label("at"))
            .join(calls, and_(_called(calls.c.caller), calls.c.arrived_at > callbacks.c.made_at, NO_TEST))
            .where(callbacks.c.number.in_([each.number for each in listed]))
            .group_by(callbacks.c.number)
        )
        return {row.number: row.at for row in await self._rows(wanted)} if listed else {}

    async def _rows(self, wanted: Select[Any]) -> list[Any]:
        with translated():
            async with self._engine.connect() as connection:
                return list((await connection.execute(wanted)).all())


def _called(caller: ColumnElement[Any]) -> ColumnElement[bool]:
    """Whether a call came from a call-back's number; each way of writing it is looked up by the index."""
    return or_(*(caller == before + callbacks.c.telephone for before in _BEFORE))
