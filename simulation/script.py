"""What simulated people do on the telephone, as data."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Wait:
    """Do nothing for so long."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Press:
    """Press a key (RFC 4733), then take half a second."""

    key: str


@dataclass(frozen=True, slots=True)
class Speak:
    """Say a file (raw 8 kHz µ-law for callers, G.722 for agents) from here on; ``loops`` -1 for ever."""

    file: Path
    loops: int = 1


@dataclass(frozen=True, slots=True)
class HangUp:
    """End the call."""


@dataclass(frozen=True, slots=True)
class AwaitHangUp:
    """Wait until the other side ends the call."""


@dataclass(frozen=True, slots=True)
class Refer:
    """Ask to send the other side to ``to`` (SIP REFER, blind), and let go once that is done.

    ``replaces``, a dialog's id, asks to join it with another call instead (attended). With ``refused``, a status
    that must be told of it, or ``declined``, one with which the asking itself must be answered, the talk goes on.
    """

    to: str
    refused: str | None = None
    declined: str | None = None
    replaces: str | None = None


Step: TypeAlias = Wait | Press | Speak | HangUp | AwaitHangUp | Refer


@dataclass(frozen=True, slots=True)
class CallerScript:
    """One call from the network: dial, and once connected do the steps.

    ``number`` goes into From as it stands, hostile or not, ``name`` as display name; empty: none.
    """

    steps: tuple[Step, ...]
    number: str = "13800138000"
    name: str = ""
    dialled: str = "95000"
    password: str = ""
    """Of an agent's telephone that calls; callers from the network have none."""


@dataclass(frozen=True, slots=True)
class AgentScript:
    """How an agent treats each call: lets it ring so long, then answers, or refuses with ``refuse`` (a status).

    After answering the agent does the steps; the default is to listen until the caller hangs up.
    """

    ring_s: float = 1.0
    refuse: str | None = None
    steps: tuple[Step, ...] = field(default=(AwaitHangUp(),))
    payload: int = 9
    """RTP payload type that the telephone answers with: 9 is G.722, 8 A-law."""
