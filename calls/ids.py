"""Identities. All of them come from Asterisk or the roster and are checked where they enter."""

from __future__ import annotations

import re
from typing import NewType

CallId = NewType("CallId", str)
"""Asterisk's unique id of the caller's channel: one call, from arrival to end. Recordings carry it too."""

LegId = NewType("LegId", str)
"""Asterisk's unique id of one agent's channel: one offer of one call to one agent."""

AgentNumber = NewType("AgentNumber", str)
"""The agent's number (工号, A2): digits only; also the name of the agent's telephone."""

SectionId = NewType("SectionId", str)
"""A section of the centre (A9), which is also the name of its queue."""

FormId = NewType("FormId", str)
"""A scoring form through all its versions: lower-case letters, digits and hyphens (Q5)."""

Language = NewType("Language", str)
"""A BCP 47 tag such as ``zh-CN`` or ``en``."""

SYNTHETIC_TRUNK = "synthetic"
"""The trunk that the synthetic caller's calls arrive on."""

DIGITS = tuple("0123456789")

_UNIQUE_ID = re.compile(r"[A-Za-z0-9_-]*[0-9]+\.[0-9]+")
_AGENT_CHANNEL = re.compile(r"PJSIP/([0-9]{3,8})-[0-9a-f]+")


_REASON, ATTEMPT = "reason_", "callback_"
"""What ids begin with that are no call's: an instance's name, with which a call's begins, has no underscore."""


def reason_of(call_id: CallId) -> CallId:
    """Under which the recording is kept in which the caller of a call says why they are dissatisfied (Q2)."""
    return CallId(f"{_REASON}{call_id}")


def attempt_id(callback: int, attempt: int) -> CallId:
    """The id of one attempt to call back: of its agent's channel in Asterisk, and of its recording (A5)."""
    return CallId(f"{ATTEMPT}{callback}.{attempt}")


def attempt_of(call_id: str) -> tuple[int, int] | None:
    """The call-back and the number of the attempt that an id names, or ``None`` if it names none."""
    callback, dot, attempt = call_id.removeprefix(ATTEMPT).partition(".")
    if not (call_id.startswith(ATTEMPT) and dot and callback.isdecimal() and attempt.isdecimal()):
        return None
    return int(callback[:18]), int(attempt[:9])


def subject_of(call_id: CallId) -> CallId:
    """The call that a recording is about: itself, or the call whose caller says why."""
    return CallId(call_id.removeprefix(_REASON))


def is_beside_calls(call_id: str) -> bool:
    """Whether an id is that of a recording or an attempt beside the calls that arrived: no figure counts it."""
    return call_id.startswith((_REASON, ATTEMPT))


def is_test_trunk(trunk: str) -> bool:
    """Whether calls on this trunk are tests, which no indicator counts (K1 to K4).

    They are the synthetic caller's, and those that an agent's own telephone makes: there the agent's number
    stands for the trunk. A trunk's name begins with a letter.
    """
    return trunk == SYNTHETIC_TRUNK or trunk[:1] in DIGITS


def is_unique_id(text: str) -> bool:
    """Whether ``text`` has the form of an Asterisk unique id (safe as a file name, too)."""
    return len(text) <= 80 and _UNIQUE_ID.fullmatch(text) is not None


def agent_of_channel(channel: str) -> AgentNumber | None:
    """The agent whose telephone a channel belongs to, or ``None`` for a trunk or a helper channel."""
    found = _AGENT_CHANNEL.fullmatch(channel)
    return AgentNumber(found[1]) if found else None
