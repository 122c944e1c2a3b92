"""One session without sockets: what is counted, and what ends it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from itertools import count
from typing import cast

import pytest

from calls.errors import AgiEnded, AgiError, AgiGarbage, UnsafeValue
from ivr.agi.session import AgiRequest, AgiSession

REQUEST = AgiRequest.from_header(b"agi_uniqueid: 1.1\nagi_channel: PJSIP/x\n\n")


class Sent:
    """Stands for the writer: what was sent."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []

    def write(self, line: bytes) -> None:
        self.lines.append(line)

    async def drain(self) -> None:
        """Everything fits."""


class Talk:
    """A session whose replies are fed beforehand."""

    def __init__(self, replies: bytes = b"", ticks: Iterator[float] | None = None) -> None:
        self.reader = asyncio.StreamReader()
        self.reader.feed_data(replies)
        self.sent = Sent()
        self.turns: list[float] = []
        self.draining = False
        clock: Callable[[], float] = (ticks or count(0.0)).__next__
        self.session = AgiSession(
            REQUEST,
            self.reader,
            cast(asyncio.StreamWriter, self.sent),
            margin_s=5,
            clock=clock,
            on_turn=self.turns.append,
            is_draining=lambda: self.draining,
        )


async def test_turn_is_the_time_from_hearing_to_sending() -> None:
    # request at 10; sent at 10.5; reply at 13; sent at 13.25; reply at 14
    talk = Talk(b"200 result=0\n200 result=1\n", iter([10.0, 10.5, 13.0, 13.25, 14.0]))
    await talk.session.answer()
    await talk.session.set_variable("A", "b")
    assert talk.turns == [0.5, 0.25]


async def test_ask_digit_plays_then_waits() -> None:
    talk = Talk(b"200 result=0 endpos=80\n200 result=0 endpos=80\n200 result=53\n")
    assert await talk.session.ask_digit(["a", "b"], 2.5, "123", expected_s=9) == "5"
    assert talk.sent.lines == [
        b'STREAM FILE "a" "123"\n',
        b'STREAM FILE "b" "123"\n',
        b'WAIT FOR DIGIT "2500"\n',
    ]


async def test_a_key_cuts_the_prompts_short() -> None:
    talk = Talk(b"200 result=42 endpos=80\n")
    assert await talk.session.ask_digit(["a", "b"], 2.5, "*", expected_s=9) == "*"
    assert talk.sent.lines == [b'STREAM FILE "a" "*"\n']


async def test_silence() -> None:
    talk = Talk(b"200 result=0\n")
    assert await talk.session.ask_digit([], 5, expected_s=0) is None


@pytest.mark.parametrize(
    ("reply", "value"),
    [(b"200 result=1 (zh)\n", "zh"), (b"200 result=1 ()\n", ""), (b"200 result=0\n", None)],
)
async def test_get_variable(reply: bytes, value: str | None) -> None:
    assert await Talk(reply).session.get_variable("LANG") == value


async def test_exec_tells_failure_from_hang_up() -> None:
    talk = Talk(b"200 result=0\n200 result=-1\n200 result=6\n200 result=-1\nHANGUP\n")
    assert await talk.session.exec("Wait", "1", expected_s=1)
    assert not await talk.session.exec("Wait", "1", expected_s=1)
    with pytest.raises(AgiEnded):
        await talk.session.exec("Queue", "info", "", "", expected_s=1)
    assert talk.sent.lines[-2:] == [b'EXEC "Queue" "info,,"\n', b"CHANNEL STATUS\n"]


async def test_unknown_application_and_unsafe_arguments_do_not_end_the_session() -> None:
    talk = Talk(b"200 result=-2\n200 result=1\n")
    with pytest.raises(AgiError, match="Nonesuch"):
        await talk.session.exec("Nonesuch", expected_s=1)
    with pytest.raises(UnsafeValue):
        await talk.session.exec("Wait", "1,2", expected_s=1)
    with pytest.raises(UnsafeValue):
        await talk.session.set_variable("NAME", "x\nHANGUP")
    await talk.session.verbose("still here")
    assert talk.sent.lines == [b'EXEC "Nonesuch" ""\n', b'VERBOSE "still here" "3"\n']


async def test_cancellation_passes_through_and_ends_the_session() -> None:
    talk = Talk()
    command = asyncio.create_task(talk.session.answer())
    while not talk.sent.lines:
        await asyncio.sleep(0)
    command.cancel()
    with pytest.raises(asyncio.CancelledError):
        await command
    talk.reader.feed_data(b"200 result=0\n200 result=1 (late)\n")
    with pytest.raises(AgiEnded):
        await talk.session.get_variable("A")
    assert talk.sent.lines == [b"ANSWER\n"]


async def test_after_hangup_nothing_is_sent() -> None:
    talk = Talk(b"200 result=1\n200 result=1\n")
    await talk.session.hangup()
    with pytest.raises(AgiEnded):
        await talk.session.verbose("too late")
    assert talk.sent.lines == [b"HANGUP\n"]


async def test_a_key_that_is_none_ends_the_session() -> None:
    talk = Talk(b"200 result=200 endpos=1\n200 result=1\n")
    with pytest.raises(AgiGarbage):
        await talk.session.play(["a"], "1", expected_s=1)
    with pytest.raises(AgiEnded):
        await talk.session.verbose("too late")


async def test_draining_is_seen() -> None:
    talk = Talk()
    assert not talk.session.draining
    talk.draining = True
    assert talk.session.draining
