"""What every part of the API takes and answers alike: JSON, keys, and the errors that all can meet (I3)."""

from __future__ import annotations

from aiohttp import web
from pydantic import BaseModel, ValidationError

from calls.errors import AccessDenied, StorageRefused, StorageUnavailable
from console.ask import Ask

KEY = "Idempotency-Key"
"""The header that makes a request one that may be sent again."""
_SHORTEST_KEY, _LONGEST_KEY = 8, 100
NO_KEY = f"{KEY}: {_SHORTEST_KEY} to {_LONGEST_KEY} letters are needed"

COMMON = (ValidationError, AccessDenied, StorageRefused, StorageUnavailable)
"""Errors that ``refusal`` has words for."""


def json_of(answer: BaseModel, status: int = 200) -> web.Response:
    """A model as an answer."""
    return web.Response(text=answer.model_dump_json(), status=status, content_type="application/json")


def key_of(ask: Ask) -> str | None:
    """The key that stands for a request; ``None`` if it has none that can be used (``NO_KEY``)."""
    key = ask.headers.get(KEY, "")
    usable = _SHORTEST_KEY <= len(key) <= _LONGEST_KEY and key.isascii() and key.isprintable()
    return key if usable else None


def first_fault(error: ValidationError, longest: int = 40) -> str:
    """Where a question or a body is wrong first, and how; no part of the place longer than this."""
    first = error.errors(include_url=False)[0]
    where = ".".join(str(part)[:longest] for part in first["loc"])
    return f"`{where}`: {first['msg']}"


def refusal(error: Exception, method: str) -> tuple[int, str]:
    """Status and words for one of ``COMMON``."""
    match error:
        case ValidationError():
            return 422 if method == "POST" else 400, first_fault(error)
        case AccessDenied():
            return 403, str(error)
        case StorageRefused():
            return 422, str(error)
        case _:
            return 503, "the books cannot be reached at the moment"
