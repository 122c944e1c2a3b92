"""Calling back (A5, C4): who waits for it, since when, and what came of every attempt.

``` text
waiting ──► taken ──► dialling ──► kept       the caller heard a person in time
   ▲          │           │  └───► broken     … or later than promised
   └──────────┴───────────┘  └───► given up   tried as often as is allowed
   │ let go, or nobody took it    not reached: again, after a pause
   └──► withdrawn                 not owed any more: it was settled in another way
```

A promise whose time has passed counts as broken while it waits, too, and is tried on all the same.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Self

from calls.errors import CallbackError, NumberRefused
from calls.ids import AgentNumber, CallId, Language, SectionId, attempt_id
from calls.outages import DailyHours


class Origin(StrEnum):
    """Why somebody is to be called back."""

    PROMISE = "promise"
    """Nobody could answer, and the caller chose to be called back (A5)."""
    FOLLOW_UP = "follow_up"
    """A case asks for it: its result is told, and satisfaction asked (C4)."""
    DISSATISFIED = "dissatisfied"
    """The caller rated the call as dissatisfying (Q2)."""


class CallbackState(StrEnum):
    """How far a call-back is."""

    WAITING = "waiting"
    TAKEN = "taken"
    """An agent has it in hand, and nothing is dialled yet."""
    DIALLING = "dialling"
    KEPT = "kept"
    BROKEN = "broken"
    """Reached, and too late."""
    GIVEN_UP = "given_up"
    WITHDRAWN = "withdrawn"
    """Not owed any more: its matter went on in another way."""


CASE_IS = "case:"
"""Begins the note of a follow-up that was withdrawn; behind it, the state that its case went on to."""

SERVED_IN = "served:"
"""Begins the note of a queue's promise whose caller was served meanwhile; behind it, the id of that call."""

OPEN = (CallbackState.WAITING, CallbackState.TAKEN, CallbackState.DIALLING)


class AttemptOutcome(StrEnum):
    """What came of one attempt."""

    REACHED = "reached"
    """Caller and agent heard each other."""
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    UNREACHABLE = "unreachable"
    """The network did not put the call through."""
    AGENT_LEFT = "agent_left"
    """The agent hung up before the caller could be heard."""
    AGENT_MISSED = "agent_missed"
    """The agent's telephone was not picked up: nobody else was called."""
    NOT_DIALLED = "not_dialled"
    """The agent picked up, and the caller was not called: outside the hours, or the service was away."""
    UNKNOWN = "unknown"
    """Nobody saw the end: Asterisk was stopped."""


_SAID = {"BUSY": AttemptOutcome.BUSY, "NOANSWER": AttemptOutcome.NO_ANSWER}
_BY_AGENT = frozenset({"", "CANCEL"})


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt, as Asterisk told of it."""

    callback: int
    attempt: int
    agent: AgentNumber
    instance: str
    """The Asterisk that dials: only its service can say that it has no such channel any more."""
    began_at: datetime
    """Written down before anything was dialled."""
    agent_rang_at: datetime | None = None
    agent_answered_at: datetime | None = None
    dialled_at: datetime | None = None
    answered_at: datetime | None = None
    connected_at: datetime | None = None
    ended_at: datetime | None = None
    said: str = ""
    """Asterisk's own word for how the dialling came out."""
    has_recording: bool = False
    outcome: AttemptOutcome | None = None

    @property
    def id(self) -> CallId:
        """Of the agent's channel and of the recording."""
        return attempt_id(self.callback, self.attempt)

    @property
    def silence_s(self) -> float | None:
        """Seconds from the caller's answering to hearing a person."""
        if self.answered_at is None or self.connected_at is None:
            return None
        return max(0.0, (self.connected_at - self.answered_at) / timedelta(seconds=1))

    def seen(self) -> AttemptOutcome:
        """What came of it, of an attempt that is over."""
        if self.connected_at:
            return AttemptOutcome.REACHED
        if self.ended_at is None:
            return AttemptOutcome.UNKNOWN
        if self.agent_answered_at is None:
            return AttemptOutcome.AGENT_MISSED
        if self.dialled_at is None and self.said in _BY_AGENT:
            return AttemptOutcome.NOT_DIALLED
        if self.said in _BY_AGENT or self.answered_at:
            return AttemptOutcome.AGENT_LEFT
        return _SAID.get(self.said, AttemptOutcome.UNREACHABLE)


