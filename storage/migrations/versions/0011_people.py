"""People of the console, their roles, sessions and tokens (P1)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "people",
        sa.Column("login", sa.String, nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("agent", sa.String, comment="number on the roster"),
        sa.Column("language", sa.String),
        sa.Column("password_hash", sa.String, comment="argon2id; null: signs in by OpenID Connect only"),
        sa.Column("must_change", sa.Boolean, nullable=False, comment="somebody else made the password"),
        sa.Column(
            "code_sealed", sa.LargeBinary, comment="secret of the one-time passwords, sealed by a master key"
        ),
        sa.Column("code_key", sa.String),
        sa.Column("code_step", sa.BigInteger, nullable=False, comment="time step of the last one that was taken"),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("disabled_at", _TIME),
        sa.PrimaryKeyConstraint("login", name="pk_people"),
    )
    op.create_index("ix_people_agent", "people", ["agent"], unique=True)
    op.create_table(
        "grants",
        sa.Column("login", sa.String, nullable=False),
        sa.Column("role", sa.String, nullable=False),
        sa.Column("section", sa.String, nullable=False, comment="empty: all of them"),
        sa.ForeignKeyConstraint(["login"], ["people.login"], name="fk_grants_login"),
        sa.PrimaryKeyConstraint("login", "role", "section", name="pk_grants"),
    )
    _sessions()
    op.create_table(
        "sign_in_failures",
        sa.Column(
            "key", sa.String, nullable=False, comment="SHA-256 of the name that was typed, or of the address"
        ),
        sa.Column("failed", sa.Integer, nullable=False),
        sa.Column("last_at", _TIME, nullable=False),
        sa.Column("until", _TIME, nullable=False, comment="no attempt is looked at before"),
        sa.PrimaryKeyConstraint("key", name="pk_sign_in_failures"),
    )
    op.create_index("ix_sign_in_failures_last_at", "sign_in_failures", ["last_at"])
    op.create_table(
        "tokens",
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("hash", sa.String, nullable=False, comment="SHA-256 of the token"),
        sa.Column("login", sa.String, nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("rights", sa.String, nullable=False, comment="separated by spaces"),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("created_by", sa.String, nullable=False),
        sa.Column("expires_at", _TIME, nullable=False),
        sa.Column("used_at", _TIME),
        sa.Column("revoked_at", _TIME),
        sa.ForeignKeyConstraint(["login"], ["people.login"], name="fk_tokens_login"),
        sa.PrimaryKeyConstraint("number", name="pk_tokens"),
    )
    op.create_index("ix_tokens_hash", "tokens", ["hash"], unique=True)
    op.create_index("ix_tokens_login", "tokens", ["login"])


def _sessions() -> None:
    op.create_table(
        "sessions",
        sa.Column("id", sa.String, nullable=False, comment="SHA-256 of the secret in the cookie"),
        sa.Column("login", sa.String, nullable=False),
        sa.Column("began_at", _TIME, nullable=False),
        sa.Column("seen_at", _TIME, nullable=False),
        sa.Column("ends_at", _TIME, nullable=False),
        sa.Column("address", sa.String, nullable=False),
        sa.Column("browser", sa.String, nullable=False),
        sa.Column("waits_for_code", sa.Boolean, nullable=False),
        sa.ForeignKeyConstraint(["login"], ["people.login"], name="fk_sessions_login"),
        sa.PrimaryKeyConstraint("id", name="pk_sessions"),
    )
    op.create_index("ix_sessions_login", "sessions", ["login"])
    op.create_index("ix_sessions_ends_at", "sessions", ["ends_at"])


def downgrade() -> None:
    for table in ("tokens", "sign_in_failures", "sessions", "grants", "people"):
        op.drop_table(table)
