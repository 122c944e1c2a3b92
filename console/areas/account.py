"""One's own account: password, second factor, language, sessions, tokens."""

from __future__ import annotations

import pyotp
import segno
from aiohttp import web
from markupsafe import Markup

from calls.accounts import Account as Kept
from calls.custody import Access, AccessKind
from calls.errors import AccessDenied, WeakPassword
from calls.ids import Language
from console.areas.login import came_from
from console.ask import Ask
from console.doorkeeper import NotLetIn
from console.painter import seen_elsewhere
from console.parts import Parts
from console.routes import Open, Route, get, post
from console.texts import LANGUAGES


class Account:
    """Everybody's own; there is no address here that names anybody else."""

    def __init__(self, parts: Parts) -> None:
        self._keeper = parts.doorkeeper
        self._doors = parts.doors
        self._painter = parts.painter
        self._sections = parts.sections

    def routes(self) -> list[Route]:
        """What it answers."""
        return [
            get("/account", Open.SIGNED_IN, self.overview),
            get("/account/password", Open.SIGNED_IN, self.password_form),
            post("/account/password", Open.SIGNED_IN, self.change_password),
            get("/account/code", Open.SIGNED_IN, self.code_form),
            post("/account/code", Open.SIGNED_IN, self.set_code),
            post("/account/code/off", Open.SIGNED_IN, self.drop_code),
            post("/account/language", Open.SIGNED_IN, self.set_language),
            post("/account/sessions/end", Open.SIGNED_IN, self.end_sessions),
            post("/account/tokens/{number}/revoke", Open.SIGNED_IN, self.revoke_token),
        ]

    async def overview(self, ask: Ask) -> web.Response:
        """What is known of oneself."""
        account = await self._own(ask)
        return self._painter.page(
            ask,
            "login/account.html.j2",
            account=account,
            sections=self._sections,
            sessions=await self._keeper.sessions.of(account.login),
            tokens=await self._keeper.tokens.of(account.login),
            languages=LANGUAGES,
            now=self._keeper.now(),
        )

    # ── Password ─────────────────────────────────────────────────────────────────────────────────────────────

    async def password_form(self, ask: Ask) -> web.Response:
        """The form."""
        return self._password(ask, await self._own(ask))

    async def change_password(self, ask: Ask) -> web.Response:
        """The old one again, the new one twice. Every other session ends."""
        account, new = await self._own(ask), ask.form.get("new", "")
        try:
            right = await self._keeper.is_password(account, ask.form.get("old", ""), came_from(ask))
        except NotLetIn as refused:
            return self._password(ask, account, old=ask.texts("account.wait", seconds=refused.wait_s))
        if not right:
            return self._password(ask, account, old=ask.texts("account.old_wrong"))
        if new != ask.form.get("again", ""):
            return self._password(ask, account, again=ask.texts("account.not_twice"))
        if new == ask.form.get("old", ""):
            return self._password(ask, account, new=ask.texts("weak.same"))
        try:
            let_in = await self._keeper.change_password(account, new, came_from(ask))
        except WeakPassword as weak:
            return self._password(ask, account, new=ask.texts.named("weak", str(weak)))
        answer = seen_elsewhere("/account", "account.password_changed")
        self._doors.keep_session(answer, let_in.secret)
        return answer

    def _password(self, ask: Ask, account: Kept, **errors: str) -> web.Response:
        status = 400 if errors else 200
        return self._painter.page(
            ask, "login/password.html.j2", status=status, must=account.must_change, errors=errors
        )

    # ── Second factor ────────────────────────────────────────────────────────────────────────────────────────

    async def code_form(self, ask: Ask) -> web.Response:
        """A new secret, as a picture for the telephone's camera and in letters."""
        return self._code(ask, await self._own(ask), pyotp.random_base32())

    async def set_code(self, ask: Ask) -> web.Response:
        """Taken into use once a code shows that the telephone has the secret."""
        account, secret = await self._own(ask), ask.form.get("secret", "")
        if len(secret) != 32 or not set(secret) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"):
            raise web.HTTPBadRequest
        wrong = await self._wrong_password(ask, account)
        if wrong:
            return self._code(ask, account, secret, password=wrong)
        if not await self._keeper.set_code(account, secret, ask.form.get("code", "")[:20]):
            return self._code(ask, account, secret, code=ask.texts("account.code_wrong"))
        return seen_elsewhere("/account", "account.code_on")

    async def drop_code(self, ask: Ask) -> web.Response:
        """No second factor any more."""
        account = await self._own(ask)
        if self._keeper.needs_second_factor(account):
            raise AccessDenied("a role of theirs asks for it")
        wrong = await self._wrong_password(ask, account)
        if wrong:
            return self._code(ask, account, pyotp.random_base32(), off=wrong)
        noted = Access(account.login, AccessKind.PEOPLE, "own second factor removed")
        await self._keeper.people.set_code(account.login, None, None, noted)
        return seen_elsewhere("/account", "account.code_off")

    def _code(self, ask: Ask, account: Kept, secret: str, **errors: str) -> web.Response:
        issuer = ask.texts("frame.name")
        uri = pyotp.TOTP(secret).provisioning_uri(name=account.login, issuer_name=issuer)
        # Letters and numbers of ours only: nothing in it comes from outside.
        picture = Markup(segno.make(uri, error="m").svg_inline(svgclass="qr", lineclass=None, omitsize=True))  # noqa: S704
        return self._painter.page(
            ask,
            "login/second_factor.html.j2",
            status=400 if errors else 200,
            account=account,
            needed=self._keeper.needs_second_factor(account),
            secret=secret,
            groups=" ".join(secret[at : at + 4] for at in range(0, len(secret), 4)),
            picture=picture,
            errors=errors,
        )

    async def _wrong_password(self, ask: Ask, account: Kept) -> str:
        try:
            right = await self._keeper.is_password(account, ask.form.get("password", ""), came_from(ask))
        except NotLetIn as refused:
            return ask.texts("account.wait", seconds=refused.wait_s)
        return "" if right else ask.texts("account.old_wrong")

    # ── The rest ─────────────────────────────────────────────────────────────────────────────────────────────

    async def set_language(self, ask: Ask) -> web.Response:
        """The console's language, on every machine."""
        told = ask.form.get("language", "")
        language = Language(told) if told in LANGUAGES else None
        await self._keeper.people.set_language(ask.who.login, language)
        answer = seen_elsewhere("/account")
        self._doors.keep_language(answer, language or "")
        return answer

    async def end_sessions(self, ask: Ask) -> web.Response:
        """Signed out everywhere else."""
        noted = Access(ask.who.login, AccessKind.PEOPLE, "own other sessions ended")
        await self._keeper.sessions.end_all(ask.who.login, noted, keep=ask.session)
        return seen_elsewhere("/account", "account.sessions_ended")

    async def revoke_token(self, ask: Ask) -> web.Response:
        """One's own token is over."""
        number = int(ask.params["number"]) if ask.params["number"].isdecimal() else 0
        noted = Access(ask.who.login, AccessKind.PEOPLE, f"own token {number} revoked")
        if not await self._keeper.tokens.revoke(number, ask.who.login, noted):
            raise web.HTTPNotFound
        return seen_elsewhere("/account", "account.token_revoked")

    async def _own(self, ask: Ask) -> Kept:
        account = await self._keeper.people.find(ask.who.login)
        assert account is not None, "accounts stay"
        return account
