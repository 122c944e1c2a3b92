"""One caller in the menu, over a scripted session: keys, language, priority, and what the dialplan is told."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import cast
from zoneinfo import ZoneInfo

import pytest

from asterisk_conf.prompt_manifest import load_manifest
from calls.errors import AgiEnded, AgiGarbage, PromptError
from calls.events import AnyEvent, MenuChosen
from ivr.agi.guard import TakeoverGuard
from ivr.agi.menu import MenuCaller, Sound
from ivr.agi.session import AgiRequest, AgiSession
from ivr.menu.actions import SayPrompt, Spoken
from ivr.menu.hours import OpeningHours
from ivr.menu.loader import HOTLINE, load_menu
from ivr.menu.model import Goodbye, Menu, Prompt

MENU = load_menu(HOTLINE, load_manifest().available)
TUESDAY = datetime(2026, 11, 24, 2, tzinfo=UTC)
NATIONAL_DAY = datetime(2026, 10, 1, 2, tzinfo=UTC)
LATER = datetime(2026, 11, 24, 3, tzinfo=UTC)
REQUEST = AgiRequest(
    call_id="hotline-1795377518.103",
    channel="PJSIP/city-00000031",
    route="menu",
    language="zh-CN",
    dialled_number=None,
    caller_number="13800138000",
    caller_name=None,
)
SOUND_S = 4.0

Answer = str | None | Exception
"""What comes of one announcement or question: a key, silence, or an error."""


@dataclass
class Script:
    """Stands for the session: plays nothing, presses the given keys in turn, then nothing for ever."""

    answers: list[Answer] = field(default_factory=list)
    request: AgiRequest = REQUEST
    draining: bool = False
    done: list[tuple[str, ...]] = field(default_factory=list)
    """Everything in order: ("play", path …), ("ask", path …), ("set", name, value), ("exec", …)."""
    drain_at: int = 1000

    async def play(self, files: Sequence[str], escape_digits: str, *, expected_s: float) -> str | None:
        assert expected_s == (SOUND_S if files else 0.0)
        self.done.append(("play", *files))
        return self._answer() if escape_digits else None

    async def ask_digit(self, files: Sequence[str], timeout_s: float, *, expected_s: float) -> str | None:
        assert expected_s == SOUND_S
        assert timeout_s == 5
        self.done.append(("ask", *files))
        return self._answer()

    async def set_variable(self, name: str, value: str) -> None:
        self.done.append(("set", name, value))

    async def exec(self, application: str, *arguments: str, expected_s: float) -> bool:
        self.done.append(("exec", application, *arguments))
        return True

    def _answer(self) -> str | None:
        self.draining = len(self.heard) >= self.drain_at
        answer = self.answers.pop(0) if self.answers else None
        if isinstance(answer, Exception):
            raise answer
        return answer

    @property
    def heard(self) -> list[tuple[str, ...]]:
        return [step[1:] for step in self.done if step[0] in ("play", "ask")]

    @property
    def told(self) -> list[tuple[str, ...]]:
        """The variables left for the dialplan, in order."""
        return [step[1:] for step in self.done if step[0] == "set"]


class Guard:
    """Notes when the caller was held; ``log`` is the session's own list."""

    takeover_s = 2.5

    def __init__(self, log: list[tuple[str, ...]], working: bool) -> None:
        self.working = working
        self._log = log

    @contextlib.asynccontextmanager
    async def hold(self, channel: str) -> AsyncIterator[None]:
        self._log.append(("hold", channel))
        try:
            yield
        finally:
            self._log.append(("let go", channel))


class Sounds:
    def sounds(self, spoken: Sequence[Spoken]) -> tuple[Sound, ...]:
        for item in spoken:
            if item == SayPrompt("not-there", "zh-CN"):
                raise PromptError("not-there is not installed")
        return tuple(
            Sound(f"{item.language}/{item.prompt if isinstance(item, SayPrompt) else item.time}", SOUND_S)
            for item in spoken
        )


@dataclass(frozen=True)
class At:
    moment: datetime

    def now(self) -> datetime:
        return self.moment


