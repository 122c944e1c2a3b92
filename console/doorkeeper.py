"""Who comes in: passwords, second factors, sessions, tokens, and the delays of those who guess (P1).

Everything that is secret is made here at random and kept hashed: a session by what is in the browser's cookie, a
token by what its owner was shown once.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol
from weakref import WeakValueDictionary

import pyotp

from calls.accounts import Account, FailedAt, FailedSignIn, Failures, Session, Token, is_login
from calls.custody import Access, AccessKind
from calls.errors import PeopleError, SanshengError
from calls.people import Person, Right, Role
from calls.ports import Clock
from console.oidc import Identity, Terms
from console.passwords import Passwords, check_password
from storage.failed_sign_ins import SqlFailedSignIns
from storage.people import SqlPeople
from storage.sessions import SqlFailures, SqlSessions, SqlTokens

TOKEN_PREFIX = "sansheng_"  # noqa: S105 - begins every token, so that scanners of leaks find it
_SEEN_EVERY = timedelta(minutes=1)
_FORGET_AFTER = timedelta(hours=1)
_FREE_BY_NAME = 5
_FREE_BY_ADDRESS = 50
"""Failures without a delay; many people may share an address."""
_FIRST_DELAY_S = 30
_LONGEST_DELAY_S = 900
_STEP_S = 30
_SECRET_BYTES = 32
_BROWSER_LETTERS = 200


class Sealer(Protocol):
    """Seals the second factor's secret: the master keys (``recordings.keys.MasterKeys``)."""

    @property
    def current(self) -> str:
        """The key's id."""

    def wrap(self, data_key: bytes, name: str) -> bytes:
        """Sealed by the current key."""

    def unwrap(self, wrapped: bytes, key_id: str, name: str) -> bytes:
        """Opened again. Raises KeyMissing."""


class NotLetIn(SanshengError):
    """The name, the password or the code is wrong, or it is too early to try again: it is not said which."""

    def __init__(self, wait_s: int = 0) -> None:
        super().__init__("not let in")
        self.wait_s = wait_s
        """Seconds until the next attempt is looked at."""


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """How long a session lasts."""

    idle: timedelta = timedelta(minutes=30)
    longest: timedelta = timedelta(hours=12)
    code_within: timedelta = timedelta(minutes=5)
    """Between the password and the one-time password."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who a cookie speaks for."""

    account: Account
    session: Session

    @property
    def person(self) -> Person | None:
        """``None`` while the one-time password is to come."""
        return None if self.session.waits_for_code else self.account.person


@dataclass(frozen=True, slots=True)
class From:
    """Where somebody comes from."""

    address: str
    browser: str
    session: str = ""
    """The session that the browser had; it ends with the new one's beginning, so that none can be planted."""


@dataclass(frozen=True, slots=True)
class LetIn:
    """What the browser's cookie is to hold from now on."""

    secret: str
    waits_for_code: bool


