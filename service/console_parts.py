"""What the console's areas are given: the service's own functions behind the console's protocols."""

from __future__ import annotations

from dataclasses import dataclass
from typing import BinaryIO

from sqlalchemy.ext.asyncio import AsyncEngine

from calls.custody import SPOKEN_LEGS, Access, Leg, Recording
from calls.errors import AudioGone, CustodyError
from calls.ids import CallId
from calls.transcript import Transcript
from calls.waveform import Waveform
from service.custody import Custody, by_service
from service.listening import open_masked, open_original, read_masked, read_original
from service.outlines import outline_file
from storage.search import SqlSearch
from storage.waveforms import SqlWaveforms


@dataclass(frozen=True, slots=True)
class ListeningRoom:
    """Sound and words out of custody (``console.parts.Listening``); of the loop that the engine belongs to."""

    custody: Custody
    engine: AsyncEngine

    async def open_masked(self, call_id: CallId, leg: Leg, access: Access) -> BinaryIO:
        """See ``console.parts.Listening``."""
        return await open_masked(self.custody, SqlSearch(self.engine), call_id, leg, access)

    async def open_original(self, call_id: CallId, leg: Leg, access: Access, *, allowed: bool) -> BinaryIO:
        """See ``console.parts.Listening``."""
        return await open_original(self.custody, call_id, leg, access, allowed=allowed)

    async def read_masked(self, call_id: CallId, access: Access) -> Transcript:
        """See ``console.parts.Listening``."""
        return await read_masked(self.engine, self.custody.accesses, call_id, access)

    async def read_original(self, call_id: CallId, access: Access, *, allowed: bool) -> Transcript:
        """See ``console.parts.Listening``."""
        return await read_original(self.engine, self.custody.accesses, call_id, access, allowed=allowed)

    async def outline(self, call_id: CallId, leg: Leg) -> Waveform | None:
        """See ``console.parts.Listening``."""
        kept, spans = SqlWaveforms(self.engine), await SqlSearch(self.engine).spans(call_id, leg)
        found = await kept.find(call_id, leg)
        if found is None and leg in SPOKEN_LEGS:
            try:
                file = await self.custody.open(call_id, leg, by_service("outline", "for the player", call_id, leg))
            except (AudioGone, CustodyError):
                return None
            found = await outline_file(kept, call_id, leg, file)
        return found.flattened(spans or ()) if found else None

    async def recordings(self, call_id: CallId) -> list[Recording]:
        """See ``console.parts.Listening``."""
        return await self.custody.recordings(call_id)
