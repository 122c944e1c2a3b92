"""Tables of the access log (P1, P4) and of legal holds."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, String, Table, text

from storage.tables import UtcDateTime, metadata

access_log = Table(
    "access_log",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False, comment="from 1, without gaps"),
    Column("at", UtcDateTime, nullable=False, index=True),
    Column("actor", String, nullable=False, index=True),
    Column("kind", String, nullable=False),
    Column("call_id", String, index=True),
    Column("leg", String),
    Column("reason", String, nullable=False),
    Column("previous", String, nullable=False, comment="hash of the entry before"),
    Column("hash", String, nullable=False, comment="SHA-256 over this entry and the one before"),
)

holds = Table(
    "holds",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("call_id", String, nullable=False),
    Column("since", UtcDateTime, nullable=False),
    Column("by", String, nullable=False),
    Column("reason", String, nullable=False),
    Column("released_at", UtcDateTime),
    Column("released_by", String),
    Index(
        "ix_holds_open",
        "call_id",
        sqlite_where=text("released_at IS NULL"),
        postgresql_where=text("released_at IS NULL"),
    ),
)

retention_seen = Table(
    "retention_seen",
    metadata,
    Column("at", UtcDateTime, primary_key=True, comment="the newest time of the clock that retention believed"),
)
