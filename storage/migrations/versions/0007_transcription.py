"""Transcripts, and the work owed on them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "transcription_work",
        sa.Column("call_id", sa.String, nullable=False),
        sa.Column("leg", sa.String, nullable=False),
        sa.Column("state", sa.String, nullable=False, comment="owed, started, done, failed, quarantined"),
        sa.Column("owed_at", _TIME, nullable=False),
        sa.Column("sent_at", _TIME, comment="when workers were last told of it"),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("deaths", sa.Integer, nullable=False, comment="of workers, while they were at it"),
        sa.Column("worker", sa.String, comment="who is at it"),
        sa.Column("beat", sa.BigInteger, nullable=False, comment="goes up for as long as the worker lives"),
        sa.Column("error", sa.String, comment="why not, for people"),
        sa.PrimaryKeyConstraint("call_id", "leg", name="pk_transcription_work"),
    )
    op.create_index("ix_transcription_work_state_owed_at", "transcription_work", ["state", "owed_at"])
    op.create_table(
        "transcripts",
        sa.Column("call_id", sa.String, nullable=False),
        sa.Column("leg", sa.String, nullable=False),
        sa.Column("language", sa.String, nullable=False),
        sa.Column("engine", sa.String, nullable=False),
        sa.Column("model", sa.String, nullable=False),
        sa.Column("duration_s", sa.Double, nullable=False),
        sa.Column("bandwidth", sa.String, nullable=False),
        sa.Column("voice", sa.JSON, nullable=False, comment="pairs of seconds"),
        sa.Column("announced", sa.JSON, comment="pair of seconds: where we say the agent's number"),
        sa.Column(
            "words", sa.JSON, nullable=False, comment="personal data (P1): text, start, end, confidence of each"
        ),
        sa.PrimaryKeyConstraint("call_id", "leg", name="pk_transcripts"),
    )


def downgrade() -> None:
    for table in ("transcripts", "transcription_work"):
        op.drop_table(table)
