"""Calling back (A5, C4): agents take the next or are given it; the service rings them, then the caller.

The agent's telephone first, then the caller's: who picks up hears a person at once. What is dialled is written
down before, under the id that the agent's channel will have in Asterisk; Asterisk's own event log tells what came
of it. So a service that is killed at any instant loses no call-back and dials none twice without a trace.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Coroutine, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

from calls.callbacks import (
    Attempt,
    AttemptOutcome,
    CallBack,
    CallbackChange,
    CallbackState,
    NewCallback,
    Numbers,
    Origin,
    Policy,
)
from calls.errors import AmiError, AmiRefused, CallbackError, NumberRefused, StorageError
from calls.ids import AgentNumber, CallId, Language, SectionId, agent_of_channel, attempt_of
from calls.outages import DailyHours
from calls.ports import Clock
from ivr.ami.link import AmiLink, LinkState
from metrics import catalogue
from metrics.exporter import Exporter
from service.settings import Settings
from storage.callbacks import SqlCallbacks
from storage.follow_ups import FollowUp, SqlFollowUps
from storage.same_number import SqlSameNumber

log = logging.getLogger(__name__)

DEFAULT_LANGUAGE = Language("zh-CN")
"""Of callers who chose none."""

_FREE_S = 30.0
"""So long it is waited until the telephone of who asked for a call-back by it is free."""


def policy_of(settings: Settings) -> Policy:
    """When and how often callers are called."""
    own = settings.callbacks
    pauses = [timedelta(minutes=pause) for pause in own.pauses_min]
    return Policy(DailyHours.parse(own.hours, settings.zone), own.tries, pauses)


def numbers_of(settings: Settings) -> Numbers:
    """Which numbers may be called."""
    own = settings.callbacks
    return Numbers(own.prefixes, own.shortest, own.longest)


class CallbackDesk:
    """What people do with call-backs, and what Asterisk asks about them.

    Raises StorageError, and CallbackError where a call-back is not to be had, or nobody may be called now.
    """

    def __init__(
        self,
        settings: Settings,
        engine: AsyncEngine,
        link: AmiLink,
        clock: Clock,
        exporter: Exporter,
    ) -> None:
        self._settings = settings
        self._own = settings.callbacks
        self.book = SqlCallbacks(engine)
        self.follow_ups = SqlFollowUps(engine)
        self.numbers_alike = SqlSameNumber(engine)
        self._link = link
        self._clock = clock
        self._exporter = exporter
        self.policy = policy_of(settings)
        self.numbers = numbers_of(settings)
        self._roster = {AgentNumber(agent.number): agent for agent in settings.agents}
        self._trunks = [trunk for trunk in settings.trunks if trunk.dial]
        self._calling: set[asyncio.Task[None]] = set()

    # ── What agents and the console ask ──────────────────────────────────────────────────────────────────────

    async def waiting(self, sections: Collection[SectionId] | None = None) -> list[CallBack]:
        """The open ones in the order in which they are called; of some sections, or of all."""
        return await self.book.waiting(sections)

    async def get(self, number: int) -> CallBack | None:
        """One of them, open or not."""
        return await self.book.get(number)

    async def of_call(self, call_id: CallId) -> list[CallBack]:
        """All that followed from a call."""
        return await self.book.of_call(call_id)

    async def of_case(self, case_id: str) -> list[CallBack]:
        """All that follow up a case."""
        return await self.book.of_case(case_id)

    async def attempts(self, number: int) -> list[Attempt]:
        """Every attempt that served one, in order."""
        own = await self.book.attempts(number)
        others = [await self.book.attempt(*place) for place in await self.numbers_alike.served_by(number)]
        return sorted([*own, *(each for each in others if each)], key=lambda each: each.began_at)

    async def together(self, callback: CallBack) -> list[CallBack]:
        """The others of the same number that one dialling serves with it."""
        return await self.numbers_alike.together(callback)

    async def called_again(self, listed: Collection[CallBack]) -> dict[int, datetime]:
        """Who of these has called again since they are on the list, and when last."""
        return await self.numbers_alike.called_again(listed)

    async def history(self, number: int) -> Sequence[CallbackChange]:
        """What happened to one, in order."""
        return await self.book.history(number)

    async def take_next(self, agent: AgentNumber) -> CallBack | None:
        """Give an agent the first in line whose time has come, or what they have in hand; ``None``: none."""
        self._may_call()
        held = await self.book.in_hand(agent)
        if held is not None:
            if held.state is CallbackState.TAKEN:
                return held
            raise CallbackError(f"call-back {held.number} is being called by agent {agent}")
        return await self.book.take_next(agent, self._queues_of(agent), self._clock.now())

    async def take(self, number: int, agent: AgentNumber) -> CallBack:
        """Give an agent this one."""
        self._may_call()
        return await self.book.take(number, agent, self._queues_of(agent), self._clock.now(), "chosen")

    async def give(self, number: int, agent: AgentNumber) -> CallBack:
        """An agent who has nothing to do is given this one."""
        return await self.book.take(number, agent, self._queues_of(agent), self._clock.now(), "given")

    async def let_go(self, number: int, actor: str) -> CallBack:
        """Back into the list, with what is in hand with it."""
        return await self._all(number, lambda each, now: each.let_go(now), actor, "let_go")

    async def give_up(self, number: int, actor: str, why: str) -> CallBack:
        """Nobody will call that number: neither for this one nor for what is in hand with it."""
        return await self._all(number, lambda each, now: each.given_up(why, now), actor, "given_up")

    async def again(self, number: int, actor: str) -> CallBack:
        """Who answered was not who waits for it: back into the list, within the tries; for all of them."""
        return await self._all(number, lambda each, now: each.again(self.policy, now), actor, "not_the_caller")

    async def _all(
        self, number: int, becomes: Callable[[CallBack, datetime], CallBack], actor: str, why: str
    ) -> CallBack:
        """The same change to a call-back and all that is served with it, or to none of them."""
        now, first = self._clock.now(), await self._known(number)
        changes = [(each, becomes(each, now)) for each in (first, *await self.together(first))]
        await self.book.move_all(changes, actor, why)
        return changes[0][1]

    async def follow_up(self, case: FollowUp, telephone: str, due_at: datetime) -> CallBack:
        """List a follow-up of a case (C4); the same step again is the same one. Raises NumberRefused."""
        now = self._clock.now()
        new = NewCallback(
            origin=Origin.FOLLOW_UP,
            about=case.about,
            telephone=self.numbers.checked(telephone),
            language=case.language or DEFAULT_LANGUAGE,
            due_at=due_at,
            place=now,
            section=case.section,
            case_id=case.number,
            priority=case.key_customer,
        )
        return await self.book.enlist(new, now)

    async def dial(self, number: int, agent: AgentNumber) -> Attempt:
        """Ring the agent, then the caller. What comes of it is told by the attempt, later."""
        self._may_call()
        taken = await self._known(number)
        if taken.agent != agent:
            raise CallbackError(f"call-back {number} is not in the hands of agent {agent}")
        if any(each.state is CallbackState.DIALLING for each in await self.together(taken)):
            raise CallbackError(f"call-back {number}: that number is being called already")
        if self._link.state is not LinkState.UP:
            raise CallbackError("there is no link to Asterisk: nothing can be dialled now")
        attempt = await self.book.begin(taken, self._settings.instance, self._clock.now())
        try:
            await self._link.call(
                "Originate",
                {
                    "Channel": f"PJSIP/{agent}",
                    "ChannelId": attempt.id,
                    "Context": "callback",
                    "Exten": "s",
                    "Priority": "1",
                    "CallerID": f"<{self._settings.hotline_number}>",
                    "Timeout": str(self._own.agent_ring_s * 1000),
                    "Async": "true",
                },
            )
        except AmiRefused as error:
            log.warning("callback.refused", extra={"callback": number, "reason": str(error)})
            await self.settle(await self._known(number), attempt, AttemptOutcome.AGENT_MISSED)
        except AmiError as error:
            # Whether it was carried out is not known: Asterisk's log, or its silence, will tell.
            log.warning("callback.unclear", extra={"callback": number, "reason": str(error)})
        else:
            log.info("callback.dialled", extra={"callback": number, "attempt": attempt.attempt, "agent": agent})
        return attempt

    # ── What Asterisk asks ───────────────────────────────────────────────────────────────────────────────────

    async def number_for(self, channel_id: str) -> tuple[str, str] | None:
        """The number to dial and the trunk for an attempt that an agent has picked up; ``None``: call nobody.

        Raises StorageUnavailable.
        """
        place = attempt_of(channel_id)
        callback = await self.book.get(place[0]) if place else None
        if place is None or callback is None:
            return None
        mine = callback.state is CallbackState.DIALLING and callback.attempts == place[1]
        if not mine or not self._trunks or not self.policy.allows(self._clock.now()):
            return None
        try:
            return self.numbers.checked(callback.telephone), self._trunks[0].name
        except NumberRefused:
            return None

    async def take_by_telephone(self, channel: str) -> str:
        """An agent dialled ``*21``: ``yes`` if there is a call-back for them, ``none`` if not, else empty."""
        agent = agent_of_channel(channel)
        if agent is None:
            return ""
        try:
            taken = await self.take_next(agent)
        except (CallbackError, StorageError) as error:
            log.warning("callback.not_taken", extra={"agent": agent, "reason": str(error)})
            return ""
        if taken is None:
            return "none"
        self.start(self._dial_when_free(taken, agent))
        return "yes"

    async def settle(self, callback: CallBack, attempt: Attempt, outcome: AttemptOutcome) -> None:
        """An attempt is over: write down what came of it. Raises StorageError."""
        now = self._clock.now()
        after = callback.after(attempt, outcome, self.policy, now)
        others = [each for each in await self.together(callback) if each.state is CallbackState.TAKEN]
        along = [(each, each.along(attempt, outcome, self.policy, now)) for each in others]
        try:
            await self.book.settle(attempt, outcome, callback, after, along)
        except CallbackError as error:
            log.warning("callback.settled_already", extra={"callback": callback.number, "reason": str(error)})
            return
        self._exporter.count(catalogue.CALLBACK_ATTEMPTS, outcome.value)
        log.info(
            "callback.settled",
            extra={"callback": callback.number, "attempt": attempt.attempt, "outcome": outcome.value},
        )

    # ── Small things ─────────────────────────────────────────────────────────────────────────────────────────

    async def _dial_when_free(self, taken: CallBack, agent: AgentNumber) -> None:
        """The agent's telephone is still in the call in which they asked for it."""
        ends = asyncio.get_running_loop().time() + _FREE_S
        while asyncio.get_running_loop().time() < ends:
            names = await self.channels(by="Channel")
            if names is not None and not any(agent_of_channel(name) == agent for name in names):
                await self.try_to_dial(taken, agent)
                return
            await asyncio.sleep(0.2)  # nothing tells that a telephone has become free but its channel's absence

    async def try_to_dial(self, taken: CallBack, agent: AgentNumber) -> None:
        """Dial; what stands against it goes into the log, and who has it in hand loses it after a while."""
        try:
            await self.dial(taken.number, agent)
        except (CallbackError, StorageError) as error:
            log.warning("callback.not_dialled", extra={"callback": taken.number, "reason": str(error)})

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Let it run by itself."""
        task = asyncio.create_task(work)
        self._calling.add(task)
        task.add_done_callback(self._calling.discard)

    async def channels(self, by: str = "Uniqueid") -> set[str] | None:
        """Ids or names of Asterisk's channels; ``None`` if it does not say."""
        try:
            shown = await self._link.query("CoreShowChannels", complete_event="CoreShowChannelsComplete")
        except AmiError:
            return None
        return {channel.get(by, "") for channel in shown}

    async def _known(self, number: int) -> CallBack:
        callback = await self.book.get(number)
        if callback is None:
            raise CallbackError(f"there is no call-back {number}")
        return callback

    def _may_call(self) -> None:
        """Raises CallbackError where nobody may be called now."""
        if not self._trunks:
            raise CallbackError("no trunk is set that calls could go to (trunks: dial)")
        if not self.policy.allows(self._clock.now()):
            raise CallbackError(f"callers are called back at {self._own.hours} only")

    def _queues_of(self, agent: AgentNumber) -> Sequence[SectionId]:
        known = self._roster.get(agent)
        if known is None:
            raise CallbackError(f"agent {agent} is not on the roster")
        return [SectionId(section) for section in known.queues]

    @property
    def calling(self) -> bool:
        """Whether somebody's telephone is about to be rung."""
        return bool(self._calling)

    @property
    def can_dial(self) -> bool:
        """Whether there is a trunk that calls could go to."""
        return bool(self._trunks)
