"""Attempts to sign in that failed, one by one."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "failed_sign_ins",
        sa.Column(
            "number",
            sa.BigInteger().with_variant(sa.Integer, "sqlite"),
            nullable=False,
            comment="the newest is highest",
        ),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("login", sa.String, nullable=True, comment="none: the name that was typed is nobody's"),
        sa.Column("address", sa.String, nullable=False),
        sa.Column("step", sa.String, nullable=False, comment="password, code, again"),
        sa.PrimaryKeyConstraint("number", name="pk_failed_sign_ins"),
    )
    op.create_index("ix_failed_sign_ins_at", "failed_sign_ins", ["at"])
    op.create_index("ix_failed_sign_ins_login", "failed_sign_ins", ["login"])


def downgrade() -> None:
    op.drop_table("failed_sign_ins")
