"""Transcripts, in the database. What is still owed stands in ``storage.work``."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncEngine

from calls.custody import Bandwidth, Leg
from calls.errors import AudioGone
from calls.ids import CallId
from calls.transcript import LegTranscript, Span, Transcript, Word
from storage.burial import is_buried
from storage.engine import for_writing
from storage.faults import translated
from storage.ledger import upsert
from storage.transcript_tables import transcripts


class SqlTranscripts:
    """Transcripts (``calls.ports.TranscriptBook``). Raises StorageUnavailable or StorageRefused.

    ``store`` raises AudioGone if the call's recording was deleted in between: its words are not to come back (P2).
    """

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
                if await is_buried(connection, call_id):
                    raise AudioGone(f"the recording of call {call_id} was deleted")
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
