"""What a menu is: frozen types, and nothing that reads, judges or walks them.

A `Menu` is a graph of nodes. Each kind of node is its own type, so a node cannot hold what it has no
use for. Names of other things (nodes, sections, schedules, languages) are plain references:
`ivr.menu.linter` says which of them lead nowhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, time
from typing import TypeAlias

Language: TypeAlias = str  # a BCP 47 tag: "zh-CN", "en"
NodeId: TypeAlias = str
SectionId: TypeAlias = str
ScheduleId: TypeAlias = str
PromptId: TypeAlias = str
Key: TypeAlias = str  # one of TELEPHONE_KEYS

TELEPHONE_KEYS = "0123456789*#"
MINUTES_A_DAY = 24 * 60
HOURS_JOINT: PromptId = "to"
"""The prompt spoken between the two times of a span: "seven o'clock *to* ten o'clock"."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """One recorded prompt, in the caller's language or, if `language` is given, always in that one."""

    id: PromptId
    language: Language | None = None


@dataclass(frozen=True, slots=True)
class HoursPrompt:
    """ "Seven o'clock to ten o'clock": the opening hours of a schedule, composed when the call is there."""

    schedule: ScheduleId


PromptItem: TypeAlias = Prompt | HoursPrompt
Prompts: TypeAlias = tuple[PromptItem, ...]


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A stretch of one day, in minutes since local midnight; it holds `opens` and ends just before
    `closes` (up to 1440).
    """

    opens: int
    closes: int

    def __post_init__(self) -> None:
        if not 0 <= self.opens < self.closes <= MINUTES_A_DAY:
            raise ValueError("must open before it closes, within one day from 00:00 to 24:00")

    def holds(self, minute: int) -> bool:
        """Whether this minute of the day lies within the span."""
        return self.opens <= minute < self.closes

    @property
    def times(self) -> tuple[time, time]:
        """Opening and closing as times of day; 24:00 reads as 00:00."""
        opens, closes = (time(*divmod(minute % MINUTES_A_DAY, 60)) for minute in (self.opens, self.closes))
        return opens, closes


Spans: TypeAlias = tuple[Span, ...]  # empty: closed


@dataclass(frozen=True, slots=True)
class Schedule:
    """When people are there, in the operator's time zone.

    `weekdays` has seven entries, Monday first. `holidays` are the hours of a public holiday (empty:
    closed; None: as its weekday). `makeup_workdays` are the hours of a weekend day that is worked
    (调休; None: as its weekday). `special_days` are the operator's own exceptions and override all of
    these.
    """

    weekdays: tuple[Spans, Spans, Spans, Spans, Spans, Spans, Spans]
    holidays: Spans | None = None
    makeup_workdays: Spans | None = None
    special_days: Mapping[date, Spans] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Section:
    """A section of the centre (A9) and the Asterisk queue where its people wait. Without a schedule it
    is always open (A8).
    """

    id: SectionId
    names: Mapping[Language, str]
    queue: str
    schedule: ScheduleId | None = None

    @property
    def always_open(self) -> bool:
        """Whether its people are there 24 hours a day."""
        return self.schedule is None


@dataclass(frozen=True, slots=True)
class Target:
    """Where a choice leads, and the language that is spoken from there on (None: no change)."""

    node: NodeId
    language: Language | None = None


@dataclass(frozen=True, slots=True)
class Announce:
    """Something is said, then the walk goes on. Only the menu's own keys interrupt it."""

    id: NodeId
    prompts: Prompts
    next: NodeId
    section: SectionId | None = None


@dataclass(frozen=True, slots=True)
class Choose:
    """The caller is asked for one digit; any key interrupts the question.

    It is asked up to `tries` times, each with `timeout_s` seconds of silence after the last word.
    What was wrong (`on_invalid`, `on_timeout`) is said before the question is put again. After the
    last try `on_giving_up` leads on.
    """

    id: NodeId
    prompts: Prompts
    choices: Mapping[Key, Target]
    tries: int
    timeout_s: float
    on_invalid: Prompts
    on_timeout: Prompts
    on_giving_up: Target
    section: SectionId | None = None


@dataclass(frozen=True, slots=True)
class Hours:
    """A fork by the state of a schedule at the time of the call; the caller hears nothing of it."""

    id: NodeId
    schedule: ScheduleId
    open: NodeId
    closed: NodeId
    holiday: NodeId


@dataclass(frozen=True, slots=True)
class ToPerson:
    """The end that callers want: the queue of a section."""

    id: NodeId
    section: SectionId


@dataclass(frozen=True, slots=True)
class Goodbye:
    """The call is ended. The linter accepts it only where the caller was offered a person before."""

    id: NodeId
    prompts: Prompts


Node: TypeAlias = Announce | Choose | Hours | ToPerson | Goodbye


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys that mean the same everywhere."""

    person: Key = "0"
    repeat: Key = "*"
    back: Key = "#"

    def __iter__(self) -> Iterator[Key]:
        return iter((self.person, self.repeat, self.back))


@dataclass(frozen=True, slots=True)
class Priority:
    """Callers who go first: the queue priority they get, what they are told, and the name of the file
    of their numbers.

    The numbers are confidential, so the service reads that file (one number per line); the menu
    never sees them.
    """

    level: int
    numbers_file: str
    prompts: Prompts = ()


@dataclass(frozen=True, slots=True)
class Menu:
    """A whole menu; `languages[0]` is spoken until the caller chooses.

    `default_section` answers the person key where a node names no section of its own.
    `complaints_section` is always open (A8) and answers for any section that is closed. `transfer`
    is said before every connection.
    """

    languages: tuple[Language, ...]
    start: NodeId
    nodes: Mapping[NodeId, Node]
    sections: Mapping[SectionId, Section]
    schedules: Mapping[ScheduleId, Schedule]
    default_section: SectionId
    complaints_section: SectionId
    transfer: Prompts = ()
    keys: Keys = Keys()
    priority: Priority | None = None
