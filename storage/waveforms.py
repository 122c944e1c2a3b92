"""Outlines of recordings, in the database; they go with the recording (P2)."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from calls.custody import Leg
from calls.ids import CallId
from calls.waveform import Waveform
from storage.burial import is_buried
from storage.engine import for_writing
from storage.faults import translated
from storage.ledger import upsert
from storage.listening_tables import waveforms


class SqlWaveforms:
    """Waveforms by call and leg. Raises StorageUnavailable or StorageRefused."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._writer = for_writing(engine)
        self._put = upsert(waveforms, engine.dialect.name)

    async def store(self, call_id: CallId, leg: Leg, waveform: Waveform) -> None:
        """Keep it, in place of an earlier one; nothing if the recording was deleted in between."""
        row = {"call_id": call_id, "leg": leg.value, "per_s": waveform.per_s, "peaks": waveform.peaks}
        with translated():
            async with self._writer.begin() as connection:
                if not await is_buried(connection, call_id):
                    await connection.execute(self._put, [row])

    async def find(self, call_id: CallId, leg: Leg) -> Waveform | None:
        """The waveform, if it has been made."""
        wanted = select(waveforms).where(waveforms.c.call_id == call_id, waveforms.c.leg == leg)
        with translated():
            async with self._engine.connect() as connection:
                row = (await connection.execute(wanted)).one_or_none()
        return Waveform(row.per_s, row.peaks) if row else None
