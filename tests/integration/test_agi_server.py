"""The FastAGI server against a scripted Asterisk, over real sockets: it survives whatever comes."""

from __future__ import annotations

import asyncio
import logging
import socket
import struct
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, TypeAlias

import pytest

from calls.errors import AgiEnded, AgiError, AgiGarbage, AgiTimeout
from ivr.agi.application import Ended, Refused, Route
from ivr.agi.server import AgiServer
from ivr.agi.session import AgiSession

PATIENCE_S = 180.0  # for what must happen; nothing waits that long when all is well
SHORT_S = 0.1  # for time-outs that must expire
NUMBER, NAME = "13800138000", "张三"


class Tally:
    """An observer that counts and can be waited for."""

    def __init__(self) -> None:
        self.started = 0
        self.ended: Counter[Ended] = Counter()
        self.refused: Counter[Refused] = Counter()
        self.turns: list[float] = []
        self._changed = asyncio.Event()

    def connection_refused(self, why: Refused) -> None:
        self.refused[why] += 1
        self._changed.set()

    def session_started(self) -> None:
        self.started += 1
        self._changed.set()

    def session_ended(self, how: Ended) -> None:
        self.ended[how] += 1
        self._changed.set()

    def turn_taken(self, seconds: float) -> None:
        self.turns.append(seconds)

    async def until(self, reached: Callable[[Tally], bool]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not reached(self):
                self._changed.clear()
                await self._changed.wait()


class Asterisk:
    """Asterisk's side of one connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    def send(self, raw: bytes) -> None:
        self._writer.write(raw)

    def send_urgent(self, raw: bytes) -> None:
        """As older Asterisks send HANGUP: the last byte is TCP's urgent one."""
        with self._writer.get_extra_info("socket").dup() as raw_socket:
            assert raw_socket.send(raw, socket.MSG_OOB) == len(raw)

    async def heard(self) -> bytes:
        """The next command, b"" once the server has closed."""
        async with asyncio.timeout(PATIENCE_S):
            try:
                return await self._reader.readline()
            except ConnectionResetError:
                return b""

    async def answer(self, replies: Mapping[bytes, bytes]) -> list[bytes]:
        """Answers each command by its first word until the server closes; returns what it was asked."""
        asked: list[bytes] = []
        while line := await self.heard():
            asked.append(line)
            self.send(replies[line.split()[0]])
        return asked

    def say_no_more(self) -> None:
        """Closes one direction only."""
        self._writer.write_eof()

    def close(self) -> None:
        self._writer.close()

    def reset(self) -> None:
        """Closes with a RST instead of a FIN."""
        linger = struct.pack("ii", 1, 0)
        self._writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self._writer.transport.abort()


def request(route: str = "menu", call_id: str = "1.1", name: bytes = NAME.encode()) -> bytes:
    return (
        f"agi_network: yes\nagi_network_script: {route}\nagi_request: agi://127.0.0.1/{route}\n"
        f"agi_channel: PJSIP/trunk-1\nagi_language: zh\nagi_uniqueid: {call_id}\nagi_callerid: {NUMBER}\n"
    ).encode() + b"agi_calleridname: %s\nagi_dnid: 12306\n\n" % name


@asynccontextmanager
async def connected(server: AgiServer, raw: bytes = b"") -> AsyncIterator[Asterisk]:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    peer = Asterisk(reader, writer)
    peer.send(raw)
    try:
        yield peer
    finally:
        writer.transport.abort()


@pytest.fixture(autouse=True)
async def nothing_left_behind() -> AsyncIterator[None]:
    """An exception in the event loop, or a task that outlives its test, fails the test."""
    loop = asyncio.get_running_loop()
    faults: list[dict[str, Any]] = []
    loop.set_exception_handler(lambda _, context: faults.append(context))
    before = asyncio.all_tasks()
    yield
    await rest(before)
    assert faults == []


async def rest(before: set[asyncio.Task[Any]]) -> None:
    """Waits until only the tasks of before are left."""
    new = asyncio.all_tasks() - before - {asyncio.current_task()}
    if new:
        _, pending = await asyncio.wait(new, timeout=PATIENCE_S)
        assert pending == set()


Serve: TypeAlias = Callable[..., AbstractAsyncContextManager[tuple[AgiServer, Tally]]]


@asynccontextmanager
async def serving(route: Route | Mapping[str, Route], **options: Any) -> AsyncIterator[tuple[AgiServer, Tally]]:
    routes = route if isinstance(route, Mapping) else {"menu": route}
    tally = Tally()
    options = {"header_timeout_s": PATIENCE_S, "margin_s": PATIENCE_S, **options}
    server = AgiServer("127.0.0.1", 0, routes, observer=tally, **options)
    await server.start()
    try:
        yield server, tally
    finally:
        await server.drain(0)
        assert tally.started == tally.ended.total()


async def greet(session: AgiSession) -> None:
    await session.verbose("hello")


async def still_serves(server: AgiServer) -> None:
    """Somebody is served; not the first where they have SHORT_S to say who they are, and the machine is busy."""
    asked: list[bytes] = []
    async with asyncio.timeout(PATIENCE_S):
        while not asked:
            async with connected(server, request()) as peer:
                asked = await peer.answer({b"VERBOSE": b"200 result=1\n"})
    assert asked == [b'VERBOSE "hello" "3"\n']


async def test_a_call_travels_through_the_menu() -> None:
    seen: list[object] = []

    async def menu(session: AgiSession) -> None:
        seen.append((session.request.caller_name, session.request.caller_number))
        seen.append(await session.get_variable("LANG"))
        seen.append(await session.ask_digit(["welcome"], 1, expected_s=1))
        await session.set_variable("SECTION", "info")

    async with serving(menu) as (server, tally), connected(server, request()) as peer:
        asked = await peer.answer(
            {
                b"GET": b"200 result=1 (zh)\n",
                b"STREAM": b"200 result=0 endpos=8000\n",
                b"WAIT": b"200 result=50\n",
                b"SET": b"200 result=1\n",
            }
        )
    assert seen == [(NAME, NUMBER), "zh", "2"]
    assert asked[-1] == b'SET VARIABLE "SECTION" "info"\n'
    assert tally.ended == {Ended.DONE: 1}
    assert len(tally.turns) == 4


NAMES = [
    ("utf-8", "李雷 🚄".encode(), "李雷 🚄"),
    ("gbk", "李雷".encode("gbk"), "\ufffd\ufffd\ufffd\ufffd"),
    ("asterisk syntax", b'"${SHELL(id)}"; \\', '"${SHELL(id)}"; \\'),
    ("4 kB", b"x" * 4096, "x" * 4096),
    ("line break", b"x\nHANGUP", "x"),
]


@pytest.mark.parametrize(("raw", "name"), [row[1:] for row in NAMES], ids=[row[0] for row in NAMES])
async def test_hostile_names_get_the_menu(raw: bytes, name: str) -> None:
    names: list[str | None] = []

    async def menu(session: AgiSession) -> None:
        names.append(session.request.caller_name)
        await session.verbose("hello")

    async with serving(menu) as (server, _), connected(server, request(name=raw)) as peer:
        assert await peer.answer({b"VERBOSE": b"200 result=1\n"}) == [b'VERBOSE "hello" "3"\n']
    assert names == [name]


Deed: TypeAlias = Callable[[Asterisk], None]


def send(raw: bytes) -> Deed:
    return lambda peer: peer.send(raw)


def send_and_close(raw: bytes) -> Deed:
    def deed(peer: Asterisk) -> None:
        peer.send(raw)
        peer.say_no_more()

    return deed


OPENINGS: list[tuple[str, Deed, Refused]] = [
    ("closes", Asterisk.close, Refused.CLOSED),
    ("closes its direction", Asterisk.say_no_more, Refused.CLOSED),
    ("resets", Asterisk.reset, Refused.CLOSED),
    ("is silent", send(b""), Refused.TIMEOUT),
    ("stops half-way", send(request()[:-1]), Refused.TIMEOUT),
    ("closes half-way", send_and_close(request()[:-1]), Refused.GARBAGE),
    ("header of 1 MB in one line", send(b"agi_x: " + b"x" * 1_000_000), Refused.GARBAGE),
    ("header of 1 MB in lines", send(b"agi_x: y\n" * 120_000), Refused.GARBAGE),
    ("header of 1 MB, complete", send(b"agi_x: " + b"x" * 1_000_000 + b"\n" + request()), Refused.GARBAGE),
    ("too many lines", send(b"x\n" * 200 + request()), Refused.GARBAGE),
    ("binary", send_and_close(bytes(range(256)) * 8), Refused.GARBAGE),
    ("http", send(b"GET / HTTP/1.0\n\n"), Refused.GARBAGE),
    ("forged field", send(request(name=b"x\nagi_dnid: 110")), Refused.GARBAGE),
    ("unknown route", send(request("nonesuch")), Refused.NO_ROUTE),
    ("no route", send(request().replace(b"agi_network_script", b"agi_x")), Refused.NO_ROUTE),
]


@pytest.mark.parametrize(("deed", "why"), [row[1:] for row in OPENINGS], ids=[row[0] for row in OPENINGS])
async def test_bad_openings_are_closed_and_harm_nobody(deed: Deed, why: Refused) -> None:
    header_timeout_s = SHORT_S if why is Refused.TIMEOUT else PATIENCE_S
    async with serving(greet, header_timeout_s=header_timeout_s) as (server, tally):
        async with connected(server) as peer:
            deed(peer)
            await tally.until(lambda tally: tally.refused == {why: 1})
            if deed not in (Asterisk.close, Asterisk.reset):
                assert await peer.heard() == b""
        await still_serves(server)
        assert tally.started == 1


USAGE = b"520-Invalid command syntax.  Proper usage follows:\n"

REPLIES: list[tuple[str, Deed, type[AgiError], Ended]] = [
    ("hangs up in mid-command", send(b"200 result=-1 endpos=8\nHANGUP\n"), AgiEnded, Ended.HUNG_UP),
    ("hangs up before the reply", send(b"HANGUP\n200 result=49 endpos=8\n"), AgiEnded, Ended.HUNG_UP),
    ("hangs up, urgently", lambda peer: peer.send_urgent(b"HANGUP\n"), AgiEnded, Ended.HUNG_UP),
    ("hung up before", send(b"511 Command Not Permitted on a dead channel\n"), AgiEnded, Ended.HUNG_UP),
    ("closes", Asterisk.close, AgiEnded, Ended.HUNG_UP),
    ("closes its direction", Asterisk.say_no_more, AgiEnded, Ended.HUNG_UP),
    ("closes in mid-reply", send_and_close(b"200 resu"), AgiEnded, Ended.HUNG_UP),
    ("closes in mid-usage", send_and_close(USAGE + b"Usage"), AgiEnded, Ended.HUNG_UP),
    ("resets", Asterisk.reset, AgiEnded, Ended.HUNG_UP),
    ("is silent", send(b""), AgiTimeout, Ended.TIMEOUT),
    ("stops in mid-reply", send(b"200 resu"), AgiTimeout, Ended.TIMEOUT),
    ("only tries", send(b"100 result=0 Trying...\n" * 9), AgiTimeout, Ended.TIMEOUT),
    ("stops in mid-usage", send(USAGE + b"Usage: ANSWER\n"), AgiTimeout, Ended.TIMEOUT),
    ("binary", send(b"\xff\x00\xfe\n"), AgiGarbage, Ended.GARBAGE),
    ("not a key", send(b"200 result=200 endpos=8\n"), AgiGarbage, Ended.GARBAGE),
    ("value of two lines", send(b"200 result=1 (a\n200 result=1 (b)\n"), AgiGarbage, Ended.GARBAGE),
    ("reply over 64 KiB", send(b"200 result=1 (" + b"x" * 70_000 + b")\n"), AgiGarbage, Ended.GARBAGE),
    ("1 MB without a line break", send(b"2" * 1_000_000), AgiGarbage, Ended.GARBAGE),
    ("usage without an end", send(USAGE + b"x\n" * 300), AgiGarbage, Ended.GARBAGE),
]


@pytest.mark.parametrize(("deed", "error", "how"), [row[1:] for row in REPLIES], ids=[row[0] for row in REPLIES])
async def test_bad_replies_end_the_session(deed: Deed, error: type[AgiError], how: Ended) -> None:
    afterwards: list[type[AgiError]] = []

    async def menu(session: AgiSession) -> None:
        if session.request.call_id != "bad":
            return await greet(session)
        try:
            await session.play(["welcome"], "1", expected_s=0)
        except AgiError as first:
            assert type(first) is error
            with pytest.raises(AgiEnded):
                await session.verbose("too late")
            afterwards.append(type(first))
            raise

    margin_s = SHORT_S if error is AgiTimeout else PATIENCE_S
    async with serving(menu, margin_s=margin_s) as (server, tally):
        async with connected(server, request(call_id="bad")) as peer:
            assert await peer.heard() == b'STREAM FILE "welcome" "1"\n'
            deed(peer)
            await tally.until(lambda tally: tally.ended == {how: 1})
        assert afterwards == [error]
        await still_serves(server)


@pytest.mark.parametrize(
    "refusal",
    [
        b"510 Invalid or unknown command\n",
        b"520 Invalid command syntax.  Proper usage not available.\n",
        USAGE + b"Usage: ANSWER\n Example: 200 result=1 (x)\n\n520 End of proper usage.\n",
        USAGE + b"Returns -1 on channel failure, or 0 if successful.520 End of proper usage.\n",
    ],
    ids=["510", "520", "long 520", "long 520 in one line"],
)
async def test_a_refused_command_leaves_replies_in_step(refusal: bytes) -> None:
    async def menu(session: AgiSession) -> None:
        with pytest.raises(AgiError, match="refused ANSWER"):
            await session.answer()
        assert await session.get_variable("LANG") == "zh"

    async with serving(menu) as (server, tally), connected(server, request()) as peer:
        await peer.answer({b"ANSWER": refusal, b"GET": b"200 result=1 (zh)\n"})
    assert tally.ended == {Ended.DONE: 1}


async def test_a_missing_sound_is_not_a_hang_up(caplog: pytest.LogCaptureFixture) -> None:
    digits: list[str | None] = []

    async def menu(session: AgiSession) -> None:
        digits.append(await session.play(["missing", "there"], "1", expected_s=1))

    async with serving(menu) as (server, tally), connected(server, request()) as peer:
        assert await peer.heard() == b'STREAM FILE "missing" "1"\n'
        peer.send(b"200 result=-1 endpos=0\n")
        assert await peer.heard() == b"CHANNEL STATUS\n"
        peer.send(b"200 result=6\n")
        assert await peer.heard() == b'STREAM FILE "there" "1"\n'
        peer.send(b"200 result=49 endpos=800\n")
        assert await peer.heard() == b""
    assert digits == ["1"]
    assert tally.ended == {Ended.DONE: 1}
    [record] = [record for record in caplog.records if record.message == "agi.sound_missing"]
    assert record.__dict__["file"] == "missing"


async def test_a_reply_that_is_not_utf8_is_read() -> None:
    values: list[str | None] = []

    async def menu(session: AgiSession) -> None:
        values.append(await session.get_variable("NAME"))

    async with serving(menu) as (server, _), connected(server, request()) as peer:
        await peer.answer({b"GET": b"200 result=1 (\xd5\xc5)\n"})
    assert values == ["\ufffd\ufffd"]


async def test_a_slow_peer_is_served_byte_by_byte() -> None:
    async with serving(greet) as (server, tally), connected(server) as peer:
        for byte in request():
            peer.send(bytes([byte]))
            await asyncio.sleep(0)
        assert await peer.heard() == b'VERBOSE "hello" "3"\n'
        for byte in b"200 result=1\n":
            peer.send(bytes([byte]))
            await asyncio.sleep(0)
        assert await peer.heard() == b""
    assert tally.ended == {Ended.DONE: 1}


async def test_a_thousand_health_checks_leave_nothing() -> None:
    async with serving(greet) as (server, tally):
        before = asyncio.all_tasks()

        async def check() -> None:
            _, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.close()
            await writer.wait_closed()

        for _ in range(20):
            await asyncio.gather(*(check() for _ in range(50)))
        await tally.until(lambda tally: tally.refused == {Refused.CLOSED: 1000})
        await rest(before)
        await still_serves(server)


async def test_five_hundred_calls_at_once_do_not_mix() -> None:
    calls = 500
    everyone = asyncio.Event()
    mixed: list[str] = []

    async def menu(session: AgiSession) -> None:
        if tally.started == calls:
            everyone.set()
        await everyone.wait()
        digit = await session.ask_digit(["welcome"], 1, expected_s=1)
        if digit != session.request.call_id[-1]:
            mixed.append(session.request.call_id)
        await session.set_variable("CALL", session.request.call_id)

    async def call(number: int) -> None:
        async with connected(server, request(call_id=str(number))) as peer:
            replies = {b"STREAM": b"200 result=0 endpos=1\n", b"SET": b"200 result=1\n"}
            asked = await peer.answer({**replies, b"WAIT": b"200 result=%d\n" % (48 + number % 10)})
            assert asked[-1] == b'SET VARIABLE "CALL" "%d"\n' % number

    async with serving(menu) as (server, tally):
        await asyncio.gather(*(call(number) for number in range(calls)))
    assert mixed == []
    assert tally.ended == {Ended.DONE: calls}


async def test_more_than_allowed_are_closed_at_once() -> None:
    async with serving(greet, max_sessions=1) as (server, tally), connected(server, request()) as first:
        await first.heard()
        async with connected(server, request()) as second:
            assert await second.heard() == b""
        assert tally.refused == {Refused.BUSY: 1}
        first.send(b"200 result=1\n")
        assert await first.heard() == b""
        assert tally.ended == {Ended.DONE: 1}


async def test_one_session_s_fault_is_its_own_and_says_nothing_of_the_caller(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)

    async def broken(session: AgiSession) -> None:
        raise KeyError(session.request.caller_number, session.request.caller_name)

    async with (
        serving({"menu": greet, "broken": broken}) as (server, tally),
        connected(server, request()) as bystander,
    ):
        await bystander.heard()
        async with connected(server, request("broken", call_id="7.7")) as peer:
            assert await peer.heard() == b""
        assert tally.ended == {Ended.FAILED: 1}
        bystander.send(b"200 result=1\n")
        assert await bystander.heard() == b""
    assert tally.ended == {Ended.FAILED: 1, Ended.DONE: 1}
    [failure] = [record for record in caplog.records if record.message == "agi.session_failed"]
    assert failure.__dict__["call_id"] == "7.7"
    assert failure.__dict__["error"] == "KeyError"
    assert "in broken" in failure.__dict__["where"]
    ours = "".join(str(record.__dict__) for record in caplog.records if record.name.startswith("ivr."))
    assert NUMBER not in ours
    assert NAME not in ours


async def test_a_plain_function_can_be_a_route() -> None:
    called: list[str] = []

    def plain(session: AgiSession) -> None:
        called.append(session.request.call_id)

    async with serving(plain) as (server, tally), connected(server, request()) as peer:
        assert await peer.heard() == b""
    assert called == ["1.1"]
    assert tally.ended == {Ended.DONE: 1}


async def test_drain_lets_sessions_end_then_cancels(monkeypatch: pytest.MonkeyPatch) -> None:
    async def polite(session: AgiSession) -> None:
        while not session.draining:
            await session.play(["welcome"], "", expected_s=1)

    async def endless(session: AgiSession) -> None:
        await asyncio.Event().wait()

    async with (
        serving({"polite": polite, "endless": endless}) as (server, tally),
        connected(server, request("polite")) as first,
        connected(server, request("endless")) as second,
    ):
        port = server.port
        await first.heard()
        await tally.until(lambda tally: tally.started == 2)
        draining = asyncio.create_task(server.drain(PATIENCE_S))
        await asyncio.sleep(0)  # lets it begin
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", port)
        first.send(b"200 result=0 endpos=8\n")
        assert await first.heard() == b""
        loop = asyncio.get_running_loop()
        monkeypatch.setattr(loop, "time", lambda: time.monotonic() + PATIENCE_S)  # it is over now
        assert await second.heard() == b""
        await draining
        assert tally.ended == {Ended.DONE: 1, Ended.CANCELLED: 1}
