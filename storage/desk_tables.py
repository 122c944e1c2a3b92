"""Tables: the agents' desk (A7)."""

from __future__ import annotations

from sqlalchemy import JSON, Column, Index, Integer, String, Table

from storage.tables import UtcDateTime, metadata

desk_notes = Table(
    "desk_notes",
    metadata,
    Column("call_id", String, primary_key=True),
    Column("version", Integer, nullable=False, comment="how often they were saved"),
    Column("fields", JSON, nullable=False, comment="personal data (P1): what was written so far"),
    Column("saved_at", UtcDateTime, nullable=False, index=True),
    Column("saved_by", String, nullable=False),
)

desk_filings = Table(
    "desk_filings",
    metadata,
    Column("call_id", String, primary_key=True),
    Column("outcome", String, nullable=False, comment="callback, nothing"),
    Column("at", UtcDateTime, nullable=False),
    Column("by", String, nullable=False),
    Column("agent", String, nullable=False),
    Column("ref", String, nullable=False, comment="the call-back's number"),
    Column("reason", String, nullable=False, comment="why there is nothing to file"),
    Column("remark", String, nullable=False, comment="personal data (P1)"),
    Index(None, "agent", "at"),
)
"""Calls that are filed as nothing that the books of cases know."""
