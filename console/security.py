"""What every answer of the console carries, and which requests it does not answer at all (P1)."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler

_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';"
        " base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Server": "sansheng",
}


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Signal handler: every answer, errors and streams included, is told to trust nothing from elsewhere."""
    response.headers.update(_HEADERS)
    response.headers.setdefault("Cache-Control", "no-store")


@web.middleware
async def only_loopback_names(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse requests that do not name this machine's loopback: 421.

    A page of another site can point its own name at 127.0.0.1 and read what is served there (DNS rebinding).
    The browser still sends that name.
    """
    if not is_loopback(request.headers.get("Host", "")):
        raise web.HTTPMisdirectedRequest(text="this server answers to localhost only\n")
    return await handler(request)


def is_loopback(host: str) -> bool:
    """Whether a Host header, with or without a port, names the loopback: ``localhost`` or its addresses."""
    try:
        name = urlsplit(f"//{host}").hostname or ""
        return name == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
