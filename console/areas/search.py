"""Search over transcripts: masked, within reach, on record; what is found leads to its second (P1, P3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode
from zoneinfo import ZoneInfo

from aiohttp import web

from calls.custody import SPOKEN_LEGS, Access, AccessKind, Leg
from calls.errors import AccessDenied, SearchError, StorageRefused
from calls.ids import AgentNumber, SectionId
from calls.lists import Rating
from calls.people import Right, Scope
from console.ask import Ask
from console.painter import seen_elsewhere
from console.parts import Parts
from console.routes import Route, get, post
from console.sheets import Cell, Sheet, answer
from console.shown import clock, moment, pieces
from storage.saved_filters import SqlSavedFilters
from storage.search import LONGEST, Hit, Query, SqlSearch

PAGE = "search"
_FIELDS = ("text", "speaker", "section", "agent", "rating", "from", "to")
_COLUMNS = ("arrived", "call", "section", "agent", "rating", "speaker", "place")
_HITS = 20
_MOST_HITS = 2_000
"""Of one file: each call in it is noted."""
_AT_ONCE = 200
_YEARS = range(1970, 9000)
_RATINGS = {rating.value: rating for rating in Rating}


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What is searched for, and as it was given."""

    query: Query
    values: dict[str, str]

    @property
    def address(self) -> str:
        return urlencode(self.values)

    def given(self, name: str) -> str:
        """What a field of the form holds."""
        return self.values.get(name, "")


