"""What happened to each call, from SIPp's logs alone.

Nothing here looks at the plan's intentions, at Asterisk's files or at the books. Definitions, all by the machine's
one clock:

- *arrived*: the caller's INVITE (of several, the last one before Asterisk's first answer) was sent;
- *asked*: the caller hears the ringing tone for the first time, or, if that is earlier, a telephone rings;
- *rang*: the INVITE reached the agent's telephone; *answered*: its 200 was sent; *connected*: Asterisk's ACK
  for it came;
- *over*: the first CANCEL or BYE on that side. A call that was up when Asterisk died ended then: its telephone can
  not know, its BYE is never confirmed; the instant is the fault's own.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bench.faults.ears import Ear
from bench.faults.plan import FALLBACK_SECTION, ROSTER, CallPlan
from bench.faults.sip_log import Message
from calls.call import Result
from calls.events import EndedBy
from simulation.script import Press

_BY_KEY = timedelta(seconds=0.5)
"""The ringing tone begins so soon after the last key if that key chose; a dead menu takes longer to be noticed."""
_SECTION_OF = {agent.number: agent.sections[0] for agent in ROSTER}


@dataclass(frozen=True, slots=True)
class Death:
    """Asterisk died: it was alive at ``since``, and at ``until`` nothing of it was left."""

    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Ring:
    """One agent's telephone, rung for one call."""

    agent: str
    rang_at: datetime
    answered_at: datetime | None = None
    connected_at: datetime | None = None
    over_at: datetime | None = None
    hung_up: bool = False
    """Whether the agent ended it."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One call as its telephones saw it."""

    plan: CallPlan
    number: str
    arrived_at: datetime
    result: Result
    section: str | None
    asked_at: datetime | None
    rings: tuple[Ring, ...]
    ended_at: datetime
    ended_by: EndedBy
    death: Death | None
    """Set if Asterisk died with this call in it."""
    going_down: bool
    """Whether Asterisk was on its way down as the call ended: then it may have been the first to end it."""

    @property
    def connected_at(self) -> datetime | None:
        return min((ring.connected_at for ring in self.rings if ring.connected_at), default=None)

    @property
    def wait_s(self) -> float | None:
        """The caller's clock: from asking to hearing a person."""
        if self.asked_at is None or self.connected_at is None:
            return None
        return (self.connected_at - self.asked_at).total_seconds()


@dataclass(frozen=True, slots=True)
class Attempt:
    """One call as it was placed: SIPp's log of it, and what its ear heard."""

    plan: CallPlan
    number: str
    messages: Sequence[Message]
    ear: Ear

    @property
    def taken(self) -> bool:
        """Whether Asterisk answered it."""
        return any(m.status == 200 and m.method == "INVITE" and not m.sent for m in self.messages)

    @property
    def reached(self) -> bool:
        """Whether Asterisk said anything but no."""
        return any(not m.sent and (m.status is None or m.status < 300) for m in self.messages)


def rings_of(agent: str, dialogs: Iterable[Sequence[Message]]) -> list[tuple[str, Ring]]:
    """An agent's rings, each with the caller's number, from the log of the agent's telephone."""
    found = []
    for messages in dialogs:
        rang = next((m for m in messages if m.method == "INVITE" and m.status is None and not m.sent), None)
        if rang is None:
            continue
        answered = next((m for m in messages if m.method == "INVITE" and m.status == 200 and m.sent), None)
        connected = next((m for m in messages if m.method == "ACK" and not m.sent), None) if answered else None
        over = next((m for m in messages if m.method in ("CANCEL", "BYE") and m.status is None), None)
        ring = Ring(
            agent,
            rang.at,
            answered.at if answered else None,
            connected.at if connected else None,
            over.at if over else None,
            hung_up=over is not None and over.sent,
        )
        found.append((rang.from_user, ring))
    return found


