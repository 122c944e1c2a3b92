"""Calibration rounds and blind sheets in the database (Q3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from calls.errors import Overtaken
from calls.ids import CallId, FormId, SectionId
from calls.quality import BlindSheet, Round, Sheet
from storage.burial import is_buried
from storage.engine import for_writing
from storage.faults import translated
from storage.quality_codec import remarks_json, sheet_json, sheet_of
from storage.quality_tables import calibration_drafts as drafts
from storage.quality_tables import calibration_rounds as rounds
from storage.quality_tables import calibration_sheets as sheets
from storage.scores import Draft


class SqlCalibrations:
    """Rounds. Raises StorageUnavailable or StorageRefused."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._writer = for_writing(engine)

    async def begin(self, round_: Round) -> Round:
        """Store a round; the one with its number."""
        values = {
            "name": round_.name,
            "form_id": round_.form_id,
            "form_version": round_.form_version,
            "sections": sorted(round_.sections),
            "calls": list(round_.calls),
            "scorers": list(round_.scorers),
            "made_by": round_.made_by,
            "made_at": round_.made_at,
        }
        with translated():
            async with self._writer.begin() as connection:
                number = await connection.scalar(insert(rounds).values(values).returning(rounds.c.round_id))
        assert number is not None, "the database numbers what it stores"
        return replace(round_, round_id=number)

    async def close(self, round_id: int, at: datetime) -> None:
        """No sheet is taken any more, and all of them can be seen."""
        mine = (rounds.c.round_id == round_id) & rounds.c.closed_at.is_(None)
        with translated():
            async with self._writer.begin() as connection:
                await connection.execute(update(rounds).where(mine).values(closed_at=at))
                await connection.execute(delete(drafts).where(drafts.c.round_id == round_id))

    async def rounds(self, *, before: int | None = None, limit: int = 50) -> list[Round]:
        """The newest first, from the one before number ``before`` on."""
        wanted = select(rounds)
        if before is not None:
            wanted = wanted.where(rounds.c.round_id < before)
        return [_round(row) for row in await self._rows(wanted.order_by(rounds.c.round_id.desc()).limit(limit))]

    async def round(self, round_id: int) -> Round | None:
        rows = await self._rows(select(rounds).where(rounds.c.round_id == round_id))
        return _round(rows[0]) if rows else None

    async def sheets(self, round_id: int) -> list[BlindSheet]:
        """All that were handed in, whoever may see them (``qa.calibration.visible``)."""
        wanted = select(sheets).where(sheets.c.round_id == round_id).order_by(sheets.c.call_id, sheets.c.by)
        return [_sheet(row) for row in await self._rows(wanted)]

    async def draft(self, round_id: int, call_id: CallId, by: str) -> Draft | None:
        """What this person has typed of their sheet."""
        rows = await self._rows(select(drafts).where(_draft_of(round_id, call_id, by)))
        if not rows:
            return None
        kept = rows[0].sheet
        return Draft(sheet_of(kept["sheet"], kept["remarks"]), rows[0].edit, rows[0].saved_at)

    async def save_draft(
        self, round_id: int, call_id: CallId, by: str, sheet: Sheet, seen: int, at: datetime
    ) -> int:
        """Keep what somebody has typed; the draft's next number. ``seen``: the one it builds on, 0 for none.

        Raises Overtaken if the same person saved in between, in another window, or has handed the sheet in, or the
        round was closed: then there is nothing to be typed any more.
        """
        mine = _draft_of(round_id, call_id, by)
        kept = {"sheet": sheet_json(sheet), "remarks": remarks_json(sheet.remarks)}
        values = {"sheet": kept, "edit": seen + 1, "saved_at": at}
        done = select(sheets.c.by).where(
            sheets.c.round_id == round_id, sheets.c.call_id == call_id, sheets.c.by == by
        )
        is_open = (rounds.c.round_id == round_id) & rounds.c.closed_at.is_(None)
        with translated():
            async with self._writer.begin() as connection:
                # One after the other with whoever hands in, or closes the round.
                is_there = await connection.scalar(select(rounds.c.round_id).where(is_open).with_for_update())
                if is_there is None or await connection.scalar(done) is not None:
                    raise Overtaken("the sheet was handed in, or the round closed")
                now = await connection.scalar(select(drafts.c.edit).where(mine))
                if (now or 0) != seen:
                    raise Overtaken("the same sheet is being filled in elsewhere")
                if now is not None:
                    await connection.execute(update(drafts).where(mine).values(values))
                elif not await is_buried(connection, call_id):
                    whose = {"round_id": round_id, "call_id": call_id, "by": by}
                    await connection.execute(insert(drafts).values(**whose, **values))
        return seen + 1

    async def hand_in(self, blind: BlindSheet) -> None:
        """Take a sheet; its draft is done with.

        Raises Overtaken if this person has handed in theirs, or the round was closed.
        """
        values = {
            "round_id": blind.round_id,
            "call_id": blind.call_id,
            "by": blind.by,
            "sheet": sheet_json(blind.sheet),
            "remarks": remarks_json(blind.sheet.remarks),
            "total": blind.total,
            "at": blind.at,
        }
        is_open = (rounds.c.round_id == blind.round_id) & rounds.c.closed_at.is_(None)
        with translated():
            async with self._writer.begin() as connection:
                if await connection.scalar(select(rounds.c.round_id).where(is_open).with_for_update()) is None:
                    raise Overtaken("the round was closed in between")
                if await is_buried(connection, blind.call_id):
                    values["remarks"] = []
                try:
                    await connection.execute(insert(sheets).values(values))
                except IntegrityError as error:
                    raise Overtaken("a sheet of theirs was handed in before") from error
                await connection.execute(delete(drafts).where(_draft_of(blind.round_id, blind.call_id, blind.by)))

    async def _rows(self, statement: Any) -> Sequence[Row[Any]]:
        with translated():
            async with self._engine.connect() as connection:
                return (await connection.execute(statement)).all()


def _draft_of(round_id: int, call_id: CallId, by: str) -> ColumnElement[bool]:
    return and_(drafts.c.round_id == round_id, drafts.c.call_id == call_id, drafts.c.by == by)


def _round(row: Row[Any]) -> Round:
    return Round(
        round_id=row.round_id,
        name=row.name,
        form_id=FormId(row.form_id),
        form_version=row.form_version,
        sections=frozenset(map(SectionId, row.sections)),
        calls=tuple(map(CallId, row.calls)),
        scorers=tuple(row.scorers),
        made_by=row.made_by,
        made_at=row.made_at,
        closed_at=row.closed_at,
    )


def _sheet(row: Row[Any]) -> BlindSheet:
    return BlindSheet(
        round_id=row.round_id,
        call_id=CallId(row.call_id),
        by=row.by,
        sheet=sheet_of(row.sheet, row.remarks),
        total=row.total,
        at=row.at,
    )
