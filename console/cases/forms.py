"""What every form that files something shares: how it begins, its draft, what is asked of a work order."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Any

from aiohttp import web

from calls.cases import CategoryId, Channel, DepartmentId
from calls.ids import CallId, SectionId, is_unique_id
from calls.inquiries import OrderDispatched
from calls.people import Right
from cases.flow import LONGEST, Fault, Wrong
from console.ask import Ask
from console.cases.books import CaseBooks, login_of
from console.cases.fields import Filled, local_input, no_form
from console.cases.view import Naming
from console.parts import Parts

COMPLAINT, INQUIRY, ORDER = "complaint", "inquiry", "order"
_TEMPLATES = {
    COMPLAINT: "cases/new.html.j2",
    INQUIRY: "cases/new_inquiry.html.j2",
    ORDER: "cases/new_order.html.j2",
}
ADDRESSES = {COMPLAINT: "/cases/new", INQUIRY: "/inquiries/new", ORDER: "/orders/new"}


class FilingForms:
    """Begins and shows forms."""

    def __init__(self, parts: Parts) -> None:
        self._books = CaseBooks.of(parts)
        self._parts = parts

    async def begin(self, ask: Ask, form: str) -> web.Response:
        """The form, empty or as a draft left it."""
        wanted = ask.query.get("draft", "")
        draft = await self._books.drafts.draft(wanted, login_of(ask)) if wanted else None
        if draft and draft.form == form:
            return await self.form(ask, form, Filled(dict(draft.fields), self._parts.zone), draft.draft)
        sections = self._books.sections(ask, Right.FILE_CASES)
        first = next((value for value, _ in sections if value == form), sections[0][0] if sections else "")
        call = ask.query.get("call", "")
        values = {
            "arrived_at": local_input(self._parts.clock.now(), self._parts.zone),
            "channel": Channel.HOTLINE.value if call else Channel.COUNTER.value,
            "section": ask.query.get("section") or first,
            "call_id": call if is_unique_id(call) else "",
            "origin": ask.query.get("origin", "")[:20],
        }
        return await self.form(ask, form, no_form(values, self._parts.zone), secrets.token_urlsafe(12))

    async def form(
        self, ask: Ask, form: str, filled: Filled, draft: str, *, status: int = 200, trouble: str = ""
    ) -> web.Response:
        """The form with what was typed, and what is wrong with it."""
        return self._parts.painter.page(
            ask,
            _TEMPLATES[form],
            status=status,
            filled=filled,
            errors=filled.errors(),
            draft=draft,
            trouble=trouble,
            drafts=[each for each in await self._books.drafts.mine(login_of(ask)) if each.form == form],
            own_sections=self._books.sections(ask, Right.FILE_CASES),
            **self.words(ask),
        )

    def words(self, ask: Ask) -> dict[str, Any]:
        """What every template of cases needs."""
        sections = self._books.section_names(ask.texts.language)
        naming = Naming(ask.texts, self._books.catalogue, sections, self._parts.zone)
        return {"naming": naming, "query": ask.query, "sections": list(sections.items())}


def dispatched(
    filled: Filled,
    section: SectionId,
    now: datetime,
    books: CaseBooks,
    ask: Ask,
    *,
    call_id: CallId | None = None,
) -> OrderDispatched | None:
    """The work order that a form tells; what is missing is among the faults, if it is to be dispatched at all."""
    if not filled.checked("dispatch"):
        return None
    text = filled.text
    category = CategoryId(text("category"))
    usual = books.catalogue.categories.get(category)
    department = text("department") or (usual.department if usual and usual.department else "")
    if not books.catalogue.has_department(department):
        filled.faults.append(Fault("department", Wrong.UNKNOWN if department else Wrong.MISSING))
    must(filled, "promise", LONGEST)
    due = filled.moment("due_at")
    if due is None and not filled.text("due_at"):
        due = now + timedelta(hours=usual.due_hours) if usual and usual.due_hours else None
    if due is None:
        filled.faults.append(Fault("due_at", Wrong.MISSING))
    elif due <= now:
        filled.faults.append(Fault("due_at", Wrong.IN_PAST))
    if not text("contact"):
        filled.faults.append(Fault("contact", Wrong.MISSING))
    return OrderDispatched(
        at=now,
        by=login_of(ask),
        section=section,
        department=DepartmentId(department),
        category=category,
        content=text("content"),
        promise=text("promise"),
        due_at=due or now,
        name=text("name"),
        contact=text("contact"),
        call_id=call_id,
    )


def must(filled: Filled, name: str, longest: int) -> None:
    """A text that is missing, or too long, is among the faults."""
    told = filled.text(name)
    if not told:
        filled.faults.append(Fault(name, Wrong.MISSING))
    elif len(told) > longest:
        filled.faults.append(Fault(name, Wrong.TOO_LONG))