@dataclass(frozen=True, slots=True)
class Numbers:
    """Which telephone numbers may be called: what a stranger typed must not ring up a fortune."""

    prefixes: Sequence[str]
    shortest: int
    longest: int
    country: str = "86"
    """Left out of a number that begins with it, as ``+86`` or ``0086``."""

    def checked(self, telephone: str) -> str:
        """The number as it is dialled. Raises NumberRefused, which does not name it."""
        if not re.fullmatch(r"\+?[0-9]{1,24}", telephone, re.ASCII):
            raise NumberRefused("a telephone number consists of digits, after a + at most")
        national = re.sub(rf"^(\+|00){self.country}", "", telephone)
        if "+" in national or not any(national.startswith(prefix) for prefix in self.prefixes):
            raise NumberRefused("numbers that begin so are not called")
        if not self.shortest <= len(national) <= self.longest:
            raise NumberRefused(f"numbers that are called have {self.shortest} to {self.longest} digits")
        return national

    def first_in(self, contact: str) -> str | None:
        """The first number that may be called among what somebody wrote as a contact; ``None``: there is none."""
        for part in re.split(r"[,;/、]", unicodedata.normalize("NFKC", contact)):
            try:
                return self.checked(re.sub(r"[\s().·-]", "", part))
            except NumberRefused:
                continue
        return None


@dataclass(frozen=True, slots=True)
class Policy:
    """When and how often callers are called."""

    hours: DailyHours
    tries: int
    """So often the caller's telephone rings at most."""
    pauses: Sequence[timedelta]
    """After the first try, the second …; the last goes on."""
    missed_pause: timedelta = timedelta(minutes=1)
    """After an attempt in which the caller was not called."""

    def allows(self, moment: datetime) -> bool:
        """Whether callers may be called at a moment."""
        return bool(self.hours.spans(moment, moment + timedelta(microseconds=1)))

    def due(self, made_at: datetime, within: timedelta) -> datetime:
        """When a promise made then falls due: so much time later, counted in allowed hours only."""
        left, start = within, made_at
        while True:
            for opens, closes in self.hours.spans(start, start + timedelta(days=1)):
                if closes - opens >= left:
                    return opens + left
                left -= closes - opens
            start += timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCallback:
    """Somebody to be called back."""

    origin: Origin
    about: str
    """What makes it the only one of its kind: a call's id, or a case's number and step."""
    telephone: str = field(repr=False)
    language: Language
    due_at: datetime
    place: datetime
    """The place in line: since when the caller waits."""
    section: SectionId | None = None
    call_id: CallId | None = None
    case_id: str | None = None
    priority: bool = False


@dataclass(frozen=True, slots=True)
class PromisePlace:
    """Behind which promise the next page of what a figure counts begins."""

    due_at: datetime
    number: int

    def __str__(self) -> str:
        at = self.due_at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds")
        return f"{at}~{self.number}"

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """What ``str`` wrote; ``None`` for anything else."""
        at, _, number = text.partition("~")
        try:
            moment = datetime.fromisoformat(at)
        except ValueError:
            return None
        if moment.tzinfo is not None or not (number.isascii() and number.isdecimal() and len(number) < 10):
            return None
        return cls(moment.replace(tzinfo=UTC), int(number))


@dataclass(frozen=True, slots=True)
class CountedPromises:
    """Some promises that a figure counts, the last that fell due first."""

    promises: tuple[CallBack, ...]
    behind: PromisePlace | None
    """Where the next page goes on; ``None``: this is the last."""


