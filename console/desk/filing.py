"""Files what the wrap-up form said: each kind into the books that it belongs to."""

from __future__ import annotations

from calls.case_book import OrderBook
from calls.case_events import CaseRegistered
from calls.errors import AccessDenied, NumberRefused
from calls.filing import DeskFiling, Outcome, UnfiledCall
from calls.ids import AgentNumber
from calls.people import Person, Right
from calls.ports import Clock
from cases.office import CaseOffice, Incomplete
from console.desk.ports import CallbackDesk, DeskBooks, NotFiled
from console.desk.wrap_up import KINDS, CallbackWanted, Filing, InquiryFiled, Problem, Wrong


class Filer:
    """See ``console.desk.ports.FilingDesk``."""

    def __init__(
        self, office: CaseOffice, orders: OrderBook, books: DeskBooks, callbacks: CallbackDesk, clock: Clock
    ) -> None:
        self._office = office
        self._orders = orders
        self._books = books
        self._callbacks = callbacks
        self._clock = clock

    async def file(self, filing: Filing, call: UnfiledCall, agent: AgentNumber, key: str, person: Person) -> str:
        """See ``console.desk.ports.FilingDesk.file``."""
        key = f"desk/{call.call_id}/{key}"
        match filing:
            case CaseRegistered():
                try:
                    return (await self._office.register(filing, key, person)).number
                except Incomplete as error:
                    raise NotFiled(tuple(_problem(each.field, each.wrong) for each in error.faults)) from error
            case InquiryFiled():
                if not person.scope(Right.FILE_CASES).covers(filing.inquiry.section):
                    raise AccessDenied("no right to file for this section")
                made = await self._orders.file(filing.inquiry, key, filing.dispatch)
                return made.work_order or made.number
            case CallbackWanted():
                return await self._promise(filing, call, agent, person)
            case DeskFiling():
                await self._books.file(filing)
                return filing.outcome
        raise AssertionError("there are no other kinds")

    async def _promise(self, wanted: CallbackWanted, call: UnfiledCall, agent: AgentNumber, person: Person) -> str:
        try:
            promised = await self._callbacks.promise(call, wanted.contact, wanted.due_at)
        except NumberRefused as error:
            raise NotFiled((Problem("contact", Wrong.UNKNOWN),)) from error
        await self._books.file(
            DeskFiling(
                call_id=call.call_id,
                outcome=Outcome.CALLBACK,
                at=self._clock.now(),
                by=person.login,
                agent=agent,
                ref=str(promised.number),
                remark=wanted.remark,
            )
        )
        return Outcome.CALLBACK


def _problem(field: str, wrong: str) -> Problem:
    """What the office found wrong, in the form's words."""
    known = {
        "missing": Wrong.MISSING,
        "too_long": Wrong.TOO_LONG,
        "in_past": Wrong.PAST,
        "in_future": Wrong.FUTURE,
    }
    return Problem(field if field in KINDS else "content", known.get(wrong, Wrong.UNKNOWN))
