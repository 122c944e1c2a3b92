"""The synthetic caller: rings the hotline as a caller does, listens, presses keys, and says what it met (K5).

Its call is a real one, over SIP and RTP, from our Asterisk to our Asterisk: it arrives like any trunk's, walks
the real menu, asks for a person, and hears the name of the section. No agent's telephone rings and nothing is
recorded; its trunk is ``calls.ids.SYNTHETIC_TRUNK``, which no indicator counts. It is started by a call file, so
that it needs neither the management link nor this service's menu to be up to tell that they are not.
"""

from __future__ import annotations

import asyncio
import logging
import math
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from asterisk_conf.prompt_manifest import prompt_file
from asterisk_conf.prompt_phrases import clock_time
from asterisk_conf.render import write_private
from calls.call import Call
from calls.errors import PromptError
from calls.ids import SYNTHETIC_TRUNK, SectionId
from calls.outages import SyntheticResult
from calls.ports import Change
from ivr.menu.actions import Ask, Connect, Play, SayPrompt, Spoken
from ivr.menu.hours import OpeningHours
from ivr.menu.model import Menu
from ivr.menu.walker import Walk
from service.hearing import FRAME_S, find, loudness_of

log = logging.getLogger(__name__)

_MARGIN_S = 1.0
"""Listened on after a prompt should be over: the menu's service and the network take their time."""
_ANSWER_S = 10
"""Time for the hotline to answer."""
_LATE_S = 10.0
"""Further time until the recording must be there, and until the call must be in the books."""
_LOOK_EVERY_S = 0.2
_OVERLAP_FRAMES = 10
"""Frames by which a prompt may seem to begin before the last one's end: it was laid a little late."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do in a call, and what must be heard."""

    steps: tuple[tuple[int, str], ...]
    """Whole seconds to listen, then a key to press, or ``""``."""
    prompts: tuple[Path, ...]
    """Sounds in the order in which they must be heard; the last is the section's name."""

    @property
    def lasts_s(self) -> int:
        return sum(seconds for seconds, _ in self.steps)


def plan_call(menu: Menu, now: datetime, hours: OpeningHours, keys: str, section: SectionId) -> Plan:
    """Walk the menu with these keys, and listen for the section's name at the end. Raises PromptError.

    What must be heard are the prompts as they were delivered, not the copies that Asterisk plays.
    """
    walk, left = Walk(menu, now, hours), list(keys)
    steps: list[tuple[int, str]] = []
    prompts: list[Path] = []
    listen_s = 0.0
    while isinstance(walk.action, Play | Ask):
        sounds = _sounds(walk.action.say)
        prompts += sounds
        listen_s += sum(map(_seconds, sounds))
        key = left.pop(0) if isinstance(walk.action, Ask) and left else None
        if key:
            steps.append((math.ceil(listen_s + _MARGIN_S), key))
            listen_s = 0.0
        elif isinstance(walk.action, Ask):
            listen_s += walk.action.timeout_s
        walk.feed(key)
    named = [*_sounds(walk.action.say), prompt_file(walk.language, f"section-{section}")]
    steps.append((math.ceil(listen_s + sum(map(_seconds, named)) + _MARGIN_S), ""))
    return Plan(tuple(steps), (*prompts, *(named if isinstance(walk.action, Connect) else named[:-1])))


def _sounds(say: Sequence[Spoken]) -> list[Path]:
    return [
        prompt_file(item.language, prompt)
        for item in say
        for prompt in ((item.prompt,) if isinstance(item, SayPrompt) else clock_time(item.time, item.language))
    ]


def _seconds(sound: Path) -> float:
    return len(loudness_of(sound)) * FRAME_S


