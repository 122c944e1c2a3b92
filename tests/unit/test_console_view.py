"""What the live page says of a picture, who may ask for it, and whether its colours can be read."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path

import pytest

from calls.call import Stage
from calls.ids import AgentNumber, CallId, Language, SectionId
from calls.live import AgentNow, AgentState, CallNow, LinkNow, Picture, QueueNow
from calls.ports import Ratio
from console import view as module
from console.page import elapsed
from console.security import is_loopback
from console.texts import LANGUAGES, load_texts
from console.view import Board, View, percent, view_of

T0 = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
T0_MS = 1772413200000
INQUIRY, COMPLAINT = SectionId("inquiry"), SectionId("complaint")
ZH, EN = LANGUAGES
BOARD = Board(section_names={INQUIRY: {ZH: "咨询受理科", EN: "Inquiries"}})


def english(picture: Picture) -> View:
    return view_of(picture, load_texts(EN), BOARD)


def first(view: View, items: str) -> View:
    found = view[items]
    assert isinstance(found, list)
    item = found[0]
    assert isinstance(item, dict)
    return item


def agent(state: AgentState, *sections: SectionId, reason: str | None = None) -> View:
    queues = (QueueNow(INQUIRY, 0, 0), QueueNow(COMPLAINT, 0, 0))
    one = AgentNow(AgentNumber("1001"), state, T0, "Wang", reason, sections)
    return first(english(Picture(T0, LinkNow.UP, agents=(one,), queues=queues)), "agents")


@pytest.mark.parametrize(
    ("ratio", "shown"),
    [
        (Ratio(0, 0), "–"),
        (Ratio(0, 7), "0%"),
        (Ratio(7, 7), "100%"),
        (Ratio(1, 3), "33.3%"),
        (Ratio(2, 3), "66.6%"),
        (Ratio(9999, 10000), "99.9%"),
    ],
)
def test_percent_never_flatters(ratio: Ratio, shown: str) -> None:
    assert percent(ratio) == shown


def test_agents() -> None:
    assert agent(AgentState.READY, INQUIRY)["detail"] == "Inquiries"
    assert agent(AgentState.READY, INQUIRY, COMPLAINT)["detail"] == "all sections"
    assert agent(AgentState.PAUSED, INQUIRY, reason="let-it-ring")["detail"] == "let it ring"
    assert agent(AgentState.PAUSED, INQUIRY, reason="own words")["detail"] == "own words"
    assert agent(AgentState.READY)["since"] == T0_MS
    assert agent(AgentState.LOGGED_OUT)["since"] is None


def call(number: int, stage: Stage, asked_s: float | None, *, since_s: float = 0) -> CallNow:
    return CallNow(
        CallId(f"hotline-1772413200.{number}"),
        stage,
        T0 + timedelta(seconds=since_s),
        INQUIRY if asked_s is not None else None,
        Language("en") if asked_s is not None else None,
        None,
        None if asked_s is None else T0 + timedelta(seconds=asked_s),
    )


def test_who_waits_longest_is_on_top_and_who_talks_below() -> None:
    calls = (
        call(1, Stage.TALK, 1, since_s=5),
        call(2, Stage.QUEUE, 20),
        call(3, Stage.MENU, None),
        call(4, Stage.QUEUE, 10),
    )
    shown = english(Picture(T0, LinkNow.UP, calls=calls))["calls"]
    assert isinstance(shown, list)
    assert [one["short"] for one in shown] == ["#4", "#2", "#3", "#1"]


def test_the_callers_clock_runs_from_asking_whatever_happened_since() -> None:
    """A1: neither a ring nor an announcement restarts it."""
    waiting = first(english(Picture(T0, LinkNow.UP, calls=(call(1, Stage.QUEUE, 4, since_s=30),))), "calls")
    assert (waiting["since"], waiting["waits"]) == (T0_MS + 4000, True)
    talking = first(english(Picture(T0, LinkNow.UP, calls=(call(1, Stage.TALK, 4, since_s=30),))), "calls")
    assert (talking["since"], talking["waits"]) == (T0_MS + 30000, False)


def test_a_picture_without_figures_shows_no_zeros() -> None:
    figures = english(Picture(T0, LinkNow.UP))["figures"]
    assert isinstance(figures, dict)
    assert figures["arrived"] == figures["k1"]["percent"] == "–"


def test_a_section_without_a_name_shows_its_id() -> None:
    assert (
        first(english(Picture(T0, LinkNow.UP, queues=(QueueNow(COMPLAINT, 0, 0),))), "queues")["name"]
        == "complaint"
    )


@pytest.mark.parametrize(
    ("since", "text"),
    [
        (T0_MS, "0:00"),
        (T0_MS - 75_999, "1:15"),
        (T0_MS - 3_675_000, "1:01:15"),
        (T0_MS + 5000, "0:00"),
        (None, ""),
    ],
)
def test_elapsed(since: int | None, text: str) -> None:
    assert elapsed(since, T0_MS) == text


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:8080", "127.0.0.1:8080", "127.0.0.2", "[::1]:8080", "LOCALHOST"]
)
def test_loopback_names(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host",
    [
        "",
        "evil.example",
        "localhost.evil.example:8080",
        "127.0.0.1.evil.example",
        "192.168.1.5",
        "user@evil",
        "[::1",
        ":80",
    ],
)
def test_other_names(host: str) -> None:
    assert not is_loopback(host)


# ── Colours: WCAG 2.2, AA for text: 4.5 to 1 ──────────────────────────────────────────────────────────────────


def palettes() -> list[dict[str, str]]:
    """Light, and dark over light, as the style sheet sets them."""
    sheet = (Path(module.__file__).parent / "static" / "look.css").read_text("utf-8")
    light, dark = (
        dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block))
        for block in re.findall(r":root \{(.*?)\n *\}", sheet, re.DOTALL)
    )
    return [light, light | dark]


def contrast(one: str, other: str) -> float:
    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("palette", palettes(), ids=["light", "dark"])
def test_every_text_can_be_read(palette: dict[str, str]) -> None:
    tones = ("green", "blue", "violet", "amber", "red")
    pairs = {
        *product(("ink", "soft"), ("bg", "card", *(f"{tone}-bg" for tone in tones))),
        *((tone, ground) for tone in tones for ground in ("card", f"{tone}-bg")),
        ("accent", "card"),
        ("accent", "blue-bg"),
        ("on-accent", "accent"),
    }
    too_faint = {
        pair: round(contrast(palette[pair[0]], palette[pair[1]]), 2)
        for pair in pairs
        if contrast(palette[pair[0]], palette[pair[1]]) < 4.5
    }
    assert too_faint == {}
