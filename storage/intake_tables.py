"""Tables: news of cases for other systems, their delivery, the web form's limits, and attachments (C1, I3)."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, LargeBinary, String, Table

from storage.tables import UtcDateTime, metadata

news = Table(
    "news",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("number", String, nullable=False),
    Column("version", Integer, nullable=False),
    Column("kind", String, nullable=False),
    Column("state", String, nullable=False),
    Column("section", String, nullable=False),
    Column("channel", String, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Index(None, "number", "version", unique=True),
)

webhook_cursors = Table(
    "webhook_cursors",
    metadata,
    Column("hook", String, primary_key=True),
    Column("last", BigInteger, nullable=False, comment="the last news that deliveries were made of"),
)

webhook_deliveries = Table(
    "webhook_deliveries",
    metadata,
    Column("hook", String, primary_key=True),
    Column("news", ForeignKey("news.id"), primary_key=True),
    Column("number", String, nullable=False, comment="of the case: its news go out in their order"),
    Column("state", String, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due_at", UtcDateTime, nullable=False),
    Column("error", String, nullable=False),
    Index(None, "state", "due_at"),
    Index(None, "hook", "number", "news"),
)

intake_counts = Table(
    "intake_counts",
    metadata,
    Column("key", String, primary_key=True, comment="SHA-256 of what is limited: an address, a receipt's number"),
    Column("ends_at", UtcDateTime, primary_key=True, comment="of the window that is counted in"),
    Column("n", Integer, nullable=False),
    Index(None, "ends_at"),
)

attachments = Table(
    "attachments",
    metadata,
    Column("id", String, primary_key=True),
    Column("number", String, nullable=False, index=True, comment="of the complaint or work order"),
    Column("name", String, nullable=False, comment="as its owner called it (P1)"),
    Column("content_type", String, nullable=False, comment="by what is in it"),
    Column("size_bytes", BigInteger, nullable=False, comment="of the plain bytes"),
    Column("sha256", String, nullable=False, comment="of the plain bytes, hexadecimal"),
    Column("added_at", UtcDateTime, nullable=False, index=True),
    Column("added_by", String, nullable=False),
    Column("location", String, nullable=False, comment="in the store"),
    Column("key_id", String, nullable=False, index=True, comment="of the master key"),
    Column("wrapped_key", LargeBinary, comment="the data key; destroyed with the deletion"),
    Column("deleted_at", UtcDateTime, comment="of a tombstone: the key is destroyed"),
    Column("deleted_why", String),
)
