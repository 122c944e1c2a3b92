"""The bytes of AMI: cutting a stream into messages, reading a message, refusing fields that would inject one.

No sockets here. A message is a run of ``Key: value`` lines, each ended by CR LF, the whole by an empty line.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import overload

from calls.errors import AmiError, UnsafeValue

Fields = Mapping[str, str] | Sequence[tuple[str, str]]
"""Headers of an action; a sequence of pairs may repeat a key (``Variable``)."""

_EOL = "\r\n"
_END = b"\r\n\r\n"
_COMMAND_START = b"Response: Follows"
_COMMAND_END = b"--END COMMAND--"
_COMMAND_HEADERS = frozenset({"response", "privilege", "actionid", "message"})
_OUR_OWN_KEYS = frozenset({"action", "actionid"})
_GOOD_RESPONSES = frozenset({"success", "follows", "goodbye", "pong"})
_SAFE_KEY = re.compile(r"[A-Za-z0-9_()-]+")
_UNSAFE_VALUE = re.compile(r"[\r\n\0]")


@dataclass(frozen=True, slots=True)
class AmiMessage:
    """One reply or event as Asterisk sent it; keys are looked up without regard to case.

    ``headers`` has lower-case keys; a repeated header holds the list of its values. :meth:`of` writes one.
    """

    headers: Mapping[str, str | list[str]]

    @classmethod
    def of(cls, headers: Mapping[str, str | Sequence[str]]) -> AmiMessage:
        """A message of these headers, in any case; a sequence of values is a repeated header."""
        return cls({key.lower(): v if isinstance(v, str) else list(v) for key, v in headers.items()})

    @overload
    def get(self, key: str) -> str | None: ...
    @overload
    def get(self, key: str, default: str) -> str: ...
    def get(self, key: str, default: str | None = None) -> str | None:
        """The header's value (the first, where it is repeated), or ``default`` where there is none."""
        value = self.headers.get(key.lower(), default)
        return value[0] if isinstance(value, list) else value

    def all(self, key: str) -> tuple[str, ...]:
        """Every value of a header in the order sent: ``ChanVariable``, or a command's ``Output`` lines."""
        value = self.headers.get(key.lower(), ())
        return (value,) if isinstance(value, str) else tuple(value)

    @property
    def event(self) -> str | None:
        """The event's name; ``None`` for a reply."""
        return self.get("event")

    @property
    def response(self) -> str | None:
        """``Success``, ``Error`` … for a reply. The event ``OriginateResponse`` has one as well."""
        return self.get("response")

    @property
    def refused(self) -> bool:
        """Whether this reply says that the action was not carried out."""
        return self.get("response", "").lower() not in _GOOD_RESPONSES

    @property
    def timestamp(self) -> datetime | None:
        """When Asterisk raised the event, UTC, to the microsecond (``timestampevents=yes``); else ``None``.

        Ring and wait times (A1, K2) come from here: Asterisk's own RingTime is truncated to whole seconds.
        """
        text = self.get("timestamp")
        if text is None:
            return None
        try:
            return datetime.fromtimestamp(float(text), UTC)
        except (ValueError, OverflowError, OSError):
            return None


class Framer:
    """Cuts a stream of bytes into messages, wherever the network cut it.

    At most ``limit`` bytes of an unfinished message are kept; more is :class:`AmiError`.
    """

    def __init__(self, limit: int = 4 * 1024 * 1024) -> None:
        self._limit = limit
        self._rest = bytearray()
        self._command = b""

    def feed(self, data: bytes) -> list[bytes]:
        """The messages that ``data`` completes, without their final empty line."""
        unsearched = max(0, len(self._rest) - len(_END) + 1)
        self._rest += data
        frames: list[bytes] = []
        if self._rest.find(_END, unsearched) >= 0:
            *pieces, rest = bytes(self._rest).split(_END)
            self._rest = bytearray(rest)
            for piece in pieces:
                self._take(piece, frames)
        if len(self._rest) + len(self._command) > self._limit:
            raise AmiError(f"a message longer than {self._limit} bytes")
        return frames

    def _take(self, piece: bytes, frames: list[bytes]) -> None:
        """Append ``piece``, unless it is part of a command's output, which may hold empty lines itself."""
        if self._command:
            piece = self._command + _END + piece
            self._command = b""
        if piece.startswith(_COMMAND_START) and _COMMAND_END not in piece:
            self._command = piece
        else:
            frames.append(piece)


def parse_message(frame: bytes) -> AmiMessage | None:
    """Read one frame; ``None`` if it is neither a reply nor an event. Never raises: bad UTF-8 is replaced.

    Takes the place of panoramisk's ``Message.from_line``, which loses every line but the last of a command's
    output that holds CR LF, loses the last header of ``Response: Fail…``, and percent-decodes ``Result``.
    """
    text = frame.decode("utf-8", "replace")
    lines = text.split(_EOL)
    if frame.startswith(_COMMAND_START):
        lines = _with_output_headers(lines)
    headers: dict[str, str | list[str]] = {}
    for line in lines:
        key, colon, value = line.partition(":")
        if not colon:
            continue  # the greeting, which has no empty line of its own, or garbage
        key = key.lower()
        if value[:1] == " ":
            value = value[1:]  # only one: the output of commands is indented
        if key in headers:
            _repeat(headers, key, value)
        else:
            headers[key] = value
    if "event" in headers or "response" in headers:
        return AmiMessage(headers)
    return None


def _repeat(headers: dict[str, str | list[str]], key: str, value: str) -> None:
    earlier = headers[key]
    if isinstance(earlier, str):
        headers[key] = [earlier, value]
    else:
        earlier.append(value)


def _with_output_headers(lines: list[str]) -> list[str]:
    """An old ``Response: Follows`` with a bare body, in the ``Output`` headers that newer versions send."""
    heads = 0
    while heads < len(lines) and lines[heads].partition(":")[0].lower() in _COMMAND_HEADERS:
        heads += 1
    body = "\n".join(lines[heads:]).partition(_COMMAND_END.decode())[0]
    return [*lines[:heads], *(f"Output: {line}" for line in body.rstrip("\n").split("\n"))]


def checked_name(name: str) -> str:
    """The name of an action, or :class:`UnsafeValue` if it is not one word."""
    if not _SAFE_KEY.fullmatch(name):
        raise UnsafeValue(f"not the name of an action: {name[:40]!r}")
    return name


def checked_fields(fields: Fields) -> dict[str, str | list[str]]:
    """The fields with repeated keys gathered into lists, ready to be serialised.

    Raises :class:`UnsafeValue` where a key or value holds CR, LF or NUL (it would end the line, and the rest
    would be read as another action), cannot be UTF-8, or takes a key that the link sets itself.
    """
    gathered: dict[str, str | list[str]] = {}
    for key, value in fields.items() if isinstance(fields, Mapping) else fields:
        if not _SAFE_KEY.fullmatch(key) or key.lower() in _OUR_OWN_KEYS:
            raise UnsafeValue(f"not a usable key: {key[:40]!r}")
        if _UNSAFE_VALUE.search(value):
            raise UnsafeValue(f"{key} holds a line break or NUL")
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise UnsafeValue(f"{key} cannot be written as UTF-8") from error
        if key in gathered:
            _repeat(gathered, key, value)
        else:
            gathered[key] = value
    return gathered
