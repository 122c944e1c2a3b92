"""The web form, attachments, signed webhooks (C1, I3)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from storage.tables import UtcDateTime

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "news",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), nullable=False, autoincrement=True),
        sa.Column("number", sa.String, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("section", sa.String, nullable=False),
        sa.Column("channel", sa.String, nullable=False),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_news"),
    )
    op.create_index("ix_news_number_version", "news", ["number", "version"], unique=True)
    op.create_table(
        "webhook_cursors",
        sa.Column("hook", sa.String, nullable=False),
        sa.Column("last", sa.BigInteger, nullable=False, comment="the last news that deliveries were made of"),
        sa.PrimaryKeyConstraint("hook", name="pk_webhook_cursors"),
    )
    op.create_table(
        "webhook_deliveries",
        sa.Column("hook", sa.String, nullable=False),
        sa.Column("news", sa.BigInteger().with_variant(sa.Integer, "sqlite"), nullable=False),
        sa.Column("number", sa.String, nullable=False, comment="of the case: its news go out in their order"),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("due_at", UtcDateTime, nullable=False),
        sa.Column("error", sa.String, nullable=False),
        sa.PrimaryKeyConstraint("hook", "news", name="pk_webhook_deliveries"),
        sa.ForeignKeyConstraint(["news"], ["news.id"], name="fk_webhook_deliveries_news"),
    )
    op.create_index("ix_webhook_deliveries_state_due_at", "webhook_deliveries", ["state", "due_at"])
    op.create_index("ix_webhook_deliveries_hook_number_news", "webhook_deliveries", ["hook", "number", "news"])
    op.create_table(
        "intake_counts",
        sa.Column(
            "key", sa.String, nullable=False, comment="SHA-256 of what is limited: an address, a receipt's number"
        ),
        sa.Column("ends_at", UtcDateTime, nullable=False, comment="of the window that is counted in"),
        sa.Column("n", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("key", "ends_at", name="pk_intake_counts"),
    )
    op.create_index("ix_intake_counts_ends_at", "intake_counts", ["ends_at"])
    op.create_table(
        "attachments",
        sa.Column("id", sa.String, nullable=False),
        sa.Column("number", sa.String, nullable=False, comment="of the complaint or work order"),
        sa.Column("name", sa.String, nullable=False, comment="as its owner called it (P1)"),
        sa.Column("content_type", sa.String, nullable=False, comment="by what is in it"),
        sa.Column("size_bytes", sa.BigInteger, nullable=False, comment="of the plain bytes"),
        sa.Column("sha256", sa.String, nullable=False, comment="of the plain bytes, hexadecimal"),
        sa.Column("added_at", UtcDateTime, nullable=False),
        sa.Column("added_by", sa.String, nullable=False),
        sa.Column("location", sa.String, nullable=False, comment="in the store"),
        sa.Column("key_id", sa.String, nullable=False, comment="of the master key"),
        sa.Column("wrapped_key", sa.LargeBinary, comment="the data key; destroyed with the deletion"),
        sa.Column("deleted_at", UtcDateTime, comment="of a tombstone: the key is destroyed"),
        sa.Column("deleted_why", sa.String),
        sa.PrimaryKeyConstraint("id", name="pk_attachments"),
    )
    op.create_index("ix_attachments_number", "attachments", ["number"])
    op.create_index("ix_attachments_added_at", "attachments", ["added_at"])
    op.create_index("ix_attachments_key_id", "attachments", ["key_id"])


def downgrade() -> None:
    for table in ("attachments", "intake_counts", "webhook_deliveries", "webhook_cursors", "news"):
        op.drop_table(table)