class SyntheticCaller:
    """Places one call at a time. ``plan`` is made anew for each: opening hours change what is heard.

    ``spool`` is Asterisk's spool directory, ``folder`` where the last call's recording stays for a person to hear.
    """

    def __init__(self, plan: Callable[[], Plan], section: SectionId, spool: Path, folder: Path) -> None:
        self._plan = plan
        self._section = section
        self._spool = spool
        self._heard = folder / "heard.wav"
        self._call_file = spool / "outgoing" / "synthetic.call"
        self._done = spool / "outgoing_done" / "synthetic.call"
        """Where Asterisk moves the call file when the call is over, or could not be placed."""
        self._number = ""
        self._booked: Call | None = None

    def on_change(self, change: Change) -> None:
        """A call has changed in the ledger."""
        if change.after.trunk == SYNTHETIC_TRUNK and change.after.caller == self._number:
            self._booked = change.after

    def last_call_s(self) -> float:
        """Seconds since the last call's recording was made; infinite if there was none."""
        try:
            return max(0.0, time.time() - self._heard.stat().st_mtime)
        except FileNotFoundError:
            return float("inf")

    async def call(self) -> SyntheticResult:
        """Place one call and judge it."""
        plan = await asyncio.to_thread(self._plan)
        # A number of its own, by which the call is found in the books.
        self._number = f"99{secrets.randbelow(10**10):010d}"
        self._booked = None
        await asyncio.to_thread(self._dial, plan)
        try:
            over = await _until(self._done.exists, _ANSWER_S + plan.lasts_s + _LATE_S)
        finally:
            self._call_file.unlink(missing_ok=True)  # Asterisk was away and would dial when it is back
        return await self._judge(plan) if over and self._heard.exists() else SyntheticResult.NO_ANSWER

    async def _judge(self, plan: Plan) -> SyntheticResult:
        missing = await asyncio.to_thread(first_unheard, self._heard, plan.prompts)
        if missing is not None and missing < len(plan.prompts) - 1:
            log.error("synthetic.prompt_not_heard", extra={"prompt": plan.prompts[missing].stem})
            return SyntheticResult.WRONG_PROMPT
        booked = await _until(lambda: self._booked is not None and self._booked.asked_at is not None, _LATE_S)
        came_to = self._booked.section if self._booked else None
        if missing is not None or (booked and came_to != self._section):
            log.error("synthetic.wrong_section", extra={"section": came_to, "expected": self._section})
            return SyntheticResult.WRONG_SECTION
        return SyntheticResult.SUCCESS if booked else SyntheticResult.NOT_IN_BOOKS

    def _dial(self, plan: Plan) -> None:
        """Hand the call over to Asterisk, in one step."""
        self._heard.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        for stale in (self._heard, self._done):
            stale.unlink(missing_ok=True)
        steps = "&".join(f"{seconds}/{key}" for seconds, key in plan.steps)
        fresh = self._spool / "synthetic.call"
        write_private(
            fresh,
            f"Channel: PJSIP/{SYNTHETIC_TRUNK}\n"
            f"CallerID: <{self._number}>\n"
            f"WaitTime: {_ANSWER_S}\n"
            "MaxRetries: 0\nArchive: yes\n"
            "Context: synthetic-caller\nExtension: s\nPriority: 1\n"
            f"Setvar: HEARD={self._heard}\n"
            f"Setvar: STEPS={steps}\n",
        )
        fresh.replace(self._call_file)


def first_unheard(recording: Path, prompts: Sequence[Path]) -> int | None:
    """Which prompt is the first that the recording does not have after the one before; ``None``: it has all."""
    try:
        heard = loudness_of(recording)
    except PromptError as error:
        log.error("synthetic.recording_unreadable", extra={"reason": str(error)})
        return 0
    frame = 0
    for index, prompt in enumerate(prompts):
        found = find(loudness_of(prompt), heard, max(0, frame - _OVERLAP_FRAMES))
        if not found.good:
            return index
        frame = found.end
    return None


async def _until(so: Callable[[], bool], timeout_s: float) -> bool:
    """Look again and again until it is so; whether it was, in time."""
    ends = time.monotonic() + timeout_s
    while not so():
        if time.monotonic() > ends:
            return False
        await asyncio.sleep(_LOOK_EVERY_S)
    return True
