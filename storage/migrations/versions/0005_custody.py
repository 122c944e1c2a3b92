"""Recordings in custody: where each leg lies, its checksum and its wrapped key, or the tombstone of both."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "recordings",
        sa.Column("call_id", sa.String, nullable=False),
        sa.Column("leg", sa.String, nullable=False),
        sa.Column("format", sa.String, nullable=False),
        sa.Column("sample_rate_hz", sa.Integer, nullable=False),
        sa.Column("duration_s", sa.Double, nullable=False),
        sa.Column("size_bytes", sa.BigInteger, nullable=False, comment="of the plain bytes"),
        sa.Column("sha256", sa.String, nullable=False, comment="of the plain bytes, hexadecimal"),
        sa.Column("complete", sa.Boolean, nullable=False),
        sa.Column("recorded_at", _TIME, nullable=False),
        sa.Column("stored_at", _TIME, nullable=False),
        sa.Column("location", sa.String, nullable=False, comment="in the store"),
        sa.Column("key_id", sa.String, nullable=False, comment="of the master key"),
        sa.Column("wrapped_key", sa.LargeBinary, comment="the data key; destroyed with the recording's deletion"),
        sa.Column("checked_at", _TIME, comment="when its checksum was last looked at"),
        sa.Column("damaged_at", _TIME, comment="when its checksum was first found wrong"),
        sa.Column("deleted_at", _TIME, comment="of a tombstone: the key is destroyed"),
        sa.Column("deleted_why", sa.String),
        sa.Column("removed_at", _TIME, comment="when the object itself was gone from the store"),
        sa.PrimaryKeyConstraint("call_id", "leg", name="pk_recordings"),
    )
    for column in ("recorded_at", "key_id", "damaged_at", "checked_at"):
        op.create_index(f"ix_recordings_{column}", "recordings", [column])


def downgrade() -> None:
    op.drop_table("recordings")
