"""What K4, K7 and promises kept count: inquiries, complaints, steps and call-backs, within reach, by pages."""

from __future__ import annotations

from aiohttp import web

from calls.callbacks import PromisePlace
from calls.case_book import CountedPlace
from calls.custody import AccessKind
from calls.desk import masked
from calls.people import Right
from console.ask import Ask
from console.call_filters import CASES_BEHIND, PROMISES_BEHIND, figure_asked
from console.cases.books import CaseBooks
from console.cases.view import Naming
from console.parts import Parts
from console.routes import Route, get
from storage.case_counted import Cohorts, SqlCaseCounted
from storage.promises_counted import SqlPromisesCounted

_LINES = 50


class CountedArea:
    """``/cases/counted`` and ``/callbacks/counted``."""

    def __init__(self, parts: Parts) -> None:
        self._books = CaseBooks.of(parts)
        self._parts = parts
        self._promises = SqlPromisesCounted(parts.engine)
        self._counted = SqlCaseCounted(parts.engine, Cohorts(parts.zone, parts.quality.workdays))

    def routes(self) -> list[Route]:
        """What it answers."""
        return [
            get(CASES_BEHIND, Right.READ_CASES, self.listed),
            get(PROMISES_BEHIND, Right.FILE_CASES, self.promises),
        ]

    async def listed(self, ask: Ask) -> web.Response:
        """One page of one side of a figure. 404 for a figure that counts no cases."""
        wanted = figure_asked(ask.query, self._parts.zone, self._parts.figures.catalogue)
        if wanted is None or not wanted.counted.of_cases:
            raise web.HTTPNotFound
        told = f"behind {wanted.kpi.id} {wanted.side} {wanted.period.label} {wanted.slice.section or ''}"
        await self._books.note(ask, AccessKind.LIST_CASES, told.strip())
        place = CountedPlace.parse(ask.query.get("behind", ""))
        page = await self._counted.page(
            wanted.counted,
            wanted.period,
            wanted.slice,
            ask.scope(Right.READ_CASES),
            self._parts.clock.now(),
            behind=place,
            limit=_LINES,
        )
        sections = self._books.section_names(ask.texts.language)
        return self._parts.painter.page(
            ask,
            "cases/counted.html.j2",
            wanted=wanted,
            page=page,
            paged=place is not None,
            query=ask.query,
            naming=Naming(ask.texts, self._books.catalogue, sections, self._parts.zone),
        )

    async def promises(self, ask: Ask) -> web.Response:
        """One page of the call-backs behind one side of a figure (A5). 404 for a figure that counts none."""
        wanted = figure_asked(ask.query, self._parts.zone, self._parts.figures.catalogue)
        if wanted is None or not wanted.counted.of_promises:
            raise web.HTTPNotFound
        place = PromisePlace.parse(ask.query.get("behind", ""))
        scope = ask.scope(Right.FILE_CASES)
        page = await self._promises.page(
            wanted.counted, wanted.period, wanted.slice, scope, behind=place, limit=_LINES
        )
        sections = self._books.section_names(ask.texts.language)
        return self._parts.painter.page(
            ask,
            "desk/counted.html.j2",
            wanted=wanted,
            page=page,
            paged=place is not None,
            query=ask.query,
            masked=masked,
            sections=sections,
        )
