"""The shipped menu with an operator's own hours, so that there is a night to test."""

from __future__ import annotations

from ivr.menu.loader import HOTLINE, parse_menu
from ivr.menu.model import Menu


def menu_with_a_night() -> Menu:
    """The shipped menu, but open from 7 to 22 h, and with something said before every connection."""
    text = HOTLINE.read_text(encoding="utf-8")
    for shipped, wanted in (("00:00-24:00", "07:00-22:00"), ("transfer = []", 'transfer = ["transferring"]')):
        assert shipped in text
        text = text.replace(shipped, wanted)
    return parse_menu(text, HOTLINE.name)