async def call(
    script: Script,
    *,
    menu: Menu = MENU,
    at: datetime = TUESDAY,
    working: bool = True,
    is_priority: Callable[[str | None], bool] = lambda _: False,
) -> list[AnyEvent]:
    events: list[AnyEvent] = []
    caller = MenuCaller(
        menu,
        OpeningHours(ZoneInfo("Asia/Shanghai")),
        Sounds(),
        cast(TakeoverGuard, Guard(script.done, working)),
        At(LATER),
        menu_clock=At(at),
        is_priority=is_priority,
        on_event=events.append,
    )
    await caller(cast(AgiSession, script))
    return events


def chosen(events: list[AnyEvent]) -> list[tuple[str, str]]:
    found = [(event.node, event.choice) for event in events if isinstance(event, MenuChosen)]
    assert len(found) == len(events)
    return found


WALKS: list[tuple[str, list[Answer], str, str, list[tuple[str, str]]]] = [
    (
        "silent from beginning to end",
        [],
        "zh-CN",
        "inquiry",
        [("language", "timeout"), ("sections", "timeout"), ("sections", "timeout"), ("sections", "timeout")],
    ),
    ("listens, then chooses", [None, "1", "3"], "zh-CN", "ticketing", [("language", "1"), ("sections", "3")]),
    ("English", [None, "2", None, "2"], "en", "complaint", [("language", "2"), ("sections", "2")]),
    ("0 at once", ["0"], "zh-CN", "inquiry", [("welcome", "0")]),
    ("0 later", [None, "2", None, "0"], "en", "inquiry", [("language", "2"), ("sections", "0")]),
    ("types ahead", ["1", "4"], "zh-CN", "coordination", [("language", "1"), ("sections", "4")]),
    ("types ahead in English", ["2", "3"], "en", "ticketing", [("language", "2"), ("sections", "3")]),
    (
        "types ahead what means nothing",
        ["9", "2"],
        "zh-CN",
        "complaint",
        [("language", "invalid"), ("sections", "2")],
    ),
    (
        "wrong digits to the limit",
        [None, "1", "7", "8", "9"],
        "zh-CN",
        "inquiry",
        [("language", "1"), ("sections", "invalid"), ("sections", "invalid"), ("sections", "invalid")],
    ),
    (
        "again, and back",
        [None, "1", "*", "#", "2", None, "1"],
        "en",
        "inquiry",
        [("language", "1"), ("sections", "*"), ("sections", "#"), ("language", "2"), ("sections", "1")],
    ),
]


@pytest.mark.parametrize(
    ("answers", "language", "section", "choices"), [row[1:] for row in WALKS], ids=[row[0] for row in WALKS]
)
async def test_walk(answers: list[Answer], language: str, section: str, choices: list[tuple[str, str]]) -> None:
    script = Script(list(answers))
    events = await call(script)
    # ASK_SECTION comes last: with it alone the dialplan believes the rest.
    languages = [value for name, value in script.told if name == "CHANNEL(language)"]
    assert (languages or ["zh-CN"])[-1] == language
    assert script.told[len(languages) :] == [("ASK_PRIORITY", "0"), ("ASK_SECTION", section)]
    assert chosen(events) == choices
    assert not script.answers


async def test_a_key_typed_ahead_skips_its_question() -> None:
    script = Script(["2", None, "1"])
    await call(script)
    assert script.heard == [("zh-CN/welcome", "zh-CN/recorded"), ("en/recorded",), ("en/sections",)]


async def test_the_holiday_is_told_of() -> None:
    script = Script([None, "1", None, "1"])
    await call(script, at=NATIONAL_DAY)
    assert ("zh-CN/holiday",) in script.heard


async def test_events_carry_the_call_and_the_real_time_even_in_rehearsal() -> None:
    (first, second) = await call(Script([None, "1", "3"]))
    assert isinstance(first, MenuChosen)
    assert isinstance(second, MenuChosen)
    assert {first.call_id, second.call_id} == {REQUEST.call_id}
    assert {first.at, second.at} == {LATER}
    assert first.step < second.step
    assert first.key != second.key


@pytest.mark.parametrize(
    ("number", "priority"),
    [("13800138000", "10"), ("13900139000", "0"), (None, "0")],
    ids=["key", "other", "hidden"],
)
async def test_priority_callers_go_first(number: str | None, priority: str) -> None:
    script = Script(["0"], request=replace(REQUEST, caller_number=number))
    await call(script, is_priority=lambda asked: asked == "13800138000")
    assert ("ASK_PRIORITY", priority) in script.told


