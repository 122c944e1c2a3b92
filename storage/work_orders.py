"""Inquiries and work orders in the database: ``calls.case_book.OrderBook`` (A5, A7, C10)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Row, Select, false, insert, or_, select, true, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from calls.case_book import InquiryQuery
from calls.cases import CaseNumber, CategoryId, Channel, LinkKind, Login, Series, contact_key
from calls.errors import CaseConflict, CaseRefused, CaseUnknown
from calls.ids import AgentNumber, CallId, Language, SectionId
from calls.inquiries import (
    FINAL_AFTER,
    ORDER_OVER,
    AnyOrderEvent,
    Inquiry,
    OrderDispatched,
    OrderState,
    WorkOrder,
)
from calls.people import Scope
from storage.case_codec import ORDERS, storable
from storage.case_numbers import done_before, next_number, remember
from storage.case_rows import turn
from storage.case_tables import case_links, inquiries, order_events, work_orders
from storage.case_words import words_in
from storage.engine import for_writing
from storage.faults import translated
from storage.folding import folded
from storage.outbox import put
from storage.rejudging import judge_again


class SqlOrders:
    """The ledger of inquiries and work orders."""

    def __init__(self, engine: AsyncEngine, zone: ZoneInfo) -> None:
        self._engine = engine
        self._writer = for_writing(engine)
        self._zone = zone

    # ── Inquiries ────────────────────────────────────────────────────────────────────────────────────────────

    async def file(self, inquiry: Inquiry, key: str, dispatch: OrderDispatched | None = None) -> Inquiry:
        """See ``calls.case_book.OrderBook.file``."""
        with translated():
            async with self._writer.begin() as connection:
                known = await done_before(connection, key, inquiry)
                if known:
                    return await _inquiry(connection, known)
                number = await next_number(connection, Series.INQUIRY, inquiry.filed_at, self._zone)
                order = None
                if dispatch:
                    order = await self._dispatch(connection, replace(dispatch, origin=number))
                filed = replace(inquiry, number=number, work_order=order.number if order else None)
                await connection.execute(insert(inquiries).values(_inquiry_row(filed)))
                if filed.call_id:
                    await _link(connection, number, LinkKind.CALL, filed.call_id)
                await judge_again(connection, filed.call_id, filed.filed_at)
                await remember(connection, key, number, inquiry, filed.filed_at)
                await put(connection, filed, "filed", filed.filed_at)
                if order and dispatch:
                    await put(connection, order, dispatch.kind, dispatch.at)
                return filed

    async def inquiry(self, number: CaseNumber) -> Inquiry:
        """See ``calls.case_book.OrderBook.inquiry``."""
        with translated():
            async with self._engine.connect() as connection:
                return await _inquiry(connection, number)

    async def dispatch_later(self, number: CaseNumber, event: OrderDispatched) -> WorkOrder:
        """See ``calls.case_book.OrderBook.dispatch_later``."""
        with translated():
            async with self._writer.begin() as connection:
                mine = select(inquiries.c.number).where(inquiries.c.number == number).with_for_update()
                await connection.execute(mine)
                inquiry = await _inquiry(connection, number)
                if inquiry.work_order:
                    raise CaseRefused(f"{number} is the work order {inquiry.work_order} already")
                if event.at - inquiry.counted_at > FINAL_AFTER:
                    raise CaseRefused(f"{number} is final: file what was asked again as a new inquiry")
                order = await self._dispatch(connection, replace(event, origin=number))
                changed = update(inquiries).where(inquiries.c.number == number).values(work_order=order.number)
                await connection.execute(changed)
                await put(connection, replace(inquiry, work_order=order.number), event.kind, event.at)
                await put(connection, order, event.kind, event.at)
                return order

    async def inquiries(
        self, query: InquiryQuery, *, before: str | None = None, limit: int = 50
    ) -> tuple[list[Inquiry], str | None]:
        """Inquiries, the last filed first, and where the next page goes on. Raises SearchError."""
        wanted = select(inquiries).where(inquiries_within(query.scope), *words_in(inquiries.c.folded, query.text))
        if query.category is not None:
            wanted = wanted.where(inquiries.c.category.startswith(query.category, autoescape=True))
        if query.since is not None:
            wanted = wanted.where(inquiries.c.counted_at >= query.since)
        if query.until is not None:
            wanted = wanted.where(inquiries.c.counted_at < query.until)
        if query.dispatched is not None:
            became = inquiries.c.work_order
            wanted = wanted.where(became.is_not(None) if query.dispatched else became.is_(None))
        if query.contact is not None:
            wanted = wanted.where(inquiries.c.contact_key == contact_key(query.contact))
        if query.call_id is not None:
            wanted = wanted.where(inquiries.c.call_id == query.call_id)
        if before is not None:
            wanted = wanted.where(inquiries.c.number < before)
        rows = await self._rows(wanted.order_by(inquiries.c.number.desc()).limit(limit + 1))
        return [inquiry_of(row) for row in rows[:limit]], rows[limit - 1].number if len(rows) > limit else None

    # ── Work orders ──────────────────────────────────────────────────────────────────────────────────────────

    async def dispatch(self, event: OrderDispatched, key: str) -> WorkOrder:
        """See ``calls.case_book.OrderBook.dispatch``."""
        with translated():
            async with self._writer.begin() as connection:
                known = await done_before(connection, key, event)
                if known:
                    return WorkOrder.of(known, await _history(connection, known))
                order = await self._dispatch(connection, event)
                await remember(connection, key, order.number, event, event.at)
                await put(connection, order, event.kind, event.at)
                return order

    async def order(self, number: CaseNumber) -> WorkOrder:
        """See ``calls.case_book.OrderBook.order``."""
        history = await self.order_history(number)
        if not history:
            raise CaseUnknown(number)
        return WorkOrder.of(number, history)

    async def orders(self, numbers: Sequence[CaseNumber]) -> list[WorkOrder]:
        """Several, in the order in which they are asked for; those that do not exist are left out."""
        mine = select(order_events).where(order_events.c.number.in_(numbers)).order_by(order_events.c.seq)
        found: dict[str, list[AnyOrderEvent]] = {}
        for row in await self._rows(mine):
            found.setdefault(row.number, []).append(ORDERS.event(row))
        return [WorkOrder.of(number, found[number]) for number in numbers if number in found]

    async def order_history(self, number: CaseNumber) -> list[AnyOrderEvent]:
        """See ``calls.case_book.OrderBook.order_history``."""
        with translated():
            async with self._engine.connect() as connection:
                return await _history(connection, number)

    async def append_order(self, number: CaseNumber, version: int, event: AnyOrderEvent) -> WorkOrder:
        """See ``calls.case_book.OrderBook.append_order``."""
        with translated():
            async with self._writer.begin() as connection:
                mine = select(work_orders.c.number).where(work_orders.c.number == number).with_for_update()
                if await connection.scalar(mine) is None:
                    raise CaseUnknown(number)
                history = await _history(connection, number)
                if len(history) != version:
                    raise CaseConflict(len(history))
                order = WorkOrder.of(number, [*history, event])
                await connection.execute(insert(order_events).values(ORDERS.row(number, order.version, event)))
                row = _order_row(order)
                await connection.execute(update(work_orders).where(work_orders.c.number == number).values(row))
                if order.state is OrderState.CANCELLED:
                    await judge_again(connection, order.call_id, event.at)
                if order.callback:
                    await _link(connection, number, LinkKind.CALLBACK, order.callback)
                await put(connection, order, event.kind, event.at)
                return order

    async def promised_by(self, moment: datetime) -> list[WorkOrder]:
        """Open work orders whose promise is due by this moment, the first first."""
        open_ones = work_orders.c.state.not_in([state.value for state in ORDER_OVER])
        wanted = select(work_orders.c.number).where(open_ones, work_orders.c.due_at <= moment)
        rows = await self._rows(wanted.order_by(work_orders.c.due_at, work_orders.c.number))
        return await self.orders([CaseNumber(row.number) for row in rows])

    async def promised_in(self, call_id: CallId) -> bool:
        """Whether a work order was dispatched, and an answer promised, in this call (A5)."""
        return bool(
            await self._rows(select(work_orders.c.number).where(work_orders.c.call_id == call_id).limit(1))
        )

    async def _dispatch(self, connection: AsyncConnection, event: OrderDispatched) -> WorkOrder:
        number = await next_number(connection, Series.WORK_ORDER, event.at, self._zone)
        order, line = WorkOrder.of(number, [event]), ORDERS.row(number, 1, event)
        await connection.execute(insert(work_orders).values(_order_row(order)))
        await connection.execute(insert(order_events).values(line))
        if event.call_id:
            await _link(connection, number, LinkKind.CALL, event.call_id)
        await judge_again(connection, event.call_id, event.at)
        return order

    async def _rows(self, wanted: Select[Any]) -> Sequence[Row[Any]]:
        with translated():
            async with self._engine.connect() as connection:
                rows: Sequence[Row[Any]] = (await connection.execute(wanted)).all()
        return rows


def inquiries_within(scope: Scope) -> ColumnElement[bool]:
    """Inquiries within somebody's reach."""
    if scope.everything:
        return true()
    own = [inquiries.c.agent == scope.agent] if scope.agent else []
    return or_(false(), *own, inquiries.c.section.in_(sorted(scope.sections)))


