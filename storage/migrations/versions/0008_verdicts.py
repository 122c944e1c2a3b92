"""What the rules say of calls; a new version of the rules adds verdicts and leaves the old ones."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "judged",
        sa.Column("call_id", sa.String, nullable=False),
        sa.Column("rule_set", sa.String, nullable=False, comment="name@version"),
        sa.Column("judged_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("call_id", "rule_set", name="pk_judged"),
    )
    op.create_index("ix_judged_judged_at", "judged", ["judged_at"])
    op.create_table(
        "verdicts",
        sa.Column("call_id", sa.String, nullable=False),
        sa.Column("rule_set", sa.String, nullable=False, comment="name@version"),
        sa.Column("rule", sa.String, nullable=False),
        sa.Column("requirement", sa.String, nullable=False),
        sa.Column("outcome", sa.String, nullable=False),
        sa.Column("severity", sa.String, nullable=False),
        sa.Column("weight", sa.Double, nullable=False),
        sa.Column("confidence", sa.Double, nullable=False),
        sa.Column("evidence", sa.JSON, nullable=False, comment="personal data (P1): leg, seconds, words"),
        sa.Column("explanation", sa.String, nullable=False),
        sa.Column("judged_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("call_id", "rule_set", "rule", name="pk_verdicts"),
    )
    op.create_index("ix_verdicts_rule_set_rule_outcome", "verdicts", ["rule_set", "rule", "outcome"])
    op.create_index("ix_verdicts_outcome_severity_judged_at", "verdicts", ["outcome", "severity", "judged_at"])


def downgrade() -> None:
    for table in ("verdicts", "judged"):
        op.drop_table(table)
