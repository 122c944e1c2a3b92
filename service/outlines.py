"""Outlines of recordings: made while a recording is taken in, or when somebody first opens one that has none."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import BinaryIO

from calls.custody import SPOKEN_LEGS, Leg
from calls.errors import SanshengError, TranscriptionError
from calls.ids import CallId
from calls.waveform import Waveform
from recordings.peaks import outline
from storage.waveforms import SqlWaveforms

log = logging.getLogger(__name__)


async def outline_folder(waveforms: SqlWaveforms, call_id: CallId, folder: Path) -> None:
    """Outline the plain files of a call. What goes wrong is logged: it can be done again from the vault."""
    for leg in SPOKEN_LEGS:
        try:
            found = await asyncio.to_thread(_of_path, folder / f"{leg}.wav")
            await waveforms.store(call_id, leg, found)
        except (SanshengError, OSError) as error:
            log.warning("recording.not_outlined", extra={"call_id": call_id, "leg": leg, "reason": str(error)})


async def outline_file(waveforms: SqlWaveforms, call_id: CallId, leg: Leg, file: BinaryIO) -> Waveform | None:
    """Outline a leg from the vault, and keep it; ``None`` for what is no sound. The file is closed."""
    try:
        found = await asyncio.to_thread(_of_file, file)
    except TranscriptionError as error:
        log.warning("recording.not_outlined", extra={"call_id": call_id, "leg": leg, "reason": str(error)})
        return None
    await waveforms.store(call_id, leg, found)
    return found


def _of_path(path: Path) -> Waveform:
    with path.open("rb") as file:
        return outline(file)


def _of_file(file: BinaryIO) -> Waveform:
    with file:
        return outline(file)
