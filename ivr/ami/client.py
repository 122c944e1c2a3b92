"""One AMI connection on panoramisk 1.4, from connecting to its loss, with panoramisk's faults fenced in.

Used from panoramisk: settings, action ids, serialisation (``Action``), sending and the table of unanswered
actions. Each override says which fault it keeps out. Reconnecting is the business of ``ivr.ami.link``.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from panoramisk.actions import Action
from panoramisk.ami_protocol import AMIProtocol
from panoramisk.manager import Manager

from calls.errors import AmiError, AmiLinkDown, AmiRefused, AmiTimeout
from ivr.ami.sink import EventSink
from ivr.ami.wire import AmiMessage, Fields, Framer, checked_fields, checked_name, parse_message

log = logging.getLogger(__name__)


class PendingAction(Action):  # type: ignore[misc]
    """An action on its way: ``responses`` is what came back so far, ``future`` ends when that is all.

    ``until`` names the event that ends a list; ``None``: the reply is all there is.
    """

    def __init__(self, name: str, fields: Fields, until: str | None = None) -> None:
        super().__init__({"Action": checked_name(name), **checked_fields(fields)}, as_list=until is not None)
        self._until = until

    def add_message(self, message: AmiMessage) -> bool:
        """Take a message that quotes our ActionID; ``False`` if it is an ordinary event.

        Fences the guess by the reply's wording whether more will follow, which raises ``KeyError('async')``
        at "successfully queued", and the taking of an event (``OriginateResponse``) for the reply itself.
        """
        if message.event is None:
            self.responses.append(message)
            finished = self._until is None or message.refused
        elif self._until is None:
            return False
        else:
            finished = message.event == self._until
            if not finished:
                self.responses.append(message)
        if finished and not self.future.done():
            self.future.set_result(None)
        return True


class FencedProtocol(AMIProtocol):  # type: ignore[misc]
    """The reader: bytes in, replies to their actions, events to the sink. Runs no code of anybody else's."""

    def __init__(self, manager: FencedManager) -> None:
        self._manager = manager
        self._framer = Framer()

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Set ``factory`` at once: panoramisk does it later, and what arrives in between raises."""
        super().connection_made(transport)
        self.responses: dict[str, PendingAction] = {}
        self.factory = self._manager
        self.encoding = "utf-8"
        self._manager.protocol = self
        self._manager.sink.attach(transport)

    def data_received(self, data: bytes) -> None:
        """Cut the bytes into messages, then decode each.

        Fences: UTF-8 cut by a TCP segment being dropped, a buffer without limit, and the loss of the link at
        the first error in any message.
        """
        try:
            frames = self._framer.feed(data)
        except AmiError:
            log.exception("ami_message_too_long")
            self.close()
            return
        for frame in frames:
            message = parse_message(frame)
            if message is None:
                log.debug("ami_garbage", extra={"bytes": len(frame)})
                continue
            try:
                self.handle_message(message)
            except Exception:
                log.exception("ami_message_failed", extra={"ami_event": message.event})

    def handle_message(self, message: AmiMessage) -> None:
        """To the action that it answers, or to the sink. A reply that nobody awaits any more is dropped."""
        action_id = message.get("actionid")
        action = None if action_id is None else self.responses.get(action_id)
        taken = action is not None and action.add_message(message)
        if not taken and message.event is not None:
            self._manager.dispatch(message)

    def connection_lost(self, exc: Exception | None) -> None:
        """Fail what is pending, then tell the manager: also if it was we who closed, unlike panoramisk."""
        self.close()
        self._manager.connection_lost(exc)

    def close(self) -> None:
        """Fail every pending action with :class:`AmiLinkDown`; repeating is harmless.

        Fences: futures that hang for ever after a disconnect, and the list of unanswered actions that
        panoramisk sends again after the next login (an Originate went out twice).
        """
        self.closed = True
        pending, self.responses = self.responses, {}
        for action in pending.values():
            if not action.future.done():
                action.future.set_exception(AmiLinkDown("the link was lost before the action was answered"))
        self.transport.abort()


class FencedManager(Manager):  # type: ignore[misc]
    """One connection: ``connect``, ``login``, ``until_booted``, ``keep_alive``, ``closed``; used once."""

    def __init__(self, host: str, port: int, username: str, secret: str, sink: EventSink) -> None:
        loop = asyncio.get_running_loop()
        super().__init__(host=host, port=port, username=username, secret=secret, loop=loop)
        self.sink = sink
        self._lost = asyncio.Event()
        self._booted = False
        self._settled = asyncio.Event()

    async def connect(self, timeout_s: float) -> None:
        """Open the connection, or raise :class:`AmiLinkDown`.

        Fences: errors other than ``OSError`` lost in a callback, no time-out, and a new attempt by timer.
        """
        host, port = self.config["host"], self.config["port"]
        try:
            async with asyncio.timeout(timeout_s):
                await self.loop.create_connection(lambda: FencedProtocol(self), host, port)
        except OSError as error:  # TimeoutError is one
            raise AmiLinkDown(f"cannot connect to {host}:{port}: {str(error) or 'no answer'}") from error

    async def login(self, timeout_s: float) -> None:
        """Log in with all events on; a wrong name or secret is :class:`AmiRefused`.

        Fences: the reply's verdict ignored, so that a wrong password means a login a second for ever.
        """
        credentials = {"Username": self.config["username"], "Secret": self.config["secret"], "Events": "on"}
        await self.perform(PendingAction("Login", credentials), timeout_s)
        self.authenticated = True

    async def until_booted(self, timeout_s: float) -> None:
        """Wait for ``FullyBooted`` (read class ``system``): before it Asterisk's modules may be missing."""
        async with _limit(timeout_s, "FullyBooted, which needs read class 'system'"):
            await self._settled.wait()
        if not self._booted:
            raise AmiLinkDown("the link was lost while Asterisk was starting")

    async def keep_alive(self, every_s: float, reply_s: float) -> None:
        """Ping until the link is lost, then raise :class:`AmiLinkDown` (or :class:`AmiTimeout`: no pong)."""
        while not self._lost.is_set():
            try:
                async with asyncio.timeout(every_s):
                    await self._lost.wait()
            except TimeoutError:
                await self.ping(reply_s)
        raise AmiLinkDown("the connection was closed by the other side")

    async def ping(self, timeout_s: float) -> None:
        """Raise :class:`AmiTimeout` if no reply comes. Fences: a ping whose reply nobody looks at.

        While our own consumer holds up the reader, a missing reply says nothing about Asterisk.
        """
        pauses, paused = self.sink.pauses, self.sink.paused
        try:
            await self.perform(PendingAction("Ping", ()), timeout_s)
        except AmiRefused:
            log.debug("ami_ping_refused")  # but answered
        except AmiTimeout:
            if not paused and self.sink.pauses == pauses:
                raise

    async def perform(self, action: PendingAction, timeout_s: float) -> list[AmiMessage]:
        """Send an action and wait: the reply, and after it the events of a list.

        Raises :class:`AmiLinkDown`, :class:`AmiTimeout`, :class:`AmiRefused`. Fences: no time-out at all, and
        unanswered actions that are kept for ever.
        """
        if self.protocol is None or self.protocol.closed:
            raise AmiLinkDown("the link is closed")
        name = action["action"]
        try:
            async with _limit(timeout_s, f"the reply to {name}"):
                await self.send_action(action, as_list=action.as_list)
        finally:
            self.protocol.responses.pop(action.id, None)
        messages: list[AmiMessage] = action.responses
        if messages[0].refused:
            text = "; ".join((messages[0].get("message", "no reason given"), *messages[0].all("output")))
            raise AmiRefused(f"{name}: {text}")
        return messages

    def dispatch(self, event: AmiMessage) -> None:
        """Every event into the bounded sink.

        Fences: callbacks run while reading, where an exception closes the link; coroutine callbacks, which
        become tasks without limit; and the callback that sends unanswered actions again at FullyBooted.
        """
        if event.event == "FullyBooted":
            self._booted = True
            self._settled.set()
        self.sink.offer(event)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wake up whoever waits. Fences: reconnecting by timer, even after ``close()``."""
        self._lost.set()
        self._settled.set()

    def close(self) -> None:
        """Close for good. Fences: ``close()`` while reconnecting, after which panoramisk connects again."""
        if self.protocol is not None:
            self.protocol.close()

    async def closed(self) -> None:
        """Close, and return once the socket is released."""
        self.close()
        if self.protocol is not None:
            await self._lost.wait()


@asynccontextmanager
async def _limit(timeout_s: float, what: str) -> AsyncIterator[None]:
    """``asyncio.timeout`` in the words of our error tree."""
    try:
        async with asyncio.timeout(timeout_s):
            yield
    except TimeoutError as error:
        raise AmiTimeout(f"{what} did not come within {timeout_s:g} s") from error
