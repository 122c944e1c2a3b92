"""Signing in and out (P1).

What is wrong is never said exactly, and to say so takes as long whether or not the name exists.
"""

from __future__ import annotations

from urllib.parse import quote

from aiohttp import web

from console.ask import Ask
from console.doorkeeper import From, LetIn, NotLetIn
from console.doors import safe_next
from console.painter import seen_elsewhere
from console.parts import Parts
from console.routes import Open, Route, get, post


class Login:
    """Password, then the one-time password of who has one."""

    def __init__(self, parts: Parts) -> None:
        self._keeper = parts.doorkeeper
        self._doors = parts.doors
        self._painter = parts.painter
        self._identity = parts.identity.terms if parts.identity else None

    def routes(self) -> list[Route]:
        """What it answers."""
        return [
            get("/login", Open.ANYONE, self.form),
            post("/login", Open.ANYONE, self.sign_in),
            get("/login/code", Open.ANYONE, self.code_form),
            post("/login/code", Open.ANYONE, self.enter_code),
            post("/logout", Open.ANYONE, self.sign_out),
        ]

    async def form(self, ask: Ask) -> web.Response:
        """The form; whoever is signed in goes on."""
        wished = safe_next(ask.query.get("next"))
        return seen_elsewhere(wished) if ask.person else self._form(ask, wished)

    async def sign_in(self, ask: Ask) -> web.Response:
        """Name and password."""
        wished = safe_next(ask.form.get("next"))
        login = ask.form.get("login", "")[:100]
        try:
            let_in = await self._keeper.sign_in(login, ask.form.get("password", ""), came_from(ask))
        except NotLetIn as refused:
            return self._refused(self._form(ask, wished, login=login, refused=refused), refused)
        to = f"/login/code?next={quote(wished, safe='/')}" if let_in.waits_for_code else wished
        return self._seen(to, let_in)

    async def code_form(self, ask: Ask) -> web.Response:
        """The form for the one-time password."""
        wished = safe_next(ask.query.get("next"))
        if not await self._keeper.waiting(ask.session):
            return seen_elsewhere(wished if ask.person else "/login")
        return self._painter.page(ask, "login/code.html.j2", next=wished, refused=None)

    async def enter_code(self, ask: Ask) -> web.Response:
        """The one-time password."""
        wished = safe_next(ask.form.get("next"))
        visitor = await self._keeper.waiting(ask.session)
        if visitor is None:
            return seen_elsewhere("/login")
        try:
            let_in = await self._keeper.enter_code(visitor, ask.form.get("code", "")[:20], came_from(ask))
        except NotLetIn as refused:
            page = self._painter.page(ask, "login/code.html.j2", status=401, next=wished, refused=refused)
            return self._refused(page, refused)
        return self._seen(wished, let_in)

    async def sign_out(self, ask: Ask) -> web.Response:
        """The session ends here and in the books."""
        if ask.session:
            await self._keeper.sessions.end(ask.session)
        answer = seen_elsewhere("/login", "login.signed_out")
        self._doors.end_session(answer)
        return answer

    def _form(self, ask: Ask, wished: str, *, login: str = "", refused: NotLetIn | None = None) -> web.Response:
        return self._painter.page(
            ask,
            "login/login.html.j2",
            status=401 if refused else 200,
            next=wished,
            login=login,
            refused=refused,
            identity=self._identity,
        )

    def _refused(self, page: web.Response, refused: NotLetIn) -> web.Response:
        if refused.wait_s:
            page.set_status(429)
            page.headers["Retry-After"] = str(refused.wait_s)
        return page

    def _seen(self, to: str, let_in: LetIn) -> web.Response:
        answer = seen_elsewhere(to)
        self._doors.keep_session(answer, let_in.secret)
        return answer


def came_from(ask: Ask) -> From:
    """Where somebody comes from, as sessions keep it."""
    return From(ask.remote, ask.headers.get("User-Agent", ""), ask.session)
