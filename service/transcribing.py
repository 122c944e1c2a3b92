"""One leg, from the vault to its transcript; when the last leg of a call is over, the call is judged."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator

from sqlalchemy.ext.asyncio import AsyncEngine

from asterisk_conf.prompt_manifest import prompt_file
from calls.custody import Leg
from calls.errors import (
    AudioDamaged,
    AudioGone,
    CustodyError,
    ModelError,
    PromptError,
    RuleError,
    StorageError,
    TranscriptionError,
)
from calls.ids import CallId, SectionId
from calls.ports import Clock, Pcm
from calls.transcript import LegTranscript, Span
from recordings.transcription.announcement import announced
from recordings.transcription.audio import read_wav
from recordings.transcription.engines import transcribe
from service.custody import by_service, custody_of
from service.engines import Engines
from service.judging import judge_call
from service.listening import index_call
from service.settings import Settings
from storage.engine import open_engine
from storage.subjects import SqlSubjects
from storage.transcripts import SqlTranscripts
from storage.work import JUDGEMENT, SqlWork
from storage.work_states import State

log = logging.getLogger(__name__)

FIRST_OF_NUMBER, LAST_OF_NUMBER = "agent-before", "agent-after"
"""The prompts that the announcement of an agent's number begins and ends with (A2); the section comes before."""

_RETRY_S = 2.0
_REMEMBERED = 1000

DEFAULT_LANGUAGE = "zh-CN"
"""Of calls that chose none."""


class Transcriber:
    """Does what is owed, in one worker process."""

    def __init__(self, settings: Settings, clock: Clock, worker: str) -> None:
        self._settings = settings
        self._clock = clock
        self._worker = worker
        self._engines = Engines(settings)
        self._told: set[str] = set()

    async def do(self, call_id: CallId, leg: Leg, *, alone: bool) -> None:
        """Do one thing, if it is still owed. Raises StorageError; then it stays in this worker's hands."""
        async with self._work() as (engine, work):
            over = await self._one(engine, work, call_id, leg, alone)
            if over and leg is not JUDGEMENT:
                await self._one(engine, work, call_id, JUDGEMENT, alone)

    async def _one(self, engine: AsyncEngine, work: SqlWork, call_id: CallId, leg: Leg, alone: bool) -> bool:
        """Whether the call's spoken legs are over now."""
        claimed = await work.claim(call_id, leg, self._worker)
        if claimed is None:
            return False
        if claimed.is_suspect and not alone:  # told of it before its worker died
            await work.finish(call_id, leg, State.OWED, claimed.error)
            return False
        state, error = await self._outcome(engine, call_id, leg)
        self._tell(call_id, leg, error)
        if leg is JUDGEMENT:
            await work.finish_judgement(claimed, state, error)
            return True
        return await work.finish(call_id, leg, state, error)

    def _tell(self, call_id: CallId, leg: Leg, error: str | None) -> None:
        """A missing model is one line in the log, not one for each leg that waits for it."""
        if error and error not in self._told:
            self._told = {*self._told, error} if len(self._told) < _REMEMBERED else {error}
            log.warning("transcription.not_done", extra={"call_id": call_id, "leg": leg, "reason": error})
        elif not error:
            self._told = set()

    async def next(self, *, only_fresh: bool) -> tuple[CallId, Leg] | None:
        """What is to be done next, if anything. Raises StorageError."""
        async with self._work() as (_, work):
            found = await work.next(self._clock.now(), only_fresh=only_fresh)
            return (found.call_id, found.leg) if found else None

    async def give_back(self, call_id: CallId, leg: Leg, state: State, error: str) -> None:
        """What could not be finished is no longer in this worker's hands. Raises StorageError."""
        async with self._work() as (_, work):
            await work.finish(call_id, leg, state, error)

    @contextlib.asynccontextmanager
    async def _work(self) -> AsyncIterator[tuple[AsyncEngine, SqlWork]]:
        """The database, for one leg: an engine belongs to its loop, and each leg has its own."""
        engine = open_engine(self._settings.ledger_url)
        try:
            yield engine, SqlWork(engine)
        finally:
            await engine.dispose()

    async def _outcome(self, engine: AsyncEngine, call_id: CallId, leg: Leg) -> tuple[State, str | None]:
        """How it came out, and why if it did not go well."""
        try:
            if leg is JUDGEMENT:
                await index_call(self._settings, engine, call_id, self._clock)
                await judge_call(self._settings, engine, call_id, self._clock)
            else:
                await SqlTranscripts(engine).store(call_id, await self._transcript(engine, call_id, leg))
        except (TranscriptionError, AudioDamaged, AudioGone) as error:
            return State.FAILED, str(error)
        except (ModelError, RuleError, CustodyError, OSError) as error:
            return State.OWED, str(error)  # a person can put it right
        return State.DONE, None

    async def _transcript(self, engine: AsyncEngine, call_id: CallId, leg: Leg) -> LegTranscript:
        of = await SqlSubjects(engine).of(call_id)
        language = (of and of.language) or DEFAULT_LANGUAGE
        speech = self._engines.speech(language)
        custody = custody_of(self._settings, engine, self._clock)
        access = by_service("transcription", "transcription", call_id, leg)
        sound = await custody.open(call_id, leg, access)

        def hear() -> LegTranscript:
            with sound:
                pcm = read_wav(sound)
            section = of.section if of else None
            spoken_by_us = _announcement(pcm, language, section) if leg is Leg.AGENT else None
            recogniser = self._engines.recogniser(speech)
            return transcribe(pcm, leg, speech.speaks or speech.language, recogniser, spoken_by_us)

        # Not in another thread: the recogniser belongs to this one, and nothing else waits on this loop.
        return hear()


def _announcement(pcm: Pcm, language: str, section: SectionId | None) -> Span | None:
    """Where in an agent's leg we said section and agent's number, in the caller's language; ``None``: nowhere."""
    first, last = (_prompt(language, name) for name in (FIRST_OF_NUMBER, LAST_OF_NUMBER))
    if first is None or last is None:
        return None
    return announced(pcm, first, last, _prompt(language, f"section-{section}") if section else None)


def _prompt(language: str, name: str) -> Pcm | None:
    """Its sound; ``None`` if the language has no such prompt, or a studio recording cannot be read."""
    try:
        with prompt_file(language, name).open("rb") as file:
            return read_wav(file)
    except (PromptError, TranscriptionError, OSError):
        return None


def next_leg(transcriber: Transcriber, *, only_fresh: bool) -> tuple[CallId, Leg] | None:
    """What a worker thread does next; nothing while the database is away."""
    try:
        return asyncio.run(transcriber.next(only_fresh=only_fresh))
    except StorageError as error:
        log.warning("transcription.next_later", extra={"reason": str(error)})
        return None


def run_leg(transcriber: Transcriber, call_id: CallId, leg: Leg, *, alone: bool) -> None:
    """A worker thread's task, start to end; whatever happens, the leg does not stay in this worker's hands."""
    mine = call_id, leg
    try:
        asyncio.run(transcriber.do(*mine, alone=alone))
        return
    except StorageError as error:
        log.error("transcription.interrupted", extra={"call_id": call_id, "leg": leg, "reason": str(error)})
        back = (State.OWED, "the database was away")
    except Exception as error:  # a defect must not stop the worker; a person sees the leg as failed
        log.exception("transcription.defect", extra={"call_id": call_id, "leg": leg})
        back = (State.FAILED, f"a defect of ours: {type(error).__name__}")
    while True:
        try:
            asyncio.run(transcriber.give_back(*mine, *back))
            return
        except StorageError:
            time.sleep(_RETRY_S)
