"""The ledger of cases as an operator has set it up, and the task that looks at its clocks (C4, A5, I2)."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from sqlalchemy.ext.asyncio import AsyncEngine

from calls.case_book import Notice, Running
from calls.cases import Age, Step
from calls.errors import CaseRefused, StorageError
from calls.inquiries import OrderState, WorkOrder
from calls.people import Role
from calls.ports import Clock
from cases.catalogue import Catalogue, read_catalogue
from cases.clocks import Calendar, Clocks
from cases.special_days import read_special_days
from metrics import catalogue
from metrics.exporter import Exporter
from service.books import workdays_of_china
from service.settings import Settings
from storage.case_drafts import SqlCatalogues, SqlNotices
from storage.case_gauges import SqlCaseGauges
from storage.cases import SqlCases
from storage.work_orders import SqlOrders

log = logging.getLogger(__name__)

PROMISE = "promise"
"""What a work order waits for: the step of its notices."""

_BY_OWNER = frozenset({Step.FORWARD, Step.FEED_BACK, Step.FOLLOW_UP})
_BY_DEPARTMENT = frozenset({Step.OPINION, Step.WORK, Step.REPORT})
_CALENDAR_EVERY = timedelta(hours=1)


def clocks_of(settings: Settings) -> Clocks:
    """The operator's clocks. Raises SettingsError for a file of special days that cannot be read."""
    told = settings.cases
    special = read_special_days(told.special_days_file) if told.special_days_file else {}
    calendar = Calendar(settings.zone, workdays_of_china(), special, time.fromisoformat(told.cutoff))
    days = {
        Step.FORWARD: told.forward_days,
        Step.OPINION: told.opinion_days,
        Step.REVIEW: told.review_days,
        Step.REPORT: told.report_days,
        Step.FEED_BACK: told.feed_back_days,
        Step.FOLLOW_UP: told.follow_up_days,
        Step.CLOSE: told.close_days,
    }
    return Clocks(calendar, days, timedelta(hours=told.warn_hours))


def case_catalogue_of(settings: Settings) -> Catalogue:
    """Causes, departments and categories in force. Raises SettingsError."""
    return read_catalogue(settings.cases.catalogue_file)


@dataclass(frozen=True, slots=True)
class CaseLedger:
    """The books of cases, of one engine."""

    cases: SqlCases
    orders: SqlOrders
    notices: SqlNotices

    @classmethod
    def of(cls, settings: Settings, engine: AsyncEngine) -> CaseLedger:
        """Raises SettingsError."""
        zone = settings.zone
        return cls(SqlCases(engine, zone, clocks_of(settings)), SqlOrders(engine, zone), SqlNotices(engine))


class CaseKeeper:
    """Warns before a step is due, escalates after, reads clocks again when the calendar changes, and counts.

    What was told stands in the database, once: a restart tells nothing twice, and a clock that was set back tells
    nothing anew.
    """

    def __init__(self, settings: Settings, engine: AsyncEngine, exporter: Exporter, clock: Clock) -> None:
        self._settings = settings.cases
        self._ledger = CaseLedger.of(settings, engine)
        self._catalogue = case_catalogue_of(settings)
        self._catalogues = SqlCatalogues(engine)
        self._gauges = SqlCaseGauges(engine)
        self._exporter = exporter
        self._clock = clock
        self._read_at: datetime | None = None

    async def refresh(self) -> None:
        """Look once. What cannot be read now is looked at the next time."""
        try:
            now = self._clock.now()
            await self._read_clocks(now)
            await self.tell(now)
            await self._count(now)
        except StorageError as error:
            log.warning("cases.unavailable", extra={"reason": str(error)})

    async def tell(self, now: datetime) -> list[Notice]:
        """Write what somebody should know by now; what of it is new. Raises StorageError."""
        notices = [notice for step in await self._ledger.cases.running(now) for notice in self._of_step(step, now)]
        soon = now + timedelta(hours=self._settings.warn_hours)
        notices += [
            notice
            for order in await self._ledger.orders.promised_by(soon)
            for notice in self._of_order(order, now)
        ]
        new = await self._ledger.notices.tell(notices)
        for notice in new:
            event = "case.escalated" if notice.level else "case.warned"
            log.info(event, extra={"case": notice.number, "step": notice.step, "role": notice.role})
        return new

    async def _read_clocks(self, now: datetime) -> None:
        """At the start every clock, as the calendar may be another; then those that were not known."""
        first = self._read_at is None
        if self._read_at is not None and abs(now - self._read_at) < _CALENDAR_EVERY:
            return
        if first:
            try:
                await self._catalogues.keep(self._catalogue.version, self._catalogue.text, now)
            except CaseRefused as error:
                log.error("cases.catalogue_changed", extra={"reason": str(error)})
        changed = await self._ledger.cases.read_again(unknown_only=not first)
        self._read_at = now
        if changed:
            log.info("cases.clocks_read_again", extra={"number": changed})

    def _of_step(self, running: Running, now: datetime) -> list[Notice]:
        due = running.standing.due_at
        assert due is not None, "only what is due is looked at"
        run, unit = running.standing.run, running.section
        warned = Notice(running.number, run.nth, 0, now, due, run.step.value, Role.SUPERVISOR.value, unit)
        if run.step in _BY_OWNER:
            warned = Notice(running.number, run.nth, 0, now, due, run.step.value, "owner", unit, running.owner)
        elif run.step in _BY_DEPARTMENT and run.department:
            role = Role.DEPARTMENT.value
            warned = Notice(running.number, run.nth, 0, now, due, run.step.value, role, run.department)
        return [warned, *self._escalations(warned, unit, now)]

    def _of_order(self, order: WorkOrder, now: datetime) -> list[Notice]:
        role, unit = (Role.SUPERVISOR, str(order.section))
        if order.state in (OrderState.OPEN, OrderState.ACCEPTED):
            role, unit = Role.DEPARTMENT, str(order.department)
        warned = Notice(order.number, 0, 0, now, order.due_at, PROMISE, role.value, unit)
        return [warned, *self._escalations(warned, str(order.section), now)]

    def _escalations(self, warned: Notice, section: str, now: datetime) -> list[Notice]:
        return [
            Notice(
                *(warned.number, warned.nth, level, now, warned.due_at, warned.step, each.role.value),
                unit=None if each.whole_centre else section,
            )
            for level, each in enumerate(self._settings.escalations, 1)
            if now >= warned.due_at + timedelta(hours=each.after_hours)
        ]

    async def _count(self, now: datetime) -> None:
        found, tell = await self._gauges.figures(now), self._exporter.set
        for state in catalogue.OPEN_STATES:
            for age in Age:
                tell(catalogue.CASES_OPEN, found.open.get((state, age), 0), state.value, age.value)
        for step in Step:
            tell(catalogue.STEPS_LATE, found.late.get(step, 0), step.value)
        for order in catalogue.OPEN_ORDERS:
            tell(catalogue.ORDERS_OPEN, found.orders.get(order, 0), order.value)
        tell(catalogue.CLOCKS_UNKNOWN, found.unknown_clocks)
        tell(catalogue.PROMISES_SOON, found.promises_soon)
        tell(catalogue.PROMISES_LATE, found.promises_late)
        tell(catalogue.PROMISES_BROKEN, found.promises_broken)
