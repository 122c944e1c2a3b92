"""What the synthetic caller does and listens for, and what it makes of what it met (K5)."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from calls.call import Call
from calls.events import AnyEvent, AskedBy, CallArrived, PersonAsked
from calls.ids import SYNTHETIC_TRUNK, CallId, Language, SectionId
from calls.outages import SyntheticResult
from calls.ports import Change
from ivr.menu.hours import OpeningHours
from ivr.menu.loader import read_menu
from ivr.menu.model import Menu
from service import synthetic
from service.settings import Settings
from service.synthetic import Plan, SyntheticCaller, plan_call
from tests.unit.test_hearing import over_the_line, recording, silence

ZONE = ZoneInfo("Asia/Shanghai")
TUESDAY = datetime(2026, 11, 24, 10, tzinfo=ZONE)
COMPLAINT = SectionId("complaint")
HOURS = OpeningHours(ZONE)


@pytest.fixture(scope="module")
def menu() -> Menu:
    return read_menu(Settings().menu_file)


def names(plan: Plan) -> list[tuple[str, str]]:
    return [(sound.parent.name, sound.stem) for sound in plan.prompts]


def test_the_usual_way(menu: Menu) -> None:
    plan = plan_call(menu, TUESDAY, HOURS, "12", COMPLAINT)
    zh = "zh-CN"
    assert names(plan) == [
        *((zh, "welcome"), (zh, "recorded"), (zh, "choose-language"), ("en", "choose-language")),
        *((zh, "sections"), (zh, "section-complaint")),
    ]
    assert [key for _, key in plan.steps] == ["1", "2", ""]
    assert plan.steps[0][0] >= 2.48 + 3.2 + 1.63 + 1.38
    assert plan.lasts_s < synthetic._ANSWER_S + 50


def test_the_way_in_another_language_and_on_a_holiday(menu: Menu) -> None:
    plan = plan_call(menu, datetime(2026, 10, 1, 10, tzinfo=ZONE), HOURS, "22", COMPLAINT)
    expected = ["recorded", "holiday", "sections", "section-complaint"]
    assert names(plan)[-4:] == [("en", name) for name in expected]


def test_silence_is_waited_out(menu: Menu) -> None:
    """Without keys the menu's own time-outs pass, and it ends with a person all the same."""
    plan = plan_call(menu, TUESDAY, HOURS, "", COMPLAINT)
    assert [key for _, key in plan.steps] == [""]
    assert plan.lasts_s > 20
    assert names(plan).count(("zh-CN", "sections")) == 3


# ── A call, with a folder for Asterisk ───────────────────────────────────────────────────────────────────────


class Line:
    """Answers the call file as Asterisk would: with a recording, and with events in the ledger."""

    def __init__(self, folder: Path, plan: Plan, nothing_more: Callable[[], None]) -> None:
        self.plan = plan
        self.nothing_more = nothing_more
        """From then on nobody waits for what has not come."""
        self.spool = folder / "spool"
        for name in ("outgoing", "outgoing_done"):
            (self.spool / name).mkdir(parents=True)
        self.caller = SyntheticCaller(lambda: plan, COMPLAINT, self.spool, folder / "reliability")
        self.seen: dict[str, str] = {}

    async def answer(self, heard: Path, section: str | None, trunk: str = SYNTHETIC_TRUNK) -> SyntheticResult:
        calling = asyncio.create_task(self.caller.call())
        while not self.call_file.exists():
            await asyncio.sleep(0.01)
        lines = [line.partition(": ")[::2] for line in self.call_file.read_text().splitlines()]
        self.seen = {key: value for key, value in lines if key != "Setvar"}
        variables = dict(value.split("=", 1) for key, value in lines if key == "Setvar")
        self.seen |= variables
        if section:
            self._book(section, trunk)
        shutil.copyfile(heard, variables["HEARD"])
        self.call_file.rename(self.spool / "outgoing_done" / self.call_file.name)
        self.nothing_more()
        return await calling

    @property
    def call_file(self) -> Path:
        return self.spool / "outgoing" / "synthetic.call"

    def _book(self, section: str, trunk: str) -> None:
        call_id, at = CallId("test-1.1"), datetime(2026, 11, 24, tzinfo=UTC)
        number = self.seen["CallerID"].strip("<>")
        told: list[AnyEvent] = [CallArrived(call_id=call_id, at=at, trunk=trunk, caller=number)]
        told.append(
            PersonAsked(
                call_id=call_id,
                at=at + timedelta(seconds=1),
                section=SectionId(section),
                language=Language("zh-CN"),
                priority=False,
                by=AskedBy.MENU,
            )
        )
        self.caller.on_change(Change(before=None, after=Call.of(told), events=tuple(told)))


@pytest.fixture
def line(tmp_path: Path, menu: Menu, monkeypatch: pytest.MonkeyPatch) -> Line:
    monkeypatch.setattr(synthetic, "_ANSWER_S", 0)
    monkeypatch.setattr(synthetic, "_LATE_S", 120)
    monkeypatch.setattr(synthetic, "_LOOK_EVERY_S", 0.01)
    whole = plan_call(menu, TUESDAY, HOURS, "12", COMPLAINT)
    # Shorter, so that waiting for what does not come takes no time.
    short = replace(whole, steps=((0, "1"), (0, "2"), (0, "")))
    return Line(tmp_path, short, lambda: monkeypatch.setattr(synthetic, "_LATE_S", 0))


@pytest.fixture
def all_of_it(tmp_path: Path, line: Line) -> Path:
    return recording(tmp_path / "all.wav", silence(0.2), *map(over_the_line, line.plan.prompts), silence(0.2))


async def test_all_heard_and_on_the_books(line: Line, all_of_it: Path) -> None:
    assert await line.answer(all_of_it, "complaint") is SyntheticResult.SUCCESS
    assert line.seen["Channel"] == "PJSIP/synthetic" and line.seen["STEPS"] == "0/1&0/2&0/"
    assert line.seen["Context"] == "synthetic-caller" and line.seen["MaxRetries"] == "0"
    assert line.caller.last_call_s() < 3600


async def test_nobody_answers(line: Line) -> None:
    assert line.caller.last_call_s() == float("inf")
    line.nothing_more()
    assert await line.caller.call() is SyntheticResult.NO_ANSWER
    assert not line.call_file.exists(), "Asterisk, coming back, must not dial what is long over"


async def test_a_prompt_is_missing(line: Line, tmp_path: Path) -> None:
    spoken = [over_the_line(prompt) for prompt in line.plan.prompts]
    heard = recording(tmp_path / "part.wav", *spoken[:3], *spoken[4:], silence(2))
    assert await line.answer(heard, "complaint") is SyntheticResult.WRONG_PROMPT


async def test_another_section(line: Line, all_of_it: Path) -> None:
    assert await line.answer(all_of_it, "inquiry") is SyntheticResult.WRONG_SECTION


async def test_a_section_without_a_queue_is_not_named(line: Line, tmp_path: Path) -> None:
    heard = recording(tmp_path / "part.wav", *map(over_the_line, line.plan.prompts[:-1]), silence(2))
    assert await line.answer(heard, "complaint") is SyntheticResult.WRONG_SECTION


async def test_all_heard_but_not_on_the_books(line: Line, all_of_it: Path) -> None:
    assert await line.answer(all_of_it, None) is SyntheticResult.NOT_IN_BOOKS


async def test_somebody_elses_call_is_not_taken_for_it(line: Line, all_of_it: Path) -> None:
    """A caller cannot choose the trunk."""
    assert await line.answer(all_of_it, "complaint", trunk="city") is SyntheticResult.NOT_IN_BOOKS
