"""Charts as SVG to be put into the page: sharp in print, and told apart without colour.

Numbers only are drawn here; words stand in the page around them, where they can be read aloud and take the
page's fonts. The same figures always give the same bytes.
"""

from __future__ import annotations

import hashlib
import io
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import floor
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.ticker import MaxNLocator

from metrics.reports.words import axis_begin

_INK, _SOFT, _GRID = "#14212b", "#50616e", "#d7dfe6"
_BLUE, _AMBER, _GREEN = "#0f4c75", "#b26a00", "#0e6a3d"

_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",  # text stays text: searchable, and in the reader's fonts
    "svg.hashsalt": "sansheng",  # ids are made from what they name, not at random
    "font.size": 8.5,
    "axes.edgecolor": _SOFT,
    "axes.labelcolor": _SOFT,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "grid.color": _GRID,
    "grid.linewidth": 0.6,
    "xtick.color": _SOFT,
    "ytick.color": _SOFT,
    "text.color": _INK,
    "hatch.color": _AMBER,
    "hatch.linewidth": 0.7,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
}

_LINES: tuple[dict[str, Any], ...] = (
    {"color": _BLUE, "linestyle": "-", "marker": "o"},
    {"color": _AMBER, "linestyle": "--", "marker": "s"},
    {"color": _GREEN, "linestyle": ":", "marker": "^"},
)
"""One look for each line: colour, dashes and marker differ together."""

_SOLID: dict[str, Any] = {"color": _BLUE}
_HATCHED: dict[str, Any] = {"color": "white", "edgecolor": _AMBER, "hatch": "/////"}

_WIDTH_IN, _HEIGHT_IN = 7.2, 2.15


@dataclass(frozen=True, slots=True)
class Series:
    """Values over the same steps; ``None`` where there is no data, which is drawn as a gap."""

    values: tuple[float | None, ...]


def stacked(steps: Sequence[str], answered: Sequence[float], unanswered: Sequence[float]) -> str:
    """Bars of calls for each step: answered solid, unanswered hatched on top."""
    with _canvas() as (canvas, axes):
        places = range(len(steps))
        axes.bar(places, answered, color=_BLUE, width=0.72)
        some = [place for place in places if unanswered[place]]  # a bar without height would still have an edge
        axes.bar(some, [unanswered[i] for i in some], bottom=[answered[i] for i in some], width=0.72, **_HATCHED)
        axes.set_ylim(0, max([a + u for a, u in zip(answered, unanswered, strict=True)], default=0) * 1.08 or 1)
        axes.yaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
        axes.yaxis.set_major_formatter("{x:,.0f}")
        _name_steps(axes, steps)
        return _svg(canvas)


def lines(steps: Sequence[str], series: Sequence[Series], target: float | None = None) -> str:
    """Shares (0 to 1) as lines in percent, at most three; ``target`` as a thin line across."""
    with _canvas() as (canvas, axes):
        for look, one in zip(_LINES, series, strict=False):
            values = [float("nan") if value is None else 100 * value for value in one.values]
            axes.plot(range(len(steps)), values, linewidth=1.3, markersize=3.6, clip_on=False, zorder=3, **look)
        if target is not None:
            axes.axhline(100 * target, color=_SOFT, linewidth=0.8, dashes=(1, 2))
        known = [value for one in series for value in one.values if value is not None]
        _percent(axes, low=min([*known, target or 1.0]))
        _name_steps(axes, steps)
        return _svg(canvas)


def shares_within(limits: Sequence[str], now: Series, before: Series, marked: str | None = None) -> str:
    """Cumulative shares as bars, the period before as marks beside them; the limit that counts has a frame."""
    with _canvas(_WIDTH_IN / 2) as (canvas, axes):
        places = range(len(limits))
        heights = [100 * (value or 0) for value in now.values]
        edges = [_INK if limit == marked else _BLUE for limit in limits]
        bars = axes.bar(places, heights, width=0.6, color="#c9dcea", edgecolor=edges, linewidth=0.8)
        for limit, bar in zip(limits, bars, strict=True):
            if limit == marked:
                bar.set(facecolor=_BLUE, linewidth=1.4)
        for place, (value, other) in enumerate(zip(now.values, before.values, strict=True)):
            if value is not None:
                top = 100 * max(value, other or 0)
                axes.annotate(_cut(value, 0), (place, top), (0, 3), textcoords="offset points", ha="center")
        earlier = [float("nan") if value is None else 100 * value for value in before.values]
        axes.plot(places, earlier, linestyle="", marker="_", markersize=11, markeredgewidth=1.6, color=_AMBER)
        axes.set_ylim(0, 112)
        axes.set_yticks(range(0, 101, 25))
        _name_steps(axes, limits)
        return _svg(canvas)


