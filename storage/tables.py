"""The ledger's tables.

``events`` is the truth: every fact once. ``calls`` and ``offers`` are the read model, written from the fold
of a call's events and from nothing else, so that figures are one plain query (K1, K2, K2r).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    DateTime,
    Dialect,
    Double,
    ForeignKey,
    Index,
    MetaData,
    String,
    Table,
    TypeDecorator,
)


class UtcDateTime(TypeDecorator[datetime]):
    """An aware moment, kept to the microsecond and given back in UTC.

    PostgreSQL keeps it as ``timestamptz``. SQLite has no such type: there it is UTC as text of fixed width,
    which sorts as time does.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.utcoffset() is None:
            raise ValueError("a time without a time zone cannot be stored")
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        moment: datetime = value
        return moment.replace(tzinfo=UTC) if dialect.name == "sqlite" else moment.astimezone(UTC)


metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)

events = Table(
    "events",
    metadata,
    Column("key", String, primary_key=True),
    Column("call_id", String, ForeignKey("calls.call_id"), nullable=False, index=True),
    Column("kind", String, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("data", JSON, nullable=False, comment="the fields that only this kind of event has"),
)

calls = Table(
    "calls",
    metadata,
    Column("call_id", String, primary_key=True),
    Column("arrived_at", UtcDateTime, nullable=False, index=True),
    Column("trunk", String, nullable=False),
    Column("caller", String, comment="personal data (P1)"),
    Column("asked_at", UtcDateTime),
    Column("section", String),
    Column("language", String),
    Column("priority", Boolean, nullable=False),
    Column("asked_by", String),
    Column("overflowed_at", UtcDateTime),
    Column("connected_at", UtcDateTime, comment="when the caller first heard a person"),
    Column("agent", String, comment="the agent who was heard first"),
    Column("wait_s", Double, comment="the caller's clock, seconds (K2)"),
    Column("talk_s", Double, comment="seconds"),
    Column("callback_offered_at", UtcDateTime),
    Column("callback_promised_at", UtcDateTime),
    Column("callback_number", String, comment="personal data (P1)"),
    Column("ended_at", UtcDateTime, index=True),
    Column("ended_by", String),
    Column("stage", String, nullable=False),
    Column("result", String, nullable=False),
    Column("has_recording", Boolean, nullable=False),
    Column("recording_missing", Boolean, nullable=False, comment="answered and ended, but not recorded"),
    Index(None, "recording_missing", "ended_at"),
)

offers = Table(
    "offers",
    metadata,
    Column("call_id", String, ForeignKey("calls.call_id"), primary_key=True),
    Column("leg_id", String, primary_key=True),
    Column("agent", String, nullable=False),
    Column("rang_at", UtcDateTime, nullable=False),
    Column("answered_at", UtcDateTime),
    Column("connected_at", UtcDateTime),
    Column("ended_at", UtcDateTime),
    Column("ring_s", Double, comment="the agent's clock, seconds (K2r)"),
    Column("failure", String),
)
