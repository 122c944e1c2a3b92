"""The ledger: events, and calls and offers as their read model."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# Written out rather than imported: a migration stays what it was when the tables move on.
_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    _create_calls()
    op.create_table(
        "offers",
        sa.Column("call_id", sa.String, nullable=False),
        sa.Column("leg_id", sa.String, nullable=False),
        sa.Column("agent", sa.String, nullable=False),
        sa.Column("rang_at", _TIME, nullable=False),
        sa.Column("answered_at", _TIME),
        sa.Column("connected_at", _TIME),
        sa.Column("ended_at", _TIME),
        sa.Column("ring_s", sa.Double, comment="the agent's clock, seconds (K2r)"),
        sa.Column("failure", sa.String),
        sa.PrimaryKeyConstraint("call_id", "leg_id", name="pk_offers"),
        sa.ForeignKeyConstraint(["call_id"], ["calls.call_id"], name="fk_offers_call_id"),
    )
    op.create_table(
        "events",
        sa.Column("key", sa.String, nullable=False),
        sa.Column("call_id", sa.String, nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("data", sa.JSON, nullable=False, comment="the fields that only this kind of event has"),
        sa.PrimaryKeyConstraint("key", name="pk_events"),
        sa.ForeignKeyConstraint(["call_id"], ["calls.call_id"], name="fk_events_call_id"),
    )
    op.create_index("ix_events_call_id", "events", ["call_id"])


def downgrade() -> None:
    for table in ("events", "offers", "calls"):
        op.drop_table(table)


def _create_calls() -> None:
    op.create_table(
        "calls",
        sa.Column("call_id", sa.String, nullable=False),
        sa.Column("arrived_at", _TIME, nullable=False),
        sa.Column("trunk", sa.String, nullable=False),
        sa.Column("caller", sa.String, comment="personal data (P1)"),
        sa.Column("asked_at", _TIME),
        sa.Column("section", sa.String),
        sa.Column("language", sa.String),
        sa.Column("priority", sa.Boolean, nullable=False),
        sa.Column("asked_by", sa.String),
        sa.Column("overflowed_at", _TIME),
        sa.Column("connected_at", _TIME, comment="when the caller first heard a person"),
        sa.Column("agent", sa.String, comment="the agent who was heard first"),
        sa.Column("wait_s", sa.Double, comment="the caller's clock, seconds (K2)"),
        sa.Column("talk_s", sa.Double, comment="seconds"),
        sa.Column("callback_offered_at", _TIME),
        sa.Column("callback_promised_at", _TIME),
        sa.Column("callback_number", sa.String, comment="personal data (P1)"),
        sa.Column("ended_at", _TIME),
        sa.Column("ended_by", sa.String),
        sa.Column("stage", sa.String, nullable=False),
        sa.Column("result", sa.String, nullable=False),
        sa.Column("has_recording", sa.Boolean, nullable=False),
        sa.Column("recording_missing", sa.Boolean, nullable=False, comment="answered and ended, but not recorded"),
        sa.PrimaryKeyConstraint("call_id", name="pk_calls"),
    )
    op.create_index("ix_calls_arrived_at", "calls", ["arrived_at"])
    op.create_index("ix_calls_ended_at", "calls", ["ended_at"])
    op.create_index("ix_calls_recording_missing_ended_at", "calls", ["recording_missing", "ended_at"])
