"""Pages of the console asked for without a server: routes, rights and handlers as they are, without the gate."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from typing import Any, cast
from urllib.parse import parse_qsl, urlsplit

from aiohttp import web
from multidict import MultiDict, MultiDictProxy

from calls.people import Person
from console.ask import Ask
from console.routes import Area, Open, Route
from console.texts import LANGUAGES, load_texts


class TestClock:
    """A clock that stands until it is moved on."""

    __test__ = False

    def __init__(self, at: datetime = datetime(2026, 11, 26, 8, tzinfo=UTC)) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at

    def on(self, **by: float) -> None:
        """Move on by days, hours …"""
        self.at += timedelta(**by)


class Typed(MultiDict[str]):
    """Fields of a form; ``typed | {…}`` types something else into some of them."""

    def __or__(self, changes: Mapping[str, str]) -> Typed:
        changed = Typed(self)
        changed.update(changes)
        return changed


@dataclass(frozen=True, slots=True)
class Seen:
    """An answer."""

    status: int
    text: str
    headers: Mapping[str, str]
    body: bytes = b""

    @property
    def location(self) -> str:
        return self.headers["Location"]

    def form(self, action: str) -> Typed:
        """What a form of the page would send if nobody touched it."""
        found = _Forms()
        found.feed(self.text)
        return found.fields[action]


@dataclass
class Front:
    """Asks pages of some areas."""

    areas: Sequence[Area]
    language: str = "en"
    _texts: dict[str, Any] = field(default_factory=dict)

    async def get(self, who: Person, url: str, **headers: str) -> Seen:
        return await self._ask("GET", who, url, (), headers)

    async def post(self, who: Person, url: str, form: Any = (), **headers: str) -> Seen:
        return await self._ask("POST", who, url, form, headers)

    def routes(self) -> list[Route]:
        return [route for area in self.areas for route in area.routes()]

    async def _ask(self, method: str, who: Person, url: str, form: Any, headers: Mapping[str, str]) -> Seen:
        parts = urlsplit(url)
        route, params = self._found(method, parts.path)
        if not _let_in(route, who):
            return Seen(403, "", {})
        texts = self._texts.setdefault(
            self.language, load_texts(next(each for each in LANGUAGES if each == self.language))
        )
        ask = Ask(
            method=method,
            path=parts.path,
            texts=texts,
            person=who,
            csrf="token",
            params=params,
            query=MultiDictProxy(MultiDict(parse_qsl(parts.query, keep_blank_values=True))),
            form=MultiDictProxy(MultiDict(form)),
            headers=headers,
        )
        assert route.handler is not None
        try:
            answer = await route.handler(ask)
        except web.HTTPException as error:
            return Seen(error.status, "", {})
        body = answer.body if isinstance(answer.body, bytes) else b""
        return Seen(answer.status, body.decode(errors="replace"), cast(Mapping[str, str], answer.headers), body)

    def _found(self, method: str, path: str) -> tuple[Route, dict[str, str]]:
        """As aiohttp finds routes: the first that fits."""
        for route in self.routes():
            pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", route.path)
            if route.method == method and (match := re.fullmatch(pattern, path)):
                return route, match.groupdict()
        raise AssertionError(f"no route for {method} {path}")


def _let_in(route: Route, who: Person) -> bool:
    needs = route.needs
    if isinstance(needs, Open):
        return True
    return any(who.may(right) for right in (needs if isinstance(needs, tuple) else (needs,)))


class _Forms(HTMLParser):
    """The fields of a page's forms, as a browser would send them."""

    def __init__(self) -> None:
        super().__init__()
        self.fields: dict[str, Typed] = {}
        self._now = Typed()
        self._select = ""
        self._area: str | None = None

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attributes}
        name = given.get("name", "")
        if tag == "form":
            self._now = self.fields.setdefault(given.get("action", ""), Typed())
        elif tag == "input" and name:
            ticked = given.get("type") not in ("radio", "checkbox") or "checked" in given
            if ticked:
                self._now.add(name, given.get("value", ""))
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select:
            if "selected" in given or self._select not in self._now:
                self._now[self._select] = given.get("value", "")
        elif tag == "textarea":
            self._area = name
            self._now[name] = ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "select":
            self._select = ""
        if tag == "textarea":
            self._area = None
        if tag == "form":
            self._now = Typed()

    def handle_data(self, data: str) -> None:
        if self._area:
            self._now[self._area] += data
