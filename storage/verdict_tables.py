"""Tables of what the rules say."""

from __future__ import annotations

from sqlalchemy import JSON, Column, Double, Index, Integer, String, Table

from storage.tables import UtcDateTime, metadata

judged = Table(
    "judged",
    metadata,
    Column("call_id", String, primary_key=True),
    Column("rule_set", String, primary_key=True, comment="name@version"),
    Column("judged_at", UtcDateTime, nullable=False, index=True),
)

_WORDS = {"words_in_columns": {"evidence": [], "explanation": ""}}
"""Once the recording is deleted."""

verdicts = Table(
    "verdicts",
    metadata,
    Column("call_id", String, primary_key=True),
    Column("rule_set", String, primary_key=True, comment="name@version"),
    Column("rule", String, primary_key=True),
    Column("requirement", String, nullable=False),
    Column("outcome", String, nullable=False),
    Column("severity", String, nullable=False),
    Column("weight", Double, nullable=False),
    Column("confidence", Double, nullable=False),
    Column("evidence", JSON, nullable=False, comment="personal data (P1): leg, seconds, words"),
    Column("explanation", String, nullable=False),
    Column("judged_at", UtcDateTime, nullable=False),
    Column(
        "revision",
        Integer,
        nullable=False,
        server_default="1",
        comment="from 1: how often the rule came to say something else",
    ),
    Index(None, "rule_set", "rule", "outcome"),
    Index(None, "outcome", "severity", "judged_at"),
    info=_WORDS,
)

earlier_verdicts = Table(
    "earlier_verdicts",
    metadata,
    Column("call_id", String, primary_key=True),
    Column("rule_set", String, primary_key=True, comment="name@version"),
    Column("rule", String, primary_key=True),
    Column("revision", Integer, primary_key=True, autoincrement=False),
    Column("requirement", String, nullable=False),
    Column("outcome", String, nullable=False),
    Column("severity", String, nullable=False),
    Column("weight", Double, nullable=False),
    Column("confidence", Double, nullable=False),
    Column("evidence", JSON, nullable=False, comment="personal data (P1): leg, seconds, words"),
    Column("explanation", String, nullable=False, comment="JSON of reason and values; older ones: a sentence"),
    Column("judged_at", UtcDateTime, nullable=False),
    info=_WORDS,
)
