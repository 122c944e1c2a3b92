"""Tables: people of the console, their roles, sessions and tokens (P1)."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Integer, LargeBinary, String, Table

from storage.tables import UtcDateTime, metadata

people = Table(
    "people",
    metadata,
    Column("login", String, primary_key=True),
    Column("name", String, nullable=False),
    Column("agent", String, unique=True, index=True, comment="number on the roster"),
    Column("language", String),
    Column("password_hash", String, comment="argon2id; null: signs in by OpenID Connect only"),
    Column("must_change", Boolean, nullable=False, comment="somebody else made the password"),
    Column("code_sealed", LargeBinary, comment="secret of the one-time passwords, sealed by a master key"),
    Column("code_key", String),
    Column("code_step", BigInteger, nullable=False, comment="time step of the last one that was taken"),
    Column("created_at", UtcDateTime, nullable=False),
    Column("disabled_at", UtcDateTime),
)

grants = Table(
    "grants",
    metadata,
    Column("login", String, ForeignKey("people.login"), primary_key=True),
    Column("role", String, primary_key=True),
    Column("section", String, primary_key=True, comment="empty: all of them"),
)

sessions = Table(
    "sessions",
    metadata,
    Column("id", String, primary_key=True, comment="SHA-256 of the secret in the cookie"),
    Column("login", String, ForeignKey("people.login"), nullable=False, index=True),
    Column("began_at", UtcDateTime, nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),
    Column("ends_at", UtcDateTime, nullable=False, index=True),
    Column("address", String, nullable=False),
    Column("browser", String, nullable=False),
    Column("waits_for_code", Boolean, nullable=False),
)

sign_in_failures = Table(
    "sign_in_failures",
    metadata,
    Column("key", String, primary_key=True, comment="SHA-256 of the name that was typed, or of the address"),
    Column("failed", Integer, nullable=False),
    Column("last_at", UtcDateTime, nullable=False, index=True),
    Column("until", UtcDateTime, nullable=False, comment="no attempt is looked at before"),
)

failed_sign_ins = Table(
    "failed_sign_ins",
    metadata,
    Column(
        "number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, comment="the newest is highest"
    ),
    Column("at", UtcDateTime, nullable=False, index=True),
    Column("login", String, index=True, comment="none: the name that was typed is nobody's"),
    Column("address", String, nullable=False),
    Column("step", String, nullable=False, comment="password, code, again"),
)

tokens = Table(
    "tokens",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("hash", String, nullable=False, unique=True, index=True, comment="SHA-256 of the token"),
    Column("login", String, ForeignKey("people.login"), nullable=False, index=True),
    Column("name", String, nullable=False),
    Column("rights", String, nullable=False, comment="separated by spaces"),
    Column("created_at", UtcDateTime, nullable=False),
    Column("created_by", String, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("used_at", UtcDateTime),
    Column("revoked_at", UtcDateTime),
)
