"""Drafts of blind sheets."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "calibration_drafts",
        sa.Column("round_id", sa.Integer, nullable=False),
        sa.Column("call_id", sa.String, nullable=False),
        sa.Column("by", sa.String, nullable=False),
        sa.Column("sheet", sa.JSON, nullable=False, comment="personal data (P1)"),
        sa.Column("edit", sa.Integer, nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("round_id", "call_id", "by", name="pk_calibration_drafts"),
        sa.ForeignKeyConstraint(
            ["round_id"], ["calibration_rounds.round_id"], name="fk_calibration_drafts_round_id_calibration_rounds"
        ),
    )
    op.create_index("ix_calibration_drafts_call_id", "calibration_drafts", ["call_id"])


def downgrade() -> None:
    op.drop_table("calibration_drafts")
