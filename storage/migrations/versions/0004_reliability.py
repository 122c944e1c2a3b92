"""Reliability: outages as intervals, announced maintenance, and since when somebody has looked."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "outages",
        sa.Column("component", sa.String, nullable=False),
        sa.Column("began_at", _TIME, nullable=False),
        sa.Column("ended_at", _TIME),
        sa.Column("reason", sa.String, nullable=False),
        sa.PrimaryKeyConstraint("component", "began_at", name="pk_outages"),
        sa.CheckConstraint("ended_at >= began_at", name="ck_outages_forward"),
    )
    op.create_index("ix_outages_ended_at", "outages", ["ended_at"])
    without_end = sa.text("ended_at IS NULL")
    op.create_index(
        "ix_outages_open",
        "outages",
        ["component"],
        unique=True,
        sqlite_where=without_end,
        postgresql_where=without_end,
    )
    op.create_table(
        "maintenance",
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("starts_at", _TIME, nullable=False),
        sa.Column("ends_at", _TIME, nullable=False, comment="cut short if taken back while it lasted"),
        sa.Column("components", sa.String, nullable=False, comment="names, separated by spaces"),
        sa.Column("reason", sa.String, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_maintenance"),
        sa.CheckConstraint("ends_at >= starts_at", name="ck_maintenance_forward"),
    )
    op.create_index("ix_maintenance_starts_at", "maintenance", ["starts_at"])
    op.create_table(
        "watched",
        sa.Column("since", _TIME, nullable=False, comment="when somebody first looked whether things work"),
        sa.PrimaryKeyConstraint("since", name="pk_watched"),
    )


def downgrade() -> None:
    for table in ("watched", "maintenance", "outages"):
        op.drop_table(table)