class Doorkeeper:
    """Belongs to the back room's loop."""

    def __init__(
        self,
        people: SqlPeople,
        sessions: SqlSessions,
        failures: SqlFailures,
        failed: SqlFailedSignIns,
        tokens: SqlTokens,
        passwords: Passwords,
        sealer: Sealer,
        clock: Clock,
        limits: SessionLimits | None = None,
        second_factor_for: frozenset[Role] = frozenset(),
    ) -> None:
        self.people = people
        self.sessions = sessions
        self.tokens = tokens
        self.failed = failed
        self.passwords = passwords
        self._failures = failures
        self._sealer = sealer
        self._clock = clock
        self._limits = limits or SessionLimits()
        self._second_factor_for = second_factor_for
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    # ── Sessions ─────────────────────────────────────────────────────────────────────────────────────────────

    async def visitor(self, secret: str) -> Visitor | None:
        """Who comes with this cookie; nobody if the session is over or the account disabled."""
        found = await self.sessions.find(hashed(secret)) if 0 < len(secret) <= 2 * _SECRET_BYTES else None
        if found is None:
            return None
        session, account = found
        now = self._clock.now()
        if now >= session.ends_at or now - session.seen_at >= self._limits.idle or not account.enabled:
            await self.sessions.end(session.id)
            return None
        if now - session.seen_at >= _SEEN_EVERY:
            await self.sessions.seen(session.id, now)
        return Visitor(account, session)

    def needs_second_factor(self, account: Account) -> bool:
        """Whether a role of theirs asks for one. For who comes by OpenID Connect only, the provider does that."""
        return account.password_hash is not None and bool(account.person.roles & self._second_factor_for)

    async def waiting(self, session: str) -> Visitor | None:
        """Whose one-time password is to come in this session."""
        found = await self.sessions.find(session) if session else None
        if found is None or not found[0].waits_for_code or not found[1].enabled:
            return None
        return Visitor(found[1], found[0])

    def now(self) -> datetime:
        """The doorkeeper's clock."""
        return self._clock.now()

    async def sign_in(self, login: str, password: str, came: From) -> LetIn:
        """A session for who knows the password. Raises NotLetIn."""
        login = login.strip().lower()
        async with self._turn(login):
            await self._may_try(login, came)
            account = await self.people.find(login) if is_login(login) else None
            kept = account.password_hash if account and account.enabled else None
            if not await self.passwords.fits(password, kept) or account is None:
                raise await self._failed(login, came, FailedAt.PASSWORD, account)
            if kept and self.passwords.outdated(kept):
                await self.people.rehash(login, await self.passwords.hash(password))
            if not account.second_factor:
                await self._failures.clear(_key("name", login))
            return await self.begin(account, came, waits_for_code=account.second_factor)

    async def enter_code(self, visitor: Visitor, code: str, came: From) -> LetIn:
        """The second factor of somebody whose password was right. Raises NotLetIn."""
        login = visitor.account.login
        async with self._turn(login):
            await self._may_try(login, came)
            if not await self.is_code(visitor.account, code):
                raise await self._failed(login, came, FailedAt.CODE, visitor.account)
            await self._failures.clear(_key("name", login))
            return await self.begin(visitor.account, came)

    async def begin(self, account: Account, came: From, *, waits_for_code: bool = False, by: str = "") -> LetIn:
        """A new session, under a new secret, instead of the one that the browser had."""
        secret, now = secrets.token_urlsafe(_SECRET_BYTES), self._clock.now()
        lasts = self._limits.code_within if waits_for_code else self._limits.longest
        session = Session(
            id=hashed(secret),
            login=account.login,
            began_at=now,
            seen_at=now,
            ends_at=now + lasts,
            address=came.address,
            browser=_printable(came.browser)[:_BROWSER_LETTERS],
            waits_for_code=waits_for_code,
        )
        noted = Access(account.login, AccessKind.SIGN_IN, f"from {came.address}{by}")
        await self.sessions.begin(session, came.session, None if waits_for_code else noted)
        return LetIn(secret, waits_for_code)

    async def identified(self, identity: Identity, terms: Terms, came: From) -> LetIn:
        """A session for who an identity provider vouches for; its groups are their roles, if it is so agreed.

        Raises NotLetIn for somebody whom nobody knows here, or who is disabled.
        """
        account = await self.people.find(identity.login) if is_login(identity.login) else None
        by = Access("service:oidc", AccessKind.PEOPLE, f"{identity.login}: roles of their groups")
        if account is None:
            if not (terms.create and identity.grants and is_login(identity.login)):
                raise NotLetIn
            now = self._clock.now()
            account = Account(login=identity.login, name=identity.name, created_at=now, grants=identity.grants)
            await self.people.add(account, by)
        if not account.enabled:
            raise NotLetIn
        if terms.roles and set(identity.grants) != set(account.grants):
            if not identity.grants:
                raise NotLetIn
            await self.people.regrant(account.login, identity.grants, by)
        return await self.begin(account, came, by=", by OpenID Connect")

    async def is_password(self, account: Account, password: str, came: From) -> bool:
        """Asked again before something weighty is changed. Raises NotLetIn while it is too early to try."""
        async with self._turn(account.login):
            await self._may_try(account.login, came)
            if await self.passwords.fits(password, account.password_hash):
                await self._failures.clear(_key("name", account.login))
                return True
            await self._failed(account.login, came, FailedAt.AGAIN, account)
            return False

    async def change_password(self, account: Account, new: str, came: From) -> LetIn:
        """One's own. Every session ends, and this browser gets a new one. Raises WeakPassword."""
        check_password(new, account.login)
        noted = Access(account.login, AccessKind.PEOPLE, "own password changed")
        kept = await self.passwords.hash(new)
        await self.people.set_password(account.login, kept, noted, must_change=False)
        return await self.begin(account, came)

    # ── One-time passwords ───────────────────────────────────────────────────────────────────────────────────

    async def is_code(self, account: Account, code: str) -> bool:
        """Whether it is the one-time password of this half minute or one beside it, for the first time."""
        if account.code_sealed is None or account.code_key is None:
            return False
        name = _seal_name(account.login)
        secret = await asyncio.to_thread(self._sealer.unwrap, account.code_sealed, account.code_key, name)
        step = self._step_of(secret.decode(), code)
        return step is not None and await self.people.take_code(account.login, step)

    async def set_code(self, account: Account, secret: str, code: str) -> bool:
        """Take the second factor into use if the code shows that it works."""
        step = self._step_of(secret, code)
        if step is None:
            return False
        key = self._sealer.current
        sealed = await asyncio.to_thread(self._sealer.wrap, secret.encode(), _seal_name(account.login))
        noted = Access(account.login, AccessKind.PEOPLE, "own second factor set up")
        await self.people.set_code(account.login, sealed, key, noted)
        return await self.people.take_code(account.login, step)

    def _step_of(self, secret: str, code: str) -> int | None:
        code = "".join(code.split())
        now = int(self._clock.now().timestamp()) // _STEP_S
        otp = pyotp.TOTP(secret)
        for step in (now, now - 1, now + 1):
            if hmac.compare_digest(otp.generate_otp(step).encode(), code.encode()):
                return step
        return None

    # ── Tokens ───────────────────────────────────────────────────────────────────────────────────────────────

    async def bearer(self, token: str) -> Person | None:
        """Who a token speaks for, with the rights that it was made for and its owner still has."""
        if not token.startswith(TOKEN_PREFIX) or len(token) > 100:
            return None
        found = await self.tokens.find(hashed(token))
        if found is None:
            return None
        kept, owner = found
        now = self._clock.now()
        if kept.revoked_at or now >= kept.expires_at or not owner.enabled:
            return None
        if kept.used_at is None or now - kept.used_at >= _SEEN_EVERY:
            await self.tokens.used(kept.number, now)
        return replace(owner.person, only=kept.rights)

    async def make_token(
        self, owner: Account, name: str, rights: frozenset[Right], days: int, by: str
    ) -> tuple[int, str]:
        """A token's number, and the token itself, which is shown once. Raises PeopleError."""
        beyond = rights - owner.person.rights
        if not rights or beyond or not 1 <= days <= 366 or not name.strip():
            raise PeopleError("a token needs a name, some of its owner's rights, and 1 to 366 days")
        secret, now = TOKEN_PREFIX + secrets.token_urlsafe(_SECRET_BYTES), self._clock.now()
        token = Token(
            number=0,
            login=owner.login,
            name=name.strip()[:60],
            rights=rights,
            created_at=now,
            expires_at=now + timedelta(days=days),
            created_by=by,
        )
        told = f"token for {owner.login}: {', '.join(sorted(rights))}, {days} days"
        return await self.tokens.add(token, hashed(secret), Access(by, AccessKind.PEOPLE, told)), secret

    # ── Who guesses ──────────────────────────────────────────────────────────────────────────────────────────

    def _turn(self, login: str) -> asyncio.Lock:
        """Attempts for one name go one by one: many at once would all come before the first is counted."""
        return self._turns.setdefault(login, asyncio.Lock())

    async def _may_try(self, login: str, came: From) -> None:
        now = self._clock.now()
        for key in (_key("name", login), _key("address", came.address)):
            known = await self._failures.of(key)
            if known and known.until > now:
                raise NotLetIn(_seconds(known.until - now))

    async def _failed(self, login: str, came: From, step: FailedAt, account: Account | None) -> NotLetIn:
        """Count it against the name, whether there is somebody of that name or not, and against the address.

        On the administrator's list the name stands only if it is somebody's: it may have been a password.
        """
        now, longest = self._clock.now(), 0
        await self.failed.add(FailedSignIn(now, account.login if account else None, came.address, step))
        for kind, name, free in (("name", login, _FREE_BY_NAME), ("address", came.address, _FREE_BY_ADDRESS)):
            key = _key(kind, name)
            known = await self._failures.of(key)
            count = 1 if known is None or now - known.last_at >= _FORGET_AFTER else known.count + 1
            delay_s = _delay_s(count - free)
            until = now + timedelta(seconds=delay_s)
            await self._failures.note(key, Failures(count, now, until), now - _FORGET_AFTER)
            longest = max(longest, delay_s)
        return NotLetIn(longest)


def hashed(secret: str) -> str:
    """What is kept of a secret that is long and random enough to need no salt."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def csrf_of(secret: str) -> str:
    """The token that forms carry: known to pages of this browser, and to nobody who cannot read its cookie."""
    return hmac.new(secret.encode("utf-8", "surrogatepass"), b"csrf", hashlib.sha256).hexdigest() if secret else ""


def _delay_s(beyond: int) -> int:
    return 0 if beyond < 0 else int(min(_FIRST_DELAY_S * 2 ** min(beyond, 10), _LONGEST_DELAY_S))


def _key(kind: str, name: str) -> str:
    return hashed(f"{kind}:{name}")


def _seal_name(login: str) -> str:
    return f"one-time password/{login}"


def _seconds(left: timedelta) -> int:
    return max(1, int(left.total_seconds() + 0.999))


def _printable(text: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in text)