@dataclass(frozen=True, slots=True)
class CallbackChange:
    """One change of a call-back, as its history has it."""

    at: datetime
    state: CallbackState
    """That it went into."""
    actor: str
    """An agent's number, a login, or ``service``."""
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallBack:
    """One call-back. Its changes are the methods, each from the states that allow it."""

    number: int
    origin: Origin
    about: str
    call_id: CallId | None
    case_id: str | None
    telephone: str = field(repr=False)
    section: SectionId | None
    language: Language
    priority: bool
    place: datetime
    made_at: datetime
    due_at: datetime
    state: CallbackState
    since: datetime
    agent: AgentNumber | None
    attempts: int
    tries: int
    """Attempts in which the caller was called."""
    not_before: datetime
    reached_at: datetime | None
    note: str

    @property
    def open(self) -> bool:
        return self.state in OPEN

    def broken_at(self, now: datetime) -> bool:
        """Whether the promise is broken, or has been by now."""
        return (self.reached_at or now) > self.due_at

    def taken(self, agent: AgentNumber, now: datetime) -> CallBack:
        """An agent takes it in hand. Raises CallbackError."""
        self._from(CallbackState.WAITING)
        return replace(self, state=CallbackState.TAKEN, since=now, agent=agent)

    def let_go(self, now: datetime) -> CallBack:
        """The agent does not call after all. Raises CallbackError."""
        self._from(CallbackState.TAKEN)
        return replace(self, state=CallbackState.WAITING, since=now, agent=None)

    def begun(self, now: datetime) -> CallBack:
        """An attempt begins. Raises CallbackError."""
        self._from(CallbackState.TAKEN)
        return replace(self, state=CallbackState.DIALLING, since=now, attempts=self.attempts + 1)

    def after(self, attempt: Attempt, outcome: AttemptOutcome, policy: Policy, now: datetime) -> CallBack:
        """The attempt is over. Raises CallbackError."""
        self._from(CallbackState.DIALLING)
        if outcome is AttemptOutcome.REACHED:
            reached = replace(self, since=now, reached_at=attempt.connected_at or now, tries=self.tries + 1)
            late = reached.broken_at(now)
            return replace(reached, state=CallbackState.BROKEN if late else CallbackState.KEPT)
        waiting = replace(self, state=CallbackState.WAITING, since=now, agent=None)
        if attempt.dialled_at is None:
            return replace(waiting, not_before=now + policy.missed_pause)
        tries = self.tries + 1
        if tries >= policy.tries:
            given_up = CallbackState.GIVEN_UP
            return replace(self, state=given_up, since=now, agent=None, tries=tries, note=outcome.value)
        pause = policy.pauses[min(tries, len(policy.pauses)) - 1]
        return replace(waiting, tries=tries, not_before=now + pause)

    def along(self, attempt: Attempt, outcome: AttemptOutcome, policy: Policy, now: datetime) -> CallBack:
        """An attempt for another of the same number is over, and served this one. Raises CallbackError."""
        self._from(CallbackState.TAKEN)
        return replace(self, state=CallbackState.DIALLING).after(attempt, outcome, policy, now)

    def again(self, policy: Policy, now: datetime) -> CallBack:
        """Who answered was not who waits for it (somebody else, a machine). Raises CallbackError."""
        self._from(CallbackState.KEPT, CallbackState.BROKEN)
        if self.tries >= policy.tries:
            return replace(self, state=CallbackState.GIVEN_UP, since=now, reached_at=None, note="not_the_caller")
        pause = policy.pauses[min(max(self.tries, 1), len(policy.pauses)) - 1]
        return replace(
            self,
            state=CallbackState.WAITING,
            since=now,
            agent=None,
            reached_at=None,
            not_before=now + pause,
        )

    def given_up(self, why: str, now: datetime) -> CallBack:
        """Nobody will call. Raises CallbackError."""
        self._from(CallbackState.WAITING, CallbackState.TAKEN)
        return replace(self, state=CallbackState.GIVEN_UP, since=now, agent=None, note=why)

    def withdrawn(self, why: str, now: datetime) -> CallBack:
        """It is not owed any more. Raises CallbackError, also while it is dialled."""
        self._from(CallbackState.WAITING, CallbackState.TAKEN)
        return replace(self, state=CallbackState.WITHDRAWN, since=now, agent=None, note=why)

    def _from(self, *states: CallbackState) -> None:
        if self.state not in states:
            raise CallbackError(f"call-back {self.number} is {self.state.value}")
