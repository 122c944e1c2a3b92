"""What is still owed on recordings: the database alone says so, whatever a queue of jobs has lost.

Every call in custody owes three things: the transcripts of its spoken legs and, once they are over, its judgement,
which stands under the mixed leg. So whoever is killed between a transcript and a verdict leaves the verdict owed.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, Select, case, delete, exists, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from calls.custody import SPOKEN_LEGS, Bandwidth, Leg
from calls.ids import CallId
from storage.custody_tables import recordings
from storage.engine import for_writing
from storage.faults import translated
from storage.transcript_tables import transcription_work as work
from storage.transcript_tables import transcripts, workers
from storage.work_states import State

JUDGEMENT = Leg.MIXED
"""What is owed under the mixed leg: masking, indexing and judging the call."""

OWED_LEGS = (*SPOKEN_LEGS, JUDGEMENT)

FRESH, SHORT_S = timedelta(minutes=5), 600.0
"""What somebody may have to know of within a minute (Q1): of a call that has just ended, and quickly done."""

_FRESH_AT_ONCE = 20

DEATHS = 2
"""Workers that died of a leg before it is put into quarantine; the second had nothing else in hand."""


OVER = (State.DONE, State.FAILED, State.QUARANTINED)
_OPEN = (State.OWED.value, State.STARTED.value)


@dataclass(frozen=True, slots=True)
class Work:
    """One leg's transcription or a call's judgement, done or owed."""

    call_id: CallId
    leg: Leg
    state: State
    owed_at: datetime
    attempts: int
    deaths: int
    worker: str | None
    error: str | None

    @property
    def is_suspect(self) -> bool:
        """Whether a worker died while it had this in hand: it is done alone then."""
        return self.deaths > 0


@dataclass(frozen=True, slots=True)
class Tally:
    """What is open, and what came of the rest."""

    waiting: int
    """Owed or in hand."""
    blocked: int
    """Of those, tried and put off: a model, a key or a store is missing."""
    oldest: datetime | None
    """Since when the oldest of them waits."""
    failed: int
    quarantined: int
    done: int
    """Owed since the moment that was asked for, and done."""


class SqlWork:
    """What is owed, started and done. Raises StorageUnavailable or StorageRefused."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._writer = for_writing(engine)

    # ── Owing ────────────────────────────────────────────────────────────────────────────────────────────────

    async def owe(self, call_id: CallId, at: datetime) -> None:
        """The call is to be transcribed and judged; nothing if that is known."""
        with translated():
            async with self._writer.begin() as connection:
                found = await connection.execute(select(work.c.leg).where(work.c.call_id == call_id))
                known = {row.leg for row in found}
                rows = [
                    {
                        "call_id": call_id,
                        "leg": leg.value,
                        "state": State.OWED.value,
                        "owed_at": at,
                        "attempts": 0,
                        "deaths": 0,
                    }
                    for leg in OWED_LEGS
                    if leg.value not in known
                ]
                if rows:
                    await connection.execute(insert(work), rows)

    async def unknown(self, after: str, limit: int) -> tuple[list[CallId], str | None]:
        """Calls in custody of which nothing was ever owed, among the next ``limit`` recordings behind ``after``.

        And the call to go on behind; ``None``: these were the last.
        """
        owed = exists().where(work.c.call_id == recordings.c.call_id, work.c.leg == JUDGEMENT.value)
        wanted = (
            select(recordings.c.call_id, recordings.c.deleted_at.is_(None).label("kept"), owed.label("owed"))
            .where(recordings.c.call_id > after, recordings.c.leg == Leg.MIXED.value)
            .order_by(recordings.c.call_id)
            .limit(limit)
        )
        with translated():
            async with self._engine.connect() as connection:
                rows = (await connection.execute(wanted)).all()
        found = [CallId(row.call_id) for row in rows if row.kept and not row.owed]
        return found, rows[-1].call_id if len(rows) == limit else None

    async def retry(self, call_id: CallId, states: Collection[State] = (State.FAILED, State.QUARANTINED)) -> int:
        """Owe the legs in these states again, as if for the first time, and the judgement; how many legs."""
        named = [state.value for state in states]
        with translated():
            async with self._writer.begin() as connection:
                afresh = {"state": State.OWED.value, "deaths": 0, "sent_at": None, "error": None}
                mine = work.c.call_id == call_id
                changed = await connection.execute(
                    update(work).where(mine, work.c.state.in_(named)).values(afresh)
                )
                if changed.rowcount:
                    judgement = (work.c.leg == JUDGEMENT.value) & work.c.state.not_in(_OPEN)
                    await connection.execute(update(work).where(mine, judgement).values(afresh))
                return int(changed.rowcount)

    # ── Doing ────────────────────────────────────────────────────────────────────────────────────────────────

    async def unsent(self, now: datetime, patience: timedelta, limit: int, again: int) -> list[Work]:
        """What can be done now, and workers were never told, or not for so long; the newest first.

        What they were told in the future was told before the clock was set back: that is as good as never.

        No more than ``limit`` wait that workers were told of: a queue of jobs does not grow with what is owed. But
        of calls that have just ended a few are told of however long the queue is. Of what was tried and put off,
        ``again`` at most: it may be thousands, all for want of the same model.
        """
        owed = (work.c.state == State.OWED.value) & _CAN_BE_DONE
        tried = work.c.error.is_not(None)
        lately = work.c.sent_at.between(now - patience, now)
        due = owed & or_(work.c.sent_at.is_(None), ~lately)
        told = select(func.count()).where(work.c.state == State.OWED.value, ~tried, lately)
        untried = select(work).where(due, ~tried).order_by(work.c.sent_at.is_not(None), *_NEWEST)
        fresh = untried.where(work.c.owed_at >= now - patience, work.c.sent_at.is_(None)).limit(_FRESH_AT_ONCE)
        put_off = select(work).where(due, tried).order_by(work.c.sent_at.is_not(None), work.c.sent_at)
        with translated():
            async with self._engine.connect() as connection:
                room = max(0, limit - int(await connection.scalar(told) or 0))
                found = [
                    await connection.execute(each) for each in (fresh, untried.limit(room), put_off.limit(again))
                ]
                return list({(row.call_id, row.leg): _work(row) for rows in found for row in rows}.values())

    async def next(self, now: datetime, *, only_fresh: bool) -> Work | None:
        """What is to be done next: the newest, so that calls that have just ended never wait behind a backlog.

        Not what was put off or killed a worker: of that, workers are told one by one. With ``only_fresh`` what was
        owed in the last minutes and is no long leg (``FRESH``, ``SHORT_S``), or ``None``.
        """
        wanted = select(work).where(
            work.c.state == State.OWED.value, work.c.error.is_(None), work.c.deaths == 0, _CAN_BE_DONE
        )
        if only_fresh:
            same = (recordings.c.call_id == work.c.call_id) & (recordings.c.leg == work.c.leg)
            wanted = wanted.where(work.c.owed_at >= now - FRESH).outerjoin(recordings, same)
            wanted = wanted.where(
                or_(work.c.leg == JUDGEMENT.value, func.coalesce(recordings.c.duration_s, 0) <= SHORT_S)
            )
        found = await self._found(wanted.order_by(*_NEWEST).limit(1))
        return found[0] if found else None

    async def sent(self, call_id: CallId, leg: Leg, at: datetime) -> None:
        """Workers have been told."""
        await self._change(_of(call_id, leg).values(sent_at=at))

    async def claim(self, call_id: CallId, leg: Leg, worker: str) -> Work | None:
        """Begin; ``None`` if it is not owed: done, or in somebody else's hands."""
        with translated():
            async with self._writer.begin() as connection:
                taken = await connection.execute(
                    _of(call_id, leg)
                    .where(work.c.state == State.OWED.value)
                    .values(state=State.STARTED.value, worker=worker, attempts=work.c.attempts + 1, error=None)
                )
                if not taken.rowcount:
                    return None
                here = (work.c.call_id == call_id) & (work.c.leg == leg.value)
                return _work((await connection.execute(select(work).where(here))).one())

    async def finish(self, call_id: CallId, leg: Leg, state: State, error: str | None = None) -> bool:
        """It is over, or owed again (``State.OWED``), as the reason may pass; whether all spoken legs are over."""
        with translated():
            async with self._writer.begin() as connection:
                await connection.execute(_of(call_id, leg).values(state=state.value, error=error, worker=None))
                return await _all_over(connection, call_id)

    async def finish_judgement(self, claimed: Work, state: State, error: str | None = None) -> None:
        """The judgement that was claimed is over; owed again if it was taken away meanwhile (A5).

        Whoever judged before the books changed may have written last.
        """
        mine = _of(claimed.call_id, JUDGEMENT)
        still = (work.c.state == State.STARTED.value, work.c.attempts == claimed.attempts)
        with translated():
            async with self._writer.begin() as connection:
                done = await connection.execute(
                    mine.where(*still).values(state=state.value, error=error, worker=None)
                )
                if not done.rowcount:
                    await connection.execute(mine.values(state=State.OWED.value, worker=None, sent_at=None))

    # ── Workers ──────────────────────────────────────────────────────────────────────────────────────────────

    async def beat(self, worker: str) -> None:
        """The worker lives."""
        with translated():
            async with self._writer.begin() as connection:
                known = await connection.execute(
                    update(workers).where(workers.c.worker == worker).values(beat=workers.c.beat + 1)
                )
                if not known.rowcount:
                    await connection.execute(insert(workers).values(worker=worker, beat=1))

    async def beats(self) -> dict[str, int]:
        """Every worker's beat; -1 of one that never beat, and has something in hand."""
        holding = select(work.c.worker).where(work.c.state == State.STARTED.value).distinct()
        with translated():
            async with self._engine.connect() as connection:
                found = {str(name): -1 for name in await connection.scalars(holding)}
                return found | {row.worker: row.beat for row in await connection.execute(select(workers))}

    async def died(self, worker: str) -> int:
        """The worker is dead. What it had in hand is owed again, or quarantined; how many legs."""
        deaths = work.c.deaths + 1
        state = case((deaths >= DEATHS, State.QUARANTINED.value), else_=State.OWED.value)
        error = "the worker died while it had this in hand"
        lost = {"deaths": deaths, "state": state, "worker": None, "sent_at": None, "error": error}
        return await self._leave(worker, lost)

    async def left(self, worker: str) -> int:
        """The worker was told to stop. What it had in hand is owed again, and nothing is held against it."""
        return await self._leave(worker, {"state": State.OWED.value, "worker": None, "sent_at": None})

    async def _leave(self, worker: str, lost: dict[str, Any]) -> int:
        with translated():
            async with self._writer.begin() as connection:
                held = (work.c.worker == worker) & (work.c.state == State.STARTED.value)
                ended = await connection.execute(update(work).where(held).values(lost))
                await connection.execute(delete(workers).where(workers.c.worker == worker))
                return int(ended.rowcount)

    # ── Looking ──────────────────────────────────────────────────────────────────────────────────────────────

    async def of_call(self, call_id: CallId) -> list[Work]:
        """All that is owed of a call."""
        return await self._found(select(work).where(work.c.call_id == call_id).order_by(work.c.leg))

    async def in_state(self, state: State, limit: int = 1000) -> list[Work]:
        """What is in a state, the oldest first."""
        return await self._found(
            select(work).where(work.c.state == state.value).order_by(work.c.owed_at, work.c.call_id).limit(limit)
        )

    async def tally(self, since: datetime) -> Tally:
        """What is open, failed or quarantined, of all times; and what was owed since then and is done."""
        state, n = work.c.state, func.count().label("n")
        bad = (State.FAILED.value, State.QUARANTINED.value)
        counts = select(state, n).where(state.in_((*_OPEN, *bad))).group_by(state)
        blocked = select(n).where(state == State.OWED.value, work.c.error.is_not(None), work.c.deaths == 0)
        done = select(n).where(state == State.DONE.value, work.c.owed_at >= since)
        oldest = select(func.min(work.c.owed_at)).where(state.in_(_OPEN))
        with translated():
            async with self._engine.connect() as connection:
                found = {row.state: int(row.n) for row in await connection.execute(counts)}
                return Tally(
                    waiting=sum(found.get(each, 0) for each in _OPEN),
                    blocked=int(await connection.scalar(blocked) or 0),
                    oldest=await connection.scalar(oldest),
                    failed=found.get(State.FAILED.value, 0),
                    quarantined=found.get(State.QUARANTINED.value, 0),
                    done=int(await connection.scalar(done) or 0),
                )

    async def agent_legs(self, since: datetime) -> dict[Bandwidth, int]:
        """Agents' legs by bandwidth, of calls that were owed since then and are transcribed."""
        same = (transcripts.c.call_id == work.c.call_id) & (transcripts.c.leg == work.c.leg)
        wanted = (
            select(transcripts.c.bandwidth, func.count().label("n"))
            .select_from(work.join(transcripts, same))
            .where(work.c.state == State.DONE.value, work.c.owed_at >= since, work.c.leg == Leg.AGENT.value)
            .group_by(transcripts.c.bandwidth)
        )
        with translated():
            async with self._engine.connect() as connection:
                found = {Bandwidth(row.bandwidth): int(row.n) for row in await connection.execute(wanted)}
        return {bandwidth: found.get(bandwidth, 0) for bandwidth in Bandwidth}

    async def _found(self, wanted: Select[Any]) -> list[Work]:
        with translated():
            async with self._engine.connect() as connection:
                return [_work(row) for row in await connection.execute(wanted)]

    async def _change(self, statement: Any) -> None:
        with translated():
            async with self._writer.begin() as connection:
                await connection.execute(statement)


async def _all_over(connection: AsyncConnection, call_id: CallId) -> bool:
    left = select(func.count()).where(
        work.c.call_id == call_id, work.c.leg != JUDGEMENT.value, work.c.state.in_(_OPEN)
    )
    return not await connection.scalar(left)


_other = work.alias()
_CAN_BE_DONE = or_(
    work.c.leg != JUDGEMENT.value,  # and the judgement once the spoken legs are over
    ~exists().where(
        _other.c.call_id == work.c.call_id, _other.c.leg != JUDGEMENT.value, _other.c.state.in_(_OPEN)
    ),
)
_NEWEST = (work.c.owed_at.desc(), work.c.call_id, work.c.leg)


def _of(call_id: CallId, leg: Leg) -> Any:
    return update(work).where(work.c.call_id == call_id, work.c.leg == leg.value)


def _work(row: Row[Any]) -> Work:
    return Work(
        CallId(row.call_id),
        Leg(row.leg),
        State(row.state),
        row.owed_at,
        row.attempts,
        row.deaths,
        row.worker,
        row.error,
    )
