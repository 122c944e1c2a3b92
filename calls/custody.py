"""Recordings in custody (P1, P2): what is kept of a call's sound, who may hear it, and who did."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from calls.ids import CallId


class Leg(StrEnum):
    """One file of a call's recording. Its value is also the name of the file that Asterisk writes."""

    CALLER = "caller"
    """What the caller said; as narrow as the telephone network brings it."""
    AGENT = "agent"
    """What the caller heard: the agent, and before that the prompt that says the agent's number (A2)."""
    MIXED = "mixed"
    """Both together."""


SPOKEN_LEGS = (Leg.CALLER, Leg.AGENT)
"""The legs of one speaker each, which are transcribed."""


class Bandwidth(StrEnum):
    """How much of a voice a leg carries, whatever rate its file has."""

    WIDE = "wide"
    """Up to 7 kHz or more, as from G.722 or Opus."""
    NARROW = "narrow"
    """Up to 3.9 kHz, as from G.711: recognition errs several times as often."""
    UNKNOWN = "unknown"
    """Too little sound to tell."""


@dataclass(frozen=True, slots=True)
class Recording:
    """One leg of one call as it lies in the vault."""

    call_id: CallId
    leg: Leg
    format: str
    """What the plain bytes are: ``wav``."""
    sample_rate_hz: int
    duration_s: float
    size_bytes: int
    """Of the plain bytes."""
    sha256: str
    """Of the plain bytes, in hexadecimal."""
    recorded_at: datetime
    """When the recording was closed."""
    stored_at: datetime
    location: str
    """Where the encrypted object lies, relative to the store's root."""
    key_id: str
    """The master key that wraps the data key."""
    complete: bool = True
    """False when Asterisk died while recording."""


class AccessKind(StrEnum):
    """What somebody did with data of a caller (P1, P4)."""

    LISTEN = "listen"
    """Masked audio."""
    LISTEN_ORIGINAL = "listen_original"
    READ = "read"
    """A masked transcript."""
    READ_ORIGINAL = "read_original"
    CALLER = "caller"
    """Who calls, at the desk of the agent who serves the call: number, earlier calls, what is open."""
    EXPORT = "export"
    PROCESS = "process"
    """The service itself: transcription, check of checksums, backup."""
    DELETE = "delete"
    HOLD = "hold"
    RELEASE = "release"
    STEER = "steer"
    """A supervisor changed an agent's state; whose and why is in the reason."""
    OPERATE = "operate"
    """Who keeps the machines running announced maintenance, settled a difference of the books, sent again …"""
    SEARCH = "search"
    READ_CASE = "read_case"
    """A complaint, inquiry or work order; its number is in the reason."""
    CHANGE_CASE = "change_case"
    LIST_CASES = "list_cases"
    """Lists with names and contacts; what was asked for is in the reason."""
    ROTATE_KEY = "rotate_key"
    RESTORE = "restore"
    SIGN_IN = "sign_in"
    """Came into the console."""
    PEOPLE = "people"
    """People, roles, passwords, sessions and tokens were changed."""
    REFUSED = "refused"
    """Asked for a page or an act without the right; the page's pattern is in the reason."""
    SEE_LOG = "see_log"
    """Looked into this log."""


@dataclass(frozen=True, slots=True)
class Access:
    """Who does what to which call's data, and why."""

    actor: str
    """A person's login, ``os:NAME`` for the command line, or ``service:NAME``."""
    kind: AccessKind
    reason: str
    call_id: CallId | None = None
    leg: Leg | None = None
