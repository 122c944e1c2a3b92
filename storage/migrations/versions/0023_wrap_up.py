"""The work after a talk: of each talk, of each call, and what queues give agents for it.

Of calls that are on the books already it is not known and stays so. Roll-ups are made anew by the service: figures
are counted from the calls until then.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)
_LIMITS = (5, 9, 10, 11, 12, 15, 18, 20, 30)
_BEFORE = (
    *("arrived", "asked", "answered", "abandoned", "abandoned_short", "callbacks", "lost", "self_served"),
    *("overflowed", "transferred", "open_calls", "talking", "wait_us", "talk_us", "missing_recordings"),
    *("tests", "offers"),
    *(f"within_{limit}" for limit in _LIMITS),
    *(f"kept_{limit}" for limit in _LIMITS),
    *("within_own", "kept_own", "longest_wait_us"),
)


def upgrade() -> None:
    op.create_table(
        "wrap_up_times",
        sa.Column("instance", sa.String, nullable=False, comment="the Asterisk whose queues these are"),
        sa.Column("since", _TIME, nullable=False),
        sa.Column(
            "seconds", sa.Double, nullable=False, comment="what queues give agents after each call from then on"
        ),
        sa.PrimaryKeyConstraint("instance", "since", name="pk_wrap_up_times"),
    )
    comment = "work after the talk, of all agents heard, seconds; null: not known"
    op.add_column("calls", sa.Column("wrap_up_s", sa.Double, comment=comment))
    comment = "when the work after the talk was over"
    op.add_column("offers", sa.Column("wrapped_up_at", _TIME, comment=comment))
    _new_roll_ups((*_BEFORE, "wrapped", "handled_us"))


def downgrade() -> None:
    op.execute("DELETE FROM events WHERE kind = 'wrapped_up'")  # the version before knows no such kind
    _new_roll_ups(_BEFORE)
    op.drop_column("offers", "wrapped_up_at")
    op.drop_column("calls", "wrap_up_s")
    op.drop_table("wrap_up_times")


def _new_roll_ups(sums: tuple[str, ...]) -> None:
    """Empty: what is not in ``rollup_built`` is counted from the calls."""
    op.execute("DELETE FROM rollup_built")
    for name, own in (("rollup_calls", ()), ("rollup_agents", ("agent",))):
        keys = (*own, "section", "language", "trunk")
        op.drop_table(name)
        op.create_table(
            name,
            sa.Column("grain", sa.String, nullable=False),
            sa.Column("start", _TIME, nullable=False),
            *(sa.Column(key, sa.String, nullable=False, comment="empty: none") for key in keys),
            *(sa.Column(measure, sa.BigInteger, nullable=False) for measure in sums),
            sa.PrimaryKeyConstraint("grain", "start", *keys, name=f"pk_{name}"),
        )
