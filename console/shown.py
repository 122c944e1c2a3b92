"""How numbers, times and callers are written for people."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from calls.desk import masked
from calls.figures import Figure, Unit
from metrics.reports.words import number, share

NOTHING = "–"


def clock(seconds: float | None, *, tenths: bool = False) -> str:
    """A length or place in a recording: ``1:05``, ``1:01:05``, with tenths ``1:05.3``."""
    if seconds is None:
        return NOTHING
    whole = int(max(0.0, seconds))
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    text = f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
    return f"{text}.{int(seconds * 10) % 10}" if tenths else text


def moment(at: datetime | None, zone: ZoneInfo) -> str:
    """A moment on the operator's clocks, to the second."""
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M:%S}" if at else NOTHING


def masked_number(number: str | None) -> str:
    """A caller's number as ordinary roles see it (P3): see ``calls.desk.masked``."""
    return masked(number) or NOTHING


def pieces(text: str, terms: Sequence[str]) -> list[tuple[str, bool]]:
    """The text in pieces, each with whether it is one of the terms, whatever its case."""
    if not terms:
        return [(text, False)]
    found = re.split("(" + "|".join(re.escape(term) for term in terms) + ")", text, flags=re.IGNORECASE)
    return [(piece, index % 2 == 1) for index, piece in enumerate(found) if piece]


def value(figure: Figure) -> str:
    """A figure's value with its unit; a share is cut, so that 100 % means all of them."""
    if figure.value is None:
        return NOTHING
    match figure.unit:
        case Unit.RATIO:
            return f"{share(figure.value)}%"
        case Unit.SECONDS:
            return f"{number(figure.value, 1)} s"
        case Unit.CALLS:
            return number(figure.value)
        case _:
            return number(figure.value, 1)


def seconds(length: float | None) -> str:
    """Seconds with one digit behind the point."""
    return NOTHING if length is None else f"{length:.1f}"
