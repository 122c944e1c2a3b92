"""Signing in at an identity provider, a real one on a port of its own that can lie in every way (P1)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio

from calls.custody import Access, AccessKind
from calls.ids import SectionId
from calls.people import Grant, Role
from console.oidc import Provider, Terms
from console.parts import Parts
from storage.access import SqlAccessLog
from tests.support_console import ServedConsole, SetTime, served
from tests.support_identity import CLIENT, SECRET, IdentityServer, identity_server

ROLES = {"质检组": (Grant(Role.MONITOR, SectionId("inquiry")),), "leads": (Grant(Role.LEAD),)}


@pytest_asyncio.fixture
async def idp() -> AsyncIterator[IdentityServer]:
    async with identity_server() as server:
        server.claims = {"preferred_username": "monitor", "name": "张敏"}
        yield server


@pytest.fixture
def clock() -> SetTime:
    return SetTime(datetime.now(UTC))


@pytest_asyncio.fixture
async def console(idp: IdentityServer, tmp_path: Path, clock: SetTime) -> AsyncIterator[ServedConsole]:
    terms = Terms(issuer=idp.url, client_id=CLIENT, client_secret=SECRET)

    def with_provider(parts: Parts) -> Parts:
        return replace(parts, identity=Provider(terms, clock))

    async with served(tmp_path, clock=clock, change=with_provider) as console:
        yield console


def agree(console: ServedConsole, **terms: object) -> None:
    """Other terms than those that are usual here."""
    provider = console.parts.identity
    assert provider
    provider.terms = replace(provider.terms, **terms)  # type: ignore[arg-type]


async def browser(console: ServedConsole) -> aiohttp.ClientSession:
    client = aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))
    console.keep(client)
    return client


async def sign_in(console: ServedConsole, client: aiohttp.ClientSession | None = None) -> str:
    """Follow the button, there and back; the path that it ends at."""
    client = client or await browser(console)
    async with client.get(f"{console.url}/login/oidc?next=/account") as answer:
        return answer.url.path


async def test_somebody_known_is_let_in_and_gets_where_they_were_going(
    console: ServedConsole, idp: IdentityServer
) -> None:
    client = await browser(console)
    assert await sign_in(console, client) == "/account"
    async with client.get(f"{console.url}/account") as answer:
        assert "张敏" in await answer.text()
    log = SqlAccessLog(console.engine, console.parts.clock)
    assert "by OpenID Connect" in (await log.entries(actor="monitor"))[0].access.reason
    account = await console.parts.doorkeeper.people.find("monitor")
    assert account
    assert account.grants == (Grant(Role.MONITOR, SectionId("inquiry")),), "roles are kept here"


async def test_the_page_for_signing_in_has_the_button(console: ServedConsole) -> None:
    text = (await console.get("", "/login?next=/calls"))[1]
    assert 'href="/login/oidc?next=%2Fcalls"' in text


@pytest.mark.parametrize(
    "lie",
    [*"description error iss token issuer audience expired nonce azp kid none hmac signature".split(), "no exp"],
)
async def test_no_lie_is_believed(console: ServedConsole, idp: IdentityServer, lie: str) -> None:
    idp.lie = lie
    assert await sign_in(console) == "/login"
    idp.lie = ""
    assert await sign_in(console) == "/account"


async def test_an_answer_is_taken_once_by_the_browser_that_asked_and_in_time(
    console: ServedConsole, idp: IdentityServer, clock: SetTime
) -> None:
    mine, other = await browser(console), await browser(console)

    async def there(client: aiohttp.ClientSession) -> str:
        """As far as the provider's answer, which is not followed."""
        async with client.get(f"{console.url}/login/oidc", allow_redirects=False) as answer:
            to = answer.headers["Location"]
        async with client.get(to, allow_redirects=False) as answer:
            return answer.headers["Location"]

    async def back(client: aiohttp.ClientSession, url: str) -> str:
        async with client.get(url, allow_redirects=False) as answer:
            return answer.headers["Location"]

    async with other.get(f"{console.url}/login"):
        pass
    assert await back(other, await there(mine)) == "/login", "another browser's answer was planted"
    url = await there(mine)
    assert await back(mine, url) == "/"
    assert await back(mine, url) == "/login", "twice"
    late = await there(mine)
    clock.moment += timedelta(minutes=11)
    assert await back(mine, late) == "/login"
    for made_up in ("", "?state=x&code=y", "?state=%00&code=%00", "?error=x"):
        assert await back(mine, f"{console.url}/login/oidc/callback{made_up}") == "/login"


@pytest.mark.parametrize("login", ["nobody-here", "../etc", "", 7, None, ["monitor"]])
async def test_somebody_unknown_is_not_let_in(console: ServedConsole, idp: IdentityServer, login: object) -> None:
    idp.claims = {"preferred_username": login, "groups": ["质检组"]}
    assert await sign_in(console) == "/login"


async def test_who_is_disabled_is_not_let_in(console: ServedConsole) -> None:
    noted = Access("x", AccessKind.PEOPLE, "x")
    await console.parts.doorkeeper.people.disable("monitor", noted)
    assert await sign_in(console) == "/login"


async def test_groups_may_be_roles(console: ServedConsole, idp: IdentityServer) -> None:
    people = console.parts.doorkeeper.people
    agree(console, roles=ROLES)
    idp.claims |= {"groups": ["leads", "cooks"]}
    assert await sign_in(console) == "/account"
    account = await people.find("monitor")
    assert account
    assert account.grants == (Grant(Role.LEAD),)
    for groups in (["cooks"], "leads", None, [7]):
        idp.claims |= {"groups": groups}
        assert await sign_in(console) == "/login", groups
    idp.claims = {"preferred_username": "New.One", "name": "新\u202e人", "groups": ["质检组"]}
    assert await sign_in(console) == "/login", "nobody is made known unless it was agreed"
    agree(console, create=True)
    assert await sign_in(console) == "/account"
    account = await people.find("new.one")
    assert account
    assert (account.name, account.grants, account.password_hash) == ("新人", ROLES["质检组"], None)


async def test_a_new_key_of_the_providers_is_fetched(
    console: ServedConsole, idp: IdentityServer, clock: SetTime
) -> None:
    assert await sign_in(console) == "/account"
    idp.rotate()
    assert await sign_in(console) == "/login", "not within the minute: nobody makes us ask for ever"
    clock.moment += timedelta(minutes=1)
    assert await sign_in(console) == "/account"


async def test_without_a_provider_there_is_no_such_page(tmp_path: Path) -> None:
    async with served(tmp_path) as console:
        assert (await console.get("", "/login/oidc"))[0] == 404
        assert (await console.get("", "/login/oidc/callback?state=x&code=y"))[0] == 404
        assert "/login/oidc" not in (await console.get("", "/login"))[1]


async def test_a_provider_without_tls_is_not_asked(tmp_path: Path, clock: SetTime) -> None:
    terms = Terms(issuer="http://idp.example", client_id=CLIENT)
    async with served(tmp_path, change=lambda parts: replace(parts, identity=Provider(terms, clock))) as console:
        assert await sign_in(console) == "/login"