def inquiry_of(row: Row[Any]) -> Inquiry:
    """An inquiry as it was filed."""
    return Inquiry(
        number=CaseNumber(row.number),
        asked_at=row.asked_at,
        filed_at=row.filed_at,
        filed_by=Login(row.filed_by),
        channel=Channel(row.channel),
        section=SectionId(row.section),
        category=CategoryId(row.category),
        content=row.content,
        answer=row.answer,
        name=row.name,
        contact=row.contact,
        agent=AgentNumber(row.agent) if row.agent else None,
        language=Language(row.language) if row.language else None,
        trunk=row.trunk,
        call_id=CallId(row.call_id) if row.call_id else None,
        work_order=CaseNumber(row.work_order) if row.work_order else None,
    )


def _inquiry_row(inquiry: Inquiry) -> dict[str, Any]:
    words = (inquiry.number, inquiry.name, inquiry.contact, contact_key(inquiry.contact), inquiry.content)
    texts = {
        name: storable("inquiry", name, getattr(inquiry, name))
        for name in ("content", "answer", "name", "contact")
    }
    return {
        "number": inquiry.number,
        "asked_at": inquiry.asked_at,
        "filed_at": inquiry.filed_at,
        "counted_at": inquiry.counted_at,
        "filed_by": inquiry.filed_by,
        "channel": inquiry.channel.value,
        "section": inquiry.section,
        "agent": inquiry.agent,
        "language": inquiry.language,
        "trunk": inquiry.trunk,
        "category": inquiry.category,
        **texts,
        "contact_key": contact_key(inquiry.contact),
        "call_id": inquiry.call_id,
        "work_order": inquiry.work_order,
        "folded": folded("\n".join((*words, inquiry.answer))),
    }


