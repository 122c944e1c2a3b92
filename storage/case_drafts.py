"""What was typed and not sent yet, notices of what is due, and the catalogues that were in force."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncEngine

from calls.case_book import Draft, Notice
from calls.cases import CaseNumber, Login
from calls.errors import CaseRefused
from calls.people import Person
from storage.case_codec import storable
from storage.case_tables import case_catalogues, case_drafts, case_notices
from storage.engine import for_writing
from storage.faults import translated
from storage.ledger import upsert

_MOST_LETTERS = 60_000
"""Of one draft, all fields together."""


class SqlDrafts:
    """Drafts belong to whoever types them; nobody else reads them. Raises StorageUnavailable or StorageRefused."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._writer = for_writing(engine)
        self._put = upsert(case_drafts, engine.dialect.name)

    async def save(self, draft: Draft) -> None:
        """Keep what was typed so far in place of what was kept before. Raises CaseRefused for another's draft."""
        if sum(map(len, draft.fields.values())) > _MOST_LETTERS:
            raise CaseRefused("a draft this long cannot be kept")
        fields = {name: storable("draft", "field", text) for name, text in draft.fields.items()}
        values = {"draft": draft.draft, "login": draft.login, "form": draft.form, "call_id": draft.call_id}
        with translated():
            async with self._writer.begin() as connection:
                holder = await connection.scalar(
                    select(case_drafts.c.login).where(case_drafts.c.draft == draft.draft)
                )
                if holder is not None and holder != draft.login:
                    raise CaseRefused("this draft is somebody else's")
                row: Mapping[str, Any] = {**values, "fields": fields, "saved_at": draft.saved_at}
                await connection.execute(self._put, [row])

    async def draft(self, draft: str, login: Login) -> Draft | None:
        """One's own draft; ``None`` if there is none of this id."""
        mine = (case_drafts.c.draft == draft, case_drafts.c.login == login)
        found = await self._rows(select(case_drafts).where(*mine))
        return _draft(found[0]) if found else None

    async def mine(self, login: Login) -> list[Draft]:
        """One's own drafts, the last saved first."""
        wanted = select(case_drafts).where(case_drafts.c.login == login).order_by(case_drafts.c.saved_at.desc())
        return [_draft(row) for row in await self._rows(wanted)]

    async def drop(self, draft: str, login: Login) -> None:
        """It was sent, or is not wanted any more."""
        gone = delete(case_drafts).where(case_drafts.c.draft == draft, case_drafts.c.login == login)
        with translated():
            async with self._writer.begin() as connection:
                await connection.execute(gone)

    async def _rows(self, wanted: Any) -> Sequence[Row[Any]]:
        with translated():
            async with self._engine.connect() as connection:
                rows: Sequence[Row[Any]] = (await connection.execute(wanted)).all()
        return rows


class SqlNotices:
    """Warnings and escalations (C4). Each is written once, whoever finds it due and however often."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._writer = for_writing(engine)

    async def tell(self, notices: Sequence[Notice]) -> list[Notice]:
        """Write those that were not written before; which they were."""
        new: list[Notice] = []
        with translated():
            async with self._writer.begin() as connection:
                put = _put_once(connection.dialect.name)
                for notice in notices:
                    row = {
                        name: getattr(notice, name)
                        for name in ("number", "nth", "level", "at", "due_at", "step", "role", "unit", "login")
                    }
                    if (await connection.execute(put.values(row))).rowcount > 0:
                        new.append(notice)
        return new

    async def unseen(self, person: Person, limit: int = 50) -> list[Notice]:
        """What this person should know, the latest first."""
        mine = [case_notices.c.login == person.login]
        for grant in person.grants:
            role = case_notices.c.role == grant.role.value
            mine.append(role if grant.section is None else role & (case_notices.c.unit == grant.section))
        wanted = select(case_notices).where(case_notices.c.seen_at.is_(None), or_(*mine))
        with translated():
            async with self._engine.connect() as connection:
                rows = await connection.execute(wanted.order_by(case_notices.c.at.desc()).limit(limit))
                return [_notice(row) for row in rows]

    async def of_case(self, number: CaseNumber) -> list[Notice]:
        """All notices of a case, in order."""
        order = (case_notices.c.nth, case_notices.c.level)
        with translated():
            async with self._engine.connect() as connection:
                rows = await connection.execute(
                    select(case_notices).where(case_notices.c.number == number).order_by(*order)
                )
                return [_notice(row) for row in rows]

    async def seen(self, number: CaseNumber, at: datetime, by: Login) -> int:
        """Somebody looks at the case: whoever was to be told need not be told any more; how many notices."""
        unseen = (case_notices.c.number == number, case_notices.c.seen_at.is_(None))
        with translated():
            async with self._writer.begin() as connection:
                done = await connection.execute(update(case_notices).where(*unseen).values(seen_at=at, seen_by=by))
                return int(done.rowcount)


class SqlCatalogues:
    """Catalogues that were in force, so that an old category can be named for ever."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._writer = for_writing(engine)

    async def keep(self, version: int, text: str, since: datetime) -> None:
        """Keep the catalogue. Raises CaseRefused if its version is known with other words."""
        with translated():
            async with self._writer.begin() as connection:
                known = await connection.scalar(
                    select(case_catalogues.c.text).where(case_catalogues.c.version == version)
                )
                if known is None:
                    await connection.execute(
                        insert(case_catalogues).values(version=version, text=text, since=since)
                    )
                elif known != text:
                    raise CaseRefused(f"version {version} of the catalogue was another one: give it a new version")

    async def all(self) -> list[str]:
        """Their texts, the newest first."""
        with translated():
            async with self._engine.connect() as connection:
                found = await connection.scalars(
                    select(case_catalogues.c.text).order_by(case_catalogues.c.version.desc())
                )
                return list(found)


def _put_once(dialect: str) -> Any:
    put = postgresql.insert if dialect == "postgresql" else sqlite.insert
    return put(case_notices).on_conflict_do_nothing()


def _draft(row: Row[Any]) -> Draft:
    return Draft(row.draft, Login(row.login), row.form, row.fields, row.saved_at, row.call_id)


def _notice(row: Row[Any]) -> Notice:
    return Notice(
        number=CaseNumber(row.number),
        nth=row.nth,
        level=row.level,
        at=row.at,
        due_at=row.due_at,
        step=row.step,
        role=row.role,
        unit=row.unit,
        login=Login(row.login) if row.login else None,
        seen_at=row.seen_at,
        seen_by=Login(row.seen_by) if row.seen_by else None,
    )
