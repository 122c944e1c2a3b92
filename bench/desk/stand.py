"""The stand: our service in a process of its own, a fake manager interface, agents signed in, full books."""

from __future__ import annotations

import contextlib
import secrets
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import insert

from bench.calls.stand import bench_settings, forget_calls, settings_text
from calls.accounts import Account, Session
from calls.call import Result, Stage
from calls.custody import Access, AccessKind
from calls.ids import AgentNumber
from calls.people import Grant, Role
from console.doorkeeper import hashed
from service.asterisk import AMI_USER, Dirs
from service.processes import ServiceProcess
from service.prompts import install_prompts
from service.secrets import load_secrets
from service.settings import Ports, Settings, load_settings
from service.wiring import SystemClock
from storage.engine import for_writing, open_engine, upgrade
from storage.people import SqlPeople
from storage.sessions import SqlSessions
from storage.tables import calls
from tests.support_ami import FakeAmi

CALLERS = 500
"""Numbers that call, each with a history."""
EARLIER = 40
"""Earlier calls of each."""
_AT_ONCE = 2000
_BENCH = Access("service:bench", AccessKind.PEOPLE, "bench.desk")


@dataclass(frozen=True)
class DeskStand:
    """What is measured, and with what."""

    settings: Settings
    ami: FakeAmi
    cookies: dict[str, str]
    """By agent's number: the cookie of their browser."""
    watcher: str
    """The cookie of somebody who watches the live board."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.settings.ports.web}"


def number_of(which: int) -> str:
    """The telephone number of a caller."""
    return f"139{which % CALLERS:08d}"


@contextlib.asynccontextmanager
async def desk_stand(config: Path | None, desks: int) -> AsyncIterator[DeskStand]:
    """Stops everything at the end."""
    base, _ = bench_settings(config)
    agi, web = _free_ports(2)
    var_dir = base.var_dir / "desk"
    var_dir.mkdir(parents=True, exist_ok=True)
    secret = load_secrets(var_dir / "secrets.json", []).ami
    async with FakeAmi(username=AMI_USER, secret=secret) as ami:
        file = var_dir / "bench.toml"
        ports = Ports(ami=ami.port, agi=agi, web=web)
        file.write_text(settings_text(base, var_dir=var_dir, ports=ports, agents=desks), encoding="utf-8")
        settings = load_settings(file)
        forget_calls(settings)
        dirs = Dirs(settings.var_dir / "pbx", settings.recordings_dir)
        dirs.make()
        install_prompts(settings, dirs)
        cookies, watcher = await _fill(settings)
        service = ServiceProcess(settings, ("--config", str(file)))
        await service.start()
        try:
            await service.ready()
            yield DeskStand(settings, ami, cookies, watcher)
        finally:
            await service.stop()
            forget_calls(settings)


async def _fill(settings: Settings) -> tuple[dict[str, str], str]:
    """The books: everybody's account and session, every caller's earlier calls."""
    await upgrade(settings.ledger_url)
    engine = open_engine(settings.ledger_url)
    clock = SystemClock()
    people, sessions = SqlPeople(engine, clock), SqlSessions(engine, clock)
    now = datetime.now(UTC)

    async def signed_in(login: str, role: Role, agent: str | None) -> str:
        number = AgentNumber(agent) if agent else None
        account = Account(login=login, name=login, created_at=now, agent=number, grants=(Grant(role),))
        await people.add(account, _BENCH)
        cookie = secrets.token_urlsafe(32)
        session = Session(
            id=hashed(cookie),
            login=login,
            began_at=now,
            seen_at=now,
            ends_at=now + timedelta(hours=2),
            address="127.0.0.1",
            browser="bench",
        )
        await sessions.begin(session)
        return cookie

    try:
        cookies = {
            each.number: await signed_in(f"a{each.number}", Role.AGENT, each.number) for each in settings.agents
        }
        watcher = await signed_in("watcher", Role.SUPERVISOR, None)
        rows = [_earlier(which, nth, now) for which in range(CALLERS) for nth in range(EARLIER)]
        for start in range(0, len(rows), _AT_ONCE):
            async with for_writing(engine).begin() as connection:
                await connection.execute(insert(calls), rows[start : start + _AT_ONCE])
    finally:
        await engine.dispose()
    return cookies, watcher


def _earlier(which: int, nth: int, now: datetime) -> dict[str, object]:
    arrived = now - timedelta(days=nth + 1, seconds=which)
    return {
        "call_id": f"past-{nth}.{which}",
        "arrived_at": arrived,
        "trunk": "bench",
        "caller": number_of(which),
        "asked_at": arrived + timedelta(seconds=10),
        "section": "inquiry",
        "language": "zh-CN",
        "priority": False,
        "asked_by": "menu",
        "connected_at": arrived + timedelta(seconds=15),
        "agent": "10001",
        "wait_s": 5.0,
        "waited_s": 5.0,
        "talk_s": 60.0,
        "ended_at": arrived + timedelta(seconds=75),
        "ended_by": "caller",
        "stage": Stage.ENDED.value,
        "result": Result.ANSWERED.value,
        "has_recording": True,
        "recording_missing": False,
    }


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]
