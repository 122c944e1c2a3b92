"""OpenID Connect: signing in at an identity provider of the operator's (code flow with PKCE, state and nonce).

``Provider`` speaks with the identity provider; nothing that came from it is believed before its signature, issuer,
audience, time and nonce were looked at. Pages are in ``console/areas/oidc.py``.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote_plus, urlencode, urlsplit

import aiohttp
import jwt

from calls.errors import SanshengError
from calls.people import Grant
from calls.ports import Clock
from console.security import is_loopback

_PATIENCE = aiohttp.ClientTimeout(total=10)
_LARGEST = 512 * 1024
_ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Signatures by a key that only the provider has: never ``none``, never a shared secret."""
_LEEWAY_S = 60
_MOST_STARTED = 1000
_FINISHED_WITHIN = timedelta(minutes=10)
_KEYS_AGAIN_AFTER = timedelta(minutes=1)


class IdentityError(SanshengError):
    """The provider cannot be reached, or what came back cannot be believed. The message is for the log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What was agreed with the provider."""

    issuer: str
    client_id: str
    client_secret: str = field(default="", repr=False)
    """Empty for a public client, which PKCE alone protects."""
    scopes: str = "openid profile"
    login_claim: str = "preferred_username"
    name_claim: str = "name"
    groups_claim: str = "groups"
    roles: Mapping[str, tuple[Grant, ...]] = field(default_factory=dict)
    """What each group of the provider's means here; empty: roles are kept here."""
    create: bool = False
    """Whether somebody unknown, with a role by their groups, becomes known."""
    label: str = ""
    """On the button; empty: our own words."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the provider says somebody is."""

    login: str
    name: str
    grants: tuple[Grant, ...]


@dataclass(frozen=True, slots=True)
class _Started:
    """Somebody has been sent to the provider."""

    browser: str
    nonce: str
    verifier: str
    redirect_uri: str
    next: str
    at: datetime


