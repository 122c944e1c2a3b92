"""The access log, which the database itself keeps from being changed, and legal holds."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)
_SAID = "the access log is append-only"


def upgrade() -> None:
    op.create_table(
        "access_log",
        sa.Column("number", sa.BigInteger, nullable=False, autoincrement=False, comment="from 1, without gaps"),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("actor", sa.String, nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("call_id", sa.String),
        sa.Column("leg", sa.String),
        sa.Column("reason", sa.String, nullable=False),
        sa.Column("previous", sa.String, nullable=False, comment="hash of the entry before"),
        sa.Column("hash", sa.String, nullable=False, comment="SHA-256 over this entry and the one before"),
        sa.PrimaryKeyConstraint("number", name="pk_access_log"),
    )
    for column in ("at", "actor", "call_id"):
        op.create_index(f"ix_access_log_{column}", "access_log", [column])
    op.create_table(
        "holds",
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("call_id", sa.String, nullable=False),
        sa.Column("since", _TIME, nullable=False),
        sa.Column("by", sa.String, nullable=False),
        sa.Column("reason", sa.String, nullable=False),
        sa.Column("released_at", _TIME),
        sa.Column("released_by", sa.String),
        sa.PrimaryKeyConstraint("number", name="pk_holds"),
    )
    still = sa.text("released_at IS NULL")
    op.create_index("ix_holds_open", "holds", ["call_id"], sqlite_where=still, postgresql_where=still)
    op.create_table(
        "retention_seen",
        sa.Column("at", _TIME, nullable=False, comment="the newest time of the clock that retention believed"),
        sa.PrimaryKeyConstraint("at", name="pk_retention_seen"),
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE FUNCTION access_log_stays() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION '{_SAID}'; END $$"
        )
        op.execute(
            "CREATE TRIGGER access_log_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON access_log "
            "FOR EACH STATEMENT EXECUTE FUNCTION access_log_stays()"
        )
    else:
        for act in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER access_log_no_{act.lower()} BEFORE {act} ON access_log "
                f"BEGIN SELECT RAISE(ABORT, '{_SAID}'); END"
            )


def downgrade() -> None:
    for table in ("retention_seen", "holds", "access_log"):
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION access_log_stays()")
