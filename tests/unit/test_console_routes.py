"""Role by route: who may ask what, over real sockets, from the table of all routes (P1).

Behind the real gate every page is a blank one, so that nothing is changed by asking. A new route is in the matrix
by itself; one that is open to everybody must be named here, too.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web

from calls.people import RIGHTS, Grant, Right, Role
from console.app import Now, make_app
from console.areas import areas as every_area
from console.areas.login import Login
from console.ask import Ask
from console.gate import Gate
from console.routes import Open, Route
from tests.support_console import NothingLive, ServedConsole, Somebody, here, no_metrics, served

pytestmark = pytest.mark.asyncio(loop_scope="module")

OPEN_TO_ANYONE = {"/login", "/login/code", "/logout", "/login/oidc", "/login/oidc/callback"}
OPEN_TO_ANYONE |= {"/s/{token}", "/form", "/form/{kind:complaint|question}", "/form/receipt", "/form/status"}
"""Addresses that need no session. Whatever is added here is reachable by the whole network.

The second line is for callers: the survey, which whoever has its one-time link may fill in (Q2), and the form for
complaints (C1).
"""

FOR_WHOEVER_SIGNED_IN = re.compile(r"/|/account(/.*)?")
"""One's own account: no address in it names anybody else."""

_PEOPLE = [Somebody(f"only-{role}", role, (Grant(role),)) for role in Role]


@dataclass(frozen=True)
class Table:
    """All routes, and a console that serves each as a blank page."""

    routes: list[Route]
    console: ServedConsole

    async def ask(self, login: str, route: Route, **headers: str) -> int:
        """The status that somebody gets."""
        client = await self.console.client(login)
        url = self.console.url + _PLACE.sub(_sample, route.path)
        async with client.request(route.method, url, headers=headers, allow_redirects=False) as answer:
            return answer.status

    def own(self, client: aiohttp.ClientSession) -> dict[str, str]:
        """What a form of our own page sends."""
        return {"Origin": self.console.url, "X-CSRF-Token": self.console.token(client)}


_PLACE = re.compile(r"\{(\w+):?((?:[^{}]|\{[^{}]*\})*)\}")
"""A place in a path: its name, and the pattern of what fits it."""

_SAMPLES = ("1", "TS2026-000001", "GD2026-000001", "ZX2026-000001", "2026-11", "hotline-1.1", "x", "inquiry")
_SAMPLES += ("1001", "0" * 32, "complaint")


def _sample(place: re.Match[str]) -> str:
    """Something that fits a place in a path."""
    fitting = [each for each in _SAMPLES if not place[2] or re.fullmatch(place[2], each)]
    assert fitting, f"no sample fits {place[0]}: add one"
    return fitting[0]


async def _blank(ask: Ask) -> web.Response:
    return web.Response(status=204)


async def _blank_stream(ask: Ask, request: web.Request) -> web.StreamResponse:
    return web.Response(status=204)


def _blanked(route: Route) -> Route:
    return replace(route, stream=_blank_stream) if route.stream else replace(route, handler=_blank)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def table(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Table]:
    folder = tmp_path_factory.mktemp("routes")
    async with served(folder, people=_PEOPLE, areas=lambda parts: [Login(parts)]) as signing_in:
        parts = signing_in.parts
        now = Now(NothingLive(), no_metrics, dict)
        routes = [*now.routes(), *(route for area in every_area(parts) for route in area.routes())]
        for login in ("", *(each.login for each in _PEOPLE)):
            await signing_in.client(login)
        gate = Gate(parts.doorkeeper, here, parts.painter, parts.doors)
        app = web.Application(middlewares=[gate.only_own_names, gate.strayed])
        app.add_routes(gate.bind(map(_blanked, routes)))
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        signing_in.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield Table(routes, signing_in)
        await runner.cleanup()