class Provider:
    """One identity provider. Belongs to the back room's loop."""

    def __init__(self, terms: Terms, clock: Clock) -> None:
        self.terms = terms
        self._clock = clock
        self._started: OrderedDict[str, _Started] = OrderedDict()
        self._metadata: dict[str, Any] = {}
        self._keys: jwt.PyJWKSet | None = None
        self._keys_at: datetime | None = None

    async def start(self, browser: str, redirect_uri: str, next: str) -> str:
        """Where to send a browser. ``browser`` is something that no other has. Raises IdentityError."""
        metadata = await self._discovered()
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        self._started[state] = _Started(browser, nonce, verifier, redirect_uri, next, self._clock.now())
        while len(self._started) > _MOST_STARTED:
            self._started.popitem(last=False)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        query = {
            "response_type": "code",
            "client_id": self.terms.client_id,
            "redirect_uri": redirect_uri,
            "scope": self.terms.scopes,
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        endpoint = str(metadata["authorization_endpoint"])
        return f"{endpoint}{'&' if urlsplit(endpoint).query else '?'}{urlencode(query)}"

    async def finish(self, browser: str, told: Mapping[str, str]) -> tuple[Identity, str]:
        """Who came back, and where they were going. Raises IdentityError."""
        started = self._started.pop(told.get("state", ""), None)
        if started is None or self._clock.now() - started.at > _FINISHED_WITHIN:
            raise IdentityError("nobody was sent with this state, or too long ago")
        if not hmac.compare_digest(started.browser, browser):
            raise IdentityError("another browser was sent with this state")
        if told.get("iss", self.terms.issuer) != self.terms.issuer:
            raise IdentityError("the answer is another provider's")
        if "error" in told or not told.get("code"):
            raise IdentityError(f"the provider refused: {told.get('error', 'no code')[:60]!r}")
        claims = await self._claims(told["code"], started)
        return self._identity(claims), started.next

    # ── Believing ────────────────────────────────────────────────────────────────────────────────────────────

    async def _claims(self, code: str, started: _Started) -> dict[str, Any]:
        metadata = await self._discovered()
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": started.redirect_uri,
            "client_id": self.terms.client_id,
            "code_verifier": started.verifier,
        }
        answer = await _fetched("POST", str(metadata["token_endpoint"]), form, self._secret())
        token = answer.get("id_token")
        if not isinstance(token, str):
            raise IdentityError("the provider gave no identity token")
        claims = await self._verified(token)
        if not hmac.compare_digest(str(claims.get("nonce", "")).encode(), started.nonce.encode()):
            raise IdentityError("the identity token answers another question (nonce)")
        return claims

    def _secret(self) -> str | None:
        """The client's name and secret as a header, each quoted as RFC 6749 (2.3.1) wants it."""
        if not self.terms.client_secret:
            return None
        pair = f"{quote_plus(self.terms.client_id)}:{quote_plus(self.terms.client_secret)}"
        return "Basic " + base64.b64encode(pair.encode()).decode()

    async def _verified(self, token: str) -> dict[str, Any]:
        try:
            header = jwt.get_unverified_header(token)
            if header.get("alg") not in _ALGORITHMS:
                raise IdentityError("the identity token is not signed as it must be")
            key = await self._key(str(header.get("kid", "")))
            claims: dict[str, Any] = jwt.decode(
                token,
                key=key,
                algorithms=list(_ALGORITHMS),
                audience=self.terms.client_id,
                issuer=self.terms.issuer,
                leeway=_LEEWAY_S,
                options={"require": ["exp", "iat", "iss", "aud", "sub"]},
            )
        except (jwt.PyJWTError, ValueError, TypeError) as error:
            raise IdentityError(f"the identity token cannot be believed ({type(error).__name__})") from error
        if (
            isinstance(claims["aud"], list)
            and len(claims["aud"]) > 1
            and claims.get("azp") != self.terms.client_id
        ):
            raise IdentityError("the identity token was made for somebody else (azp)")
        return claims

    async def _key(self, kid: str) -> jwt.PyJWK:
        """The provider's key of that name; its keys are fetched again, once a minute, for a name that is new."""
        for fresh in (False, True):
            if fresh or self._keys is None:
                await self._fetch_keys()
            assert self._keys is not None
            found = [key for key in self._keys.keys if key.key_id == kid or not kid]
            if len(found) == 1:
                return found[0]
        raise IdentityError("the identity token is signed by an unknown key")

    async def _fetch_keys(self) -> None:
        now = self._clock.now()
        if self._keys is not None and self._keys_at and now - self._keys_at < _KEYS_AGAIN_AFTER:
            return
        metadata = await self._discovered()
        answer = await _fetched("GET", str(metadata["jwks_uri"]))
        self._keys, self._keys_at = jwt.PyJWKSet.from_dict(answer), now

    async def _discovered(self) -> dict[str, Any]:
        if not self._metadata:
            base = self.terms.issuer.rstrip("/")
            told = await _fetched("GET", f"{base}/.well-known/openid-configuration")
            needed = ("authorization_endpoint", "token_endpoint", "jwks_uri")
            if told.get("issuer") != self.terms.issuer or not all(isinstance(told.get(n), str) for n in needed):
                raise IdentityError("the provider's description is another's, or not whole")
            self._metadata = told
        return self._metadata

    def _identity(self, claims: Mapping[str, Any]) -> Identity:
        login = claims.get(self.terms.login_claim)
        if not isinstance(login, str):
            raise IdentityError(f"there is no {self.terms.login_claim} in the identity token")
        groups = claims.get(self.terms.groups_claim)
        named = [group for group in groups if isinstance(group, str)] if isinstance(groups, Sequence) else []
        given = dict.fromkeys(grant for group in named for grant in self.terms.roles.get(group, ()))
        name = claims.get(self.terms.name_claim)
        plain = "".join(sign for sign in name if sign.isprintable())[:60] if isinstance(name, str) else ""
        return Identity(login.strip().lower(), plain or login, tuple(given))


async def _fetched(
    method: str, url: str, form: Mapping[str, str] | None = None, auth: str | None = None
) -> dict[str, Any]:
    """A JSON object from the provider, over TLS unless it is on this machine. Raises IdentityError."""
    parts = urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(parts.netloc)):
        raise IdentityError("the provider must be reached over TLS")
    headers = {"Accept": "application/json", **({"Authorization": auth} if auth else {})}
    try:
        async with (
            aiohttp.ClientSession(timeout=_PATIENCE, headers=headers) as client,
            client.request(method, url, data=form, allow_redirects=False) as answer,
        ):
            if answer.status != 200:
                raise IdentityError(f"the provider answered {answer.status} at {parts.path[:60]}")
            body = bytearray()
            async for block in answer.content.iter_any():
                body += block
                if len(body) > _LARGEST:
                    raise IdentityError("the provider's answer is too long")
        told = json.loads(body)
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        raise IdentityError(f"the provider cannot be reached or understood ({type(error).__name__})") from error
    if not isinstance(told, dict):
        raise IdentityError("the provider's answer is no object")
    return told
