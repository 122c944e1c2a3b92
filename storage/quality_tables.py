"""Tables: sampling, forms, scores, calibration, appeals, coaching (Q1-Q5).

Remarks and drafts may quote what was said: they go with the recording (P2). Points, reasons of decisions and the
record of steps stay: they are about the scoring, not the caller.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Date,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
)

from storage.tables import UtcDateTime, metadata

form_versions = Table(
    "form_versions",
    metadata,
    Column("form_id", String, primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("content", JSON, nullable=False),
    Column("edit", Integer, nullable=False, comment="goes up with every change to a draft"),
    Column("edited_by", String, nullable=False),
    Column("edited_at", UtcDateTime, nullable=False),
    Column("published_by", String),
    Column("published_at", UtcDateTime, comment="from then on nothing of it changes (Q5)"),
)

sampling_plans = Table(
    "sampling_plans",
    metadata,
    Column("plan_id", Integer, primary_key=True),
    Column("name", String, nullable=False),
    Column("form_id", String, nullable=False),
    Column("seed", String, nullable=False),
    Column("made_by", String, nullable=False),
    Column("made_at", UtcDateTime, nullable=False),
    Column("content", JSON, nullable=False, comment="numbers, strata, sections, risks"),
    Column("retired_at", UtcDateTime),
)

sample_draws = Table(
    "sample_draws",
    metadata,
    Column("draw_id", Integer, primary_key=True),
    Column("plan_id", Integer, ForeignKey("sampling_plans.plan_id"), nullable=False),
    Column("period", String, nullable=False),
    Column("since", UtcDateTime, nullable=False),
    Column("until", UtcDateTime, nullable=False),
    Column("by", String, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("sections", JSON, comment="what the drawer may see; null: all"),
    Column("plan", JSON, nullable=False, comment="the plan's numbers as they were"),
    Column("algorithm", String, nullable=False),
    Column("seed", String, nullable=False),
    Column("frame_digest", String, nullable=False, comment="SHA-256"),
    Column("frame_size", Integer, nullable=False),
    Column("frame", LargeBinary, nullable=False, comment="what was drawn from: compressed JSON"),
    Column("short", JSON, nullable=False),
    Column("population", JSON, nullable=False, comment="calls of each agent in the frame"),
    Index(None, "plan_id", "period", "draw_id"),
)

scores = Table(
    "scores",
    metadata,
    Column("score_id", Integer, primary_key=True),
    Column("call_id", String, nullable=False, index=True),
    Column("agent", String, nullable=False),
    Column("section", String),
    Column("form_id", String, nullable=False),
    Column("assigned_to", String, nullable=False),
    Column("opened_at", UtcDateTime, nullable=False),
    Column("state", String, nullable=False),
    Column("plan_id", Integer, ForeignKey("sampling_plans.plan_id"), comment="null: picked by hand"),
    Column("draw_id", Integer, ForeignKey("sample_draws.draw_id")),
    Column("period", String, nullable=False),
    Column("part", String, comment="random or risk"),
    Column("stratum", String, nullable=False),
    Column("risks", JSON, nullable=False),
    Column("revision", Integer, nullable=False, comment="the one that stands; 0: none yet"),
    Column("form_version", Integer),
    Column("total", Double),
    Column("fatal", Boolean, nullable=False),
    Column("scored_by", String),
    Column("scored_at", UtcDateTime),
    Column("appeal_until", UtcDateTime),
    Index("ix_scores_drawn_once", "plan_id", "call_id", unique=True),
    Index(None, "assigned_to", "state", "score_id"),
    Index(None, "agent", "score_id"),
    Index(None, "state", "score_id"),
    Index(None, "plan_id", "period", "agent"),
)

score_revisions = Table(
    "score_revisions",
    metadata,
    Column("score_id", Integer, ForeignKey("scores.score_id"), primary_key=True),
    Column("revision", Integer, primary_key=True, autoincrement=False),
    Column("call_id", String, nullable=False, index=True),
    Column("form_id", String, nullable=False),
    Column("form_version", Integer, nullable=False),
    Column("sheet", JSON, nullable=False, comment="answers, bonus, summary"),
    Column("remarks", JSON, nullable=False, comment="personal data (P1): comments at seconds"),
    Column("total", Double, nullable=False),
    Column("by_section", JSON, nullable=False),
    Column("fatal", JSON, nullable=False),
    Column("by", String, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("why", String, nullable=False),
    info={"words_in_columns": {"remarks": []}},  # once the recording is deleted
)

score_drafts = Table(
    "score_drafts",
    metadata,
    Column("score_id", Integer, ForeignKey("scores.score_id"), primary_key=True),
    Column("by", String, primary_key=True),
    Column("call_id", String, nullable=False, index=True),
    Column("sheet", JSON, nullable=False, comment="personal data (P1)"),
    Column("edit", Integer, nullable=False),
    Column("saved_at", UtcDateTime, nullable=False),
    info={"words_of_calls": True},
)

score_steps = Table(
    "score_steps",
    metadata,
    Column("score_id", Integer, ForeignKey("scores.score_id"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("at", UtcDateTime, nullable=False),
    Column("by", String, nullable=False),
    Column("what", String, nullable=False),
    Column("note", String, nullable=False),
)

rulings = Table(
    "rulings",
    metadata,
    Column("score_id", Integer, primary_key=True),
    Column("revision", Integer, primary_key=True, autoincrement=False),
    Column("rule_set", String, primary_key=True, comment="name@version"),
    Column("rule", String, primary_key=True),
    Column("outcome", String, nullable=False, comment="what the rule said"),
    Column("ruled", String, nullable=False, comment="what the person says"),
    Column("overruled", Boolean, nullable=False),
    Column("reason", String, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Index(None, "rule", "at"),
)

ruling_tallies = Table(
    "ruling_tallies",
    metadata,
    Column("day", Date, primary_key=True, comment="UTC"),
    Column("rule_set", String, primary_key=True, comment="name@version"),
    Column("rule", String, primary_key=True),
    Column("outcome", String, primary_key=True, comment="what the rule said"),
    Column("section", String, primary_key=True, comment="empty: none"),
    Column("looked_at", Integer, nullable=False, comment="rulings of revisions that stand"),
    Column("overruled", Integer, nullable=False),
)

appeals = Table(
    "appeals",
    metadata,
    Column("score_id", Integer, ForeignKey("scores.score_id"), primary_key=True),
    Column("reason", String, nullable=False),
    Column("by", String, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("decided_by", String),
    Column("decided_at", UtcDateTime),
    Column("upheld", Boolean),
    Column("decision", String, nullable=False),
)

coaching_tasks = Table(
    "coaching_tasks",
    metadata,
    Column("task_id", Integer, primary_key=True),
    Column("agent", String, nullable=False),
    Column("section", String),
    Column("text", String, nullable=False),
    Column("due", Date, nullable=False),
    Column("made_by", String, nullable=False),
    Column("made_at", UtcDateTime, nullable=False),
    Column("call_id", String),
    Column("at_s", Double),
    Column("score_id", Integer, ForeignKey("scores.score_id")),
    Column("done_by", String),
    Column("done_at", UtcDateTime),
    Column("done_note", String, nullable=False),
    Index(None, "agent", "task_id"),
)

calibration_rounds = Table(
    "calibration_rounds",
    metadata,
    Column("round_id", Integer, primary_key=True),
    Column("name", String, nullable=False),
    Column("form_id", String, nullable=False),
    Column("form_version", Integer, nullable=False),
    Column("sections", JSON, nullable=False),
    Column("calls", JSON, nullable=False),
    Column("scorers", JSON, nullable=False),
    Column("made_by", String, nullable=False),
    Column("made_at", UtcDateTime, nullable=False),
    Column("closed_at", UtcDateTime),
)

calibration_sheets = Table(
    "calibration_sheets",
    metadata,
    Column("round_id", Integer, ForeignKey("calibration_rounds.round_id"), primary_key=True),
    Column("call_id", String, primary_key=True),
    Column("by", String, primary_key=True),
    Column("sheet", JSON, nullable=False),
    Column("remarks", JSON, nullable=False, comment="personal data (P1)"),
    Column("total", Double, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Index(None, "call_id"),
    info={"words_in_columns": {"remarks": []}},
)

calibration_drafts = Table(
    "calibration_drafts",
    metadata,
    Column("round_id", Integer, ForeignKey("calibration_rounds.round_id"), primary_key=True),
    Column("call_id", String, primary_key=True),
    Column("by", String, primary_key=True),
    Column("sheet", JSON, nullable=False, comment="personal data (P1)"),
    Column("edit", Integer, nullable=False),
    Column("saved_at", UtcDateTime, nullable=False),
    Index(None, "call_id"),
    info={"words_of_calls": True},
)

findings_seen = Table(
    "findings_seen",
    metadata,
    Column("call_id", String, primary_key=True),
    Column("rule_set", String, primary_key=True, comment="name@version"),
    Column("rule", String, primary_key=True),
    Column("by", String, nullable=False),
    Column("at", UtcDateTime, nullable=False),
)
