"""Tables: inquiries, work orders, complaints and their history (C1-C10).

``case_events`` and ``order_events`` are the truth, append-only. The other tables are read models, written from the
fold of a history in the same transaction, and can be made again from it at any time.
"""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Column, ForeignKey, Index, Integer, String, Table

from storage.tables import UtcDateTime, metadata

case_series = Table(
    "case_series",
    metadata,
    Column("series", String, primary_key=True),
    Column("year", Integer, primary_key=True),
    Column("last", Integer, nullable=False, comment="the last serial given out"),
)

cases = Table(
    "cases",
    metadata,
    Column("number", String, primary_key=True),
    Column("version", Integer, nullable=False, comment="lines of history"),
    Column("state", String, nullable=False),
    Column("round", Integer, nullable=False, comment="how often it was worked (C5)"),
    Column("channel", String, nullable=False),
    Column("arrived_at", UtcDateTime, nullable=False),
    Column("registered_at", UtcDateTime, nullable=False, index=True),
    Column("registered_late", Boolean, nullable=False, comment="later than C2 allows"),
    Column("name", String, nullable=False, comment="personal data (P1)"),
    Column("contact", String, nullable=False, comment="personal data (P1)"),
    Column("contact_key", String, nullable=False, index=True, comment="personal data (P1), as it is compared"),
    Column("place", String, nullable=False),
    Column("content", String, nullable=False, comment="personal data (P1)"),
    Column("section", String, nullable=False),
    Column("language", String),
    Column("type", String, nullable=False),
    Column("cause", String),
    Column("category", String),
    Column("urgency", String, nullable=False),
    Column("importance", String, nullable=False),
    Column("key_customer", Boolean, nullable=False),
    Column("rank", Integer, nullable=False, comment="what goes first, 0 before all (C8)"),
    Column(
        "turn",
        String,
        nullable=False,
        index=True,
        comment="sorts as lists do: by rank, then by what is due first",
    ),
    Column("owner", String, nullable=False, comment="never nobody (C8)"),
    Column("offered_to", String),
    Column("department", String),
    Column("result", String, nullable=False),
    Column("answer", String, comment="the last answer of the complainant"),
    Column("first_answer", String, comment="the first answer of who was asked"),
    Column("step", String, comment="what it waits for; none: closed"),
    Column("due_at", UtcDateTime, comment="of that step"),
    Column("warn_at", UtcDateTime, comment="of that step"),
    Column("due_known", String, nullable=False, comment="due, no_limit, not_yet"),
    Column("paused_until", UtcDateTime),
    Column("last_at", UtcDateTime, nullable=False),
    Column("closed_at", UtcDateTime),
    Column("folded", String, nullable=False, comment="what is searched"),
    Index(None, "state", "due_at"),
    Index(None, "owner", "state"),
    Index(None, "department", "state"),
)

