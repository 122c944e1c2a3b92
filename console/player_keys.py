"""What every template with a player needs beside its view."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from calls.custody import Leg
from calls.transcript import Turn, gap
from console.shown import clock
from console.texts import Texts

KEYS: tuple[tuple[tuple[str, ...], str], ...] = (
    (("Space", "k"), "play"),
    (("←", "→"), "step"),
    (("Shift ←", "Shift →"), "fine"),
    (("[", "]"), "turn"),
    ((",", "."), "word"),
    (("p", "n"), "mark"),
    (("−", "+"), "speed"),
    (("1", "2", "3"), "leg"),
    (("s",), "skip"),
    (("f",), "follow"),
    (("z", "Shift z"), "zoom"),
    (("Home", "End"), "ends"),
    (("?",), "help"),
)
"""Keys of the player, and what they do (texts ``keys.…``)."""

AT_ONCE = 60
"""Turns that are there as the page opens; a script brings the others of a long call once it stands."""

_UNSURE = 0.5
"""Words that the recogniser believes in less are marked."""


def for_player(texts: Texts) -> dict[str, Any]:
    """Values for ``calls/player.html.j2``."""
    return {
        "player_keys": KEYS,
        "clock": clock,
        "spoken": spoken,
        "at_once": AT_ONCE,
        "legs": {leg: texts(f"leg.{leg}") for leg in Leg},
    }


@dataclass(frozen=True, slots=True)
class Line:
    """A turn as the page has it."""

    text: str
    places: str
    """Where each word stands in it: ``START:LENGTH:GAP``, with ``?`` behind it if it is unsure.

    Seconds, and units of UTF-16 as scripts count them. A script makes elements of a turn's words when they come
    near the reader's sight: an hour has nine thousand, and a page that brings them all opens later.
    """


def spoken(turn: Turn) -> Line:
    """What was said in a turn."""
    texts = [word.text for word in turn.words]
    gaps = [*map(gap, texts, texts[1:]), ""]
    places = [
        f"{word.start_s:.2f}:{_length(text)}:{len(space)}{'?' if word.confidence < _UNSURE else ''}"
        for word, text, space in zip(turn.words, texts, gaps, strict=True)
    ]
    return Line("".join(map("".join, zip(texts, gaps, strict=True))), " ".join(places))


def _length(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-16-le")) // 2
