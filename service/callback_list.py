"""The list of call-backs, kept: who is owed one comes onto it, what is over leaves it (A5, Q2)."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from calls.callbacks import CASE_IS, SERVED_IN, CallBack, CallbackState, NewCallback, Origin
from calls.errors import CallbackError, NumberRefused, StorageError
from calls.live import AgentState, LinkNow, Picture
from calls.ports import Change, Clock
from metrics import catalogue
from metrics.exporter import Exporter
from service.callbacks import DEFAULT_LANGUAGE, CallbackDesk
from service.gauges import patiently
from service.settings import Settings
from storage.callback_rows import Wanted
from storage.callbacks import SERVICE

log = logging.getLogger(__name__)

_LOOK_EVERY_S = 1.0
_LOOK_BACK = timedelta(days=30)
_SHOW_EVERY = timedelta(seconds=5)
_LOST_AFTER = timedelta(seconds=30)
"""An attempt that Asterisk has no channel for any more, and of which no end was told so long, is over."""
_NOBODYS_AFTER = timedelta(days=1)
"""An Asterisk whose service has not settled its attempts so long is there no more."""

_WITHOUT_CLOCK = timedelta(days=7)
"""A follow-up whose clock cannot be read yet is due so long after its step began, until it can."""

NUMBER_REFUSED = "number_refused"
"""Why somebody is on the list and will not be called: a person must see to it."""


class CallbackKeeper:
    """Looks again and again.

    ``picture`` tells who is ready and waits; ``on_open`` is told how many are owed; ``caught_up`` returns when all
    that Asterisk has written is on the books.
    """

    def __init__(
        self,
        settings: Settings,
        desk: CallbackDesk,
        clock: Clock,
        exporter: Exporter,
        picture: Callable[[], Picture],
        on_open: Callable[[int], None],
        caught_up: Callable[[], Awaitable[None]],
    ) -> None:
        self._settings = settings
        self._own = settings.callbacks
        self._desk = desk
        self._book = desk.book
        self._follow_ups = desk.follow_ups
        self._clock = clock
        self._exporter = exporter
        self._picture = picture
        self._on_open = on_open
        self._caught_up = caught_up
        self._news = True
        self._shown_at: datetime | None = None

    def on_change(self, change: Change) -> None:
        """A call has changed in the ledger."""
        survey = change.after.survey
        if change.after.callback_promised_at or (survey and survey.dissatisfied):
            self._news = True

    async def run(self) -> None:
        """Keep the list until cancelled."""
        await patiently(
            _LOOK_EVERY_S,
            self.look,
            (StorageError, OSError),
            lambda reason: log.warning("callbacks.unavailable", extra={"reason": reason}),
        )

    async def look(self) -> None:
        """Do everything that is to be done now, once. Raises StorageError."""
        now = self._clock.now()
        if self._news:
            self._news = False  # before looking: what comes meanwhile is news again
            try:
                more = await self._enlist(now)
            except StorageError:
                self._news = True
                raise
            self._news = self._news or more
        await self._follow_cases(now)
        for callback, call_id in await self._desk.numbers_alike.served_meanwhile():
            await self._quietly(callback, callback.withdrawn(f"{SERVED_IN}{call_id}", now), "served_meanwhile")
        await self._settle_what_is_over(now)
        for forgotten in await self._book.forgotten(now - timedelta(minutes=self._own.taken_min)):
            await self._quietly(forgotten, forgotten.let_go(now), "not_called")
        await self._give(now)
        if self._shown_at is None or now - self._shown_at >= _SHOW_EVERY or now < self._shown_at:
            await self._show(now)
            self._shown_at = now

    async def _enlist(self, now: datetime) -> bool:
        """Put on the list who is wanted there; whether there may be more."""
        wanted = await self._book.wanted(now - _LOOK_BACK, dissatisfied=self._own.dissatisfied)
        for one in wanted:
            refused = ""
            try:
                telephone = self._desk.numbers.checked(one.telephone)
            except NumberRefused:
                telephone, refused = one.telephone, NUMBER_REFUSED
            await self._book.enlist(self._new(one, telephone), now, refused=refused)
            log.info("callback.listed", extra={"call_id": one.call_id, "origin": one.origin, "refused": refused})
        return bool(wanted)

    def _new(self, one: Wanted, telephone: str) -> NewCallback:
        promised = one.origin is Origin.PROMISE
        minutes = self._own.promise_within_min if promised else self._own.dissatisfied_within_min
        return NewCallback(
            origin=one.origin,
            about=one.call_id,
            telephone=telephone,
            language=one.language or DEFAULT_LANGUAGE,
            due_at=self._desk.policy.due(one.since, timedelta(minutes=minutes)),
            place=one.place,
            section=one.section,
            call_id=one.call_id,
            priority=one.priority,
        )

    async def _follow_cases(self, now: datetime) -> None:
        """Who was told their complaint's result is asked (C4); what no case waits for any more is withdrawn.

        Read from the cases as they stand, so it does not matter by which door a case came there.
        """
        for case in await self._follow_ups.waiting():
            telephone = self._desk.numbers.first_in(case.contact)
            if telephone is None:
                continue  # the case's page says so
            due_at = case.due_at or case.since + _WITHOUT_CLOCK
            if case.callback is None:
                await self._desk.follow_up(case, telephone, due_at)
                log.info("callback.listed", extra={"case": case.number, "origin": Origin.FOLLOW_UP, "refused": ""})
            elif (case.callback.telephone, case.callback.due_at) != (telephone, due_at):
                await self._follow_ups.restate(case.callback, telephone, due_at)
        for callback, state in await self._follow_ups.astray():
            await self._quietly(callback, callback.withdrawn(f"{CASE_IS}{state}", now), f"{CASE_IS}{state}")

    async def _settle_what_is_over(self, now: datetime) -> None:
        # Another Asterisk's are its own service's to settle: we have neither its log nor its channels.
        mine = [
            (callback, attempt)
            for callback, attempt in await self._book.unsettled()
            if attempt.instance == self._settings.instance or now - attempt.began_at > _NOBODYS_AFTER
        ]
        over = [pair for pair in mine if pair[1].ended_at]
        silent = [pair for pair in mine if pair[1].ended_at is None and now - pair[1].began_at > _LOST_AFTER]
        if silent and self._picture().link is LinkNow.UP:
            there = await self._desk.channels()
            over += [pair for pair in silent if there is not None and pair[1].id not in there]
        if over:
            # The link may tell an end before the file has told what came before it: who was reached must not be
            # called again. From here on everything that Asterisk wrote is on the books.
            await self._caught_up()
        for callback, attempt in over:
            told = await self._book.attempt(attempt.callback, attempt.attempt) or attempt
            await self._desk.settle(callback, told, told.seen())

    async def _give(self, now: datetime) -> None:
        """Give the first in line to an agent who has nothing to do, where enough of them have."""
        least, picture = self._own.give_when_ready, self._picture()
        if not least or sum(agent.state is AgentState.READY for agent in picture.agents) < least:
            return
        if not self._desk.can_dial or not self._desk.policy.allows(now) or self._desk.calling:
            return
        busy = {queue.section for queue in picture.queues if queue.waiting}
        for callback in await self._book.waiting():
            if callback.state is not CallbackState.WAITING or callback.not_before > now:
                continue
            ready = [
                agent
                for agent in picture.agents
                if agent.state is AgentState.READY and (callback.section in (None, *agent.sections))
            ]
            if len(ready) < least or callback.section in busy:
                continue
            agent = min(ready, key=lambda one: one.since).number
            try:
                taken = await self._desk.give(callback.number, agent)
            except CallbackError:
                continue  # somebody was faster, or has that number in hand
            self._desk.start(self._desk.try_to_dial(taken, agent))
            return

    async def _show(self, now: datetime) -> None:
        today = now.astimezone(self._settings.zone).replace(hour=0, minute=0, second=0, microsecond=0)
        tally = await self._book.tally(today.astimezone(now.tzinfo), now)
        self._on_open(sum(tally.open.values()))
        for origin, number in tally.open.items():
            self._exporter.set(catalogue.CALLBACKS_OPEN, number, origin.value)
        self._exporter.set(catalogue.CALLBACKS_OVERDUE, tally.overdue)
        self._exporter.set(catalogue.CALLBACK_PROMISES, tally.kept, "kept")
        self._exporter.set(catalogue.CALLBACK_PROMISES, tally.broken, "broken")
        self._exporter.set(catalogue.CALLBACKS_GIVEN_UP, tally.given_up)

    async def _quietly(self, before: CallBack, after: CallBack, why: str) -> bool:
        """Change it, unless somebody else was faster; whether it was changed."""
        try:
            await self._book.move(before, after, SERVICE, why)
        except CallbackError:
            return False
        return True
