"""The ledger's tables.

``events`` is the truth: every fact once. ``calls`` and ``offers`` are the read model, written from the fold
of a call's events and from nothing else, so that figures are one plain query (K1, K2, K2r).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Dialect,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    TypeDecorator,
    literal_column,
    or_,
    text,
)

from calls.measures import LIMITS_S


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
    Column("source", String, nullable=False, server_default="file", comment="the witness that is believed"),
)
Index(
    "ix_events_unconfirmed",
    events.c.at,
    sqlite_where=events.c.source == "ami",
    postgresql_where=events.c.source == "ami",
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
    Column("waited_s", Double, comment="seconds from asking to a person, a promise or the end, whichever came"),
    Column("talk_s", Double, comment="seconds"),
    Column("wrap_up_s", Double, comment="work after the talk, of all agents heard, seconds; null: not known"),
    Column("callback_offered_at", UtcDateTime),
    Column("callback_promised_at", UtcDateTime),
    Column("callback_number", String, comment="personal data (P1)"),
    Column("transferred_at", UtcDateTime, comment="when an agent first handed the caller on"),
    Column("ended_at", UtcDateTime, index=True),
    Column("ended_by", String),
    Column("stage", String, nullable=False),
    Column("result", String, nullable=False),
    Column("has_recording", Boolean, nullable=False),
    Column("recording_missing", Boolean, nullable=False, comment="answered and ended, but not recorded"),
    Index(None, "recording_missing", "ended_at"),
    # For lists, which run from the newest call to the oldest.
    *(Index(None, by, "arrived_at") for by in ("agent", "section", "result", "caller")),
    Index(
        "ix_calls_unrecorded",
        "arrived_at",
        sqlite_where=text("recording_missing"),
        postgresql_where=text("recording_missing"),
    ),
    Index(
        "ix_calls_promised",
        "callback_promised_at",
        sqlite_where=text("callback_promised_at IS NOT NULL"),
        postgresql_where=text("callback_promised_at IS NOT NULL"),
    ),
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
    Column("wrapped_up_at", UtcDateTime, comment="when the work after the talk was over"),
    Index(None, "agent", "connected_at"),
)

LEFT_FROM_S = 10.0
"""Offers that were answered sooner are in no index of those that were left ringing."""
PERHAPS_LEFT = or_(
    offers.c.answered_at.is_(None),
    offers.c.ring_s.is_(None),
    offers.c.ring_s > literal_column(f"{LEFT_FROM_S}"),
)
"""Said in the same words where offers are looked for, so that the index serves."""
Index("ix_offers_left", offers.c.rang_at, sqlite_where=PERHAPS_LEFT, postgresql_where=PERHAPS_LEFT)

presence = Table(
    "presence",
    metadata,
    Column("key", String, primary_key=True),
    Column("at", UtcDateTime, nullable=False, index=True),
    Column("position", BigInteger, nullable=False, comment="order within one second"),
    Column("agent", String, nullable=False),
    Column("queue", String, nullable=False),
    Column("step", String, nullable=False),
    Column("reason", String, nullable=False),
    Index(None, "agent", "queue", "at"),
)

wrap_up_times = Table(
    "wrap_up_times",
    metadata,
    Column("instance", String, primary_key=True, comment="the Asterisk whose queues these are"),
    Column("since", UtcDateTime, primary_key=True),
    Column("seconds", Double, nullable=False, comment="what queues give agents after each call from then on"),
)

repairs = Table(
    "repairs",
    metadata,
    Column("key", String, primary_key=True, comment="of the event"),
    Column("call_id", String, nullable=False),
    Column("at", UtcDateTime, nullable=False, index=True),
    Column("what", String, nullable=False),
    Column("source", String, nullable=False, comment="the witness that told it instead of the event log"),
)

discrepancies = Table(
    "discrepancies",
    metadata,
    Column("key", String, primary_key=True),
    Column("kind", String, nullable=False),
    Column("call_id", String),
    Column("event_key", String, comment="the event whose arrival would settle it"),
    Column("seen_at", UtcDateTime, nullable=False, index=True),
    Column("detail", String, nullable=False),
    Column("settled_at", UtcDateTime, index=True),
)

SUMS: tuple[str, ...] = (
    *("arrived", "asked", "answered", "abandoned", "abandoned_short", "callbacks", "lost", "self_served"),
    *("overflowed", "transferred", "open_calls", "talking", "wait_us", "talk_us", "missing_recordings"),
    *("wrapped", "handled_us", "tests", "offers"),
    *(f"within_{limit:g}" for limit in LIMITS_S),
    *(f"kept_{limit:g}" for limit in LIMITS_S),
    *("within_own", "kept_own"),
)
"""Columns of roll-ups that are sums (``calls.measures.Measures``); ``_own`` is A1's limit, as it is set."""

MAXIMA: tuple[str, ...] = ("longest_wait_us",)


def _roll_up(name: str, *dimensions: str) -> Table:
    return Table(
        name,
        metadata,
        Column("grain", String, primary_key=True),
        Column("start", UtcDateTime, primary_key=True),
        *(Column(dimension, String, primary_key=True, comment="empty: none") for dimension in dimensions),
        *(Column(measure, BigInteger, nullable=False) for measure in (*SUMS, *MAXIMA)),
    )


rollup_calls = _roll_up("rollup_calls", "section", "language", "trunk")
rollup_agents = _roll_up("rollup_agents", "agent", "section", "language", "trunk")

rollup_built = Table(
    "rollup_built",
    metadata,
    Column("grain", String, primary_key=True),
    Column("start", UtcDateTime, primary_key=True),
    Column("end", UtcDateTime, nullable=False),
    Column("basis", String, nullable=False, comment="time zone, A1's limit and definitions it was made under"),
)

rollup_marks = Table(
    "rollup_marks",
    metadata,
    Column("quarter", UtcDateTime, primary_key=True, comment="a quarter of an hour in which calls arrived"),
    Column("changes", BigInteger, nullable=False, comment="times that these calls changed since rolled up"),
)

outages = Table(
    "outages",
    metadata,
    Column("component", String, primary_key=True),
    Column("began_at", UtcDateTime, primary_key=True),
    Column("ended_at", UtcDateTime, index=True),
    Column("reason", String, nullable=False),
    Index(
        "ix_outages_open",
        "component",
        unique=True,
        sqlite_where=text("ended_at IS NULL"),
        postgresql_where=text("ended_at IS NULL"),
    ),
    CheckConstraint("ended_at >= began_at", name="ck_outages_forward"),
)

maintenance = Table(
    "maintenance",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("starts_at", UtcDateTime, nullable=False, index=True),
    Column("ends_at", UtcDateTime, nullable=False, comment="cut short if taken back while it lasted"),
    Column("components", String, nullable=False, comment="names, separated by spaces"),
    Column("reason", String, nullable=False),
    CheckConstraint("ends_at >= starts_at", name="ck_maintenance_forward"),
)

watched = Table(
    "watched",
    metadata,
    Column("since", UtcDateTime, primary_key=True, comment="when somebody first looked whether things work"),
)
