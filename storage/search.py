"""Full text over what was said, and where the audio of each leg is beeped over (P3).

Only masked text is kept here. What is searched for is never read as a query language: it is quoted for FTS5 and
escaped for LIKE, and what has no letters in it is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    column,
    delete,
    false,
    func,
    insert,
    literal_column,
    or_,
    select,
    table,
    text,
)
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from calls.custody import Leg
from calls.errors import SearchError
from calls.ids import AgentNumber, CallId, SectionId
from calls.lists import Rating
from calls.people import Scope
from calls.transcript import Span, Turn
from storage.burial import is_buried
from storage.engine import for_writing
from storage.faults import translated
from storage.folding import folded, spaced
from storage.ledger import upsert
from storage.ratings import rated, ratings
from storage.search_tables import masked_legs, spoken_turns

LONGEST = 200
"""Letters that may be searched for."""

_MOST_TERMS = 10
_WHOLE = 3
"""Letters from which on a term is looked up as it is; shorter ones in the spaced text."""

_AROUND = 24
_EVERYTHING = Scope(everything=True)
_text_index = table("spoken_turns_text", column("rowid"))


@dataclass(frozen=True, slots=True)
class Said:
    """The call that turns belong to, as they are filtered by."""

    call_id: CallId
    arrived_at: datetime
    section: SectionId | None
    agent: AgentNumber | None


@dataclass(frozen=True, slots=True)
class MaskedLeg:
    """One speaker's turns with masked words, and the spans of audio to beep over."""

    turns: tuple[Turn, ...]
    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Query:
    """What to look for. Every term, between blanks, must be in the turn, as written and anywhere in it."""

    text: str
    section: SectionId | None = None
    agent: AgentNumber | None = None
    speaker: Leg | None = None
    since: datetime | None = None
    """Of the call's arrival."""
    until: datetime | None = None
    rating: Rating | None = None
    """What the caller said of the call (Q2)."""
    scope: Scope = _EVERYTHING
    """Nothing is found of calls that it does not reach (P1)."""

    @property
    def terms(self) -> tuple[str, ...]:
        """Raises SearchError."""
        if len(self.text) > LONGEST:
            raise SearchError(f"a search may have {LONGEST} letters, this has {len(self.text)}")
        terms = tuple(dict.fromkeys(folded(self.text).split()))
        if not terms:
            raise SearchError("nothing to search for")
        if len(terms) > _MOST_TERMS:
            raise SearchError(f"a search may have {_MOST_TERMS} terms, this has {len(terms)}")
        return terms


@dataclass(frozen=True, slots=True)
class Hit:
    """A turn that was found."""

    number: int
    call_id: CallId
    leg: Leg
    start_s: float
    """In the audio."""
    end_s: float
    text: str
    """The whole turn, masked."""
    snippet: str
    """What stands around the first term."""
    confidence: float
    section: SectionId | None
    agent: AgentNumber | None
    arrived_at: datetime
    rating: Rating = Rating.NONE


@dataclass(frozen=True, slots=True)
class Page:
    """Some of what was found, the newest first."""

    hits: tuple[Hit, ...]
    before: int | None
    """Where the next page goes on; ``None``: this is the last."""


