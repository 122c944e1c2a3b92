"""Registering complaints and filing inquiries that reach us otherwise than by a call at the desk (C1, A7, C10)."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Any

from aiohttp import web

from calls.case_book import Draft, InquiryQuery
from calls.case_events import CaseRegistered
from calls.cases import (
    CaseNumber,
    CategoryId,
    CauseId,
    Channel,
    ComplaintType,
    Importance,
    Urgency,
)
from calls.custody import AccessKind
from calls.errors import AccessDenied, CaseConflict, CaseRefused, CaseUnknown, SearchError, StorageRefused
from calls.ids import CallId, SectionId, is_unique_id
from calls.inquiries import FINAL_AFTER, Inquiry
from calls.measures import ALL_CALLS, Slice
from calls.people import Right
from calls.periods import Grain, Period
from calls.ports import Ratio, Tally
from cases.flow import LONGEST, LONGEST_LINE, Fault, Wrong
from cases.office import Incomplete
from console.ask import Ask
from console.cases.books import login_of
from console.cases.fields import Filled, no_form
from console.cases.forms import ADDRESSES, COMPLAINT, INQUIRY, FilingForms, dispatched, must
from console.painter import seen_elsewhere
from console.routes import Route, get, post
from storage.case_tallies import REPEATED_WITHIN

_LINES = 50


class FilingArea(FilingForms):
    """``/cases/new``, ``/inquiries`` and the drafts of both."""

    def routes(self) -> list[Route]:
        """What it answers."""
        one, file = "/inquiries/{number:ZX[0-9-]+}", Right.FILE_CASES
        return [
            get("/cases/new", file, self.new_complaint),
            post("/cases/new", file, self.register),
            get("/inquiries/new", file, self.new_inquiry),
            post("/inquiries/new", file, self.file),
            post("/drafts", file, self.save),
            post("/drafts/drop", file, self.drop),
            get("/inquiries", Right.READ_CASES, self.ledger),
            get(one, Right.READ_CASES, self.inquiry),
            post(f"{one}/dispatch", file, self.dispatch),
        ]

    # ── Forms and drafts ─────────────────────────────────────────────────────────────────────────────────────

    async def new_complaint(self, ask: Ask) -> web.Response:
        """The form of a complaint, empty or as a draft left it."""
        return await self.begin(ask, COMPLAINT)

    async def new_inquiry(self, ask: Ask) -> web.Response:
        """The form of an inquiry, empty or as a draft left it."""
        return await self.begin(ask, INQUIRY)

    async def save(self, ask: Ask) -> web.Response:
        """Keep what was typed so far; by itself while somebody types, or by the button."""
        draft, form = ask.form.get("draft", "")[:60], ask.form.get("form", "")
        if not draft or form not in ADDRESSES:
            return self._parts.painter.refusal(ask, 400)
        fields = {name: text.replace("\0", "") for name, text in ask.form.items() if name not in _NOT_KEPT}
        now = self._parts.clock.now()
        try:
            await self._books.drafts.save(Draft(draft, login_of(ask), form, fields, now, fields.get("call_id")))
        except (CaseRefused, StorageRefused):
            return self._parts.painter.refusal(ask, 400)
        if ask.partial:
            return self._parts.painter.page(ask, "cases/saved.html.j2", at=now)
        return seen_elsewhere(f"{ADDRESSES[form]}?draft={draft}", "case_form.kept")

    async def drop(self, ask: Ask) -> web.Response:
        """A draft is not wanted any more."""
        await self._books.drafts.drop(ask.form.get("draft", ""), login_of(ask))
        return seen_elsewhere(ADDRESSES.get(ask.form.get("form", ""), "/cases/new"))

    # ── Complaints ───────────────────────────────────────────────────────────────────────────────────────────

    async def register(self, ask: Ask) -> web.Response:
        """Take a complaint in. What is missing is said field by field, and nothing that was typed is lost."""
        filled, draft = Filled.of(ask.form, self._parts.zone), ask.form.get("draft", "")[:60]
        event = await self._complaint(ask, filled)
        try:
            if filled.faults or not draft:
                raise Incomplete(tuple(filled.faults))
            await self._books.note(ask, AccessKind.CHANGE_CASE, "a complaint is registered")
            case = await self._books.office.register(event, f"{ask.who.login} {draft}", ask.who)
        except Incomplete as error:
            filled.faults = [*filled.faults, *error.faults]
            key = draft or secrets.token_urlsafe(12)
            return await self.form(ask, COMPLAINT, filled, key, status=422, trouble="case_form.incomplete")
        except CaseConflict:
            key = secrets.token_urlsafe(12)
            return await self.form(ask, COMPLAINT, filled, key, status=409, trouble="case_form.sent_before")
        except AccessDenied:
            return self._parts.painter.refusal(ask, 403)
        await self._books.drafts.drop(draft, login_of(ask))
        return seen_elsewhere(f"/cases/{case.number}", "case_form.registered")

    async def _complaint(self, ask: Ask, filled: Filled) -> CaseRegistered:
        now, text = self._parts.clock.now(), filled.text
        cause, category, call = filled.optional("cause"), filled.optional("category"), filled.optional("call_id")
        if call and not is_unique_id(call):
            filled.faults.append(Fault("call_id", Wrong.UNKNOWN))
        arrived = filled.needed("arrived_at", now)
        return CaseRegistered(
            at=now,
            by=login_of(ask),
            channel=filled.choice("channel", Channel, Channel.COUNTER),
            arrived_at=await self._arrival(call) or arrived,
            name=text("name"),
            contact=text("contact"),
            occurred_at=filled.moment("occurred_at"),
            place=text("place"),
            content=text("content"),
            section=SectionId(text("section")),
            type=filled.choice("type", ComplaintType, ComplaintType.OTHER),
            cause=CauseId(cause) if cause else None,
            category=CategoryId(category) if category else None,
            urgency=filled.choice("urgency", Urgency, Urgency.ORDINARY),
            importance=filled.choice("importance", Importance, Importance.ORDINARY),
            key_customer=filled.checked("key_customer"),
            call_id=CallId(call) if call else None,
        )

    async def _arrival(self, call_id: str | None) -> datetime | None:
        """When the call arrived, as the ledger has it: not as somebody types it (C2)."""
        if not call_id or not is_unique_id(call_id):
            return None
        call = await self._books.ledger.call(CallId(call_id))
        return call.arrived_at if call else None

    # ── Inquiries ────────────────────────────────────────────────────────────────────────────────────────────

    async def file(self, ask: Ask) -> web.Response:
        """File an inquiry: answered at once, or dispatched with a promise (A5, C10)."""
        filled, draft = Filled.of(ask.form, self._parts.zone), ask.form.get("draft", "")[:60]
        inquiry = self._inquiry(ask, filled)
        dispatch = dispatched(filled, inquiry.section, self._parts.clock.now(), self._books, ask)
        if not filled.checked("dispatch"):
            dispatch = None
            must(filled, "answer", LONGEST)
        if filled.faults or not draft:
            key = draft or secrets.token_urlsafe(12)
            return await self.form(ask, INQUIRY, filled, key, status=422, trouble="case_form.incomplete")
        if not ask.scope(Right.FILE_CASES).covers(inquiry.section):
            return self._parts.painter.refusal(ask, 403)
        await self._books.note(ask, AccessKind.CHANGE_CASE, "an inquiry is filed")
        try:
            filed = await self._books.orders.file(inquiry, f"{ask.who.login} {draft}", dispatch)
        except CaseConflict:
            key = secrets.token_urlsafe(12)
            return await self.form(ask, INQUIRY, filled, key, status=409, trouble="case_form.sent_before")
        await self._books.drafts.drop(draft, login_of(ask))
        return seen_elsewhere(f"/inquiries/{filed.number}", "case_form.filed")

    def _inquiry(self, ask: Ask, filled: Filled) -> Inquiry:
        now, text = self._parts.clock.now(), filled.text
        asked = filled.needed("arrived_at", now)
        if asked > now:
            filled.faults.append(Fault("arrived_at", Wrong.IN_FUTURE))
        must(filled, "content", LONGEST)
        if not self._books.catalogue.has_category(text("category")):
            filled.faults.append(Fault("category", Wrong.UNKNOWN if text("category") else Wrong.MISSING))
        for name in ("name", "contact"):
            if len(text(name)) > LONGEST_LINE:
                filled.faults.append(Fault(name, Wrong.TOO_LONG))
        return Inquiry(
            number=CaseNumber(""),
            asked_at=asked,
            filed_at=now,
            filed_by=login_of(ask),
            channel=filled.choice("channel", Channel, Channel.COUNTER),
            section=SectionId(text("section")),
            category=CategoryId(text("category")),
            content=text("content"),
            answer="" if filled.checked("dispatch") else text("answer"),
            name=text("name"),
            contact=text("contact"),
            agent=ask.who.agent,
        )

    async def ledger(self, ask: Ask) -> web.Response:
        """Inquiries, the last first."""
        await self._books.note(ask, AccessKind.LIST_CASES, "inquiries")
        dispatched_only = {"yes": True, "no": False}.get(ask.query.get("dispatched", ""))
        query = InquiryQuery(
            scope=ask.scope(Right.READ_CASES),
            category=ask.query.get("category") or None,
            dispatched=dispatched_only,
            text=ask.query.get("text", "").replace("\0", ""),
        )
        before = ask.query.get("before") or None
        trouble = ""
        try:
            found, before = await self._books.orders.inquiries(query, before=before, limit=_LINES)
        except SearchError:
            found, before, trouble = [], None, "case_list.cannot_search"
        return self._parts.painter.page(
            ask,
            "cases/inquiries.html.j2",
            status=400 if trouble else 200,
            found=found,
            before=before,
            trouble=trouble,
            **await self._month(ask),
            **self.words(ask),
        )

    async def _month(self, ask: Ask) -> dict[str, Any]:
        """K4 of this month, and the repeated contacts beside it; of the reader's section, or of all (K4)."""
        month = Period.containing(self._parts.clock.now(), Grain.MONTH, self._parts.zone)
        scope = ask.scope(Right.READ_CASES)
        slice = ALL_CALLS if scope.everything else Slice(section=min(scope.sections, default=""))
        (told,) = await self._books.tallies.tallies([month], slice)
        inquiries, became = (told[None].of(each) for each in (Tally.INQUIRIES, Tally.DISPATCHED))
        return {
            "month": Ratio(round(inquiries - became), round(inquiries)),
            "month_label": month.label,
            "month_of": slice.section,
            "repeats": await self._books.tallies.repeats(month, slice),
            "within_days": REPEATED_WITHIN.days,
        }

    async def inquiry(self, ask: Ask) -> web.Response:
        """One inquiry."""
        try:
            inquiry = await self._books.inquiry(ask)
        except CaseUnknown:
            return self._parts.painter.refusal(ask, 404)
        return await self._inquiry_page(ask, inquiry, no_form({}, self._parts.zone))

    async def dispatch(self, ask: Ask) -> web.Response:
        """It was not answered after all: a work order is made of it (C10)."""
        try:
            inquiry = await self._books.inquiry(ask)
        except CaseUnknown:
            return self._parts.painter.refusal(ask, 404)
        filled, now = Filled.of(ask.form, self._parts.zone), self._parts.clock.now()
        filled.values |= {"content": inquiry.content, "category": inquiry.category}
        filled.values |= {"contact": inquiry.contact, "name": inquiry.name}
        event = dispatched(filled, inquiry.section, now, self._books, ask, call_id=inquiry.call_id)
        if filled.faults or event is None:
            return await self._inquiry_page(ask, inquiry, filled, status=422)
        await self._books.note(ask, AccessKind.CHANGE_CASE, f"{inquiry.number} is dispatched")
        try:
            order = await self._books.orders.dispatch_later(inquiry.number, event)
        except CaseRefused:
            return await self._inquiry_page(ask, inquiry, filled, status=409, trouble="case_form.final")
        return seen_elsewhere(f"/orders/{order.number}", "case_form.dispatched")

    async def _inquiry_page(
        self, ask: Ask, inquiry: Inquiry, filled: Filled, *, status: int = 200, trouble: str = ""
    ) -> web.Response:
        may = ask.scope(Right.FILE_CASES).covers(inquiry.section)
        final = self._parts.clock.now() - inquiry.counted_at > FINAL_AFTER
        return self._parts.painter.page(
            ask,
            "cases/inquiry.html.j2",
            status=status,
            inquiry=inquiry,
            filled=filled,
            errors=filled.errors(),
            trouble=trouble,
            may_dispatch=may and not final and inquiry.work_order is None,
            **self.words(ask),
        )


_NOT_KEPT = frozenset({"csrf", "draft", "form"})
