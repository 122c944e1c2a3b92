"""What every template with a player needs beside its view."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from calls.custody import Leg
from calls.transcript import Word, joined
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


def for_player(texts: Texts) -> dict[str, Any]:
    """Values for ``calls/player.html.j2``."""
    return {
        "player_keys": KEYS,
        "clock": clock,
        "spaced": spaced,
        "legs": {leg: texts(f"leg.{leg}") for leg in Leg},
    }


def spaced(words: Sequence[Word], index: int) -> bool:
    """Whether a space stands behind a word: none between Chinese ones."""
    following = words[index + 1 : index + 2]
    return bool(following) and " " in joined([words[index].text[-1:], following[0].text[:1]])
