"""Tables: surveys after the call and call-backs (Q2, A5).

``surveys`` is a read model like ``calls``, written from the fold of a call's events in the same transaction. A
call-back and its attempts are records of their own: no calls that arrived, and no figure of those sees them.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    text,
)

from storage.tables import UtcDateTime, metadata

surveys = Table(
    "surveys",
    metadata,
    Column("call_id", String, ForeignKey("calls.call_id"), primary_key=True),
    Column("arrived_at", UtcDateTime, nullable=False, index=True, comment="when the call arrived"),
    Column("trunk", String, nullable=False),
    Column("section", String),
    Column("agent", String, comment="the agent who was heard first"),
    Column("language", String),
    Column("design", String, nullable=False, comment="name@version"),
    Column("invitation", String, nullable=False, comment="open, invited, spared, caller_left, missed"),
    Column("invited_at", UtcDateTime),
    Column("began_at", UtcDateTime, comment="the caller pressed a key"),
    Column("rated_at", UtcDateTime),
    Column("level", Integer, comment="1 is the best"),
    Column("dissatisfied", Boolean),
    Column("reason_at", UtcDateTime, comment="the caller began to say why"),
    Column("points", Double, comment="weighted (K6); none unless all dimensions were answered"),
    Column("answers", JSON, nullable=False, comment="dimension, level, points, weight of each"),
    Index(
        "ix_surveys_dissatisfied",
        "rated_at",
        sqlite_where=text("dissatisfied"),
        postgresql_where=text("dissatisfied"),
    ),
)

survey_links = Table(
    "survey_links",
    metadata,
    Column("token_hash", String, primary_key=True, comment="SHA-256; the token itself is only in the outbox"),
    Column("call_id", String, ForeignKey("calls.call_id"), nullable=False),
    Column("design", String, nullable=False),
    Column("language", String, nullable=False),
    Column("made_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("used_at", UtcDateTime),
    Column("token", String, comment="until it is sent, or expired"),
    Column("number", String, comment="personal data (P1): where to send it; until it is sent, or expired"),
    Column("sent_at", UtcDateTime, index=True),
    Index(None, "call_id", unique=True),
)

callbacks = Table(
    "callbacks",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("origin", String, nullable=False, comment="promise, follow_up, dissatisfied"),
    Column("about", String, nullable=False, comment="the call or case that it follows"),
    Column("call_id", String, comment="the call that it follows"),
    Column("case_id", String, comment="the case that it follows"),
    Column("telephone", String, nullable=False, comment="personal data (P1)"),
    Column("section", String),
    Column("language", String, nullable=False),
    Column("priority", Boolean, nullable=False),
    Column("place", UtcDateTime, nullable=False, comment="place in line: since when the caller waits"),
    Column("made_at", UtcDateTime, nullable=False),
    Column("due_at", UtcDateTime, nullable=False, comment="until when it was promised"),
    Column("state", String, nullable=False),
    Column("since", UtcDateTime, nullable=False, comment="of the state"),
    Column("agent", String, comment="who has it in hand, or reached the caller"),
    Column("attempts", Integer, nullable=False),
    Column("tries", Integer, nullable=False, comment="attempts in which the caller was called"),
    Column("not_before", UtcDateTime, nullable=False, comment="when it may be tried"),
    Column("reached_at", UtcDateTime),
    Column("note", String, nullable=False, comment="why it was given up"),
    Index(None, "origin", "about", unique=True),
    Index(None, "state", "since"),
    Index(None, "due_at"),
    Index(None, "telephone"),
)

callback_attempts = Table(
    "callback_attempts",
    metadata,
    Column("callback", Integer, ForeignKey("callbacks.number"), primary_key=True),
    Column("attempt", Integer, primary_key=True),
    Column("agent", String, nullable=False),
    Column("instance", String, nullable=False, comment="the Asterisk that dials"),
    Column("began_at", UtcDateTime, nullable=False, comment="written before anything is dialled"),
    Column("agent_rang_at", UtcDateTime),
    Column("agent_answered_at", UtcDateTime),
    Column("dialled_at", UtcDateTime),
    Column("answered_at", UtcDateTime),
    Column("connected_at", UtcDateTime, comment="when the caller heard a person"),
    Column("ended_at", UtcDateTime),
    Column("said", String, nullable=False, comment="Asterisk's own word for how the dialling came out"),
    Column("has_recording", Boolean, nullable=False),
    Column("outcome", String, comment="none while it goes on"),
    Index(None, "began_at"),
)

callback_steps = Table(
    "callback_steps",
    metadata,
    Column(
        "position", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, comment="in order of writing"
    ),
    Column("callback", Integer, ForeignKey("callbacks.number"), nullable=False, index=True),
    Column("at", UtcDateTime, nullable=False),
    Column("state", String, nullable=False, comment="that it went into"),
    Column("actor", String, nullable=False, comment="an agent's number, a login, or service"),
    Column("why", String, nullable=False),
)
