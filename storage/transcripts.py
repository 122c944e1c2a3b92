"""Transcripts, and what is still owed: the database alone says so, whatever a queue of jobs has lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, Select, case, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from calls.custody import Bandwidth, Leg
from calls.ids import CallId
from calls.transcript import LegTranscript, Span, Transcript, Word
from storage.engine import for_writing
from storage.faults import translated
from storage.ledger import upsert
from storage.transcript_tables import transcription_work as work
from storage.transcript_tables import transcripts

DEATHS = 2
"""Workers that died of a leg before it is put into quarantine; the second had nothing else in hand."""


class State(StrEnum):
    """How far a leg's transcription is."""

    OWED = "owed"
    STARTED = "started"
    DONE = "done"
    FAILED = "failed"
    """The sound cannot be transcribed; trying again would change nothing."""
    QUARANTINED = "quarantined"
    """It killed its worker twice; a person must look."""


OVER = (State.DONE, State.FAILED, State.QUARANTINED)


@dataclass(frozen=True, slots=True)
class Work:
    """One leg's transcription, done or owed."""

    call_id: CallId
    leg: Leg
    state: State
    owed_at: datetime
    attempts: int
    deaths: int
    worker: str | None
    beat: int
    error: str | None

    @property
    def is_suspect(self) -> bool:
        """Whether a worker died while it had this in hand: it is done alone then."""
        return self.deaths > 0


class SqlTranscripts:
    """Transcripts (``calls.ports.TranscriptBook``). Raises StorageUnavailable or StorageRefused."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._writer = for_writing(engine)
        self._put = upsert(transcripts, engine.dialect.name)

    async def store(self, call_id: CallId, leg: LegTranscript) -> None:
        """See ``calls.ports.TranscriptBook.store``."""
        row = {
            "call_id": call_id,
            "leg": leg.leg.value,
            "language": leg.language,
            "engine": leg.engine,
            "model": leg.model,
            "duration_s": leg.duration_s,
            "bandwidth": leg.bandwidth.value,
            "voice": [[span.start_s, span.end_s] for span in leg.voice],
            "announced": [leg.announced.start_s, leg.announced.end_s] if leg.announced else None,
            "words": [[word.text, word.start_s, word.end_s, word.confidence] for word in leg.words],
        }
        with translated():
            async with self._writer.begin() as connection:
                await connection.execute(self._put, [row])

    async def transcript(self, call_id: CallId) -> Transcript | None:
        """See ``calls.ports.TranscriptBook.transcript``."""
        with translated():
            async with self._engine.connect() as connection:
                found = await connection.execute(
                    select(transcripts).where(transcripts.c.call_id == call_id).order_by(transcripts.c.leg)
                )
                legs = tuple(_leg(row) for row in found)
        return Transcript(call_id, legs) if legs else None

    async def narrow_agents(self) -> int:
        """Agents' legs that came narrowband."""
        wanted = select(func.count()).where(
            transcripts.c.leg == Leg.AGENT.value, transcripts.c.bandwidth == Bandwidth.NARROW.value
        )
        with translated():
            async with self._engine.connect() as connection:
                return int(await connection.scalar(wanted) or 0)