async def test_every_route_has_a_rule(table: Table) -> None:
    assert len(table.routes) > 20, "the table is not empty"
    for route in table.routes:
        needs = route.needs if isinstance(route.needs, tuple) else (route.needs,)
        assert needs, route.path
        assert all(isinstance(each, Right | Open) for each in needs), route.path
        if route.needs is Open.ANYONE:
            assert route.path in OPEN_TO_ANYONE, f"{route.path} is open to the whole network"
        if route.needs is Open.SIGNED_IN:
            assert FOR_WHOEVER_SIGNED_IN.fullmatch(route.path), f"{route.path} asks for no right"
        if route.needs in (Open.SCRAPERS, Open.STATIC):
            assert route.method == "GET"
            assert route.stream
            assert route.path.startswith(("/metrics", "/healthz", "/readyz", "/static/")), route.path


async def test_no_address_is_given_twice(table: Table) -> None:
    times = Counter((route.method, route.path) for route in table.routes)
    assert [each for each, count in times.items() if count > 1] == []


async def test_what_changes_something_is_never_asked_by_get(table: Table) -> None:
    verbs = ("add", "delete", "disable", "enable", "end", "off", "remove", "revoke", "save", "set", "start")
    for route in table.routes:
        assert route.method in ("GET", "POST", "PUT", "DELETE", "PATCH"), route.path
        assert route.method != "GET" or route.path.rpartition("/")[2] not in verbs, route.path


@pytest.mark.parametrize("role", Role)
async def test_a_role_is_let_in_where_its_rights_say_so_and_nowhere_else(table: Table, role: Role) -> None:
    client = await table.console.client(f"only-{role}")
    for route in table.routes:
        status = await table.ask(f"only-{role}", route, **table.own(client))
        assert status == (204 if _is_for(role, route) else 403), f"{role} {route.method} {route.path}"


def _is_for(role: Role, route: Route) -> bool:
    if isinstance(route.needs, Open):
        return True
    needs = route.needs if isinstance(route.needs, tuple) else (route.needs,)
    return bool(RIGHTS[role] & set(needs))


async def test_nobody_is_let_in_but_where_everybody_is(table: Table) -> None:
    client = await table.console.client()
    for route in table.routes:
        status = await table.ask("", route, **table.own(client))
        if isinstance(route.needs, Open) and route.needs is not Open.SIGNED_IN:
            assert status == 204, route.path
        else:
            assert status == (401 if route.api or route.stream else 303), route.path
            assert await table.ask("", route, **{"Sec-Fetch-Mode": "cors"}, **table.own(client)) == 401


@pytest.mark.parametrize("role", Role)
async def test_no_form_is_taken_that_another_site_may_have_sent(table: Table, role: Role) -> None:
    client = await table.console.client(f"only-{role}")
    own = table.own(client)
    forged: list[dict[str, str]] = [
        {},
        {"Origin": own["Origin"]},
        {"X-CSRF-Token": own["X-CSRF-Token"]},
        own | {"Origin": "http://evil.example"},
        own | {"Origin": "null"},
        own | {"Sec-Fetch-Site": "cross-site"},
        own | {"Sec-Fetch-Site": "same-site"},
        own | {"X-CSRF-Token": "0" * 64},
        own | {"X-CSRF-Token": "\u00e9"},
    ]
    # Whose session it is makes no difference to what is forged: everybody tries two, one role tries all.
    tried = forged if role is Role.ADMIN else forged[:1] + forged[3:4]
    for route in table.routes:
        if route.method != "GET":
            for headers in tried:
                assert await table.ask(f"only-{role}", route, **headers) == 403, (route.path, headers)


async def test_a_route_without_a_handler_cannot_be_made() -> None:
    with pytest.raises(AssertionError):
        Route(method="GET", path="/x", needs=Right.SEE_LIVE)


async def test_the_application_serves_exactly_the_table(table: Table) -> None:
    parts = table.console.parts
    gate = Gate(parts.doorkeeper, here, parts.painter, parts.doors)
    app = make_app(gate, Now(NothingLive(), no_metrics, dict), every_area(parts))
    served_routes = {
        (r.method, r.resource.canonical) for r in app.router.routes() if r.resource and r.method != "HEAD"
    }
    assert served_routes == {(route.method, _PLACE.sub(r"{\1}", route.path)) for route in table.routes}
