"""How often rules are overruled, counted as revisions are handed in: a page cannot count a million rulings.

A tally holds the rulings of revisions that stand, so a revision takes those of the one before it back.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from calls.quality import Revision, Score
from storage.quality_tables import ruling_tallies, rulings

_Key = tuple[date, str, str, str]
"""Day, rule set, rule, what the rule said."""


async def count_rulings(connection: AsyncConnection, seen: Score, revision: Revision) -> None:
    """Count a revision's rulings in the transaction that stores it, and no longer those of the one it replaces."""
    looked_at, overruled = Counter[_Key](), Counter[_Key]()
    before = select(rulings).where(rulings.c.score_id == seen.score_id, rulings.c.revision == seen.revision)
    for row in await connection.execute(before):
        key = (row.at.astimezone(UTC).date(), row.rule_set, row.rule, row.outcome)
        looked_at[key] -= 1
        overruled[key] -= row.overruled
    for ruling in revision.sheet.rulings:
        key = (revision.at.astimezone(UTC).date(), str(ruling.rule_set), ruling.rule, ruling.outcome.value)
        looked_at[key] += 1
        overruled[key] += ruling.overruled
    # In one order, so that two who hand in at once wait for each other instead of both.
    for key in sorted(looked_at):
        if looked_at[key] or overruled[key]:
            await connection.execute(_adding(connection, key, seen, looked_at[key], overruled[key]))


def _adding(connection: AsyncConnection, key: _Key, seen: Score, looked_at: int, overruled: int) -> Any:
    day, rule_set, rule, outcome = key
    put = (postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert)(ruling_tallies).values(
        day=day,
        rule_set=rule_set,
        rule=rule,
        outcome=outcome,
        section=seen.section or "",
        looked_at=looked_at,
        overruled=overruled,
    )
    return put.on_conflict_do_update(
        index_elements=list(ruling_tallies.primary_key),
        set_={
            "looked_at": ruling_tallies.c.looked_at + put.excluded.looked_at,
            "overruled": ruling_tallies.c.overruled + put.excluded.overruled,
        },
    )
