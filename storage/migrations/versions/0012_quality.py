"""Sampling, forms, scores, calibration, appeals, coaching (Q1-Q5)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)

_TABLES = (
    "form_versions",
    "sampling_plans",
    "sample_draws",
    "scores",
    "score_revisions",
    "score_drafts",
    "score_steps",
    "rulings",
    "ruling_tallies",
    "appeals",
    "coaching_tasks",
    "calibration_rounds",
    "calibration_sheets",
    "findings_seen",
)


def upgrade() -> None:
    op.create_table(
        "form_versions",
        sa.Column("form_id", sa.String, nullable=False),
        sa.Column("version", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("content", sa.JSON, nullable=False),
        sa.Column("edit", sa.Integer, nullable=False, comment="goes up with every change to a draft"),
        sa.Column("edited_by", sa.String, nullable=False),
        sa.Column("edited_at", _TIME, nullable=False),
        sa.Column("published_by", sa.String),
        sa.Column("published_at", _TIME, comment="from then on nothing of it changes (Q5)"),
        sa.PrimaryKeyConstraint("form_id", "version", name="pk_form_versions"),
    )
    op.create_table(
        "sampling_plans",
        sa.Column("plan_id", sa.Integer, nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("form_id", sa.String, nullable=False),
        sa.Column("seed", sa.String, nullable=False),
        sa.Column("made_by", sa.String, nullable=False),
        sa.Column("made_at", _TIME, nullable=False),
        sa.Column("content", sa.JSON, nullable=False, comment="numbers, strata, sections, risks"),
        sa.Column("retired_at", _TIME),
        sa.PrimaryKeyConstraint("plan_id", name="pk_sampling_plans"),
    )
    op.create_table(
        "sample_draws",
        sa.Column("draw_id", sa.Integer, nullable=False),
        sa.Column("plan_id", sa.Integer, nullable=False),
        sa.Column("period", sa.String, nullable=False),
        sa.Column("since", _TIME, nullable=False),
        sa.Column("until", _TIME, nullable=False),
        sa.Column("by", sa.String, nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("sections", sa.JSON, comment="what the drawer may see; null: all"),
        sa.Column("plan", sa.JSON, nullable=False, comment="the plan's numbers as they were"),
        sa.Column("algorithm", sa.String, nullable=False),
        sa.Column("seed", sa.String, nullable=False),
        sa.Column("frame_digest", sa.String, nullable=False, comment="SHA-256"),
        sa.Column("frame_size", sa.Integer, nullable=False),
        sa.Column("frame", sa.LargeBinary, nullable=False, comment="what was drawn from: compressed JSON"),
        sa.Column("short", sa.JSON, nullable=False),
        sa.Column("population", sa.JSON, nullable=False, comment="calls of each agent in the frame"),
        sa.ForeignKeyConstraint(["plan_id"], ["sampling_plans.plan_id"], name="fk_sample_draws_plan_id"),
        sa.PrimaryKeyConstraint("draw_id", name="pk_sample_draws"),
    )
    op.create_index("ix_sample_draws_plan_id_period_draw_id", "sample_draws", ["plan_id", "period", "draw_id"])
    op.create_table(
        "scores",
        sa.Column("score_id", sa.Integer, nullable=False),
        sa.Column("call_id", sa.String, nullable=False),
        sa.Column("agent", sa.String, nullable=False),
        sa.Column("section", sa.String),
        sa.Column("form_id", sa.String, nullable=False),
        sa.Column("assigned_to", sa.String, nullable=False),
        sa.Column("opened_at", _TIME, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("plan_id", sa.Integer, comment="null: picked by hand"),
        sa.Column("draw_id", sa.Integer),
        sa.Column("period", sa.String, nullable=False),
        sa.Column("part", sa.String, comment="random or risk"),
        sa.Column("stratum", sa.String, nullable=False),
        sa.Column("risks", sa.JSON, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False, comment="the one that stands; 0: none yet"),
        sa.Column("form_version", sa.Integer),
        sa.Column("total", sa.Double),
        sa.Column("fatal", sa.Boolean, nullable=False),
        sa.Column("scored_by", sa.String),
        sa.Column("scored_at", _TIME),
        sa.Column("appeal_until", _TIME),
        sa.ForeignKeyConstraint(["plan_id"], ["sampling_plans.plan_id"], name="fk_scores_plan_id"),
        sa.ForeignKeyConstraint(["draw_id"], ["sample_draws.draw_id"], name="fk_scores_draw_id"),
        sa.PrimaryKeyConstraint("score_id", name="pk_scores"),
    )
    op.create_index("ix_scores_agent_score_id", "scores", ["agent", "score_id"])
    op.create_index("ix_scores_assigned_to_state_score_id", "scores", ["assigned_to", "state", "score_id"])
    op.create_index("ix_scores_call_id", "scores", ["call_id"])
    op.create_index("ix_scores_drawn_once", "scores", ["plan_id", "call_id"], unique=True)
    op.create_index("ix_scores_plan_id_period_agent", "scores", ["plan_id", "period", "agent"])
    op.create_index("ix_scores_state_score_id", "scores", ["state", "score_id"])
    op.create_table(
        "score_revisions",
        sa.Column("score_id", sa.Integer, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("call_id", sa.String, nullable=False),
        sa.Column("form_id", sa.String, nullable=False),
        sa.Column("form_version", sa.Integer, nullable=False),
        sa.Column("sheet", sa.JSON, nullable=False, comment="answers, bonus, summary"),
        sa.Column("remarks", sa.JSON, nullable=False, comment="personal data (P1): comments at seconds"),
        sa.Column("total", sa.Double, nullable=False),
        sa.Column("by_section", sa.JSON, nullable=False),
        sa.Column("fatal", sa.JSON, nullable=False),
        sa.Column("by", sa.String, nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("why", sa.String, nullable=False),
        sa.ForeignKeyConstraint(["score_id"], ["scores.score_id"], name="fk_score_revisions_score_id"),
        sa.PrimaryKeyConstraint("score_id", "revision", name="pk_score_revisions"),
    )
    op.create_index("ix_score_revisions_call_id", "score_revisions", ["call_id"])
    op.create_table(
        "score_drafts",
        sa.Column("score_id", sa.Integer, nullable=False),
        sa.Column("by", sa.String, nullable=False),
        sa.Column("call_id", sa.String, nullable=False),
        sa.Column("sheet", sa.JSON, nullable=False, comment="personal data (P1)"),
        sa.Column("edit", sa.Integer, nullable=False),
        sa.Column("saved_at", _TIME, nullable=False),
        sa.ForeignKeyConstraint(["score_id"], ["scores.score_id"], name="fk_score_drafts_score_id"),
        sa.PrimaryKeyConstraint("score_id", "by", name="pk_score_drafts"),
    )
    op.create_index("ix_score_drafts_call_id", "score_drafts", ["call_id"])
    op.create_table(
        "score_steps",
        sa.Column("score_id", sa.Integer, nullable=False),
        sa.Column("number", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("by", sa.String, nullable=False),
        sa.Column("what", sa.String, nullable=False),
        sa.Column("note", sa.String, nullable=False),
        sa.ForeignKeyConstraint(["score_id"], ["scores.score_id"], name="fk_score_steps_score_id"),
        sa.PrimaryKeyConstraint("score_id", "number", name="pk_score_steps"),
    )
    op.create_table(
        "rulings",
        sa.Column("score_id", sa.Integer, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("rule_set", sa.String, nullable=False, comment="name@version"),
        sa.Column("rule", sa.String, nullable=False),
        sa.Column("outcome", sa.String, nullable=False, comment="what the rule said"),
        sa.Column("ruled", sa.String, nullable=False, comment="what the person says"),
        sa.Column("overruled", sa.Boolean, nullable=False),
        sa.Column("reason", sa.String, nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("score_id", "revision", "rule_set", "rule", name="pk_rulings"),
    )
    op.create_index("ix_rulings_rule_at", "rulings", ["rule", "at"])
    op.create_table(
        "ruling_tallies",
        sa.Column("day", sa.Date, nullable=False, comment="UTC"),
        sa.Column("rule_set", sa.String, nullable=False, comment="name@version"),
        sa.Column("rule", sa.String, nullable=False),
        sa.Column("outcome", sa.String, nullable=False, comment="what the rule said"),
        sa.Column("section", sa.String, nullable=False, comment="empty: none"),
        sa.Column("looked_at", sa.Integer, nullable=False, comment="rulings of revisions that stand"),
        sa.Column("overruled", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("day", "rule_set", "rule", "outcome", "section", name="pk_ruling_tallies"),
    )
    op.create_table(
        "appeals",
        sa.Column("score_id", sa.Integer, nullable=False),
        sa.Column("reason", sa.String, nullable=False),
        sa.Column("by", sa.String, nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("decided_by", sa.String),
        sa.Column("decided_at", _TIME),
        sa.Column("upheld", sa.Boolean),
        sa.Column("decision", sa.String, nullable=False),
        sa.ForeignKeyConstraint(["score_id"], ["scores.score_id"], name="fk_appeals_score_id"),
        sa.PrimaryKeyConstraint("score_id", name="pk_appeals"),
    )
    op.create_table(
        "coaching_tasks",
        sa.Column("task_id", sa.Integer, nullable=False),
        sa.Column("agent", sa.String, nullable=False),
        sa.Column("section", sa.String),
        sa.Column("text", sa.String, nullable=False),
        sa.Column("due", sa.Date, nullable=False),
        sa.Column("made_by", sa.String, nullable=False),
        sa.Column("made_at", _TIME, nullable=False),
        sa.Column("call_id", sa.String),
        sa.Column("at_s", sa.Double),
        sa.Column("score_id", sa.Integer),
        sa.Column("done_by", sa.String),
        sa.Column("done_at", _TIME),
        sa.Column("done_note", sa.String, nullable=False),
        sa.ForeignKeyConstraint(["score_id"], ["scores.score_id"], name="fk_coaching_tasks_score_id"),
        sa.PrimaryKeyConstraint("task_id", name="pk_coaching_tasks"),
    )
    op.create_index("ix_coaching_tasks_agent_task_id", "coaching_tasks", ["agent", "task_id"])
    op.create_table(
        "calibration_rounds",
        sa.Column("round_id", sa.Integer, nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("form_id", sa.String, nullable=False),
        sa.Column("form_version", sa.Integer, nullable=False),
        sa.Column("sections", sa.JSON, nullable=False),
        sa.Column("calls", sa.JSON, nullable=False),
        sa.Column("scorers", sa.JSON, nullable=False),
        sa.Column("made_by", sa.String, nullable=False),
        sa.Column("made_at", _TIME, nullable=False),
        sa.Column("closed_at", _TIME),
        sa.PrimaryKeyConstraint("round_id", name="pk_calibration_rounds"),
    )
    op.create_table(
        "calibration_sheets",
        sa.Column("round_id", sa.Integer, nullable=False),
        sa.Column("call_id", sa.String, nullable=False),
        sa.Column("by", sa.String, nullable=False),
        sa.Column("sheet", sa.JSON, nullable=False),
        sa.Column("remarks", sa.JSON, nullable=False, comment="personal data (P1)"),
        sa.Column("total", sa.Double, nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["round_id"], ["calibration_rounds.round_id"], name="fk_calibration_sheets_round_id"
        ),
        sa.PrimaryKeyConstraint("round_id", "call_id", "by", name="pk_calibration_sheets"),
    )
    op.create_index("ix_calibration_sheets_call_id", "calibration_sheets", ["call_id"])
    op.create_table(
        "findings_seen",
        sa.Column("call_id", sa.String, nullable=False),
        sa.Column("rule_set", sa.String, nullable=False, comment="name@version"),
        sa.Column("rule", sa.String, nullable=False),
        sa.Column("by", sa.String, nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("call_id", "rule_set", "rule", name="pk_findings_seen"),
    )


def downgrade() -> None:
    for table in reversed(_TABLES):
        op.drop_table(table)
