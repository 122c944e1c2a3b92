"""What the share of promises kept counts, line by line (A5): its figure opens to just the call-backs behind it."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import ColumnElement, and_, or_, select, true
from sqlalchemy.ext.asyncio import AsyncEngine

from calls.callbacks import CallbackState, CountedPromises, Origin, PromisePlace
from calls.lists import Counted
from calls.measures import Dimension, Slice
from calls.people import Scope
from calls.periods import Period
from calls.ports import Tally
from storage.callback_rows import callback_of
from storage.faults import translated
from storage.reach import within
from storage.survey_tables import callbacks

PROMISED: ColumnElement[bool] = and_(
    callbacks.c.origin == Origin.PROMISE.value, callbacks.c.state != CallbackState.WITHDRAWN.value
)
"""Promises; what was withdrawn is neither kept nor broken: it was not owed any more."""
OF_PROMISES: Mapping[str, ColumnElement[bool]] = {
    Tally.PROMISES_DUE: true(),
    Tally.PROMISES_KEPT: callbacks.c.reached_at <= callbacks.c.due_at,
}
"""Which promises each tally counts; the list shows the same ones."""


class SqlPromisesCounted:
    """Lists what those tallies count, the last that fell due first. Raises StorageUnavailable."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def page(
        self,
        counted: Counted,
        period: Period,
        part: Slice,
        scope: Scope,
        *,
        behind: PromisePlace | None = None,
        limit: int = 50,
    ) -> CountedPromises:
        """Up to ``limit`` promises from behind a place on, within the scope; of no section: anybody's."""
        start, end = period.span
        due, number = callbacks.c.due_at, callbacks.c.number
        held = {callbacks.c[each.value]: part.value(each) for each in Dimension if each.value in callbacks.c}
        wanted = select(callbacks).where(
            PROMISED,
            OF_PROMISES[counted.measure],
            due >= start,
            due < end,
            or_(callbacks.c.section.is_(None), within(scope, callbacks.c.section, callbacks.c.agent)),
            *(column == value for column, value in held.items() if value is not None),
        )
        if behind is not None:
            # The first condition is what the index is walked by.
            wanted = wanted.where(due <= behind.due_at, or_(due < behind.due_at, number < behind.number))
        with translated():
            async with self._engine.connect() as connection:
                ordered = wanted.order_by(due.desc(), number.desc()).limit(limit + 1)
                rows = (await connection.execute(ordered)).all()
        found = tuple(callback_of(row) for row in rows[:limit])
        last = PromisePlace(found[-1].due_at, found[-1].number) if len(rows) > limit else None
        return CountedPromises(found, last)
