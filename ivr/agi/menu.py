"""One caller's way through the menu, on one AGI session."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from calls.errors import AgiError, AgiGarbage
from calls.events import AnyEvent, MenuChosen
from calls.ids import CallId, is_unique_id
from calls.ports import Clock
from ivr.agi.guard import TakeoverGuard
from ivr.agi.session import AgiSession
from ivr.menu.actions import Ask, Connect, Hangup, KeyPressed, KeyRefused, Play, Spoken, TimedOut
from ivr.menu.hours import OpeningHours
from ivr.menu.model import TELEPHONE_KEYS, Menu
from ivr.menu.walker import Walk

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Sound:
    """A file that Asterisk can play (path without extension) and its length in seconds."""

    path: str
    seconds: float


class Phrasebook(Protocol):
    """Turns what a menu wants said into sounds."""

    def sounds(self, spoken: Sequence[Spoken]) -> tuple[Sound, ...]:
        """The sounds, in order."""


class MenuCaller:
    """Walks callers through the menu and leaves the outcome in channel variables for the dialplan.

    ``ASK_PRIORITY`` and, last, ``ASK_SECTION`` when the caller is to get a person; ``MENU_END=done`` when the
    menu ended the call by itself. If the session breaks off before that, the dialplan takes the caller to a
    person. ``menu_clock`` is what opening hours are judged by; in rehearsals it is not the real one.
    """

    def __init__(
        self,
        menu: Menu,
        hours: OpeningHours,
        phrasebook: Phrasebook,
        guard: TakeoverGuard,
        clock: Clock,
        *,
        menu_clock: Clock,
        is_priority: Callable[[str | None], bool],
        on_event: Callable[[AnyEvent], None],
    ) -> None:
        self._menu = menu
        self._hours = hours
        self._phrasebook = phrasebook
        self._guard = guard
        self._clock = clock
        self._menu_clock = menu_clock
        self._is_priority = is_priority
        self._on_event = on_event

    async def __call__(self, session: AgiSession) -> None:
        """Serve one caller. Raises the session's AgiError when it breaks off."""
        request = session.request
        if not is_unique_id(request.call_id):
            raise AgiGarbage("the call id has no form that Asterisk gives")
        walk = Walk(
            self._menu,
            self._menu_clock.now(),
            self._hours,
            priority=self._is_priority(request.caller_number),
        )
        async with self._guard.hold(request.channel):
            told = 0
            key: str | None
            ahead: str | None = None
            told_language: str | None = None
            while isinstance(walk.action, Play | Ask) and not session.draining:
                if isinstance(walk.action, Ask) and ahead is not None:
                    key, ahead = ahead, None
                else:
                    key = await self._perform(session, walk.action)
                if isinstance(walk.action, Play) and key is not None and key not in walk.action.keys:
                    # Typed ahead by somebody who knows the menu: the announcement ends, the question takes it.
                    key, ahead = None, key
                walk.feed(key)
                if walk.language != (told_language or self._menu.languages[0]):
                    # At once: if we die in the middle of the menu, the dialplan goes on in the caller's language.
                    told_language = walk.language
                    await session.set_variable("CHANNEL(language)", told_language)
                told = self._tell(CallId(request.call_id), walk, told)
            if isinstance(walk.action, Connect) and walk.action.say:
                await self._perform(session, walk.action)
        # From here on nobody pushes the time-out; what is left takes milliseconds.
        await self._finish(session, walk)

    async def _perform(self, session: AgiSession, action: Play | Ask | Connect) -> str | None:
        sounds = self._phrasebook.sounds(action.say)
        longest = max((sound.seconds for sound in sounds), default=0.0)
        if not self._guard.working:
            await self._push_by_agi(session, sum(sound.seconds for sound in sounds), action)
        paths = [sound.path for sound in sounds]
        if isinstance(action, Ask):
            return await session.ask_digit(paths, action.timeout_s, expected_s=longest)
        keys = TELEPHONE_KEYS if isinstance(action, Play) else ""
        return await session.play(paths, keys, expected_s=longest)

    async def _push_by_agi(self, session: AgiSession, playing_s: float, action: Play | Ask | Connect) -> None:
        """Without AMI: enough time for this one step, given before it."""
        waiting_s = action.timeout_s if isinstance(action, Ask) else 0.0
        total_s = playing_s + waiting_s + self._guard.takeover_s
        await session.exec("Set", f"TIMEOUT(absolute)={total_s:.1f}", expected_s=0)

    async def _finish(self, session: AgiSession, walk: Walk) -> None:
        action = walk.action
        if isinstance(action, Connect):
            await session.set_variable("ASK_PRIORITY", str(action.priority))
            await session.set_variable("ASK_SECTION", action.queue)
        elif isinstance(action, Hangup):
            sounds = self._phrasebook.sounds(action.say)
            await session.exec("Set", "TIMEOUT(absolute)=60", expected_s=0)
            await session.play(
                [sound.path for sound in sounds], "", expected_s=max((s.seconds for s in sounds), default=0.0)
            )
            await session.set_variable("MENU_END", "done")
        elif session.draining:
            log.info("menu.drained", extra={"call_id": session.request.call_id})
        else:
            raise AgiError("the walk neither ended nor goes on")

    def _tell(self, call_id: CallId, walk: Walk, told: int) -> int:
        steps = walk.steps
        for number, step in enumerate(steps[told:], start=told):
            match step:
                case KeyPressed(node, key):
                    choice = key
                case KeyRefused(node, _):
                    choice = "invalid"
                case TimedOut(node):
                    choice = "timeout"
                case _:
                    continue
            self._on_event(
                MenuChosen(call_id=call_id, at=self._clock.now(), step=number, node=node, choice=choice)
            )
        return len(steps)