class SqlSearch:
    """The search index in the database. Raises StorageUnavailable or StorageRefused."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._writer = for_writing(engine)
        self._sqlite = engine.dialect.name == "sqlite"

    async def index(self, said: Said, legs: Mapping[Leg, MaskedLeg], at: datetime) -> None:
        """Keep these legs' turns and spans in place of earlier ones: doing so twice changes nothing.

        Nothing of a call whose recording was deleted is kept (P2).
        """
        with translated():
            async with self._writer.begin() as connection:
                if await is_buried(connection, said.call_id):
                    return  # in between (P2)
                for leg in sorted(legs):
                    await self._replace(connection, said, leg, legs[leg], at)

    async def spans(self, call_id: CallId, leg: Leg) -> tuple[Span, ...] | None:
        """Where a leg is beeped over; ``None`` if it has not been looked through, and nobody knows."""
        mine = (masked_legs.c.call_id == call_id, masked_legs.c.leg == leg.value)
        with translated():
            async with self._engine.connect() as connection:
                found = (await connection.execute(select(masked_legs.c.spans).where(*mine))).one_or_none()
        return None if found is None else tuple(Span(start, end) for start, end in found.spans)

    async def search(self, query: Query, *, before: int | None = None, limit: int = 20) -> Page:
        """Up to ``limit`` turns, the newest first, from behind ``before`` on. Raises SearchError."""
        terms = query.terms
        wanted = self._wanted(terms).where(*_filters(query))
        if before is not None:
            wanted = wanted.where(spoken_turns.c.number < before)
            if self._sqlite:
                wanted = wanted.where(_text_index.c.rowid < before)
        order = _text_index.c.rowid if self._sqlite else spoken_turns.c.number
        with translated():
            async with self._engine.connect() as connection:
                if not self._sqlite:  # a plan made for any text at all would read the whole table
                    await connection.execute(text("SET LOCAL plan_cache_mode = force_custom_plan"))
                else:
                    wanted = wanted.where(*await _numbers_of_time(connection, query))
                rows = (await connection.execute(wanted.order_by(order.desc()).limit(limit + 1))).all()
                said = await ratings(connection, {CallId(row.call_id) for row in rows})
        hits = tuple(_hit(row, terms[0], said) for row in rows[:limit])
        return Page(hits, hits[-1].number if len(rows) > limit else None)

    async def forget(self, call_id: CallId) -> None:
        """Remove everything that was said in a call."""
        with translated():
            async with self._writer.begin() as connection:
                for kept in (spoken_turns, masked_legs):
                    await connection.execute(delete(kept).where(kept.c.call_id == call_id))

    def _wanted(self, terms: Iterable[str]) -> Select[Any]:
        if not self._sqlite:
            return select(spoken_turns).where(*(_like(term) for term in terms))
        phrases = " AND ".join(map(_phrase, terms))
        both = _text_index.join(spoken_turns, spoken_turns.c.number == _text_index.c.rowid)
        matches: ColumnElement[bool] = literal_column("spoken_turns_text").op("MATCH")(phrases)
        return select(spoken_turns).select_from(both).where(matches)

    async def _replace(
        self, connection: AsyncConnection, said: Said, leg: Leg, masked: MaskedLeg, at: datetime
    ) -> None:
        spans = [[span.start_s, span.end_s] for span in masked.spans]
        # First of all: whoever else does the same leg at this moment waits here.
        values = {"call_id": said.call_id, "leg": leg.value, "spans": spans, "masked_at": at}
        await connection.execute(upsert(masked_legs, connection.dialect.name), [values])
        mine = (spoken_turns.c.call_id == said.call_id, spoken_turns.c.leg == leg.value)
        await connection.execute(delete(spoken_turns).where(*mine))
        rows = [row_of(said, turn) for turn in masked.turns if turn.text]
        if rows:
            await connection.execute(insert(spoken_turns), rows)


def row_of(said: Said, turn: Turn) -> dict[str, object]:
    """A turn as the index keeps it."""
    shown = turn.text.replace("\0", " ")
    alike = folded(shown)
    return {
        "call_id": said.call_id,
        "leg": turn.leg.value,
        "start_s": turn.start_s,
        "end_s": turn.end_s,
        "confidence": turn.confidence,
        "text": shown,
        "folded": alike,
        "spaced": spaced(alike),
        "section": said.section,
        "agent": said.agent,
        "arrived_at": said.arrived_at,
    }


def _phrase(term: str) -> str:
    name, said = ("folded", term) if len(term) >= _WHOLE else ("spaced", spaced(term))
    quoted = said.replace('"', '""')
    return f'{name} : "{quoted}"'


def _like(term: str) -> ColumnElement[bool]:
    if len(term) >= _WHOLE:
        return spoken_turns.c.folded.contains(term, autoescape=True, escape="\\")
    return spoken_turns.c.spaced.contains(spaced(term), autoescape=True, escape="\\")


async def _numbers_of_time(connection: AsyncConnection, query: Query) -> Sequence[ColumnElement[bool]]:
    """Where in the text index the turns of a time lie, as conditions.

    FTS5 knows numbers only: it would read every newer turn with a common word to find that it is too new. Without
    an end nothing is too new.
    """
    if query.until is None:
        return ()
    number = spoken_turns.c.number
    first, last = (
        await connection.execute(select(func.min(number), func.max(number)).where(*_times(query)))
    ).one()
    return (false(),) if first is None else (_text_index.c.rowid >= first, _text_index.c.rowid <= last)


def _times(query: Query) -> list[ColumnElement[bool]]:
    bounds = []
    if query.since is not None:
        bounds.append(spoken_turns.c.arrived_at >= query.since)
    if query.until is not None:
        bounds.append(spoken_turns.c.arrived_at < query.until)
    return bounds


def _filters(query: Query) -> Sequence[ColumnElement[bool]]:
    named = {"section": query.section, "agent": query.agent, "leg": query.speaker and query.speaker.value}
    filters = [spoken_turns.c[name] == value for name, value in named.items() if value is not None]
    filters += _times(query)
    filters += [rated(query.rating, spoken_turns)] if query.rating is not None else []
    if not query.scope.everything:
        reached: list[ColumnElement[bool]] = [false()]
        if query.scope.sections:
            reached.append(spoken_turns.c.section.in_(sorted(query.scope.sections)))
        if query.scope.agent is not None:
            reached.append(spoken_turns.c.agent == query.scope.agent)
        filters.append(or_(*reached))
    return filters


def _hit(row: Row[Any], term: str, said: Mapping[CallId, Rating]) -> Hit:
    return Hit(
        number=row.number,
        call_id=CallId(row.call_id),
        leg=Leg(row.leg),
        start_s=row.start_s,
        end_s=row.end_s,
        text=row.text,
        snippet=_snippet(row.text, max(row.folded.find(term), 0), len(term)),
        confidence=row.confidence,
        section=row.section,
        agent=row.agent,
        arrived_at=row.arrived_at,
        rating=said.get(CallId(row.call_id), Rating.NONE),
    )


def _snippet(shown: str, place: int, length: int) -> str:
    start, end = max(0, place - _AROUND), min(len(shown), place + length + _AROUND)
    return ("…" if start else "") + shown[start:end] + ("…" if end < len(shown) else "")
