"""Outages by command line: look at them, announce maintenance, take it back. Speaks to the database directly."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta, tzinfo

from calls.errors import SettingsError
from calls.outages import EVERYTHING, Component, Maintenance, Outage, reliability
from calls.ports import Clock, OutageBook
from service.settings import Settings
from storage.engine import open_engine, upgrade
from storage.outages import SqlOutages


@contextlib.asynccontextmanager
async def outage_book(settings: Settings) -> AsyncIterator[SqlOutages]:
    """The book of this installation. Raises StorageUnavailable."""
    await upgrade(settings.ledger_url)
    engine = open_engine(settings.ledger_url)
    try:
        yield SqlOutages(engine)
    finally:
        await engine.dispose()


async def listed(settings: Settings, book: OutageBook, clock: Clock, days: int) -> list[str]:
    """Outages of the last days, maintenance from then on, and what both come to (K5)."""
    now, zone = clock.now(), settings.zone
    watched = await book.watched_since()
    since = max(now - timedelta(days=days), watched or now)
    outages = await book.outages(since, now)
    windows = await book.maintenance(since, datetime.max.replace(tzinfo=UTC) - timedelta(days=1))
    lines = [_outage_line(outage, zone) for outage in outages] or ["no outage"]
    lines += [_window_line(window, zone) for window in windows]
    if unwatched := not_in_service(settings):
        lines.append(f"not in service: {', '.join(unwatched)}")
    k5 = reliability(outages, windows, since, now, settings.scheduled)
    if k5.scheduled_s:
        lines.append(
            f"since {_shown(since, zone)}: {k5.scheduled_s:.0f} s scheduled, out {k5.union_s:.0f} s (union), "
            f"{k5.sum_s:.0f} s (sum), planned {k5.planned_s:.0f} s; "
            f"K5 {1 - k5.union_s / k5.scheduled_s:.4%}, K5sum {1 - k5.sum_s / k5.scheduled_s:.4%}"
        )
    return lines


def not_in_service(settings: Settings) -> list[Component]:
    """What nobody probes: it has no outages, and says so."""
    watched = {
        Component.TRANSCRIPTION: settings.transcription.enabled,
        Component.TRUNK: bool(settings.reliability.synthetic_every_s),
    }
    return [component for component, is_watched in watched.items() if not is_watched]


async def announced(
    settings: Settings,
    book: OutageBook,
    clock: Clock,
    start: str,
    end: str,
    reason: str,
    components: Sequence[str],
) -> list[str]:
    """Announce maintenance. Raises SettingsError for what is not beforehand or makes no sense."""
    starts_at, ends_at = _moment(start, settings.zone), _moment(end, settings.zone)
    if starts_at >= ends_at:
        raise SettingsError("maintenance must end after it starts")
    if starts_at < clock.now():
        raise SettingsError("maintenance is announced beforehand: it cannot have started already")
    unknown = sorted(set(components) - set(Component))
    if unknown:
        raise SettingsError(f"unknown: {', '.join(unknown)}; the components are {', '.join(Component)}")
    named = frozenset(map(Component, components)) or EVERYTHING
    window = await book.announce(Maintenance(starts_at, ends_at, named, reason))
    return [_window_line(window, settings.zone)]


async def cancelled(book: OutageBook, clock: Clock, number: int) -> list[str]:
    """Take maintenance back, or end it now. Raises SettingsError if there is nothing to take back."""
    if not await book.cancel(number, clock.now()):
        raise SettingsError(f"there is no maintenance {number} to come or going on")
    return [f"maintenance {number}: taken back"]


def _moment(text: str, zone: tzinfo) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise SettingsError(f"{text!r} is no time: expected 2026-12-01T02:00") from error
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)


def _outage_line(outage: Outage, zone: tzinfo) -> str:
    end = _shown(outage.ended_at, zone) if outage.ended_at else "…"
    planned = "planned  " if outage.planned else ""
    return f"{outage.component:13}  {_shown(outage.began_at, zone)} – {end:19}  {planned}{outage.reason}".rstrip()


def _window_line(window: Maintenance, zone: tzinfo) -> str:
    of = "everything" if window.components == EVERYTHING else ", ".join(sorted(window.components))
    span = f"{_shown(window.starts_at, zone)} – {_shown(window.ends_at, zone)}"
    return f"maintenance {window.number}  {span}  {of}: {window.reason}"


def _shown(moment: datetime, zone: tzinfo) -> str:
    return moment.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")
