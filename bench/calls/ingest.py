"""``events_per_s``: how fast events get from AMI's bytes into the ledger.

In this process, with the product's own parts: framing, parsing, sink, translation, pipeline, SQLite. The time
runs until the last event is committed.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

from bench.calls.synthetic import call_messages
from calls.errors import SanshengError
from calls.ids import AgentNumber, SectionId
from ivr.ami.sink import EventSink
from ivr.ami.translate import record_of, translate
from ivr.ami.wire import Framer, parse_message
from ivr.snapshot import AgentBoard
from metrics.exporter import Exporter
from service.live import LivePicture
from service.pipeline import Pipeline
from service.settings import SECTIONS
from service.wiring import SystemClock
from storage.engine import open_engine, upgrade
from storage.ledger import SqlLedger

_BETWEEN_CALLS_S = 0.2
"""So that some fifty calls are in progress at any time."""
_READ_BYTES = 64 * 1024
_EVENTS_OF_A_CALL = 7


@dataclass(frozen=True, slots=True)
class Ingest:
    """How many records were told, how many events they became, in how many seconds all were stored."""

    records: int
    events: int
    seconds: float

    @property
    def events_per_s(self) -> float:
        return self.events / self.seconds


async def measure_ingest(calls: int) -> Ingest:
    """Feed so many calls. Raises SanshengError if not every event was stored."""
    stream, records = _stream(calls)
    sink, framer = EventSink(), Framer()
    async with _pipeline() as pipeline:
        consumer = asyncio.create_task(_consume(sink, pipeline))
        began = time.perf_counter()
        for start in range(0, len(stream), _READ_BYTES):
            for frame in framer.feed(stream[start : start + _READ_BYTES]):
                if message := parse_message(frame):
                    sink.offer(message)
            await asyncio.sleep(0)
            await sink.flowing()
        while not sink.empty():
            await asyncio.sleep(0)
        await pipeline.drained()
        seconds = time.perf_counter() - began
        consumer.cancel()
        if pipeline.stored != calls * _EVENTS_OF_A_CALL:
            raise SanshengError(f"{pipeline.stored} events of {calls * _EVENTS_OF_A_CALL} were stored")
        return Ingest(records, pipeline.stored, seconds)


def _stream(calls: int) -> tuple[bytes, int]:
    now = float(round(time.time()))
    told = [
        message for number in range(calls) for message in call_messages(number, now + number * _BETWEEN_CALLS_S)
    ]
    told.sort(key=lambda message: message[0])
    return b"".join(message for _, message in told), len(told)


async def _consume(sink: EventSink, pipeline: Pipeline) -> None:
    """As the service does."""
    while True:
        record = record_of(await sink.get())
        event = translate(record) if record else None
        if event is not None:
            await pipeline.put(event)


@asynccontextmanager
async def _pipeline() -> AsyncIterator[Pipeline]:
    """The service's pipeline with its observers, on a fresh SQLite ledger."""
    sections = tuple(SectionId(section) for section in SECTIONS)
    with TemporaryDirectory(prefix="bench-") as folder:
        url = f"sqlite+aiosqlite:///{Path(folder) / 'ledger.db'}"
        await upgrade(url)
        engine = open_engine(url)
        ledger = SqlLedger(engine)
        board = AgentBoard([AgentNumber("10001")], 0, datetime.now(UTC))
        live = LivePicture(ledger, board, sections, SystemClock(), ZoneInfo("Asia/Shanghai"), 15.0)
        exporter = Exporter(sections=sections, limit_s=15.0, build={})
        pipeline = Pipeline(ledger, [exporter.on_change, live.on_change])
        running = asyncio.create_task(pipeline.run())
        try:
            yield pipeline
        finally:
            running.cancel()
            await engine.dispose()
