"""What the pages of cases are made from."""

from __future__ import annotations

from dataclasses import dataclass

from calls.case import Case
from calls.cases import CaseNumber, Login, parse_number
from calls.custody import Access, AccessKind
from calls.errors import CaseUnknown
from calls.ids import Language, SectionId
from calls.inquiries import Inquiry, WorkOrder
from calls.people import Right
from cases.catalogue import Catalogue
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

    async def may_own(self, login: Login) -> bool:
        """Whether there is such a person, and they may read cases."""
        account = await self.parts.doorkeeper.people.find(login) if login else None
        return account is not None and account.enabled and account.person.may(Right.READ_CASES)

    def section_names(self, language: Language) -> dict[SectionId, str]:
        """All sections by name."""
        return {section: names.get(language) or section for section, names in self.parts.sections.items()}

    def sections(self, ask: Ask, right: Right) -> list[tuple[str, str]]:
        """The sections that a right reaches, for a choice."""
        scope = ask.scope(right)
        names = self.section_names(ask.texts.language)
        return [(section, name) for section, name in names.items() if scope.covers(section)]


def number_in(ask: Ask) -> CaseNumber:
    """The number in the address. Raises CaseUnknown for what is none."""
    number = CaseNumber(ask.params["number"])
    if parse_number(number) is None or number != number.upper():
        raise CaseUnknown(number)
    return number


def login_of(ask: Ask) -> Login:
    """Who writes."""
    return Login(ask.who.login)