async def test_the_caller_is_held_for_the_menu_and_no_longer() -> None:
    script = Script([None, "1", "3"])
    await call(script)
    kinds = [step[0] for step in script.done]
    assert kinds == ["hold", "play", "ask", "ask", "let go", "set", "set"]
    assert script.done[0] == ("hold", REQUEST.channel)


async def test_without_ami_each_step_gets_its_time_over_agi() -> None:
    script = Script([None, "1", "3"])
    await call(script, working=False)
    steps = [step for step in script.done if step[0] in ("exec", "play", "ask")]
    assert [step[0] for step in steps] == ["exec", "play", "exec", "ask", "exec", "ask"]
    times = [float(step[2].removeprefix("TIMEOUT(absolute)=")) for step in steps if step[0] == "exec"]
    # Two sounds; two sounds and five seconds for a key; one sound and five seconds; each and the take-over time.
    assert times == [2 * SOUND_S + 2.5, 2 * SOUND_S + 5 + 2.5, SOUND_S + 5 + 2.5]


async def test_a_draining_service_lets_the_dialplan_take_over() -> None:
    script = Script(draining=True)
    assert await call(script) == []
    assert script.heard == []
    assert script.told == []  # no ASK_SECTION: the default section


async def test_draining_in_the_middle_keeps_the_language() -> None:
    script = Script([None, "2"], drain_at=2)
    events = await call(script)
    assert chosen(events) == [("language", "2")]
    assert script.told == [("CHANNEL(language)", "en")]


@pytest.mark.parametrize("heard", [0, 1, 2])
async def test_a_caller_who_hangs_up_is_let_go(heard: int) -> None:
    script = Script([*[None] * heard, AgiEnded("gone")])
    with pytest.raises(AgiEnded):
        await call(script)
    assert script.done[-1] == ("let go", REQUEST.channel)
    assert script.told == []


@pytest.mark.parametrize("call_id", ["", "x", "../1.1", "1.1/2", "1.1\n", "z" * 90 + "1.1"])
async def test_a_call_id_that_asterisk_never_gives(call_id: str) -> None:
    """It would name a file later on."""
    script = Script(request=replace(REQUEST, call_id=call_id))
    with pytest.raises(AgiGarbage):
        await call(script)
    assert script.done == []


async def test_a_missing_prompt_breaks_the_session_off_and_the_dialplan_goes_on() -> None:
    menu = replace(MENU, start="bye", nodes={"bye": Goodbye("bye", (Prompt("not-there"),))})
    script = Script()
    with pytest.raises(PromptError):
        await call(script, menu=menu)
    assert ("MENU_END", "done") not in script.told


async def test_the_menu_ends_a_call_by_itself() -> None:
    menu = replace(MENU, start="bye", nodes={"bye": Goodbye("bye", (Prompt("closed"),))})
    script = Script()
    assert await call(script, menu=menu) == []
    assert [step for step in script.done if step[0] not in ("hold", "let go")] == [
        ("exec", "Set", "TIMEOUT(absolute)=60"),
        ("play", "zh-CN/closed"),
        ("set", "MENU_END", "done"),
    ]


@pytest.mark.parametrize("working", [True, False], ids=["AMI works", "AMI is down"])
async def test_what_is_said_before_a_connection_is_heard_while_held(working: bool) -> None:
    assert MENU.priority is not None
    menu = replace(
        MENU,
        transfer=(Prompt("closed"),),
        priority=replace(MENU.priority, prompts=(Prompt("holiday"),)),
    )
    script = Script(["0"])
    await call(script, menu=menu, working=working, is_priority=lambda _: True)
    said = script.done.index(("play", "zh-CN/closed", "zh-CN/holiday"))
    assert said < script.done.index(("let go", REQUEST.channel)) < script.done.index(("set", "ASK_PRIORITY", "10"))
    if not working:
        assert script.done[said - 1] == ("exec", "Set", f"TIMEOUT(absolute)={2 * SOUND_S + 2.5}")


async def test_the_language_is_told_as_soon_as_it_is_chosen() -> None:
    """A service that dies later in the menu leaves the caller to the dialplan in the caller's language."""
    script = Script([None, "2", AgiEnded("gone")])
    with pytest.raises(AgiEnded):
        await call(script)
    assert script.told == [("CHANNEL(language)", "en")]
