"""What a scenario of the end-to-end tests is made of: who does what when, and what must come of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from calls.call import Result
from calls.events import AskedBy, EndedBy, OfferEnd
from simulation.script import AgentScript, HangUp, Step, Wait
from tests.support_centre import ORDINARY_DAY


def treats(ring_s: float = 1.0, talk_s: float | None = None, *, refuse: str | None = None) -> AgentScript:
    """How an agent treats calls: lets it ring so long, then talks so long; by default until the caller ends it."""
    if talk_s is None:
        return AgentScript(ring_s=ring_s, refuse=refuse)
    return AgentScript(ring_s=ring_s, refuse=refuse, steps=(Wait(talk_s), HangUp()))


@dataclass(frozen=True)
class Seat:
    """An agent at a telephone; logs in at ``at_s`` seconds, before the first call by default."""

    number: str
    script: AgentScript
    at_s: float = 0.0
    paused: str | None = None
    """Logs in and pauses at once, for this reason."""


@dataclass(frozen=True)
class Offered:
    """One agent's telephone rang for the call: ``ring_s`` seconds (within one), then was answered or not."""

    agent: str
    ring_s: float | None = None
    end: OfferEnd | None = None


@dataclass(frozen=True)
class Expect:
    """What the books must say of each call of a caller."""

    result: Result
    section: str | None = "inquiry"
    language: str | None = "zh-CN"
    priority: bool = False
    asked_by: AskedBy | None = AskedBy.MENU
    offers: tuple[Offered, ...] | None = ()
    """In order of ringing; ``None``: it is up to chance."""
    in_three_rings: bool | None = None
    """Whether the caller's clock was kept (K2); looked at for answered calls."""
    ended_by: EndedBy = EndedBy.CALLER
    overflowed: bool | None = None
    callback: str | None = None
    """The number that is to be called back."""
    menu: tuple[str, ...] | None = None
    """The way through the menu, as ``node=choice``."""
    wideband: bool | None = None
    """Whether the recording of the agent, who speaks a tone, holds more than a telephone line carries."""
    interrupted: bool = False
    """The recording ends early, because Asterisk died."""


@dataclass(frozen=True)
class Caller:
    """One caller, or ``calls`` alike who dial at once."""

    steps: tuple[Step, ...]
    expect: Expect
    at_s: float = 0.0
    number: str = "13800138000"
    name: str = ""
    stored: str | None = "as dialled"
    """The number that the books hold, if it is another one; ``None``: none."""
    calls: int = 1
    cut_off: bool = False
    """Asterisk dies during the call: how it ends for the caller is not looked at."""

    @property
    def number_kept(self) -> str | None:
        return self.number if self.stored == "as dialled" else self.stored


class Do(Enum):
    """What can be done to the hotline."""

    STOP_SERVICE = "stop the service"
    START_SERVICE = "start the service"
    KILL_SERVICE = "kill the service"
    FREEZE_SERVICE = "freeze the service"
    THAW_SERVICE = "thaw the service"
    CRASH_ASTERISK = "kill Asterisk and start it again"


@dataclass(frozen=True)
class Fault:
    """Something done to the hotline at a moment."""

    at_s: float
    do: Do


@dataclass(frozen=True)
class Scenario:
    """One row of the table. Seconds count from the moment when the first agents are ready."""

    name: str
    proves: str
    """Ids of requirements."""
    seats: tuple[Seat, ...]
    callers: tuple[Caller, ...]
    faults: tuple[Fault, ...] = ()
    connected_order: tuple[str, ...] = ()
    """Callers' numbers in the order in which they hear a person."""
    agents_after: tuple[tuple[str, str], ...] = ()
    """State of agents at the end, with the reason if paused: ``("1001", "paused let-it-ring")``."""
    rehearse_at: str = ORDINARY_DAY
    opening: str = "00:00-24:00"
    counted_in_part: bool = False
    """The service was started anew in the middle: its counters know only what came after."""
    log_may_say: tuple[str, ...] = ()
    """Patterns of warnings that Asterisk may write during this scenario."""

    def __str__(self) -> str:
        return self.name

    @property
    def special_service(self) -> bool:
        """Whether the service must run with other settings than usual."""
        return (self.rehearse_at, self.opening) != (ORDINARY_DAY, "00:00-24:00")
