"""The web application: the areas behind the gate, the live board, metrics and health (I1, I2, P1).

``/board`` the live board · ``/live`` its server-sent views · ``/metrics`` for Prometheus · ``/healthz`` alive ·
``/readyz`` ready · ``/static`` files; all else is in ``console/areas``.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping

from aiohttp import web

from calls.ids import Language
from calls.live import Picture
from calls.people import Right
from console.ask import Ask
from console.assets import Assets
from console.feed import Feed, LiveSource
from console.gate import Gate
from console.page import Page
from console.routes import Area, Open, Route, StreamHandler
from console.security import BOARD_POLICY, OVER_TLS, add_headers
from console.texts import Texts
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


class Now:
    """What is answered on the service's own loop, out of its memory: no database is asked."""

    def __init__(
        self,
        live: LiveSource,
        render: Render,
        health: Health,
        board: Board | None = None,
        heartbeat_s: float = HEARTBEAT_S,
        assets: Assets | None = None,
    ) -> None:
        self._live = live
        self._render = render
        self._health = health
        self._board = board or Board()
        self._assets = assets or Assets()
        self._page = Page(self._assets, self._board, heartbeat_s)
        self._feed = Feed(live, heartbeat_s)
        self._written: dict[Language, tuple[Picture, bytes]] = {}

    def routes(self) -> list[Route]:
        """What is answered; everything is read-only."""

        def stream(path: str, needs: Right | Open, handler: StreamHandler) -> Route:
            return Route(method="GET", path=path, needs=needs, stream=handler)

        return [
            stream("/board", Right.SEE_LIVE, self.page),
            Route(method="GET", path="/live", needs=Right.SEE_LIVE, stream=self.feed, api=True),
            stream("/static/{digest}/{name}", Open.STATIC, self.static),
            stream("/metrics", Open.SCRAPERS, self.metrics),
            stream("/healthz", Open.SCRAPERS, self.alive),
            stream("/readyz", Open.SCRAPERS, self.ready),
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

    async def page(self, ask: Ask, request: web.Request) -> web.Response:
        """The live board, painted with the picture of this moment."""
        view = view_of(self._live.picture(), ask.texts, self._board)
        headers = {
            "Content-Language": ask.texts.language,
            "Content-Security-Policy": BOARD_POLICY,
            "Vary": "Accept-Language, Cookie",
        }
        return web.Response(
            text=await self._page.paint(view, ask.texts), content_type="text/html", headers=headers
        )

    async def feed(self, ask: Ask, request: web.Request) -> web.StreamResponse:
        """Server-sent views: one at once, then the latest whenever something changed, and as a heartbeat."""
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "X-Accel-Buffering": "no"})
        await response.prepare(request)
        await response.write(f"retry: {_RECONNECT_MS}\n\n".encode())
        with contextlib.suppress(ConnectionResetError, TimeoutError):  # the reader left, or takes nothing
            async for picture in self._feed.read():
                async with asyncio.timeout(_SEND_TIMEOUT_S):
                    await response.write(self._message(picture, ask.texts))
        return response

    async def static(self, ask: Ask, request: web.Request) -> web.Response:
        """A file that never changes under its address."""
        asset = self._assets.get(request.match_info["digest"], request.match_info["name"])
        if asset is None:
            raise web.HTTPNotFound
        headers = {"Content-Type": asset.content_type, "Cache-Control": "public, max-age=31536000, immutable"}
        return web.Response(body=asset.body, headers=headers)

    async def metrics(self, ask: Ask, request: web.Request) -> web.Response:
        """All metrics in Prometheus's text format."""
        return web.Response(body=await self._render(), headers={"Content-Type": CONTENT_TYPE})

    async def alive(self, ask: Ask, request: web.Request) -> web.Response:
        """200 as long as the process answers at all."""
        return web.json_response({"alive": True})

    async def ready(self, ask: Ask, request: web.Request) -> web.Response:
        """200 when calls are served and kept, else 503; the body says what is not ready."""
        parts = dict(self._health())
        ready = all(parts.values())
        return web.json_response({"ready": ready, **parts}, status=200 if ready else 503)

    def _message(self, picture: Picture, texts: Texts) -> bytes:
        """A picture as an event, written once for all readers of a language."""
        last, message = self._written.get(texts.language, (None, b""))
        if last is not picture:
            view = view_of(picture, texts, self._board) | {"assets": self._assets.digest}
            message = f"event: picture\ndata: {json.dumps(view, ensure_ascii=False)}\n\n".encode()
            self._written[texts.language] = picture, message
        return message


def make_app(gate: Gate, now: Now, areas: Iterable[Area] = ()) -> web.Application:
    """The application, ready to be served."""
    app = web.Application(middlewares=[gate.only_own_names, gate.strayed])
    app.add_routes(gate.bind([*now.routes(), *(route for area in areas for route in area.routes())]))
    app[OVER_TLS] = gate.over_tls
    app.on_response_prepare.append(add_headers)
    app.cleanup_ctx.append(now.follow)
    app.on_shutdown.append(now.close)
    return app
