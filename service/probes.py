"""Probes: one look each at whether a component works, from outside of it where that can be done (K5).

A probe returns if the component works and raises ProbeFailed, or an error of its own, if it does not. Who runs it
gives it a time limit.

=============  ====================================================================================================
Asterisk       a SIP OPTIONS request to its SIP port is answered, whatever the answer is
AMI link       it is up, and a Ping comes back over it
FastAGI        a connection as Asterisk makes one is served: request, command, reply, end
database       a transaction that may write begins and reads a row, and the last attempt to store did not fail
disk           enough is free where the books and recordings are, and a small file can be written and flushed
console        ``/healthz`` answers over HTTP
trunk          the synthetic caller's calls (``service/synthetic.py``), no probe of this module
transcription  a worker's beat has gone up within twelve seconds (``service/desk.py``), where there are any
=============  ====================================================================================================
"""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import tempfile
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from pathlib import Path
from typing import Any

import aiohttp

from calls.errors import SanshengError
from ivr.agi.application import HEALTH_ROUTE
from ivr.ami.link import AmiLink

Probe = Callable[[], Awaitable[None]]

_OPTIONS = (
    "OPTIONS sip:{host}:{port} SIP/2.0\r\n"
    "Via: SIP/2.0/UDP {own_host}:{own_port};branch=z9hG4bK{token};rport\r\n"
    "Max-Forwards: 1\r\n"
    "From: <sip:probe@{own_host}>;tag={token}\r\n"
    "To: <sip:{host}:{port}>\r\n"
    "Call-ID: {token}@probe\r\n"
    "CSeq: 1 OPTIONS\r\n"
    "Content-Length: 0\r\n\r\n"
)
_AGI_REQUEST = (
    f"agi_network: yes\nagi_network_script: {HEALTH_ROUTE}\nagi_channel: probe\nagi_uniqueid: probe-0.0\n\n"
)
_TEST_BYTES = 4096


class ProbeFailed(SanshengError):
    """The component does not work; the message says what was seen."""


class NotKnownYet(Exception):
    """Neither works nor fails: what would tell has not been heard yet."""


def sip_answers(host: str, port: int) -> Probe:
    """Whether something that speaks SIP answers there."""

    async def probe() -> None:
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[bytes] = loop.create_future()
        transport, _ = await loop.create_datagram_endpoint(lambda: _OneAnswer(answer), remote_addr=(host, port))
        try:
            own_host, own_port = transport.get_extra_info("sockname")
            request = _OPTIONS.format(
                host=host, port=port, own_host=own_host, own_port=own_port, token=secrets.token_hex(8)
            )
            transport.sendto(request.encode())
            if not (await answer).startswith(b"SIP/2.0 "):
                raise ProbeFailed("what answers does not speak SIP")
        finally:
            transport.close()

    return probe


class _OneAnswer(asyncio.DatagramProtocol):
    def __init__(self, answer: asyncio.Future[bytes]) -> None:
        self._answer = answer

    def datagram_received(self, data: bytes, addr: object) -> None:
        if not self._answer.done():
            self._answer.set_result(data)

    def error_received(self, exc: Exception) -> None:
        if not self._answer.done():
            self._answer.set_exception(ProbeFailed(f"nobody listens: {exc}"))


def ami_answers(link: AmiLink) -> Probe:
    """Whether the management link is up and Asterisk answers over it."""

    async def probe() -> None:
        await link.call("Ping")

    return probe


def agi_answers(host: str, port: int) -> Probe:
    """Whether a session is served from its request to its end."""

    async def probe() -> None:
        reader, writer = await asyncio.open_connection(host, port)
        try:
            writer.write(_AGI_REQUEST.encode())
            command = await reader.readline()
            if not command.endswith(b"\n"):
                raise ProbeFailed("the connection was closed without a command")
            writer.write(b"200 result=0\n")
            if await reader.read(1):
                raise ProbeFailed("the session went on")
        finally:
            writer.close()

    return probe


def database_answers(answers: Probe, stores: Callable[[], bool]) -> Probe:
    """Whether it answers now, and took the last events that it was given."""

    async def look() -> None:
        await answers()
        if not stores():
            raise ProbeFailed("events cannot be stored")

    return _one_at_a_time(look)


def disk_takes(folders: Iterable[Path], free_share: float) -> Probe:
    """Whether enough is free in every folder, and a file can be written to the disk there."""

    def look() -> None:
        for folder in folders:
            usage = shutil.disk_usage(folder)
            if usage.free < free_share * usage.total:
                raise ProbeFailed(f"{usage.free / usage.total:.1%} of the disk is free")
            with tempfile.TemporaryFile(dir=folder) as file:
                file.write(bytes(_TEST_BYTES))
                file.flush()
                os.fsync(file.fileno())

    return _one_at_a_time(lambda: asyncio.to_thread(look))


def console_answers(port: int) -> Probe:
    """Whether the web server answers."""
    url = f"http://127.0.0.1:{port}/healthz"

    async def probe() -> None:
        async with aiohttp.ClientSession() as web, web.get(url) as answer:
            if answer.status != 200:
                raise ProbeFailed(f"it answers {answer.status}")

    return probe


def _one_at_a_time(look: Callable[[], Coroutine[Any, Any, None]]) -> Probe:
    """A look that cannot be broken off, being in a thread: while an old one hangs, no new one is begun."""
    looking: asyncio.Task[None] | None = None

    async def probe() -> None:
        nonlocal looking
        if looking is None or looking.done():
            looking = asyncio.create_task(look())
        await asyncio.shield(looking)

    return probe
