"""Lists of complaints and work orders, a page at a time, and what is known of who is calling."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, false, func, or_, select, true
from sqlalchemy.ext.asyncio import AsyncEngine

from calls.case_book import UNKNOWN, CaseQuery, Contact, OrderQuery, Page
from calls.cases import CaseNumber, Login, State, contact_key
from calls.errors import SearchError
from calls.inquiries import ORDER_OVER
from calls.people import Scope
from storage.case_rows import line_of
from storage.case_tables import cases, work_orders
from storage.case_words import words_in
from storage.faults import translated

_OVER = tuple(state.value for state in ORDER_OVER)


class SqlCaseLists:
    """Reads the ledger of cases. Raises StorageUnavailable or StorageRefused."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def page(self, query: CaseQuery, *, after: str | None = None, limit: int = 50) -> Page:
        """Lines of the ledger: open ones by rank and by what is due first (C8), then the last closed.

        ``after`` is where the page before ended. Raises SearchError for a text that cannot be searched.
        """
        wanted = select(cases).where(*_filters(query))
        if after is not None:
            wanted = wanted.where(cases.c.turn > _ascii(after))
        rows = await self._rows(wanted.order_by(cases.c.turn).limit(limit + 1))
        return Page(tuple(map(line_of, rows[:limit])), rows[limit - 1].turn if len(rows) > limit else None)

    async def counts(self, query: CaseQuery) -> dict[State, int]:
        """How many cases are in each state."""
        wanted = select(cases.c.state, func.count().label("n")).where(*_filters(query)).group_by(cases.c.state)
        found = {State(row.state): int(row.n) for row in await self._rows(wanted)}
        return {state: found.get(state, 0) for state in State}

    async def visible(self, number: CaseNumber, scope: Scope, login: Login) -> bool:
        """Whether a complaint is within somebody's reach (P1)."""
        wanted = select(cases.c.number).where(cases.c.number == number, within(scope, login))
        return bool(await self._rows(wanted))

    async def orders(
        self, query: OrderQuery, *, after: str | None = None, limit: int = 50
    ) -> tuple[list[CaseNumber], str | None]:
        """Numbers of work orders, the first promise first, then the last over; and where the next page goes on."""
        wanted = select(work_orders.c.number, work_orders.c.turn).where(*_order_filters(query))
        if after is not None:
            wanted = wanted.where(work_orders.c.turn > _ascii(after))
        rows = await self._rows(wanted.order_by(work_orders.c.turn).limit(limit + 1))
        numbers = [CaseNumber(row.number) for row in rows[:limit]]
        return numbers, rows[limit - 1].turn if len(rows) > limit else None

    async def known_contact(self, contact: str, scope: Scope, limit: int = 10) -> Contact:
        """Complaints of whoever has this number, open ones first: what an agent sees as it rings."""
        if not contact.strip():
            return Contact()
        wanted = (
            select(cases)
            .where(cases.c.contact_key == contact_key(contact), within(scope, ""))
            .order_by(cases.c.closed_at.is_not(None), cases.c.registered_at.desc())
            .limit(limit)
        )
        return Contact(cases=tuple(line_of(row) for row in await self._rows(wanted)))

    async def _rows(self, wanted: Select[Any]) -> Sequence[Row[Any]]:
        with translated():
            async with self._engine.connect() as connection:
                rows: Sequence[Row[Any]] = (await connection.execute(wanted)).all()
        return rows


def within(scope: Scope, login: str) -> ColumnElement[bool]:
    """Complaints within somebody's reach: of their sections and departments, and their own (P1)."""
    if scope.everything:
        return true()
    units = sorted(scope.sections)
    mine = [cases.c.owner == login, cases.c.offered_to == login] if login else []
    of_units = [cases.c.section.in_(units), cases.c.department.in_(units)] if units else []
    return or_(false(), *mine, *of_units)


def orders_within(scope: Scope) -> ColumnElement[bool]:
    """Work orders within somebody's reach."""
    if scope.everything:
        return true()
    units = sorted(scope.sections)
    return or_(work_orders.c.section.in_(units), work_orders.c.department.in_(units)) if units else false()


def _filters(query: CaseQuery) -> list[ColumnElement[bool]]:
    equal = {
        **{"section": query.section, "department": query.department, "owner": query.owner, "type": query.type},
        **{"cause": query.cause, "place": query.place, "answer": query.answer, "channel": query.channel},
        "offered_to": query.offered_to,
        "registered_late": query.registered_late,
    }
    found = [within(query.scope, query.login)]
    found += [_is(cases.c[name], value) for name, value in equal.items() if value is not None]
    if query.again:
        found.append(cases.c.round > 1)
    if query.states:
        found.append(cases.c.state.in_(sorted(state.value for state in query.states)))
    if query.open_only:
        found.append(cases.c.closed_at.is_(None))
    if query.since is not None:
        found.append(cases.c.registered_at >= query.since)
    if query.until is not None:
        found.append(cases.c.registered_at < query.until)
    if query.late_at is not None:
        found += [cases.c.closed_at.is_(None), cases.c.due_at < query.late_at]
    if query.due_before is not None:
        found += [cases.c.closed_at.is_(None), cases.c.due_at < query.due_before]
    return [*found, *words_in(cases.c.folded, query.text)]


def _is(column: ColumnElement[Any], value: object) -> ColumnElement[bool]:
    return column.is_(None) if value == UNKNOWN else column == value


def _order_filters(query: OrderQuery) -> list[ColumnElement[bool]]:
    found = [orders_within(query.scope)]
    if query.department is not None:
        found.append(work_orders.c.department == query.department)
    if query.states:
        found.append(work_orders.c.state.in_(sorted(state.value for state in query.states)))
    if query.open_only:
        found.append(work_orders.c.state.not_in(_OVER))
    if query.late_at is not None:
        found += [work_orders.c.state.not_in(_OVER), work_orders.c.due_at < query.late_at]
    return [*found, *words_in(work_orders.c.folded, query.text)]


def _ascii(after: str) -> str:
    """Where a page goes on, as a reader's browser gives it back. Raises SearchError if it is none."""
    if len(after) > 60 or not after.isascii() or not after.isprintable():
        raise SearchError("there is no such page")
    return after
