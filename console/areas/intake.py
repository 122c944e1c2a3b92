"""``/form``: complaints and questions over the web, and how far they are; for anyone, without JavaScript (C1, C2).

What comes in is registered at once, so C2's clock is kept; a form that is sent twice is one matter. Whoever floods
it is refused by number of matters from one address and in all. A form that looks like a machine's is not thrown
away: a real complaint must not be lost, so it comes back with its words and asks to be sent again.
"""

from __future__ import annotations

import hmac
import logging
import secrets
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import PurePosixPath

from aiohttp import web

from calls.attachments import LARGEST
from calls.case_events import CaseRegistered
from calls.cases import CaseNumber, ComplaintType, Login, State, parse_number
from calls.custody import Access, AccessKind
from calls.errors import AttachmentRefused, CaseConflict, CustodyError
from calls.inquiries import OrderDispatched, OrderState
from calls.people import Right, Role
from console.ask import Ask
from console.intake.looking import Looking, network
from console.intake.ports import WEB, IntakeTerms
from console.intake.reading import Typed, Wrong, complaint, question
from console.intake.seal import Mark, Sealer
from console.painter import seen_elsewhere
from console.parts import Parts
from console.routes import Open, Route, get
from storage.cases import SqlCases
from storage.intake import Receipt, SqlIntakeCounts, SqlReceipts
from storage.work_orders import SqlOrders

log = logging.getLogger(__name__)

COMPLAINT, QUESTION = "complaint", "question"
TRAP = "website"
"""A field that people do not see; machines fill it in."""

_FILES = 3
"""Of a complaint."""
_LARGEST = _FILES * LARGEST + 256 * 1024
_HOUR = timedelta(hours=1)
_SUPERVISORS = 200

_PROGRESS: Mapping[State | OrderState, str] = {
    State.REGISTERED: "received",
    State.FORWARDED: "in_hand",
    State.REVIEW: "in_hand",
    State.IN_WORK: "in_hand",
    State.DISSATISFIED: "in_hand",
    State.DONE: "settled",
    State.REPORTED: "settled",
    State.FED_BACK: "told",
    State.FOLLOWED_UP: "told",
    State.CLOSED: "closed",
    OrderState.OPEN: "received",
    OrderState.ACCEPTED: "in_hand",
    OrderState.DONE: "settled",
    OrderState.ANSWERED: "told",
    OrderState.CANCELLED: "closed",
}
"""General words, and no more: whoever knows a number and four digits learns no names and no contents (P1)."""


