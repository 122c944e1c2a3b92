"""Verdicts have revisions: what was said before something was filed or withdrawn for the call is kept (A5)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "verdicts",
        sa.Column(
            "revision",
            sa.Integer,
            nullable=False,
            server_default="1",
            comment="from 1: how often the rule came to say something else",
        ),
    )
    op.create_table(
        "earlier_verdicts",
        sa.Column("call_id", sa.String, nullable=False),
        sa.Column("rule_set", sa.String, nullable=False, comment="name@version"),
        sa.Column("rule", sa.String, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("requirement", sa.String, nullable=False),
        sa.Column("outcome", sa.String, nullable=False),
        sa.Column("severity", sa.String, nullable=False),
        sa.Column("weight", sa.Double, nullable=False),
        sa.Column("confidence", sa.Double, nullable=False),
        sa.Column("evidence", sa.JSON, nullable=False, comment="personal data (P1): leg, seconds, words"),
        sa.Column(
            "explanation", sa.String, nullable=False, comment="JSON of reason and values; older ones: a sentence"
        ),
        sa.Column("judged_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("call_id", "rule_set", "rule", "revision", name="pk_earlier_verdicts"),
    )


def downgrade() -> None:
    op.drop_table("earlier_verdicts")
    op.drop_column("verdicts", "revision")
