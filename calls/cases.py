"""The words of complaints and work orders (C1 to C10), shared by who decides, who stores and who shows.

What an operator may want more of (causes, categories, departments) is data; what the rule book fixes is an enum.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, NewType

if TYPE_CHECKING:
    from calls.case import Case

CaseNumber = NewType("CaseNumber", str)
"""``TS2026-00001``: a complaint; ``ZX…`` an inquiry, ``GD…`` a work order. Without gaps within its year (C3)."""

CauseId = NewType("CauseId", str)
"""A cause of complaints; which there are is data (C6)."""

CategoryId = NewType("CategoryId", str)
"""A leaf of the category tree, its parents before it: ``ticketing/refund/fee``. The tree is versioned data."""

DepartmentId = NewType("DepartmentId", str)
"""Who settles matters: ``stations``. Shares one space of names with sections: a role may be given for either."""

Login = NewType("Login", str)
"""A person's login, or ``service:NAME``."""


class Series(StrEnum):
    """What is numbered; the value begins the number."""

    COMPLAINT = "TS"
    INQUIRY = "ZX"
    WORK_ORDER = "GD"


class Channel(StrEnum):
    """How a matter reached us (C1)."""

    HOTLINE = "hotline"
    WEB = "web"
    """The site's form."""
    WECHAT = "wechat"
    COUNTER = "counter"
    """On the spot."""
    LETTER = "letter"
    FAX = "fax"
    PLATFORM = "platform"
    """Another system, such as the city's 12345 platform."""


class ComplaintType(StrEnum):
    """What a complaint is about (C6)."""

    SERVICE = "service"
    FACILITIES = "facilities"
    SAFETY = "safety"
    SANITATION = "sanitation"
    OTHER = "other"


class Urgency(StrEnum):
    """How soon (C6), the most urgent first."""

    CRITICAL = "critical"
    URGENT = "urgent"
    ORDINARY = "ordinary"


class Importance(StrEnum):
    """How much depends on it (C6), the most important first."""

    GRAVE = "grave"
    MAJOR = "major"
    ORDINARY = "ordinary"


class State(StrEnum):
    """Where a complaint is. Each is named for what happened last; what it waits for is its ``Step``."""

    REGISTERED = "registered"
    FORWARDED = "forwarded"
    REVIEW = "review"
    """The department's opinion is there and waits for the centre's review."""
    IN_WORK = "in_work"
    DONE = "done"
    REPORTED = "reported"
    FED_BACK = "fed_back"
    FOLLOWED_UP = "followed_up"
    DISSATISFIED = "dissatisfied"
    """The complainant is not satisfied: it must be worked again (C5)."""
    CLOSED = "closed"


class Step(StrEnum):
    """What a case waits for; each has its clock (C4)."""

    FORWARD = "forward"
    OPINION = "opinion"
    REVIEW = "review"
    WORK = "work"
    REPORT = "report"
    FEED_BACK = "feed_back"
    FOLLOW_UP = "follow_up"
    CLOSE = "close"


STEP_OF: Mapping[State, Step | None] = {
    State.REGISTERED: Step.FORWARD,
    State.FORWARDED: Step.OPINION,
    State.REVIEW: Step.REVIEW,
    State.IN_WORK: Step.WORK,
    State.DONE: Step.REPORT,
    State.REPORTED: Step.FEED_BACK,
    State.FED_BACK: Step.FOLLOW_UP,
    State.FOLLOWED_UP: Step.CLOSE,
    State.DISSATISFIED: Step.FORWARD,
    State.CLOSED: None,
}
"""What is waited for in each state."""

COUNTED_STEPS = frozenset({Step.FORWARD, Step.OPINION, Step.REVIEW, Step.REPORT, Step.FEED_BACK})
"""Steps that the rule book sets a limit to (C4): these and no others make the timeliness rate (K7)."""