class IntakeArea:
    """The public form."""

    def __init__(self, parts: Parts, terms: IntakeTerms) -> None:
        self._parts = parts
        self._terms = terms
        self._sealer = Sealer()
        self._cases = SqlCases(parts.engine, parts.zone, parts.case_clocks)
        self._orders = SqlOrders(parts.engine, parts.zone)
        self._counts = SqlIntakeCounts(parts.engine)
        self._looking = Looking(self._counts)
        self._receipts = SqlReceipts(parts.engine)

    def routes(self) -> list[Route]:
        """What it answers; nothing, where the form is turned off."""
        if not self._terms.enabled:
            return []
        kind = f"/form/{{kind:{COMPLAINT}|{QUESTION}}}"
        return [
            get("/form", Open.ANYONE, self.choose),
            get(kind, Open.ANYONE, self.form),
            Route(method="POST", path=kind, needs=Open.ANYONE, handler=self.send, largest_body=_LARGEST),
            get("/form/receipt", Open.ANYONE, self.receipt),
            get("/form/status", Open.ANYONE, self.status_form),
            Route(method="POST", path="/form/status", needs=Open.ANYONE, handler=self.status, largest_body=4096),
        ]

    async def choose(self, ask: Ask) -> web.Response:
        """Complaint, question, or how far it is."""
        return self._parts.painter.page(ask, "intake/choose.html.j2", hotline=self._terms.hotline)

    # ── The form ─────────────────────────────────────────────────────────────────────────────────────────────

    async def form(self, ask: Ask) -> web.Response:
        """The form, empty."""
        return self._form(ask, {}, {})

    def _form(
        self,
        ask: Ask,
        values: Mapping[str, str],
        faults: Mapping[str, Wrong],
        *,
        trouble: str = "",
        status: int = 200,
    ) -> web.Response:
        now, kind, language = self._parts.clock.now(), ask.params["kind"], ask.texts.language
        catalogue = self._parts.case_catalogue
        leaves = [each for each in catalogue.offered(self._terms.questions) if each.is_leaf]
        return self._parts.painter.page(
            ask,
            "intake/form.html.j2",
            status=status,
            kind=kind,
            values=values,
            faults=faults,
            trouble=trouble,
            trap=TRAP,
            mark=self._sealer.mark(_purpose(ask, kind), now),
            types=list(ComplaintType),
            categories=[(each.id, catalogue.category_name(each.id, language)) for each in leaves],
            files=range(1, _FILES + 1),
            largest_mb=LARGEST >> 20,
            had_files=any(file.body for file in ask.uploads.values()),
            latest=now.astimezone(self._parts.zone).strftime("%Y-%m-%dT%H:%M"),
            hotline=self._terms.hotline,
        )

    async def send(self, ask: Ask) -> web.Response:
        """Register it, or say what is wrong; nothing that was typed is lost."""
        kind, now = ask.params["kind"], self._parts.clock.now()
        values = {name: text for name, text in ask.form.items() if name not in ("csrf", "mark", TRAP)}
        mark = self._sealer.read(_purpose(ask, kind), ask.form.get("mark", ""), now)
        trouble = self._odd(ask, mark, now)
        if trouble or mark is None:
            return self._form(ask, values, {}, trouble=trouble, status=422)
        typed = Typed(values, self._parts.zone)
        matter = await self._read(ask, kind, typed, now)
        if typed.faults:
            return self._form(ask, values, typed.faults, trouble="incomplete", status=422)
        if await self._too_many(ask, now):
            return self._form(ask, values, {}, trouble="too_many", status=429)
        await self._parts.accesses.note(Access(WEB, AccessKind.CHANGE_CASE, f"a {kind} came over the web"))
        try:
            number = await self._register(matter, f"web {mark.id}")
        except CaseConflict:  # sent before, with other words or at another time
            sent = await self._sent_before(matter, f"web {mark.id}")
            if sent is None:
                return self._form(ask, values, {}, trouble="sent_before", status=409)
            number = sent
        await self._looking.known(number, network(ask.remote), now)
        left_out = await self._attach(ask, number) if kind == COMPLAINT else []
        if left_out:
            return self._receipt(ask, number, left_out)
        ticket = self._sealer.mark("receipt", now, number)
        return seen_elsewhere(f"/form/receipt?ticket={ticket}&lang={ask.texts.language}")

    async def _read(self, ask: Ask, kind: str, typed: Typed, now: datetime) -> CaseRegistered | OrderDispatched:
        """What was written, as the books take it; what is wrong with it is in ``typed.faults``."""
        language = ask.texts.language
        if kind == COMPLAINT:
            return complaint(typed, self._terms, await self._owner(), language, now)
        asked = question(typed, self._terms, self._parts.case_catalogue, language, now)
        when = asked.due_at.astimezone(self._parts.zone).strftime("%Y-%m-%d %H:%M")
        return replace(asked, promise=ask.texts("intake.promise", when=when))

    async def _register(self, matter: CaseRegistered | OrderDispatched, key: str) -> CaseNumber:
        """Its number; the same key again gives the same one. Raises CaseConflict, StorageError."""
        if isinstance(matter, CaseRegistered):
            return (await self._cases.register(matter, key)).number
        return (await self._orders.dispatch(matter, key)).number

    async def _attach(self, ask: Ask, number: CaseNumber) -> list[tuple[str, str]]:
        """Keep the files; those that could not be kept, and why. The complaint itself stands already.

        A form that was sent twice has its files once.
        """
        files, left_out = [each for each in ask.uploads.values() if each.body], list[tuple[str, str]]()
        if not files or await self._parts.attachments.of_case(number):
            return []
        for file in files[:_FILES]:
            try:
                await self._parts.attachments.add(number, file.name, file.body, WEB)
            except AttachmentRefused as refused:
                left_out.append((_bare_name(file.name), refused.why))
            except CustodyError as error:
                log.error("form.file_not_kept", extra={"reason": str(error)})
                left_out.append((_bare_name(file.name), "later"))
        return left_out + [(_bare_name(file.name), "many") for file in files[_FILES:]]

    async def _sent_before(self, matter: CaseRegistered | OrderDispatched, key: str) -> CaseNumber | None:
        """The number of the same words of the same person, sent twice; ``None``: they have changed since."""
        number = await self._receipts.of_key(key)
        if number is None:
            return None
        if isinstance(matter, CaseRegistered):
            case = await self._cases.case(number)
            same = (case.content, case.contact, case.name) == (matter.content, matter.contact, matter.name)
        else:
            order = await self._orders.order(number)
            same = (order.content, order.contact, order.name) == (matter.content, matter.contact, matter.name)
        return number if same else None

    def _odd(self, ask: Ask, mark: Mark | None, now: datetime) -> str:
        """Why a form is not taken as it came; empty if nothing is odd."""
        if mark is None:
            return "over"
        if ask.form.get(TRAP, "") or ask.form.getall("mark")[1:]:
            return "machine"
        return "too_soon" if mark.too_soon(now) else ""

    async def _too_many(self, ask: Ask, now: datetime) -> bool:
        if await self._counts.tick("form", network(ask.remote), now, _HOUR) > self._terms.most_by_address:
            return True
        return await self._counts.tick("form", "all", now, _HOUR) > self._terms.most

    async def _owner(self) -> Login | None:
        """Whose it is from its first moment: as set, or the first supervisor of the section itself, or of all."""
        people = self._parts.doorkeeper.people
        if self._terms.owner:
            account = await people.find(self._terms.owner)
            if account is not None and account.enabled:
                return self._terms.owner
        section = self._terms.complaints
        found = [
            account
            for account in await people.page(limit=_SUPERVISORS, role=Role.SUPERVISOR)
            if account.enabled and account.person.scope(Right.REVIEW_CASES).covers(section)
        ]
        found.sort(key=lambda account: account.person.scope(Right.REVIEW_CASES).everything)
        return Login(found[0].login) if found else None

    # ── Receipt and progress ─────────────────────────────────────────────────────────────────────────────────

    async def receipt(self, ask: Ask) -> web.Response:
        """The number, for who has just sent the form."""
        mark = self._sealer.read("receipt", ask.query.get("ticket", ""), self._parts.clock.now())
        if mark is None or parse_number(mark.id) is None:
            return seen_elsewhere("/form/status")
        return self._receipt(ask, mark.id, [])

    def _receipt(self, ask: Ask, number: str, left_out: list[tuple[str, str]]) -> web.Response:
        return self._parts.painter.page(
            ask, "intake/receipt.html.j2", number=number, left_out=left_out, hotline=self._terms.hotline
        )

    async def status_form(self, ask: Ask) -> web.Response:
        """Asks for the number and the last four digits."""
        return self._status(ask, ask.query.get("number", "")[:30])

    async def status(self, ask: Ask) -> web.Response:
        """How far it is, in general words. A wrong number and wrong digits are answered alike."""
        now = self._parts.clock.now()
        typed = ask.form.get("number", "").strip().upper()[:30]
        digits = ask.form.get("digits", "").strip()[:10]
        sender = network(ask.remote)
        if await self._looking.refused(typed, sender, now):
            return self._status(ask, typed, trouble="locked", status=429)
        receipt = await self._receipts.find(CaseNumber(typed if parse_number(typed) else "TS0000-00000"))
        if not _is_theirs(receipt, digits):
            return self._status(ask, typed, trouble="no_match", status=404)
        assert receipt is not None
        await self._looking.right(typed, sender, now)
        reason = f"{receipt.number}: progress, by number and last digits"
        await self._parts.accesses.note(Access(WEB, AccessKind.READ_CASE, reason))
        return self._parts.painter.page(
            ask,
            "intake/progress.html.j2",
            receipt=receipt,
            progress=_PROGRESS[receipt.state],
            hotline=self._terms.hotline,
        )

    def _status(self, ask: Ask, number: str, *, trouble: str = "", status: int = 200) -> web.Response:
        return self._parts.painter.page(
            ask,
            "intake/status.html.j2",
            status=status,
            number=number,
            trouble=trouble,
            hotline=self._terms.hotline,
        )


def _bare_name(name: str) -> str:
    return PurePosixPath(name.replace("\\", "/")).name[:60]


_NOBODYS = secrets.token_hex(2)


def _is_theirs(receipt: Receipt | None, digits: str) -> bool:
    """Whether the digits are the last four of the contact; as long as it takes, whatever is compared."""
    held = receipt.contact_key if receipt else ""
    last = held[-4:] if held[-4:].isdecimal() and len(held) >= 7 else _NOBODYS
    same = hmac.compare_digest(last.encode(), digits.encode("utf-8", "replace"))
    return same and receipt is not None and last is not _NOBODYS


def _purpose(ask: Ask, kind: str) -> str:
    """A mark is for one form and for one visitor."""
    return f"form {kind} {ask.csrf}"
