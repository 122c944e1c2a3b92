"""What the parts ask of each other. The siblings meet here and are joined in ``service/wiring.py``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from calls.audit import Discrepancy, Repair
from calls.call import Call
from calls.custody import Access, Recording
from calls.events import AnyEvent
from calls.ids import AgentNumber, CallId
from calls.measures import ALL_CALLS, Dimension, Measures, Slice
from calls.outages import Component, Maintenance, Outage
from calls.periods import Period
from calls.presence import Presence, PresenceChange
from calls.transcript import LegTranscript, Span, Transcript, Word
from calls.verdicts import RuleSetId, Verdict


class Clock(Protocol):
    """The time of day, passed in so that tests can set it."""

    def now(self) -> datetime:
        """The present time, aware, in UTC."""


@dataclass(frozen=True, slots=True)
class Change:
    """One call before and after new events were stored; ``before`` is ``None`` for a call not seen before."""

    before: Call | None
    after: Call
    events: tuple[AnyEvent, ...]
    """The events that were new to the ledger, in the order in which they were told."""
    corrected: tuple[AnyEvent, ...] = ()
    """Events that were known from a lesser witness and now stand as a better one tells them."""


@dataclass(frozen=True, slots=True)
class Ratio:
    """A figure that always shows what it was made of."""

    numerator: int
    denominator: int

    @property
    def value(self) -> float | None:
        """The share from 0 to 1, or ``None`` when there is nothing to divide by."""
        return self.numerator / self.denominator if self.denominator else None


@dataclass(frozen=True, slots=True)
class DayFigures:
    """The figures of one period, as of now."""

    answered: Ratio
    """K1: calls that an agent answered ÷ calls that asked for an agent."""
    within_limit: Ratio
    """K2: calls answered within three rings by the caller's clock ÷ calls that asked for an agent."""
    rings_kept: Ratio
    """K2r: offers answered within three rings ÷ offers made to an agent."""
    arrived: int
    abandoned: int
    callbacks: int
    missing_recordings: int
    """Answered and ended calls without a recording."""


class Ledger(Protocol):
    """The books: every event once, every call as the fold of its events.

    Implementations raise StorageUnavailable (trying again may help) or StorageRefused (it will not).
    """

    async def record(self, events: Sequence[AnyEvent]) -> list[Change]:
        """Store events, each once by its key, and the calls they belong to, in one transaction.

        Of two events with one key the better witness is believed (``Event.precedence``), whichever was told
        first. Returns a change for every call that got a new or a corrected event; what is stored already
        changes nothing.
        """

    async def call(self, call_id: CallId) -> Call | None:
        """The call, or ``None``."""

    async def events(self, call_id: CallId) -> list[AnyEvent]:
        """Everything stored about a call, in order of time."""

    async def open_calls(self) -> list[Call]:
        """Calls that have not ended."""

    async def figures(self, since: datetime, until: datetime, limit_s: float) -> DayFigures:
        """K1, K2 and K2r over calls that arrived in ``[since, until)``; ``limit_s`` is A1's limit.

        Only calls whose fate is known count: answered, or ended after asking for a person.
        """

    async def missing_recordings(self, ended_before: datetime, limit: int) -> list[Call]:
        """Answered calls that ended before the given time and have no recording, newest first."""


class Books(Protocol):
    """Sums over the ledger, fast over years, always equal to what counting every call gives (K1 to K2r)."""

    async def measures(
        self, periods: Sequence[Period], slice: Slice = ALL_CALLS, by: Dimension | None = None
    ) -> list[dict[str | None, Measures]]:
        """What arrived in each period, told apart by a dimension; all of it read at one instant.

        Gives one dictionary for each period. Without ``by`` it has one key, ``None``. With it, a key for each
        value that occurs, and ``None`` for calls that have none: nobody answered, no section was asked for.
        Raises StorageUnavailable.
        """


class PresenceBook(Protocol):
    """Who was logged in or paused, from Asterisk's queue log. Raises StorageUnavailable or StorageRefused."""

    async def note(self, changes: Sequence[PresenceChange]) -> None:
        """Store changes, each once by its key."""

    async def presence_s(self, since: datetime, until: datetime) -> dict[AgentNumber, Presence]:
        """Logged-in seconds, and those of them paused, of every agent who was logged in during ``[since, until)``.

        Whole seconds are all that Asterisk tells. Nobody logs out by themselves: give no ``until`` that has
        not come yet.
        """


class AuditBook(Protocol):
    """What audits found. Raises StorageUnavailable or StorageRefused."""

    async def unconfirmed(self, until: datetime, limit: int = 1000) -> list[AnyEvent]:
        """Events of before ``until`` that the management link told, but the file has not, and no repair names."""

    async def repaired(self, repairs: Sequence[Repair]) -> list[Repair]:
        """Store repairs, each once by its key; returns those that were new."""

    async def repairs(self, since: datetime, until: datetime) -> list[Repair]:
        """Repairs of facts that happened in ``[since, until)``: a note on the quality of a period's figures."""

    async def raised(self, found: Sequence[Discrepancy]) -> list[Discrepancy]:
        """Store discrepancies, each once by its key; returns those that were new. A settled one stays so."""

    async def settle(self, at: datetime, keys: Sequence[str] = ()) -> int:
        """Settle the open ones of these keys, and all whose event is in the books by now; how many."""

    async def discrepancies(
        self, since: datetime | None = None, until: datetime | None = None
    ) -> list[Discrepancy]:
        """Those seen in ``[since, until)``, settled or not; without a period all that are open."""

    async def known(self, call_ids: Sequence[CallId]) -> dict[CallId, list[AnyEvent]]:
        """The events of these calls, in order of time; a call that is not on the books is left out."""

    async def calls_between(self, since: datetime, until: datetime) -> list[CallId]:
        """Calls that arrived in ``[since, until)``, in order of arrival."""