class Age(StrEnum):
    """How long a complaint has been open: up to a day, a week, 30 days, longer."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    OLDER = "older"


class PauseReason(StrEnum):
    """The only reasons for which clocks stand still (C4)."""

    COMPLAINANT = "complainant"
    """The complainant must tell or send something first."""
    THIRD_PARTY = "third_party"
    """Police, a court, an insurer or a laboratory looks into it."""
    FORCE_MAJEURE = "force_majeure"
    """Disaster, or a site that nobody may enter."""


class Answer(StrEnum):
    """What came of asking the complainant (C4, C5)."""

    SATISFIED = "satisfied"
    DISSATISFIED = "dissatisfied"
    DECLINED = "declined"
    """Reached, and would not say."""
    UNREACHED = "unreached"
    NO_CONTACT = "no_contact"
    """The complainant left no way to be reached."""


ASKED = frozenset({Answer.SATISFIED, Answer.DISSATISFIED})
"""Answers of complainants who count as asked (K7)."""

ATTEMPTS = 3
"""A complainant who was not reached so often need not be called any more."""


class LinkKind(StrEnum):
    """What a case can be linked with."""

    CALL = "call"
    CASE = "case"
    """An earlier one, by number: complaint, inquiry or work order."""
    CALLBACK = "callback"
    RECORDING = "recording"
    """By the call's id: its sound is evidence."""
    ATTACHMENT = "attachment"


@dataclass(frozen=True, slots=True, order=True)
class Link:
    """One link of a case."""

    kind: LinkKind
    ref: str


@dataclass(frozen=True, slots=True)
class StepRun:
    """One time that a case waited for a step, as its history tells; nothing here depends on a calendar."""

    step: Step
    nth: int
    """From 1, over all steps of the case."""
    began_at: datetime
    ended_at: datetime | None
    department: DepartmentId | None
    pauses: tuple[tuple[datetime, datetime], ...] = ()
    """From, to; what is still paused ends when it was announced to."""
    promised_at: datetime | None = None
    """Of ``Step.WORK``: when the department said it would be done by."""


class Known(StrEnum):
    """Whether a clock can be read."""

    DUE = "due"
    NO_LIMIT = "no_limit"
    NOT_YET = "not_yet"
    """It needs a year whose public holidays are not published: never guessed."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A step with its clock read by a calendar."""

    run: StepRun
    known: Known
    due_at: datetime | None = None
    warn_at: datetime | None = None
    """From here on somebody should be warned."""
    counted: bool = False
    """Whether it is one of ``COUNTED_STEPS``."""

    @property
    def in_time(self) -> bool | None:
        """Whether it was done in time; ``None`` while it runs or has no limit."""
        if self.due_at is None or self.run.ended_at is None:
            return None
        return self.run.ended_at <= self.due_at

    def late(self, now: datetime) -> bool:
        """Whether it was done late, or is not done and should be."""
        return self.due_at is not None and (self.run.ended_at or now) > self.due_at


Reading = Callable[["Case"], tuple[Standing, ...]]
"""Reads all clocks of a case; ``cases.clocks`` makes one for an operator."""

REGISTER_WITHIN: Mapping[Channel, timedelta] = {
    Channel.HOTLINE: timedelta(minutes=10),
    Channel.WEB: timedelta(minutes=10),
    Channel.WECHAT: timedelta(minutes=10),
    Channel.PLATFORM: timedelta(minutes=10),
    Channel.COUNTER: timedelta(minutes=5),
}
"""From arrival to registration (C2). At the counter "at once" is as long as it takes to write it down. A letter or
a fax has no such limit: nobody knows when it came."""

_NUMBER = re.compile(r"(TS|ZX|GD)(\d{4})-(\d{5,9})")


def case_number(series: Series, year: int, serial: int) -> CaseNumber:
    """The number of what was numbered."""
    return CaseNumber(f"{series.value}{year:04d}-{serial:05d}")


def parse_number(text: str) -> tuple[Series, int, int] | None:
    """Series, year and serial of a number as somebody may write it; ``None`` if it is none."""
    found = _NUMBER.fullmatch(text.strip().upper())
    return (Series(found[1]), int(found[2]), int(found[3])) if found else None


def contact_key(contact: str) -> str:
    """What two ways of writing one telephone number share: digits without China's prefix; else small letters."""
    digits = "".join(sign for sign in contact if sign.isascii() and sign.isdigit())
    if len(digits) < 5:
        return contact.strip().casefold()
    for prefix in ("0086", "86"):
        if digits.startswith(prefix) and len(digits) - len(prefix) >= 10:
            return digits[len(prefix) :]
    return digits
