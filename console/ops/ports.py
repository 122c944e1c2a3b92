"""What the operations pages ask of the rest of the service; joined in ``service/console.py``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from calls.outages import Component, DailyHours


@dataclass(frozen=True, slots=True)
class Disk:
    """Where files lie."""

    name: str
    free_bytes: int
    total_bytes: int


@dataclass(frozen=True, slots=True)
class Anchor:
    """The access log was whole up to here."""

    at: datetime
    entries: int
    hash: str


@dataclass(frozen=True, slots=True)
class Chain:
    """What following the access log found."""

    entries: int
    broken_at: int | None
    why: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """Events that are not in the database yet."""

    events: int
    spool_bytes: int
    spool_limit_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineFacts:
    """What no table knows, at one moment."""

    version: str
    database: str
    """``sqlite`` or ``postgresql``."""
    working: Mapping[Component, bool | None]
    """By the last probe; ``None``: nobody knows yet. What is not in service is not in it."""
    waiting: Waiting | None
    """``None``: the service that serves this page does not take calls itself."""
    disks: tuple[Disk, ...]
    backup_at: datetime | None
    anchors: tuple[Anchor, ...]
    """The newest first."""
    certificates: Mapping[str, datetime | None]
    """When each file's first certificate expires; ``None`` for a file that cannot be used."""
    calendar_until: datetime
    """From here on public holidays are not known."""


class Machines(Protocol):
    """The service's own machine."""

    async def facts(self) -> MachineFacts:
        """As they are now."""

    async def follow_access_log(self) -> Chain:
        """Follow the access log from its beginning to its last anchor and beyond; seconds for a year's entries.

        Raises StorageUnavailable.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class OpsParts:
    """What the operations pages are made from, beside ``console.parts.Parts``."""

    machines: Machines
    hours: DailyHours
    """Scheduled working time (K5)."""
    grafana_url: str
    """Empty: there is none."""
    receivers: Mapping[str, str]
    """Webhooks' names and the hosts they post to."""
