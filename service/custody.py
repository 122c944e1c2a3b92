"""Recordings taken into custody, and given out again to those who say who they are and why (P1, P2).

The order in which a recording is taken in makes every instant a safe one to be killed at: the sealed object is
in the store first, then the entry is in the books, and only then do the plain files go. What is interrupted is
begun again from the plain files and ends in the same state.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
import shutil
import tempfile
import wave
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, cast

from sqlalchemy.ext.asyncio import AsyncEngine

from calls.custody import Access, AccessKind, Leg, Recording
from calls.errors import AudioDamaged, AudioGone, CustodyError, KeyMissing, RecordingError
from calls.ids import CallId
from calls.ports import AccessLog, Clock
from recordings.intake import INTERRUPTED
from recordings.keys import ENVIRONMENT, MasterKeys, keys_of_environment, keys_of_file, keys_of_hook, rotated
from recordings.sealed import new_key, seal, unsealed
from recordings.store import Store, place_of, store_of
from service.outlines import outline_folder
from service.settings import Settings
from storage.access import SqlAccessLog
from storage.attachments import SqlAttachments
from storage.custody import Kept, SqlRecordings
from storage.waveforms import SqlWaveforms

log = logging.getLogger(__name__)

TAKEN = "taken"
"""A folder beside the intake: plain files on their way out."""

_BLOCK = 1 << 20
_IN_MEMORY = 4 << 20
"""Larger objects wait on disk between being sealed and being stored."""


@dataclass(frozen=True, slots=True)
class Custody:
    """The vault of one hotline."""

    store: Store
    keys: MasterKeys
    books: SqlRecordings
    accesses: AccessLog
    clock: Clock
    files: SqlAttachments
    """The books of what else lies in the store: files of cases."""
    waveforms: SqlWaveforms | None = None
    """Where outlines are kept, if they are."""

    async def ingest(self, folder: Path) -> list[Recording]:
        """Take in a finished recording, a folder of the intake named after the call, and remove the plain files.

        Raises RecordingError for a file that is no recording, CustodyError, StorageUnavailable: then the plain
        files are still there, and it can be tried again.
        """
        call_id = CallId(folder.name)
        if not folder.is_dir():
            raise FileNotFoundError(folder)
        kept = [await asyncio.to_thread(self._sealed, call_id, leg, folder) for leg in Leg]
        await self.books.store(kept)
        if self.waveforms is not None:
            await outline_folder(self.waveforms, call_id, folder)
        await asyncio.to_thread(_remove, folder)
        return [each.recording for each in kept]

    async def recordings(self, call_id: CallId) -> list[Recording]:
        """What there is of a call."""
        return await self.books.of_call(call_id)

    async def open(self, call_id: CallId, leg: Leg, access: Access) -> BinaryIO:
        """The original sound, as a WAV file to be read from anywhere; only once the access is on record (P1, P4).

        Raises AccessDenied, AudioGone, AudioDamaged, KeyMissing or CustodyError.
        """
        await self.accesses.note(access)
        return await self._open(call_id, leg)

    async def is_whole(self, recording: Recording) -> bool:
        """Look at the checksum, and note how it came out."""
        try:
            file = await self._open(recording.call_id, recording.leg)
            found = await asyncio.to_thread(_checksum, file)
        except (AudioDamaged, FileNotFoundError) as error:
            log.error(
                "recording.damaged",
                extra={"call_id": recording.call_id, "leg": recording.leg, "reason": str(error)},
            )
            found = ""
        whole = found == recording.sha256
        await self.books.checked(recording.call_id, recording.leg, self.clock.now(), whole=whole)
        return whole

    async def rewrap(self) -> int:
        """Wrap data keys by the current master key that are not yet; how many. Audio is not touched."""
        done = 0
        while found := await self.books.wrapped_by_others(self.keys.current):
            for each in found:
                one, name = each.recording, _name(each.recording.call_id, each.recording.leg)
                assert each.wrapped_key is not None
                key = await asyncio.to_thread(self.keys.unwrap, each.wrapped_key, one.key_id, name)
                wrapped = await asyncio.to_thread(self.keys.wrap, key, name)
                await self.books.rewrapped(one.call_id, one.leg, one.key_id, self.keys.current, wrapped)
                done += 1
        return done

    async def bury(self, call_id: CallId, access: Access) -> None:
        """Destroy the keys of a call's recordings, then remove the objects; a tombstone stays in the books."""
        await self.accesses.note(access)
        for place in await self.books.bury(call_id, self.clock.now(), access.reason):
            await self.remove(place)

    async def remove(self, place: str) -> None:
        """Remove the object of a tombstone from the store."""
        await asyncio.to_thread(self.store.delete, place)
        await self.books.removed(place, self.clock.now())

    async def _open(self, call_id: CallId, leg: Leg) -> BinaryIO:
        kept = await self.books.find(call_id, leg)
        if kept is None:
            raise CustodyError(f"there is no recording of call {call_id} ({leg})")
        if kept.wrapped_key is None:
            raise AudioGone(f"the recording of call {call_id} was deleted: {kept.deleted_why}")
        return await asyncio.to_thread(self._unsealed, kept)

    def _unsealed(self, kept: Kept) -> BinaryIO:
        name = _name(kept.recording.call_id, kept.recording.leg)
        assert kept.wrapped_key is not None
        key = self.keys.unwrap(kept.wrapped_key, kept.recording.key_id, name)
        try:
            sealed = self.store.open(kept.recording.location)
        except FileNotFoundError:
            raise AudioDamaged(f"{name}: the object is not in the store") from None
        try:
            return unsealed(sealed, key, name)
        except AudioDamaged:
            sealed.close()
            raise

    def _sealed(self, call_id: CallId, leg: Leg, folder: Path) -> Kept:
        path = folder / f"{leg}.wav"
        rate_hz, duration_s = _form(path)
        recorded_at = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        key, name, place = new_key(), _name(call_id, leg), place_of(call_id, leg, recorded_at)
        wrapped = self.keys.wrap(key, name)
        with (
            path.open("rb") as plain,
            tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY, dir=str(folder.parent.parent)) as sealed,
        ):
            digest = _Digest(plain)
            size = seal(cast(BinaryIO, digest), cast(BinaryIO, sealed), key, name)
            sealed.seek(0)
            self.store.put(place, cast(BinaryIO, sealed))
        recording = Recording(
            call_id=call_id,
            leg=leg,
            format="wav",
            sample_rate_hz=rate_hz,
            duration_s=duration_s,
            size_bytes=size,
            sha256=digest.sha256.hexdigest(),
            recorded_at=recorded_at,
            stored_at=self.clock.now(),
            location=place,
            key_id=self.keys.current,
            complete=not (folder / INTERRUPTED).exists(),
        )
        return Kept(recording, wrapped)


