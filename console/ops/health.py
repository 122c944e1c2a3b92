"""The state of every component over a period, for a page (K5)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from calls.outages import Component, DailyHours, Maintenance, Outage, length_s, overlap


class Works(StrEnum):
    """A component at this moment."""

    YES = "works"
    NO = "out"
    PLANNED = "planned"
    """Out inside announced maintenance."""
    UNKNOWN = "unknown"
    """Nobody has looked yet."""
    OFF = "off"
    """Not in service here."""


@dataclass(frozen=True, slots=True)
class ComponentHealth:
    """One component: now, and over a period."""

    component: Component
    works: Works
    since: datetime | None
    """Of the outage that lasts."""
    outages: int
    """In the period, planned ones apart."""
    out_s: float
    """Scheduled seconds of the period during which it was out, unplanned."""
    planned_s: float


def healths(
    working: Mapping[Component, bool | None],
    outages: Iterable[Outage],
    windows: Sequence[Maintenance],
    span: tuple[datetime, datetime],
    now: datetime,
    hours: DailyHours,
) -> list[ComponentHealth]:
    """Every component. ``outages`` are those that touch the period or last until now."""
    told = list(outages)
    begin, end = span[0], min(span[1], now)
    scheduled = hours.spans(begin, end) if begin < end else []
    found = []
    for component in Component:
        mine = [outage for outage in told if outage.component is component]
        within = [o for o in mine if o.began_at < end and (o.ended_at is None or o.ended_at > begin)]
        unplanned = [outage.span(now) for outage in within if not outage.planned]
        planned = [outage.span(now) for outage in within if outage.planned]
        lasting = next((outage for outage in mine if outage.ended_at is None), None)
        found.append(
            ComponentHealth(
                component,
                _works(component, working, lasting, windows, now),
                lasting.began_at if lasting else None,
                len(unplanned),
                length_s(overlap(unplanned, scheduled)),
                length_s(overlap(planned, [(begin, end)] if begin < end else [])),
            )
        )
    return found


def _works(
    component: Component,
    working: Mapping[Component, bool | None],
    lasting: Outage | None,
    windows: Sequence[Maintenance],
    now: datetime,
) -> Works:
    if component not in working:
        return Works.OFF
    works = working[component]
    if works is None and lasting is None:
        return Works.UNKNOWN
    if works:
        return Works.YES
    inside = any(component in w.components and w.starts_at <= now < w.ends_at for w in windows)
    return Works.PLANNED if inside else Works.NO
