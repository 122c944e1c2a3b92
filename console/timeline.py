"""The course of a call in words, from the ledger's events; callers' numbers stay masked (P3)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from calls.callbacks import Attempt
from calls.events import (
    AnyEvent,
    CallArrived,
    CallEnded,
    CallRequeued,
    LegEnded,
    MenuChosen,
    PersonAsked,
    RecordingArrived,
    SurveyAnswered,
    SurveyRated,
)
from calls.ids import SectionId
from console.shown import moment
from console.texts import Texts


@dataclass(frozen=True, slots=True)
class Step:
    """One event."""

    kind: str
    at: str
    """On the operator's clocks."""
    after_s: float
    """Since the call arrived."""
    text: str


def timeline(
    events: Sequence[AnyEvent], texts: Texts, zone: ZoneInfo, section_name: Callable[[SectionId], str]
) -> list[Step]:
    """Events in order of time."""
    if not events:
        return []
    first = min(event.at for event in events)
    return [
        Step(
            event.kind,
            moment(event.at, zone),
            (event.at - first) / timedelta(seconds=1),
            _text(event, texts, section_name),
        )
        for event in sorted(events, key=lambda each: each.at)
    ]


def attempt_course(attempt: Attempt, texts: Texts, zone: ZoneInfo) -> list[Step]:
    """The steps of an attempt to call back."""
    names = ("began", "agent_rang", "agent_answered", "dialled", "answered", "connected", "ended")
    steps: list[tuple[str, datetime | None]] = [(name, getattr(attempt, f"{name}_at")) for name in names]
    return [
        Step(
            name,
            moment(at, zone),
            (at - attempt.began_at) / timedelta(seconds=1),
            texts(f"attempt_step.{name}"),
        )
        for name, at in steps
        if at is not None
    ]


def _text(event: AnyEvent, texts: Texts, section_name: Callable[[SectionId], str]) -> str:
    plain = texts.named("course", event.kind)
    match event:
        case CallArrived():
            detail = event.trunk
        case MenuChosen():
            detail = f"{event.node}: {event.choice}"
        case PersonAsked():
            detail = f"{section_name(event.section)} · {texts.named('language', event.language)}"
        case CallEnded():
            detail = texts.named("ended_by", event.by)
        case RecordingArrived():
            detail = f"{event.duration_s:.0f} s"
        case SurveyRated():
            detail = str(event.level)
        case SurveyAnswered():
            detail = f"{event.dimension}: {event.level}"
        case CallRequeued():
            detail = str(event.attempt)
        case LegEnded() | _:
            detail = str(getattr(event, "agent", ""))
    return f"{plain} · {detail}" if detail else plain
