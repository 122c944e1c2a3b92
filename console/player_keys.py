"""What every template with a player needs beside its view."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from markupsafe import Markup, escape

from calls.custody import Leg
from calls.transcript import Turn, joined
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

_UNSURE = 0.5
"""Words that the recogniser believes in less are marked."""


def for_player(texts: Texts) -> dict[str, Any]:
    """Values for ``calls/player.html.j2``."""
    return {
        "player_keys": KEYS,
        "clock": clock,
        "said": said,
        "legs": {leg: texts(f"leg.{leg}") for leg in Leg},
    }


def said(turn: Turn) -> Markup:
    """A turn's words, each where a script finds it. Made here, not in a template: an hour has nine thousand."""
    pieces: list[str] = []
    for word, following in pairwise([*turn.words, None]):
        assert word is not None
        unsure = ' class="unsure"' if word.confidence < _UNSURE else ""
        pieces.append(f'<span data-t="{word.start_s:.2f}"{unsure}>{escape(word.text)}</span>')
        # No space between Chinese words.
        if following is not None and " " in joined((word.text[-1:], following.text[:1])):
            pieces.append(" ")
    return Markup("".join(pieces))  # noqa: S704 - the words are escaped above
