"""Full text over masked turns, and where audio is beeped over.

SQLite keeps an FTS5 index in step by triggers, so that whoever deletes turns need not know of it. PostgreSQL
needs its extension pg_trgm: since PostgreSQL 13 whoever owns the database may create it, if it is installed.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.exc import DBAPIError

from calls.errors import SettingsError

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)
_INDEXED = ("folded", "spaced")


def upgrade() -> None:
    op.create_table(
        "spoken_turns",
        sa.Column(
            "number",
            sa.BigInteger().with_variant(sa.Integer, "sqlite"),
            nullable=False,
            comment="the newest is highest",
        ),
        sa.Column("call_id", sa.String, nullable=False),
        sa.Column("leg", sa.String, nullable=False),
        sa.Column("start_s", sa.Double, nullable=False),
        sa.Column("end_s", sa.Double, nullable=False),
        sa.Column("confidence", sa.Double, nullable=False),
        sa.Column("text", sa.String, nullable=False, comment="masked, as it is shown"),
        sa.Column("folded", sa.String, nullable=False, comment="small letters, half width, simplified script"),
        sa.Column("spaced", sa.String, nullable=False, comment="folded, each letter a word of its own"),
        sa.Column("section", sa.String),
        sa.Column("agent", sa.String),
        sa.Column("arrived_at", _TIME, nullable=False, comment="when the call arrived"),
        sa.PrimaryKeyConstraint("number", name="pk_spoken_turns"),
    )
    for columns in (["call_id", "leg"], ["agent", "number"], ["section", "number"], ["arrived_at"]):
        op.create_index(f"ix_spoken_turns_{'_'.join(columns)}", "spoken_turns", columns)
    op.create_table(
        "masked_legs",
        sa.Column("call_id", sa.String, nullable=False),
        sa.Column("leg", sa.String, nullable=False),
        sa.Column("spans", sa.JSON, nullable=False, comment="[start, end] in seconds; none: nothing to beep over"),
        sa.Column("masked_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("call_id", "leg", name="pk_masked_legs"),
    )
    if op.get_bind().dialect.name == "postgresql":
        _index_of_postgresql()
    else:
        _index_of_sqlite()


def downgrade() -> None:
    if op.get_bind().dialect.name != "postgresql":
        op.execute("DROP TABLE spoken_turns_text")
    op.drop_table("masked_legs")
    op.drop_table("spoken_turns")


def _index_of_postgresql() -> None:
    try:
        with op.get_bind().begin_nested():
            op.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    except DBAPIError as error:
        raise SettingsError(
            "PostgreSQL did not let us create its extension pg_trgm, which the search needs: as its "
            "administrator run CREATE EXTENSION pg_trgm in this database (package postgresql-contrib)"
        ) from error
    for column in _INDEXED:
        op.create_index(
            f"spoken_turns_{column}",
            "spoken_turns",
            [column],
            postgresql_using="gin",
            postgresql_ops={column: "gin_trgm_ops"},
        )


def _index_of_sqlite() -> None:
    columns = ", ".join(_INDEXED)
    op.execute(
        f"CREATE VIRTUAL TABLE spoken_turns_text USING fts5({columns}, content='spoken_turns', "
        "content_rowid='number', tokenize='trigram', columnsize=0)"
    )
    add = f"INSERT INTO spoken_turns_text(rowid, {columns}) VALUES (new.number, new.folded, new.spaced);"  # noqa: S608
    remove = (
        f"INSERT INTO spoken_turns_text(spoken_turns_text, rowid, {columns}) "  # noqa: S608
        "VALUES ('delete', old.number, old.folded, old.spaced);"
    )
    for act, steps in (("INSERT", add), ("DELETE", remove), ("UPDATE", remove + add)):
        op.execute(f"CREATE TRIGGER spoken_turns_{act.lower()} AFTER {act} ON spoken_turns BEGIN {steps} END")
