"""The access log for administrators: who saw what of this caller, and when (P1, P4). To look is itself noted."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta

from aiohttp import web

from calls.custody import Access, AccessKind
from calls.ids import CallId
from calls.people import Right
from console.ask import Ask
from console.call_names import call_names
from console.painter import address, seen_elsewhere
from console.parts import Parts
from console.routes import Route, get, post
from storage.access_search import AccessQuery, SqlAccessSearch

_LINES = 50
_LONGEST = 100
_FIELDS = ("caller", "call", "case", "actor", "kind", "since", "until")
_SHOWN_DIGITS = 4


class AccessLogArea:
    """One page: the question in its address, its answer in pages."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._search = SqlAccessSearch(parts.engine)

    def routes(self) -> list[Route]:
        """What it answers."""
        needs = Right.READ_ACCESS_LOG
        return [get("/access-log", needs, self.page), post("/access-log", needs, self.search)]

    async def page(self, ask: Ask) -> web.Response:
        """The entries that the address asks for, the newest first."""
        return await self._page(
            ask, {name: _plain(ask.query.get(name, "")) for name in _FIELDS if name != "caller"}
        )

    async def search(self, ask: Ask) -> web.Response:
        """A caller's number stays out of addresses, which browsers and proxies keep; all else has one."""
        asked = {name: _plain(ask.form.get(name, "")) for name in _FIELDS}
        if asked["caller"]:
            return await self._page(ask, asked, ask.form.get("before", ""))
        return seen_elsewhere(address("/access-log", **asked))

    async def _page(self, ask: Ask, asked: dict[str, str], before: str = "") -> web.Response:
        asked = {"caller": "", **asked}
        query, wrong = self._query(asked)
        before = before or ask.query.get("before", "")
        entries = []
        if not wrong:
            await self._note(ask, asked)
            number = int(before) if before.isdecimal() and len(before) < 19 else None
            entries = await self._search.page(query, before=number, limit=_LINES + 1)
        shown = entries[:_LINES]
        return self._parts.painter.page(
            ask,
            "people/access_log.html.j2",
            status=400 if wrong else 200,
            asked=asked,
            wrong=wrong,
            entries=shown,
            call_names=await call_names(self._parts, ask.texts, [entry.access.call_id for entry in shown]),
            kinds=[(kind.value, ask.texts.named("access_kind", kind.value)) for kind in AccessKind],
            first=address("/access-log", ask.query, before="") if before else "",
            more=shown[-1].number if len(entries) > _LINES else None,
        )

    async def _note(self, ask: Ask, asked: Mapping[str, str]) -> None:
        """What was asked for; of a caller's number the last digits are enough to know it again."""
        told = {name: value for name, value in asked.items() if value}
        if "caller" in told:
            told["caller"] = "…" + told["caller"][-_SHOWN_DIGITS:]
        words = ", ".join(f"{name} {value}" for name, value in told.items()) or "everything"
        call_id = CallId(asked["call"]) if asked["call"] else None
        await self._parts.accesses.note(Access(ask.who.login, AccessKind.SEE_LOG, words[:300], call_id))

    def _query(self, asked: Mapping[str, str]) -> tuple[AccessQuery, str]:
        """The question, and the field that cannot be read."""
        days: dict[str, datetime | None] = {}
        for name, later in (("since", 0), ("until", 1)):
            try:
                days[name] = self._midnight(asked[name], later) if asked[name] else None
            except (ValueError, OverflowError):
                return AccessQuery(), name
        kind = AccessKind(asked["kind"]) if asked["kind"] in list(AccessKind) else None
        return (
            AccessQuery(
                call_id=CallId(asked["call"]) if asked["call"] else None,
                caller=asked["caller"] or None,
                case=asked["case"].upper() or None,
                actor=asked["actor"] or None,
                kind=kind,
                **days,
            ),
            "",
        )

    def _midnight(self, text: str, later: int) -> datetime:
        """The day's beginning for people here; ``later`` days on, so that ``until`` takes its day in."""
        day = date.fromisoformat(text) + timedelta(days=later)
        return datetime.combine(day, time(), self._parts.zone)


def _plain(text: str) -> str:
    """What a log may hold, and a database look for."""
    return "".join(letter for letter in text.strip() if letter.isprintable())[:_LONGEST]
