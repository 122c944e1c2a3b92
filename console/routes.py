"""The table of routes: every address says who may ask it, so that one without a rule cannot exist (P1)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from aiohttp import web

from calls.people import Right
from console.ask import Ask

Handler = Callable[[Ask], Awaitable[web.Response]]
"""Runs in the back room, where tens of milliseconds of Python hold up no caller."""

StreamHandler = Callable[[Ask, web.Request], Awaitable[web.StreamResponse]]
"""Runs on the service's own loop: for answers without an end."""


class Open(Enum):
    """Rules that need no right."""

    ANYONE = "anyone"
    SIGNED_IN = "signed in"
    """Whoever has a session, whatever their role."""
    SCRAPERS = "scrapers"
    """Prometheus and health checks: from this machine, without a session."""
    STATIC = "static"
    """Files that are the same for everybody: nobody looks at who asks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One address. Exactly one of ``handler`` and ``stream`` answers it.

    ``needs`` with several rights: any of them opens the door; what is behind it is narrowed by ``Ask.scope``.
    """

    method: str
    path: str
    """With places as aiohttp writes them: ``/calls/{call_id}``."""
    needs: Right | Open | tuple[Right, ...]
    handler: Handler | None = None
    stream: StreamHandler | None = None
    largest_body: int = 256 * 1024
    """Bytes; more is refused with 413."""
    while_away: str = ""
    """The template of a page for who has a session's cookie, instead of the refusal while the database is away and
    nobody can be known. It shows nothing of the books."""
    api: bool = False
    """Answers in JSON, takes tokens, and refuses with a status rather than a page."""

    def __post_init__(self) -> None:
        assert (self.handler is None) != (self.stream is None), self.path


class Area(Protocol):
    """A group of pages."""

    def routes(self) -> list[Route]:
        """What it answers."""


def get(path: str, needs: Right | Open | tuple[Right, ...], handler: Handler) -> Route:
    """A page."""
    return Route(method="GET", path=path, needs=needs, handler=handler)


def post(path: str, needs: Right | Open | tuple[Right, ...], handler: Handler) -> Route:
    """A form's target; its CSRF token has been looked at before the handler runs."""
    return Route(method="POST", path=path, needs=needs, handler=handler)
