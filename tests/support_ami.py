"""A fake Asterisk manager interface on a loopback socket, and links to it, for tests of whoever talks to AMI.

The fake behaves as Asterisk does where a client cares (greeting, login, FullyBooted, ActionID echoed, lists),
and misbehaves on request: silent actions, links cut, bytes of any kind.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

from ivr.ami.link import AmiLink, LinkState, LinkTiming
from ivr.ami.sink import EventSink
from ivr.ami.wire import AmiMessage

GREETING = b"Asterisk Call Manager/9.0.0\r\n"
FULLY_BOOTED = "Event: FullyBooted\r\nPrivilege: system,all\r\nTimestamp: 1700000000.000001\r\nUptime: 1\r\n\r\n"

PATIENCE_S = 180
"""For what happens at once, unless the machine is very busy."""

Reply = Callable[["FakeAction"], str]


@dataclass(frozen=True)
class FakeAction:
    """An action as the server read it, every header in the order sent."""

    headers: tuple[tuple[str, str], ...]

    def get(self, key: str, default: str = "") -> str:
        return next(iter(self.all(key)), default)

    def all(self, key: str) -> list[str]:
        return [value for name, value in self.headers if name.lower() == key.lower()]

    @property
    def name(self) -> str:
        return self.get("Action")

    def reply(self, response: str, message: str, *lines: str) -> str:
        head = [f"Response: {response}", f"ActionID: {self.get('ActionID')}", f"Message: {message}"]
        return "\r\n".join([*head, *lines, "", ""])

    def event(self, name: str, *lines: str) -> str:
        return "\r\n".join([f"Event: {name}", f"ActionID: {self.get('ActionID')}", *lines, "", ""])


def _core_show_channels(action: FakeAction) -> str:
    return (
        action.reply("Success", "Channels will follow", "EventList: start")
        + action.event("CoreShowChannel", "Channel: PJSIP/1001-00000001")
        + action.event("CoreShowChannel", "Channel: PJSIP/trunk-00000002")
        + action.event("CoreShowChannelsComplete", "EventList: Complete", "ListItems: 2")
    )


def _user_event(action: FakeAction) -> str:
    own = [f"{k}: {v}" for k, v in action.headers if k not in ("Action", "ActionID")]
    event = "\r\n".join(["Event: UserEvent", "Timestamp: 1700000000.250000", *own, "", ""])
    return action.reply("Success", "Event Sent") + event


ORDINARY: dict[str, Reply] = {
    "Ping": lambda a: a.reply("Success", "", "Ping: Pong", "Timestamp: 1700000000.500000"),
    "CoreShowChannels": _core_show_channels,
    "QueueStatus": lambda a: (
        a.reply("Success", "Queue status will follow", "EventList: start") + a.event("QueueStatusComplete")
    ),
    "Originate": lambda a: a.reply("Success", "Originate successfully queued"),
    "UserEvent": _user_event,
}


@dataclass
class FakeAmi:
    """The server; ``async with`` starts and stops it. ``replies`` may be changed at any time."""

    username: str = "sansheng"
    secret: str = "correct"
    booted: bool = True
    replies: dict[str, Reply | None] = field(default_factory=lambda: dict(ORDINARY))
    """What each action is answered; ``None``: nothing at all; missing: Asterisk's error."""
    actions: list[FakeAction] = field(default_factory=list)
    """Every action received, logins included."""
    port: int = 0

    def __post_init__(self) -> None:
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._sessions: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Condition()

    async def __aenter__(self) -> FakeAmi:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        """Listen; after a :meth:`stop` on the same port."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Stop listening and cut every link."""
        assert self._server is not None
        self._server.close()
        await self.cut()
        await self._server.wait_closed()

    async def cut(self) -> None:
        """Cut every link, and return when the sessions have ended."""
        for writer in self._writers:
            writer.close()
        await asyncio.gather(*self._sessions)

    @property
    def connected(self) -> int:
        """How many links there are."""
        return len(self._writers)

    def send(self, data: bytes | str) -> None:
        """To everyone connected."""
        for writer in self._writers:
            writer.write(data if isinstance(data, bytes) else data.encode())

    def named(self, name: str) -> list[FakeAction]:
        """The actions of one name received so far."""
        return [action for action in self.actions if action.name == name]

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until something that the server has seen makes ``condition`` true; fail after a minute."""
        async with asyncio.timeout(PATIENCE_S), self._changed:
            await self._changed.wait_for(condition)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        session = asyncio.create_task(self._session(reader, writer))
        self._sessions.add(session)
        session.add_done_callback(self._sessions.discard)

    async def _session(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        writer.write(GREETING)
        try:
            while True:
                block = await reader.readuntil(b"\r\n\r\n")
                for answer in self._answer(_read(block)):
                    writer.write(answer.encode())
                async with self._changed:
                    self._changed.notify_all()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()
        finally:
            self._writers.discard(writer)
            async with self._changed:
                self._changed.notify_all()

    def _answer(self, action: FakeAction) -> Iterator[str]:
        self.actions.append(action)
        if action.name == "Login":
            if (action.get("Username"), action.get("Secret")) != (self.username, self.secret):
                yield action.reply("Error", "Authentication failed")
            else:
                yield action.reply("Success", "Authentication accepted")
                if self.booted:
                    yield FULLY_BOOTED
        elif action.name not in self.replies:
            yield action.reply("Error", "Invalid/unknown command")
        elif (reply := self.replies[action.name]) is not None:
            yield reply(action)


def _read(block: bytes) -> FakeAction:
    pairs = (line.partition(": ") for line in block.decode().split("\r\n") if line)
    return FakeAction(tuple((key, value) for key, _, value in pairs))


HASTY = LinkTiming(
    connect_s=PATIENCE_S,
    login_s=PATIENCE_S,
    ping_every_s=60,
    ping_reply_s=PATIENCE_S,
    backoff_first_s=0.01,
    refused_wait_s=30,
)
"""For links in tests: back at once, no pings in between."""


class States:
    """What the link has told, and a way to wait for it."""

    def __init__(self) -> None:
        self.seen: list[LinkState] = []
        self._told = asyncio.Event()

    def __call__(self, state: LinkState) -> None:
        self.seen.append(state)
        self._told.set()

    async def reach(self, state: LinkState, times: int = 1) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while self.seen.count(state) < times:
                self._told.clear()
                await self._told.wait()


class Sleeps:
    """In place of the waits between attempts: notes their length, lets ``allowed`` of them pass at once."""

    def __init__(self, allowed: int) -> None:
        self.asked: list[float] = []
        self._allowed = allowed
        self._held = asyncio.Event()

    async def __call__(self, seconds: float) -> None:
        self.asked.append(seconds)
        if len(self.asked) > self._allowed:
            self._held.set()
            await asyncio.get_running_loop().create_future()

    async def held(self) -> None:
        async with asyncio.timeout(PATIENCE_S):
            await self._held.wait()


@asynccontextmanager
async def linked(
    server: FakeAmi,
    *,
    secret: str = "correct",
    sink: EventSink | None = None,
    timing: LinkTiming = HASTY,
    on_state: Callable[[LinkState], None] | None = None,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> AsyncIterator[AmiLink]:
    """A running link, closed at the end; ``run()`` must then return by itself."""
    sink = sink or EventSink()
    link = AmiLink(
        "127.0.0.1",
        server.port,
        "sansheng",
        secret,
        events=sink,
        on_state=on_state,
        timing=timing,
        sleep=sleep,
    )
    running = asyncio.create_task(link.run())
    try:
        yield link
    finally:
        await link.close()
        async with asyncio.timeout(PATIENCE_S):
            await running


@asynccontextmanager
async def up(server: FakeAmi, **settings: Any) -> AsyncIterator[tuple[AmiLink, States]]:
    """A link that is up."""
    states = States()
    async with linked(server, on_state=states, **settings) as link:
        await states.reach(LinkState.UP)
        yield link, states


async def take(sink: EventSink, count: int) -> list[AmiMessage]:
    async with asyncio.timeout(PATIENCE_S):
        return [await sink.get() for _ in range(count)]
