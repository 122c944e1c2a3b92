"""Tables of recordings in custody (P2)."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Double, Index, Integer, LargeBinary, String, Table

from storage.tables import UtcDateTime, metadata

recordings = Table(
    "recordings",
    metadata,
    Column("call_id", String, primary_key=True),
    Column("leg", String, primary_key=True),
    Column("format", String, nullable=False),
    Column("sample_rate_hz", Integer, nullable=False),
    Column("duration_s", Double, nullable=False),
    Column("size_bytes", BigInteger, nullable=False, comment="of the plain bytes"),
    Column("sha256", String, nullable=False, comment="of the plain bytes, hexadecimal"),
    Column("complete", Boolean, nullable=False),
    Column("recorded_at", UtcDateTime, nullable=False, index=True),
    Column("stored_at", UtcDateTime, nullable=False),
    Column("location", String, nullable=False, comment="in the store"),
    Column("key_id", String, nullable=False, index=True, comment="of the master key"),
    Column("wrapped_key", LargeBinary, comment="the data key; destroyed with the recording's deletion"),
    Column("checked_at", UtcDateTime, comment="when its checksum was last looked at"),
    Column("damaged_at", UtcDateTime, index=True, comment="when its checksum was first found wrong"),
    Column("deleted_at", UtcDateTime, comment="of a tombstone: the key is destroyed"),
    Column("deleted_why", String),
    Column("removed_at", UtcDateTime, comment="when the object itself was gone from the store"),
    Index(None, "checked_at"),
)
