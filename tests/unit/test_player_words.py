"""A turn's words as text and as places in it, which a script makes elements of (Q1)."""

from __future__ import annotations

import pytest

from calls.custody import Leg
from calls.transcript import Turn, Word, joined
from console.player_keys import spoken


def words_of(text: str, places: str) -> list[tuple[float, str, bool]]:
    """What the player's script makes of it: start, text and doubt of each word. Positions are UTF-16 units."""
    units, found, at = text.encode("utf-16-le"), [], 0
    for place in places.split():
        start, length, gap = place.rstrip("?").split(":")
        found.append(
            (float(start), units[2 * at : 2 * (at + int(length))].decode("utf-16-le"), place.endswith("?"))
        )
        at += int(length) + int(gap)
    assert 2 * at == len(units), "nothing is left over"
    return found


@pytest.mark.parametrize(
    "texts",
    [
        ("您好", "请讲"),
        ("good", "morning"),
        ("我的", "WeChat", "号"),
        ("𠮷野家", "在", "哪里"),
        ("<b>", "&", "嗯"),
        ("",),
    ],
)
def test_every_word_is_found_at_its_place(texts: tuple[str, ...]) -> None:
    turn = Turn(Leg.AGENT, tuple(Word(text, n / 2, n / 2 + 0.4, 0.3 + n / 2) for n, text in enumerate(texts)))
    said = spoken(turn)
    assert said.text == joined(texts)
    assert words_of(said.text, said.places) == [(n / 2, text, n == 0) for n, text in enumerate(texts)]
