"""Inquiries, work orders, complaints and their history (C1-C10)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    _complaints()
    _inquiries()
    _desk()


def downgrade() -> None:
    for table in (
        "case_catalogues",
        "case_notices",
        "case_drafts",
        "case_keys",
        "order_events",
        "work_orders",
        "inquiries",
        "case_links",
        "case_steps",
        "case_events",
        "cases",
        "case_series",
    ):
        op.drop_table(table)


def _complaints() -> None:
    op.create_table(
        "case_series",
        sa.Column("series", sa.String, nullable=False),
        sa.Column("year", sa.Integer, nullable=False),
        sa.Column("last", sa.Integer, nullable=False, comment="the last serial given out"),
        sa.PrimaryKeyConstraint("series", "year", name="pk_case_series"),
    )
    op.create_table(
        "cases",
        sa.Column("number", sa.String, nullable=False),
        sa.Column("version", sa.Integer, nullable=False, comment="lines of history"),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("round", sa.Integer, nullable=False, comment="how often it was worked (C5)"),
        sa.Column("channel", sa.String, nullable=False),
        sa.Column("arrived_at", _TIME, nullable=False),
        sa.Column("registered_at", _TIME, nullable=False),
        sa.Column("registered_late", sa.Boolean, nullable=False, comment="later than C2 allows"),
        sa.Column("name", sa.String, nullable=False, comment="personal data (P1)"),
        sa.Column("contact", sa.String, nullable=False, comment="personal data (P1)"),
        sa.Column("contact_key", sa.String, nullable=False, comment="personal data (P1), as it is compared"),
        sa.Column("place", sa.String, nullable=False),
        sa.Column("content", sa.String, nullable=False, comment="personal data (P1)"),
        sa.Column("section", sa.String, nullable=False),
        sa.Column("language", sa.String),
        sa.Column("type", sa.String, nullable=False),
        sa.Column("cause", sa.String),
        sa.Column("category", sa.String),
        sa.Column("urgency", sa.String, nullable=False),
        sa.Column("importance", sa.String, nullable=False),
        sa.Column("key_customer", sa.Boolean, nullable=False),
        sa.Column("rank", sa.Integer, nullable=False, comment="what goes first, 0 before all (C8)"),
        sa.Column(
            "turn", sa.String, nullable=False, comment="sorts as lists do: by rank, then by what is due first"
        ),
        sa.Column("owner", sa.String, nullable=False, comment="never nobody (C8)"),
        sa.Column("offered_to", sa.String),
        sa.Column("department", sa.String),
        sa.Column("result", sa.String, nullable=False),
        sa.Column("answer", sa.String, comment="the last answer of the complainant"),
        sa.Column("first_answer", sa.String, comment="the first answer of who was asked"),
        sa.Column("step", sa.String, comment="what it waits for; none: closed"),
        sa.Column("due_at", _TIME, comment="of that step"),
        sa.Column("warn_at", _TIME, comment="of that step"),
        sa.Column("due_known", sa.String, nullable=False, comment="due, no_limit, not_yet"),
        sa.Column("paused_until", _TIME),
        sa.Column("last_at", _TIME, nullable=False),
        sa.Column("closed_at", _TIME),
        sa.Column("folded", sa.String, nullable=False, comment="what is searched"),
        sa.PrimaryKeyConstraint("number", name="pk_cases"),
    )
    op.create_index("ix_cases_contact_key", "cases", ["contact_key"])
    op.create_index("ix_cases_department_state", "cases", ["department", "state"])
    op.create_index("ix_cases_owner_state", "cases", ["owner", "state"])
    op.create_index("ix_cases_registered_at", "cases", ["registered_at"])
    op.create_index("ix_cases_state_due_at", "cases", ["state", "due_at"])
    op.create_index("ix_cases_turn", "cases", ["turn"])
    op.create_table(
        "case_events",
        sa.Column("number", sa.String, nullable=False),
        sa.Column("seq", sa.Integer, autoincrement=False, nullable=False, comment="from 1, without gaps"),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("by", sa.String, nullable=False),
        sa.Column("why", sa.String, nullable=False),
        sa.Column("data", sa.JSON, nullable=False, comment="the fields that only this kind of event has"),
        sa.ForeignKeyConstraint(["number"], ["cases.number"], name="fk_case_events_number"),
        sa.PrimaryKeyConstraint("number", "seq", name="pk_case_events"),
    )
    op.create_table(
        "case_steps",
        sa.Column("number", sa.String, nullable=False),
        sa.Column("nth", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("step", sa.String, nullable=False),
        sa.Column("department", sa.String),
        sa.Column("began_at", _TIME, nullable=False),
        sa.Column("ended_at", _TIME),
        sa.Column("due_at", _TIME),
        sa.Column("warn_at", _TIME),
        sa.Column("due_known", sa.String, nullable=False),
        sa.Column("counted", sa.Boolean, nullable=False, comment="one of those that C4 sets a limit to (K7)"),
        sa.ForeignKeyConstraint(["number"], ["cases.number"], name="fk_case_steps_number"),
        sa.PrimaryKeyConstraint("number", "nth", name="pk_case_steps"),
    )
    op.create_index("ix_case_steps_ended_at_due_at", "case_steps", ["ended_at", "due_at"])
    op.create_table(
        "case_links",
        sa.Column("number", sa.String, nullable=False, comment="of a complaint, inquiry or work order"),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("ref", sa.String, nullable=False),
        sa.PrimaryKeyConstraint("number", "kind", "ref", name="pk_case_links"),
    )
    op.create_index("ix_case_links_kind_ref", "case_links", ["kind", "ref"])


def _inquiries() -> None:
    op.create_table(
        "inquiries",
        sa.Column("number", sa.String, nullable=False),
        sa.Column("asked_at", _TIME, nullable=False),
        sa.Column("filed_at", _TIME, nullable=False),
        sa.Column("counted_at", _TIME, nullable=False, comment="whose day it is counted in (K4)"),
        sa.Column("filed_by", sa.String, nullable=False),
        sa.Column("channel", sa.String, nullable=False),
        sa.Column("section", sa.String, nullable=False),
        sa.Column("agent", sa.String),
        sa.Column("language", sa.String),
        sa.Column("trunk", sa.String),
        sa.Column("category", sa.String, nullable=False),
        sa.Column("content", sa.String, nullable=False, comment="personal data (P1)"),
        sa.Column("answer", sa.String, nullable=False),
        sa.Column("name", sa.String, nullable=False, comment="personal data (P1)"),
        sa.Column("contact", sa.String, nullable=False, comment="personal data (P1)"),
        sa.Column("contact_key", sa.String, nullable=False, comment="personal data (P1), as it is compared"),
        sa.Column("call_id", sa.String),
        sa.Column("work_order", sa.String, comment="the work order that it became; none: answered at once"),
        sa.Column("folded", sa.String, nullable=False, comment="what is searched"),
        sa.PrimaryKeyConstraint("number", name="pk_inquiries"),
    )
    op.create_index("ix_inquiries_call_id", "inquiries", ["call_id"])
    op.create_index(
        "ix_inquiries_contact_key_category_asked_at", "inquiries", ["contact_key", "category", "asked_at"]
    )
    op.create_index("ix_inquiries_counted_at", "inquiries", ["counted_at"])
    op.create_index("ix_inquiries_filed_at", "inquiries", ["filed_at"])
    op.create_table(
        "work_orders",
        sa.Column("number", sa.String, nullable=False),
        sa.Column("version", sa.Integer, nullable=False, comment="lines of history"),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("section", sa.String, nullable=False),
        sa.Column("department", sa.String, nullable=False),
        sa.Column("category", sa.String, nullable=False),
        sa.Column("due_at", _TIME, nullable=False, comment="the promise made to the caller (A5)"),
        sa.Column(
            "turn", sa.String, nullable=False, comment="sorts as lists do: by rank, then by what is due first"
        ),
        sa.Column("answered_at", _TIME),
        sa.Column(
            "broken",
            sa.Boolean,
            nullable=False,
            comment="the first promise was over before a later one was agreed",
        ),
        sa.Column("contact_key", sa.String, nullable=False, comment="personal data (P1), as it is compared"),
        sa.Column("call_id", sa.String),
        sa.Column("origin", sa.String),
        sa.Column("folded", sa.String, nullable=False, comment="what is searched"),
        sa.PrimaryKeyConstraint("number", name="pk_work_orders"),
    )
    op.create_index("ix_work_orders_call_id", "work_orders", ["call_id"])
    op.create_index("ix_work_orders_contact_key", "work_orders", ["contact_key"])
    op.create_index("ix_work_orders_created_at", "work_orders", ["created_at"])
    op.create_index("ix_work_orders_department_state", "work_orders", ["department", "state"])
    op.create_index("ix_work_orders_state_due_at", "work_orders", ["state", "due_at"])
    op.create_index("ix_work_orders_turn", "work_orders", ["turn"])
    op.create_table(
        "order_events",
        sa.Column("number", sa.String, nullable=False),
        sa.Column("seq", sa.Integer, autoincrement=False, nullable=False, comment="from 1, without gaps"),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("by", sa.String, nullable=False),
        sa.Column("why", sa.String, nullable=False),
        sa.Column("data", sa.JSON, nullable=False, comment="the fields that only this kind of event has"),
        sa.ForeignKeyConstraint(["number"], ["work_orders.number"], name="fk_order_events_number"),
        sa.PrimaryKeyConstraint("number", "seq", name="pk_order_events"),
    )


def _desk() -> None:
    op.create_table(
        "case_keys",
        sa.Column("key", sa.String, nullable=False, comment="of a request that must not be carried out twice"),
        sa.Column("number", sa.String, nullable=False, comment="what came of it"),
        sa.Column("said", sa.String, nullable=False, comment="SHA-256 of what was asked"),
        sa.Column("at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_case_keys"),
    )
    op.create_table(
        "case_drafts",
        sa.Column("draft", sa.String, nullable=False),
        sa.Column("login", sa.String, nullable=False),
        sa.Column("form", sa.String, nullable=False, comment="which form"),
        sa.Column("call_id", sa.String),
        sa.Column("fields", sa.JSON, nullable=False, comment="personal data (P1): what was typed so far"),
        sa.Column("saved_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("draft", name="pk_case_drafts"),
    )
    op.create_index("ix_case_drafts_login_saved_at", "case_drafts", ["login", "saved_at"])
    op.create_table(
        "case_notices",
        sa.Column("number", sa.String, nullable=False, comment="of a complaint or a work order"),
        sa.Column("nth", sa.Integer, autoincrement=False, nullable=False, comment="which step; 0: the promise"),
        sa.Column(
            "level", sa.Integer, autoincrement=False, nullable=False, comment="0 a warning, then escalations"
        ),
        sa.Column("due_at", _TIME, nullable=False, comment="a step that is due later than it was warns again"),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("step", sa.String, nullable=False),
        sa.Column("role", sa.String, nullable=False, comment="who should see to it"),
        sa.Column("unit", sa.String, comment="in this section or department; none: in all"),
        sa.Column("login", sa.String, comment="or this person: the owner"),
        sa.Column("seen_at", _TIME),
        sa.Column("seen_by", sa.String),
        sa.PrimaryKeyConstraint("number", "nth", "level", "due_at", name="pk_case_notices"),
    )
    op.create_index("ix_case_notices_seen_at_at", "case_notices", ["seen_at", "at"])
    op.create_table(
        "case_catalogues",
        sa.Column("version", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("text", sa.String, nullable=False, comment="the file, as it was"),
        sa.Column("since", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("version", name="pk_case_catalogues"),
    )
