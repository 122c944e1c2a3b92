"""A real Prometheus with our rules, and the Alertmanager beside it (I2)."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web

from calls.custody import Bandwidth
from calls.ids import SectionId
from calls.ports import Change
from calls.verdicts import Outcome
from metrics import catalogue
from metrics.exporter import CONTENT_TYPE, SAMPLES_AT_MOST, Exporter
from service.monitoring import Monitoring
from service.processes import ServiceProcess
from service.settings import SECTIONS, Settings, load_settings
from tests.support_centre import within
from tests.support_ledger import MemoryLedger, Ring, story
from tests.support_ports import free_port
from tests.support_prometheus import Prometheus
from tests.support_promtool import ALERTS, RECORDING, rules

EVALUATED_S = 180.0
_LOOPBACK = "0100007F"
_LISTEN = "0A"


@pytest.fixture
def settings() -> Iterator[Settings]:
    folder = Path(tempfile.mkdtemp(prefix="sp-"))  # short: the service makes sockets below it
    ports = {name: free_port() for name in ("ami", "agi", "web", "prometheus", "alertmanager")}
    file = folder / "centre.toml"
    lines = "\n".join(f"{name} = {port}" for name, port in ports.items())
    file.write_text(f'var_dir = "{folder / "v"}"\n[ports]\n{lines}\n')
    yield load_settings(file)
    shutil.rmtree(folder)


async def asked(url: str) -> Any:
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        assert answer.status == 200, await answer.text()
        return await answer.json(content_type=None)


# ── The rules over figures that change ───────────────────────────────────────────────────────────────────────


@contextlib.asynccontextmanager
async def exporting(settings: Settings) -> AsyncIterator[Exporter]:
    """An exporter on the service's port."""
    sections = tuple(SectionId(section) for section in SECTIONS)
    exporter = Exporter(sections=sections, limit_s=15, build={"version": "test"})

    async def metrics(_request: web.Request) -> web.Response:
        return web.Response(body=await exporter.render(), headers={"Content-Type": CONTENT_TYPE})

    app = web.Application()
    app.add_routes([web.get("/metrics", metrics)])
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", settings.ports.web).start()
        yield exporter
    finally:
        await runner.cleanup()


async def keep_busy(exporter: Exporter) -> None:
    """Calls, one of four given up, and everything else that rules look at."""
    ledger = MemoryLedger()
    exporter.set(catalogue.DISK_FREE, 50)
    exporter.set(catalogue.DISK_TOTAL, 100)
    exporter.set(catalogue.COMPONENT_UP, 1, "asterisk")
    exporter.set(catalogue.RECORDED_CALLS, 10)
    exporter.set(catalogue.JUDGED, 9)
    exporter.set(catalogue.VERDICTS, 6, "greeting", Outcome.KEPT.value)
    exporter.set(catalogue.VERDICTS, 2, "greeting", Outcome.CANNOT_JUDGE.value)
    exporter.set(catalogue.VERDICTS, 5, "greeting", Outcome.NOT_APPLICABLE.value)
    exporter.set(catalogue.AGENT_LEGS, 15, Bandwidth.WIDE.value)
    exporter.set(catalogue.AGENT_LEGS, 5, Bandwidth.NARROW.value)
    for labels in exporter.series(catalogue.KPI_DENOMINATOR):
        exporter.set(catalogue.KPI_DENOMINATOR, 1, *labels)
    for number in count():
        rings = [] if number % 4 == 0 else [Ring("1001", rang=6, answered=8, connected=8.5, ended=30)]
        for change in await ledger.record(story(f"1.{number}", asked=5, rings=rings, ended=31)):
            exporter.on_change(_of_a_known_section(change))
        exporter.agi.turn_taken(0.002)
        exporter.count(catalogue.OUTAGE_SECONDS, "trunk", "false", by=0.1)
        await asyncio.sleep(0.1)


def _of_a_known_section(change: Change) -> Change:
    return replace(change, after=replace(change.after, section=SectionId(SECTIONS[0])))


@pytest_asyncio.fixture
async def prometheus(settings: Settings) -> AsyncIterator[Prometheus]:
    server = Prometheus(settings, settings.ports.prometheus)
    async with exporting(settings) as exporter:
        calls = asyncio.create_task(keep_busy(exporter))
        try:
            await server.start()
            yield server
        finally:
            calls.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await calls
            await server.stop()