def _order_row(order: WorkOrder) -> dict[str, Any]:
    words = (order.number, order.name, order.contact, contact_key(order.contact), order.content, order.promise)
    over_at = order.last_at if order.state in ORDER_OVER else None
    return {
        "number": order.number,
        "version": order.version,
        "state": order.state.value,
        "created_at": order.created_at,
        "section": order.section,
        "department": order.department,
        "category": order.category,
        "due_at": order.due_at,
        "turn": turn(order.number, 0, order.due_at, over_at),
        "answered_at": order.answered_at,
        "broken": order.broken,
        "contact_key": contact_key(order.contact),
        "call_id": order.call_id,
        "origin": order.origin,
        "folded": folded("\n".join(words)),
    }


async def _inquiry(connection: AsyncConnection, number: CaseNumber) -> Inquiry:
    row = (await connection.execute(select(inquiries).where(inquiries.c.number == number))).one_or_none()
    if row is None:
        raise CaseUnknown(number)
    return inquiry_of(row)


async def _history(connection: AsyncConnection, number: CaseNumber) -> list[AnyOrderEvent]:
    mine = select(order_events).where(order_events.c.number == number).order_by(order_events.c.seq)
    return [ORDERS.event(row) for row in await connection.execute(mine)]


async def _link(connection: AsyncConnection, number: CaseNumber, kind: LinkKind, ref: str) -> None:
    mine = {"number": number, "kind": kind.value, "ref": ref}
    known = select(case_links.c.number).where(*(case_links.c[name] == value for name, value in mine.items()))
    if await connection.scalar(known) is None:
        await connection.execute(insert(case_links).values(mine))