class SqlWork:
    """What is owed, started and done. Raises StorageUnavailable or StorageRefused."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._writer = for_writing(engine)

    async def owe(self, call_id: CallId, legs: Sequence[Leg], at: datetime) -> None:
        """These legs are to be transcribed; nothing if that is known."""
        with translated():
            async with self._writer.begin() as connection:
                known = {
                    row.leg
                    for row in await connection.execute(select(work.c.leg).where(work.c.call_id == call_id))
                }
                for leg in legs:
                    if leg.value not in known:
                        await connection.execute(
                            insert(work).values(
                                call_id=call_id,
                                leg=leg.value,
                                state=State.OWED.value,
                                owed_at=at,
                                attempts=0,
                                deaths=0,
                                beat=0,
                            )
                        )

    async def unsent(self, sent_before: datetime, limit: int) -> list[Work]:
        """Owed, and workers were never told, or not since ``sent_before``; the oldest first."""
        return await self._found(
            select(work)
            .where(work.c.state == State.OWED.value, or_(work.c.sent_at.is_(None), work.c.sent_at < sent_before))
            .order_by(work.c.owed_at)
            .limit(limit)
        )

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

    async def finish(self, call_id: CallId, leg: Leg, state: State, error: str | None = None) -> None:
        """It is over, or owed again (``State.OWED``) for a reason that may pass."""
        await self._change(_of(call_id, leg).values(state=state.value, error=error, worker=None))

    async def beat(self, worker: str) -> None:
        """The worker lives."""
        await self._change(
            update(work)
            .where(work.c.worker == worker, work.c.state == State.STARTED.value)
            .values(beat=work.c.beat + 1)
        )

    async def started(self) -> list[Work]:
        """In workers' hands."""
        return await self._found(select(work).where(work.c.state == State.STARTED.value))

    async def died(self, worker: str) -> int:
        """The worker is dead. What it had in hand is owed again, or quarantined; how many legs."""
        deaths = work.c.deaths + 1
        state = case((deaths >= DEATHS, State.QUARANTINED.value), else_=State.OWED.value)
        with translated():
            async with self._writer.begin() as connection:
                ended = await connection.execute(
                    update(work)
                    .where(work.c.worker == worker, work.c.state == State.STARTED.value)
                    .values(
                        deaths=deaths,
                        state=state,
                        worker=None,
                        sent_at=None,
                        error="the worker died while it had this in hand",
                    )
                )
                return int(ended.rowcount)

    async def of_call(self, call_id: CallId) -> list[Work]:
        """The legs of a call."""
        return await self._found(select(work).where(work.c.call_id == call_id).order_by(work.c.leg))

    async def in_state(self, state: State, limit: int = 1000) -> list[Work]:
        """Legs in a state, the oldest first."""
        return await self._found(
            select(work).where(work.c.state == state.value).order_by(work.c.owed_at).limit(limit)
        )

    async def retry(self, call_id: CallId) -> int:
        """Owe what failed or is quarantined again, as if for the first time; how many legs."""
        with translated():
            async with self._writer.begin() as connection:
                changed = await connection.execute(
                    update(work)
                    .where(
                        work.c.call_id == call_id,
                        work.c.state.in_((State.FAILED.value, State.QUARANTINED.value)),
                    )
                    .values(state=State.OWED.value, deaths=0, sent_at=None, error=None)
                )
                return int(changed.rowcount)

    async def tally(self) -> tuple[dict[State, int], datetime | None]:
        """Legs by state, and since when the oldest waits that is not over."""
        counts = select(work.c.state, func.count().label("n")).group_by(work.c.state)
        oldest = select(func.min(work.c.owed_at)).where(work.c.state.in_((State.OWED.value, State.STARTED.value)))
        with translated():
            async with self._engine.connect() as connection:
                found = {State(row.state): row.n for row in await connection.execute(counts)}
                return found, await connection.scalar(oldest)

    async def _found(self, wanted: Select[Any]) -> list[Work]:
        with translated():
            async with self._engine.connect() as connection:
                return [_work(row) for row in await connection.execute(wanted)]

    async def _change(self, statement: Any) -> None:
        with translated():
            async with self._writer.begin() as connection:
                await connection.execute(statement)


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
        row.beat,
        row.error,
    )


def _leg(row: Row[Any]) -> LegTranscript:
    return LegTranscript(
        leg=Leg(row.leg),
        language=row.language,
        engine=row.engine,
        model=row.model,
        duration_s=row.duration_s,
        bandwidth=Bandwidth(row.bandwidth),
        voice=tuple(Span(start, end) for start, end in row.voice),
        words=tuple(Word(*word) for word in row.words),
        announced=Span(*row.announced) if row.announced else None,
    )