def seen(attempt: Attempt, rings: Sequence[Ring], deaths: Sequence[Death]) -> Seen:
    """A call that was taken."""
    messages = attempt.messages
    first = next(number for number, m in enumerate(messages) if not m.sent)
    arrived = [m for m in messages[:first] if m.method == "INVITE"][-1]
    up = next(m for m in messages if m.status == 200 and m.method == "INVITE" and not m.sent)
    bye = next((m for m in messages if m.method == "BYE" and m.status is None), None)
    confirmed = bye is not None and (
        not bye.sent or any(m.method == "BYE" and m.status == 200 and not m.sent for m in messages)
    )
    last = bye.at if bye else messages[-1].at
    death = None if confirmed else next((d for d in deaths if up.at <= d.until and d.since <= last), None)
    ended_at = death.since if death else last
    rings = [_cut(_heard(ring, deaths), death) for ring in rings]
    signs = [ring.rang_at for ring in rings] + ([attempt.ear.ringing_at] if attempt.ear.ringing_at else [])
    asked_at = min((at for at in signs if at <= ended_at), default=None)
    return Seen(
        plan=attempt.plan,
        number=attempt.number,
        arrived_at=arrived.at,
        result=_result(asked_at, rings, bye if death is None else None),
        section=_section(attempt, rings, asked_at),
        asked_at=asked_at,
        rings=tuple(sorted(rings, key=lambda ring: ring.rang_at)),
        ended_at=ended_at,
        ended_by=_ended_by(rings, bye if death is None else None),
        death=death,
        going_down=any(d.since <= ended_at <= d.until for d in deaths),
    )


def _heard(ring: Ring, deaths: Sequence[Death]) -> Ring:
    """An answer that Asterisk, on its way down, confirms in one with the end: it put nobody through any more."""
    over = ring.over_at
    if ring.connected_at is None or over is None or over > ring.connected_at:
        return ring
    if not any(death.since <= over <= death.until for death in deaths):
        return ring
    return replace(ring, answered_at=None, connected_at=None)


def _cut(ring: Ring, death: Death | None) -> Ring:
    """What the telephone went on to do after Asterisk's death is nobody's ring."""
    if death is None or ring.rang_at > death.until or (ring.over_at and ring.over_at < death.since):
        return ring
    answered, connected = (
        at if at and at <= death.until else None for at in (ring.answered_at, ring.connected_at)
    )
    return Ring(ring.agent, ring.rang_at, answered, connected, death.since)


def _presses(plan: CallPlan) -> int:
    return sum(isinstance(step, Press) for step in plan.steps)


def _section(attempt: Attempt, rings: Sequence[Ring], asked_at: datetime | None) -> str | None:
    """Of the telephone that rang; of the last key, if the ringing tone followed it; else where the rest goes."""
    if asked_at is None:
        return None
    if rings:
        return _SECTION_OF[rings[0].agent]
    keys = [at for at in attempt.ear.keys_at if at <= asked_at]
    by_key = len(keys) == _presses(attempt.plan) and keys and asked_at - keys[-1] <= _BY_KEY
    return (by_key and attempt.plan.section) or FALLBACK_SECTION


def _result(asked_at: datetime | None, rings: Sequence[Ring], bye: Message | None) -> Result:
    if any(ring.connected_at for ring in rings):
        return Result.ANSWERED
    if asked_at is None:
        return Result.SELF_SERVED
    return Result.ABANDONED if bye is not None and bye.sent else Result.LOST


def _ended_by(rings: Sequence[Ring], bye: Message | None) -> EndedBy:
    """Who ended the talk: an agent who hung up did, even if the caller stayed to rate the call (Q2)."""
    left = [ring.over_at for ring in rings if ring.connected_at and ring.hung_up and ring.over_at]
    if any(bye is None or at <= bye.at for at in left):
        return EndedBy.AGENT
    return EndedBy.CALLER if bye is not None and bye.sent else EndedBy.SYSTEM


@dataclass(frozen=True, slots=True)
class Shares:
    """Numerators and denominators of K1, K2 and K2r."""

    answered: int
    within: int
    asked: int
    rings_kept: int
    rings: int


def shares(calls: Iterable[Seen], limit_s: float) -> Shares:
    """K1 = answered ÷ asked, K2 = within ÷ asked, K2r = rings_kept ÷ rings."""
    asked = [call for call in calls if call.asked_at or call.connected_at]
    rings = [ring for call in asked for ring in call.rings]
    limit = timedelta(seconds=limit_s)
    return Shares(
        answered=sum(call.connected_at is not None for call in asked),
        within=sum(call.wait_s is not None and call.wait_s <= limit_s for call in asked),
        asked=len(asked),
        rings_kept=sum(
            ring.answered_at is not None and ring.answered_at - ring.rang_at <= limit for ring in rings
        ),
        rings=len(rings),
    )
