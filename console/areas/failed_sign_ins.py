"""Who tried to sign in and failed, as the administrator reads it. To look is itself noted (P1, P4)."""

from __future__ import annotations

from aiohttp import web

from calls.accounts import is_login
from calls.custody import Access, AccessKind
from calls.people import Right
from console.ask import Ask
from console.painter import address
from console.parts import Parts
from console.routes import Route, get

_LINES = 50


class FailedSignInsArea:
    """``/access-log/failed``."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._failed = parts.doorkeeper.failed

    def routes(self) -> list[Route]:
        """What it answers."""
        return [get("/access-log/failed", Right.READ_ACCESS_LOG, self.page)]

    async def page(self, ask: Ask) -> web.Response:
        """Those of the last ninety days, of everybody or of one login, the newest first."""
        told, before = ask.query.get("login", "").strip().lower(), ask.query.get("before", "")
        login = told if is_login(told) else ""
        words = f"failed sign-ins of {login or 'everybody'}"
        await self._parts.accesses.note(Access(ask.who.login, AccessKind.SEE_LOG, words))
        found = await self._failed.page(
            self._parts.clock.now(),
            login=login or None,
            before=int(before) if before.isascii() and before.isdecimal() and len(before) < 19 else None,
            limit=_LINES + 1,
        )
        shown = found[:_LINES]
        return self._parts.painter.page(
            ask,
            "people/failed_sign_ins.html.j2",
            login=login,
            found=shown,
            first=address("/access-log/failed", ask.query, before="") if before else "",
            next=address("/access-log/failed", ask.query, before=shown[-1].number) if len(found) > _LINES else "",
        )
