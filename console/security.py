"""What every answer of the console carries, and which requests it does not answer at all (P1)."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from aiohttp import web

_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';"
        " media-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Server": "sansheng",
}


BOARD_POLICY = _HEADERS["Content-Security-Policy"].replace("form-action 'self'", "form-action 'none'") + (
    "; require-trusted-types-for 'script'"
)
"""The live board sends no forms, and its scripts write no HTML."""


OVER_TLS = web.AppKey("over_tls", bool)
"""Whether people reach the application by https."""


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Signal handler: every answer, errors and streams included, is told to trust nothing from elsewhere.

    A page may have a policy of its own, if it is no weaker (the board's is stricter).
    """
    own = response.headers.get("Content-Security-Policy")
    response.headers.update(_HEADERS)
    if own:
        response.headers["Content-Security-Policy"] = own
    response.headers.setdefault("Cache-Control", "no-store")
    if request.app.get(OVER_TLS):
        response.headers["Strict-Transport-Security"] = "max-age=31536000"


def is_loopback(host: str) -> bool:
    """Whether a Host header, with or without a port, names the loopback: ``localhost`` or its addresses."""
    try:
        name = urlsplit(f"//{host}").hostname or ""
        return name == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
