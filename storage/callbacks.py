"""The list of call-backs in the database, for SQLite and PostgreSQL (A5, C4).

Every change is a comparison and a write in one statement: of two who take the same call-back one gets it. An
attempt is written down before anything is dialled, so whatever is killed, none is dialled twice without a trace.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncEngine

from calls.callbacks import (
    OPEN,
    Attempt,
    AttemptOutcome,
    CallBack,
    CallbackChange,
    CallbackState,
    NewCallback,
    Origin,
)
from calls.errors import CallbackError
from calls.ids import AgentNumber, CallId, SectionId
from storage.callback_rows import (
    AT_ONCE,
    DIALLED_ALONG,
    IN_HAND,
    NUMBER_IN_HAND,
    Wanted,
    along_with,
    attempt_in,
    callback_of,
    move_on,
    note_step,
    promises,
    unhappy,
    wanted_of,
)
from storage.engine import for_writing
from storage.faults import translated
from storage.rejudging import judge_again
from storage.survey_tables import callback_attempts as attempts
from storage.survey_tables import callback_steps as steps
from storage.survey_tables import callbacks

SERVICE = "service"
"""Who acts where no person does."""

_OPEN = [state.value for state in OPEN]


@dataclass(frozen=True, slots=True)
class CallbackTally:
    """How the list stands."""

    open: dict[Origin, int]
    overdue: int
    """Promises that are open and whose time has passed."""
    kept: int
    broken: int
    """Of the promises that fell due in the period asked for: reached too late, or not at all."""
    given_up: int
    """Call-backs of any kind that were given up in the period."""


class SqlCallbacks:
    """The list. Raises StorageUnavailable or StorageRefused; CallbackError where somebody else was faster."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._writer = for_writing(engine)

    # ── Coming onto the list ─────────────────────────────────────────────────────────────────────────────────

    async def wanted(self, since: datetime, *, dissatisfied: bool) -> list[Wanted]:
        """Promises, and ratings of the dissatisfied, since then that are not on the list; the oldest first.

        Those of tests never are. Of a caller without a number only a promise is told.
        """
        found: list[Wanted] = []
        with translated():
            async with self._engine.connect() as connection:
                for row in await connection.execute(promises(since)):
                    found.append(wanted_of(Origin.PROMISE, row))
                if dissatisfied:
                    for row in await connection.execute(unhappy(since)):
                        found.append(wanted_of(Origin.DISSATISFIED, row))
        return found

    async def enlist(self, new: NewCallback, now: datetime, *, refused: str = "") -> CallBack:
        """Put somebody on the list; who is on it for the same reason already stays as they are.

        With ``refused`` it is given up at once, for that reason: a person sees it.
        """
        make = postgresql.insert if self._engine.dialect.name == "postgresql" else sqlite.insert
        values = {field.name: getattr(new, field.name) for field in fields(new)}
        state = CallbackState.GIVEN_UP if refused else CallbackState.WAITING
        values |= {"made_at": now, "since": now, "not_before": now, "attempts": 0, "tries": 0, "note": refused}
        put = make(callbacks).values(**values, state=state.value)
        same = and_(callbacks.c.origin == new.origin.value, callbacks.c.about == new.about)
        with translated():
            async with self._writer.begin() as connection:
                put = put.on_conflict_do_nothing(index_elements=["origin", "about"])
                is_new = (await connection.execute(put)).rowcount == 1
                row = (await connection.execute(select(callbacks).where(same))).one()
                listed = callback_of(row)
                if is_new:
                    await note_step(connection, listed, SERVICE, refused or new.origin.value)
                    await judge_again(connection, listed.call_id, now)
                return listed

    # ── Looking ──────────────────────────────────────────────────────────────────────────────────────────────

    async def get(self, number: int) -> CallBack | None:
        """One call-back."""
        found = await self._callbacks(select(callbacks).where(callbacks.c.number == number))
        return found[0] if found else None

    async def waiting(self, sections: Collection[SectionId] | None = None, limit: int = AT_ONCE) -> list[CallBack]:
        """The open ones in the order in which they are called; of some sections, or of all."""
        wanted = select(callbacks).where(callbacks.c.state.in_(_OPEN), _of_sections(sections))
        return await self._callbacks(wanted.order_by(*_IN_LINE).limit(limit))

    async def of_call(self, call_id: CallId) -> list[CallBack]:
        """All that followed from a call."""
        return await self._callbacks(
            select(callbacks).where(callbacks.c.call_id == call_id).order_by(callbacks.c.number)
        )

    async def of_case(self, case_id: str) -> list[CallBack]:
        """All that follow up a case."""
        return await self._callbacks(
            select(callbacks).where(callbacks.c.case_id == case_id).order_by(callbacks.c.number)
        )

    async def in_hand(self, agent: AgentNumber) -> CallBack | None:
        """What an agent has in hand; what is dialled first."""
        held = select(callbacks).where(callbacks.c.agent == agent, callbacks.c.state.in_(IN_HAND))
        dialled = callbacks.c.state == CallbackState.DIALLING.value
        found = await self._callbacks(held.order_by(dialled.desc(), *_IN_LINE))
        return found[0] if found else None

    async def attempts(self, number: int) -> list[Attempt]:
        """Every attempt of a call-back, in order."""
        return await self._attempts(
            select(attempts).where(attempts.c.callback == number).order_by(attempts.c.attempt)
        )

    async def attempt(self, number: int, attempt: int) -> Attempt | None:
        """One attempt."""
        mine = and_(attempts.c.callback == number, attempts.c.attempt == attempt)
        found = await self._attempts(select(attempts).where(mine))
        return found[0] if found else None

    async def history(self, number: int) -> list[CallbackChange]:
        """What happened to a call-back, in order."""
        wanted = select(steps).where(steps.c.callback == number).order_by(steps.c.position)
        with translated():
            async with self._engine.connect() as connection:
                rows = (await connection.execute(wanted)).all()
        return [CallbackChange(row.at, CallbackState(row.state), row.actor, row.why) for row in rows]

    async def tally(self, since: datetime, now: datetime) -> CallbackTally:
        """How the list stands, and what came of the promises that fell due since then."""
        promise = callbacks.c.origin == Origin.PROMISE.value
        late = and_(promise, callbacks.c.due_at < now)
        is_open = select(callbacks.c.origin, func.count().label("number"), func.count().filter(late).label("late"))
        is_open = is_open.where(callbacks.c.state.in_(_OPEN)).group_by(callbacks.c.origin)
        kept = callbacks.c.reached_at <= callbacks.c.due_at
        owed = callbacks.c.state != CallbackState.WITHDRAWN.value
        due = select(func.count().label("due"), func.count().filter(kept).label("kept")).where(
            promise, owed, callbacks.c.due_at >= since, callbacks.c.due_at < now
        )
        given_up = select(func.count()).where(
            callbacks.c.state == CallbackState.GIVEN_UP.value, callbacks.c.since >= since
        )
        with translated():
            async with self._engine.connect() as connection:
                rows = (await connection.execute(is_open)).all()
                fell_due = (await connection.execute(due)).one()
                lost = int(await connection.scalar(given_up) or 0)
        return CallbackTally(
            open=dict.fromkeys(Origin, 0) | {Origin(row.origin): row.number for row in rows},
            overdue=sum(row.late for row in rows),
            kept=fell_due.kept,
            broken=fell_due.due - fell_due.kept,
            given_up=lost,
        )

    # ── Changing ─────────────────────────────────────────────────────────────────────────────────────────────

    async def take_next(
        self, agent: AgentNumber, sections: Collection[SectionId] | None, now: datetime
    ) -> CallBack | None:
        """Give an agent the first in line whose time has come, with all of its number; ``None``: there is none."""
        first = (
            select(callbacks)
            .where(
                callbacks.c.state == CallbackState.WAITING.value,
                callbacks.c.not_before <= now,
                _of_sections(sections),
                ~NUMBER_IN_HAND,
            )
            .order_by(*_IN_LINE)
            .limit(1)
        )
        while found := await self._callbacks(first):
            try:
                return await self.take(found[0].number, agent, sections, now, "next")
            except CallbackError:
                continue  # somebody else was faster; the next one is another
        return None

    async def take(
        self, number: int, agent: AgentNumber, sections: Collection[SectionId] | None, now: datetime, why: str
    ) -> CallBack:
        """Give an agent this one, and with it what else waits for that telephone number in these sections.

        Raises CallbackError where it is not to be had, or somebody else has the number in hand.
        """
        number_of = select(callbacks.c.telephone).where(callbacks.c.number == number).scalar_subquery()
        same = select(callbacks).where(callbacks.c.telephone == number_of, callbacks.c.state.in_(_OPEN))
        with translated():
            async with self._writer.begin() as connection:
                # All of one number, always in the same order: of two agents one waits for the other here.
                rows = (await connection.execute(same.order_by(callbacks.c.number).with_for_update())).all()
                open_ones = {row.number: callback_of(row) for row in rows}
                before = open_ones.pop(number, None)
                if before is None:
                    raise CallbackError(f"call-back {number} is not open")
                if any(each.agent and each.agent != agent for each in open_ones.values()):
                    raise CallbackError(f"call-back {number}: somebody else is calling that person already")
                taken = before.taken(agent, now)
                await move_on(connection, before, taken, agent, why)
                for other in open_ones.values():
                    theirs = sections is None or other.section in (None, *sections)
                    if theirs and other.state is CallbackState.WAITING:
                        await move_on(connection, other, other.taken(agent, now), agent, f"with {number}")
                return taken

    async def move(self, before: CallBack, after: CallBack, actor: str, why: str) -> CallBack:
        """Write a change down. Raises CallbackError if the call-back is not any more what it was."""
        with translated():
            async with self._writer.begin() as connection:
                await move_on(connection, before, after, actor, why)
        return after

    async def move_all(self, changes: Sequence[tuple[CallBack, CallBack]], actor: str, why: str) -> None:
        """Write changes of several down, or of none. Raises CallbackError as ``move`` does."""
        with translated():
            async with self._writer.begin() as connection:
                for before, after in changes:
                    await move_on(connection, before, after, actor, why)

    async def begin(self, before: CallBack, instance: str, now: datetime) -> Attempt:
        """Write an attempt down, before anything is dialled. Raises CallbackError as ``move`` does."""
        after = before.begun(now)
        assert after.agent is not None, "who is taken by nobody cannot be dialled"
        with translated():
            async with self._writer.begin() as connection:
                await move_on(connection, before, after, after.agent, "dialled")
                made = Attempt(after.number, after.attempts, after.agent, instance, now)
                row = {field.name: getattr(made, field.name) for field in fields(made)}
                await connection.execute(insert(attempts).values(**row))
        return made

    async def settle(
        self,
        attempt: Attempt,
        outcome: AttemptOutcome,
        before: CallBack,
        after: CallBack,
        along: Sequence[tuple[CallBack, CallBack]] = (),
    ) -> None:
        """Write down what came of an attempt, and what becomes of its call-back, in one step.

        ``along`` are others of the same number that it served; one that is not any more what it was stays so.
        """
        mine = and_(attempts.c.callback == attempt.callback, attempts.c.attempt == attempt.attempt)
        with translated():
            async with self._writer.begin() as connection:
                await connection.execute(
                    update(attempts).where(mine, attempts.c.outcome.is_(None)).values(outcome=outcome.value)
                )
                await move_on(connection, before, after, SERVICE, outcome.value)
                for was, becomes in along:
                    with suppress(CallbackError):
                        await move_on(connection, was, becomes, SERVICE, along_with(attempt))

    async def unsettled(self) -> list[tuple[CallBack, Attempt]]:
        """Attempts nothing has come of yet, over or not, with their call-backs."""
        wanted = (
            select(attempts)
            .join(callbacks, and_(callbacks.c.number == attempts.c.callback))
            .where(
                callbacks.c.state == CallbackState.DIALLING.value,
                attempts.c.attempt == callbacks.c.attempts,
                attempts.c.outcome.is_(None),
            )
            .order_by(attempts.c.began_at)
        )
        found = await self._attempts(wanted)
        by_number = {
            each.number: each
            for each in await self._callbacks(
                select(callbacks).where(callbacks.c.number.in_([each.callback for each in found]))
            )
        }
        return [(by_number[each.callback], each) for each in found]

    async def forgotten(self, before: datetime) -> list[CallBack]:
        """Those that somebody took before then, and neither has called nor has on the telephone."""
        taken = callbacks.c.state == CallbackState.TAKEN.value
        return await self._callbacks(select(callbacks).where(taken, callbacks.c.since < before, ~DIALLED_ALONG))

    async def _callbacks(self, wanted: Select[Any]) -> list[CallBack]:
        with translated():
            async with self._engine.connect() as connection:
                return [callback_of(row) for row in await connection.execute(wanted)]

    async def _attempts(self, wanted: Select[Any]) -> list[Attempt]:
        with translated():
            async with self._engine.connect() as connection:
                return [attempt_in(row) for row in await connection.execute(wanted)]


_IN_LINE = (callbacks.c.priority.desc(), callbacks.c.place, callbacks.c.number)


def _of_sections(sections: Collection[SectionId] | None) -> ColumnElement[bool]:
    """Of these, or of no section: anybody may call those."""
    if sections is None:
        return callbacks.c.number.is_not(None)
    return or_(callbacks.c.section.is_(None), callbacks.c.section.in_(sorted(sections)))
