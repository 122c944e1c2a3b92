"""Surveys after the call and call-backs (Q2, A5)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    promised = sa.text("callback_promised_at IS NOT NULL")
    op.create_index(
        "ix_calls_promised", "calls", ["callback_promised_at"], sqlite_where=promised, postgresql_where=promised
    )
    _surveys()
    _links()
    _callbacks()
    _attempts()


def _surveys() -> None:
    op.create_table(
        "surveys",
        sa.Column("call_id", sa.String, nullable=False),
        sa.Column("arrived_at", _TIME, nullable=False, comment="when the call arrived"),
        sa.Column("trunk", sa.String, nullable=False),
        sa.Column("section", sa.String),
        sa.Column("agent", sa.String, comment="the agent who was heard first"),
        sa.Column("language", sa.String),
        sa.Column("design", sa.String, nullable=False, comment="name@version"),
        sa.Column("invitation", sa.String, nullable=False, comment="open, invited, spared, caller_left, missed"),
        sa.Column("invited_at", _TIME),
        sa.Column("began_at", _TIME, comment="the caller pressed a key"),
        sa.Column("rated_at", _TIME),
        sa.Column("level", sa.Integer, comment="1 is the best"),
        sa.Column("dissatisfied", sa.Boolean),
        sa.Column("reason_at", _TIME, comment="the caller began to say why"),
        sa.Column("points", sa.Double, comment="weighted (K6); none unless all dimensions were answered"),
        sa.Column("answers", sa.JSON, nullable=False, comment="dimension, level, points, weight of each"),
        sa.PrimaryKeyConstraint("call_id", name="pk_surveys"),
        sa.ForeignKeyConstraint(["call_id"], ["calls.call_id"], name="fk_surveys_call_id"),
    )
    op.create_index("ix_surveys_arrived_at", "surveys", ["arrived_at"])
    unhappy = sa.text("dissatisfied")
    op.create_index(
        "ix_surveys_dissatisfied", "surveys", ["rated_at"], sqlite_where=unhappy, postgresql_where=unhappy
    )


def _links() -> None:
    op.create_table(
        "survey_links",
        sa.Column(
            "token_hash", sa.String, nullable=False, comment="SHA-256; the token itself is only in the outbox"
        ),
        sa.Column("call_id", sa.String, nullable=False),
        sa.Column("design", sa.String, nullable=False),
        sa.Column("language", sa.String, nullable=False),
        sa.Column("made_at", _TIME, nullable=False),
        sa.Column("expires_at", _TIME, nullable=False),
        sa.Column("used_at", _TIME),
        sa.Column("token", sa.String, comment="until it is sent, or expired"),
        sa.Column(
            "number", sa.String, comment="personal data (P1): where to send it; until it is sent, or expired"
        ),
        sa.Column("sent_at", _TIME),
        sa.PrimaryKeyConstraint("token_hash", name="pk_survey_links"),
        sa.ForeignKeyConstraint(["call_id"], ["calls.call_id"], name="fk_survey_links_call_id"),
    )
    op.create_index("ix_survey_links_sent_at", "survey_links", ["sent_at"])
    op.create_index("ix_survey_links_call_id", "survey_links", ["call_id"], unique=True)


def _callbacks() -> None:
    op.create_table(
        "callbacks",
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("origin", sa.String, nullable=False, comment="promise, follow_up, dissatisfied"),
        sa.Column("about", sa.String, nullable=False, comment="the call or case that it follows"),
        sa.Column("call_id", sa.String, comment="the call that it follows"),
        sa.Column("case_id", sa.String, comment="the case that it follows"),
        sa.Column("telephone", sa.String, nullable=False, comment="personal data (P1)"),
        sa.Column("section", sa.String),
        sa.Column("language", sa.String, nullable=False),
        sa.Column("priority", sa.Boolean, nullable=False),
        sa.Column("place", _TIME, nullable=False, comment="place in line: since when the caller waits"),
        sa.Column("made_at", _TIME, nullable=False),
        sa.Column("due_at", _TIME, nullable=False, comment="until when it was promised"),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("since", _TIME, nullable=False, comment="of the state"),
        sa.Column("agent", sa.String, comment="who has it in hand, or reached the caller"),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False, comment="attempts in which the caller was called"),
        sa.Column("not_before", _TIME, nullable=False, comment="when it may be tried"),
        sa.Column("reached_at", _TIME),
        sa.Column("note", sa.String, nullable=False, comment="why it was given up"),
        sa.PrimaryKeyConstraint("number", name="pk_callbacks"),
    )
    op.create_index("ix_callbacks_state_since", "callbacks", ["state", "since"])
    op.create_index("ix_callbacks_origin_about", "callbacks", ["origin", "about"], unique=True)
    op.create_index("ix_callbacks_due_at", "callbacks", ["due_at"])
    op.create_index("ix_callbacks_telephone", "callbacks", ["telephone"])


def _attempts() -> None:
    op.create_table(
        "callback_attempts",
        sa.Column("callback", sa.Integer, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("agent", sa.String, nullable=False),
        sa.Column("instance", sa.String, nullable=False, comment="the Asterisk that dials"),
        sa.Column("began_at", _TIME, nullable=False, comment="written before anything is dialled"),
        sa.Column("agent_rang_at", _TIME),
        sa.Column("agent_answered_at", _TIME),
        sa.Column("dialled_at", _TIME),
        sa.Column("answered_at", _TIME),
        sa.Column("connected_at", _TIME, comment="when the caller heard a person"),
        sa.Column("ended_at", _TIME),
        sa.Column("said", sa.String, nullable=False, comment="Asterisk's own word for how the dialling came out"),
        sa.Column("has_recording", sa.Boolean, nullable=False),
        sa.Column("outcome", sa.String, comment="none while it goes on"),
        sa.PrimaryKeyConstraint("callback", "attempt", name="pk_callback_attempts"),
        sa.ForeignKeyConstraint(["callback"], ["callbacks.number"], name="fk_callback_attempts_callback"),
    )
    op.create_index("ix_callback_attempts_began_at", "callback_attempts", ["began_at"])
    op.create_table(
        "callback_steps",
        sa.Column(
            "position",
            sa.BigInteger().with_variant(sa.Integer, "sqlite"),
            nullable=False,
            comment="in order of writing",
        ),
        sa.Column("callback", sa.Integer, nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("state", sa.String, nullable=False, comment="that it went into"),
        sa.Column("actor", sa.String, nullable=False, comment="an agent's number, a login, or service"),
        sa.Column("why", sa.String, nullable=False),
        sa.PrimaryKeyConstraint("position", name="pk_callback_steps"),
        sa.ForeignKeyConstraint(["callback"], ["callbacks.number"], name="fk_callback_steps_callback"),
    )
    op.create_index("ix_callback_steps_callback", "callback_steps", ["callback"])


def downgrade() -> None:
    for table in ("callback_steps", "callback_attempts", "callbacks", "survey_links", "surveys"):
        op.drop_table(table)
    op.drop_index("ix_calls_promised", "calls")