class Tally(StrEnum):
    """What surveys and cases are counted by, for K3, K4, K6 and K7."""

    RATED = "rated"
    DISSATISFIED = "dissatisfied"
    INVITED = "invited"
    INQUIRIES = "inquiries"
    DISPATCHED = "dispatched"
    """Inquiries that became work orders."""
    SURVEY_POINTS = "survey_points"
    """Weighted points of all surveys (Q2)."""
    SURVEYS = "surveys"
    STEPS_DUE = "steps_due"
    STEPS_IN_TIME = "steps_in_time"
    COMPLAINANTS_ASKED = "complainants_asked"
    COMPLAINANTS_SATISFIED = "complainants_satisfied"
    PROMISES_DUE = "promises_due"
    """Promised call-backs whose time ended in the period, whenever the call was (A5)."""
    PROMISES_KEPT = "promises_kept"
    """Of those, the caller heard a person in time."""


@dataclass(frozen=True, slots=True)
class Tallies:
    """Sums over the surveys and cases that began in a period (cohort by the day they began)."""

    counts: Mapping[Tally, float] = field(default_factory=dict)
    settled: frozenset[Tally] = frozenset()
    """Which of them cannot change any more: surveys settle sooner than complaints."""

    def of(self, tally: Tally) -> float:
        return self.counts.get(tally, 0.0)

    def __or__(self, other: Tallies) -> Tallies:
        """What two sources know, each of its own tallies."""
        return Tallies({**self.counts, **other.counts}, self.settled | other.settled)


class OtherSources(Protocol):
    """What the books know of surveys and cases."""

    async def tallies(
        self, periods: Sequence[Period], slice: Slice = ALL_CALLS, by: Dimension | None = None
    ) -> list[dict[str | None, Tallies]]:
        """Sums of each period, in the shape of ``Books.measures``."""


class OutageBook(Protocol):
    """When parts of the hotline did not work (K5). Raises StorageUnavailable or StorageRefused.

    A component has at most one outage without an end. Telling a fact again changes nothing.
    """

    async def watched(self, since: datetime) -> None:
        """Somebody looks from now on. Only the first time counts: before it nobody knows what worked."""

    async def watched_since(self) -> datetime | None:
        """Since when somebody has looked; ``None`` if nobody has yet."""

    async def opened(self, component: Component, at: datetime, reason: str) -> None:
        """The component is out since ``at``; nothing new if it is out already."""

    async def closed(self, component: Component, at: datetime) -> None:
        """The component, out since ``at`` or earlier, works again since ``at``."""

    async def outages(self, since: datetime, until: datetime) -> list[Outage]:
        """Outages that overlap ``[since, until)``, whole, not clipped; cut only at the edges of announced
        maintenance, so that each is planned or not (``calls.outages.apart``). In order of their beginning.
        ``until`` lies not after now: what has no end is told up to there.
        """

    async def announce(self, window: Maintenance) -> Maintenance:
        """Store announced maintenance; returns it with its number."""

    async def cancel(self, number: int, at: datetime) -> bool:
        """Take back what of the window has not passed at ``at``; whether there was anything to take back."""

    async def maintenance(self, since: datetime, until: datetime) -> list[Maintenance]:
        """Windows that overlap ``[since, until)``, in order of their beginning; none that were taken back."""


@dataclass(frozen=True, slots=True)
class Pcm:
    """Sound of one channel: 16 bit signed samples, little-endian."""

    rate_hz: int
    samples: bytes

    @property
    def duration_s(self) -> float:
        return len(self.samples) / 2 / self.rate_hz


class Recogniser(Protocol):
    """A speech recogniser with a model, ready for one thread at a time. Native code: worker processes only."""

    @property
    def engine(self) -> str:
        """``vosk`` or ``whisper``."""

    @property
    def model(self) -> str:
        """Name and version of the model."""

    def words(self, audio: Pcm, spans: tuple[Span, ...]) -> list[Word]:
        """The words of one leg, with times from its beginning; ``spans`` is where there is a voice in it.

        Raises TranscriptionError.
        """


class RecordingBook(Protocol):
    """What is in custody. Raises StorageUnavailable or StorageRefused."""

    async def of_call(self, call_id: CallId) -> list[Recording]:
        """The call's recordings; none that were deleted."""


class TranscriptBook(Protocol):
    """What was said. Raises StorageUnavailable or StorageRefused."""

    async def store(self, call_id: CallId, leg: LegTranscript) -> None:
        """Keep one leg's transcript, in place of an earlier one: storing twice changes nothing."""

    async def transcript(self, call_id: CallId) -> Transcript | None:
        """What is transcribed of a call so far; ``None`` if nothing is."""


class VerdictBook(Protocol):
    """What the rules say. Raises StorageUnavailable or StorageRefused."""

    async def judged(self, call_id: CallId, rule_set: RuleSetId, verdicts: Sequence[Verdict]) -> None:
        """Keep the verdicts of one version of a rule set.

        One that says the same as before stays as it is; one that says something else becomes the next revision,
        and the earlier one is kept as history.
        """

    async def verdicts(self, call_id: CallId, rule_set: RuleSetId | None = None) -> list[Verdict]:
        """Verdicts on a call, of one version or of all."""


class AccessLog(Protocol):
    """Who saw what of whom, when and why: append-only and hash-chained (P1, P4)."""

    async def note(self, access: Access) -> None:
        """Keep the entry, before anything is shown.

        Raises StorageUnavailable or StorageRefused: then nothing may be shown.
        """

    async def note_all(self, accesses: Sequence[Access]) -> None:
        """Keep several entries, all of them or none."""
