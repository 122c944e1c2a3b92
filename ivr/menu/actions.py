"""What a walk asks to be done next, and what it tells of what has happened."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import time
from typing import TypeAlias

from ivr.menu.model import Key, Language, NodeId, PromptId, SectionId


@dataclass(frozen=True, slots=True)
class SayPrompt:
    """Play one recorded prompt."""

    prompt: PromptId
    language: Language


@dataclass(frozen=True, slots=True)
class SayTime:
    """Say a time of day, composed of parts."""

    time: time
    language: Language


Spoken: TypeAlias = SayPrompt | SayTime


@dataclass(frozen=True, slots=True)
class Play:
    """Say this; only `keys` interrupt it. Feed the key, or None when it has been said to the end."""

    node: NodeId
    say: tuple[Spoken, ...]
    keys: str


@dataclass(frozen=True, slots=True)
class Ask:
    """Say this, any key interrupting it, then wait `timeout_s` seconds. Feed the key, or None for silence."""

    node: NodeId
    say: tuple[Spoken, ...]
    timeout_s: float


class Why(enum.Enum):
    """How a walk came to a person."""

    CHOSEN = "chosen"  # by the menu's own ways
    ASKED = "asked"  # with the person key
    GAVE_UP = "gave up"  # after the last try, for want of a usable key
    TOO_LONG = "too long"  # MAX_STEPS


@dataclass(frozen=True, slots=True)
class Connect:
    """Say this, uninterrupted, then put the caller into the queue. `priority` is 0 or the level of a
    priority caller.
    """

    section: SectionId
    queue: str
    language: Language
    priority: int
    why: Why
    say: tuple[Spoken, ...]


@dataclass(frozen=True, slots=True)
class Hangup:
    """Say this, then end the call."""

    node: NodeId
    say: tuple[Spoken, ...]


Action: TypeAlias = Play | Ask | Connect | Hangup


@dataclass(frozen=True, slots=True)
class NodeVisited:
    """The walk came to a node."""

    node: NodeId


@dataclass(frozen=True, slots=True)
class KeyPressed:
    """The caller pressed a key that means something there."""

    node: NodeId
    key: Key


@dataclass(frozen=True, slots=True)
class KeyRefused:
    """The caller pressed a key that means nothing there."""

    node: NodeId
    key: Key


@dataclass(frozen=True, slots=True)
class TimedOut:
    """The caller said nothing with the keys until the time was over."""

    node: NodeId


@dataclass(frozen=True, slots=True)
class GaveUp:
    """The last try at a choice was used up."""

    node: NodeId


@dataclass(frozen=True, slots=True)
class LanguageSet:
    """From here on this language is spoken."""

    language: Language


@dataclass(frozen=True, slots=True)
class SectionReplaced:
    """The wanted section was closed; the complaints section answers for it (A8)."""

    wanted: SectionId
    instead: SectionId


Step: TypeAlias = NodeVisited | KeyPressed | KeyRefused | TimedOut | GaveUp | LanguageSet | SectionReplaced
