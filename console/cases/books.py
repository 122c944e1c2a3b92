"""What the pages of cases are made from."""

from __future__ import annotations

from dataclasses import dataclass

from calls.case import Case
from calls.case_events import AnyCaseEvent, CaseReassigned, HandOverOffered
from calls.cases import CaseNumber, Login, parse_number
from calls.custody import Access, AccessKind
from calls.errors import CaseUnknown
from calls.ids import Language, SectionId
from calls.inquiries import Inquiry, WorkOrder
from calls.people import Right, Role
from cases.catalogue import Catalogue
from cases.flow import Fault, Wrong
from cases.office import CaseOffice
from cases.orders import OrderOffice
from console.ask import Ask
from console.parts import Parts
from storage.callbacks import SqlCallbacks
from storage.case_drafts import SqlDrafts, SqlNotices
from storage.case_lists import SqlCaseLists
from storage.case_statistics import SqlCaseStatistics
from storage.case_tallies import SqlCaseTallies
from storage.cases import SqlCases
from storage.ledger import SqlLedger
from storage.work_orders import SqlOrders


@dataclass(frozen=True, slots=True)
class CaseBooks:
    """The ledger of cases behind the console; of the engine's loop."""

    parts: Parts
    catalogue: Catalogue
    cases: SqlCases
    orders: SqlOrders
    lists: SqlCaseLists
    notices: SqlNotices
    drafts: SqlDrafts
    statistics: SqlCaseStatistics
    office: CaseOffice
    ledger: SqlLedger
    tallies: SqlCaseTallies
    callbacks: SqlCallbacks
    order_office: OrderOffice

    @classmethod
    def of(cls, parts: Parts) -> CaseBooks:
        """Over the parts' engine."""
        engine, zone = parts.engine, parts.zone
        cases, orders = SqlCases(engine, zone, parts.case_clocks), SqlOrders(engine, zone)
        return cls(
            parts,
            parts.case_catalogue,
            cases,
            orders,
            SqlCaseLists(engine),
            SqlNotices(engine),
            SqlDrafts(engine),
            SqlCaseStatistics(engine, parts.clock),
            CaseOffice(cases, parts.case_catalogue, parts.clock),
            SqlLedger(engine),
            SqlCaseTallies(engine, zone, parts.quality.workdays, parts.clock),
            SqlCallbacks(engine),
            OrderOffice(orders, parts.case_catalogue, parts.clock),
        )

    async def note(self, ask: Ask, kind: AccessKind, what: str) -> None:
        """On record before anything is shown (P1, P4). Raises StorageUnavailable."""
        await self.parts.accesses.note(Access(ask.who.login, kind, what[:300]))

    async def case(self, ask: Ask) -> Case:
        """The complaint of the address, if it is within reach; on record. Raises CaseUnknown."""
        case = await self.office.seen(number_in(ask), ask.who)
        await self.note(ask, AccessKind.READ_CASE, case.number)
        return case

    async def order(self, ask: Ask) -> WorkOrder:
        """The work order of the address, if it is within reach; on record. Raises CaseUnknown."""
        order = await self.order_office.order(number_in(ask), ask.who)
        await self.note(ask, AccessKind.READ_CASE, order.number)
        return order

    async def inquiry(self, ask: Ask) -> Inquiry:
        """The inquiry of the address, if it is within reach; on record. Raises CaseUnknown."""
        inquiry = await self.order_office.inquiry(number_in(ask), ask.who)
        await self.note(ask, AccessKind.READ_CASE, inquiry.number)
        return inquiry

    async def takers(self, case: Case) -> list[tuple[str, str]]:
        """Who a case may be handed to (C8), login and name: who works on its section's cases, but its owner."""
        found = await self.parts.doorkeeper.people.holding(_TAKES, case.section)
        return [(each.login, f"{each.name} ({each.login})") for each in found if each.login != case.owner]

    async def taker_fault(self, case: Case, event: AnyCaseEvent) -> list[Fault]:
        """What is wrong with whom a line hands the case to; nothing, for other lines and the right people."""
        if not isinstance(event, HandOverOffered | CaseReassigned):
            return []
        if not event.to:
            return [Fault("to", Wrong.MISSING)]
        may = event.to in dict(await self.takers(case)) or event.to == case.owner  # the latter the flow refuses
        return [] if may else [Fault("to", Wrong.MAY_NOT)]

    def section_names(self, language: Language) -> dict[SectionId, str]:
        """All sections by name."""
        return {section: names.get(language) or section for section, names in self.parts.sections.items()}

    def sections(self, ask: Ask, right: Right) -> list[tuple[str, str]]:
        """The sections that a right reaches, for a choice."""
        scope = ask.scope(right)
        names = self.section_names(ask.texts.language)
        return [(section, name) for section, name in names.items() if scope.covers(section)]


_TAKES = (Role.AGENT, Role.SUPERVISOR)
"""Roles of the centre that file or work on a section's cases; a department answers for its steps alone."""


def number_in(ask: Ask) -> CaseNumber:
    """The number in the address. Raises CaseUnknown for what is none."""
    number = CaseNumber(ask.params["number"])
    if parse_number(number) is None or number != number.upper():
        raise CaseUnknown(number)
    return number


def login_of(ask: Ask) -> Login:
    """Who writes."""
    return Login(ask.who.login)
