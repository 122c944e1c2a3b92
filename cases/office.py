"""The one door through which complaints are registered and moved on: every page, the API and the desk use it.

It asks in this order: is the case there for this person, may they do this, is it said completely, has somebody
else been faster; and only then writes.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

from calls.case import Case
from calls.case_book import CaseBook
from calls.case_events import (
    AnyCaseEvent,
    CaseAssessed,
    CaseForwarded,
    CaseRegistered,
    CaseWorkedAgain,
)
from calls.cases import CaseNumber, Login
from calls.errors import AccessDenied, CaseConflict, CaseRefused, CaseUnknown
from calls.people import Person, Right
from calls.ports import Clock
from cases.catalogue import Catalogue
from cases.flow import COMMUTING, Fault, Wrong, faults, may, may_see

_AGAIN = 5
"""Times that a line which conflicts with nothing is written behind others' lines."""

_E = TypeVar("_E", bound=AnyCaseEvent)


class Incomplete(CaseRefused):
    """Something that is required is missing, or cannot be."""

    def __init__(self, found: tuple[Fault, ...]) -> None:
        super().__init__(", ".join(f"{fault.field}: {fault.wrong.value}" for fault in found))
        self.faults = found


class CaseOffice:
    """Registers complaints and moves them on."""

    def __init__(self, book: CaseBook, catalogue: Catalogue, clock: Clock) -> None:
        self._book = book
        self._catalogue = catalogue
        self._clock = clock

    async def register(self, event: CaseRegistered, key: str, person: Person) -> Case:
        """Take a complaint in; the same key again gives the same case.

        Its time is now and its writer this person, whatever the event says. Raises AccessDenied without the
        right over the section, Incomplete, CaseConflict if the key stands for another complaint, StorageError.
        """
        if not person.scope(Right.FILE_CASES).covers(event.section):
            raise AccessDenied("no right to file complaints of this section")
        now = self._clock.now()
        event = replace(event, at=now, by=Login(person.login))
        self._complete(event)
        return await self._book.register(event, key)

    async def write(self, number: CaseNumber, version: int, event: AnyCaseEvent, person: Person) -> Case:
        """Write one line of a case's history.

        ``version`` is the one that the person has seen. Its time is now, its writer this person. Raises
        CaseUnknown (also for a case that is not within reach), AccessDenied, Incomplete, CaseRefused,
        CaseConflict, StorageError.
        """
        for _ in range(_AGAIN):
            case = await self.seen(number, person)
            if not may(case, person, event.kind):
                raise AccessDenied(f"no right to this ({event.kind})")
            written = self._now(case, event, person)
            self._complete(written)
            free = event.kind in COMMUTING
            try:
                return await self._book.append(number, case.version if free else version, written)
            except CaseConflict:
                if not free:
                    raise
        raise CaseConflict(case.version)

    async def seen(self, number: CaseNumber, person: Person) -> Case:
        """The case, if it is within reach. Raises CaseUnknown if it is not, as if there were none (P1)."""
        case = await self._book.case(number)
        if not may_see(case, person):
            raise CaseUnknown(number)
        return case

    def _now(self, case: Case, event: _E, person: Person) -> _E:
        """The event, told by this person now; never before the last one, should the clock have been set back."""
        return replace(event, at=max(self._clock.now(), case.last_at), by=Login(person.login))

    def _complete(self, event: AnyCaseEvent) -> None:
        found = [*faults(event, event.at)]
        if isinstance(event, CaseForwarded | CaseWorkedAgain) and not self._catalogue.has_department(
            event.department
        ):
            found.append(Fault("department", Wrong.UNKNOWN))
        if isinstance(event, CaseRegistered | CaseAssessed):
            if event.cause is not None and not self._catalogue.has_cause(event.cause):
                found.append(Fault("cause", Wrong.UNKNOWN))
            if event.category is not None and not self._catalogue.has_category(event.category):
                found.append(Fault("category", Wrong.UNKNOWN))
        if found:
            raise Incomplete(tuple(dict.fromkeys(found)))
