"""People who are signed in to a running service: their browser, without the browser."""

from __future__ import annotations

import json
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import aiohttp

from calls.accounts import Account, Session
from calls.custody import Access, AccessKind
from calls.ids import AgentNumber
from calls.people import Grant
from console.doorkeeper import csrf_of, hashed
from service.wiring import SystemClock
from storage.engine import open_engine
from storage.people import SqlPeople
from storage.sessions import SqlSessions
from tests.support_centre import Centre

CLOCK = SystemClock()


class SignedIn:
    """What one person asks of the console."""

    def __init__(self, centre: Centre, web: aiohttp.ClientSession, secret: str, login: str) -> None:
        self._url = f"http://127.0.0.1:{centre.settings.ports.web}"
        self._web = web
        self._secret = secret
        self.login = login

    async def get(self, path: str) -> tuple[int, str]:
        """A page."""
        async with self._web.get(self._url + path, allow_redirects=False) as answer:
            return answer.status, await answer.text()

    async def post(self, path: str, fields: dict[str, str]) -> tuple[int, str]:
        """A form of ours: its status, and where it leads."""
        told = {**fields, "csrf": csrf_of(self._secret)}
        headers = {"Origin": self._url}
        async with self._web.post(self._url + path, data=told, headers=headers, allow_redirects=False) as answer:
            return answer.status, answer.headers.get("Location", await answer.text())

    async def lines(self) -> AsyncIterator[Any]:
        """What an agent's desk is told, as it comes."""
        async with self._web.get(f"{self._url}/desk/events") as answer:
            assert answer.status == 200
            async for line in answer.content:
                if line.startswith(b"data: "):
                    yield json.loads(line[6:])


@asynccontextmanager
async def signed_in(
    centre: Centre, *grants: Grant, agent: str | None = None, name: str | None = None
) -> AsyncIterator[SignedIn]:
    """Somebody new with these grants, who reads Chinese; with this agent's telephone and this name, if any."""
    engine, now, secret = open_engine(centre.settings.ledger_url), CLOCK.now(), secrets.token_urlsafe(32)
    login = f"tests{secrets.token_hex(4)}"
    number = AgentNumber(agent) if agent else None
    account = Account(login=login, name=name or login, created_at=now, agent=number, grants=grants)
    session = Session(
        id=hashed(secret),
        login=login,
        began_at=now,
        seen_at=now,
        ends_at=now + timedelta(hours=1),
        address="127.0.0.1",
        browser="a test",
    )
    try:
        await SqlPeople(engine, CLOCK).add(account, Access("service:tests", AccessKind.PEOPLE, "a test"))
        await SqlSessions(engine, CLOCK).begin(session)
        headers = {"Cookie": f"sansheng={secret}", "Accept-Language": "zh-CN"}
        async with aiohttp.ClientSession(headers=headers) as web:
            yield SignedIn(centre, web, secret, login)
    finally:
        await engine.dispose()
