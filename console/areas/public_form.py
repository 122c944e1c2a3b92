"""Complaints over the web, without an account and without JavaScript, and how far one has come (C1, C2).

Spam is kept out by what people do not notice: a field that nobody sees, a form that was opened before it is sent
and not a second ago, and so many from one address. How far a matter has come is told to who knows its number and
the last four digits of the telephone, in general words.
"""

from __future__ import annotations

import hmac
import logging
from dataclasses import replace
from datetime import timedelta
from pathlib import PurePosixPath

from aiohttp import web

from calls.attachments import LARGEST
from calls.case import Case
from calls.case_events import CaseRegistered
from calls.cases import CaseNumber, Channel, ComplaintType, Login, Series, State, contact_key, parse_number
from calls.custody import Access, AccessKind
from calls.errors import AttachmentRefused, CaseUnknown, CustodyError
from calls.ids import SectionId
from calls.people import Grant, Person, Role
from cases.flow import Fault, Wrong
from cases.office import Incomplete
from console.ask import Ask, Upload
from console.cases.books import CaseBooks
from console.cases.fields import Filled
from console.parts import Parts
from console.proofs import Proof, Proofs
from console.routes import Open, Route, get
from console.throttle import Throttle

log = logging.getLogger(__name__)

SOONEST_S = 3.0
"""Between opening the form and sending it."""
_SECTION = SectionId("complaint")
_TRAP = "website"
"""A field that nobody sees: who fills it in is no person."""
_WEB = Person("service:web", "web", (Grant(Role.SUPERVISOR),))
_MOST_FILES = 3
_LAST = 4
_FORMS = (5, 600.0)
_LOOKS = (10, 60.0)
_GUESSES = (5, 1800.0)
"""Permits at once, and seconds for one more: forms and looks by address, wrong digits by number."""

_PROGRESS = {
    State.REGISTERED: "received",
    State.FORWARDED: "looked_into",
    State.REVIEW: "looked_into",
    State.IN_WORK: "in_work",
    State.DONE: "in_work",
    State.REPORTED: "answer_soon",
    State.FED_BACK: "answered",
    State.FOLLOWED_UP: "answered",
    State.DISSATISFIED: "in_work",
    State.CLOSED: "closed",
}
"""In general words: nothing of what the centre and the departments tell each other."""


