"""The ledger of complaints: lists, the page of one, and every line that may be written into it (C3 to C9)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any

from aiohttp import web

from calls.case import Case
from calls.case_book import CaseQuery
from calls.case_events import NoteAdded
from calls.cases import CaseNumber, DepartmentId, State
from calls.custody import AccessKind
from calls.errors import AccessDenied, CaseConflict, CaseRefused, CaseUnknown, SearchError
from calls.ids import CallId
from calls.people import Right
from cases.flow import ACTORS, allowed
from cases.office import Incomplete
from console.ask import Ask
from console.call_names import call_names
from console.cases.acts import FORMS, as_it_is, event_of
from console.cases.attached import attached
from console.cases.books import CaseBooks, login_of
from console.cases.calling import Calling, calling
from console.cases.fields import Filled
from console.cases.view import Naming, clock, row_clock
from console.painter import seen_elsewhere
from console.parts import Parts
from console.routes import Route, get, post

_LINES = 50
_FILTERS = ("section", "department", "owner", "type", "cause", "place", "answer", "channel")
_OPEN, _ALL = "open", "all"


class CasesArea:
    """``/cases`` and below."""

    def __init__(self, parts: Parts) -> None:
        self._books = CaseBooks.of(parts)
        self._parts = parts

    def routes(self) -> list[Route]:
        """What it answers."""
        one = "/cases/{number:TS[0-9-]+}"
        return [
            get("/cases", Right.READ_CASES, self.ledger),
            get("/inbox", Right.READ_CASES, self.inbox),
            get(one, Right.READ_CASES, self.case),
            post(f"{one}/{{kind}}", Right.READ_CASES, self.write),
        ]

    # ── Lists ────────────────────────────────────────────────────────────────────────────────────────────────

    async def ledger(self, ask: Ask) -> web.Response:
        """The ledger, filtered, a page at a time."""
        after, trouble = ask.query.get("after") or None, ""
        query = self._query(ask)
        told = " ".join(f"{name}={value}" for name, value in ask.query.items() if value and name != "text")
        await self._books.note(ask, AccessKind.LIST_CASES, f"complaints {told}".strip())
        try:
            page = await self._books.lists.page(query, after=after, limit=_LINES)
        except SearchError:
            trouble = "case_list.cannot_search"
            page = await self._books.lists.page(replace(query, text=""), limit=_LINES)
        return self._parts.painter.page(
            ask,
            "cases/list.html.j2",
            status=400 if trouble else 200,
            rows=self._rows(ask, page.rows),
            after=page.after,
            paged=after is not None,
            trouble=trouble,
            states_named=[(state.value, ask.texts(f"case_state.{state.value}")) for state in State],
            may_file=ask.who.may(Right.FILE_CASES),
            counts=await self._books.lists.counts(replace(query, text="", states=frozenset(), open_only=False)),
            **self._words(ask),
        )

    async def inbox(self, ask: Ask) -> web.Response:
        """What waits for this person: notices, what they own or are asked to take, departments' steps."""
        scope, login = ask.scope(Right.READ_CASES), login_of(ask)
        await self._books.note(ask, AccessKind.LIST_CASES, "complaints that wait for me")
        mine = CaseQuery(scope=scope, login=login, owner=login, open_only=True)
        units = [unit for unit in scope.sections if self._books.catalogue.has_department(unit)]
        departments = []
        for unit in sorted(units):
            query = CaseQuery(scope=scope, login=login, department=DepartmentId(unit), states=_OF_DEPARTMENTS)
            departments.append((unit, self._rows(ask, (await self._books.lists.page(query, limit=_LINES)).rows)))
        offered = CaseQuery(scope=scope, login=login, offered_to=login)
        return self._parts.painter.page(
            ask,
            "cases/inbox.html.j2",
            notices=await self._books.notices.unseen(ask.who),
            mine=self._rows(ask, (await self._books.lists.page(mine, limit=_LINES)).rows),
            offered=self._rows(ask, (await self._books.lists.page(offered, limit=_LINES)).rows),
            departments=departments,
            **self._words(ask),
        )

    def _query(self, ask: Ask) -> CaseQuery:
        """The question of an address; what means nothing is not asked."""
        told: dict[str, Any] = {name: ask.query.get(name) or None for name in _FILTERS}
        state = ask.query.get("state", _ALL if ask.query.get("since") else _OPEN)
        if state in list(State):
            told["states"] = frozenset({State(state)})
        now = self._parts.clock.now()
        return CaseQuery(
            scope=ask.scope(Right.READ_CASES),
            login=login_of(ask),
            open_only=state == _OPEN,
            text=ask.query.get("text", "").replace("\0", ""),
            since=self._day(ask.query.get("since", "")),
            until=self._day(ask.query.get("until", "")),
            late_at=now if ask.query.get("late") else None,
            due_before=now + timedelta(days=1) if ask.query.get("soon") else None,
            again=bool(ask.query.get("again")),
            registered_late=True if ask.query.get("registered_late") else None,
            **told,
        )

    def _day(self, text: str) -> datetime | None:
        """The beginning of a local day."""
        try:
            return datetime.combine(datetime.fromisoformat(text).date(), time(), self._parts.zone).astimezone(UTC)
        except ValueError:
            return None

    def _rows(self, ask: Ask, rows: Any) -> list[tuple[Any, Any]]:
        now, zone = self._parts.clock.now(), self._parts.zone
        return [(row, row_clock(row, now, zone, ask.texts)) for row in rows]

    # ── One ──────────────────────────────────────────────────────────────────────────────────────────────────

    async def case(self, ask: Ask) -> web.Response:
        """One complaint: facts, clocks, history, and what this reader may do now."""
        try:
            case = await self._books.case(ask)
        except CaseUnknown:
            return self._parts.painter.refusal(ask, 404)
        await self._books.notices.seen(case.number, self._parts.clock.now(), login_of(ask))
        return await self._page(ask, case)

    async def write(self, ask: Ask) -> web.Response:
        """One line for its history. Whatever goes wrong, what was typed comes back."""
        try:
            case = await self._books.case(ask)
        except CaseUnknown:
            return self._parts.painter.refusal(ask, 404)
        kind, filled = ask.params["kind"], Filled.of(ask.form, self._parts.zone)
        if kind not in ACTORS:
            return self._parts.painter.refusal(ask, 404)
        told = filled.text("version")
        version = int(told) if told.isascii() and told.isdigit() and len(told) < 8 else 0
        event = event_of(kind, filled, self._parts.clock.now(), login_of(ask))
        filled.faults += await self._books.taker_fault(case, event)
        try:
            if filled.faults:
                raise Incomplete(tuple(filled.faults))
            await self._books.note(ask, AccessKind.CHANGE_CASE, f"{case.number} {kind}")
            await self._books.office.write(case.number, version, event, ask.who)
        except Incomplete as error:
            filled.faults = list(error.faults)
            return await self._page(ask, case, kind, filled, status=422)
        except CaseConflict:
            return await self._again(ask, case.number, kind, filled, version, "case_page.conflict")
        except CaseRefused:
            return await self._again(ask, case.number, kind, filled, version, "case_page.not_now")
        except AccessDenied:
            return self._parts.painter.refusal(ask, 403)
        return seen_elsewhere(f"/cases/{case.number}", "case_page.written")

    async def _again(
        self, ask: Ask, number: CaseNumber, kind: str, filled: Filled, version: int, trouble: str
    ) -> web.Response:
        """The case as it stands now, beside what this person wanted to write."""
        case = await self._books.office.seen(number, ask.who)
        return await self._page(ask, case, kind, filled, status=409, trouble=trouble, seen=version)

    async def _page(
        self,
        ask: Ask,
        case: Case,
        open_kind: str = "",
        filled: Filled | None = None,
        *,
        status: int = 200,
        trouble: str = "",
        seen: int | None = None,
    ) -> web.Response:
        now, words = self._parts.clock.now(), self._words(ask)
        naming: Naming = words["naming"]
        naming.takers = await self._books.takers(case)
        paused = case.pause.until if case.pause and case.paused(now) else None
        steps = [
            (standing, clock(standing, now, paused, self._parts.zone, ask.texts))
            for standing in self._parts.case_clocks(case)
        ]
        forms = []
        offered = allowed(case, ask.who, now)
        for kind in offered:
            own = filled if kind == open_kind and filled else Filled({}, self._parts.zone)
            if own is not filled:
                as_it_is(case, kind, own)
            forms.append((kind, FORMS[kind], own))
        lost = filled if filled and open_kind not in offered else None
        return self._parts.painter.page(
            ask,
            "cases/case.html.j2",
            status=status,
            case=case,
            call_names=await call_names(self._parts, ask.texts, [CallId(link.ref) for link in case.links]),
            steps=steps[::-1],
            paused=paused,
            history=naming.lines(await self._books.cases.history(case.number), seen),
            notices=await self._books.notices.of_case(case.number),
            calling=await self._calling(ask, case),
            forms=forms,
            open_kind=open_kind,
            trouble=trouble,
            lost=_words_of(lost) if lost else "",
            may_note=NoteAdded.kind in offered,
            may_dispatch=ask.scope(Right.FILE_CASES).covers(case.section),
            **await attached(self._parts, ask, case.number),
            **words,
        )

    async def _calling(self, ask: Ask, case: Case) -> Calling:
        listed = await self._books.callbacks.of_case(case.number)
        return calling(case, listed, self._parts.calling.numbers, ask.texts)

    def _words(self, ask: Ask) -> dict[str, Any]:
        """What every template of cases needs."""
        sections = self._books.section_names(ask.texts.language)
        naming = Naming(ask.texts, self._books.catalogue, sections, self._parts.zone)
        return {
            "naming": naming,
            "query": ask.query,
            "sections": list(sections.items()),
            "now": self._parts.clock.now(),
        }


_OF_DEPARTMENTS = frozenset({State.FORWARDED, State.IN_WORK, State.DONE})


def _words_of(filled: Filled) -> str:
    """Everything that was typed into a form that is not offered any more, as one text."""
    left = {name: text for name, text in filled.values.items() if text.strip() and name != "version"}
    return "\n".join(left.values())
