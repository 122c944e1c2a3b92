"""Roll-ups of the ledger, and how long each caller waited.

Nothing is rolled up yet: what is not in ``rollup_built`` is counted from the calls until the service has made it.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)
_SUMS = (
    *("arrived", "asked", "answered", "abandoned", "abandoned_short", "callbacks", "lost", "self_served"),
    *("overflowed", "transferred", "open_calls", "talking", "wait_us", "talk_us", "missing_recordings"),
    *("tests", "offers"),
    *(f"within_{limit}" for limit in (5, 9, 10, 11, 12, 15, 18, 20, 30)),
    *(f"kept_{limit}" for limit in (5, 9, 10, 11, 12, 15, 18, 20, 30)),
    *("within_own", "kept_own", "longest_wait_us"),
)


def upgrade() -> None:
    _add_waited()
    _create_roll_up("rollup_calls", "section", "language", "trunk")
    _create_roll_up("rollup_agents", "agent", "section", "language", "trunk")
    op.create_table(
        "rollup_built",
        sa.Column("grain", sa.String, nullable=False),
        sa.Column("start", _TIME, nullable=False),
        sa.Column("end", _TIME, nullable=False),
        sa.Column(
            "basis", sa.String, nullable=False, comment="time zone, A1's limit and definitions it was made under"
        ),
        sa.PrimaryKeyConstraint("grain", "start", name="pk_rollup_built"),
    )
    op.create_table(
        "rollup_marks",
        sa.Column("quarter", _TIME, nullable=False, comment="a quarter of an hour in which calls arrived"),
        sa.Column(
            "changes", sa.BigInteger, nullable=False, comment="times that these calls changed since rolled up"
        ),
        sa.PrimaryKeyConstraint("quarter", name="pk_rollup_marks"),
    )


def downgrade() -> None:
    for table in ("rollup_marks", "rollup_built", "rollup_agents", "rollup_calls"):
        op.drop_table(table)
    op.drop_column("calls", "waited_s")


def _create_roll_up(name: str, *dimensions: str) -> None:
    op.create_table(
        name,
        sa.Column("grain", sa.String, nullable=False),
        sa.Column("start", _TIME, nullable=False),
        *(sa.Column(dimension, sa.String, nullable=False, comment="empty: none") for dimension in dimensions),
        *(sa.Column(measure, sa.BigInteger, nullable=False) for measure in _SUMS),
        sa.PrimaryKeyConstraint("grain", "start", *dimensions, name=f"pk_{name}"),
    )


def _add_waited() -> None:
    """The column, filled for calls that are on the books already as ``calls.call.Call.waited_s`` says."""
    comment = "seconds from asking to a person, a promise or the end, whichever came"
    op.add_column("calls", sa.Column("waited_s", sa.Double, comment=comment))
    stop = "COALESCE(callback_promised_at, ended_at)"
    if op.get_bind().dialect.name == "postgresql":
        passed = f"GREATEST(0, EXTRACT(EPOCH FROM {stop} - asked_at))"
    else:  # text of fixed width: whole seconds, then microseconds
        microseconds = (
            f"(strftime('%s', substr({stop}, 1, 19)) - strftime('%s', substr(asked_at, 1, 19))) * 1000000"
            f" + substr({stop}, 21) - substr(asked_at, 21)"
        )
        passed = f"MAX(0, {microseconds}) / 1000000.0"
    op.execute("UPDATE calls SET waited_s = CASE WHEN wait_s > 0 THEN wait_s ELSE 0 END WHERE wait_s IS NOT NULL")
    calls = sa.table("calls", *map(sa.column, ("waited_s", "connected_at", "asked_at", "ended_at")))
    op.execute(
        calls.update()
        .where(calls.c.connected_at.is_(None), calls.c.asked_at.is_not(None), calls.c.ended_at.is_not(None))
        .values(waited_s=sa.literal_column(passed))
    )
