"""Disk, certificates and the calendar of public holidays, as gauges."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from prometheus_client import CollectorRegistry

from ivr.menu.hours import PublicHolidays
from metrics.exporter import Exporter
from service.settings import Settings
from service.surroundings import Surroundings, calendar_known_until, certificate_expiry
from tests.support_books import SetClock

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 11, 22, 4, tzinfo=UTC)


def pem(expires: datetime) -> bytes:
    """A certificate signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "hotline.example")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(expires - timedelta(days=90))
        .not_valid_after(expires)
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM)


def test_the_first_certificate_of_a_chain_that_expires_counts(tmp_path: Path) -> None:
    chain = tmp_path / "chain.pem"
    chain.write_bytes(pem(NOW + timedelta(days=900)) + pem(NOW + timedelta(days=9)))
    assert certificate_expiry(chain) == (NOW + timedelta(days=9)).timestamp()


@pytest.mark.parametrize("text", [b"", b"not a certificate", None])
def test_a_file_without_a_certificate_counts_as_expired(tmp_path: Path, text: bytes | None) -> None:
    """An alert comes, not silence."""
    path = tmp_path / "broken.pem"
    if text is not None:
        path.write_bytes(text)
    assert certificate_expiry(path) == 0


def china(*years: int) -> PublicHolidays:
    return PublicHolidays(frozenset(date(year, 5, 1) for year in years), frozenset())


@pytest.mark.parametrize(
    ("known", "until"),
    [((2025, 2026), 2027), ((2025, 2026, 2027), 2028), ((2025,), 2026), ((2026, 2028), 2027)],
)
def test_the_calendar_is_known_until_the_first_year_that_is_not(known: tuple[int, ...], until: int) -> None:
    assert calendar_known_until(china(*known), NOW, SHANGHAI) == datetime(until, 1, 1, tzinfo=SHANGHAI)


def test_the_years_are_the_operators() -> None:
    new_year = datetime(2026, 12, 31, 16, tzinfo=UTC)
    assert calendar_known_until(china(2026), new_year, SHANGHAI).year == 2027
    assert calendar_known_until(china(2026), new_year, SHANGHAI) <= new_year


async def test_everything_is_shown(tmp_path: Path) -> None:
    good, broken = tmp_path / "good.pem", tmp_path / "broken.pem"
    good.write_bytes(pem(NOW + timedelta(days=9)))
    settings = Settings.model_validate({"var_dir": tmp_path, "certificate_files": [good, broken]})
    registry = CollectorRegistry()
    exporter = Exporter(sections=[], limit_s=15, build={}, registry=registry)
    await Surroundings(settings, exporter, SetClock(NOW)).refresh()
    shown = registry.get_sample_value
    free, total = shown("hotline_disk_free_bytes"), shown("hotline_disk_total_bytes")
    assert free and total
    assert 0 < free < total
    name = "hotline_certificate_expiry_timestamp_seconds"
    assert shown(name, {"file": "good.pem"}) == (NOW + timedelta(days=9)).timestamp()
    assert shown(name, {"file": "broken.pem"}) == 0
    known_until = shown("hotline_calendar_known_until_timestamp_seconds")
    assert known_until is not None
    assert datetime.fromtimestamp(known_until, SHANGHAI).month == 1


async def test_without_certificates_there_is_no_series(tmp_path: Path) -> None:
    exporter = Exporter(sections=[], limit_s=15, build={})
    await Surroundings(Settings(var_dir=tmp_path), exporter, SetClock(NOW)).refresh()
    assert b"\nhotline_certificate_expiry_timestamp_seconds" not in await exporter.render()


async def test_a_disk_that_is_gone_is_told_and_no_end(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    settings = Settings(var_dir=tmp_path / "gone")
    exporter = Exporter(sections=[], limit_s=15, build={})
    await Surroundings(settings, exporter, SetClock(NOW)).refresh()
    assert "surroundings.unreadable" in caplog.text
