"""Tables of transcripts and of the work owed on them."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Column, Double, Index, Integer, String, Table

from storage.tables import UtcDateTime, metadata

transcription_work = Table(
    "transcription_work",
    metadata,
    Column("call_id", String, primary_key=True),
    Column("leg", String, primary_key=True),
    Column("state", String, nullable=False, comment="owed, started, done, failed, quarantined"),
    Column("owed_at", UtcDateTime, nullable=False),
    Column("sent_at", UtcDateTime, comment="when workers were last told of it"),
    Column("attempts", Integer, nullable=False),
    Column("deaths", Integer, nullable=False, comment="of workers, while they were at it"),
    Column("worker", String, comment="who is at it"),
    Column("error", String, comment="why not, for people"),
    Index(None, "state", "owed_at"),
)

workers = Table(
    "transcription_workers",
    metadata,
    Column("worker", String, primary_key=True),
    Column("beat", BigInteger, nullable=False, comment="goes up for as long as the worker lives"),
)

transcripts = Table(
    "transcripts",
    metadata,
    Column("call_id", String, primary_key=True),
    Column("leg", String, primary_key=True),
    Column("language", String, nullable=False),
    Column("engine", String, nullable=False),
    Column("model", String, nullable=False),
    Column("duration_s", Double, nullable=False),
    Column("bandwidth", String, nullable=False),
    Column("voice", JSON, nullable=False, comment="pairs of seconds"),
    Column("announced", JSON(none_as_null=True), comment="pair of seconds: where we say the agent's number"),
    Column("words", JSON, nullable=False, comment="personal data (P1): text, start, end, confidence of each"),
    info={"words_of_calls": True},  # deleted with the recording
)
