"""Workers of transcription, whether or not they have something in hand: their beats stand here alone."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "transcription_workers",
        sa.Column("worker", sa.String, nullable=False),
        sa.Column("beat", sa.BigInteger, nullable=False, comment="goes up for as long as the worker lives"),
        sa.PrimaryKeyConstraint("worker", name="pk_transcription_workers"),
    )
    op.drop_column("transcription_work", "beat")


def downgrade() -> None:
    op.add_column("transcription_work", sa.Column("beat", sa.BigInteger, nullable=False, server_default="0"))
    op.drop_table("transcription_workers")
