"""One-time links to the survey on the web (Q2): made, waiting in the outbox, used once, forgotten.

A link is known by its token's hash. The token itself and the number that it is for stand here only until they are
sent, or the link is no longer good (P1).
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Row, and_, exists, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncEngine

from calls.errors import LinkGone
from calls.events import SurveyAnswered
from calls.ids import DIGITS, SYNTHETIC_TRUNK, CallId, Language
from storage.engine import for_writing
from storage.faults import translated
from storage.ledger import SqlLedger
from storage.survey_tables import survey_links as links
from storage.survey_tables import surveys
from storage.tables import calls

_TOKEN_BYTES = 24
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Invited:
    """A caller who was invited and has not answered the dimensions."""

    call_id: CallId
    telephone: str = field(repr=False)
    language: Language
    design: str
    invited_at: datetime


@dataclass(frozen=True, slots=True)
class SurveyLink:
    """A link that can be used."""

    call_id: CallId
    design: str
    language: Language
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class LinkToSend:
    """A link in the outbox."""

    call_id: CallId
    telephone: str = field(repr=False)
    token: str = field(repr=False)
    language: Language
    expires_at: datetime


class SqlSurveyLinks:
    """The links. Raises StorageUnavailable or StorageRefused."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._writer = for_writing(engine)
        self._ledger = SqlLedger(engine)

    async def invited(self, since: datetime) -> list[Invited]:
        """Callers who were invited since then, have ended the call, answered no dimension, and have no link."""
        has_link = exists().where(links.c.call_id == surveys.c.call_id)
        no_test = and_(calls.c.trunk != SYNTHETIC_TRUNK, func.substr(calls.c.trunk, 1, 1).not_in(DIGITS))
        wanted = (
            select(surveys, calls.c.caller)
            .join(calls, calls.c.call_id == surveys.c.call_id)
            .where(surveys.c.invited_at >= since, calls.c.ended_at.is_not(None), calls.c.caller.is_not(None))
            .where(~has_link, no_test)
            .order_by(surveys.c.invited_at)
            .limit(_AT_ONCE)
        )
        with translated():
            async with self._engine.connect() as connection:
                rows = (await connection.execute(wanted)).all()
        return [
            Invited(CallId(row.call_id), row.caller, Language(row.language or ""), row.design, row.invited_at)
            for row in rows
            if not row.answers
        ]

    async def make(self, invited: Invited, language: Language, now: datetime, expires_at: datetime) -> None:
        """Make a link and put it into the outbox; a call that has one keeps it."""
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        make = postgresql.insert if self._engine.dialect.name == "postgresql" else sqlite.insert
        put = make(links).values(
            token_hash=_hash(token),
            call_id=invited.call_id,
            design=invited.design,
            language=language,
            made_at=now,
            expires_at=expires_at,
            token=token,
            number=invited.telephone,
        )
        with translated():
            async with self._writer.begin() as connection:
                await connection.execute(put.on_conflict_do_nothing(index_elements=["call_id"]))

    async def find(self, token: str, now: datetime) -> SurveyLink:
        """The link of a token. Raises LinkGone if it was used, has expired, or never was."""
        good = and_(links.c.token_hash == _hash(token), links.c.used_at.is_(None), links.c.expires_at > now)
        with translated():
            async with self._engine.connect() as connection:
                row = (await connection.execute(select(links).where(good))).one_or_none()
        if row is None:
            raise LinkGone("the link was used, has expired, or never was")
        return SurveyLink(CallId(row.call_id), row.design, Language(row.language), row.expires_at)

    async def answer(self, token: str, answers: list[SurveyAnswered], now: datetime) -> None:
        """Put the answers on the call's books, and the link is used. Raises LinkGone as ``find`` does.

        The answers come first: who is cut off in between answers once more, and nothing counts twice.
        """
        await self.find(token, now)
        await self._ledger.record(answers)
        mine = and_(links.c.token_hash == _hash(token), links.c.used_at.is_(None))
        with translated():
            async with self._writer.begin() as connection:
                await connection.execute(update(links).where(mine).values(used_at=now, token=None, number=None))

    # ── The outbox: whoever sends messages takes from here ───────────────────────────────────────────────────

    async def outbox(self, now: datetime, limit: int = 100) -> list[LinkToSend]:
        """Links that are to be sent, the oldest first."""
        wanted = (
            select(links)
            .where(links.c.sent_at.is_(None), links.c.token.is_not(None), links.c.expires_at > now)
            .order_by(links.c.made_at, links.c.call_id)
            .limit(limit)
        )
        with translated():
            async with self._engine.connect() as connection:
                return [_to_send(row) for row in await connection.execute(wanted)]

    async def sent(self, call_id: CallId, at: datetime) -> bool:
        """A link was sent: its token and number are forgotten here. Whether it was in the outbox."""
        mine = and_(links.c.call_id == call_id, links.c.sent_at.is_(None), links.c.token.is_not(None))
        with translated():
            async with self._writer.begin() as connection:
                done = await connection.execute(
                    update(links).where(mine).values(sent_at=at, token=None, number=None)
                )
        return done.rowcount == 1

    async def forget(self, now: datetime) -> int:
        """Forget tokens and numbers of links that are no longer good; of how many."""
        over = and_(links.c.expires_at <= now, or_(links.c.token.is_not(None), links.c.number.is_not(None)))
        with translated():
            async with self._writer.begin() as connection:
                return (
                    await connection.execute(update(links).where(over).values(token=None, number=None))
                ).rowcount


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _to_send(row: Row[Any]) -> LinkToSend:
    return LinkToSend(CallId(row.call_id), row.number or "", row.token, Language(row.language), row.expires_at)
