"""What somebody typed into the public form, read into a complaint or a question (C1, C3, A5)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from calls.case_events import CaseRegistered
from calls.cases import CategoryId, Channel, ComplaintType, Login, contact_key
from calls.ids import Language
from calls.inquiries import OrderDispatched
from cases.catalogue import Catalogue
from cases.flow import LONGEST, LONGEST_LINE
from console.intake.ports import WEB, IntakeTerms

SHORTEST = 5
"""Letters that say something."""

_PHONE = re.compile(r"\+?[0-9][0-9 ()-]{5,24}")


class Wrong(StrEnum):
    """What is wrong with a field, in the words of ``intake_wrong``."""

    MISSING = "missing"
    SHORT = "short"
    LONG = "long"
    UNKNOWN = "unknown"
    PHONE = "phone"
    TIME = "time"
    CONSENT = "consent"


@dataclass(slots=True)
class Typed:
    """The form's fields as text, and what is wrong with them."""

    values: Mapping[str, str]
    zone: ZoneInfo
    faults: dict[str, Wrong] = field(default_factory=dict)

    def line(self, name: str, *, required: bool = False) -> str:
        """A short text on one line."""
        told = " ".join(_plain(self.values.get(name, "")).split())
        if required and not told:
            self.faults[name] = Wrong.MISSING
        if len(told) > LONGEST_LINE:
            self.faults[name] = Wrong.LONG
        return told

    def words(self, name: str) -> str:
        """A long text."""
        told = _plain(self.values.get(name, "").replace("\r\n", "\n")).strip()
        if len(told) < SHORTEST:
            self.faults[name] = Wrong.SHORT if told else Wrong.MISSING
        if len(told) > LONGEST:
            self.faults[name] = Wrong.LONG
        return told

    def phone(self, name: str) -> str:
        """A telephone number: its last four digits open the page that tells of progress."""
        told = self.line(name, required=True)
        if told and not (_PHONE.fullmatch(told) and len(contact_key(told)) >= 7):
            self.faults[name] = Wrong.PHONE
        return told

    def moment(self, name: str, now: datetime) -> datetime | None:
        """A local time that has been; nothing typed is no time."""
        told = self.values.get(name, "").strip()
        if not told:
            return None
        try:
            found = datetime.fromisoformat(told).replace(tzinfo=self.zone).astimezone(UTC)
        except (ValueError, OverflowError):
            found = now + timedelta(days=1)
        if not now - timedelta(days=3650) < found <= now:
            self.faults[name] = Wrong.TIME
            return None
        return found

    def consents(self) -> None:
        """Without consent nothing is kept."""
        if self.values.get("consent") != "1":
            self.faults["consent"] = Wrong.CONSENT


def complaint(
    typed: Typed, terms: IntakeTerms, owner: Login | None, language: Language, now: datetime
) -> CaseRegistered:
    """The complaint; what is wrong with it is in ``typed.faults``."""
    try:
        kind = ComplaintType(typed.values.get("type", ""))
    except ValueError:
        kind, typed.faults["type"] = ComplaintType.OTHER, Wrong.MISSING
    typed.consents()
    return CaseRegistered(
        at=now,
        by=WEB,
        channel=Channel.WEB,
        arrived_at=now,
        name=typed.line("name", required=True),
        contact=typed.phone("contact"),
        occurred_at=typed.moment("occurred_at", now),
        place=typed.line("place", required=True),
        content=typed.words("content"),
        section=terms.complaints,
        language=language,
        type=kind,
        owner=owner,
    )


def question(
    typed: Typed, terms: IntakeTerms, catalogue: Catalogue, language: Language, now: datetime
) -> OrderDispatched:
    """The question as a work order; the promise's words are filled in by whoever knows the reader's language."""
    asked = CategoryId(typed.values.get("category", ""))
    category = catalogue.categories.get(asked)
    if category is None or not category.is_leaf or category not in catalogue.offered(terms.questions):
        typed.faults["category"] = Wrong.MISSING if not asked else Wrong.UNKNOWN
    typed.consents()
    department = category.department if category else None
    if department is None:
        department = (
            terms.department if terms.department in catalogue.departments else next(iter(catalogue.departments))
        )
    hours = (category.due_hours if category else None) or terms.answer_hours
    return OrderDispatched(
        at=now,
        by=WEB,
        section=terms.questions,
        department=department,
        category=asked,
        content=typed.words("content"),
        promise="",
        due_at=now + timedelta(hours=hours),
        name=typed.line("name", required=True),
        contact=typed.phone("contact"),
        language=language,
    )


def _plain(text: str) -> str:
    """Without signs that no database holds and no reader sees."""
    return "".join(sign for sign in text if sign.isprintable() or sign in "\n\t")
