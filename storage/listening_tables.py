"""Tables: what the console keeps beside calls: waveforms, saved filters."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Double, Index, Integer, LargeBinary, String, Table

from storage.tables import UtcDateTime, metadata

waveforms = Table(
    "waveforms",
    metadata,
    Column("call_id", String, primary_key=True),
    Column("leg", String, primary_key=True),
    Column("per_s", Double, nullable=False, comment="peaks in a second"),
    Column("peaks", LargeBinary, nullable=False, comment="one byte each, 255 the loudest there is"),
    info={"words_of_calls": True},  # deleted with the recording
)

saved_filters = Table(
    "saved_filters",
    metadata,
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("login", String, nullable=False),
    Column("page", String, nullable=False, comment="calls or search"),
    Column("name", String, nullable=False),
    Column("query", String, nullable=False, comment="as in the page's address"),
    Column("saved_at", UtcDateTime, nullable=False),
    Index(None, "login", "page", "name", unique=True),
)
