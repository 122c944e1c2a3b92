"""The true source: who told each event, transfers, agents' presence, repairs and discrepancies."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column(
        "events",
        sa.Column(
            "source", sa.String, nullable=False, server_default="file", comment="the witness that is believed"
        ),
    )
    told_by_ami = sa.text("source = 'ami'")
    op.create_index(
        "ix_events_unconfirmed", "events", ["at"], sqlite_where=told_by_ami, postgresql_where=told_by_ami
    )
    op.add_column("calls", sa.Column("transferred_at", _TIME, comment="when an agent first handed the caller on"))
    op.create_table(
        "presence",
        sa.Column("key", sa.String, nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("position", sa.BigInteger, nullable=False, comment="order within one second"),
        sa.Column("agent", sa.String, nullable=False),
        sa.Column("queue", sa.String, nullable=False),
        sa.Column("step", sa.String, nullable=False),
        sa.Column("reason", sa.String, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_presence"),
    )
    op.create_index("ix_presence_at", "presence", ["at"])
    op.create_index("ix_presence_agent_queue_at", "presence", ["agent", "queue", "at"])
    _create_audit()


def downgrade() -> None:
    for table in ("discrepancies", "repairs", "presence"):
        op.drop_table(table)
    op.drop_column("calls", "transferred_at")
    op.drop_index("ix_events_unconfirmed", "events")
    op.drop_column("events", "source")


def _create_audit() -> None:
    op.create_table(
        "repairs",
        sa.Column("key", sa.String, nullable=False, comment="of the event"),
        sa.Column("call_id", sa.String, nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("what", sa.String, nullable=False),
        sa.Column(
            "source", sa.String, nullable=False, comment="the witness that told it instead of the event log"
        ),
        sa.PrimaryKeyConstraint("key", name="pk_repairs"),
    )
    op.create_index("ix_repairs_at", "repairs", ["at"])
    op.create_table(
        "discrepancies",
        sa.Column("key", sa.String, nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("call_id", sa.String),
        sa.Column("event_key", sa.String, comment="the event whose arrival would settle it"),
        sa.Column("seen_at", _TIME, nullable=False),
        sa.Column("detail", sa.String, nullable=False),
        sa.Column("settled_at", _TIME),
        sa.PrimaryKeyConstraint("key", name="pk_discrepancies"),
    )
    op.create_index("ix_discrepancies_seen_at", "discrepancies", ["seen_at"])
    op.create_index("ix_discrepancies_settled_at", "discrepancies", ["settled_at"])
