"""Who hears what: masked sound for everybody, the original for a right and a reason (P1, P3)."""

from __future__ import annotations

import io
import struct
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, cast

import pytest
import pytest_asyncio
from sqlalchemy.ext.asyncio import AsyncEngine

from calls.custody import Access, AccessKind, Bandwidth, Leg
from calls.errors import AccessDenied, SearchError
from calls.ids import CallId
from calls.transcript import LegTranscript, Word
from service.custody import Custody
from service.listening import index_call, open_masked, open_original, search_turns
from service.settings import Settings
from storage.access import SqlAccessLog
from storage.engine import open_engine
from storage.search import Query, SqlSearch
from storage.transcripts import SqlTranscripts
from tests.support_prepared import prepared

CALL = CallId("1.1")
RATE = 8000
ME = Access("os:me", AccessKind.LISTEN, "a complaint", CALL, Leg.CALLER)


class StandingClock:
    def now(self) -> datetime:
        return datetime(2026, 11, 23, tzinfo=UTC)


class OpenVault:
    """Custody of one sound, the same for every leg, and who asked for it."""

    def __init__(self, sound: bytes) -> None:
        self._sound = sound
        self.asked: list[Access] = []

    async def open(self, _call: CallId, _leg: Leg, access: Access) -> BinaryIO:
        self.asked.append(access)
        return io.BytesIO(self._sound)


def wav(seconds: float) -> bytes:
    sound = b"\x39\x30" * int(seconds * RATE)
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, RATE, 2 * RATE, 2, 16)
    return b"RIFF\0\0\0\0WAVE" + form + struct.pack("<4sI", b"data", len(sound)) + sound


def leg(which: Leg, *words: tuple[str, float, float]) -> LegTranscript:
    said = tuple(Word(text, start, end, 0.9) for text, start, end in words)
    return LegTranscript(which, "zh-CN", "vosk", "m", 10.0, Bandwidth.NARROW, (), said)


@pytest_asyncio.fixture
async def engine(tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    url = await prepared("sqlite", tmp_path)
    made = open_engine(url)
    yield made
    await made.dispose()


@pytest.fixture
def vault() -> OpenVault:
    return OpenVault(wav(10))


async def transcribe(engine: AsyncEngine, *legs: LegTranscript) -> None:
    for each in legs:
        await SqlTranscripts(engine).store(CALL, each)
    await index_call(Settings(), engine, CALL, StandingClock())


CALLER = leg(Leg.CALLER, ("电话", 1, 1.5), ("一三八零零一三八零零零", 2, 4), ("谢谢", 8, 9))
AGENT = leg(Leg.AGENT, ("您好", 0, 1), ("王先生", 5, 6))


def beeped(sound: bytes, second: float) -> bool:
    at = 44 + 2 * int(second * RATE)
    return sound[at : at + 200] != b"\x39\x30" * 100


async def test_what_ordinary_roles_hear(engine: AsyncEngine, vault: OpenVault) -> None:
    await transcribe(engine, CALLER, AGENT)
    heard = {}
    for which in Leg:
        with await open_masked(cast(Custody, vault), SqlSearch(engine), CALL, which, ME) as sound:
            heard[which] = sound.read()
    moments = {"phone": 3.0, "name": 5.5, "thanks": 8.5}
    assert {which: [name for name, at in moments.items() if beeped(heard[which], at)] for which in Leg} == {
        Leg.CALLER: ["phone"],
        Leg.AGENT: ["name"],
        Leg.MIXED: ["phone", "name"],
    }
    assert [access.kind for access in vault.asked] == [AccessKind.LISTEN] * 3


async def test_what_nobody_has_looked_through_is_not_played(engine: AsyncEngine, vault: OpenVault) -> None:
    await transcribe(engine, AGENT)
    search = SqlSearch(engine)
    for which in (Leg.CALLER, Leg.MIXED):
        with pytest.raises(AccessDenied, match="not transcribed yet"):
            await open_masked(cast(Custody, vault), search, CALL, which, ME)
    assert vault.asked == []


async def test_the_original_needs_a_right_and_a_reason(vault: OpenVault) -> None:
    custody = cast(Custody, vault)
    without = Access("os:me", AccessKind.LISTEN, " ", CALL, Leg.CALLER)
    for access, allowed in ((ME, False), (without, True)):
        with pytest.raises(AccessDenied):
            await open_original(custody, CALL, Leg.CALLER, access, allowed=allowed)
    assert vault.asked == []
    with await open_original(custody, CALL, Leg.CALLER, ME, allowed=True) as sound:
        assert sound.read() == wav(10)
    assert [access.kind for access in vault.asked] == [AccessKind.LISTEN_ORIGINAL]


async def test_only_masked_words_can_be_found_and_searching_is_on_record(engine: AsyncEngine) -> None:
    await transcribe(engine, CALLER, AGENT)
    log = SqlAccessLog(engine, StandingClock())
    search = SqlSearch(engine)

    async def found(text: str) -> list[str]:
        page = await search_turns(search, log, "os:me", Query(text), before=None, limit=20)
        return [hit.text for hit in page.hits]

    assert await found("一三八") == []
    assert await found("电话") == ["电话【电话】"]
    assert await found("先生") == ["【姓名】先生"]
    with pytest.raises(SearchError):
        await found("")
    entries = await log.entries()
    assert [entry.access.kind for entry in entries] == [AccessKind.SEARCH] * 3
    assert not any("电话" in entry.access.reason for entry in entries)