class PublicForm:
    """``/form`` and ``/form/status``."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._books = CaseBooks.of(parts)
        self._proofs = Proofs(parts.clock, SOONEST_S)
        self._forms = Throttle(*_FORMS, parts.clock)
        self._looks = Throttle(*_LOOKS, parts.clock)
        self._guesses = Throttle(*_GUESSES, parts.clock)

    def routes(self) -> list[Route]:
        """What it answers."""
        largest = _MOST_FILES * LARGEST + 256 * 1024
        return [
            get("/form", Open.ANYONE, self.form),
            Route(method="POST", path="/form", needs=Open.ANYONE, handler=self.send, largest_body=largest),
            get("/form/status", Open.ANYONE, self.status),
            Route(method="POST", path="/form/status", needs=Open.ANYONE, handler=self.look),
        ]

    # ── The form ─────────────────────────────────────────────────────────────────────────────────────────────

    async def form(self, ask: Ask) -> web.Response:
        """An empty form."""
        return self._form(ask, Filled({}, self._parts.zone))

    async def send(self, ask: Ask) -> web.Response:
        """Register it; whatever is wrong, the form comes back as it was filled in."""
        filled = Filled.of(ask.form, self._parts.zone)
        files = [each for each in ask.uploads.values() if each.body][:_MOST_FILES]
        if filled.text(_TRAP):
            return self._form(ask, filled, trouble="public_trouble.again", status=400)
        proof = self._proofs.look(ask.form.get("proof", ""))
        if proof is not Proof.GOOD:
            return self._form(ask, filled, trouble=f"public_trouble.{proof.value}", status=409)
        event = replace(self._event(ask, filled), owner=await self._owner())
        faults = self._faults(filled)
        if faults:
            filled.faults += faults
            return self._form(ask, filled, trouble="public_trouble.fields", status=422, had_files=bool(files))
        wait_s = self._forms.wait_s(ask.remote)
        if wait_s:
            page = self._form(ask, filled, trouble="public_trouble.often", status=429, had_files=bool(files))
            page.headers["Retry-After"] = str(wait_s)
            return page
        try:
            case = await self._books.office.register(event, f"web {ask.form.get('proof', '')}", _WEB)
        except Incomplete as error:
            filled.faults += error.faults
            return self._form(ask, filled, trouble="public_trouble.fields", status=422, had_files=bool(files))
        left_out = await self._attach(case, files)
        return self._parts.painter.page(
            ask, "public/receipt.html.j2", number=case.number, at=case.registered_at, left_out=left_out
        )

    def _event(self, ask: Ask, filled: Filled) -> CaseRegistered:
        now = self._parts.clock.now()
        return CaseRegistered(
            at=now,
            by=Login(_WEB.login),
            channel=Channel.WEB,
            arrived_at=now,
            name=filled.text("name"),
            contact=filled.text("contact"),
            occurred_at=filled.moment("occurred_at"),
            place=filled.text("place"),
            content=filled.text("content"),
            section=_SECTION,
            language=ask.texts.language,
            type=filled.choice("type", ComplaintType, ComplaintType.OTHER),
        )

    async def _owner(self) -> Login | None:
        """Whose it is from its first moment (C8): a supervisor of the section, else of the whole centre.

        Where there is none it is the form's own, and what it waits for is told to roles all the same.
        """
        found = await self._parts.doorkeeper.people.page(limit=500, role=Role.SUPERVISOR)
        for grant in (Grant(Role.SUPERVISOR, _SECTION), Grant(Role.SUPERVISOR)):
            for account in found:
                if account.enabled and grant in account.person.grants:
                    return Login(account.login)
        return None

    def _faults(self, filled: Filled) -> list[Fault]:
        """What the counter would ask for, and a web form cannot know better: a telephone that can be rung."""
        wanted = ("content", "place", "name", "contact")
        found = [Fault(name, Wrong.MISSING) for name in wanted if not filled.text(name)]
        digits = [sign for sign in filled.text("contact") if sign.isascii() and sign.isdigit()]
        if filled.text("contact") and not 7 <= len(digits) <= 15:
            found.append(Fault("contact", Wrong.UNKNOWN))
        moment = filled.moment("occurred_at")
        if moment and moment > self._parts.clock.now() + timedelta(minutes=1):
            found.append(Fault("occurred_at", Wrong.IN_FUTURE))
        return [*found, *filled.faults]

    async def _attach(self, case: Case, files: list[Upload]) -> list[tuple[str, str]]:
        """Keep the files; names of those that could not be kept, and why. The complaint itself stands already."""
        left_out: list[tuple[str, str]] = []
        for file in files:
            name = PurePosixPath(file.name.replace("\\", "/")).name[:60]
            try:
                await self._parts.attachments.add(case.number, file.name, file.body, Login(_WEB.login))
            except AttachmentRefused as refused:
                left_out.append((name, refused.why))
            except CustodyError as error:
                log.error("form.file_not_kept", extra={"reason": str(error)})
                left_out.append((name, "later"))
        return left_out

    def _form(
        self, ask: Ask, filled: Filled, *, trouble: str = "", status: int = 200, had_files: bool = False
    ) -> web.Response:
        return self._parts.painter.page(
            ask,
            "public/form.html.j2",
            status=status,
            told=filled,
            errors=filled.errors(),
            trouble=trouble,
            had_files=had_files,
            types=[(each.value, ask.texts(f"case_type.{each.value}")) for each in ComplaintType],
            proof=self._proofs.make(),
            trap=_TRAP,
            most_files=_MOST_FILES,
            largest_mb=LARGEST >> 20,
        )

    # ── How far it has come ──────────────────────────────────────────────────────────────────────────────────

    async def status(self, ask: Ask) -> web.Response:
        """Ask for number and digits."""
        return self._status(ask)

    async def look(self, ask: Ask) -> web.Response:
        """Tell. A number that does not exist and digits that do not fit look the same, and take as long."""
        number, digits = ask.form.get("number", "").strip().upper(), ask.form.get("digits", "").strip()
        wait_s = self._looks.wait_s(ask.remote)
        if wait_s:
            page = self._status(ask, number=number, trouble="public_trouble.often", status=429)
            page.headers["Retry-After"] = str(wait_s)
            return page
        case = await self._known(number)
        told = contact_key(case.contact)[-_LAST:] if case else "none"
        fits = hmac.compare_digest(told.encode("utf-8", "replace"), digits.encode("utf-8", "replace"))
        if case is None or not fits or not digits.isdigit():
            if number and self._guesses.wait_s(number):
                return self._status(ask, number=number, trouble="public_trouble.often", status=429)
            return self._status(ask, number=number, trouble="public.unknown", status=404)
        if self._guesses.spent(number):  # so many wrong digits were tried that even right ones are not believed
            return self._status(ask, number=number, trouble="public_trouble.often", status=429)
        await self._parts.accesses.note(Access("web", AccessKind.READ_CASE, f"status of {case.number}"))
        return self._status(ask, number=number, case=case)

    async def _known(self, number: str) -> Case | None:
        parsed = parse_number(number)
        if parsed is None or parsed[0] is not Series.COMPLAINT:
            return None
        try:
            return await self._books.cases.case(CaseNumber(number))
        except CaseUnknown:
            return None

    def _status(
        self, ask: Ask, *, number: str = "", trouble: str = "", case: Case | None = None, status: int = 200
    ) -> web.Response:
        return self._parts.painter.page(
            ask,
            "public/status.html.j2",
            status=status,
            number=number or ask.query.get("number", "")[:20],
            trouble=trouble,
            case=case,
            progress=_PROGRESS[case.state] if case else "",
        )
