"""The gate over real sockets: who is let in, and which forms are believed (P1)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from tests.support_console import PASSWORD, ServedConsole, served


@pytest_asyncio.fixture
async def console(tmp_path: Path) -> AsyncIterator[ServedConsole]:
    async with served(tmp_path) as console:
        yield console


async def test_nobody_is_sent_to_the_login_and_back_again(console: ServedConsole) -> None:
    client = await console.client()
    async with client.get(f"{console.url}/account?x=1", allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (303, "/login?next=/account%3Fx%3D1")
    async with client.get(f"{console.url}/login?next=/account%3Fx%3D1") as answer:
        assert 'name="next" value="/account?x=1"' in await answer.text()
    fields = {"login": "Monitor", "password": PASSWORD, "next": "/account?x=1"}
    async with console.form(client, "/login", fields) as answer:
        assert (answer.status, answer.headers["Location"]) == (303, "/account?x=1")
    async with client.get(f"{console.url}/account") as answer:
        assert "张敏" in await answer.text()


async def test_each_role_starts_somewhere_it_may_be(console: ServedConsole) -> None:
    for login in ("agent", "monitor", "lead", "supervisor", "ops", "admin"):
        status, _ = await console.get(login, "/")
        assert status == 303
        client = await console.client(login)
        async with client.get(console.url + "/") as answer:
            assert answer.status == 200, login
