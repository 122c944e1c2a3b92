"""The web form's limits, and what a receipt's owner may learn of its progress (C1)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncEngine

from calls.cases import CaseNumber, Series, State, parse_number
from calls.inquiries import OrderState
from storage.case_tables import case_keys, cases, order_events, work_orders
from storage.engine import for_writing
from storage.faults import translated
from storage.intake_tables import intake_counts


class SqlIntakeCounts:
    """How often something was done in a window of time. Raises StorageUnavailable or StorageRefused.

    Kept in the database: a restart, or a second process, forgives nobody. Only hashes are kept (P1).
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._writer = for_writing(engine)
        self._insert = postgresql.insert if engine.dialect.name == "postgresql" else sqlite.insert

    async def tick(self, what: str, who: str, now: datetime, window: timedelta) -> int:
        """Once more; how often it is in this window, this time included. Many at once are all counted."""
        key, ends_at = _key(what, who), _end(now, window)
        more = self._insert(intake_counts).values(key=key, ends_at=ends_at, n=1)
        counted = more.on_conflict_do_update(
            index_elements=[intake_counts.c.key, intake_counts.c.ends_at], set_={"n": intake_counts.c.n + 1}
        ).returning(intake_counts.c.n)
        with translated():
            async with self._writer.begin() as connection:
                await connection.execute(delete(intake_counts).where(intake_counts.c.ends_at <= now))
                return int(await connection.scalar(counted) or 0)

    async def take_back(self, what: str, who: str, now: datetime, window: timedelta) -> None:
        """Once less in this window: what was counted turned out not to be such a thing."""
        mine = (intake_counts.c.key == _key(what, who), intake_counts.c.ends_at == _end(now, window))
        less = update(intake_counts).where(*mine, intake_counts.c.n > 0).values(n=intake_counts.c.n - 1)
        with translated():
            async with self._writer.begin() as connection:
                await connection.execute(less)

    async def count(self, what: str, who: str, now: datetime, window: timedelta) -> int:
        """How often it was in this window."""
        mine = select(intake_counts.c.n).where(
            intake_counts.c.key == _key(what, who), intake_counts.c.ends_at == _end(now, window)
        )
        with translated():
            async with self._engine.connect() as connection:
                return int(await connection.scalar(mine) or 0)


def _key(what: str, who: str) -> str:
    return hashlib.sha256(f"{what} {who}".encode()).hexdigest()


def _end(now: datetime, window: timedelta) -> datetime:
    """The end of the window that a moment lies in; windows begin at fixed times."""
    length = int(window.total_seconds())
    return datetime.fromtimestamp((int(now.timestamp()) // length + 1) * length, UTC)


@dataclass(frozen=True, slots=True)
class Receipt:
    """Where a matter stands, and whose it is."""

    number: CaseNumber
    contact_key: str
    """Personal data (P1): only compared."""
    state: State | OrderState
    received_at: datetime
    last_at: datetime


class SqlReceipts:
    """Looks one up. Raises StorageUnavailable."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def of_key(self, key: str) -> CaseNumber | None:
        """What was registered under a key."""
        wanted = select(case_keys.c.number).where(case_keys.c.key == key)
        with translated():
            async with self._engine.connect() as connection:
                number = await connection.scalar(wanted)
        return CaseNumber(number) if number else None

    async def find(self, number: CaseNumber) -> Receipt | None:
        """A complaint or a work order; one question to the database, whether there is such a one or not."""
        parts = parse_number(number)
        if parts is not None and parts[0] is Series.WORK_ORDER:
            last = select(func.max(order_events.c.at)).where(order_events.c.number == number).scalar_subquery()
            wanted = select(
                work_orders.c.contact_key,
                work_orders.c.state,
                work_orders.c.created_at.label("received_at"),
                last.label("last_at"),
            ).where(work_orders.c.number == number)
        else:
            wanted = select(
                cases.c.contact_key, cases.c.state, cases.c.arrived_at.label("received_at"), cases.c.last_at
            ).where(cases.c.number == number)
        with translated():
            async with self._engine.connect() as connection:
                row = (await connection.execute(wanted)).one_or_none()
        if row is None:
            return None
        state = OrderState(row.state) if parts and parts[0] is Series.WORK_ORDER else State(row.state)
        return Receipt(number, row.contact_key, state, row.received_at, row.last_at or row.received_at)
