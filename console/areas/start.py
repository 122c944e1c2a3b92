"""``/``: everybody's way to the page that their work begins with."""

from __future__ import annotations

from aiohttp import web

from console.ask import Ask
from console.navigation import start_of
from console.painter import seen_elsewhere
from console.parts import Parts
from console.routes import Open, Route, get


class Start:
    """One address, another page for each role."""

    def __init__(self, parts: Parts) -> None:
        pass

    def routes(self) -> list[Route]:
        """What it answers."""
        return [get("/", Open.SIGNED_IN, self.start)]

    async def start(self, ask: Ask) -> web.Response:
        """To the first page of their role."""
        return seen_elsewhere(start_of(ask.who))
