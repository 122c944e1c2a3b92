"""Forms, sheets and calls on the books for tests of the quality work."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from calls.custody import Leg
from calls.explanations import Explanation
from calls.ids import AgentNumber, CallId, FormId, Language, SectionId
from calls.quality import (
    Answer,
    Criterion,
    CriterionKind,
    Form,
    FormSection,
    Marked,
    Names,
    Remark,
    Revision,
    Ruling,
    Score,
    Sheet,
)
from calls.verdicts import Evidence, Outcome, RuleSetId, Severity, Verdict
from storage.custody_tables import recordings
from storage.tables import calls
from storage.verdicts import SqlVerdicts

NOW = datetime(2026, 11, 26, 8, tzinfo=UTC)
RULES = RuleSetId("zh-CN", "1")
FORM_ID = FormId("form-1")


def at(minutes: float) -> datetime:
    return NOW + timedelta(minutes=minutes)


def named(text: str) -> Names:
    return {Language("zh-CN"): text, Language("en"): text}


FORM = Form(
    named("form"),
    (
        FormSection(
            "opening", named("opening"), 40, (Criterion("greeting", named("greet"), rules=("greeting",)),)
        ),
        FormSection(
            "solving",
            named("solving"),
            60,
            (
                Criterion("answer", named("answer"), CriterionKind.SCALE, 4, guidance=named("4: right")),
                Criterion("insult", named("insult"), fatal=True, may_not_apply=False, requirement="A4"),
            ),
        ),
    ),
)

SHEET = Sheet(
    answers=(Answer("greeting", 1), Answer("answer", 3, "nearly"), Answer("insult", 1)),
    rulings=(
        Ruling(RULES, "greeting", Outcome.BROKEN, Outcome.KEPT, "said in dialect"),
        Ruling(RULES, "thanks", Outcome.KEPT, Outcome.KEPT),
    ),
    remarks=(Remark("here", 12.5), Remark("all in all")),
    adjustment=2,
    adjustment_reason="praised",
    summary="good",
)


def score(call_id: str = "1.1", agent: str = "1001", section: str | None = "inquiry", **more: object) -> Score:
    return Score(
        0,
        CallId(call_id),
        AgentNumber(agent),
        SectionId(section) if section else None,
        FORM_ID,
        "mon",
        NOW,
        **more,  # type: ignore[arg-type]
    )


def revision(of: Score, by: str = "mon", total: float = 91.5, sheet: Sheet = SHEET, why: str = "") -> Revision:
    return Revision(
        score_id=of.score_id,
        revision=of.revision + 1,
        call_id=of.call_id,
        form_id=of.form_id,
        form_version=1,
        sheet=sheet,
        marked=Marked(total, {"opening": 1.0, "solving": None}, ()),
        by=by,
        at=at(of.revision + 1),
        why=why,
    )


async def put_call(
    engine: AsyncEngine,
    call_id: str,
    *,
    agent: str | None = "1001",
    section: str | None = "inquiry",
    arrived: datetime = NOW,
    talk_s: float = 100.0,
    caller: str | None = None,
    trunk: str = "trunk",
    recorded: bool = True,
    deleted: datetime | None = None,
) -> None:
    """A call that was answered and has ended, with its recording in custody."""
    ended = arrived + timedelta(seconds=talk_s)
    row = {
        "call_id": call_id,
        "arrived_at": arrived,
        "trunk": trunk,
        "caller": caller,
        "section": section,
        "language": "zh-CN",
        "priority": False,
        "connected_at": arrived if agent else None,
        "agent": agent,
        "talk_s": talk_s if agent else None,
        "ended_at": ended,
        "stage": "ended",
        "result": "answered" if agent else "abandoned",
        "has_recording": recorded,
        "recording_missing": False,
    }
    async with engine.begin() as connection:
        await connection.execute(insert(calls).values(row))
    if recorded:
        await put_recording(engine, call_id, ended, deleted)


async def put_recording(
    engine: AsyncEngine, call_id: str, recorded: datetime, deleted: datetime | None = None
) -> None:
    """A recording in custody, as far as the books tell of it."""
    kept = {
        "call_id": call_id,
        "leg": "mixed",
        "format": "wav",
        "sample_rate_hz": 16000,
        "duration_s": 100.0,
        "size_bytes": 1,
        "sha256": "",
        "complete": True,
        "recorded_at": recorded,
        "stored_at": recorded,
        "location": call_id,
        "key_id": "k",
        "deleted_at": deleted,
    }
    async with engine.begin() as connection:
        await connection.execute(insert(recordings).values(kept))


async def put_verdicts(
    engine: AsyncEngine, call_id: str, outcomes: Sequence[tuple[str, Outcome, Severity]], judged: datetime = NOW
) -> None:
    found = [
        Verdict(
            call_id=CallId(call_id),
            rule=rule,
            requirement="A4",
            rule_set=RULES,
            outcome=outcome,
            severity=severity,
            weight=1,
            confidence=0.9,
            evidence=(Evidence(Leg.AGENT, 12.0, 13.5, "words", 0.9),),
            explanation=Explanation.written("heard"),
            judged_at=judged,
        )
        for rule, outcome, severity in outcomes
    ]
    await SqlVerdicts(engine).judged(CallId(call_id), RULES, found)
