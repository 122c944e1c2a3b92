"""The link to one Asterisk's manager interface: kept up, observable, with actions that always end.

DOWN ──► CONNECTING ──► UP ──► DOWN        connecting, login and FullyBooted in between
              └──► REFUSED ──► CONNECTING  wrong name or password: a long wait, then once more
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum

from calls.errors import AmiError, AmiLinkDown, AmiRefused
from ivr.ami.client import FencedManager, PendingAction
from ivr.ami.sink import EventSink
from ivr.ami.wire import AmiMessage, Fields, checked_fields

log = logging.getLogger(__name__)


class LinkState(Enum):
    """What the link is doing; also a metric's label."""

    DOWN = "down"
    CONNECTING = "connecting"
    REFUSED = "refused"
    UP = "up"


@dataclass(frozen=True, slots=True)
class LinkTiming:
    """How long the link waits for what, in seconds."""

    connect_s: float = 5.0
    login_s: float = 5.0
    boot_s: float = 60.0
    """From login to FullyBooted: a loaded Asterisk takes its time to start."""
    ping_every_s: float = 5.0
    ping_reply_s: float = 5.0
    backoff_first_s: float = 0.25
    backoff_cap_s: float = 10.0
    refused_wait_s: float = 30.0
    """After a wrong password: Asterisk must not see a storm of logins, and fail2ban must not lock us out."""


class AmiLink:
    """Keeps one AMI connection: ``run()`` in a task, ``call``, ``query`` from anywhere, ``close`` at the end.

    Events go to ``events``, in order, none dropped while the link is up; those of a time when it is down are
    lost here and come back from Asterisk's files. Actions are sent once and never again.

    ``on_state`` is told every change of :attr:`state`; what it raises is logged and goes no further.
    ``jitter`` gives numbers in [0, 1), ``sleep`` waits between attempts.
    """

    def __init__(
        self,
        host: str,
        port: int,
        username: str,
        secret: str,
        *,
        events: EventSink,
        on_state: Callable[[LinkState], None] | None = None,
        timing: LinkTiming | None = None,
        jitter: Callable[[], float] = random.random,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """Raises :class:`UnsafeValue` for a username or secret that could never be sent."""
        checked_fields({"Username": username, "Secret": secret})
        self._host, self._port = host, port
        self._username, self._secret = username, secret
        self._events = events
        self._on_state = on_state
        self._timing = timing or LinkTiming()
        self._jitter = jitter
        self._sleep = sleep
        self._state = LinkState.DOWN
        self._manager: FencedManager | None = None
        self._failures = 0
        self._keeper: asyncio.Task[None] | None = None
        self._closed = False

    @property
    def state(self) -> LinkState:
        """The present state."""
        return self._state

    async def run(self) -> None:
        """Keep the link until :meth:`close` (then return) or until cancelled. Call it once."""
        if self._closed:
            return
        self._keeper = asyncio.create_task(self._keep(), name="ami-link")
        try:
            await asyncio.wait({self._keeper})
        finally:
            await self._end_keeper()
        if not self._keeper.cancelled():
            self._keeper.result()  # a bug in here: it must not pass for a close

    async def close(self) -> None:
        """End the link for good, whatever it is doing; pending actions fail with :class:`AmiLinkDown`."""
        self._closed = True
        await self._end_keeper()

    async def call(self, action: str, fields: Fields = (), *, timeout_s: float = 5.0) -> AmiMessage:
        """Send one action and return Asterisk's reply.

        Raises :class:`AmiLinkDown` (not up, or lost meanwhile: it may or may not have been carried out),
        :class:`AmiTimeout`, :class:`AmiRefused` (the reply is an error; Asterisk also refuses headers of more
        than about 1,000 bytes), :class:`UnsafeValue` (nothing was sent).
        """
        return (await self._perform(PendingAction(action, fields), timeout_s))[0]

    async def query(
        self, action: str, fields: Fields = (), *, complete_event: str, timeout_s: float = 10.0
    ) -> list[AmiMessage]:
        """Send a list action, such as ``QueueStatus``, and return its events without the completing one.

        They are recognised by their ActionID and do not go to the sink. Raises what :meth:`call` raises;
        ``timeout_s`` is for the whole list.
        """
        return (await self._perform(PendingAction(action, fields, until=complete_event), timeout_s))[1:]

    async def _perform(self, action: PendingAction, timeout_s: float) -> list[AmiMessage]:
        if self._manager is None:
            raise AmiLinkDown(f"the link is {self._state.value}")
        return await self._manager.perform(action, timeout_s)

    async def _keep(self) -> None:
        try:
            while True:
                await self._events.flowing()
                try:
                    await self._connection()
                except AmiRefused as error:
                    self._enter(LinkState.REFUSED, reason=str(error), retry_s=self._timing.refused_wait_s)
                    await self._sleep(self._timing.refused_wait_s)
                except AmiError as error:
                    wait_s = backoff_s(self._failures, self._timing, self._jitter())
                    self._failures += 1
                    self._enter(LinkState.DOWN, reason=str(error), retry_s=round(wait_s, 2))
                    await self._sleep(wait_s)
        finally:
            self._enter(LinkState.DOWN, reason="closed")

    async def _connection(self) -> None:
        """One connection from beginning to end; ends by an :class:`AmiError` only."""
        self._enter(LinkState.CONNECTING)
        timing = self._timing
        manager = FencedManager(self._host, self._port, self._username, self._secret, self._events)
        try:
            await manager.connect(timing.connect_s)
            await manager.login(timing.login_s)
            await manager.until_booted(timing.boot_s)
            self._failures = 0
            self._manager = manager
            self._enter(LinkState.UP)
            await manager.keep_alive(timing.ping_every_s, timing.ping_reply_s)
        finally:
            self._manager = None
            await manager.closed()

    def _enter(self, state: LinkState, **details: object) -> None:
        if state is self._state:
            return
        self._state = state
        place = {"ami_host": self._host, "ami_port": self._port}
        level = logging.INFO if state in (LinkState.UP, LinkState.CONNECTING) else logging.WARNING
        log.log(level, f"ami_{state.value}", extra={**place, **details})
        if self._on_state is not None:
            try:
                self._on_state(state)
            except Exception:
                log.exception("ami_state_callback_failed", extra=place)

    async def _end_keeper(self) -> None:
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.wait({self._keeper})


def backoff_s(failures: int, timing: LinkTiming, jitter: float) -> float:
    """The wait in seconds after that many failures in a row: doubled each time, capped, less up to half.

    What ``jitter`` takes off keeps many services from returning to a restarted Asterisk at the same instant.
    """
    longest = min(timing.backoff_cap_s, timing.backoff_first_s * 2.0 ** min(failures, 32))
    return longest * (1 - jitter / 2)
