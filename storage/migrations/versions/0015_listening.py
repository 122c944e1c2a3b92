"""What the console keeps beside calls: waveforms, saved filters; and what lists of calls are looked up by."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_LISTED_BY = ("agent", "section", "result", "caller")


def upgrade() -> None:
    op.create_table(
        "waveforms",
        sa.Column("call_id", sa.String, nullable=False),
        sa.Column("leg", sa.String, nullable=False),
        sa.Column("per_s", sa.Double, nullable=False, comment="peaks in a second"),
        sa.Column("peaks", sa.LargeBinary, nullable=False, comment="one byte each, 255 the loudest there is"),
        sa.PrimaryKeyConstraint("call_id", "leg", name="pk_waveforms"),
    )
    op.create_table(
        "saved_filters",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer, "sqlite"), nullable=False),
        sa.Column("login", sa.String, nullable=False),
        sa.Column("page", sa.String, nullable=False, comment="calls or search"),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("query", sa.String, nullable=False, comment="as in the page's address"),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_saved_filters"),
    )
    op.create_index("ix_saved_filters_login_page_name", "saved_filters", ["login", "page", "name"], unique=True)
    for column in _LISTED_BY:
        op.create_index(f"ix_calls_{column}_arrived_at", "calls", [column, "arrived_at"])
    op.create_index(
        "ix_calls_unrecorded",
        "calls",
        ["arrived_at"],
        sqlite_where=sa.text("recording_missing"),
        postgresql_where=sa.text("recording_missing"),
    )


def downgrade() -> None:
    op.drop_index("ix_calls_unrecorded", "calls")
    for column in _LISTED_BY:
        op.drop_index(f"ix_calls_{column}_arrived_at", "calls")
    op.drop_table("saved_filters")
    op.drop_table("waveforms")