class SearchArea:
    """``/search``."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._search = SqlSearch(parts.engine)
        self._saved = SqlSavedFilters(parts.engine)

    def routes(self) -> list[Route]:
        """What it answers."""
        return [
            get("/search", Right.READ_CALLS, self.found),
            post("/search/filters", Right.READ_CALLS, self.save),
            post("/search/filters/{number}/remove", Right.READ_CALLS, self.remove),
            post("/search/export", Right.EXPORT, self.export),
        ]

    async def found(self, ask: Ask) -> web.Response:
        """Turns in which every term is said, the newest first; nothing is looked for without a term."""
        wanted = self._wanted(ask.query, ask.scope(Right.READ_CALLS))
        before = ask.query.get("before", "")
        hits, following, wrong = list[Hit](), None, False
        if wanted.values.get("text"):
            try:
                at = int(before) if before.isascii() and before.isdecimal() and len(before) < 18 else None
                page = await self._search.search(wanted.query, before=at, limit=_HITS)
                hits, following = list(page.hits), page.before
                await self._note(ask, AccessKind.SEARCH, f"{len(wanted.query.text)} letters", hits)
            except SearchError:
                wrong = True
        return self._parts.painter.page(
            ask,
            "calls/search.html.j2",
            wanted=wanted,
            hits=hits,
            wrong=wrong,
            older=f"/search?{urlencode({**wanted.values, 'before': str(following)})}" if following else None,
            newest=f"/search?{wanted.address}" if before else None,
            saved=await self._saved.of(ask.who.login, PAGE),
            may_export=ask.who.may(Right.EXPORT),
            failed=ask.query.get("failed", ""),
            **self._written(ask, wanted),
        )

    async def save(self, ask: Ask) -> web.Response:
        """Keep the search under a name."""
        wanted = self._told(ask)
        name = " ".join(ask.form.get("name", "").split())
        try:
            if not name.isprintable():
                raise StorageRefused("a name is made of letters")
            await self._saved.save(ask.who.login, PAGE, name, wanted.address, self._parts.clock.now())
        except StorageRefused:
            return _back(wanted, "save")
        return _back(wanted)

    async def remove(self, ask: Ask) -> web.Response:
        """Remove one of the asker's own saved searches."""
        number = ask.params["number"]
        if number.isascii() and number.isdecimal() and len(number) < 16:
            await self._saved.remove(ask.who.login, int(number))
        return seen_elsewhere("/search")

    async def export(self, ask: Ask) -> web.Response:
        """What is found as a file, masked; the reason and every call in it are on record before."""
        wanted = self._told(ask)
        kind = "xlsx" if ask.form.get("kind") == "xlsx" else "csv"
        reason = " ".join(ask.form.get("reason", "").split())[:300]
        if not reason:
            return _back(wanted, "reason")
        try:
            hits, more = await self._all(wanted.query)
            await self._note(ask, AccessKind.EXPORT, f"{reason} (search, {kind})", hits)
        except (AccessDenied, SearchError):
            return _back(wanted, "reason")
        texts = ask.texts
        columns = [texts(f"column.{name}") for name in _COLUMNS]
        rows: list[list[Cell]] = [
            [
                hit.arrived_at,
                str(hit.call_id),
                self._section(hit.section, texts.language),
                hit.agent or "",
                "" if hit.rating is Rating.NONE else texts(f"rating.{hit.rating}"),
                texts(f"leg.{hit.leg}"),
                round(hit.start_s, 2),
                hit.text,
            ]
            for hit in hits
        ]
        notes = [texts("search.left_out", number=_MOST_HITS)] if more else []
        sheet = Sheet("transcripts", [*columns, texts("column.words")], rows, notes)
        return await answer(sheet, kind, self._parts.zone)

    async def _all(self, query: Query) -> tuple[list[Hit], bool]:
        """As many as a file takes, and whether there are more."""
        hits, before = list[Hit](), None
        while True:
            page = await self._search.search(query, before=before, limit=_AT_ONCE)
            hits += page.hits
            before = page.before
            if before is None or len(hits) >= _MOST_HITS:
                return hits, before is not None

    async def _note(self, ask: Ask, kind: AccessKind, reason: str, hits: Sequence[Hit]) -> None:
        """That somebody searched, and whose words they are shown; not what for, which may be a name."""
        login = ask.who.login
        calls = dict.fromkeys(hit.call_id for hit in hits)
        read = [Access(login, AccessKind.READ, f"found by {kind}", call_id) for call_id in calls]
        await self._parts.accesses.note_all([Access(login, kind, reason), *read])

    def _told(self, ask: Ask) -> _Wanted:
        values = dict(parse_qsl(ask.form.get("query", ""), max_num_fields=100))
        return self._wanted(values, ask.scope(Right.EXPORT if "kind" in ask.form else Right.READ_CALLS))

    def _wanted(self, given: Any, scope: Scope) -> _Wanted:
        values = {name: given.get(name, "").strip() for name in _FIELDS}
        values = {name: value[: LONGEST + 1] for name, value in values.items() if value and value.isprintable()}
        legs = {leg.value: leg for leg in SPOKEN_LEGS}
        query = Query(
            text=values.get("text", ""),
            section=SectionId(values["section"]) if "section" in values else None,
            agent=AgentNumber(values["agent"]) if "agent" in values else None,
            rating=_RATINGS.get(values.get("rating", "")),
            speaker=legs.get(values.get("speaker", "")),
            since=_midnight(values.get("from", ""), 0, self._parts.zone),
            until=_midnight(values.get("to", ""), 1, self._parts.zone),
            scope=scope,
        )
        return _Wanted(query, values)

    def _section(self, section: str | None, language: str) -> str:
        names = self._parts.sections.get(SectionId(section or ""), {})
        return {str(tag): name for tag, name in names.items()}.get(language, section or "")

    def _written(self, ask: Ask, wanted: _Wanted) -> dict[str, Any]:
        language, zone = ask.texts.language, self._parts.zone
        try:
            terms: Sequence[str] = wanted.query.terms
        except SearchError:
            terms = ()
        return {
            "length": clock,
            "pieces": lambda text: pieces(text, terms),
            "to_second": lambda at: moment(at, zone),
            "section_name": lambda section: self._section(section, language),
            "sections": [(section, self._section(section, language)) for section in self._parts.sections],
            "agents": [(agent, self._parts.painter.names.agent(agent)) for agent in self._parts.roster],
            "ratings": [(rating, ask.texts(f"rating.{rating}")) for rating in Rating],
            "speakers": [(leg, ask.texts(f"leg.{leg}")) for leg in (Leg.CALLER, Leg.AGENT)],
        }


def _back(wanted: _Wanted, failed: str = "") -> web.Response:
    values = wanted.values | ({"failed": failed} if failed else {})
    return seen_elsewhere(f"/search?{urlencode(values)}")


def _midnight(text: str, days: int, zone: ZoneInfo) -> datetime | None:
    """Midnight of a local day, or of one some days later; ``None`` for what is no day."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return datetime.combine(day + timedelta(days), time(), zone) if day.year in _YEARS else None
