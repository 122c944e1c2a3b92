"""Tables of full text: the masked turns of all conversations, and where audio is beeped over (P3).

The indexes over ``folded`` and ``spaced`` are the databases' own kinds (SQLite: a virtual table of FTS5,
PostgreSQL: GIN of pg_trgm) and are made by the migration alone; their names begin with ``spoken_turns_``.
"""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Column, Double, Index, Integer, String, Table

from storage.tables import UtcDateTime, metadata

_INDEX_PREFIX = "spoken_turns_"


def is_compared(name: str | None, _kind: str, _parents: object) -> bool:
    """Whether a table or index of the database is declared here (Alembic's ``include_name``).

    Not what only makes searching fast, which each database has in its own form.
    """
    return not (name or "").startswith(_INDEX_PREFIX)


spoken_turns = Table(
    "spoken_turns",
    metadata,
    Column(
        "number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, comment="the newest is highest"
    ),
    Column("call_id", String, nullable=False),
    Column("leg", String, nullable=False),
    Column("start_s", Double, nullable=False),
    Column("end_s", Double, nullable=False),
    Column("confidence", Double, nullable=False),
    Column("text", String, nullable=False, comment="masked, as it is shown"),
    Column("folded", String, nullable=False, comment="small letters, half width, simplified script"),
    Column("spaced", String, nullable=False, comment="folded, each letter a word of its own"),
    Column("section", String),
    Column("agent", String),
    Column("arrived_at", UtcDateTime, nullable=False, comment="when the call arrived"),
    Index(None, "call_id", "leg"),
    Index(None, "agent", "number"),
    Index(None, "section", "number"),
    Index(None, "arrived_at"),
    info={"words_of_calls": True},
)

masked_legs = Table(
    "masked_legs",
    metadata,
    Column("call_id", String, primary_key=True),
    Column("leg", String, primary_key=True),
    Column("spans", JSON, nullable=False, comment="[start, end] in seconds; none: nothing to beep over"),
    Column("masked_at", UtcDateTime, nullable=False),
    info={"words_of_calls": True},
)
