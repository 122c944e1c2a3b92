"""One caller's session: what the caller asked for, and what can be done with the caller.

Asterisk answers commands in order and marks no reply with the command it belongs to. So whatever stops a
command half-way (a time-out, the end of the connection, garbage, cancellation) leaves the two sides out of
step, and the session is over: every later call raises AgiEnded at once. The handler returns, the connection
closes, and the dialplan goes on.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from calls.errors import AgiEnded, AgiError, AgiGarbage, AgiTimeout, UnsafeValue
from ivr.agi import wire

log = logging.getLogger(__name__)

_CALL_ID = re.compile(r"[!-~]{1,150}")
_UNKNOWN = "unknown"  # what Asterisk writes when it does not know a number or a name


@dataclass(frozen=True, slots=True)
class AgiRequest:
    """What Asterisk says about a call when it opens a session. Who calls is kept out of `repr`, and so out of
    logs.

    `call_id` is Asterisk's unique id of the caller's channel, `route` the path of the agi:// address without
    its query, `arguments` what the dialplan added to it.
    """

    call_id: str
    channel: str
    route: str
    language: str
    dialled_number: str | None
    caller_number: str | None = field(repr=False)
    caller_name: str | None = field(repr=False)
    arguments: tuple[str, ...] = field(default=(), repr=False)

    @classmethod
    def from_header(cls, raw: bytes) -> AgiRequest:
        """Reads the bytes up to and with the empty line. Raises AgiGarbage if they are no request of AGI."""
        fields = wire.parse_header(raw)
        call_id = fields.get("agi_uniqueid", "")
        if not _CALL_ID.fullmatch(call_id) or not fields.get("agi_channel"):
            raise AgiGarbage("the request names no call")
        return cls(
            call_id=call_id,
            channel=fields["agi_channel"],
            route=fields.get("agi_network_script", "").partition("?")[0],
            language=fields.get("agi_language", ""),
            dialled_number=_known(fields, "agi_dnid") or _known(fields, "agi_extension"),
            caller_number=_known(fields, "agi_callerid"),
            caller_name=_known(fields, "agi_calleridname"),
            arguments=_arguments(fields),
        )


class AgiSession:
    """The commands that a menu needs, on one connection.

    Every command waits for its reply for as long as the caller expects it to take (`expected_s`, 0 for those
    that are done at once) plus `margin_s`. All of them raise AgiTimeout, AgiEnded (hung up, connection
    closed) or AgiGarbage, and only AgiEnded from then on; AgiError itself when Asterisk refuses a command,
    after which the session goes on; UnsafeValue when an argument cannot be sent safely, before anything is
    sent.

    `on_turn` hears, for each command, the seconds from the last reply (at first: the request) to sending it:
    our own share of what the caller waits for. `clock` counts seconds from anywhere.
    """

    def __init__(
        self,
        request: AgiRequest,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        margin_s: float,
        clock: Callable[[], float],
        on_turn: Callable[[float], None],
        is_draining: Callable[[], bool],
    ) -> None:
        self.request = request
        self._reader = reader
        self._writer = writer
        self._margin_s = margin_s
        self._clock = clock
        self._on_turn = on_turn
        self._is_draining = is_draining
        self._in_step = True
        self._heard_at = clock()

    @property
    def draining(self) -> bool:
        """Whether the server is about to stop: a menu should bring its caller to a person soon."""
        return self._is_draining()

    async def play(self, files: Sequence[str], escape_digits: str, *, expected_s: float) -> str | None:
        """Plays the files one after the other; returns the key of `escape_digits` that stopped it, or None.

        `expected_s` is the length of the longest file. A file that Asterisk does not have is logged and
        passed over.
        """
        for file in files:
            reply = await self._do("STREAM FILE", file, escape_digits, expected_s=expected_s)
            if reply.result == -1:
                await self._check_channel()
                log.warning("agi.sound_missing", extra={"call_id": self.request.call_id, "file": file})
            elif (digit := self._digit(reply)) is not None:
                return digit
        return None

    async def ask_digit(
        self, files: Sequence[str], timeout_s: float, digits: str = wire.DIGITS, *, expected_s: float
    ) -> str | None:
        """Plays the files until one of `digits` is pressed, then waits `timeout_s` for any key. None means
        silence.

        `expected_s` is the length of the longest file.
        """
        digit = await self.play(files, digits, expected_s=expected_s)
        if digit is not None:
            return digit
        reply = await self._do_live("WAIT FOR DIGIT", str(round(timeout_s * 1000)), expected_s=timeout_s)
        return self._digit(reply)

    async def set_variable(self, name: str, value: str) -> None:
        """Sets a variable of the channel for the dialplan."""
        await self._do_live("SET VARIABLE", name, value)

    async def get_variable(self, name: str) -> str | None:
        """A variable of the channel, None if it is not set. Text that is not UTF-8 comes with replacement
        characters.
        """
        reply = await self._do_live("GET VARIABLE", name)
        return reply.note if reply.result == 1 else None

    async def verbose(self, message: str, level: int = 3) -> None:
        """Writes to Asterisk's own log, so never anything about the caller."""
        await self._do_live("VERBOSE", message, str(level))

    async def answer(self, *, expected_s: float = 0) -> None:
        """Answers the call if nobody has."""
        await self._do_live("ANSWER", expected_s=expected_s)

    async def hangup(self) -> None:
        """Ends the call, and with it the session."""
        await self._do_live("HANGUP")
        self._in_step = False

    async def exec(self, application: str, *arguments: str, expected_s: float) -> bool:
        """Runs a dialplan application; False if it failed while the caller stayed.

        A comma in an argument would make two of it and raises UnsafeValue. Raises AgiError for an unknown
        application.
        """
        if any("," in argument for argument in arguments):
            raise UnsafeValue("an argument of EXEC holds a comma")
        reply = await self._do("EXEC", application, ",".join(arguments), expected_s=expected_s)
        if reply.result == -2:
            raise AgiError(f"Asterisk has no application {application}")
        if reply.result == -1:
            await self._check_channel()
            return False
        return True

    def _digit(self, reply: wire.Success) -> str | None:
        """The key that the reply tells of, None for none."""
        try:
            return reply.digit
        except AgiGarbage:
            self._in_step = False
            raise

    async def _check_channel(self) -> None:
        """Tells a failed command from a hang-up, which both say -1: after a hang-up the channel has no
        status.
        """
        await self._do_live("CHANNEL STATUS")

    async def _do_live(self, words: str, *arguments: str, expected_s: float = 0) -> wire.Success:
        """A command for which -1 can only mean that the caller is gone."""
        reply = await self._do(words, *arguments, expected_s=expected_s)
        if reply.result == -1:
            self._in_step = False
            raise AgiEnded(f"the caller hung up during {words}")
        return reply

    async def _do(self, words: str, *arguments: str, expected_s: float = 0) -> wire.Success:
        """Sends one command and returns its reply."""
        line = wire.render_command(words, *arguments)
        if not self._in_step:
            raise AgiEnded("the session is over")
        self._in_step = False  # until the whole reply is here: what stops us before leaves us out of step
        try:
            async with asyncio.timeout(expected_s + self._margin_s):
                reply = await self._exchange(line)
        except TimeoutError as error:
            raise AgiTimeout(f"no reply to {words}") from error
        except (asyncio.IncompleteReadError, OSError) as error:
            raise AgiEnded(f"the connection ended during {words}") from error
        except asyncio.LimitOverrunError as error:
            raise AgiGarbage(f"the reply to {words} is too long") from error
        self._heard_at = self._clock()
        if isinstance(reply, wire.Refusal):
            if reply.code == wire.DEAD_CHANNEL:
                raise AgiEnded(f"the channel was dead before {words}")
            self._in_step = True
            raise AgiError(f"Asterisk refused {words}: {reply.code}")
        self._in_step = True
        return reply

    async def _exchange(self, line: bytes) -> wire.Success | wire.Refusal:
        self._on_turn(self._clock() - self._heard_at)
        self._writer.write(line)
        await self._writer.drain()
        while isinstance(reply := wire.parse_line(await self._read_line()), wire.Trying):
            pass
        if isinstance(reply, wire.Hangup):
            raise AgiEnded("the caller hung up")
        if isinstance(reply, wire.Refusal) and reply.usage_follows:
            await self._skip_usage()
        return reply

    async def _skip_usage(self) -> None:
        for _ in range(wire.MAX_USAGE_LINES):
            if wire.ends_usage(await self._read_line()):
                return
        raise AgiGarbage("a reply without an end")

    async def _read_line(self) -> bytes:
        return await self._reader.readuntil(b"\n")


def _known(fields: Mapping[str, str], name: str) -> str | None:
    value = fields.get(name, "")
    return value if value not in ("", _UNKNOWN) else None


def _arguments(fields: Mapping[str, str]) -> tuple[str, ...]:
    found: list[str] = []
    while (argument := fields.get(f"agi_arg_{len(found) + 1}")) is not None:
        found.append(argument)
    return tuple(found)
