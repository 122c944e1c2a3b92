"""The live page as HTML: templates, and the few helpers they need."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from console.assets import Assets
from console.binding import bind
from console.texts import LANGUAGES, Texts
from console.view import Board, View

_PIECES_A_TURN = 2
"""Pieces of the page (a value and what stands before it) that are painted without a pause."""
_PAINTED_ITEMS = 40
"""Agents and calls that are painted, the most urgent ones; the first message of ``/live`` brings the others."""

_FOLDER = Path(__file__).parent / "templates"


class Blank(dict[str, object]):
    """An item of which nothing is known: the templates that ``fill.js`` copies are painted from it."""

    def __missing__(self, name: str) -> str:
        return ""


class Page:
    """Paints the page."""

    def __init__(self, assets: Assets, board: Board, heartbeat_s: float) -> None:
        environment = Environment(
            loader=FileSystemLoader(_FOLDER), autoescape=True, undefined=StrictUndefined, trim_blocks=True
        )
        environment.globals |= {
            "asset": assets.url,
            "bind": bind,
            "blank": Blank(),
            "board": board,
            "digest": assets.digest,
            "elapsed": elapsed,
            "heartbeat_s": heartbeat_s,
            "limit": f"{board.limit_s:g}",
            "painted": _PAINTED_ITEMS,
        }
        for part in ("board.html.j2", "parts.html.j2"):
            environment.get_template(part)  # read and compiled now, not while callers wait
        self._template = environment.get_template("board.html.j2")
        self._zone = ZoneInfo(board.time_zone)

    async def paint(self, view: View, texts: Texts) -> str:
        """The page with a view in it.

        Made piece by piece, with a turn for everybody else in between: with hundreds of calls on it, all at once
        would hold the callers in the menu up for tens of milliseconds.
        """
        at = view["at"]
        assert isinstance(at, int)
        local = datetime.fromtimestamp(at / 1000, UTC).astimezone(self._zone)
        pieces: list[str] = []
        for piece in self._template.generate(
            view=view,
            t=texts,
            language=texts.language,
            other_language=LANGUAGES[(LANGUAGES.index(texts.language) + 1) % len(LANGUAGES)],
            date=f"{local:%Y-%m-%d}",
            time=f"{local:%H:%M:%S}",
        ):
            pieces.append(piece)
            if len(pieces) % _PIECES_A_TURN == 0:
                await asyncio.sleep(0)
        return "".join(pieces)


def elapsed(since: int | str | None, at: int) -> str:
    """Time from one instant to another, both in milliseconds, as clocks.js writes it: ``1:15``, ``1:01:15``."""
    if not isinstance(since, int):
        return ""
    minutes, seconds = divmod(max(0, at - since) // 1000, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
