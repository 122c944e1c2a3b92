"""Readers of desks' lines: when they were told what."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass, field

import aiohttp

from bench.desk.stand import DeskStand
from calls.errors import SanshengError

_OPEN_WITHIN_S = 60.0
_AT_ONCE = 20


@dataclass
class Seen:
    """By call: the instants, by one steady clock, and whatever was wrong."""

    popped: dict[str, float] = field(default_factory=dict)
    with_history: dict[str, float] = field(default_factory=dict)
    on_board: dict[str, float] = field(default_factory=dict)
    strays: list[str] = field(default_factory=list)
    """Calls that reached another agent's desk."""
    agent_of: dict[str, str] = field(default_factory=dict)
    """Whose telephone a call is to ring."""
    messages: int = 0
    cut: int = 0
    """Lines that ended before they were to."""


class Readers:
    """One line for each desk, and one for the live board; ``async with``."""

    def __init__(self, stand: DeskStand, seen: Seen) -> None:
        self._stand = stand
        self._seen = seen
        self._tasks: list[asyncio.Task[None]] = []
        self._open = 0
        self._turn = asyncio.Semaphore(_AT_ONCE)

    async def __aenter__(self) -> Readers:
        connector = aiohttp.TCPConnector(limit=0)
        self._web = aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=None))
        lines = [("/desk/events", cookie, agent) for agent, cookie in self._stand.cookies.items()]
        lines.append(("/live", self._stand.watcher, ""))
        self._tasks = [asyncio.create_task(self._read(*line)) for line in lines]
        try:
            async with asyncio.timeout(_OPEN_WITHIN_S):
                while self._open < len(lines):
                    await asyncio.sleep(0.1)
        except TimeoutError as error:
            raise SanshengError(f"only {self._open} of {len(lines)} lines were open in time") from error
        return self

    async def __aexit__(self, *error: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._web.close()

    async def _read(self, path: str, cookie: str, agent: str) -> None:
        headers = {"Cookie": f"sansheng={cookie}"}
        await self._turn.acquire()
        first = True
        async with self._web.get(self._stand.url + path, headers=headers, max_line_size=2**20) as answer:
            if answer.status != 200:
                raise SanshengError(f"{path} answered {answer.status}")
            async for line in answer.content:
                if not line.startswith(b"data: "):
                    continue
                at = time.perf_counter()
                if first:
                    self._open += 1
                    self._turn.release()
                    first = False
                self._seen.messages += 1
                if agent:
                    self._desk(json.loads(line[6:]), agent, at)
                else:
                    self._board(json.loads(line[6:]), at)
        self._seen.cut += 1

    def _desk(self, desk: dict[str, list[dict[str, object]]], agent: str, at: float) -> None:
        for call in desk["calls"]:
            key = str(call["key"])
            if self._seen.agent_of.get(key) != agent:
                self._seen.strays.append(key)
            self._seen.popped.setdefault(key, at)
            if call["history_there"] and call["earlier"]:
                self._seen.with_history.setdefault(key, at)

    def _board(self, view: dict[str, list[dict[str, object]]], at: float) -> None:
        for call in view["calls"]:
            if call["ringing"]:
                self._seen.on_board.setdefault(str(call["key"]), at)