def custody_of(settings: Settings, engine: AsyncEngine, clock: Clock) -> Custody:
    """The vault as it is set. Raises SettingsError for keys or a store that cannot be used."""
    return Custody(
        store_of(settings.custody.store_url, settings.var_dir / "vault"),
        master_keys(settings),
        SqlRecordings(engine),
        SqlAccessLog(engine, clock),
        clock,
        SqlAttachments(engine),
        SqlWaveforms(engine),
    )


def master_keys(settings: Settings) -> MasterKeys:
    """The master keys as they are set. Raises SettingsError."""
    match settings.custody.key_provider:
        case "file":
            return keys_of_file(key_file(settings))
        case "environment":
            return keys_of_environment(os.environ.get(ENVIRONMENT, ""))
        case hook:
            return keys_of_hook(hook)


def new_master_key(settings: Settings) -> MasterKeys:
    """A new current key in the key file. Raises KeyMissing where keys are not ours to make."""
    if settings.custody.key_provider != "file":
        raise KeyMissing(
            f"keys come from {settings.custody.key_provider}: make the new one there, and rotate then"
        )
    return rotated(key_file(settings))


def by_service(name: str, why: str, call_id: CallId, leg: Leg | None = None) -> Access:
    """An access of the service itself."""
    return Access(f"service:{name}", AccessKind.PROCESS, why, call_id, leg)


def key_file(settings: Settings) -> Path:
    """Where the master keys lie, if they lie in a file."""
    return settings.custody.key_file or settings.var_dir / "keys.json"


def _name(call_id: CallId, leg: Leg) -> str:
    return f"{call_id}/{leg}"


def _remove(folder: Path) -> None:
    """Out of the intake in one step: half a recording there would be taken for a damaged one."""
    rubbish = folder.parent.parent / TAKEN
    rubbish.mkdir(exist_ok=True, mode=0o700)
    folder.rename(rubbish / folder.name)
    shutil.rmtree(rubbish / folder.name)


def clear_taken(intake: Path) -> None:
    """Remove what an earlier process had taken in and not removed altogether."""
    shutil.rmtree(intake.parent / TAKEN, ignore_errors=True)


def _form(path: Path) -> tuple[int, float]:
    """Sample rate and length in seconds. Raises RecordingError."""
    try:
        with wave.open(str(path), "rb") as audio:
            return audio.getframerate(), audio.getnframes() / audio.getframerate()
    except (OSError, EOFError, wave.Error, ZeroDivisionError) as error:
        raise RecordingError(f"{path.name} cannot be read: {error}") from error


def _checksum(file: BinaryIO) -> str:
    digest = _Digest(file)
    with file:
        while digest.read(_BLOCK):
            pass
    return digest.sha256.hexdigest()


class _Digest:
    """Reads on, and knows the checksum of what was read."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.sha256 = hashlib.sha256()

    def read(self, size: int) -> bytes:
        block = self._file.read(size)
        self.sha256.update(block)
        return block
