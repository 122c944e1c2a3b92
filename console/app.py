"""The web application: live page, its feed, metrics and health (I1, I2).

It is bound to loopback until there is a login.

``/`` the page · ``/live`` server-sent views · ``/metrics`` for Prometheus · ``/healthz`` alive · ``/readyz`` ready
``/api/v1`` figures (``console/api.py``)
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

from aiohttp import web

from calls.ids import Language
from calls.live import Picture
from console.api import KpiApi
from console.assets import Assets
from console.feed import Feed, LiveSource
from console.page import Page
from console.security import add_headers, only_loopback_names
from console.texts import LANGUAGES, Texts, choose_language, load_texts
from console.view import Board, view_of
from metrics.exporter import CONTENT_TYPE

Render = Callable[[], Awaitable[bytes]]
"""What /metrics answers with."""

Health = Callable[[], Mapping[str, bool]]
"""Each thing that must work for calls to be served and kept, and whether it does."""

HEARTBEAT_S = 5.0
_SEND_TIMEOUT_S = 30.0
"""A reader who takes nothing for so long is let go; its browser comes back by itself."""
_RECONNECT_MS = 2000


class Console:
    """The handlers, and what they share."""

    def __init__(self, live: LiveSource, render: Render, health: Health, board: Board, heartbeat_s: float) -> None:
        self._live = live
        self._render = render
        self._health = health
        self._board = board
        self._texts = {language: load_texts(language) for language in LANGUAGES}
        self._assets = Assets()
        self._page = Page(self._assets, board, heartbeat_s)
        self._feed = Feed(live, heartbeat_s)
        self._written: dict[Language, tuple[Picture, bytes]] = {}

    def routes(self) -> list[web.RouteDef]:
        """What is answered; everything is read-only."""
        return [
            web.get("/", self.page),
            web.get("/live", self.feed),
            web.get("/static/{digest}/{name}", self.static),
            web.get("/metrics", self.metrics),
            web.get("/healthz", self.alive),
            web.get("/readyz", self.ready),
        ]

    async def follow(self, app: web.Application) -> AsyncIterator[None]:
        """Follow the live source while the application runs."""
        task = asyncio.create_task(self._feed.run(), name="live feed")
        yield
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    async def close(self, app: web.Application) -> None:
        """Let the readers go, so that stopping does not wait for them."""
        await self._feed.close()

    async def page(self, request: web.Request) -> web.Response:
        """The live page, painted with the picture of this moment."""
        texts = self._texts_for(request)
        view = view_of(self._live.picture(), texts, self._board)
        headers = {"Content-Language": texts.language, "Vary": "Accept-Language"}
        return web.Response(text=await self._page.paint(view, texts), content_type="text/html", headers=headers)

    async def feed(self, request: web.Request) -> web.StreamResponse:
        """Server-sent views: one at once, then the latest whenever something changed, and as a heartbeat."""
        texts = self._texts_for(request)
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "X-Accel-Buffering": "no"})
        await response.prepare(request)
        await response.write(f"retry: {_RECONNECT_MS}\n\n".encode())
        with contextlib.suppress(ConnectionResetError, TimeoutError):  # the reader left, or takes nothing
            async for picture in self._feed.read():
                async with asyncio.timeout(_SEND_TIMEOUT_S):
                    await response.write(self._message(picture, texts))
        return response

    async def static(self, request: web.Request) -> web.Response:
        """A file that never changes under its address."""
        asset = self._assets.get(request.match_info["digest"], request.match_info["name"])
        if asset is None:
            raise web.HTTPNotFound
        headers = {"Content-Type": asset.content_type, "Cache-Control": "public, max-age=31536000, immutable"}
        return web.Response(body=asset.body, headers=headers)

    async def metrics(self, request: web.Request) -> web.Response:
        """All metrics in Prometheus's text format."""
        return web.Response(body=await self._render(), headers={"Content-Type": CONTENT_TYPE})

    async def alive(self, request: web.Request) -> web.Response:
        """200 as long as the process answers at all."""
        return web.json_response({"alive": True})

    async def ready(self, request: web.Request) -> web.Response:
        """200 when calls are served and kept, else 503; the body says what is not ready."""
        parts = dict(self._health())
        ready = all(parts.values())
        return web.json_response({"ready": ready, **parts}, status=200 if ready else 503)

    def _texts_for(self, request: web.Request) -> Texts:
        return self._texts[choose_language(request.query.get("lang"), request.headers.get("Accept-Language", ""))]

    def _message(self, picture: Picture, texts: Texts) -> bytes:
        """A picture as an event, written once for all readers of a language."""
        last, message = self._written.get(texts.language, (None, b""))
        if last is not picture:
            view = view_of(picture, texts, self._board) | {"assets": self._assets.digest}
            message = f"event: picture\ndata: {json.dumps(view, ensure_ascii=False)}\n\n".encode()
            self._written[texts.language] = picture, message
        return message


def make_app(
    live: LiveSource,
    render: Render,
    health: Health,
    *,
    board: Board | None = None,
    loopback_only: bool = True,
    heartbeat_s: float = HEARTBEAT_S,
    api: KpiApi | None = None,
) -> web.Application:
    """The application, ready to be served.

    With `loopback_only`, right while it is bound to loopback, requests under any other host name are refused.
    """
    console = Console(live, render, health, board or Board(), heartbeat_s)
    app = web.Application(middlewares=[only_loopback_names] if loopback_only else [])
    app.add_routes([*console.routes(), *(api.routes() if api else [])])
    app.on_response_prepare.append(add_headers)
    app.cleanup_ctx.append(console.follow)
    app.on_shutdown.append(console.close)
    return app
