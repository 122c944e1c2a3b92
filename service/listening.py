"""What people may hear and find of calls: masked, unless they have the right and a reason (P1, P3)."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from io import BufferedReader
from typing import BinaryIO, cast

from sqlalchemy.ext.asyncio import AsyncEngine

from calls.custody import SPOKEN_LEGS, Access, AccessKind, Leg
from calls.errors import AccessDenied, TranscriptionError
from calls.ids import CallId
from calls.ports import AccessLog, Clock
from calls.transcript import LegTranscript, Span, Transcript, turns_of
from qa.masking import find, mask_words
from recordings.beep import BeepedReader
from service.custody import Custody
from service.settings import Settings
from storage.search import MaskedLeg, Page, Query, Said, SqlSearch
from storage.subjects import SqlSubjects
from storage.transcripts import SqlTranscripts


async def index_call(settings: Settings, engine: AsyncEngine, call_id: CallId, clock: Clock) -> None:
    """Find what must be masked in the call's transcripts, and make the rest searchable. Again, it changes nothing.

    Raises StorageUnavailable or StorageRefused.
    """
    transcript = await SqlTranscripts(engine).transcript(call_id)
    if transcript is None:
        return
    of = await SqlSubjects(engine).of(call_id)
    said = Said(call_id, of.arrived_at, of.section, of.agent) if of else Said(call_id, clock.now(), None, None)
    legs = {leg.leg: masked_leg(leg) for leg in transcript.legs}
    await SqlSearch(engine).index(said, legs, clock.now())


def masked_leg(leg: LegTranscript) -> MaskedLeg:
    """One speaker's turns with masked words, and where to beep."""
    found = find(leg.words)
    masked = replace(leg, words=mask_words(leg.words, found))
    return MaskedLeg(tuple(turns_of(masked)), tuple(span for each in found for span in each.spans))


def masked(transcript: Transcript) -> Transcript:
    """A conversation as ordinary roles read it."""
    return replace(transcript, legs=tuple(replace(leg, words=mask_words(leg.words)) for leg in transcript.legs))


async def read_masked(engine: AsyncEngine, accesses: AccessLog, call_id: CallId, access: Access) -> Transcript:
    """What was said, masked, once it is on record who reads it. Raises TranscriptionError if nothing is there."""
    found = await _read(engine, accesses, call_id, replace(access, kind=AccessKind.READ))
    return await asyncio.to_thread(masked, found)  # of an hour: a quarter of a second


async def read_original(
    engine: AsyncEngine, accesses: AccessLog, call_id: CallId, access: Access, *, allowed: bool
) -> Transcript:
    """What was said, for who has the right to it and says why. Raises AccessDenied without either."""
    _must_have(access, allowed=allowed)
    return await _read(engine, accesses, call_id, replace(access, kind=AccessKind.READ_ORIGINAL))


async def _read(engine: AsyncEngine, accesses: AccessLog, call_id: CallId, access: Access) -> Transcript:
    await accesses.note(replace(access, call_id=call_id))
    found = await SqlTranscripts(engine).transcript(call_id)
    if found is None:
        raise TranscriptionError(f"call {call_id} has no transcript")
    return found


def _must_have(access: Access, *, allowed: bool) -> None:
    if not allowed:
        raise AccessDenied("the original needs a right of its own; the masked copy does not")
    if not access.reason.strip():
        raise AccessDenied("the original needs a reason")


async def open_masked(custody: Custody, search: SqlSearch, call_id: CallId, leg: Leg, access: Access) -> BinaryIO:
    """The sound that ordinary roles hear, to be read from anywhere.

    Raises AccessDenied while nobody knows yet what is to be masked, and what ``Custody.open`` raises.
    """
    spans: list[Span] = []
    for spoken in SPOKEN_LEGS if leg is Leg.MIXED else (leg,):
        found = await search.spans(call_id, spoken)
        if found is None:
            raise AccessDenied(f"call {call_id} is not transcribed yet ({spoken}): it cannot be masked")
        spans += found
    access = replace(access, kind=AccessKind.LISTEN, call_id=call_id, leg=leg)
    inner = await custody.open(call_id, leg, access)
    try:
        return cast(BinaryIO, BufferedReader(BeepedReader(inner, spans)))
    except BaseException:
        inner.close()
        raise


async def open_original(custody: Custody, call_id: CallId, leg: Leg, access: Access, *, allowed: bool) -> BinaryIO:
    """The sound as it was recorded, for who has the right to it and says why.

    Raises AccessDenied without either, and what ``Custody.open`` raises.
    """
    _must_have(access, allowed=allowed)
    access = replace(access, kind=AccessKind.LISTEN_ORIGINAL, call_id=call_id, leg=leg)
    return await custody.open(call_id, leg, access)


async def search_turns(
    search: SqlSearch, accesses: AccessLog, actor: str, query: Query, *, before: int | None, limit: int
) -> Page:
    """Search, once it is on record who does. What was searched for stays out of the log: it may be a name."""
    _ = query.terms  # refused before it is noted
    await accesses.note(Access(actor, AccessKind.SEARCH, f"{len(query.text)} letters"))
    return await search.search(query, before=before, limit=limit)
