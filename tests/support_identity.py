"""A small identity provider of the tests' own: OpenID Connect over real sockets, and every way of lying."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from aiohttp import web
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

CLIENT, SECRET = "sansheng", "a secret: with/odd +signs"


@dataclass
class IdentityServer:
    """It signs in whoever ``claims`` says, and lies as ``lie`` tells it."""

    url: str = ""
    claims: dict[str, Any] = field(default_factory=dict)
    lie: str = ""
    asked: list[str] = field(default_factory=list)
    kid: str = "one"
    _codes: dict[str, dict[str, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.key, self.other_key = _some_key(0), _some_key(1)

    def rotate(self) -> None:
        """Another key under another name."""
        self.key, self.kid = _some_key(2), self.kid + "+"

    def app(self) -> web.Application:
        app = web.Application()
        app.add_routes(
            [
                web.get("/.well-known/openid-configuration", self._describe),
                web.get("/authorize", self._authorize),
                web.post("/token", self._token),
                web.get("/keys", self._keys),
            ]
        )
        return app

    async def _describe(self, request: web.Request) -> web.Response:
        return web.json_response(
            {
                "issuer": "https://other.example" if self.lie == "description" else self.url,
                "authorization_endpoint": f"{self.url}/authorize?tenant=1",
                "token_endpoint": f"{self.url}/token",
                "jwks_uri": f"{self.url}/keys",
            }
        )

    async def _authorize(self, request: web.Request) -> web.Response:
        query = dict(request.query)
        assert query["response_type"] == "code"
        assert query["client_id"] == CLIENT
        assert query["code_challenge_method"] == "S256"
        assert "openid" in query["scope"].split()
        self.asked.append(request.query_string)
        code = secrets.token_urlsafe(16)
        self._codes[code] = query
        told = {"code": code, "state": query["state"], "iss": self.url}
        if self.lie == "error":
            told = {"error": "access_denied", "state": query["state"]}
        if self.lie == "iss":
            told["iss"] = "https://other.example"
        return web.Response(status=302, headers={"Location": f"{query['redirect_uri']}?{urlencode(told)}"})

    async def _token(self, request: web.Request) -> web.Response:
        form = await request.post()
        given = base64.b64decode(request.headers["Authorization"].removeprefix("Basic ")).decode()
        asked = self._codes.pop(str(form["code"]), None)
        challenge = hashlib.sha256(str(form["code_verifier"]).encode()).digest()
        known = (
            asked is not None
            and parse_qs(f"p={given.partition(':')[2]}")["p"] == [SECRET]
            and asked["redirect_uri"] == form["redirect_uri"]
            and hmac.compare_digest(
                base64.urlsafe_b64encode(challenge).rstrip(b"=").decode(), asked["code_challenge"]
            )
        )
        if not known or asked is None or self.lie == "token":
            return web.json_response({"error": "invalid_grant"}, status=400)
        return web.json_response({"access_token": "x", "id_token": self._signed(asked["nonce"])})

    def _signed(self, nonce: str) -> str:
        now = int(time.time())
        claims: dict[str, Any] = {
            "iss": "https://other.example" if self.lie == "issuer" else self.url,
            "aud": "somebody-else" if self.lie == "audience" else CLIENT,
            "sub": "1",
            "iat": now,
            "exp": now - 600 if self.lie == "expired" else now + 300,
            "nonce": "\u00e9nother" if self.lie == "nonce" else nonce,
            **self.claims,
        }
        if self.lie == "azp":
            claims |= {"aud": [CLIENT, "x"], "azp": "x"}
        if self.lie == "no exp":
            del claims["exp"]
        head = {"kid": "unknown" if self.lie == "kid" else self.kid}
        if self.lie == "none":
            return jwt.encode(claims, "", algorithm="none", headers=head)
        if self.lie == "hmac":
            return _hmac_signed(claims, head, self._public())
        key = self.other_key if self.lie == "signature" else self.key
        return jwt.encode(claims, key, algorithm="RS256", headers=head)

    async def _keys(self, request: web.Request) -> web.Response:
        public = json.loads(RSAAlgorithm.to_jwk(self.key.public_key()))
        return web.json_response({"keys": [public | {"kid": self.kid, "use": "sig", "alg": "RS256"}]})

    def _public(self) -> bytes:
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        return self.key.public_key().public_bytes(serialization.Encoding.PEM, form)


def _hmac_signed(claims: dict[str, Any], head: dict[str, str], key: bytes) -> str:
    """Signed by the public key as if it were a shared secret, to deceive whoever believes the header."""

    def part(value: bytes) -> bytes:
        return base64.urlsafe_b64encode(value).rstrip(b"=")

    head = {"alg": "HS256", "typ": "JWT", **head}
    signed = part(json.dumps(head).encode()) + b"." + part(json.dumps(claims).encode())
    return (signed + b"." + part(hmac.digest(key, signed, "sha256"))).decode()


@cache
def _some_key(_number: int) -> rsa.RSAPrivateKey:
    """One of a few, each made once: a new one takes a second of a slow processor."""
    return rsa.generate_private_key(65537, 2048)


@asynccontextmanager
async def identity_server() -> AsyncIterator[IdentityServer]:
    """It runs on a free port."""
    server = IdentityServer()
    runner = web.AppRunner(server.app())
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    assert urlsplit(server.url).port
    try:
        yield server
    finally:
        await runner.cleanup()
