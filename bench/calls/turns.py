"""``agi_turn_p50_ms`` and ``agi_turn_p99_ms``: our turn in the menu while 200 callers are in it.

Real callers on SIPp; the time is taken on the wire, from Asterisk's reply to our next command, so that waiting
for the event loop counts. Meanwhile the guard pushes every caller's time-out and the page and the metrics are
fetched once a second, as in service.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from dataclasses import dataclass
from math import ceil
from statistics import quantiles

import aiohttp

from bench.calls.sipp import Crowds
from bench.calls.stand import FULL, Stand
from bench.calls.tap import tap
from calls.accounts import Account
from calls.custody import Access, AccessKind
from calls.errors import SanshengError
from calls.people import Grant, Role
from console.doorkeeper import From
from metrics import catalogue
from service.commands.people import doorkeeper
from simulation.script import CallerScript, HangUp, Press, Step, Wait

MENUS = 200
_PER_S = 50.0
_BETWEEN_KEYS_S = 2.5
_ARRIVED_WITHIN_S = 20.0
_LEAST_TURNS = 200
_LOGIN = "bench"


@dataclass(frozen=True, slots=True)
class Turns:
    """Times of our turns in ms, how many there were, and the fewest menus open at once meanwhile."""

    p50_ms: float
    p99_ms: float
    worst_ms: float
    count: int
    per_s: float
    menus: int


async def measure_turns(stand: Stand, crowds: Crowds, hold_s: float) -> Turns:
    """Bring callers into the menu, keep them there for ``hold_s`` seconds. Raises SanshengError if they leave."""
    await stand.start_service()
    keys: tuple[Step, ...] = (Press("*"), Wait(_BETWEEN_KEYS_S))
    stay_s = _ARRIVED_WITHIN_S + hold_s
    steps = (Wait(1), *keys * ceil(stay_s / (_BETWEEN_KEYS_S + 0.5)), HangUp())
    web = f"http://127.0.0.1:{stand.settings.ports.web}"
    async with tap(stand.settings.ports.agi) as listening, aiohttp.ClientSession() as session:
        callers = await crowds.callers(
            CallerScript(steps=steps, dialled=FULL), "-r", f"{_PER_S:g}", "-m", str(MENUS)
        )
        await _until_open(session, web)
        visits = asyncio.create_task(_visit(session, web, await _signed_in(stand)))
        began = time.time()
        await asyncio.sleep(hold_s)
        ended = time.time()
        visits.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await visits
        menus = await _open_menus(session, web)
        callers.process.kill()
        await callers.process.wait()
    if menus < MENUS:
        raise SanshengError(f"only {menus} of {MENUS} callers stayed in the menu")
    times = [seconds * 1000 for at, seconds in listening.turns if began <= at <= ended]
    if len(times) < _LEAST_TURNS:
        raise SanshengError(f"only {len(times)} turns were seen in the menu")
    cuts = quantiles(times, n=100)
    return Turns(cuts[49], cuts[98], max(times), len(times), len(times) / (ended - began), menus)


async def _until_open(session: aiohttp.ClientSession, web: str) -> None:
    try:
        async with asyncio.timeout(_ARRIVED_WITHIN_S):
            while await _open_menus(session, web) < MENUS:
                await asyncio.sleep(0.2)
    except TimeoutError as error:
        raise SanshengError(f"{MENUS} callers did not all reach the menu") from error


async def _signed_in(stand: Stand) -> str:
    """The cookie of somebody who may see the live board."""
    async with doorkeeper(stand.settings) as keeper:
        somebody = await keeper.people.find(_LOGIN)
        if somebody is None:
            somebody = Account(login=_LOGIN, name=_LOGIN, created_at=keeper.now(), grants=(Grant(Role.OPS),))
            await keeper.people.add(somebody, Access("service:bench", AccessKind.PEOPLE, "looks at the board"))
        return f"sansheng={(await keeper.begin(somebody, From('127.0.0.1', 'bench'))).secret}"


async def _visit(session: aiohttp.ClientSession, web: str, cookie: str) -> None:
    """What a browser and Prometheus do, once a second. Raises SanshengError if they are not let in."""
    while True:
        for path, headers in (("/board", {"Cookie": cookie}), ("/metrics", {})):
            async with session.get(web + path, headers=headers, allow_redirects=False) as answer:
                if answer.status != 200:
                    raise SanshengError(f"{path} was answered {answer.status}")
                await answer.read()
        await asyncio.sleep(1)


async def _open_menus(session: aiohttp.ClientSession, web: str) -> int:
    async with session.get(web + "/metrics") as answer:
        for line in (await answer.text()).splitlines():
            if line.startswith(f"{catalogue.AGI_OPEN.name} "):
                return int(float(line.split()[1]))
    raise SanshengError("the service does not tell how many menus are open")
