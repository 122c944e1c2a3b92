"""One file from a web server, to the disk: gone on with where it was cut off, and whole or not there."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import aiohttp

from calls.errors import ModelError

Progress = Callable[[int, int], None]
"""Told how many bytes are there, and of how many."""

_BLOCK = 1 << 20
_SILENT_S = 30.0
_FRUITLESS = 5
"""Attempts in a row that brought nothing."""
_PAUSE_S = 1.0
_APPROXIMATE = 0.25
"""Of the size that is known only roughly."""
_CONTENT_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+)")


@dataclass(frozen=True, slots=True)
class Wanted:
    """The file that is wanted."""

    url: str
    size: int
    sha256: str
    """Empty: not known; then the size is known only roughly."""


@dataclass(frozen=True, slots=True)
class _Mark:
    """What tells one version of a file from another."""

    url: str
    tag: str


async def download(wanted: Wanted, target: Path, progress: Progress, pause_s: float = _PAUSE_S) -> str:
    """Fetch it to ``target``; its SHA-256. What is there of an earlier attempt is gone on with.

    Raises ModelError; what has been fetched stays for the next attempt, unless it is wrong.
    """
    part = target.with_name(f"{target.name}.part")
    fruitless, error = 0, ""
    async with aiohttp.ClientSession(
        trust_env=True, timeout=aiohttp.ClientTimeout(total=None, sock_connect=_SILENT_S, sock_read=_SILENT_S)
    ) as web:
        while fruitless < _FRUITLESS:
            before = _size(part)
            try:
                if await _go_on(web, wanted, part, progress):
                    break
                error = "the connection was cut"
            except (aiohttp.ClientError, TimeoutError) as failure:
                error = str(failure) or type(failure).__name__
            fruitless = 0 if _size(part) > before else fruitless + 1
            if fruitless:
                await asyncio.sleep(pause_s * fruitless)
        else:
            raise ModelError(f"{wanted.url} cannot be fetched: {error}. What came so far is kept; try again")
    found = await asyncio.to_thread(sha256_of, part)
    if wanted.sha256 and found != wanted.sha256:
        _mark_of(part).unlink(missing_ok=True)
        part.unlink()
        raise ModelError(
            f"{wanted.url} is not the file it should be: its SHA-256 is {found}, not {wanted.sha256}. "
            "It was thrown away"
        )
    part.replace(target)
    _mark_of(part).unlink(missing_ok=True)
    return found


async def _go_on(web: aiohttp.ClientSession, wanted: Wanted, part: Path, progress: Progress) -> bool:
    """Fetch what is missing; whether that is all of it."""
    have = _size(part)
    mark = _read_mark(part)
    headers = {"Accept-Encoding": "identity"}
    if have and mark and mark.url == wanted.url:
        headers |= {"Range": f"bytes={have}-", "If-Range": mark.tag}
    async with web.get(wanted.url, headers=headers) as answer:
        if answer.status == 416:  # nothing is missing, or ours is no beginning of theirs
            _mark_of(part).unlink(missing_ok=True)
            if have == wanted.size:
                return True
            part.unlink()
            return False
        if answer.status not in (200, 206):
            raise ModelError(f"{wanted.url}: the server says {answer.status} {answer.reason}")
        begins, total = _told(answer, have)
        _check_size(wanted, total)
        if tag := _tag(answer):
            _mark_of(part).write_text(json.dumps(asdict(_Mark(wanted.url, tag))), encoding="utf-8")
        else:
            _mark_of(part).unlink(missing_ok=True)
        have = begins
        with part.open("r+b" if begins else "wb") as file:
            file.seek(begins)
            file.truncate()
            last = 0.0
            try:
                async for block in answer.content.iter_chunked(_BLOCK):
                    have += len(block)
                    if have > total:
                        raise ModelError(f"{wanted.url} brings more than the {total} bytes that it said")
                    file.write(block)
                    if time.monotonic() - last > 0.1:
                        progress(have, total)
                        last = time.monotonic()
            except OSError as error:
                if isinstance(error, aiohttp.ClientError):
                    raise
                raise ModelError(f"{part.parent} takes no more: {error.strerror}") from error
        progress(have, total)
        return have == total


def _told(answer: aiohttp.ClientResponse, have: int) -> tuple[int, int]:
    """Where what comes begins, and how large the whole file is."""
    if answer.status == 206:
        found = _CONTENT_RANGE.fullmatch(answer.headers.get("Content-Range", ""))
        if not found or int(found[1]) != have:
            raise ModelError(f"{answer.url}: the server goes on at another place than it was asked to")
        return have, int(found[2])
    if answer.content_length is None:
        raise ModelError(f"{answer.url}: the server does not say how large the file is")
    return 0, answer.content_length


def _check_size(wanted: Wanted, total: int) -> None:
    apart = abs(total - wanted.size)
    if apart > (0 if wanted.sha256 else _APPROXIMATE * wanted.size):
        raise ModelError(f"{wanted.url} has {total} bytes, and should have {wanted.size}: it is another file")


def _tag(answer: aiohttp.ClientResponse) -> str:
    """What identifies this version of the file; a weak tag does not."""
    tag = answer.headers.get("ETag", "")
    return tag if tag and not tag.startswith("W/") else answer.headers.get("Last-Modified", "")


def _mark_of(part: Path) -> Path:
    return part.with_name(f"{part.name}.mark")


def _read_mark(part: Path) -> _Mark | None:
    try:
        return _Mark(**json.loads(_mark_of(part).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None  # then it is fetched from the beginning


def _size(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0


def sha256_of(file: Path) -> str:
    """The file's SHA-256, in hexadecimal."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
