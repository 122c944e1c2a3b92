"""The operations pages' view of this machine: ``console.ops.ports.Machines``."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from calls.outages import Component
from calls.ports import Clock
from console.ops.ports import Anchor, Chain, Disk, MachineFacts, OpsParts, Waiting
from ivr.menu.hours import PublicHolidays
from service.anchors import FILE
from service.backup import last_backup
from service.inside import Inside
from service.outage_book import not_in_service
from service.safekeeping import followed
from service.settings import Settings
from service.surroundings import calendar_known_until, certificate_expiry

_ANCHORS = 20
_TAIL_BYTES = 16 * 1024


@dataclass(frozen=True, slots=True)
class MachinesHere:
    """Looks in a thread: disks may be slow."""

    settings: Settings
    clock: Clock
    inside: Inside | None

    async def facts(self) -> MachineFacts:
        """See ``Machines.facts``."""
        working, waiting = await self._from_inside()
        seen = await asyncio.to_thread(self._look)
        now = self.clock.now()
        return MachineFacts(
            version=self.inside.version if self.inside else "–",
            database=urlsplit(self.settings.ledger_url).scheme.partition("+")[0],
            working=working,
            waiting=waiting,
            disks=seen.disks,
            backup_at=seen.backup_at,
            anchors=seen.anchors,
            certificates=seen.certificates,
            calendar_until=calendar_known_until(PublicHolidays.of_china(), now, self.settings.zone),
        )

    async def follow_access_log(self) -> Chain:
        """See ``Machines.follow_access_log``; in a loop of its own, as hashing takes long."""
        chain = await asyncio.to_thread(asyncio.run, followed(self.settings, self.clock))
        return Chain(chain.entries, chain.broken_at, chain.why)

    async def _from_inside(self) -> tuple[Mapping[Component, bool | None], Waiting | None]:
        served = [component for component in Component if component not in not_in_service(self.settings)]
        inside = self.inside
        if inside is None:
            return dict.fromkeys(served), None

        async def ask() -> tuple[Mapping[Component, bool | None], Waiting]:
            return {component: inside.working(component) for component in served}, inside.waiting()

        return await inside.loop.run(ask())

    def _look(self) -> _Seen:
        places = {"var": self.settings.var_dir, "recordings": self.settings.recordings_dir}
        return _Seen(
            tuple(_disk(name, path) for name, path in places.items()),
            last_backup(self.settings),
            _anchors(self.settings.var_dir / FILE),
            {path.name: _expiry(path) for path in self.settings.certificate_files},
        )


@dataclass(frozen=True, slots=True)
class _Seen:
    disks: tuple[Disk, ...]
    backup_at: datetime | None
    anchors: tuple[Anchor, ...]
    certificates: Mapping[str, datetime | None]


def _disk(name: str, path: Path) -> Disk:
    """The disk that a folder lies on; that of the one above where it does not exist yet."""
    while not path.exists() and path != path.parent:
        path = path.parent
    usage = shutil.disk_usage(path)
    return Disk(name, usage.free, usage.total)


def _anchors(path: Path) -> tuple[Anchor, ...]:
    """The last ones that were noted, the newest first."""
    try:
        with path.open("rb") as file:
            file.seek(0, 2)
            file.seek(max(0, file.tell() - _TAIL_BYTES))
            lines = file.read().decode("ascii", "replace").split("\n")[:-1]
    except OSError:
        return ()
    found = []
    for line in reversed(lines):
        parts = line.split()
        if len(parts) != 3 or not parts[1].isdecimal():
            continue
        try:
            found.append(Anchor(datetime.fromisoformat(parts[0]), int(parts[1]), parts[2]))
        except ValueError:
            continue
    return tuple(found[:_ANCHORS])


def _expiry(path: Path) -> datetime | None:
    seconds = certificate_expiry(path)
    return datetime.fromtimestamp(seconds, UTC) if seconds else None


def ops_parts_of(settings: Settings, clock: Clock, inside: Inside | None) -> OpsParts:
    """What the operations pages are made from."""
    return OpsParts(
        machines=MachinesHere(settings, clock, inside),
        hours=settings.scheduled,
        grafana_url=settings.console.grafana_url,
        receivers={hook.name: urlsplit(hook.url).hostname or "" for hook in settings.webhooks},
    )
