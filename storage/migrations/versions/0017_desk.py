"""The agents' desk: notes on calls, calls that no case is of; offers by agent."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "desk_notes",
        sa.Column("call_id", sa.String, nullable=False),
        sa.Column("version", sa.Integer, nullable=False, comment="how often they were saved"),
        sa.Column("fields", sa.JSON, nullable=False, comment="personal data (P1): what was written so far"),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("saved_by", sa.String, nullable=False),
        sa.PrimaryKeyConstraint("call_id", name="pk_desk_notes"),
    )
    op.create_index("ix_desk_notes_saved_at", "desk_notes", ["saved_at"])
    op.create_table(
        "desk_filings",
        sa.Column("call_id", sa.String, nullable=False),
        sa.Column("outcome", sa.String, nullable=False, comment="callback, nothing"),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String, nullable=False),
        sa.Column("agent", sa.String, nullable=False),
        sa.Column("ref", sa.String, nullable=False, comment="the call-back's number"),
        sa.Column("reason", sa.String, nullable=False, comment="why there is nothing to file"),
        sa.Column("remark", sa.String, nullable=False, comment="personal data (P1)"),
        sa.PrimaryKeyConstraint("call_id", name="pk_desk_filings"),
    )
    op.create_index("ix_desk_filings_agent_at", "desk_filings", ["agent", "at"])
    op.create_index("ix_offers_agent_connected_at", "offers", ["agent", "connected_at"])


def downgrade() -> None:
    op.drop_index("ix_offers_agent_connected_at", "offers")
    op.drop_table("desk_filings")
    op.drop_table("desk_notes")
