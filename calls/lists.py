"""Lists of calls: what is asked of them, their lines, and the place at which the next page begins.

Lists run from the newest call to the oldest. A page is bounded by what the database looks at, not only by what it
finds, so that a filter which hardly any call passes answers as fast as one that all do; it then says how far it
has looked, and the next page goes on from there.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Self

from calls.call import Result
from calls.callbacks import AttemptOutcome
from calls.ids import AgentNumber, CallId, Language, LegId, SectionId, is_unique_id
from calls.ports import Tally
from calls.verdicts import Outcome

NO_LEG = LegId("")
"""A line is of the whole call."""

OFFERS = frozenset({"offers", "offers_kept"})
"""Measures that count offers to agents, of which a call may have several."""
OF_SURVEYS = frozenset({Tally.RATED, Tally.DISSATISFIED, Tally.INVITED, Tally.SURVEYS})
"""Tallies that count surveys, of which a call has one at most: their calls are listed."""
OF_CASES = frozenset(
    {Tally.INQUIRIES, Tally.DISPATCHED, Tally.STEPS_DUE, Tally.STEPS_IN_TIME}
    | {Tally.COMPLAINANTS_ASKED, Tally.COMPLAINANTS_SATISFIED}
)
"""Tallies that count inquiries, complaints and their steps (K4, K7)."""
OF_PROMISES = frozenset({Tally.PROMISES_DUE, Tally.PROMISES_KEPT})
"""Tallies that count call-backs promised in the queue (A5)."""


class Rating(StrEnum):
    """What the caller said of the call (Q2)."""

    SATISFIED = "satisfied"
    """Rated, and not dissatisfied (K3)."""
    DISSATISFIED = "dissatisfied"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Counted:
    """Calls, offers or cases that a measure (``calls.measures.Measures``) or a tally counts, by its name."""

    measure: str
    limit_s: float | None = None
    """Of measures that are kept by limit: ``within`` and ``offers_kept``."""
    without: str | None = None
    """A measure whose calls are left out."""

    @property
    def of_offers(self) -> bool:
        return self.measure in OFFERS

    @property
    def of_cases(self) -> bool:
        return self.measure in OF_CASES

    @property
    def of_promises(self) -> bool:
        return self.measure in OF_PROMISES


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFilter:
    """Which calls to list; ``None`` and false leave nothing out."""

    since: datetime | None = None
    """Of the call's arrival, inclusive."""
    until: datetime | None = None
    """Exclusive."""
    section: SectionId | None = None
    """The section asked for, which is also the queue."""
    agent: AgentNumber | None = None
    """Who was heard first; in a list of offers, whose telephone rang."""
    language: Language | None = None
    trunk: str | None = None
    result: Result | None = None
    rule: str | None = None
    """With a verdict of this rule, in any version."""
    outcome: Outcome | None = None
    """Of that rule, or of any."""
    talk_least_s: float | None = None
    talk_most_s: float | None = None
    waited_least_s: float | None = None
    recorded: bool | None = None
    repeated: bool = False
    """The same caller had called within 24 hours before."""
    rating: Rating | None = None
    same_caller_as: CallId | None = None
    counted: Counted | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Behind which line the next page begins."""

    arrived_at: datetime
    call_id: CallId
    leg_id: LegId = NO_LEG
    """In a list of offers."""

    def __str__(self) -> str:
        at = self.arrived_at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds")
        return "~".join((at, self.call_id, self.leg_id))

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """What ``str`` wrote; ``None`` for anything else."""
        at, _, ids = text.partition("~")
        call_id, _, leg_id = ids.partition("~")
        try:
            moment = datetime.fromisoformat(at)
        except ValueError:
            return None
        if moment.tzinfo is not None or not is_unique_id(call_id) or not (leg_id == "" or is_unique_id(leg_id)):
            return None
        return cls(moment.replace(tzinfo=UTC), CallId(call_id), LegId(leg_id))


@dataclass(frozen=True, slots=True)
class CallName:
    """By what people know a call again: its time and its section."""

    arrived_at: datetime
    section: SectionId | None


@dataclass(frozen=True, slots=True)
class OfCallback:
    """That a line is an attempt to call somebody back, which is no call that arrived (A5)."""

    number: int
    """Of the call-back."""
    about: CallId | None
    """The call that it follows."""
    outcome: AttemptOutcome | None
    """``None`` while it goes on."""


@dataclass(frozen=True, slots=True)
class CallLine:
    """One call, or one offer of one call, as lists show it."""

    call_id: CallId
    arrived_at: datetime
    trunk: str
    caller: str | None
    """Personal data (P1): lists show it masked."""
    section: SectionId | None
    language: Language | None
    agent: AgentNumber | None
    result: Result
    wait_s: float | None
    """The caller's clock, seconds."""
    waited_s: float | None
    talk_s: float | None
    has_recording: bool
    broken: int = 0
    """Rules that are broken, says some judgement."""
    leg_id: LegId = NO_LEG
    ring_s: float | None = None
    """Of an offer: the agent's clock, seconds."""
    picked_up: bool | None = None
    """Of an offer."""
    rating: Rating = Rating.NONE
    of_callback: OfCallback | None = None

    @property
    def place(self) -> Place:
        return Place(self.arrived_at, self.call_id, self.leg_id)


@dataclass(frozen=True, slots=True)
class CallPage:
    """Some lines, the newest first."""

    lines: tuple[CallLine, ...]
    behind: Place | None
    """Where the next page goes on; ``None``: this is the last."""
    looked_until: datetime | None = None
    """If the page is not full although there may be more: as far back as was looked."""
