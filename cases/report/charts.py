"""Two charts of the complaint report as SVG: causes by weight, and the months with their forecast.

Everything that a chart shows stands in the table beside it; so it is hidden from screen readers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape

from cases.forecast import Forecast, TooLittle
from cases.report.model import Month
from cases.statistics import ParetoLine

_WIDTH, _HEIGHT = 720, 240
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 44, 14, 46


def pareto_chart(lines: Sequence[ParetoLine], name: Callable[[str | None], str]) -> str:
    """Bars for causes, a line for what they make together."""
    if not lines:
        return ""
    most = max(line.cases for line in lines)
    step = (_WIDTH - _LEFT - _RIGHT) / len(lines)
    parts, points = [_frame(most)], []
    for place, line in enumerate(lines):
        x, y = _LEFT + place * step, _y(line.cases, most)
        look = "vital" if line.vital else "bar"
        parts.append(_box(look, x + step * 0.15, y, step * 0.7))
        parts.append(_text(x + step / 2, _HEIGHT - _BOTTOM + 16, _short(name(line.value), step), "middle"))
        parts.append(_text(x + step / 2, y - 4, str(line.cases), "middle"))
        points.append(f"{x + step / 2:.1f},{_y(line.cumulated, 1):.1f}")
    parts.append(f'<polyline class="line" points="{" ".join(points)}"/>')
    return _svg(parts)


def trend_chart(months: Sequence[Month], expected: Forecast | TooLittle) -> str:
    """Months as bars; those to come as a mark with its interval."""
    ahead = () if isinstance(expected, TooLittle) else expected.months
    if not months:
        return ""
    most = max([1.0, *(month.cases for month in months), *(each.high for each in ahead)])
    step = (_WIDTH - _LEFT - _RIGHT) / (len(months) + len(ahead))
    parts = [_frame(round(most))]
    for place, month in enumerate(months):
        x = _LEFT + place * step
        parts.append(_box("bar", x + step * 0.15, _y(month.cases, most), step * 0.7))
        if place % 3 == 0:
            parts.append(_text(x + step / 2, _HEIGHT - _BOTTOM + 16, month.label, "middle"))
    for place, each in enumerate(ahead, len(months)):
        x = _LEFT + (place + 0.5) * step
        low, high, middle = (_y(value, most) for value in (each.low, each.high, each.cases))
        parts.append(f'<path class="interval" d="M{x:.1f} {low:.1f}V{high:.1f}"/>')
        parts.append(f'<circle class="expected" cx="{x:.1f}" cy="{middle:.1f}" r="4"/>')
    return _svg(parts)


def _svg(parts: Sequence[str]) -> str:
    return f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" aria-hidden="true">{"".join(parts)}</svg>'


def _frame(most: int) -> str:
    low = _HEIGHT - _BOTTOM
    lines = f'<path class="axis" d="M{_LEFT} {_TOP}V{low}H{_WIDTH - _RIGHT}"/>'
    return lines + _text(_LEFT - 6, _TOP + 8, str(most), "end") + _text(_LEFT - 6, low, "0", "end")


def _y(value: float, most: float) -> float:
    return _HEIGHT - _BOTTOM - (_HEIGHT - _TOP - _BOTTOM) * (value / most if most else 0)


def _box(look: str, x: float, y: float, width: float) -> str:
    height = _HEIGHT - _BOTTOM - y
    return f'<rect class="{look}" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"/>'


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _short(text: str, width: float) -> str:
    """What fits below a bar: a Chinese letter is about 12 wide, a Latin one 6."""
    left, shown = width, ""
    for letter in text:
        left -= 12 if ord(letter) > 0x2E80 else 6.5
        if left < 0:
            return f"{shown[:-1]}…"
        shown += letter
    return shown