def paired_bars(names: Sequence[str], first: Series, second: Series) -> str:
    """Two shares for each name, side by side: the first solid, the second hatched; values are written on."""
    with _canvas(height_in=0.5 + 0.42 * max(1, len(names))) as (canvas, axes):
        canvas.subplots_adjust(left=0.16)
        axes.grid(visible=True, axis="x")
        axes.grid(visible=False, axis="y")
        for offset, series, look in ((-0.18, first, _SOLID), (0.18, second, _HATCHED)):
            for place, value in enumerate(series.values):
                if value is None:
                    continue
                axes.barh(place + offset, 100 * value, height=0.32, **look)
                axes.annotate(
                    _cut(value, 1),
                    (100 * value, place + offset),
                    (3, 0),
                    textcoords="offset points",
                    va="center",
                    size=7.5,
                )
        axes.set_yticks(range(len(names)), names)
        axes.set_ylim(max(1, len(names)) - 0.5, -0.5)
        axes.set_xlim(0, 107)
        axes.tick_params(length=0)
        return _svg(canvas)


@contextmanager
def _canvas(width_in: float = _WIDTH_IN, height_in: float = _HEIGHT_IN) -> Iterator[tuple[Canvas, Axes]]:
    with matplotlib.rc_context(_STYLE), warnings.catch_warnings():
        # Chinese names are laid out by the reader's browser; the fonts that come with the library lack them.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        canvas = Canvas(figsize=(width_in, height_in))
        axes = canvas.add_subplot()
        canvas.subplots_adjust(left=0.47 / width_in, right=0.99, top=0.95, bottom=0.28 / height_in)
        yield canvas, axes


def _percent(axes: Axes, low: float) -> None:
    """An axis of percent up to 100 that begins at a round number below the lowest value."""
    begin = 100 * axis_begin(low)
    axes.set_ylim(begin, 100 + (100 - begin) * 0.04)
    axes.set_yticks([begin + (100 - begin) * part / 5 for part in range(6)])


def _cut(share: float, decimals: int) -> str:
    """A share in percent, cut: 100 means all of them."""
    unit = 10**decimals
    return f"{floor(100 * unit * share + 1e-6) / unit:.{decimals}f}"


def _name_steps(axes: Axes, steps: Sequence[str]) -> None:
    axes.set_xticks(range(len(steps)), steps)
    axes.set_xlim(-0.6, len(steps) - 0.4)
    axes.tick_params(axis="x", length=0)


def _svg(canvas: Canvas) -> str:
    """The drawing as an element for HTML: no prolog, no date, no ids that another drawing might have too."""
    written = io.StringIO()
    canvas.savefig(written, format="svg", metadata=dict.fromkeys(("Creator", "Date", "Format", "Type")))
    text = written.getvalue()
    text = text[text.index("<svg ") :]
    text = re.sub(r"<metadata>.*?</metadata>\s*", "", text, flags=re.DOTALL)
    text = re.sub(r"<style[^>]*>.*?</style>", "", text, flags=re.DOTALL)
    text = re.sub(r'<g id="[^"]*"', "<g", text).replace("xlink:href", "href")
    text = re.sub(r"font-family: [^;]*; ", "", text)
    mine = hashlib.sha256(text.encode()).hexdigest()[:8]
    for name in dict.fromkeys(re.findall(r'\bid="([^"]+)"', text)):
        text = text.replace(f'id="{name}"', f'id="{mine}-{name}"').replace(f"#{name}", f"#{mine}-{name}")
    return re.sub(r'<svg .*?viewBox="([^"]*)"[^>]*>', r'<svg viewBox="\1" aria-hidden="true">', text, count=1)