async def test_every_rule_loads_and_evaluates_and_every_record_has_a_value(prometheus: Prometheus) -> None:
    async def unhealthy() -> dict[str, str]:
        groups = (await asked(f"{prometheus.url}/api/v1/rules"))["data"]["groups"]
        found = {rule["name"]: rule for group in groups for rule in group["rules"]}
        assert found.keys() == rules(RECORDING).keys() | rules(ALERTS).keys()
        return {name: rule.get("lastError", "") for name, rule in found.items() if rule["health"] != "ok"}

    async def without_a_value() -> list[str]:
        return [
            name
            for name in rules(RECORDING)
            if not any(sample["value"][1] != "NaN" for sample in await prometheus.query(name))
        ]

    async def all_is_well() -> bool:
        return not await unhealthy() and not await without_a_value()

    assert await within(all_is_well, EVALUATED_S), (await unhealthy(), await without_a_value())

    async def value(record: str) -> float:
        (sample,) = await prometheus.query(record)
        return float(sample["value"][1])

    async def settled() -> bool:
        """A rate over the first few calls is rough."""
        return 0.1 < await value("centre:hotline_calls_unanswered:ratio_rate5m") < 0.4

    assert await within(settled, EVALUATED_S), "one of four gives up"
    assert await value("centre:hotline_calls_judged:ratio") == 0.9
    assert await value("centre:hotline_rule_verdicts_open:ratio") == 0.25, "what does not apply counts nowhere"
    assert await value("centre:hotline_agent_legs_narrow:ratio") == 0.25


async def test_the_target_is_up_and_small(prometheus: Prometheus) -> None:
    async def up() -> bool:
        """On a busy machine one look may take longer than the second that it has here."""
        (target,) = (await asked(f"{prometheus.url}/api/v1/targets"))["data"]["activeTargets"]
        return (target["health"], target["lastError"]) == ("up", "")

    assert await within(up, EVALUATED_S)
    (most,) = await prometheus.query("max_over_time(scrape_samples_scraped[5m])")
    assert 500 < float(most["value"][1]) <= SAMPLES_AT_MOST


# ── MONITORING=1 ─────────────────────────────────────────────────────────────────────────────────────────────


async def test_monitoring_watches_a_whole_service_and_ends_with_it(settings: Settings) -> None:
    """The service without an Asterisk: it serves its metrics, and says that the link is down."""
    settings.var_dir.mkdir()
    service = ServiceProcess(settings, ("--config", str(settings.var_dir.parent / "centre.toml")))
    monitoring = Monitoring(settings)
    await service.start()
    try:
        await monitoring.start()
        assert monitoring.urls == {
            "Prometheus": f"http://127.0.0.1:{settings.ports.prometheus}",
            "Alertmanager": f"http://127.0.0.1:{settings.ports.alertmanager}",
        }
        prometheus, alertmanager = monitoring.urls.values()

        async def seen() -> bool:
            said = await asked(f"{prometheus}/api/v1/query?query=hotline_kpi_as_of_seconds%20%3E%200")
            return len(said["data"]["result"]) == len(catalogue.GAUGED_PERIODS)

        assert await within(seen, EVALUATED_S), service.log_tail()
        (link,) = (await asked(f"{prometheus}/api/v1/query?query=hotline_ami_link_up"))["data"]["result"]
        assert link["value"][1] == "0"

        async def peers() -> bool:
            told = (await asked(f"{prometheus}/api/v1/alertmanagers"))["data"]["activeAlertmanagers"]
            return [peer["url"].startswith(alertmanager) for peer in told] == [True]

        assert await within(peers, EVALUATED_S)
        status = await asked(f"{alertmanager}/api/v2/status")
        assert "receiver: duty" in status["config"]["original"]
        assert status["cluster"]["status"] == "disabled", "it would listen for peers on every address"
        assert listening(settings) == {_LOOPBACK}
    finally:
        await monitoring.stop()
        await service.stop()
    for url in monitoring.urls.values():
        with pytest.raises(aiohttp.ClientConnectionError):
            await asked(f"{url}/-/ready")


def listening(settings: Settings) -> set[str]:
    """The addresses on which anybody listens to one of the two ports, as the kernel writes them."""
    ports = {settings.ports.prometheus, settings.ports.alertmanager}
    sockets = (
        line.split() for name in ("tcp", "tcp6") for line in Path(f"/proc/net/{name}").read_text().splitlines()
    )
    return {
        address
        for fields in sockets
        if fields[3] == _LISTEN
        for address, _, port in [fields[1].partition(":")]
        if int(port, 16) in ports
    }
