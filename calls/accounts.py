"""Accounts of the console, their sessions and tokens (P1): what is kept of who may sign in, and who has."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from calls.ids import AgentNumber, Language
from calls.people import Grant, Person, Right

_LOGIN = re.compile(r"[a-z0-9][a-z0-9._-]{1,39}")


def is_login(text: str) -> bool:
    """Whether a name can sign in: 2 to 40 small letters, digits, dots, dashes; in the access log as it stands."""
    return _LOGIN.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class Named:
    """What somebody is called."""

    login: str
    name: str
    agent: AgentNumber | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Somebody who may sign in, or might once."""

    login: str
    name: str
    created_at: datetime
    agent: AgentNumber | None = None
    language: Language | None = None
    grants: tuple[Grant, ...] = ()
    disabled_at: datetime | None = None
    password_hash: str | None = field(default=None, repr=False)
    """argon2id; ``None`` for whoever comes by OpenID Connect only."""
    must_change: bool = False
    """The password was made by somebody else: it opens nothing but the page where it is changed."""
    code_sealed: bytes | None = field(default=None, repr=False)
    """The secret of the one-time passwords (TOTP), sealed; ``None`` without a second factor."""
    code_key: str | None = None
    """The master key that sealed it."""
    code_step: int = 0
    """The time step of the last one-time password that was taken: none is taken twice."""

    @property
    def person(self) -> Person:
        """Who they are to the pages."""
        return Person(self.login, self.name, self.grants, self.agent, self.language)

    @property
    def enabled(self) -> bool:
        return self.disabled_at is None

    @property
    def second_factor(self) -> bool:
        return self.code_sealed is not None


class FailedAt(StrEnum):
    """At what somebody failed."""

    PASSWORD = "password"  # noqa: S105 - a name
    CODE = "code"
    """The second factor, after the right password."""
    AGAIN = "again"
    """Signed in, and asked for the password again before something weighty."""


@dataclass(frozen=True, slots=True)
class FailedSignIn:
    """An attempt that failed, as it is listed (P4)."""

    at: datetime
    login: str | None
    """``None`` for a name that is nobody's: somebody may have typed a password there."""
    address: str
    step: FailedAt
    number: int = 0
    """Given out when it is kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A browser that somebody signed in with."""

    id: str
    """SHA-256 of the secret in the browser's cookie, which is kept nowhere."""
    login: str
    began_at: datetime
    seen_at: datetime
    ends_at: datetime
    """Whatever happens until then."""
    address: str
    browser: str
    waits_for_code: bool = False
    """The password was right; the one-time password is still to come, and nothing is open until then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A program's key to the API, for some of its owner's rights, until some day."""

    number: int
    login: str
    name: str
    rights: frozenset[Right]
    created_at: datetime
    expires_at: datetime
    created_by: str
    used_at: datetime | None = None
    revoked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Failures:
    """Attempts to sign in that failed in a row, for one name or from one address."""

    count: int
    last_at: datetime
    until: datetime
    """No attempt is looked at before."""