case_events = Table(
    "case_events",
    metadata,
    Column("number", String, ForeignKey("cases.number"), primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False, comment="from 1, without gaps"),
    Column("kind", String, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("by", String, nullable=False),
    Column("why", String, nullable=False),
    Column("data", JSON, nullable=False, comment="the fields that only this kind of event has"),
)

case_steps = Table(
    "case_steps",
    metadata,
    Column("number", String, ForeignKey("cases.number"), primary_key=True),
    Column("nth", Integer, primary_key=True, autoincrement=False),
    Column("step", String, nullable=False),
    Column("department", String),
    Column("began_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    Column("due_at", UtcDateTime),
    Column("warn_at", UtcDateTime),
    Column("due_known", String, nullable=False),
    Column("counted", Boolean, nullable=False, comment="one of those that C4 sets a limit to (K7)"),
    Index(None, "ended_at", "due_at"),
)

case_links = Table(
    "case_links",
    metadata,
    Column("number", String, primary_key=True, comment="of a complaint, inquiry or work order"),
    Column("kind", String, primary_key=True),
    Column("ref", String, primary_key=True),
    Index(None, "kind", "ref"),
)

inquiries = Table(
    "inquiries",
    metadata,
    Column("number", String, primary_key=True),
    Column("asked_at", UtcDateTime, nullable=False),
    Column("filed_at", UtcDateTime, nullable=False, index=True),
    Column("counted_at", UtcDateTime, nullable=False, index=True, comment="whose day it is counted in (K4)"),
    Column("filed_by", String, nullable=False),
    Column("channel", String, nullable=False),
    Column("section", String, nullable=False),
    Column("agent", String),
    Column("language", String),
    Column("trunk", String),
    Column("category", String, nullable=False),
    Column("content", String, nullable=False, comment="personal data (P1)"),
    Column("answer", String, nullable=False),
    Column("name", String, nullable=False, comment="personal data (P1)"),
    Column("contact", String, nullable=False, comment="personal data (P1)"),
    Column("contact_key", String, nullable=False, comment="personal data (P1), as it is compared"),
    Column("call_id", String, index=True),
    Column("work_order", String, comment="the work order that it became; none: answered at once"),
    Column("folded", String, nullable=False, comment="what is searched"),
    Index(None, "contact_key", "category", "asked_at"),
)

work_orders = Table(
    "work_orders",
    metadata,
    Column("number", String, primary_key=True),
    Column("version", Integer, nullable=False, comment="lines of history"),
    Column("state", String, nullable=False),
    Column("created_at", UtcDateTime, nullable=False, index=True),
    Column("section", String, nullable=False),
    Column("department", String, nullable=False),
    Column("category", String, nullable=False),
    Column("due_at", UtcDateTime, nullable=False, comment="the promise made to the caller (A5)"),
    Column(
        "turn",
        String,
        nullable=False,
        index=True,
        comment="sorts as lists do: by rank, then by what is due first",
    ),
    Column("answered_at", UtcDateTime),
    Column("broken", Boolean, nullable=False, comment="the first promise was over before a later one was agreed"),
    Column("contact_key", String, nullable=False, index=True, comment="personal data (P1), as it is compared"),
    Column("call_id", String, index=True),
    Column("origin", String),
    Column("folded", String, nullable=False, comment="what is searched"),
    Index(None, "state", "due_at"),
    Index(None, "department", "state"),
)

order_events = Table(
    "order_events",
    metadata,
    Column("number", String, ForeignKey("work_orders.number"), primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False, comment="from 1, without gaps"),
    Column("kind", String, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("by", String, nullable=False),
    Column("why", String, nullable=False),
    Column("data", JSON, nullable=False, comment="the fields that only this kind of event has"),
)

case_keys = Table(
    "case_keys",
    metadata,
    Column("key", String, primary_key=True, comment="of a request that must not be carried out twice"),
    Column("number", String, nullable=False, comment="what came of it"),
    Column("said", String, nullable=False, comment="SHA-256 of what was asked"),
    Column("at", UtcDateTime, nullable=False),
)

case_drafts = Table(
    "case_drafts",
    metadata,
    Column("draft", String, primary_key=True),
    Column("login", String, nullable=False),
    Column("form", String, nullable=False, comment="which form"),
    Column("call_id", String),
    Column("fields", JSON, nullable=False, comment="personal data (P1): what was typed so far"),
    Column("saved_at", UtcDateTime, nullable=False),
    Index(None, "login", "saved_at"),
)

case_notices = Table(
    "case_notices",
    metadata,
    Column("number", String, primary_key=True, comment="of a complaint or a work order"),
    Column("nth", Integer, primary_key=True, autoincrement=False, comment="which step; 0: the promise"),
    Column("level", Integer, primary_key=True, autoincrement=False, comment="0 a warning, then escalations"),
    Column("due_at", UtcDateTime, primary_key=True, comment="a step that is due later than it was warns again"),
    Column("at", UtcDateTime, nullable=False),
    Column("step", String, nullable=False),
    Column("role", String, nullable=False, comment="who should see to it"),
    Column("unit", String, comment="in this section or department; none: in all"),
    Column("login", String, comment="or this person: the owner"),
    Column("seen_at", UtcDateTime),
    Column("seen_by", String),
    Index(None, "seen_at", "at"),
)

case_catalogues = Table(
    "case_catalogues",
    metadata,
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("text", String, nullable=False, comment="the file, as it was"),
    Column("since", UtcDateTime, nullable=False),
)
