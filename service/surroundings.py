"""What the service stands on and cannot see in its calls: disk, certificates, the calendar of public holidays."""

from __future__ import annotations

import asyncio
import logging
import shutil
from dataclasses import dataclass
from datetime import datetime, tzinfo
from pathlib import Path

from cryptography import x509

from calls.ports import Clock
from ivr.menu.hours import PublicHolidays
from metrics import catalogue
from metrics.exporter import Exporter
from service.settings import Settings

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Seen:
    """One look."""

    disk_free_bytes: int
    disk_total_bytes: int
    certificates: dict[str, float]
    """When the first certificate of each file expires, in seconds since 1970; 0 if the file is unusable."""


class Surroundings:
    """Keeps the gauges of disk, certificates and calendar; looks in a thread, never in a scrape."""

    def __init__(self, settings: Settings, exporter: Exporter, clock: Clock) -> None:
        self._settings = settings
        self._exporter = exporter
        self._clock = clock
        self._holidays = PublicHolidays.of_china()

    async def refresh(self) -> None:
        """Look once."""
        known_until = calendar_known_until(self._holidays, self._clock.now(), self._settings.zone)
        self._exporter.set(catalogue.CALENDAR_KNOWN_UNTIL, known_until.timestamp())
        try:
            seen = await asyncio.to_thread(self._look)
        except OSError as error:
            log.warning("surroundings.unreadable", extra={"reason": str(error)})
            return
        self._exporter.set(catalogue.DISK_FREE, seen.disk_free_bytes)
        self._exporter.set(catalogue.DISK_TOTAL, seen.disk_total_bytes)
        for name, expires in seen.certificates.items():
            self._exporter.set(catalogue.CERTIFICATE_EXPIRY, expires, name)

    def _look(self) -> Seen:
        disk = shutil.disk_usage(self._settings.var_dir)
        files = self._settings.certificate_files
        return Seen(disk.free, disk.total, {path.name: certificate_expiry(path) for path in files})


def certificate_expiry(path: Path) -> float:
    """When the first of the PEM certificates in a file expires, in seconds since 1970; 0 if there is none."""
    try:
        found = x509.load_pem_x509_certificates(path.read_bytes())
        return min(certificate.not_valid_after_utc for certificate in found).timestamp()
    except (OSError, ValueError) as error:
        log.error("certificate.unusable", extra={"file": path.name, "reason": str(error)})
        return 0.0


def calendar_known_until(holidays: PublicHolidays, now: datetime, zone: tzinfo) -> datetime:
    """The beginning of the first year, from the current one on, whose public holidays are not known."""
    year = now.astimezone(zone).year
    while holidays.covers(year):
        year += 1
    return datetime(year, 1, 1, tzinfo=zone)
