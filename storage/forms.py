"""Scoring forms in the database: drafts that change, published versions that never do (Q5)."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, delete, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from calls.errors import Overtaken
from calls.ids import FormId
from calls.quality import Form, FormVersion
from storage.engine import for_writing
from storage.faults import translated
from storage.quality_codec import form_json, form_of
from storage.quality_tables import form_versions as table

_LOCK = 7_366_012
_NUMBERED = re.compile(r"form-([0-9]+)")


class SqlForms:
    """Forms and their versions. Raises StorageUnavailable, StorageRefused or Overtaken."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._writer = for_writing(engine)

    async def create(self, form: Form, by: str, at: datetime) -> FormVersion:
        """A new form, its first version a draft. Its id is ``form-N``, N the next number."""
        async with self._exclusive() as connection:
            ids = (await connection.execute(select(table.c.form_id).distinct())).scalars()
            used = [int(found[1]) for each in ids if (found := _NUMBERED.fullmatch(each))]
            made = FormVersion(FormId(f"form-{max(used, default=0) + 1}"), 1, form, by, at)
            await connection.execute(insert(table).values(_row(made)))
        return made

    async def all(self) -> list[FormVersion]:
        """Every version of every form; the newest version of a form first."""
        return await self._read(select(table).order_by(table.c.form_id, table.c.version.desc()))

    async def version(self, form_id: FormId, version: int) -> FormVersion | None:
        """That version, whether published or not."""
        mine = (table.c.form_id == form_id) & (table.c.version == version)
        return next(iter(await self._read(select(table).where(mine))), None)

    async def current(self, form_id: FormId) -> FormVersion | None:
        """The newest published version."""
        mine = (table.c.form_id == form_id) & table.c.published_at.is_not(None)
        wanted = select(table).where(mine).order_by(table.c.version.desc()).limit(1)
        return next(iter(await self._read(wanted)), None)

    async def draft(self, form_id: FormId) -> FormVersion | None:
        """The version that is being worked on."""
        mine = (table.c.form_id == form_id) & table.c.published_at.is_(None)
        return next(iter(await self._read(select(table).where(mine))), None)

    async def begin_draft(self, form_id: FormId, by: str, at: datetime) -> FormVersion | None:
        """A draft that begins as a copy of the newest version; the one there is, if there is one.

        ``None``: there is no such form.
        """
        async with self._exclusive() as connection:
            newest = select(table).where(table.c.form_id == form_id).order_by(table.c.version.desc()).limit(1)
            row = (await connection.execute(newest)).one_or_none()
            if row is None or row.published_at is None:
                return _version(row) if row else None
            made = FormVersion(form_id, row.version + 1, form_of(row.content), by, at)
            await connection.execute(insert(table).values(_row(made)))
        return made

    async def save(self, seen: FormVersion, form: Form, by: str, at: datetime) -> FormVersion:
        """Change a draft as it was ``seen``. Raises Overtaken if it has changed since, or is published."""
        saved = replace(seen, form=form, edited_by=by, edited_at=at, edit=seen.edit + 1)
        await self._change(
            seen, {"content": form_json(form), "edited_by": by, "edited_at": at, "edit": saved.edit}
        )
        return saved

    async def publish(self, seen: FormVersion, by: str, at: datetime) -> FormVersion:
        """From now on this version stands as it was ``seen``. Raises Overtaken as ``save`` does."""
        await self._change(seen, {"published_by": by, "published_at": at})
        return replace(seen, published_by=by, published_at=at)

    async def discard(self, seen: FormVersion) -> None:
        """Throw a draft away. Raises Overtaken as ``save`` does."""
        with translated():
            async with self._writer.begin() as connection:
                if not (await connection.execute(delete(table).where(*_as_seen(seen)))).rowcount:
                    raise Overtaken(f"{seen.label} was changed or published in between")

    async def _change(self, seen: FormVersion, values: dict[str, Any]) -> None:
        with translated():
            async with self._writer.begin() as connection:
                done = await connection.execute(update(table).where(*_as_seen(seen)).values(values))
                if not done.rowcount:
                    raise Overtaken(f"{seen.label} was changed or published in between")

    @asynccontextmanager
    async def _exclusive(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that reads first and writes then, one at a time (SQLite has one writer as it is)."""
        with translated():
            async with self._writer.begin() as connection:
                if connection.dialect.name == "postgresql":
                    await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
                yield connection

    async def _read(self, wanted: Select[Any]) -> list[FormVersion]:
        with translated():
            async with self._engine.connect() as connection:
                rows: Sequence[Row[Any]] = (await connection.execute(wanted)).all()
        return [_version(row) for row in rows]


def _as_seen(seen: FormVersion) -> list[ColumnElement[bool]]:
    return [
        table.c.form_id == seen.form_id,
        table.c.version == seen.version,
        table.c.edit == seen.edit,
        table.c.published_at.is_(None),
    ]


def _row(version: FormVersion) -> dict[str, Any]:
    return {
        "form_id": version.form_id,
        "version": version.version,
        "content": form_json(version.form),
        "edit": version.edit,
        "edited_by": version.edited_by,
        "edited_at": version.edited_at,
    }


def _version(row: Row[Any]) -> FormVersion:
    return FormVersion(
        form_id=FormId(row.form_id),
        version=row.version,
        form=form_of(row.content),
        edited_by=row.edited_by,
        edited_at=row.edited_at,
        edit=row.edit,
        published_by=row.published_by,
        published_at=row.published_at,
    )
