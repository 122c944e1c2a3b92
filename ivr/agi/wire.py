"""AGI as bytes: the request that opens a session, the commands we send, the replies that come back.

Pure: bytes in, values out. A reply is parsed by `panoramisk.utils.parse_agi_result`, but only once its line
is known to have the shape of one, because that parser raises ValueError on anything without a number in
front, needs quadratic time for a long word, and gets three kinds of reply wrong, which are put right here: an
empty result (``result= (timeout)``), a value that is the word ``hangup`` (taken for a hang-up), and ``-1``
(taken for a failure of the application).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from panoramisk.utils import parse_agi_result

from calls.errors import AgiGarbage, UnsafeValue

MAX_READ_BYTES: Final = 64 * 1024
"""Of a whole request, and of one line of a reply."""
MAX_HEADER_LINES: Final = 200
MAX_USAGE_LINES: Final = 200
MAX_COMMAND_BYTES: Final = 2000
"""Asterisk reads commands into a buffer of 2,048 bytes and takes what does not fit for the next command."""

HEADER_END: Final = b"\n\n"
DIGITS: Final = "0123456789*#ABCD"
"""The keys that a telephone can send (DTMF)."""

DEAD_CHANNEL: Final = 511

_HANGUP = "HANGUP"
_USAGE_END = "520 End of proper usage."
_EMPTY_TIMEOUT = "200 result= (timeout)"
_SUCCESS = re.compile(r"200 result=(?P<result>-?[0-9]{1,9})(?: \(.*\))?(?: endpos=-?[0-9]{1,18})?")
_OTHER = re.compile(r"(?:100|510|511|520)(?:[ -].*)?")
_UNSAFE = re.compile(r"[\r\n\0]")
_TO_ESCAPE = re.compile(r'["\\]')


@dataclass(frozen=True, slots=True)
class Success:
    """Code 200. `result` is the number behind ``result=``, None where nothing came in time; `note` stands in
    parentheses.

    `endpos` is where the sound stopped, in samples, for the commands that play one and unless the result is
    -1.
    """

    result: int | None
    note: str = ""
    endpos: int | None = None

    @property
    def digit(self) -> str | None:
        """The key whose character code is the result, None for no key. Raises AgiGarbage for any other
        character.
        """
        if not self.result:
            return None
        if not (0 < self.result < 128 and chr(self.result) in DIGITS):
            raise AgiGarbage("a reply's result is not a key")
        return chr(self.result)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Asterisk did not carry the command out: 510 unknown, 511 the channel is dead, 520 wrong usage.

    `usage_follows`: more lines belong to this reply, up to one for which `ends_usage` holds.
    """

    code: int
    usage_follows: bool = False


@dataclass(frozen=True, slots=True)
class Trying:
    """Code 100: the reply is yet to come."""


@dataclass(frozen=True, slots=True)
class Hangup:
    """The caller hung up. Asterisk says so at any moment: this is an event, not the reply to a command."""


Line: TypeAlias = Success | Refusal | Trying | Hangup


def parse_header(raw: bytes) -> Mapping[str, str]:
    """The request's fields, from its first byte to the empty line.

    Text that is not UTF-8 is kept, with replacement characters. Lines without a colon are skipped. Raises
    AgiGarbage if the request is too large or names a field twice: a line break in a caller's name would
    otherwise forge a field.
    """
    if len(raw) > MAX_READ_BYTES:
        raise AgiGarbage("the request is too large")
    lines = raw.decode("utf-8", "replace").rstrip("\n").split("\n")
    if len(lines) > MAX_HEADER_LINES:
        raise AgiGarbage("the request has too many lines")
    fields: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon:
            continue
        if name in fields:
            raise AgiGarbage("the request names a field twice")
        fields[name] = value.removeprefix(" ")
    return fields


def render_command(words: str, *arguments: str) -> bytes:
    """One command line: `words` as they are, each argument in quotes.

    Raises UnsafeValue if an argument holds CR, LF or NUL or the line would be longer than Asterisk reads at
    once: either way the rest would be taken for another command. The message does not repeat the argument.
    """
    if any(_UNSAFE.search(argument) for argument in arguments):
        raise UnsafeValue(f"an argument of {words} holds a line break or NUL")
    quoted = (f'"{_TO_ESCAPE.sub(_escaped, argument)}"' for argument in arguments)
    line = (" ".join((words, *quoted)) + "\n").encode("utf-8", "replace")
    if len(line) > MAX_COMMAND_BYTES:
        raise UnsafeValue(f"{words} is longer than {MAX_COMMAND_BYTES} bytes")
    return line


def parse_line(raw: bytes) -> Line:
    """One line that Asterisk sent after the request, with or without its line break. Raises AgiGarbage for
    anything else.
    """
    text = raw.decode("utf-8", "replace").rstrip("\n")
    if text == _EMPTY_TIMEOUT:
        return Success(None, "timeout")
    success = _SUCCESS.fullmatch(text)
    if success is None and text != _HANGUP and _OTHER.fullmatch(text) is None:
        raise AgiGarbage("a line that is no reply")
    fields = parse_agi_result(text)
    match fields.get("error"):
        case None if success:
            result, note = fields["result"]
            return Success(int(result), note, int(fields["endpos"][0]) if "endpos" in fields else None)
        case None:
            return Trying()
        case "AGIAppError":
            return Success(-1)
        case "AGIResultHangup" if success:
            return Success(int(success["result"]), "hangup")
        case "AGIResultHangup":
            return Hangup()
        case _:
            return Refusal(fields["status_code"], usage_follows=text.startswith("520-"))


def ends_usage(raw: bytes) -> bool:
    """Whether this line is the last of a long 520. Asterisk writes it straight behind texts without a final
    line break.
    """
    return raw.decode("utf-8", "replace").rstrip("\n").endswith(_USAGE_END)


def _escaped(found: re.Match[str]) -> str:
    return "\\" + found[0]
