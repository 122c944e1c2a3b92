"""The labelled dialogues, read."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from calls.custody import Bandwidth, Leg
from calls.ids import AgentNumber, CallId
from calls.transcript import LegTranscript, Span, Transcript, Word
from calls.verdicts import CallFacts, Conversation, Outcome

FILE = Path(__file__).resolve().parents[2] / "tests" / "labelled" / "dialogues.jsonl.gz"
_ARRIVED = datetime(2026, 11, 23, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Labelled:
    """A conversation as it was recognised, and what is true of it."""

    conversation: Conversation
    noise: str
    planted: tuple[str, ...]
    truth: dict[str, Outcome]
    """By rule; never ``CANNOT_JUDGE``."""


def labelled() -> Iterator[Labelled]:
    """All of them."""
    with gzip.open(FILE, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield _labelled(json.loads(line))


def _labelled(row: dict[str, Any]) -> Labelled:
    legs = tuple(
        LegTranscript(
            Leg(name),
            row["language"],
            "template",
            row["noise"],
            row["duration_s"],
            Bandwidth.NARROW if leg["narrow"] else Bandwidth.WIDE,
            tuple(Span(start, end) for start, end in leg["voice"]),
            tuple(Word(*word) for word in leg["words"]),
        )
        for name, leg in row["legs"].items()
    )
    call_id, talk_s = CallId(row["id"]), row["duration_s"]
    facts = CallFacts(
        call_id, _ARRIVED, None, row["language"], AgentNumber(row["agent"]), talk_s, row["has_callback"]
    )
    truth = {rule: Outcome(outcome) for rule, outcome in row["truth"].items()}
    return Labelled(Conversation(facts, Transcript(call_id, legs)), row["noise"], tuple(row["planted"]), truth)
