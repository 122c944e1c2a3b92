"""News of cases for other systems, and how far each receiver has been told (I3).

``put`` runs inside the transaction that writes the line of history itself: what is in the ledger is in the news,
and the other way round, at whatever instant the service is killed. Ids come to be seen in their order (PostgreSQL
hands them out before it commits, so writers take turns there): who has read up to 7 has missed nothing below.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, and_, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from calls.case import Case
from calls.cases import CaseNumber
from calls.inquiries import Inquiry, WorkOrder
from calls.outbox import Delivery, DeliveryState, News
from storage.engine import for_writing
from storage.faults import translated
from storage.intake_tables import news, webhook_cursors, webhook_deliveries
from storage.ledger import upsert

_LOCK = 7_366_016
"""PostgreSQL's advisory lock of who writes news."""
_AT_ONCE = 500


async def put(connection: AsyncConnection, matter: Case | WorkOrder | Inquiry, kind: str, at: datetime) -> None:
    """Tell of the line that made a matter what it is now. Only news comes behind it in its transaction."""
    if connection.dialect.name == "postgresql":
        await connection.execute(text("SELECT pg_advisory_xact_lock(:n)"), {"n": _LOCK})
    await connection.execute(
        insert(news).values(
            number=matter.number,
            version=_version(matter),
            kind=kind,
            state=_state(matter),
            section=matter.section,
            channel="" if isinstance(matter, WorkOrder) else matter.channel.value,
            at=at,
        )
    )


def _version(matter: Case | WorkOrder | Inquiry) -> int:
    """An inquiry has no history: it is filed, and may be dispatched later."""
    return matter.version if not isinstance(matter, Inquiry) else 1 + (matter.work_order is not None)


def _state(matter: Case | WorkOrder | Inquiry) -> str:
    if isinstance(matter, Inquiry):
        return "dispatched" if matter.work_order else "answered"
    return matter.state.value


class SqlOutbox:
    """News and deliveries. Raises StorageUnavailable or StorageRefused."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._writer = for_writing(engine)

    async def after(self, last: int, limit: int, sections: Sequence[str] | None = None) -> list[News]:
        """What came after the news with this id, in order; of these sections only, if any are given."""
        wanted = select(news).where(news.c.id > last).order_by(news.c.id).limit(limit)
        if sections is not None:
            wanted = wanted.where(news.c.section.in_(sections))
        return [_news(row) for row in await self._rows(wanted)]

    async def enrol(self, hook: str, now: datetime) -> int:
        """Make deliveries to this receiver of what is new; how many. A new one begins with what comes next."""
        with translated():
            async with self._writer.begin() as connection:
                mine = select(webhook_cursors.c.last).where(webhook_cursors.c.hook == hook).with_for_update()
                last = await connection.scalar(mine)
                if last is None:
                    newest = await connection.scalar(select(news.c.id).order_by(news.c.id.desc()).limit(1))
                    begins = upsert(webhook_cursors, connection.dialect.name)
                    await connection.execute(begins.values(hook=hook, last=newest or 0))
                    return 0
                wanted = select(news).where(news.c.id > last).order_by(news.c.id).limit(_AT_ONCE)
                found = (await connection.execute(wanted)).all()
                if not found:
                    return 0
                rows = [
                    {"hook": hook, "news": row.id, "number": row.number, "state": DeliveryState.WAITING.value}
                    | {"attempts": 0, "due_at": now, "error": ""}
                    for row in found
                ]
                await connection.execute(insert(webhook_deliveries), rows)
                moved = update(webhook_cursors).where(webhook_cursors.c.hook == hook)
                await connection.execute(moved.values(last=found[-1].id))
                return len(found)

    async def due(self, hook: str, now: datetime, limit: int) -> list[Delivery]:
        """What is to be sent now, the oldest first; of each case only its oldest: its news stay in order."""
        d, earlier = webhook_deliveries, webhook_deliveries.alias("earlier")
        waits = select(earlier.c.news).where(
            earlier.c.hook == d.c.hook,
            earlier.c.number == d.c.number,
            earlier.c.news < d.c.news,
            earlier.c.state == DeliveryState.WAITING.value,
        )
        mine = and_(d.c.hook == hook, d.c.state == DeliveryState.WAITING.value, d.c.due_at <= now)
        return await self._deliveries(_both().where(mine, ~waits.exists()).order_by(d.c.news).limit(limit))

    async def delivered(self, delivery: Delivery) -> None:
        """The receiver has it."""
        await self._set(delivery, state=DeliveryState.DELIVERED.value, attempts=delivery.attempts + 1, error="")

    async def failed(self, delivery: Delivery, error: str, again_at: datetime | None) -> None:
        """It did not work: again at this moment, or never by itself (``None``)."""
        await self._set(
            delivery,
            state=(DeliveryState.WAITING if again_at else DeliveryState.DEAD).value,
            attempts=delivery.attempts + 1,
            due_at=again_at or delivery.due_at,
            error=error[:200],
        )

    async def dead(self, limit: int = 200) -> list[Delivery]:
        """What was given up, the newest first."""
        d = webhook_deliveries
        wanted = _both().where(d.c.state == DeliveryState.DEAD.value).order_by(d.c.news.desc()).limit(limit)
        return await self._deliveries(wanted)

    async def resend(self, hook: str, news_id: int, now: datetime) -> bool:
        """Send what was given up again, with as many attempts as at first; whether there was such a one."""
        d = webhook_deliveries
        mine = and_(d.c.hook == hook, d.c.news == news_id, d.c.state == DeliveryState.DEAD.value)
        with translated():
            async with self._writer.begin() as connection:
                done = await connection.execute(
                    update(d).where(mine).values(state=DeliveryState.WAITING.value, attempts=0, due_at=now)
                )
        return bool(done.rowcount)

    async def waiting(self) -> dict[str, int]:
        """How many deliveries wait, by receiver; at most 1,000 are counted of each."""
        d = webhook_deliveries
        found: dict[str, int] = {}
        for row in await self._rows(select(webhook_cursors.c.hook)):
            some = select(d.c.news).where(d.c.hook == row.hook, d.c.state == DeliveryState.WAITING.value)
            found[row.hook] = len(await self._rows(some.limit(1000)))
        return found

    async def _set(self, delivery: Delivery, **values: object) -> None:
        d = webhook_deliveries
        mine = and_(d.c.hook == delivery.hook, d.c.news == delivery.news.id)
        with translated():
            async with self._writer.begin() as connection:
                await connection.execute(update(d).where(mine).values(**values))

    async def _deliveries(self, wanted: Select[Any]) -> list[Delivery]:
        return [
            Delivery(row.hook, _news(row), DeliveryState(row.how), row.attempts, row.due_at, row.error)
            for row in await self._rows(wanted)
        ]

    async def _rows(self, wanted: Select[Any]) -> Sequence[Row[Any]]:
        with translated():
            async with self._engine.connect() as connection:
                rows: Sequence[Row[Any]] = (await connection.execute(wanted)).all()
        return rows


def _both() -> Select[Any]:
    d = webhook_deliveries
    return select(d.c.hook, d.c.state.label("how"), d.c.attempts, d.c.due_at, d.c.error, news).join(
        news, news.c.id == d.c.news
    )


def _news(row: Row[Any]) -> News:
    return News(row.id, CaseNumber(row.number), row.version, row.kind, row.state, row.section, row.channel, row.at)
