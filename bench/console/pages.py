"""Which pages are asked for, and how long each of them takes at the server: books, template and all."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import unescape
from urllib.parse import parse_qsl, urlsplit

from aiohttp import web

from calls.errors import SanshengError
from console.parts import Parts
from console.routes import Handler
from tests.support_player import asked, routes_of


@dataclass(frozen=True, slots=True)
class Page:
    """One kind of page: who asks for it, and where."""

    name: str
    who: str
    path: str
    query: Mapping[str, str]


def _calls(name: str, who: str = "lead", **query: str) -> Page:
    return Page(name, who, "/calls", {key.removesuffix("_"): value for key, value in query.items()})


def pages_of(call_id: str) -> Sequence[Page]:
    """Lists that an index answers and lists that none does, calls, searches, figures."""
    day = {"from_": "2025-06-10", "to": "2025-06-10"}
    return (
        _calls("all calls"),
        _calls("a day", **day),
        _calls("a section", section="coordination"),
        _calls("one section's monitor", "complaints"),
        _calls("an agent", agent="1007"),
        _calls("own calls", "agent"),
        _calls("given up", result="abandoned", section="complaint"),
        _calls("lost", result="lost"),
        _calls("long talks", talk_least="610"),
        _calls("none is like that", talk_least="9999"),
        _calls("repeated callers", repeated="1"),
        _calls("the same caller", same_caller_as=call_id),
        _calls("rule broken", outcome="broken", rule="greeting"),
        _calls("rule never broken", outcome="broken", rule="no-such-rule"),
        _calls("behind K1", kpi="K1", period="2025", side="denominator"),
        _calls("behind K2r", kpi="K2r", period="2025-06", section="ticketing"),
        _calls("an agent's K2r", kpi="K2r", period="2025-06", agent="1007", side="denominator"),
        _calls("behind recordings missing", kpi="N_UNRECORDED", period="2025"),
        Page("a call", "lead", f"/calls/{call_id}", {}),
        Page("search", "lead", "/search", {"text": "退票"}),
        Page("search, one section", "complaints", "/search", {"text": "退"}),
        Page("figures of a month", "lead", "/figures", {"period": "2025-06", "kpi": "K2"}),
        Page("figures of the year", "lead", "/figures", {"period": "2025", "kpi": "K1"}),
        Page("one section's figures", "complaints", "/figures", {"period": "2025-06-10"}),
    )


class Reader:
    """Asks for pages as the gate hands questions on, one after the other."""

    def __init__(self, parts: Parts) -> None:
        self._handlers: dict[str, Handler] = {
            route.path: route.handler for route in routes_of(parts) if route.method == "GET" and route.handler
        }

    async def read(self, page: Page, times: int) -> list[float]:
        """Milliseconds that each asking took; lists are turned over page by page, as far as they go."""
        query, took = dict(page.query), list[float]()
        for _ in range(times):
            began = time.perf_counter()
            answer = await self._ask(page, query)
            took.append(1000 * (time.perf_counter() - began))
            query = _next(answer.text or "") or dict(page.query)
        return took

    async def _ask(self, page: Page, query: Mapping[str, str]) -> web.Response:
        called = page.path.startswith("/calls/")
        handler = self._handlers["/calls/{call_id}" if called else page.path]
        params = {"call_id": page.path.rpartition("/")[2]} if called else {}
        answer = await handler(asked(page.who, page.path, params, query.items()))
        if answer.status != 200:
            raise SanshengError(f"{page.name}: {answer.status}")
        return answer


def _next(html: str) -> dict[str, str] | None:
    """The query of the page behind this one."""
    _, found, rest = html.partition('rel="next" href="/calls?')
    return dict(parse_qsl(urlsplit("?" + unescape(rest.partition('"')[0])).query)) if found else None
