"""News of cases posted to other systems, signed, until they have them (I3).

A post carries ``Sansheng-Event`` (the news's id: the same for every attempt, so a receiver can tell what it has
already), and ``Sansheng-Signature: t=SECONDS,v1=HEX``: HMAC-SHA256 over ``SECONDS.BODY`` with the shared secret. A
2xx answer means that the receiver has it. Anything else is tried again, later and later, for about three days.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import ipaddress
import json
import logging
import socket
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

from calls.errors import SettingsError, StorageError
from calls.outbox import Delivery, News
from calls.ports import Clock
from metrics import catalogue
from metrics.exporter import Exporter
from service.settings import Settings, Webhook
from storage.outbox import SqlOutbox

log = logging.getLogger(__name__)

_EVERY_S = 1.0
_COUNT_EVERY_S = 10.0
_TIMEOUT_S = 10.0
_AT_ONCE = 20
_SHORTEST_SECRET = 32
PAUSES = tuple(
    timedelta(seconds=seconds) for seconds in (5, 30, 120, 600, 3600, *([4 * 3600] * 6), *([12 * 3600] * 4))
)
"""After each attempt that failed; after the last one it is given up."""


def signature(secret: bytes, body: bytes, seconds: int) -> str:
    """The value of ``Sansheng-Signature``."""
    mac = hmac.new(secret, f"{seconds}.".encode() + body, hashlib.sha256)
    return f"t={seconds},v1={mac.hexdigest()}"


def body_of(news: News) -> bytes:
    """What is posted: nothing personal (P3)."""
    told = {
        "id": news.id,
        "type": news.type,
        "at": news.at.isoformat(),
        "case": {
            "number": news.number,
            "version": news.version,
            "state": news.state,
            "section": news.section,
            "channel": news.channel,
        },
    }
    return json.dumps(told, ensure_ascii=False).encode()


class Forbidden(OSError):
    """The receiver's name leads to an address that it may not."""


class OutsideOnly(AbstractResolver):
    """Names resolved, and refused where they lead into our own network (SSRF)."""

    def __init__(self, *, private_network: bool) -> None:
        self._inner = ThreadedResolver()
        self._private_network = private_network

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """See AbstractResolver."""
        found = await self._inner.resolve(host, port, family)
        for each in found:
            check_address(each["host"], private_network=self._private_network)
        return found

    async def close(self) -> None:
        """See AbstractResolver."""
        await self._inner.close()


def check_address(address: str, *, private_network: bool) -> None:
    """Raises Forbidden for an address within, unless private ones are allowed."""
    found = ipaddress.ip_address(address.partition("%")[0])
    if found.is_global:
        return
    if private_network and found.is_private and not found.is_link_local:
        return
    raise Forbidden("the receiver stands at an address that is not allowed")


class Receiver:
    """One system that is told."""

    def __init__(self, hook: Webhook) -> None:
        self.name = hook.name
        self._url = hook.url
        self._private = hook.private_network
        self._secret = _secret(hook)
        host = urlsplit(hook.url).hostname or ""
        self._local = host == "localhost" or host.startswith("127.")

    async def post(self, news: News, seconds: int) -> str:
        """Post it; an empty answer when the receiver has it, else what went wrong, in a few words."""
        body = body_of(news)
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "Sansheng",
            "Sansheng-Event": str(news.id),
            "Sansheng-Signature": signature(self._secret, body, seconds),
        }
        timeout = aiohttp.ClientTimeout(total=_TIMEOUT_S)
        try:
            self._check_literal()
            resolver = None if self._local else OutsideOnly(private_network=self._private)
            connector = aiohttp.TCPConnector(resolver=resolver, use_dns_cache=False)
            async with (
                aiohttp.ClientSession(connector=connector, timeout=timeout) as session,
                session.post(self._url, data=body, headers=headers, allow_redirects=False) as answer,
            ):
                return "" if 200 <= answer.status < 300 else f"answered {answer.status}"
        except TimeoutError:
            return f"no answer within {_TIMEOUT_S:g} s"
        except (aiohttp.ClientError, OSError) as error:
            cause = error.__cause__ if isinstance(error.__cause__, Forbidden) else error
            return f"{type(cause).__name__}: {cause}"[:200]

    def _check_literal(self) -> None:
        """An address written as such is never resolved."""
        host = urlsplit(self._url).hostname or ""
        try:
            ipaddress.ip_address(host)
        except ValueError:
            return
        if not self._local:
            check_address(host, private_network=self._private)


class Webhooks:
    """The task that delivers."""

    def __init__(self, settings: Settings, outbox: SqlOutbox, exporter: Exporter, clock: Clock) -> None:
        """Raises SettingsError for a secret that cannot be used."""
        self._receivers = [Receiver(hook) for hook in settings.webhooks]
        self._outbox = outbox
        self._exporter = exporter
        self._clock = clock

    async def run(self) -> None:
        """Deliver until cancelled. One receiver that is slow holds up no other."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._count())
            for receiver in self._receivers:
                group.create_task(self._serve(receiver))

    async def _count(self) -> None:
        while True:
            try:
                self._exporter.set(catalogue.NEWS_WAITING, sum((await self._outbox.waiting()).values()))
                self._exporter.set(catalogue.NEWS_DEAD, len(await self._outbox.dead(1000)))
            except StorageError as error:
                log.warning("webhook.uncounted", extra={"reason": str(error)})
            await asyncio.sleep(_COUNT_EVERY_S)

    async def _serve(self, receiver: Receiver) -> None:
        while True:
            more = False
            try:
                more = await self.deliver(receiver)
            except StorageError as error:
                log.warning("webhook.later", extra={"hook": receiver.name, "reason": str(error)})
            if not more:
                await asyncio.sleep(_EVERY_S)

    async def deliver(self, receiver: Receiver) -> bool:
        """Send what is due to one receiver; whether anything was. Raises StorageError."""
        await self._outbox.enrol(receiver.name, self._clock.now())
        found = await self._outbox.due(receiver.name, self._clock.now(), _AT_ONCE)
        for delivery in found:
            await self._send(receiver, delivery)
        return bool(found)

    async def _send(self, receiver: Receiver, delivery: Delivery) -> None:
        now = self._clock.now()
        error = await receiver.post(delivery.news, int(now.timestamp()))
        if not error:
            await self._outbox.delivered(delivery)
            return
        again = delivery.attempts < len(PAUSES)
        tell: Any = log.warning if again else log.error
        tell(
            "webhook.failed" if again else "webhook.given_up",
            extra={"hook": receiver.name, "news": delivery.news.id, "reason": error},
        )
        await self._outbox.failed(delivery, error, now + PAUSES[delivery.attempts] if again else None)


def _secret(hook: Webhook) -> bytes:
    try:
        secret = hook.secret_file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"webhook {hook.name}: secret_file {hook.secret_file} cannot be read") from error
    if len(secret) < _SHORTEST_SECRET:
        raise SettingsError(f"webhook {hook.name}: the secret must have {_SHORTEST_SECRET} letters or more")
    return secret.encode()
