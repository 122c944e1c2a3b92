"""Calls: lists with filters, also those behind a figure; files of them; and the page of one call (P1, P3)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qsl, urlencode

from aiohttp import web

from calls.call import Result
from calls.callbacks import Attempt
from calls.custody import Access, AccessKind
from calls.errors import AccessDenied, StorageRefused
from calls.events import AnyEvent, SurveyReasonGiven
from calls.ids import CallId, SectionId, attempt_of, is_unique_id, reason_of, subject_of
from calls.lists import CallLine, Place, Rating
from calls.people import Right
from calls.verdicts import Outcome
from console.ask import Ask
from console.call_filters import Asked, asked
from console.originals import Originals
from console.painter import seen_elsewhere
from console.parts import Parts
from console.player import Players
from console.player_keys import for_player
from console.routes import Route, get, post
from console.rule_names import rule_ids, rule_name
from console.sheets import MOST_ROWS, Cell, Sheet, answer
from console.shown import clock, masked_number, moment, seconds
from console.texts import LANGUAGES, Texts
from console.timeline import Step, attempt_course, timeline
from metrics.kpi.catalogue import Catalogue
from storage.call_lists import SqlCallLists
from storage.callbacks import SqlCallbacks
from storage.ledger import SqlLedger
from storage.saved_filters import SqlSavedFilters

PAGE = "calls"
COLUMNS = (
    *("arrived", "call", "caller", "section", "language", "agent", "result", "waited", "talk", "recorded"),
    *("rating", "broken"),
)
_LINES = 50
_AT_ONCE = 500
_MOST_LOOKS = 400
"""Pages that a file is made of at most: a filter that hardly any call passes must end as well."""
_MOST_COUNTED = 100_000


class CallsArea:
    """``/calls`` and below."""

    def __init__(self, parts: Parts, originals: Originals) -> None:
        self._parts = parts
        self._originals = originals
        self._lists = SqlCallLists(parts.engine)
        self._ledger = SqlLedger(parts.engine)
        self._callbacks = SqlCallbacks(parts.engine)
        self._saved = SqlSavedFilters(parts.engine)
        self._players = Players(parts, originals)

    def routes(self) -> list[Route]:
        """What it answers."""
        return [
            get("/calls", Right.READ_CALLS, self.listed),
            post("/calls/filters", Right.READ_CALLS, self.save),
            post("/calls/filters/{number}/remove", Right.READ_CALLS, self.remove),
            post("/calls/export", Right.EXPORT, self.export),
            get("/calls/{call_id}", Right.READ_CALLS, self.call),
            post("/calls/{call_id}/original", Right.HEAR_ORIGINAL, self.original),
        ]

    async def listed(self, ask: Ask) -> web.Response:
        """A page of calls, the newest first."""
        wanted = self._asked(ask)
        place = Place.parse(ask.query.get("behind", ""))
        page = await self._lists.page(wanted.calls, ask.scope(Right.READ_CALLS), behind=place, limit=_LINES)
        return self._parts.painter.page(
            ask,
            "calls/list.html.j2",
            wanted=wanted,
            page=page,
            older=f"/calls?{urlencode({**wanted.values, 'behind': str(page.behind)})}" if page.behind else None,
            newest=f"/calls?{wanted.query}" if place else None,
            of_offers=bool(wanted.calls.counted and wanted.calls.counted.of_offers),
            saved=await self._saved.of(ask.who.login, PAGE),
            may_export=ask.who.may(Right.EXPORT),
            failed=ask.query.get("failed", ""),
            **self._choices(ask.texts),
            **self._written(ask),
        )

    async def save(self, ask: Ask) -> web.Response:
        """Keep the filter under a name."""
        query = asked(
            dict(parse_qsl(ask.form.get("query", ""), max_num_fields=100)), self._parts.zone, self._catalogue
        ).query
        name = " ".join(ask.form.get("name", "").split())
        try:
            if not name.isprintable():
                raise StorageRefused("a name is made of letters")
            await self._saved.save(ask.who.login, PAGE, name, query, self._parts.clock.now())
        except StorageRefused:
            return seen_elsewhere(f"/calls?{query}{'&' if query else ''}failed=save")
        return seen_elsewhere(f"/calls?{query}")

    async def remove(self, ask: Ask) -> web.Response:
        """Remove one of the asker's own saved filters."""
        number = ask.params["number"]
        if number.isascii() and number.isdecimal() and len(number) < 16:
            await self._saved.remove(ask.who.login, int(number))
        return seen_elsewhere("/calls")

    async def export(self, ask: Ask) -> web.Response:
        """The list as a file, masked; on record, with the reason, before it is made."""
        wanted = asked(
            dict(parse_qsl(ask.form.get("query", ""), max_num_fields=100)), self._parts.zone, self._catalogue
        )
        kind = "xlsx" if ask.form.get("kind") == "xlsx" else "csv"
        reason = " ".join(ask.form.get("reason", "").split())
        try:
            if not reason:
                raise AccessDenied("a reason is needed")
            access = Access(ask.who.login, AccessKind.EXPORT, f"{reason[:300]} (calls, {kind})")
            await self._parts.accesses.note(access)
        except AccessDenied:
            return seen_elsewhere(f"/calls?{wanted.query}{'&' if wanted.query else ''}failed=reason")
        lines, left = await self._all(ask, wanted)
        texts = ask.texts
        notes = [texts("files.left_out", number=left)] if left else []
        columns = [texts(f"column.{name}") for name in COLUMNS]
        rows = [self._row(line, ask) for line in lines]
        return await answer(Sheet("calls", columns, rows, notes), kind, self._parts.zone)

    async def call(self, ask: Ask) -> web.Response:
        """One call: its player, its facts, its course."""
        line = await self._line(ask, Right.READ_CALLS)
        player = await self._players.view(ask, line)
        events = await self._ledger.events(line.call_id) if line.of_callback is None else []
        return self._parts.painter.page(
            ask,
            "calls/call.html.j2",
            line=line,
            player=player,
            course=await self._course(ask, line, events),
            called_back=await self._called_back(ask, line),
            why=reason_of(line.call_id) if any(isinstance(one, SurveyReasonGiven) for one in events) else "",
            may_hear_original=ask.scope(Right.HEAR_ORIGINAL).covers(line.section, line.agent),
            may_download=ask.scope(Right.DOWNLOAD).covers(line.section, line.agent),
            failed=ask.query.get("failed", ""),
            **for_player(ask.texts),
            **self._written(ask),
        )

    async def _course(self, ask: Ask, line: CallLine, events: Sequence[AnyEvent]) -> list[Step]:
        """What happened, in words."""
        texts, zone = ask.texts, self._parts.zone
        place = attempt_of(line.call_id)
        if place is None:
            return timeline(events, texts, zone, lambda section: self._section(section, texts))
        attempt = await self._callbacks.attempt(*place)
        return attempt_course(attempt, texts, zone) if attempt else []

    async def _called_back(self, ask: Ask, line: CallLine) -> list[Attempt]:
        """Attempts to call its caller back that the asker may hear."""
        if line.of_callback is not None:
            return []
        scope = ask.scope(Right.READ_CALLS)
        return [
            attempt
            for callback in await self._callbacks.of_call(subject_of(line.call_id))
            for attempt in await self._callbacks.attempts(callback.number)
            if scope.covers(callback.section, attempt.agent)
        ]

    async def original(self, ask: Ask) -> web.Response:
        """Leave for the original of one call, for a reason that is written down with every opening."""
        line = await self._line(ask, Right.HEAR_ORIGINAL)
        try:
            self._originals.give(ask, line.call_id, ask.form.get("reason", ""))
        except AccessDenied:
            return seen_elsewhere(f"/calls/{line.call_id}?failed=reason")
        return seen_elsewhere(f"/calls/{line.call_id}?original=1")

    @property
    def _catalogue(self) -> Catalogue:
        return self._parts.figures.catalogue

    def _asked(self, ask: Ask) -> Asked:
        return asked(ask.query, self._parts.zone, self._catalogue)

    async def _line(self, ask: Ask, right: Right) -> CallLine:
        """The call, if it is within reach; else 404, as for one that does not exist."""
        call_id = ask.params["call_id"]
        line = await self._lists.line(CallId(call_id), ask.scope(right)) if is_unique_id(call_id) else None
        if line is None:
            raise web.HTTPNotFound
        return line

    async def _all(self, ask: Ask, wanted: Asked) -> tuple[list[CallLine], int]:
        """Every line, up to as many as a file takes, and how many were left out (counted so far)."""
        scope, found, place = ask.scope(Right.EXPORT), list[CallLine](), None
        for _ in range(_MOST_LOOKS):
            page = await self._lists.page(wanted.calls, scope, behind=place, limit=_AT_ONCE)
            found += page.lines
            place = page.behind
            if place is None:
                return found, 0
            if len(found) >= MOST_ROWS:
                break
        left = await self._lists.count(wanted.calls, scope, behind=place, most=_MOST_COUNTED)
        return found, left

    def _row(self, line: CallLine, ask: Ask) -> list[Cell]:
        texts = ask.texts
        return [
            line.arrived_at,
            str(line.call_id),
            masked_number(line.caller),
            self._section(line.section, texts),
            texts.named("language", line.language) if line.language else "",
            line.agent or "",
            texts(f"result.{line.result}"),
            line.waited_s,
            line.talk_s,
            texts("column.yes") if line.has_recording else texts("column.no"),
            "" if line.rating is Rating.NONE else texts(f"rating.{line.rating}"),
            line.broken,
        ]

    def _section(self, section: str | None, texts: Texts) -> str:
        names = self._parts.sections.get(SectionId(section or ""), {})
        return names.get(texts.language, section or "")

    def _written(self, ask: Ask) -> dict[str, Any]:
        """How templates write things."""
        zone = self._parts.zone
        return {
            "length": clock,
            "seconds": seconds,
            "masked_number": masked_number,
            "to_second": lambda at: moment(at, zone),
            "section_name": lambda section: self._section(section, ask.texts),
        }

    def _choices(self, texts: Texts) -> dict[str, Any]:
        """What forms offer."""
        return {
            "sections": [(section, self._section(section, texts)) for section in self._parts.sections],
            "agents": [(agent, self._parts.painter.names.agent(agent)) for agent in self._parts.roster],
            "languages": [(tag, texts.named("language", tag)) for tag in LANGUAGES],
            "results": [(result, texts(f"result.{result}")) for result in Result],
            "ratings": [(rating, texts(f"rating.{rating}")) for rating in Rating],
            "outcomes": [(outcome, texts(f"outcome.{outcome}")) for outcome in Outcome],
            "rules": [(rule, rule_name(rule, texts.language)) for rule in rule_ids()],
        }
