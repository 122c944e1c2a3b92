"""What the rules say of a call (A2–A6, Q1), and on what seconds and words each saying rests."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from calls.custody import Leg
from calls.explanations import Explanation
from calls.ids import AgentNumber, CallId, SectionId
from calls.transcript import Transcript


class Outcome(StrEnum):
    """What a rule says of a call."""

    KEPT = "kept"
    BROKEN = "broken"
    CANNOT_JUDGE = "cannot_judge"
    """The evidence is too weak either way: a recognition error must not become an accusation."""
    NOT_APPLICABLE = "not_applicable"
    """Nothing in the call that the rule is about."""


class Severity(StrEnum):
    """How much a broken rule weighs on its own."""

    MINOR = "minor"
    MAJOR = "major"
    IMMEDIATE = "immediate"
    """Somebody must know within a minute of the call's end (Q1)."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Seconds of the recording, and what was heard or missed there."""

    leg: Leg
    start_s: float
    end_s: float
    text: str
    """The words as recognised; empty where the voice itself is the evidence."""
    confidence: float = 1.0


@dataclass(frozen=True, slots=True)
class RuleSetId:
    """One version of a rule set. A verdict never changes when the rules do."""

    name: str
    version: str

    def __str__(self) -> str:
        return f"{self.name}@{self.version}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """One rule's saying on one call."""

    call_id: CallId
    rule: str
    requirement: str
    """The id in the rule books: ``A2``."""
    rule_set: RuleSetId
    outcome: Outcome
    severity: Severity
    weight: float
    confidence: float
    """From 0 to 1: how sure this is."""
    evidence: tuple[Evidence, ...]
    explanation: Explanation
    """Which threshold, what was measured; without the caller's words."""
    judged_at: datetime
    """When it was said first: judged again with the same outcome, it stays as it is."""
    revision: int = 1
    """Goes up whenever the same version of a rule comes to say something else of the call (A5)."""


@dataclass(frozen=True, slots=True)
class CallFacts:
    """What rules need to know of a call beside its words, from the ledger."""

    call_id: CallId
    arrived_at: datetime
    section: SectionId | None
    language: str
    agent: AgentNumber | None
    """The number of the roster (A2)."""
    talk_s: float | None
    has_callback: bool | None = None
    """Whether the books hold a call back or a work order for this caller (A5); ``None``: nobody knows yet."""
    outbound: bool = False
    """We called: an attempt to call back. Else somebody called us."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """All that is judged."""

    facts: CallFacts
    transcript: Transcript
