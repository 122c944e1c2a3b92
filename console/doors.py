"""What the console is called from outside, and how its cookies are kept (P1)."""

from __future__ import annotations

from dataclasses import dataclass
from http.cookies import SimpleCookie
from urllib.parse import urlsplit

from aiohttp import web

from console.security import is_loopback

_SESSION, _VISIT, _FLASH, _LANGUAGE = "sansheng", "sansheng_visit", "sansheng_flash", "sansheng_language"
_FLASH_S = 60
_LANGUAGE_S = 365 * 86_400
_FORWARDED = ("X-Forwarded-For", "Forwarded", "X-Real-IP", "Via")


@dataclass(frozen=True, slots=True)
class Doors:
    """Names, addresses and cookies."""

    public_url: str = ""
    """Where people reach the console, such as ``https://hotline.example``; empty: on this machine only."""
    behind_proxy: bool = False
    """Requests come from a proxy on this machine, which says in ``X-Forwarded-For`` from where."""

    @property
    def secure(self) -> bool:
        """Whether people come over TLS: cookies are then bound to this host and never sent without it."""
        return self.public_url.startswith("https://")

    def answers_to(self, host: str) -> bool:
        """Whether a Host header names us. Others may have pointed their name at this address (DNS rebinding)."""
        return is_loopback(host) or (bool(self.public_url) and host.lower() == urlsplit(self.public_url).netloc)

    def is_own_origin(self, origin: str, host: str) -> bool:
        """Whether an Origin header is a page of ours."""
        if self.public_url and origin == origin_of(self.public_url):
            return True
        return is_loopback(host) and origin == f"http://{host.lower()}"

    def base(self, host: str) -> str:
        """What our own addresses begin with."""
        return self.public_url or f"http://{host.lower()}"

    def address(self, request: web.Request) -> str:
        """From where a request comes. Only what the proxy itself added is believed: the last entry."""
        forwarded = request.headers.getall("X-Forwarded-For", []) if self.behind_proxy else []
        told = forwarded[-1].rpartition(",")[2].strip() if forwarded else ""
        return told[:60] or request.remote or ""

    def is_from_this_machine(self, request: web.Request) -> bool:
        """Whether a program here asks, rather than somebody through a proxy."""
        return is_loopback(request.remote or "") and not any(name in request.headers for name in _FORWARDED)

    # ── Cookies ──────────────────────────────────────────────────────────────────────────────────────────────

    def session_of(self, request: web.Request) -> str:
        return request.cookies.get(self._name(_SESSION), "")

    def visit_of(self, request: web.Request) -> str:
        return request.cookies.get(self._name(_VISIT), "")[:100]

    def flash_of(self, request: web.Request) -> str:
        return request.cookies.get(_FLASH, "")[:100]

    def language_of(self, request: web.Request) -> str:
        return request.cookies.get(_LANGUAGE, "")[:10]

    def keep_session(self, answer: web.StreamResponse, secret: str) -> None:
        """The browser is signed in; without an age, so that it ends with the browser at the latest."""
        self._keep(answer, self._name(_SESSION), secret)

    def end_session(self, answer: web.StreamResponse) -> None:
        """Signed out."""
        self._drop(answer, self._name(_SESSION))

    def keep_visit(self, answer: web.StreamResponse, secret: str) -> None:
        """For the forms of somebody who is not signed in."""
        self._keep(answer, self._name(_VISIT), secret)

    def keep_language(self, answer: web.StreamResponse, language: str) -> None:
        self._keep(answer, _LANGUAGE, language, _LANGUAGE_S)

    def _keep(self, answer: web.StreamResponse, name: str, value: str, age_s: int | None = None) -> None:
        answer.set_cookie(name, value, path="/", httponly=True, secure=self.secure, samesite="Lax", max_age=age_s)

    def _drop(self, answer: web.StreamResponse, name: str) -> None:
        # Without `Secure` a browser would not let a cookie called __Host- be taken away.
        answer.del_cookie(name, path="/", httponly=True, secure=self.secure, samesite="Lax")

    def _name(self, name: str) -> str:
        return f"__Host-{name}" if self.secure else name


def origin_of(url: str) -> str:
    """Scheme, host and port of an address."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def flash_cookie(key: str) -> str:
    """The header's value that leaves a text for the next page; nothing secret is in it."""
    jar: SimpleCookie = SimpleCookie({_FLASH: key})
    jar[_FLASH].update({"path": "/", "max-age": str(_FLASH_S), "samesite": "Lax"})
    return jar[_FLASH].OutputString()


def flash_shown() -> str:
    """The header's value that takes the text away again."""
    jar: SimpleCookie = SimpleCookie({_FLASH: ""})
    jar[_FLASH].update({"path": "/", "max-age": "0", "samesite": "Lax"})
    return jar[_FLASH].OutputString()


def safe_next(wished: str | None) -> str:
    """Where to go after signing in: a page of ours, whatever was put into the address."""
    path = wished or "/"
    plain = path.isprintable() and "\\" not in path and len(path) <= 2000
    return path if plain and path.startswith("/") and not path.startswith(("//", "/login", "/logout")) else "/"
