"""What K4, K7 and promises kept count: inquiries, complaints, steps and call-backs, within reach, by pages.

Who must trust a figure sees what it counts (``SEE_COUNTED``): number, times, section, agent, result; no name, no
content. A line opens for who may read the matter, or its call.
"""

from __future__ import annotations

from aiohttp import web

from calls.callbacks import PromisePlace
from calls.case_book import CountedPlace
from calls.custody import AccessKind
from calls.desk import masked
from calls.people import Right
from console.ask import Ask
from console.call_filters import CASES_BEHIND, PROMISES_BEHIND, FigureAsked, figure_asked
from console.call_names import call_names
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
            get(CASES_BEHIND, Right.SEE_COUNTED, self.listed),
            get(PROMISES_BEHIND, Right.SEE_COUNTED, self.promises),
        ]

    async def listed(self, ask: Ask) -> web.Response:
        """One page of one side of a figure. 404 for a figure that counts no cases."""
        wanted = figure_asked(ask.query, self._parts.zone, self._parts.figures.catalogue)
        if wanted is None or not wanted.counted.of_cases:
            raise web.HTTPNotFound
        await self._books.note(ask, AccessKind.LIST_CASES, _told(wanted))
        place = CountedPlace.parse(ask.query.get("behind", ""))
        page = await self._counted.page(
            wanted.counted,
            wanted.period,
            wanted.slice,
            ask.scope(Right.SEE_COUNTED),
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
            opens=ask.scope(Right.READ_CASES).covers,
            hears=ask.scope(Right.READ_CALLS).covers,
            call_names=await call_names(self._parts, ask.texts, [line.call_id for line in page.lines]),
        )

    async def promises(self, ask: Ask) -> web.Response:
        """One page of the call-backs behind one side of a figure (A5). 404 for a figure that counts none."""
        wanted = figure_asked(ask.query, self._parts.zone, self._parts.figures.catalogue)
        if wanted is None or not wanted.counted.of_promises:
            raise web.HTTPNotFound
        place = PromisePlace.parse(ask.query.get("behind", ""))
        await self._books.note(ask, AccessKind.LIST_CASES, _told(wanted))
        scope, files = ask.scope(Right.SEE_COUNTED), ask.scope(Right.FILE_CASES)
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
            opens=lambda section: ask.who.may(Right.FILE_CASES) and (section is None or files.covers(section)),
            hears=ask.scope(Right.READ_CALLS).covers,
            call_names=await call_names(self._parts, ask.texts, [each.call_id for each in page.promises]),
        )


def _told(wanted: FigureAsked) -> str:
    """What the access log says of it."""
    return f"behind {wanted.kpi.id} {wanted.side} {wanted.period.label} {wanted.slice.section or ''}".strip()
