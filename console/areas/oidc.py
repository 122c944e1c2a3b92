"""Signing in at the operator's identity provider; there if it is set up (``console.oidc`` in the settings)."""

from __future__ import annotations

import logging

from aiohttp import web

from console.areas.login import came_from
from console.ask import Ask
from console.doorkeeper import NotLetIn
from console.doors import safe_next
from console.oidc import IdentityError, Provider
from console.painter import seen_elsewhere
from console.parts import Parts
from console.routes import Open, Route, get

log = logging.getLogger(__name__)

CALLBACK = "/login/oidc/callback"


class OidcLogin:
    """There and back."""

    def __init__(self, parts: Parts) -> None:
        self._provider = parts.identity
        self._keeper = parts.doorkeeper
        self._doors = parts.doors

    def routes(self) -> list[Route]:
        """What it answers."""
        return [get("/login/oidc", Open.ANYONE, self.go), get(CALLBACK, Open.ANYONE, self.come_back)]

    async def go(self, ask: Ask) -> web.Response:
        """To the provider. The form's token stands for this browser: no other has it."""
        provider, here = self._known(), self._doors.base(ask.headers.get("Host", ""))
        try:
            there = await provider.start(ask.csrf, here + CALLBACK, safe_next(ask.query.get("next")))
        except IdentityError as error:
            return self._failed(error)
        return seen_elsewhere(there)

    async def come_back(self, ask: Ask) -> web.Response:
        """From the provider, with a code that is worth an identity."""
        provider = self._known()
        try:
            identity, wished = await provider.finish(ask.csrf, {k: v[:4000] for k, v in ask.query.items()})
            let_in = await self._keeper.identified(identity, provider.terms, came_from(ask))
        except (IdentityError, NotLetIn) as error:
            return self._failed(error)
        answer = seen_elsewhere(wished)
        self._doors.keep_session(answer, let_in.secret)
        return answer

    def _known(self) -> Provider:
        if self._provider is None:
            raise web.HTTPNotFound
        return self._provider

    def _failed(self, error: IdentityError | NotLetIn) -> web.Response:
        log.warning("console.identity_refused", extra={"reason": str(error)})
        return seen_elsewhere("/login", "login.oidc_failed")
